//! Warnings that an engine gives once. Kernel: `WARN_ONCE()`.

use std::sync::atomic::{AtomicBool, Ordering};

/// Which of them were given.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// An item was dropped by a drain or a destroy.
    pub(crate) drop: Once,
    /// A work function of a reclaim workqueue waits for one that is not.
    pub(crate) flush_dependency: Once,
}

/// One warning.
#[derive(Debug, Default)]
pub(crate) struct Once(AtomicBool);

impl Once {
    /// Whether this is the first time.
    pub(crate) fn first(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }
}
