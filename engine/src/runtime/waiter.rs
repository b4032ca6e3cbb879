//! Somebody who waits for an item or a workqueue, and the one wake-up that ends the wait.

use super::context;
use crate::os;
use crate::sync::checked::{Condvar, Mutex};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// One step left out or out of order, for the models that must then fail. [`weak::NONE`] is what runs.
pub(crate) mod weak {
    /// Nothing is left out.
    pub(crate) const NONE: u8 = 0;
    /// Who waits is told before it is true.
    pub(crate) const TOLD_FIRST: u8 = 1;
    /// Nobody is told.
    pub(crate) const NOT_TOLD: u8 = 2;
    /// Who waits does not look whether it is true already.
    pub(crate) const NO_LOOK: u8 = 3;
}

/// A wait for one event.
#[derive(Debug, Default)]
pub(crate) struct Waiter<const WEAK: u8 = { weak::NONE }> {
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

    /// Whether the wait is over. Once true it stays so.
    pub(crate) fn is_done(&self) -> bool {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether it was completed in time.
    pub(crate) fn wait_until(&self, deadline: Instant) -> bool {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        while !*done {
            let left = deadline.saturating_duration_since(os::instant());
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
impl<const WEAK: u8> Waiter<WEAK> {
    /// Ends the wait. What was done before is seen by who waits.
    pub(crate) fn complete(&self) {
        if WEAK == weak::TOLD_FIRST {
            self.changed.notify_all();
        }
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) = true;
        if !matches!(WEAK, weak::TOLD_FIRST | weak::NOT_TOLD) {
            self.changed.notify_all();
        }
    }

    pub(crate) fn wait(&self) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        while !*done || WEAK == weak::NO_LOOK {
            done = self
                .changed
                .wait(done)
                .unwrap_or_else(PoisonError::into_inner);
            if WEAK == weak::NO_LOOK {
                return;
            }
        }
    }
}

#[cfg(all(test, loom_engine))]
#[path = "waiter_loom.rs"]
mod model;
