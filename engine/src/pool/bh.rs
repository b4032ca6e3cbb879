//! BH pools: one worker for each CPU and priority, which takes items in queueing order, one at a time, and gives way
//! before it takes too much. Kernel: `bh_worker()`; there it is a softirq, here a thread of its own.

use super::effect::{Effect, Effects, Report};
use super::state::{PoolState, WorkerIx};

/// Items from the worklist between two times that the worker gives way. Kernel: `BH_WORKER_RESTARTS`.
const ROUNDS: u32 = 10;
/// Nanoseconds after which it takes no further item before it gives way. Kernel: `BH_WORKER_JIFFIES`.
const BUDGET_NS: u64 = 2_000_000;

/// What a BH pool has besides. All `L`.
#[derive(Debug, Default)]
pub(super) struct Bh {
    /// Its worker was asked for.
    asked: bool,
    rounds: u32,
    until: u64,
}

impl Bh {
    /// The worker goes to work.
    pub(super) fn begin(&mut self, now: u64) {
        (self.rounds, self.until) = (0, now + BUDGET_NS);
    }

    /// Whether the worker has had its share.
    fn is_spent(&self, now: u64) -> bool {
        self.rounds >= ROUNDS || self.rounds > 0 && now >= self.until
    }
}

impl<J, W> PoolState<J, W> {
    /// May the worker take one more item from the worklist before it gives way? Always, but in a BH pool.
    pub(super) fn begins_round(&mut self, now: u64) -> bool {
        if !self.spec.bh {
            return true;
        }
        let begins = !self.bh.is_spent(now);
        self.bh.rounds += u32::from(begins);
        begins
    }

    pub(super) fn bh_worker_is_busy(&self) -> bool {
        self.spec.bh && self.nr_workers as usize > self.idle.len()
    }

    /// A BH pool gets its worker when the first item comes: most engines never use one.
    pub(super) fn ask_for_bh_worker(&mut self, fx: &mut Effects<W>) {
        if self.spec.bh && self.nr_workers == 0 && !self.bh.asked {
            self.bh.asked = true;
            fx.push(Effect::CreateWorker);
        }
    }

    /// `me` was noticed to sleep, which items of a BH workqueue must not.
    pub(super) fn bh_slept(&self, me: WorkerIx, fx: &mut Effects<W>) {
        if let Some(current) = self.worker(me).current.as_ref().filter(|_| self.spec.bh) {
            let wq = self.pwq(current.pwq).spec.wq;
            fx.push(Effect::Report(Report::BhSlept(current.func, wq)));
        }
    }
}
