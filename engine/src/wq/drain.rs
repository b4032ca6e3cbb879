//! Who may still queue on a workqueue that is being emptied or taken down. Kernel: `__WQ_DRAINING`,
//! `__WQ_DESTROYING`, `drain_workqueue()`.
//!
//! | bits | name       | meaning                                                            |
//! |------|------------|--------------------------------------------------------------------|
//! | 0    | DESTROYING | `destroy` was called; never cleared                                |
//! | 1    | GONE       | its end was told; never cleared                                    |
//! | 8-31 | drainers   | drains in progress, the destroying one included                    |
//!
//! While any drain is in progress, or once it is destroyed, only *chained* queueing is let in: that of a work function
//! on the workqueue that it runs for. The gate is looked at under the lock of the pool that the item goes to. A drain
//! takes all these locks after it has closed the gate, so what was let in before is seen by its first flush.

use std::fmt;
use wq_trace::Drop;

/// A value of the word.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Gate(pub(crate) u32);

/// The first round of a drain that is worth a warning.
const FIRST_WARNING: u32 = 10;
/// From then on every so many rounds are.
const WARNING_EVERY: u32 = 100;
/// Up to this one.
const LAST_WARNING: u32 = 1000;

impl Gate {
    /// Set by the first to destroy.
    pub(crate) const DESTROYING: u32 = 1;
    /// Set by who tells its end.
    pub(crate) const GONE: u32 = 2;
    /// To be added by a drain that begins, and taken off when it ends.
    pub(crate) const DRAINER: u32 = 1 << 8;

    /// Why an item must not be queued now; `None`: it may.
    pub(crate) fn refuses(self, chained: bool) -> Option<Drop> {
        if self.0 == 0 || chained {
            None
        } else if self.is_destroying() {
            Some(Drop::Destroying)
        } else {
            Some(Drop::Draining)
        }
    }

    pub(crate) fn is_destroying(self) -> bool {
        self.0 & Self::DESTROYING != 0
    }

    pub(crate) fn is_gone(self) -> bool {
        self.0 & Self::GONE != 0
    }

    fn drainers(self) -> u32 {
        self.0 / Self::DRAINER
    }
}

/// Whether a drain that is not over after so many flushes says so.
pub(crate) fn drain_is_slow(flushes: u32) -> bool {
    flushes == FIRST_WARNING || (flushes.is_multiple_of(WARNING_EVERY) && flushes <= LAST_WARNING)
}

/// What a look at the pwqs saw: which they are, and how many items had ever been queued on each; `None` if something
/// was in flight.
///
/// The pwqs are looked at one after the other, and a work function may queue on one that was looked at already. But
/// if two looks saw the same, then nothing was in flight anywhere at the moment between them.
pub(crate) type Emptiness = Option<Vec<(u64, u64)>>;

/// Whether two looks, one after the other, prove that nothing was in flight between them.
pub(crate) fn was_empty(first: &Emptiness, second: &Emptiness) -> bool {
    first.is_some() && first == second
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("drainers", &self.drainers())
            .field("destroying", &self.is_destroying())
            .field("gone", &self.is_gone())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_chained_queueing_passes_a_closed_gate() {
        let closed = [
            (Gate(Gate::DRAINER), Drop::Draining),
            (Gate(3 * Gate::DRAINER), Drop::Draining),
            (Gate(Gate::DESTROYING), Drop::Destroying),
            (Gate(Gate::DESTROYING | Gate::DRAINER), Drop::Destroying),
            (Gate(Gate::DESTROYING | Gate::GONE), Drop::Destroying),
        ];
        assert_eq!(Gate::default().refuses(false), None);
        for (gate, reason) in closed {
            assert_eq!(gate.refuses(false), Some(reason), "{gate:?}");
            assert_eq!(gate.refuses(true), None, "{gate:?}");
        }
    }

    #[test]
    fn a_slow_drain_speaks_at_ten_and_at_hundreds_up_to_a_thousand() {
        let said: Vec<u32> = (1..5000).filter(|&n| drain_is_slow(n)).collect();
        assert_eq!(
            said,
            [10, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]
        );
    }

    #[test]
    fn two_looks_prove_emptiness_only_if_nothing_came_between() {
        let look = |queued| Some(vec![(1, queued)]);
        assert!(was_empty(&look(3), &look(3)));
        assert!(!was_empty(&look(3), &look(4)));
        assert!(!was_empty(&None, &None));
        assert!(!was_empty(&look(3), &None));
    }
}
