//! The user's side: workqueues and work items.

pub(crate) mod cancel;
mod delayed;
mod embed;
mod extra;
mod item;
mod links;
mod rcu_work;
pub(crate) mod submit;
mod tune;
pub(crate) mod wait;
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
