//! What a canary needs to know of a pool, and what it finds out. Kernel: the scheduler's calls of `wq_worker_sleeping()`.

use super::effect::{Effect, Effects};
use super::state::{Informant, PoolState, WorkerIx};

const BITS: usize = u64::BITS as usize;

/// The workers that count in nr_running, a bit each.
#[derive(Debug, Default)]
pub(super) struct Counted {
    words: Vec<u64>,
    /// Not told to anybody yet.
    changed: bool,
}

impl Counted {
    pub(super) fn insert(&mut self, ix: WorkerIx) {
        let word = ix.index() / BITS;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (ix.index() % BITS);
        self.changed = true;
    }

    pub(super) fn remove(&mut self, ix: WorkerIx) {
        self.words[ix.index() / BITS] &= !(1 << (ix.index() % BITS));
        self.changed = true;
    }

    pub(super) fn clear(&mut self) {
        self.words.fill(0);
        self.changed = true;
    }

    pub(super) fn contains(&self, ix: WorkerIx) -> bool {
        let word = self.words.get(ix.index() / BITS);
        word.is_some_and(|word| word >> (ix.index() % BITS) & 1 == 1)
    }
}

/// A worker that counts, and that somebody who looked found asleep inside its work function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) ix: WorkerIx,
    /// It has slept since then at least.
    pub(crate) since: u64,
}

impl<J, W> PoolState<J, W> {
    /// The workers that count in nr_running, a bit each by index, if that has changed since it was last asked.
    pub(crate) fn take_counted(&mut self) -> Option<&[u64]> {
        std::mem::take(&mut self.counted.changed).then_some(&self.counted.words)
    }

    /// The workers that count and are in an execution: its start, and the OS id of the worker's thread.
    pub(crate) fn running_now(&self) -> impl Iterator<Item = (WorkerIx, u64, u32)> {
        let words = self.counted.words.iter().enumerate();
        let all = words.flat_map(|(at, &word)| bits(word).map(move |bit| at * BITS + bit));
        all.filter_map(|index| {
            let ix = WorkerIx(index as u32);
            let worker = self.worker(ix);
            Some((ix, worker.current.as_ref()?.started_at, worker.tid))
        })
    }

    /// `me`, woken by a canary, brings what that has found. Returns whether a worker was woken for it, be it `me`.
    pub(crate) fn brings(
        &mut self,
        me: WorkerIx,
        found: Found,
        now: u64,
        fx: &mut Effects<W>,
    ) -> bool {
        let woken = self.cm_wakeups;
        let since = found.since.min(now);
        self.sleeping(found.ix, Informant::Look, Some(since), now, fx);
        // It is awake already.
        fx.effects
            .retain(|effect| !matches!(effect, Effect::Wake(ix) if *ix == me));
        self.cm_wakeups > woken
    }
}

/// The places of the bits that are set, ascending.
pub(crate) fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = word.trailing_zeros() as usize;
        (word != 0).then(|| {
            word &= word - 1;
            bit
        })
    })
}
