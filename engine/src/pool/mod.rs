//! A worker pool and the shares that workqueues have of it: the pure centre of the engine.
//!
//! Nothing here knows a thread, a clock, a lock or a file: a transition takes the time as an argument, changes the
//! state, and says in [`Effects`] what others must do. Threads execute the effects, and so does the simulator.
//!
//! # Lock legend
//!
//! The letter at a field says what protects it. Kernel: the legend at the top of `kernel/workqueue.c`.
//!
//! - `I`: set at initialisation, never changed.
//! - `L`: the pool's lock. Everything in [`PoolState`] is; the struct lives inside the pool's mutex.
//! - `W`: the workqueue's mutex, which is taken before any pool's lock.
//! - `S`: changed by its own worker only.
//!
//! Lock order: the list of work functions that wait, the mutex of a workqueue, one pool's lock, a node's count
//! ([`crate::wq::NodeActive`]) or the segment's. Never two pools at once.

mod active;
mod admit;
mod bh;
mod check;
mod cull;
mod desc;
mod dump;
mod effect;
mod execute;
mod hog;
mod home;
mod hotplug;
mod list;
mod manage;
mod notice;
mod policy;
mod pwq;
mod rescue;
mod stall;
mod standing;
mod state;
#[cfg(test)]
mod tests;
mod wait;

pub(crate) use admit::NewItem;
pub(crate) use dump::{InFlight, Place, PoolDump, PwqDump, Queued};
pub(crate) use effect::{Effect, Effects, Report, Subject};
pub(crate) use execute::{Done, Start, Step};
pub(crate) use list::ItemIx;
pub(crate) use manage::Watched;
pub(crate) use notice::{Found, bits};
pub(crate) use pwq::{Limit, NR_COLORS, Pwq, PwqIx, PwqSpec};
pub(crate) use rescue::Rescue;
pub(crate) use standing::{Awaited, PwqUid, Slots, Standing};
pub(crate) use state::{IDLE_WORKER_TIMEOUT, Informant, PoolSpec, PoolState, WorkerIx};
