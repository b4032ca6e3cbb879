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
//! that was woken comes by, also one that was told to leave; so a call does not stay closed. Between a worker that leaves
//! for good and a canary that wakes it at that moment it is the same again: who leaves says so and then looks for a word
//! once more; who gives its word then looks whether the worker has left, and if so withdraws it ([`Call::answer`]).
//! And so it is if the worker starts an item instead and blocks in it: the call has changed then, a change makes a word
//! void ([`Call::set`]), and a word for a call that has changed is withdrawn.

use crate::sync::checked::{AtomicBool, AtomicU64, Ordering, fence};

/// One step left out or out of order, for the models that must then fail. [`weak::NONE`] is what runs.
pub(super) mod weak {
    /// Nothing is left out.
    pub(crate) const NONE: u8 = 0;
    /// Who calls does not put a fence between the call and its look at the canary.
    pub(crate) const ARM_FENCE: u8 = 1;
    /// Who goes to sleep does not put one between saying so and its last look.
    pub(crate) const DISARM_FENCE: u8 = 2;
    /// Who goes to sleep does not look again.
    pub(crate) const DISARM_LOOK: u8 = 3;
    /// A word that was taken does not open the call again.
    pub(crate) const AGAIN: u8 = 4;
    /// The worker is woken before the word is given.
    pub(crate) const WOKEN_FIRST: u8 = 5;
    /// What the canary has found is not there with its word.
    pub(crate) const WORD_RELEASE: u8 = 6;
    /// Who takes the word does not see what was there with it.
    pub(crate) const WORD_ACQUIRE: u8 = 7;
    /// The canary does not put a fence between its word and its look whether the worker is there.
    pub(crate) const ANSWER_FENCE: u8 = 8;
    /// It does not look.
    pub(crate) const ANSWER_LOOK: u8 = 9;
    /// A worker that leaves does not put a fence between saying so and its last look for a word.
    pub(crate) const PART_FENCE: u8 = 10;
    /// Who changes the call does not put a fence between that and its look for a word.
    pub(crate) const SET_FENCE: u8 = 11;
    /// Who changes the call does not look for a word.
    pub(crate) const SET_LOOK: u8 = 12;
}

/// A pool's call for its canary.
#[derive(Debug, Default)]
pub(crate) struct Call<const WEAK: u8 = { weak::NONE }> {
    /// The index of the worker to wake, plus 1; 0: nobody has to look. Above it a number that grows with every change.
    call: AtomicU64,
    /// The canary has found something and is waking somebody. Set by the canary, cleared under the pool's lock.
    word: AtomicBool,
    /// The canary may have gone to sleep meanwhile. Under the pool's lock.
    again: AtomicBool,
}

const WORKER: u64 = u32::MAX as u64;

impl<const WEAK: u8> Call<WEAK> {
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
        if WEAK != weak::SET_FENCE {
            fence(Ordering::SeqCst);
        }
        if WEAK != weak::SET_LOOK && self.word.load(Ordering::Relaxed) {
            // Whoever it was given to may be busy by now: it is void.
            self.word.store(false, Ordering::Release);
        }
        worker > 0
    }

    /// The canary is to look again at what it has left alone. Under the pool's lock.
    pub(crate) fn repeat(&self) {
        self.again.store(true, Ordering::Relaxed);
    }

    /// Whether the canary has given its word. Under the pool's lock.
    pub(crate) fn is_answered(&self) -> bool {
        self.word.load(match WEAK {
            weak::WORD_ACQUIRE => Ordering::Relaxed,
            _ => Ordering::Acquire,
        })
    }

    /// Takes it: the canary may look again. Under the pool's lock.
    pub(crate) fn take_word(&self) {
        self.word.store(false, Ordering::Release);
        if WEAK != weak::AGAIN {
            self.again.store(true, Ordering::Relaxed);
        }
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

    /// The canary gives its word for the call of this number, and has a worker woken that comes for it. `is_here` says
    /// whether that worker has not left. Returns whether somebody comes; else the word is withdrawn.
    pub(crate) fn answer(
        &self,
        number: u64,
        wake: impl FnOnce(),
        is_here: impl FnOnce() -> bool,
    ) -> bool {
        let given = match WEAK {
            weak::WORD_RELEASE => Ordering::Relaxed,
            _ => Ordering::Release,
        };
        if WEAK == weak::WOKEN_FIRST {
            wake();
            self.word.store(true, given);
            return true;
        }
        self.word.store(true, given);
        wake();
        if WEAK != weak::ANSWER_FENCE {
            fence(Ordering::SeqCst);
        }
        let same = || self.call.load(Ordering::Relaxed) >> 32 == number;
        let comes = WEAK == weak::ANSWER_LOOK || is_here() && same();
        if !comes {
            self.word.store(false, Ordering::Release);
        }
        comes
    }
}

/// Whether a canary is awake, or about to be.
#[derive(Debug, Default)]
pub(crate) struct Armed<const WEAK: u8 = { weak::NONE }>(AtomicBool);

impl<const WEAK: u8> Armed<WEAK> {
    /// A pool has called, and may have cleared a word that was void. Returns whether the caller has to wake the canary.
    pub(crate) fn arm(&self) -> bool {
        if WEAK != weak::ARM_FENCE {
            fence(Ordering::SeqCst);
        }
        !self.0.load(Ordering::Relaxed) && !self.0.swap(true, Ordering::AcqRel)
    }

    /// The canary goes to sleep, unless it is `needed`. Returns whether it may.
    pub(crate) fn disarm(&self, needed: impl FnOnce() -> bool) -> bool {
        self.0.store(false, Ordering::Relaxed);
        if WEAK != weak::DISARM_FENCE {
            fence(Ordering::SeqCst);
        }
        if WEAK != weak::DISARM_LOOK && needed() {
            self.0.store(true, Ordering::Relaxed);
            return false;
        }
        true
    }

    pub(crate) fn is_armed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, loom_engine))]
#[path = "call_loom.rs"]
mod model;
