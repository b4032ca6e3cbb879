//! The policy of a pool, as questions of one line. Kernel: "Policy functions" of `kernel/workqueue.c`.

use super::state::{PoolState, WorkerIx};

/// Kernel: `MAX_IDLE_WORKERS_RATIO`.
const MAX_IDLE_WORKERS_RATIO: u32 = 4;

impl<J, W> PoolState<J, W> {
    /// Do items wait while no managed worker runs?
    pub(crate) fn need_more_worker(&self) -> bool {
        !self.worklist.is_empty() && self.nr_running == 0
    }

    /// Can somebody else take over when the one who starts now blocks? In a BH pool nobody has to: items do not block.
    pub(crate) fn may_start_working(&self) -> bool {
        self.spec.bh || !self.idle.is_empty()
    }

    /// Should a worker that has finished an item take another?
    pub(crate) fn keep_working(&self) -> bool {
        !self.worklist.is_empty() && self.nr_running <= 1
    }

    /// Is a worker missing?
    pub(crate) fn need_to_create_worker(&self) -> bool {
        self.need_more_worker() && !self.may_start_working()
    }

    /// Are more workers idle than a pool of this size keeps? A manager counts as idle.
    pub(crate) fn too_many_workers(&self) -> bool {
        let idle = self.idle.len() as u32 + u32::from(self.manager.is_some());
        let busy = self.nr_workers - idle;
        idle > 2 && (idle - 2) * MAX_IDLE_WORKERS_RATIO >= busy
    }

    /// Could an item that runs now turn out to hog its CPU, or, in a BH pool, to sleep?
    pub(crate) fn need_ticking(&self) -> bool {
        self.hog_thresh > 0 && self.nr_running > 0 || self.bh_worker_is_busy()
    }

    /// Could what this worker executes still be found to hog its CPU? Kernel: `wq_worker_tick()`.
    pub(crate) fn may_hog(&self, worker: WorkerIx) -> bool {
        self.hog_thresh > 0 && self.counts(worker) && self.worker(worker).current.is_some()
    }

    /// Is there something that could make no progress?
    pub(crate) fn need_watchdog(&self) -> bool {
        !self.worklist.is_empty()
    }

    /// Would a block inside a running worker go unseen while items wait for it?
    pub(crate) fn need_watching(&self) -> bool {
        self.managed && !self.worklist.is_empty() && self.nr_running > 0
    }

    /// Whom is a canary to wake, should it find that all running workers are blocked? Nobody, if nothing waits behind them,
    /// somebody is on the way already, or there is nobody.
    pub(crate) fn on_call(&self) -> Option<WorkerIx> {
        let idle = self.idle.last().copied();
        idle.filter(|_| self.need_watching() && self.nr_woken == 0 && !self.dying)
    }

    /// Did this worker, which may go anywhere, go idle outside the CPUs where it should start?
    pub(crate) fn is_astray(&self, ix: WorkerIx) -> bool {
        let (home, last) = (self.home.as_ref(), self.worker(ix).last_cpu);
        home.zip(last)
            .is_some_and(|(home, cpu)| !home.contains(cpu))
    }
}
