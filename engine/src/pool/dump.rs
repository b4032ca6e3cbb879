//! What a pool is at, for people to read. Kernel: `show_pwq()`, `show_one_worker_pool()`.

use super::list::{ItemIx, List};
use super::pwq::{Pwq, PwqIx};
use super::state::{Informant, PoolState, Role, Worker};
use crate::topology::CpuMask;
use wq_trace::{FuncId, WqId};

/// Where a pool's workers run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) cpus: CpuMask,
    /// The NUMA node of the pool, if it has one.
    pub(crate) node: Option<usize>,
}

/// A pool at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PoolDump {
    pub(crate) number: u32,
    pub(crate) place: Place,
    pub(crate) nice: i32,
    pub(crate) bh: bool,
    /// Kernel flag bits.
    pub(crate) flags: u32,
    /// Seconds without progress, 0 while nothing waits.
    pub(crate) hung: u64,
    pub(crate) nr_workers: u32,
    /// Thread ids.
    pub(crate) manager: Option<u32>,
    /// Thread ids, the most recently idled first.
    pub(crate) idle: Vec<u32>,
    /// Those with active or inactive items.
    pub(crate) pwqs: Vec<PwqDump>,
}

/// One workqueue's share of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PwqDump {
    pub(crate) wq: WqId,
    pub(crate) nr_active: usize,
    pub(crate) refcnt: u32,
    /// It has called for its workqueue's rescuer, which has not come.
    pub(crate) mayday: bool,
    pub(crate) in_flight: Vec<InFlight>,
    /// On the worklist.
    pub(crate) pending: Vec<Queued>,
    pub(crate) inactive: Vec<Queued>,
}

/// An execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InFlight {
    pub(crate) tid: u32,
    /// By a rescuer.
    pub(crate) rescued: bool,
    pub(crate) func: FuncId,
    /// Seconds since it began.
    pub(crate) secs: u64,
    /// The worker itself has said that it sleeps.
    pub(crate) hinted: bool,
    /// Threads that wait for its end.
    pub(crate) waiters: Vec<u32>,
    /// Items that only its worker may execute.
    pub(crate) scheduled: Vec<Queued>,
}

/// A queued item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queued {
    pub(crate) func: FuncId,
    /// Threads that wait for it.
    pub(crate) waiters: Vec<u32>,
}

impl<J, W> PoolState<J, W> {
    /// The pool now. `tid` tells which thread a waiter is.
    pub(crate) fn dump(&self, place: Place, now: u64, tid: impl Fn(&W) -> u32) -> PoolDump {
        let tid_of = |ix| self.worker(ix).tid;
        let pwqs = self.pwqs.iter().enumerate().filter_map(|(index, pwq)| {
            let busy = pwq.as_ref()?;
            let dump = self.dump_pwq(PwqIx(index as u32), busy, now, &tid);
            (busy.nr_active > 0 || !busy.inactive.is_empty()).then_some(dump)
        });
        PoolDump {
            number: self.spec.number,
            place,
            nice: self.spec.nice,
            bh: self.spec.bh,
            flags: self.flags(),
            hung: self.hung_seconds(now),
            nr_workers: self.nr_workers,
            manager: self.manager.map(tid_of),
            idle: self.idle.iter().rev().copied().map(tid_of).collect(),
            pwqs: pwqs.collect(),
        }
    }

    fn dump_pwq(&self, ix: PwqIx, pwq: &Pwq, now: u64, tid: &impl Fn(&W) -> u32) -> PwqDump {
        let of_this = |item: &ItemIx| self.items.get(*item).pwq == ix;
        let workers = self.workers.iter().flatten().map(|worker| (worker, false));
        let rescuers = self.rescuers.iter().flatten().map(|r| (&r.worker, true));
        let workers = workers.chain(rescuers);
        let pending = self.items.iter(&self.worklist).filter(of_this);
        PwqDump {
            wq: pwq.spec.wq,
            nr_active: pwq.nr_active,
            refcnt: pwq.in_flight() + 1,
            mayday: pwq.mayday,
            in_flight: workers
                .filter(|(worker, _)| worker.current.as_ref().is_some_and(|c| c.pwq == ix))
                .filter_map(|(worker, rescuer)| self.dump_worker(worker, rescuer, now, tid))
                .collect(),
            pending: pending.map(|item| self.dump_item(item, tid)).collect(),
            inactive: self.dump_list(&pwq.inactive, tid),
        }
    }

    fn dump_worker(
        &self,
        worker: &Worker<W>,
        rescued: bool,
        now: u64,
        tid: &impl Fn(&W) -> u32,
    ) -> Option<InFlight> {
        debug_assert_eq!(worker.role, Role::Working, "only a working worker executes");
        let current = worker.current.as_ref()?;
        Some(InFlight {
            tid: worker.tid,
            rescued,
            func: current.func,
            secs: now.saturating_sub(current.started_at) / 1_000_000_000,
            hinted: worker.sleeping == Some(Informant::Hint),
            waiters: current.waiters.iter().map(tid).collect(),
            scheduled: self.dump_list(&worker.scheduled, tid),
        })
    }

    fn dump_list(&self, list: &List, tid: &impl Fn(&W) -> u32) -> Vec<Queued> {
        let items = self.items.iter(list);
        items.map(|item| self.dump_item(item, tid)).collect()
    }

    fn dump_item(&self, item: ItemIx, tid: &impl Fn(&W) -> u32) -> Queued {
        let item = self.items.get(item);
        Queued {
            func: item.func,
            waiters: item.waiters.iter().map(tid).collect(),
        }
    }
}
