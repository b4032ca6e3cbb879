//! A clock that always runs in exactly one part of the wait: what lies between two of its marks is explained.

use crate::stats::{Breakdown, WaitPart};

/// Time by part.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    part: WaitPart,
    since: u64,
    /// Up to `since`.
    totals: Breakdown,
}

/// A clock's totals at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    totals: Breakdown,
}

impl Clock {
    pub(super) fn new(now: u64, part: WaitPart) -> Self {
        Self {
            part,
            since: now,
            totals: Breakdown::default(),
        }
    }

    /// From now on the time goes to `part`. A stamp before the last turn counts as that turn's.
    pub(super) fn turn(&mut self, now: u64, part: WaitPart) {
        if part != self.part {
            self.totals = self.totals_at(now);
            self.since = self.since.max(now);
            self.part = part;
        }
    }

    pub(super) fn mark(&self, now: u64) -> Mark {
        let totals = self.totals_at(now);
        Mark { totals }
    }

    /// Adds what lies between `mark` and now to `parts`.
    pub(super) fn account(&self, mark: &Mark, now: u64, parts: &mut Breakdown) {
        let end = self.totals_at(now);
        for (part, (end, begin)) in parts.iter_mut().zip(end.iter().zip(&mark.totals)) {
            *part = part.saturating_add(end.saturating_sub(*begin));
        }
    }

    fn totals_at(&self, now: u64) -> Breakdown {
        let mut totals = self.totals;
        let open = &mut totals[self.part as usize];
        *open = open.saturating_add(now.saturating_sub(self.since));
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_between_two_marks_is_all_explained() {
        let mut clock = Clock::new(0, WaitPart::Concurrency);
        let early = clock.mark(10);
        clock.turn(30, WaitPart::Runqueue);
        let mut parts = Breakdown::default();
        clock.account(&early, 50, &mut parts);
        assert_eq!(parts[WaitPart::Concurrency as usize], 20);
        assert_eq!(parts[WaitPart::Runqueue as usize], 20);
        assert_eq!(parts.iter().sum::<u64>(), 40);
    }

    #[test]
    fn stamps_that_go_back_make_no_time() {
        let mut clock = Clock::new(100, WaitPart::Concurrency);
        let mark = clock.mark(50);
        clock.turn(40, WaitPart::NoWorker);
        let mut parts = Breakdown::default();
        clock.account(&mark, 120, &mut parts);
        assert_eq!(parts[WaitPart::NoWorker as usize], 20);
        assert_eq!(parts.iter().sum::<u64>(), 20);
    }
}
