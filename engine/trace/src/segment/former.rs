//! What the released pwqs of a workqueue came to: a row of no pool, so that no total of the workqueue ever shrinks.

use super::Books;
use super::store::Store;
use super::tables::{Tables, Taken};
use super::words::{Words, pair};
use crate::layout::{DISTRIBUTION, Kind, head, histogram, pwq, pwq_func};
use crate::stats::{Counter, WaitPart};
use std::collections::HashMap;
use std::ops::Range;

/// The rows that outlive a workqueue's pwqs; none before the first release.
#[derive(Debug, Default)]
pub(super) struct Former {
    pwq: Option<Taken>,
    histogram: Option<Taken>,
    /// By function.
    functions: HashMap<u32, Taken>,
}

/// A pwq's slots, on their way out.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) pwq: Taken,
    pub(super) histogram: Option<Taken>,
    pub(super) functions: Vec<Taken>,
}

impl Books {
    /// See [`crate::PwqSlot::retire`].
    pub(super) fn retire(&mut self, head: &Words, wq: u32, leaving: &Leaving) {
        let mut moves = Vec::new();
        if let Some(former) = self.formers.get_mut(&wq) {
            // Made before anything moves: empty rows are no harm.
            moves = former.places(&mut self.tables, &mut self.store, wq, leaving);
        }
        head.exclusively(head::RETIRED_SEQ, |_| {
            for (from, to, parts) in moves {
                add(&from.words, &to, parts);
            }
            let rest = leaving.histogram.iter().chain(&leaving.functions);
            for slot in std::iter::once(&leaving.pwq).chain(rest) {
                self.tables.free(slot);
            }
        });
    }

    /// A slot is given back: so is what stands beside it.
    pub(super) fn clear_beside(&mut self, kind: Kind, id: u32) {
        self.lists.clear_all_of(&mut self.tables, kind, id);
        let former = match kind {
            Kind::Workqueue => self.formers.remove(&id),
            _ => None,
        };
        let rows = former.into_iter().flat_map(|former| {
            let of_pwq = former.pwq.into_iter().chain(former.histogram);
            of_pwq.chain(former.functions.into_values())
        });
        for row in rows {
            self.tables.free(&row);
        }
    }
}

impl Former {
    /// For each slot that leaves, where its words go.
    fn places<'a>(
        &mut self,
        tables: &mut Tables,
        store: &mut Store,
        wq: u32,
        leaving: &'a Leaving,
    ) -> Vec<(&'a Taken, Words, Parts)> {
        let pwq = self.pwq.get_or_insert_with(|| {
            let fill = |words: &Words| words.put(pwq::WQ_POOL, pair(wq, 0));
            tables.take(store, Kind::Pwq, None, fill)
        });
        let mut places = vec![(&leaving.pwq, pwq.words.clone(), PWQ)];
        if let Some(from) = &leaving.histogram {
            let id = Some(pwq.id);
            let make = || tables.take(store, Kind::Histogram, id, |_| ());
            let to = self.histogram.get_or_insert_with(make);
            places.push((from, to.words.clone(), HISTOGRAM));
        }
        for from in &leaving.functions {
            let func = (from.words.get(pwq_func::PWQ_FUNC) >> 32) as u32;
            let to = self.functions.entry(func).or_insert_with(|| {
                let fill = |words: &Words| words.put(pwq_func::PWQ_FUNC, pair(pwq.id, func));
                tables.take(store, Kind::PwqFunc, None, fill)
            });
            places.push((from, to.words.clone(), FUNCTION));
        }
        places
    }
}

/// Which words of a slot add up, in up to two stretches, and of which the largest counts.
type Parts = ([Range<usize>; 2], &'static [usize]);

const PWQ: Parts = (
    [pwq::COUNTERS..pwq::COUNTERS + Counter::COUNT, 0..0],
    &[pwq::MAX_FLIGHT],
);
const HISTOGRAM: Parts = (
    [
        histogram::WAIT + 1..histogram::WAIT + DISTRIBUTION,
        histogram::RUN + 1..histogram::RUN + DISTRIBUTION,
    ],
    &[histogram::WAIT, histogram::RUN],
);
const FUNCTION: Parts = (
    [
        pwq_func::QUEUED..pwq_func::RUN_MAX,
        pwq_func::BREAKDOWN..pwq_func::BREAKDOWN + WaitPart::COUNT,
    ],
    &[pwq_func::RUN_MAX],
);

/// Adds what stands in one slot to what stands in another.
fn add(from: &Words, to: &Words, (sums, maxima): Parts) {
    for at in sums.into_iter().flatten() {
        to.bump(at, from.get(at));
    }
    for &at in maxima {
        to.raise(at, from.get(at));
    }
}
