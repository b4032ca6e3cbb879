//! What a worker says of itself to its canary, and what the canary has found out about it.

use super::call::weak;
use crate::sync::checked::{AtomicU32, AtomicU64, Ordering, fence};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Mark<const WEAK: u8 = { weak::NONE }> {
    /// When the execution began whose work function the worker is inside; 0: it is not in one. Its own to change.
    inside: AtomicU64,
    /// The OS id of the worker's thread; 0: there is none. Its own to change.
    tid: AtomicU32,
    /// The execution in which the worker was found asleep, its CPU clock then, and since when it stood still. The
    /// canary's to change, while its word is not given.
    found: AtomicU64,
    clock: AtomicU64,
    since: AtomicU64,
}

impl<const WEAK: u8> Mark<WEAK> {
    /// The worker has this thread from now on. Called by itself.
    pub(super) fn join(&self, tid: u32) {
        self.tid.store(tid, Ordering::Release);
    }

    /// The worker has no thread any more. It takes the pool's lock once more after this, and a word if there is one.
    /// Called by itself.
    pub(super) fn part(&self) {
        self.tid.store(0, Ordering::Release);
        if WEAK != weak::PART_FENCE {
            fence(Ordering::SeqCst);
        }
    }

    /// Whether the worker has this thread.
    pub(super) fn is_of(&self, tid: u32) -> bool {
        self.tid.load(Ordering::Acquire) == tid
    }

    /// The worker enters the work function of the execution that began then. Called by itself.
    pub(super) fn enter(&self, started_at: u64) {
        self.inside.store(started_at, Ordering::Release);
    }

    /// The worker has left it. Called by itself.
    pub(super) fn leave(&self) {
        self.inside.store(0, Ordering::Release);
    }

    /// When the execution began that the worker is inside; 0: it is in none.
    pub(super) fn inside(&self) -> u64 {
        self.inside.load(Ordering::Acquire)
    }

    /// The worker sleeps in this execution. Called by the canary, before it gives its word.
    pub(super) fn find(&self, execution: u64, clock: u64, since: u64) {
        self.found.store(execution, Ordering::Relaxed);
        self.clock.store(clock, Ordering::Relaxed);
        self.since.store(since, Ordering::Relaxed);
    }

    /// Since when the worker sleeps, if it was found asleep in this execution, is still in it, and has not run since: its
    /// CPU clock stands where it stood. Called under the pool's lock, while the word is given.
    pub(super) fn still(&self, execution: u64, clock: impl FnOnce() -> Option<u64>) -> Option<u64> {
        let is_same = self.found.load(Ordering::Relaxed) == execution
            && self.inside() == execution
            && clock()? == self.clock.load(Ordering::Relaxed);
        is_same.then(|| self.since.load(Ordering::Relaxed))
    }
}
