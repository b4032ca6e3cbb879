//! How latencies were spread, round by round: what came into the histograms between two states, for a heat-map.

#[cfg(test)]
mod tests;

use crate::ids::WqId;
use crate::snapshot::{Histogram, Snapshot};
use crate::stats::Breakdown;
use std::collections::HashSet;

/// Buckets: the first is below 1.024 us, each further one twice as wide, the last has all from 8.6 s on.
pub const BUCKETS: usize = 25;

/// Items by their bucket.
pub type Counts = [u64; BUCKETS];

/// Which latency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// From queueing to the start.
    #[default]
    Wait,
    /// From the start to the end.
    Run,
}

/// What happened between two states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// The later state's stamp, in nanoseconds.
    pub at: u64,
    /// The earlier one's.
    pub since: u64,
    /// Items that started, or ended, meanwhile.
    pub counts: Counts,
    /// What those that started had waited for.
    pub breakdown: Breakdown,
}

impl Round {
    /// All of its items.
    pub fn items(&self) -> u64 {
        self.counts.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// The slowest bucket that has any.
    pub fn slowest(&self) -> Option<usize> {
        self.counts.iter().rposition(|n| *n > 0)
    }
}

/// The bucket of a latency.
pub const fn bucket(ns: u64) -> usize {
    if ns < 1_024 {
        return 0;
    }
    let above = ns.ilog2() as usize - 9;
    if above < BUCKETS { above } else { BUCKETS - 1 }
}

/// Where a bucket ends, in nanoseconds; the last one has no end.
pub const fn upper(bucket: usize) -> Option<u64> {
    if bucket + 1 < BUCKETS {
        Some(1_024 << bucket)
    } else {
        None
    }
}

/// All that there was until a state, of one workqueue or of all.
pub fn total(state: &Snapshot, wq: Option<WqId>, which: Which) -> Counts {
    let mut counts = Counts::default();
    for pwq in state
        .pwqs
        .iter()
        .filter(|pwq| wq.is_none_or(|wq| pwq.wq == wq))
    {
        let histogram: &Histogram = match which {
            Which::Wait => &pwq.wait,
            Which::Run => &pwq.run,
        };
        for (upper, n) in &histogram.buckets {
            let count = &mut counts[bucket(*upper)];
            *count = count.saturating_add(*n);
        }
    }
    counts
}

fn parts(state: &Snapshot, wq: Option<WqId>) -> Breakdown {
    let pwqs: HashSet<_> = state
        .pwqs
        .iter()
        .filter(|pwq| wq.is_none_or(|wq| pwq.wq == wq))
        .map(|pwq| pwq.id)
        .collect();
    let mut sum = Breakdown::default();
    for row in state.pwq_funcs.iter().filter(|row| pwqs.contains(&row.pwq)) {
        for (sum, ns) in sum.iter_mut().zip(row.breakdown) {
            *sum = sum.saturating_add(ns);
        }
    }
    sum
}

/// The rounds between successive states, the oldest first.
pub fn rounds<'s>(
    states: impl Iterator<Item = &'s Snapshot>,
    wq: Option<WqId>,
    which: Which,
) -> Vec<Round> {
    let mut rounds = Vec::new();
    let mut before: Option<(u64, Counts, Breakdown)> = None;
    for state in states {
        let (counts, sums) = (total(state, wq, which), parts(state, wq));
        if let Some((since, earlier, spent)) = before {
            let mut round = Round {
                at: state.at,
                since,
                ..Round::default()
            };
            for (to, (now, then)) in round.counts.iter_mut().zip(counts.iter().zip(earlier)) {
                *to = now.saturating_sub(then);
            }
            for (to, (now, then)) in round.breakdown.iter_mut().zip(sums.iter().zip(spent)) {
                *to = now.saturating_sub(then);
            }
            rounds.push(round);
        }
        before = Some((state.at, counts, sums));
    }
    rounds
}
