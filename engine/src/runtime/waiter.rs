//! Somebody who waits for an item or a workqueue, and the one wake-up that ends the wait.

use super::context;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A wait for one event.
#[derive(Debug, Default)]
pub(crate) struct Waiter {
    /// I: the thread that waits.
    tid: u32,
    done: Mutex<bool>,
    changed: Condvar,
}

impl Waiter {
    /// The calling thread's.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            tid: context::thread_id(),
            ..Self::default()
        })
    }

    pub(crate) fn tid(&self) -> u32 {
        self.tid
    }

    pub(crate) fn complete(&self) {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Whether the wait is over. Once true it stays so.
    pub(crate) fn is_done(&self) -> bool {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wait(&self) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        while !*done {
            done = self
                .changed
                .wait(done)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Returns whether it was completed in time.
    pub(crate) fn wait_until(&self, deadline: Instant) -> bool {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        while !*done {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return false;
            }
            done = self
                .changed
                .wait_timeout(done, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }
}
