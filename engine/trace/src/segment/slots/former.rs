//! What the released pwqs of a workqueue came to: a row of no pool, so that no total of the workqueue ever shrinks.

use super::{PwqFuncSlot, PwqSlot, Segment, WqSlot};
use crate::ids::{FuncId, PoolId};
use crate::layout::{DISTRIBUTION, head, histogram, pwq, pwq_func};
use crate::segment::words::Words;
use crate::stats::{Counter, WaitPart};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

/// The rows that outlive the pwqs; none before the first release.
#[derive(Debug, Default)]
pub(super) struct Former {
    pwq: Option<PwqSlot>,
    functions: HashMap<FuncId, PwqFuncSlot>,
}

impl WqSlot {
    /// One of its pwqs is released: counters, distributions and what each function did on it are added to what earlier
    /// ones came to, and its slots are free again. Never more than one row, and one for each function, stay.
    ///
    /// The caller gives everything away, so nobody counts in it any more; any thread may call this, under no pool's lock
    /// or under one. While totals move a word of the head is odd, and a reader that sees it so or changed reads all
    /// tables again: it sees each total once. Only a reader that meets releases without end, or a file whose process was
    /// killed in the middle, may show one twice; that counts as [`crate::Snapshot::torn`].
    pub fn retire(&self, pwq: PwqSlot, functions: impl IntoIterator<Item = PwqFuncSlot>) {
        let inner = &self.slot.inner;
        if !inner.process.is_here() {
            return;
        }
        let segment = Segment {
            inner: Arc::clone(inner),
        };
        let mut former = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        let former = &mut *former;
        let to = former
            .pwq
            .get_or_insert_with(|| segment.pwq(self.id(), PoolId::NONE));
        let mut moves = vec![(pwq.slot, to.slot.taken.words.clone(), PWQ)];
        if let Some(from) = pwq.histogram.into_inner() {
            moves.push((from, to.make_histogram().taken.words.clone(), HISTOGRAM));
        }
        for from in functions {
            let func = FuncId((from.slot.taken.words.get(pwq_func::PWQ_FUNC) >> 32) as u32);
            let kept = former.functions.entry(func);
            let to = kept.or_insert_with(|| segment.pwq_func(to.id(), func));
            moves.push((from.slot, to.slot.taken.words.clone(), FUNCTION));
        }
        let books = &mut *inner.books();
        inner.head.exclusively(head::RETIRED_SEQ, |_| {
            for (mut from, to, parts) in moves {
                add(&from.taken.words, &to, parts);
                from.give_back(&mut books.tables);
            }
        });
    }
}

/// Which words of a slot add up, in up to two stretches, and of which the largest counts.
type Parts = ([std::ops::Range<usize>; 2], &'static [usize]);

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
