//! The user's side: workqueues and work items.

pub(crate) mod cancel;
mod dependency;
mod drain;
mod links;
pub(crate) mod submit;
mod tune;
mod visible;
pub(crate) mod wait;
mod waits;
mod work;
mod workqueue;

pub(crate) use links::{Control, Links, PwqRef};
pub(crate) use tune::once;
pub use work::{BUSY_PENDING, BUSY_RUNNING, DelayedWork, Work};
pub(crate) use work::{WorkInner, place};
pub use workqueue::Workqueue;
pub(crate) use workqueue::{Job, WqInner, WqSpec};
