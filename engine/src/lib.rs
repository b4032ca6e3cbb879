//! Concurrency managed workqueues for user space.

mod attrs;
mod error;
mod os;
mod pool;
mod queue;
mod runtime;
mod sense;
pub mod sim;
mod worker;
mod wq;

pub use attrs::{SYSTEM_WORKQUEUE_NAMES, WqFlags};
pub use error::Error;
pub use queue::{BUSY_PENDING, BUSY_RUNNING, DelayedWork, Work, Workqueue};
pub use runtime::{Builder, Engine, current_stamps, current_work};
pub use sense::{Sensing, blocking};
