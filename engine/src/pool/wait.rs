//! Why items wait: a clock that always runs in exactly one cause. A pool has one for the items on its worklist, and a
//! pwq has one for those that it holds back.
//!
//! An item's parts are differences of two snapshots of the totals: O(1), and exact whatever happens to the rings,
//! since every nanosecond between the two was booked to one cause. Only `sensing` is known late: when workers are
//! noticed to have been blocked since `from`, the open interval is split there, and items that took their snapshot
//! inside the interval are corrected, each once per interval.

use wq_trace::{Breakdown, Hold, WaitPart};

/// What an active item of a pool waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A managed worker of the pool runs.
    Concurrency,
    /// The workers were blocked, which was not noticed yet.
    Sensing,
    /// The one worker of a BH pool is at earlier items.
    Bh,
    /// No worker is idle.
    NoWorker,
    /// A worker was woken and is not on a CPU yet.
    Runqueue,
    /// None of these.
    Unknown,
}

/// A reason to wait that a clock can run in.
pub(crate) trait Reason: Copy + PartialEq {
    /// The part of the wait that each reason is, by its number.
    const PARTS: &[WaitPart];

    fn number(self) -> usize;
}

/// Most reasons that a clock tells apart.
const REASONS: usize = 6;

impl Reason for Cause {
    const PARTS: &[WaitPart] = &[
        WaitPart::Concurrency,
        WaitPart::Sensing,
        WaitPart::Bh,
        WaitPart::NoWorker,
        WaitPart::Runqueue,
        WaitPart::Unknown,
    ];

    fn number(self) -> usize {
        self as usize
    }
}

impl Reason for Hold {
    const PARTS: &[WaitPart] = &[
        WaitPart::InactiveMaxActive,
        WaitPart::InactiveNode,
        WaitPart::InactiveOrdered,
        WaitPart::InactivePlugged,
        WaitPart::InactiveFrozen,
    ];

    fn number(self) -> usize {
        self as usize
    }
}

/// Time by reason.
#[derive(Debug)]
pub(crate) struct Clock<R> {
    cause: R,
    since: u64,
    /// Up to `since`.
    totals: [u64; REASONS],
}

/// The totals of a clock at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitMark {
    pub(crate) at: u64,
    totals: [u64; REASONS],
}

/// Why the items on a pool's worklist wait.
pub(crate) type WaitClock = Clock<Cause>;

/// Why a pwq holds items back.
pub(crate) type HoldClock = Clock<Hold>;

impl<R: Reason> Clock<R> {
    pub(crate) fn new(now: u64, cause: R) -> Self {
        Self {
            cause,
            since: now,
            totals: [0; REASONS],
        }
    }

    /// From now on the time goes to `cause`.
    pub(crate) fn turn(&mut self, now: u64, cause: R) {
        if cause != self.cause {
            self.cut(now);
            self.cause = cause;
        }
    }

    /// Books the open interval; its cause goes on. (A managed worker was running up to now: no block is dated
    /// before it.)
    pub(crate) fn cut(&mut self, now: u64) {
        self.totals[self.cause.number()] += now - self.since;
        self.since = now;
    }

    /// The totals now, the open interval booked to its present cause.
    pub(crate) fn mark(&self, now: u64) -> WaitMark {
        let mut totals = self.totals;
        totals[self.cause.number()] += now - self.since;
        WaitMark { at: now, totals }
    }

    /// Adds the time between `mark` and now to an item's parts.
    pub(crate) fn account(&self, mark: &WaitMark, now: u64, parts: &mut Breakdown) {
        if self.since <= mark.at {
            // Nothing has changed since: what most items wait for from beginning to end.
            parts[R::PARTS[self.cause.number()] as usize] += now - mark.at;
            return;
        }
        let end = self.mark(now);
        for (number, &part) in R::PARTS.iter().enumerate() {
            parts[part as usize] += end.totals[number] - mark.totals[number];
        }
    }
}

impl WaitClock {
    /// Splits the open interval: its end, from `from` on, was [`Cause::Sensing`].
    /// Returns what corrects the marks taken inside the interval, if anything changes.
    pub(crate) fn split_sensing(&mut self, now: u64, from: u64) -> Option<Correction> {
        let from = from.max(self.since);
        if self.cause != Cause::Concurrency || from >= now {
            return None;
        }
        let correction = Correction {
            opened: self.since,
            from,
        };
        self.totals[Cause::Concurrency as usize] += from - self.since;
        self.totals[Cause::Sensing as usize] += now - from;
        self.since = now;
        Some(correction)
    }
}

/// How marks taken inside a split interval change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Correction {
    /// When the interval was opened.
    pub(crate) opened: u64,
    from: u64,
}

impl Correction {
    /// Moves what `mark` booked after the split from concurrency to sensing.
    pub(crate) fn apply(&self, mark: &mut WaitMark) {
        if mark.at > self.from {
            let moved = mark.at - self.from;
            mark.totals[Cause::Concurrency as usize] -= moved;
            mark.totals[Cause::Sensing as usize] += moved;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(clock: &WaitClock, mark: &WaitMark, now: u64) -> [u64; 3] {
        let mut parts = Breakdown::default();
        clock.account(mark, now, &mut parts);
        assert_eq!(parts.iter().sum::<u64>(), now - mark.at);
        [WaitPart::Concurrency, WaitPart::Sensing, WaitPart::Runqueue].map(|p| parts[p as usize])
    }

    #[test]
    fn every_nanosecond_goes_to_one_cause() {
        let mut clock = WaitClock::new(0, Cause::Unknown);
        clock.turn(0, Cause::Concurrency);
        let early = clock.mark(10);
        clock.turn(30, Cause::Runqueue);
        let late = clock.mark(35);
        assert_eq!(parts(&clock, &early, 50), [20, 0, 20]);
        assert_eq!(parts(&clock, &late, 50), [0, 0, 15]);
    }

    #[test]
    fn a_late_notice_corrects_the_marks_inside_the_interval() {
        let mut clock = WaitClock::new(0, Cause::Unknown);
        clock.turn(0, Cause::Concurrency);
        let mut before = clock.mark(10);
        let mut inside = clock.mark(25);
        let correction = clock.split_sensing(40, 20).unwrap();
        correction.apply(&mut before);
        correction.apply(&mut inside);
        clock.turn(40, Cause::Runqueue);
        assert_eq!(parts(&clock, &before, 45), [10, 20, 5]);
        assert_eq!(parts(&clock, &inside, 45), [0, 15, 5]);
        assert!(clock.split_sensing(45, 41).is_none());
    }
}
