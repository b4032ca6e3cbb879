//! The user's side: workqueues and work items.

pub(crate) mod cancel;
mod dependency;
mod drain;
pub(crate) mod submit;
pub(crate) mod wait;
mod waits;
mod work;
mod workqueue;

pub use work::{BUSY_PENDING, BUSY_RUNNING, DelayedWork, Work};
pub(crate) use work::{WorkInner, place};
pub use workqueue::Workqueue;
pub(crate) use workqueue::{Job, PwqRef, WqInner, WqSpec};
