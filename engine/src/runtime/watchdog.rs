//! Stalled pools: found when they are due, and told with everything that may explain them.
//! Kernel: `wq_watchdog_timer_fn()`.

use super::{Core, EngineInner};
use crate::os;
use crate::pool::{InFlight, PoolDump};
use crate::sense::thread_state;
use crate::wq::{Names, lockup};

impl EngineInner {
    /// Reports pools that make no progress. Returns when the next may be due; `None` if nothing waits anywhere.
    pub(super) fn look_for_stalls(&self) -> Option<u64> {
        let thresh = self.watchdog_thresh;
        let due = |core: &Core| core.stall_due(thresh);
        let mut stalled = Vec::new();
        for pool in self.pools() {
            if pool.look(due).is_some_and(|due| due <= os::now()) {
                let number = pool.look(|core| core.spec.number);
                let found = pool.transact(self, |core, now, fx| core.stalled(thresh, now, fx));
                stalled.extend(found.map(|seconds| (number, seconds)));
            }
        }
        if !stalled.is_empty() {
            self.tell_stalls(&stalled);
        }
        self.pools().iter().filter_map(|pool| pool.look(due)).min()
    }

    /// Which pools have stalled, for how long, what is busy, and what the busy workers of the stalled pools do. The
    /// kernel prints their stacks; here they belong to the program, and its debugger shows them by their thread ids.
    fn tell_stalls(&self, stalled: &[(u32, u64)]) {
        let pools = self.dumps();
        let dump_of = |number: u32| pools.iter().find(move |pool| pool.number == number);
        for &(number, seconds) in stalled {
            if let Some(pool) = dump_of(number) {
                tracing::error!("{}", lockup(pool, seconds));
            }
        }
        for line in self.show_pools(&pools).lines() {
            tracing::warn!("{line}");
        }
        let waits = self.waits(&pools);
        tracing::warn!("Showing busy workers in stalled worker pools:");
        for pool in stalled.iter().filter_map(|&(number, _)| dump_of(number)) {
            tracing::warn!("pool {}:", pool.number);
            for run in executions(pool) {
                tracing::warn!("  {}", self.worker(run, &waits));
            }
        }
    }

    /// `184: D flush_cache for 39s, waits for workqueue events`: one busy worker.
    fn worker(&self, run: &InFlight, waits: &[(u32, String)]) -> String {
        let state = thread_state(run.tid).unwrap_or('?');
        let (tid, secs) = (run.tid, run.secs);
        let mut text = format!("{tid}: {state} {} for {secs}s", self.function(run.func));
        let wait = waits.iter().find(|(waiter, _)| *waiter == tid);
        match wait {
            Some((_, target)) => text += &format!(", waits for {target}"),
            None if run.hinted => text += ", in blocking()",
            None => {}
        }
        text
    }
}

fn executions(pool: &PoolDump) -> impl Iterator<Item = &InFlight> {
    pool.pwqs.iter().flat_map(|pwq| &pwq.in_flight)
}
