//! A work item's state word. Kernel: `work_struct.data`.
//!
//! | bits  | name    | meaning                                                                            |
//! |-------|---------|------------------------------------------------------------------------------------|
//! | 0     | PENDING | somebody owns the item: it is on a list or a timer, or on its way there            |
//! | 1     | QUEUED  | it is on a list of the pool named below; changes under that pool's lock only       |
//! | 16-31 | depth   | disable depth; while it is above 0 every queueing is refused                       |
//! | 32-63 | pool    | the pool it is queued on, or was on last; 0: none yet                              |
//!
//! Test-and-set of PENDING is the one arbiter of queueing. Whoever set it owns the word until it is cleared:
//! all other bits change only by the owner.

use crate::sync::checked::AtomicU64;
use std::fmt;
use std::sync::atomic::Ordering;

/// One ordering left out, for the models that must then fail. [`weak::NONE`] is what runs.
pub(crate) mod weak {
    /// Nothing is left out.
    pub(crate) const NONE: u8 = 0;
    /// The release of a claim: a refused caller shows its stores to nobody.
    pub(crate) const CLAIM_RELEASE: u8 = 1;
    /// The acquire of a claim: a new owner does not see what the last one did.
    pub(crate) const CLAIM_ACQUIRE: u8 = 2;
    /// The read-modify-write of [`super::AtomicWord::set`]: a plain store, which hides refused claims.
    pub(crate) const SET: u8 = 3;
    /// The release of letting go.
    pub(crate) const RELEASE: u8 = 4;
    /// The read-modify-write of [`super::AtomicWord::begin`].
    pub(crate) const BEGIN: u8 = 5;
    /// The acquire of [`super::AtomicWord::begin`].
    pub(crate) const BEGIN_ACQUIRE: u8 = 6;
    /// The release of [`super::AtomicWord::begin`]: who claims the item next does not see who owned it before.
    pub(crate) const BEGIN_RELEASE: u8 = 7;
    /// The acquire of [`super::AtomicWord::get`].
    pub(crate) const GET: u8 = 8;
}

/// The word in its item: who owns the item, and the two promises of queueing.
///
/// 1. Who owns the item sees all that its earlier owners did. Each lets go with a release, each claims with an acquire.
/// 2. Who was refused, since the item was pending, is seen by the execution that ends this PENDING: the refused claim
///    is a release, although it changes nothing, and whatever is written from then on until the execution begins is
///    written by a read-modify-write, so that it goes on from the refused claim instead of hiding it.
#[derive(Default)]
pub(crate) struct AtomicWord<const WEAK: u8 = { weak::NONE }>(AtomicU64);

impl<const WEAK: u8> AtomicWord<WEAK> {
    /// What it is at this moment. Who sees it idle sees what its last owner did.
    pub(crate) fn get(&self) -> Word {
        let order = Self::without(weak::GET, Ordering::Acquire, Ordering::Relaxed);
        Word(self.0.load(order))
    }

    /// Tries to become the owner. Returns the word before: the caller owns the item iff it was not pending.
    ///
    /// Always the full read-modify-write, never a look first: promise 2.
    pub(crate) fn claim(&self) -> Word {
        let order = match WEAK {
            weak::CLAIM_RELEASE => Ordering::Acquire,
            weak::CLAIM_ACQUIRE => Ordering::Release,
            _ => Ordering::AcqRel,
        };
        Word(self.0.fetch_or(Word::PENDING, order))
    }

    /// Changes the word of an item that stays pending. By the owner only.
    pub(crate) fn set(&self, word: Word) {
        debug_assert!(word.pending());
        if WEAK == weak::SET {
            self.0.store(word.0, Ordering::Release);
        } else {
            self.0.swap(word.0, Ordering::AcqRel);
        }
    }

    /// Lets go of the item, which is not executed this time. By the owner only.
    pub(crate) fn release(&self, word: Word) {
        let order = Self::without(weak::RELEASE, Ordering::Release, Ordering::Relaxed);
        self.0.store(word.released().0, order);
    }

    /// The execution begins: from now on the item can be queued again. By the owner, under the pool's lock.
    pub(crate) fn begin(&self, pool: u32) {
        let word = Word::on_list(pool).released();
        match WEAK {
            weak::BEGIN => self.0.store(word.0, Ordering::Release),
            weak::BEGIN_ACQUIRE => _ = self.0.swap(word.0, Ordering::Release),
            weak::BEGIN_RELEASE => _ = self.0.swap(word.0, Ordering::Acquire),
            _ => _ = self.0.swap(word.0, Ordering::AcqRel),
        }
    }

    fn without(which: u8, whole: Ordering, weakened: Ordering) -> Ordering {
        if WEAK == which { weakened } else { whole }
    }
}

/// A value of the word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word(pub(crate) u64);

impl Word {
    /// The bit that [`Word::pending`] asks for.
    pub(crate) const PENDING: u64 = 1;
    const QUEUED: u64 = 2;
    const DEPTH_SHIFT: u32 = 16;
    const DEPTH_MASK: u64 = 0xffff << Self::DEPTH_SHIFT;
    const POOL_SHIFT: u32 = 32;

    pub(crate) fn pending(self) -> bool {
        self.0 & Self::PENDING != 0
    }

    pub(crate) fn queued(self) -> bool {
        self.0 & Self::QUEUED != 0
    }

    /// How often it was disabled and not enabled again.
    pub(crate) fn depth(self) -> u32 {
        ((self.0 & Self::DEPTH_MASK) >> Self::DEPTH_SHIFT) as u32
    }

    /// The pool it is queued on or was on last.
    pub(crate) fn pool(self) -> Option<u32> {
        let pool = (self.0 >> Self::POOL_SHIFT) as u32;
        (pool != 0).then_some(pool)
    }

    /// Owned and on a list of `pool`. A disabled item is never queued, so there is no depth to keep.
    pub(crate) fn on_list(pool: u32) -> Self {
        Self(u64::from(pool) << Self::POOL_SHIFT | Self::QUEUED | Self::PENDING)
    }

    /// Owned and off all lists.
    pub(crate) fn off_list(self) -> Self {
        Self(self.0 & !Self::QUEUED | Self::PENDING)
    }

    /// Owned and, after it was queued in vain, off all lists: a pool on which an earlier execution may still go on, if
    /// there is one, is named again.
    pub(crate) fn taken_back(self, before: Option<u32>) -> Self {
        match before {
            Some(pool) => Self(Self::on_list(pool).0 & !Self::QUEUED),
            None => self.off_list(),
        }
    }

    /// Not owned any more: idle, or running on `pool`.
    pub(crate) fn released(self) -> Self {
        Self(self.0 & !(Self::PENDING | Self::QUEUED))
    }

    /// Disabled once more; `None` when the depth is at its maximum, 65535.
    pub(crate) fn deeper(self) -> Option<Self> {
        (self.depth() < 0xffff).then(|| Self(self.0 + (1 << Self::DEPTH_SHIFT)))
    }

    /// Enabled once; `None` when it is not disabled.
    pub(crate) fn shallower(self) -> Option<Self> {
        (self.depth() > 0).then(|| Self(self.0 - (1 << Self::DEPTH_SHIFT)))
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Word")
            .field("pending", &self.pending())
            .field("queued", &self.queued())
            .field("depth", &self.depth())
            .field("pool", &self.pool())
            .finish()
    }
}

#[cfg(all(test, loom_engine))]
#[path = "word_loom.rs"]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_do_not_touch_each_other() {
        let idle = Word(0);
        assert_eq!(
            (idle.pending(), idle.queued(), idle.depth(), idle.pool()),
            (false, false, 0, None)
        );
        let queued = Word::on_list(u32::MAX);
        assert_eq!(
            (queued.pending(), queued.queued(), queued.depth()),
            (true, true, 0)
        );
        let gone = queued.off_list().released();
        assert_eq!(
            (gone.pending(), gone.queued(), gone.pool()),
            (false, false, Some(u32::MAX))
        );
        let twice = gone.deeper().and_then(Word::deeper).unwrap();
        assert_eq!((twice.depth(), twice.pool()), (2, Some(u32::MAX)));
        assert_eq!(twice.shallower().and_then(Word::shallower), Some(gone));
    }

    #[test]
    fn what_was_taken_back_is_on_the_pool_that_it_was_on_before() {
        let back = Word::on_list(7).taken_back(Some(3));
        assert_eq!((back.pending(), back.queued()), (true, false));
        assert_eq!(back.pool(), Some(3));
        assert_eq!(Word::on_list(7).taken_back(None).pool(), Some(7));
    }

    #[test]
    fn the_depth_has_a_floor_and_a_ceiling() {
        assert_eq!(Word(0).shallower(), None);
        let deepest = Word(0xffff << 16);
        assert_eq!((deepest.depth(), deepest.deeper()), (0xffff, None));
    }
}
