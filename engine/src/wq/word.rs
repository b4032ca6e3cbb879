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

use std::fmt;

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
