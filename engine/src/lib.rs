//! Concurrency managed workqueues for user space.

mod attrs;
pub mod sim;

pub use attrs::WqFlags;
