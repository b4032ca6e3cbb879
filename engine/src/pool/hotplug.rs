//! A per-CPU pool whose CPU leaves or comes back. Kernel: `unbind_workers()`, `rebind_workers()`.

use super::effect::Effects;
use super::state::PoolState;
use wq_trace::Wake;

impl<J, W> PoolState<J, W> {
    /// The pool's CPU has left: its workers count no more, and its items run wherever its workers may.
    /// Kernel: `POOL_DISASSOCIATED`, `WORKER_UNBOUND`.
    pub(crate) fn disassociate(&mut self, now: u64, fx: &mut Effects<W>) {
        if self.managed {
            self.managed = false;
            self.nr_running = 0;
            self.counted.clear();
            self.kick(Wake::Chain, now, fx);
            self.settle(now);
        }
    }

    /// The pool's CPU is back: each worker counts again from its next cycle on. Kernel: `WORKER_REBOUND`.
    pub(crate) fn rebind(&mut self, now: u64) {
        if self.managed || self.spec.cpu.is_none() || self.spec.bh {
            return;
        }
        self.managed = true;
        for worker in self.workers.iter_mut().flatten() {
            worker.rebound = true;
        }
        self.settle(now);
    }

    /// OS ids of the threads that work for the pool now, rescuers included.
    pub(crate) fn tids(&self) -> Vec<u32> {
        let workers = self.workers.iter().flatten();
        let rescuers = self.rescuers.iter().flatten().map(|r| &r.worker);
        let tids = workers.chain(rescuers).map(|worker| worker.tid);
        tids.filter(|&tid| tid != 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::lives::{Life, Went};

    #[test]
    fn s4_9_a_pool_whose_cpu_left_runs_items_side_by_side() {
        let mut life = Life::bound(3);
        life.queue(3);
        assert_eq!(life.woken(), [2]);
        assert_eq!(life.step(2), Went::Run);
        assert_eq!(life.pool.nr_running, 1);
        assert_eq!(life.woken(), [0_usize; 0], "one runs, which is enough");
        life.disassociate();
        assert_eq!(life.pool.nr_running, 0);
        assert_eq!(life.woken(), [1], "kicked");
        assert_eq!(life.step(1), Went::Run);
        assert_eq!(life.woken(), [0], "each that starts wakes the next");
    }

    #[test]
    fn s4_9_after_the_cpu_is_back_a_worker_counts_from_its_next_cycle_on() {
        let mut life = Life::bound(3);
        life.queue(2);
        assert_eq!(life.step(2), Went::Run);
        life.disassociate();
        life.pool.rebind(life.now);
        assert_eq!(life.pool.nr_running, 0, "rebound");
        assert_eq!(life.finish(2), Went::Run, "it keeps working uncounted");
        assert_eq!(life.pool.nr_running, 0);
        assert_eq!(life.finish(2), Went::Park);
        life.queue(1);
        assert_eq!(life.step(2), Went::Run);
        assert_eq!(life.pool.nr_running, 1, "managed again");
    }

    #[test]
    fn s4_9_an_unbound_pool_has_no_cpu_to_come_back_to() {
        let mut life = Life::unbound(1);
        life.pool.rebind(0);
        assert!(!life.pool.managed);
    }
}
