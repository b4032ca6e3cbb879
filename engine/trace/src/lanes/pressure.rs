//! How many items waited on a pool's worklist at each moment: from the number that the state says, back through the
//! events.

use crate::event::{Event, Was, What};
use crate::ids::PoolId;
use crate::past::Gap;
use crate::snapshot::Snapshot;
use std::collections::HashMap;

/// The worklist of a pool over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// From this stamp on it had so many items; ascending.
    steps: Vec<(u64, u32)>,
    /// Nothing is known of the time before.
    known_from: u64,
    /// Before the first step.
    first: u32,
}

impl Pressure {
    /// The most items at once in `from..to`; `None` where nobody knows.
    pub fn most(&self, from: u64, to: u64) -> Option<u32> {
        if to <= self.known_from {
            return None;
        }
        let at = self.steps.partition_point(|(stamp, _)| *stamp <= from);
        let begins = at.checked_sub(1).map_or(self.first, |at| self.steps[at].1);
        let later = self.steps[at..].iter().take_while(|(stamp, _)| *stamp < to);
        Some(later.map(|(_, items)| *items).fold(begins, u32::max))
    }
}

/// What an event makes of the number of items on its pool's worklist.
const fn change(what: What) -> i64 {
    match what {
        What::ActivateWork => 1,
        What::ExecuteStart | What::CancelWork { was: Was::Pending } => -1,
        _ => 0,
    }
}

/// Of each pool; `events` in the order of their stamps, each with its index among those that came.
pub(super) fn of(
    events: &[(usize, &Event)],
    gaps: &[(usize, Gap)],
    now: &Snapshot,
) -> HashMap<PoolId, Pressure> {
    // Behind the last gap nothing is missing.
    let whole = gaps.last().map_or(0, |(index, _)| *index);
    let known_from = match gaps.last() {
        Some(_) => events
            .iter()
            .filter(|(index, _)| *index >= whole)
            .map(|(_, event)| event.at)
            .min()
            .unwrap_or(now.at),
        None => events.first().map_or(now.at, |(_, event)| event.at),
    };
    let pools = now.pools.iter();
    let mut levels: HashMap<PoolId, (i64, Pressure)> = pools
        .map(|pool| {
            let pressure = Pressure {
                known_from,
                ..Pressure::default()
            };
            (pool.id, (i64::from(pool.nr_pending), pressure))
        })
        .collect();
    for (_, event) in events.iter().rev().filter(|(index, _)| *index >= whole) {
        let change = change(event.what);
        let Some((level, pressure)) = levels.get_mut(&event.pool).filter(|_| change != 0) else {
            continue;
        };
        pressure.steps.push((event.at, clamped(*level)));
        *level -= change;
    }
    let finish = |(id, (level, mut pressure)): (PoolId, (i64, Pressure))| {
        pressure.steps.reverse();
        pressure.first = clamped(level);
        (id, pressure)
    };
    levels.into_iter().map(finish).collect()
}

/// Items behind their own execution are active, and on no worklist: so it may come out below 0 for a moment.
fn clamped(level: i64) -> u32 {
    u32::try_from(level.max(0)).unwrap_or(u32::MAX)
}
