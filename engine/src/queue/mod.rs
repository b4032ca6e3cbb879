//! The user's side: workqueues and work items.

pub(crate) mod cancel;
mod delayed;
mod dependency;
mod drain;
mod embed;
mod extra;
mod item;
mod links;
mod rcu_work;
pub(crate) mod submit;
mod tune;
mod visible;
pub(crate) mod wait;
mod waits;
mod work;
mod workqueue;

pub use delayed::DelayedWork;
pub use embed::{EmbeddedWork, HasWork, WorkItem};
pub(crate) use links::{Control, Links, PwqRef};
pub use rcu_work::RcuWork;
pub use work::{BUSY_PENDING, BUSY_RUNNING, Work};
pub(crate) use work::{WorkInner, place};
pub use workqueue::Workqueue;
pub(crate) use workqueue::{Job, WqInner, WqSpec};
