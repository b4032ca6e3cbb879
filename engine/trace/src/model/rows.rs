//! The rows of the model: a workqueue, a pool, a function, each summed over everything that belongs to it.

use super::latency::Latency;
use super::rates::{Flow, Rates};
use crate::ids::{FuncId, WqId};
use crate::snapshot::{PoolRow, kind_of, wq_flags};
use crate::stats::{Breakdown, Counter, WaitPart, WqCounter};

/// A workqueue, summed over its pwqs.
#[derive(Clone, Debug, Default)]
pub struct Workqueue {
    /// Its identity.
    pub id: WqId,
    /// Its name.
    pub name: String,
    /// Kernel flag bits, as [`crate::WorkqueueRow::flags`].
    pub flags: u32,
    /// Whether its workers must stay in their pod.
    pub strict: bool,
    /// The limit: per CPU when bound.
    pub max_active: u32,
    /// How many pwqs it has.
    pub pwqs: u32,
    /// Counters, indexed by [`Counter`].
    pub counters: [u64; Counter::COUNT],
    /// Counters that belong to no pool, indexed by [`WqCounter`].
    pub own: [u64; WqCounter::COUNT],
    /// Items that hold an active slot.
    pub active: u64,
    /// Items on worklists.
    pub pending: u64,
    /// Items on inactive lists.
    pub inactive: u64,
    /// Items executing.
    pub running: u64,
    /// Most items that executed at once in one pool.
    pub max_in_flight: u32,
    /// The waits. Their sum is that of [`Self::breakdown`].
    pub wait: Latency,
    /// The run times.
    pub run: Latency,
    /// Why the started items had waited, in nanoseconds.
    pub breakdown: Breakdown,
    /// How fast it goes.
    pub rates: Rates,
}

impl Workqueue {
    /// How it is served, in the kernel's words: `percpu`, `unbound`, `unbound,S` when strict, `ordered`, `bh`.
    pub fn kind(&self) -> &'static str {
        kind_of(self.flags, self.strict)
    }

    /// Whether it is served by unbound pools.
    pub fn unbound(&self) -> bool {
        self.flags & wq_flags::UNBOUND != 0
    }

    /// Whether it has a rescuer.
    pub fn mem_reclaim(&self) -> bool {
        self.flags & wq_flags::MEM_RECLAIM != 0
    }

    /// One of its counters.
    pub fn counter(&self, counter: Counter) -> u64 {
        self.counters[counter as usize]
    }

    /// Queueing calls that returned false, for whatever reason.
    pub fn refused(&self) -> u64 {
        let own = |c: WqCounter| self.own[c as usize];
        own(WqCounter::RefusedPending).saturating_add(own(WqCounter::RefusedDisabled))
    }

    /// Items that were dropped.
    pub fn dropped(&self) -> u64 {
        self.own[WqCounter::Dropped as usize]
    }

    /// Items that wait: pending or inactive.
    pub fn backlog(&self) -> u64 {
        self.pending.saturating_add(self.inactive)
    }

    /// The part that explains most of the wait, with its nanoseconds.
    pub fn main_reason(&self) -> Option<(WaitPart, u64)> {
        main_reason(&self.breakdown)
    }

    pub(super) fn flow(&self) -> Flow {
        flow(&self.counters)
    }
}

/// A worker pool, with what its pwqs tell of it.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    /// The pool itself.
    pub row: PoolRow,
    /// Counters summed over its pwqs, indexed by [`Counter`].
    pub counters: [u64; Counter::COUNT],
    /// Items that its pwqs hold on inactive lists.
    pub inactive: u64,
    /// Workers that execute an item, sleeping or not.
    pub busy: u32,
    /// Workers that are known to sleep in their item.
    pub sleeping: u32,
    /// Why the started items had waited, in nanoseconds.
    pub breakdown: Breakdown,
    /// How fast it goes.
    pub rates: Rates,
    /// Workers woken per second because another one blocked.
    pub wakeups_per_s: f64,
    /// How long ago it last made progress, in nanoseconds.
    pub progress_ns: u64,
    /// The base name of the worker that creates workers at this moment; empty when none does.
    pub manager: String,
    /// Name of the rescuer that helps it now; empty when none.
    pub rescuer: String,
}

impl Pool {
    /// What it serves: `cpu 0`, `cpu 0 highpri`, `cpu 0 bh`, `cpu 0 bh-hi`, `unbound`.
    pub fn kind(&self) -> String {
        match self.row.cpu {
            Some(cpu) if self.row.is_bh() => format!("cpu {cpu} {}", self.row.bh_word()),
            Some(cpu) if self.row.nice < 0 => format!("cpu {cpu} highpri"),
            Some(cpu) => format!("cpu {cpu}"),
            None => "unbound".to_owned(),
        }
    }

    /// How long the pool has made no progress although items wait, in nanoseconds; else 0. Kernel: `hung`.
    pub fn hung(&self, now: u64) -> u64 {
        if self.row.nr_pending == 0 {
            0
        } else {
            now.saturating_sub(self.row.last_progress)
        }
    }

    /// The part that explains most of the wait, with its nanoseconds.
    pub fn main_reason(&self) -> Option<(WaitPart, u64)> {
        main_reason(&self.breakdown)
    }

    pub(super) fn flow(&self) -> Flow {
        flow(&self.counters)
    }
}

/// A work function, summed over the pwqs that it was queued on.
#[derive(Clone, Debug, Default)]
pub struct Function {
    /// Its identity.
    pub id: FuncId,
    /// Its name.
    pub name: String,
    /// The workqueues that it was queued on, ascending.
    pub workqueues: Vec<WqId>,
    /// Items on worklists.
    pub pending: u64,
    /// Items on inactive lists.
    pub inactive: u64,
    /// Items executing.
    pub running: u64,
    /// Items ever queued.
    pub queued: u64,
    /// Executions ever begun.
    pub started: u64,
    /// Executions ever ended.
    pub completed: u64,
    /// Wall time of the ended executions, in nanoseconds.
    pub run_ns: u64,
    /// CPU time of the ended executions, in nanoseconds.
    pub cpu_ns: u64,
    /// Longest execution, in nanoseconds.
    pub run_max_ns: u64,
    /// Why its started items had waited, in nanoseconds.
    pub breakdown: Breakdown,
    /// Timers armed for items of it.
    pub armed: u32,
    /// When the earliest of them fires; 0 when none is armed.
    pub next_expiry: u64,
    /// How fast it goes.
    pub rates: Rates,
}

impl Function {
    /// Items that wait: pending or inactive.
    pub fn backlog(&self) -> u64 {
        self.pending.saturating_add(self.inactive)
    }

    /// The sum of the waits of its started items, in nanoseconds.
    pub fn wait_ns(&self) -> u64 {
        sum(&self.breakdown)
    }

    /// The part that explains most of the wait, with its nanoseconds.
    pub fn main_reason(&self) -> Option<(WaitPart, u64)> {
        main_reason(&self.breakdown)
    }

    pub(super) fn flow(&self) -> Flow {
        Flow {
            queued: self.queued,
            started: self.started,
            completed: self.completed,
            cpu_ns: self.cpu_ns,
        }
    }
}

/// The whole engine.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Counters summed over all pwqs, indexed by [`Counter`].
    pub counters: [u64; Counter::COUNT],
    /// Items on worklists.
    pub pending: u64,
    /// Items on inactive lists.
    pub inactive: u64,
    /// Items executing.
    pub running: u64,
    /// All workers.
    pub workers: u64,
    /// Idle workers.
    pub idle: u64,
    /// Sum of the pools' nr_running.
    pub nr_running: u64,
    /// All waits.
    pub wait: Latency,
    /// All run times.
    pub run: Latency,
    /// Why the started items had waited, in nanoseconds.
    pub breakdown: Breakdown,
    /// How fast it goes.
    pub rates: Rates,
    /// Events written so far, those that found no ring included.
    pub events: u64,
    /// Events written per second.
    pub events_per_s: f64,
}

impl Totals {
    /// Items that wait: pending or inactive.
    pub fn backlog(&self) -> u64 {
        self.pending.saturating_add(self.inactive)
    }

    pub(super) fn flow(&self) -> Flow {
        flow(&self.counters)
    }
}

/// The largest part of a breakdown; `None` when all are 0.
pub fn main_reason(breakdown: &Breakdown) -> Option<(WaitPart, u64)> {
    let parts = WaitPart::ALL
        .iter()
        .map(|&part| (part, breakdown[part as usize]));
    // Of equal parts the first: `max_by_key` alone would take the last.
    parts
        .rev()
        .max_by_key(|&(_, ns)| ns)
        .filter(|&(_, ns)| ns > 0)
}

/// The wait that the parts add up to, in nanoseconds.
pub fn sum(breakdown: &Breakdown) -> u64 {
    breakdown
        .iter()
        .fold(0, |all, part| all.saturating_add(*part))
}

/// Adds `more` to `to`, element by element.
pub(super) fn add<const N: usize>(to: &mut [u64; N], more: &[u64; N]) {
    for (to, more) in to.iter_mut().zip(more) {
        *to = to.saturating_add(*more);
    }
}

fn flow(counters: &[u64; Counter::COUNT]) -> Flow {
    Flow {
        queued: counters[Counter::Queued as usize],
        started: counters[Counter::Started as usize],
        completed: counters[Counter::Completed as usize],
        cpu_ns: counters[Counter::CpuTime as usize],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::pool_flags;

    #[test]
    fn the_main_reason_is_the_first_of_the_largest() {
        let mut breakdown = Breakdown::default();
        assert_eq!(main_reason(&breakdown), None);
        breakdown[WaitPart::Concurrency as usize] = 5;
        breakdown[WaitPart::NoWorker as usize] = 5;
        breakdown[WaitPart::Unknown as usize] = 1;
        assert_eq!(main_reason(&breakdown), Some((WaitPart::Concurrency, 5)));
        assert_eq!(sum(&breakdown), 11);
    }

    #[test]
    fn a_pool_without_work_is_not_hung() {
        let mut pool = Pool::default();
        pool.row.last_progress = 10;
        assert_eq!(pool.hung(50), 0);
        pool.row.nr_pending = 1;
        assert_eq!(pool.hung(50), 40);
        assert_eq!(pool.hung(5), 0);
    }

    #[test]
    fn pools_say_whom_they_serve() {
        let mut pool = Pool::default();
        assert_eq!(pool.kind(), "unbound");
        pool.row.cpu = Some(3);
        pool.row.number = 14;
        assert_eq!(pool.kind(), "cpu 3");
        pool.row.nice = -20;
        assert_eq!(pool.kind(), "cpu 3 highpri");
        pool.row.flags = pool_flags::BH;
        assert_eq!(pool.kind(), "cpu 3 bh-hi");
        pool.row.nice = 0;
        assert_eq!(pool.kind(), "cpu 3 bh");
    }
}
