//! Warnings that an engine gives once (kernel: `WARN_ONCE()`), and how many deadlocks it has told.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Which of them were given.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// An item was dropped by a drain or a destroy.
    pub(crate) drop: Once,
    /// A work function of a reclaim workqueue waits for one that is not.
    pub(crate) flush_dependency: Once,
    deadlocks: AtomicU32,
}

impl Said {
    /// The number of a deadlock that is told now: 1, 2, ...
    pub(crate) fn next_deadlock(&self) -> u32 {
        self.deadlocks.fetch_add(1, Ordering::Relaxed) + 1
    }
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
