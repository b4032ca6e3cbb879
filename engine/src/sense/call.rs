//! The hand-over between a pool and its canary.
//!
//! | | the pool, under its lock | the canary |
//! |---|---|---|
//! | 1 | items wait behind a running worker: [`Call::set`], then [`Armed::arm`] | sleeps |
//! | 2 | | looks, as long as [`Call::open`] says whom it could wake |
//! | 3 | | all running workers sleep: [`Call::answer`], then it wakes that one |
//! | 4 | a worker comes, takes the word ([`Call::take_word`]) and decides | the pool is closed to it |
//! | 5 | nothing waits any more, or somebody is on the way: [`Call::set`] | goes to sleep: [`Armed::disarm`] |
//!
//! **No wake-up is lost.** Who calls writes `call` (or clears `word`) and then reads `armed`; who goes to sleep writes
//! `armed` and then reads `call` and `word`. Full fences lie between, so one of the two sees the other: either the canary
//! sees the call and stays, or the pool sees it disarmed and wakes it. That wake-up is a token, so it counts if it comes
//! before the sleep. A word that is given is taken by whichever worker of the pool gets the lock next, and every worker
//! that was woken comes by, also one that was told to leave; so a call does not stay closed.

use crate::sync::checked::{AtomicBool, AtomicU64, Ordering, fence};

/// A pool's call for its canary.
#[derive(Debug, Default)]
pub(crate) struct Call {
    /// The index of the worker to wake, plus 1; 0: nobody has to look. Above it a number that grows with every change.
    call: AtomicU64,
    /// The canary has found something and is waking somebody. Set by the canary, cleared under the pool's lock.
    word: AtomicBool,
    /// The canary may have gone to sleep meanwhile. Under the pool's lock.
    again: AtomicBool,
}

const WORKER: u64 = u32::MAX as u64;

impl Call {
    /// From now on the canary is to wake this worker, or nobody. Returns whether it has to be awake for it. Under the
    /// pool's lock.
    pub(crate) fn set(&self, worker: Option<u32>) -> bool {
        let before = self.call.load(Ordering::Relaxed);
        let worker = worker.map_or(0, |index| u64::from(index) + 1);
        if before & WORKER == worker && !(worker > 0 && self.again.load(Ordering::Relaxed)) {
            return false;
        }
        self.again.store(false, Ordering::Relaxed);
        let number = (before >> 32).wrapping_add(1);
        self.call.store(number << 32 | worker, Ordering::Release);
        worker > 0
    }

    /// The canary is to look again at what it has left alone. Under the pool's lock.
    pub(crate) fn repeat(&self) {
        self.again.store(true, Ordering::Relaxed);
    }

    /// Whether the canary has given its word. Under the pool's lock.
    pub(crate) fn is_answered(&self) -> bool {
        self.word.load(Ordering::Acquire)
    }

    /// Takes it: the canary may look again. Under the pool's lock.
    pub(crate) fn take_word(&self) {
        self.word.store(false, Ordering::Release);
        self.again.store(true, Ordering::Relaxed);
    }

    /// The number of the call and whom to wake, if the canary is to look and has not given its word yet. Called by the
    /// canary.
    pub(crate) fn open(&self) -> Option<(u64, u32)> {
        if self.word.load(Ordering::Acquire) {
            return None;
        }
        let call = self.call.load(Ordering::Acquire);
        let worker = u32::try_from(call & WORKER).ok()?.checked_sub(1)?;
        Some((call >> 32, worker))
    }

    /// The canary gives its word.
    pub(crate) fn answer(&self) {
        self.word.store(true, Ordering::Release);
    }
}

/// Whether a canary is awake, or about to be.
#[derive(Debug, Default)]
pub(crate) struct Armed(AtomicBool);

impl Armed {
    /// A pool has called. Returns whether the caller has to wake the canary.
    pub(crate) fn arm(&self) -> bool {
        fence(Ordering::SeqCst);
        !self.0.load(Ordering::Relaxed) && !self.0.swap(true, Ordering::AcqRel)
    }

    /// The canary goes to sleep, unless it is `needed`. Returns whether it may.
    pub(crate) fn disarm(&self, needed: impl FnOnce() -> bool) -> bool {
        self.0.store(false, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if needed() {
            self.0.store(true, Ordering::Relaxed);
            return false;
        }
        true
    }

    pub(crate) fn is_armed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
