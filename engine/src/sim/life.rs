//! What happens to pools in the course of their lives: creation that fails, rescuers, idle workers that leave, CPUs
//! that leave and come back.

use super::cpus::ThreadIx;
use super::machine::{Core, Kind, Machine, Next};
use crate::pool::{Rescue, WorkerIx};
use crate::wq::{Maydays, PwqAddr};
use wq_trace::{WorkerSlot, WqId, WqSlot};

/// Nice level of rescuers. Kernel: `RESCUER_NICE_LEVEL`.
const RESCUER_NICE: i32 = -20;
/// While nothing else is left to happen, managers that fail to create workers go on for this long, in nanoseconds: by
/// then every rescuer has been called. After that it is a standstill.
const PATIENCE: u64 = 2_000_000_000;

/// A workqueue's rescuer.
pub(super) struct SimRescuer {
    pub(super) thread: ThreadIx,
    /// Its row, while it is at no pool.
    slot: Option<WorkerSlot>,
    /// Whom it helps, or has helped last.
    at: Option<PwqAddr>,
    maydays: Maydays<(usize, PwqAddr)>,
}

impl Machine<'_> {
    /// The rescuer of the workqueue that is added next.
    pub(super) fn add_rescuer(&mut self, name: &str, row: &WqSlot) -> SimRescuer {
        let name = format!("kworker/R-{name}");
        let slot = self.segment.rescuer(row.id(), &name, self.now);
        row.set_rescuer(slot.id());
        let kind = Kind::Rescuer(self.wqs.len());
        let thread = self.add_thread(name, RESCUER_NICE, 0, kind);
        slot.set_tid(self.threads[thread.0].tid);
        SimRescuer {
            thread,
            slot: Some(slot),
            at: None,
            maydays: Maydays::default(),
        }
    }

    /// A pwq calls for help.
    pub(super) fn mayday(&mut self, pool: usize, id: WqId, pwq: PwqAddr) {
        let wq = self.wqs.iter_mut().find(|wq| wq.slot.id() == id);
        let Some(rescuer) = wq.and_then(|wq| wq.rescuer.as_mut()) else {
            return;
        };
        if rescuer.maydays.send((pool, pwq)) {
            let thread = rescuer.thread;
            self.wake(thread);
        }
    }

    fn rescuer_of(&mut self, wq: usize) -> &mut SimRescuer {
        let rescuer = self.wqs[wq].rescuer.as_mut();
        rescuer.expect("a rescuer's workqueue has one")
    }

    /// A rescuer that is at no pool has the CPU. Returns whether it keeps it.
    pub(super) fn answer(&mut self, thread: ThreadIx, wq: usize) -> bool {
        let cpu = self.threads[thread.0].cpu;
        let Some((pool, pwq)) = self.rescuer_of(wq).maydays.next() else {
            self.cpus.leave(cpu);
            return false;
        };
        self.rescuer_of(wq).at = Some(pwq);
        let slot = self.rescuer_of(wq).slot.take();
        let slot = slot.expect("its row is here while it is at no pool");
        let tid = self.threads[thread.0].tid;
        let attached = self.transact(thread, pool, |core, now, fx| {
            let me = core.attach_rescuer(pwq, slot, now, fx)?;
            core.set_tid(me, tid);
            Ok(me)
        });
        match attached {
            Err(slot) => {
                self.rescuer_of(wq).slot = Some(slot);
                self.answer(thread, wq)
            }
            Ok(ix) => {
                self.threads[thread.0].kind = Kind::Worker {
                    pool,
                    ix,
                    next: Next::Step,
                    frame: None,
                };
                let stays = self.cpus.may_use(&self.pools[pool].cpus, cpu);
                if !stays {
                    self.cpus.leave(cpu);
                    self.wake(thread);
                }
                stays
            }
        }
    }

    /// One step of a rescuer at a pool.
    pub(super) fn rescue(&mut self, thread: ThreadIx, pool: usize, ix: WorkerIx) {
        let mut wqs = self.wqs.iter();
        let wq = wqs.position(|wq| wq.rescuer.as_ref().is_some_and(|r| r.thread == thread));
        let wq = wq.expect("a rescuer has a workqueue");
        let others_wait = self.rescuer_of(wq).maydays.others_wait();
        let next = self.transact(thread, pool, |core, now, fx| {
            core.rescue(ix, others_wait, now, fx)
        });
        match next {
            Rescue::Run(start) => self.begin(thread, pool, &start),
            Rescue::Leave { again } => {
                let slot = self.transact(thread, pool, |core, now, fx| {
                    core.detach_rescuer(ix, now, fx)
                });
                self.threads[thread.0].kind = Kind::Rescuer(wq);
                let rescuer = self.rescuer_of(wq);
                rescuer.slot = Some(slot);
                if let Some(pwq) = rescuer.at.filter(|_| again) {
                    rescuer.maydays.send((pool, pwq));
                }
            }
        }
    }

    /// The manager could not create a worker: it waits until then.
    pub(super) fn cools_down(&mut self, thread: ThreadIx, pool: usize, until: u64) {
        if let Kind::Worker { next, .. } = &mut self.threads[thread.0].kind {
            *next = Next::Retry;
        }
        self.threads[thread.0].blocked = true;
        self.pools[pool].retry = Some((until, thread));
        self.cpus.leave(self.threads[thread.0].cpu);
    }

    /// Phase 1, after the alarms: timers of the pools and managers' pauses that end, by pool.
    pub(super) fn pool_timers_ring(&mut self) -> bool {
        let now = self.now;
        let is_due = |due: Option<u64>| due.is_some_and(|due| due <= now);
        let mut any = false;
        for pool in 0..self.pools.len() {
            let core = &self.pools[pool].core;
            if is_due(core.mayday_due()) || is_due(core.idle_due()) {
                any = true;
                self.threads[self.timer.0].cpu = self.pools[pool].cpus[0];
                self.transact(self.timer, pool, Core::timer);
            }
            if let Some((_, thread)) = self.pools[pool].retry.take_if(|(at, _)| *at <= now) {
                any = true;
                self.wake(thread);
            }
        }
        any
    }

    /// The next instant at which something happens. Timers of pools alone make nothing happen, except that rescuers
    /// are called.
    pub(super) fn next_instant(&mut self) -> Option<u64> {
        let alarm = self.alarms.first_key_value().map(|((due, _), _)| *due);
        let busy = [alarm, self.next_arrival(), self.cpus.next_end()];
        let busy = busy.into_iter().flatten().min();
        let creating = |pool: &super::machine::SimPool| {
            let retry = pool.retry.map(|(at, _)| at);
            retry.into_iter().chain(pool.core.mayday_due()).min()
        };
        let creating = self.pools.iter().filter_map(creating).min();
        let idle = self
            .pools
            .iter()
            .filter_map(|pool| pool.core.idle_due())
            .min();
        self.quiet_since = match busy {
            Some(_) => None,
            None => self.quiet_since.or(Some(self.now)),
        };
        let patient = |due: &u64| {
            let since = self.quiet_since;
            since.is_none_or(|since| *due <= since.saturating_add(PATIENCE))
        };
        let next = busy.into_iter().chain(creating.filter(patient)).min()?;
        Some(idle.map_or(next, |idle| idle.min(next)))
    }

    /// From now on workers can be created, or not.
    pub(super) fn fail_create(&mut self, fails: bool) {
        self.creation_fails = fails;
        if !fails {
            for pool in &mut self.pools {
                if let Some((at, _)) = &mut pool.retry {
                    *at = self.now;
                }
            }
        }
    }

    /// Kernel: `workqueue_offline_cpu()`. The last CPU stays.
    pub(super) fn cpu_down(&mut self, actor: ThreadIx, cpu: usize) {
        if !self.cpus.take_away(cpu) {
            return;
        }
        for pool in self.pools_of(cpu) {
            self.transact(actor, pool, Core::disassociate);
        }
        for (thread, left) in self.cpus.evict(cpu, self.now) {
            self.moves(thread, left);
        }
        self.relink_all(actor);
    }

    /// Kernel: `workqueue_online_cpu()`.
    pub(super) fn cpu_up(&mut self, actor: ThreadIx, cpu: usize) {
        if !self.cpus.give_back(cpu) {
            return;
        }
        for pool in self.pools_of(cpu) {
            self.transact(actor, pool, |core, now, _| core.rebind(now));
            for thread in self.pools[pool].threads.clone() {
                if let Some(left) = self.cpus.pull(thread, self.now) {
                    self.moves(thread, left);
                }
            }
        }
        self.relink_all(actor);
    }

    /// Unbound workqueues get the pods that there are now.
    fn relink_all(&mut self, actor: ThreadIx) {
        for wq in 0..self.wqs.len() {
            if self.wqs[wq].nodes.is_some() {
                self.actor = actor;
                let attrs = self.wqs[wq].attrs.clone();
                self.relink(wq, &attrs);
            }
        }
    }

    fn pools_of(&self, cpu: usize) -> Vec<usize> {
        let home = |pool: &usize| self.pools[*pool].core.spec.cpu == Some(cpu as u16);
        (0..self.pools.len()).filter(home).collect()
    }

    /// The thread, which was runnable, goes on elsewhere, with so much of its burn left.
    fn moves(&mut self, thread: ThreadIx, left: u64) {
        if matches!(
            self.threads[thread.0].kind,
            Kind::Worker { frame: Some(_), .. }
        ) {
            self.burn_is_over(thread);
        }
        self.threads[thread.0].owes += left;
        self.wake(thread);
    }
}
