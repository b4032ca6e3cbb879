//! The rules for what happens to pools in the course of their lives: surplus workers leave, rescuers come when no worker
//! can be created, CPUs leave and come back.

use super::model::{At, Fx, Model, Rescuer, Worker};
use super::workers::Stepped;

/// How long surplus workers idle before they leave.
pub(super) const IDLE_TIMEOUT: u64 = 12;
/// From the manager's start to the first call for help, and from one to the next.
const MAYDAY_FIRST: u64 = 10_000_000;
const MAYDAY_AGAIN: u64 = 100_000_000;
/// Items after which a rescuer looks whether others have called.
const BATCH: usize = 16;

impl Model {
    fn too_many_workers(&self, pool: usize) -> bool {
        let idle = self.pools[pool].idle.len() + usize::from(self.manager(pool).is_some());
        let busy = self.nr_workers(pool) - idle;
        idle > 2 && (idle - 2) * 4 >= busy
    }

    pub(super) fn nr_workers(&self, pool: usize) -> usize {
        let workers = self.pools[pool].workers.iter();
        let stays = |worker: &&Worker| !matches!(worker.at, At::Dying | At::Gone);
        workers.filter(stays).count()
    }

    /// A worker has gone idle.
    pub(super) fn arm_idle_timer(&mut self, pool: usize) {
        if self.pools[pool].idle_due.is_none() && self.too_many_workers(pool) {
            self.pools[pool].idle_due = Some(self.now + IDLE_TIMEOUT);
        }
    }

    /// A manager has failed to create a worker.
    pub(super) fn arm_mayday_timer(&mut self, pool: usize) {
        let due = (self.pools[pool].managing_since + MAYDAY_FIRST).max(self.now);
        self.pools[pool].mayday_due.get_or_insert(due);
    }

    /// Does what is due.
    pub(super) fn timer(&mut self, pool: usize) {
        let mut fx = Vec::new();
        let due = |due: Option<u64>| due.is_some_and(|due| due <= self.now);
        let (mayday, idle) = (
            due(self.pools[pool].mayday_due),
            due(self.pools[pool].idle_due),
        );
        if mayday {
            self.call_rescuers(pool, &mut fx);
        }
        if idle {
            self.cull(pool, &mut fx);
        }
        self.commit(fx);
    }

    fn call_rescuers(&mut self, pool: usize, fx: &mut Vec<Fx>) {
        self.pools[pool].mayday_due = None;
        if self.manager(pool).is_none() {
            return;
        }
        if self.need_more_worker(pool) && self.pools[pool].idle.is_empty() {
            for item in self.pools[pool].worklist.clone() {
                let queued = self.items[item].queued.as_ref();
                self.call(queued.expect("it is queued").pwq, fx);
            }
        }
        self.pools[pool].mayday_due = Some(self.now + MAYDAY_AGAIN);
    }

    fn call(&mut self, pwq: usize, fx: &mut Vec<Fx>) {
        if self.wq_of(pwq).spec.mem_reclaim && !self.pwqs[pwq].mayday {
            self.pwqs[pwq].mayday = true;
            fx.push(Fx::Mayday(pwq));
        }
    }

    /// Who has idled longest leaves first.
    fn cull(&mut self, pool: usize, fx: &mut Vec<Fx>) {
        self.pools[pool].idle_due = None;
        while self.too_many_workers(pool) {
            let oldest = self.pools[pool].idle[0];
            let due = self.pools[pool].workers[oldest].last_active + IDLE_TIMEOUT;
            if self.now < due {
                self.pools[pool].idle_due = Some(due);
                break;
            }
            self.pools[pool].idle.remove(0);
            self.pools[pool].workers[oldest].at = At::Dying;
            fx.push(Fx::Wake(pool, oldest));
        }
        self.kick(pool, fx);
    }

    /// The CPU has left, or is back: its workers count no more, or each from its next cycle on.
    pub(super) fn set_online(&mut self, cpu: usize, online: bool) {
        for pool in 4 * cpu..4 * cpu + 2 {
            if self.pools[pool].managed == online {
                continue;
            }
            self.pools[pool].managed = online;
            let mut fx = Vec::new();
            if online {
                let workers = self.pools[pool].workers.iter_mut();
                workers.for_each(|worker| worker.rebound = true);
            } else {
                self.kick(pool, &mut fx);
            }
            self.commit(fx);
        }
    }

    /// A rescuer that is at no pool looks who has called. Returns the pool to which it comes, and its number there.
    pub(super) fn answer(&mut self, wq: usize) -> Option<(usize, usize)> {
        let pwq = self.wqs[wq].maydays.pop_front()?;
        if self.pwqs[pwq].gone || !std::mem::take(&mut self.pwqs[pwq].mayday) {
            return None;
        }
        let pool = self.pwqs[pwq].pool;
        let rescuer = Some(Rescuer {
            worker: Worker {
                at: At::Working,
                ..Worker::new()
            },
            pwq,
            taken: 0,
        });
        let rescuers = &mut self.pools[pool].rescuers;
        let free = rescuers.iter().position(Option::is_none);
        match free {
            Some(free) => rescuers[free] = rescuer,
            None => rescuers.push(rescuer),
        }
        let index = free.unwrap_or(rescuers.len() - 1);
        Some((pool, Worker::RESCUER + index))
    }

    /// A rescuer that has come, or has finished an item, goes on. `None`: it leaves.
    pub(super) fn rescue(&mut self, wq: usize, pool: usize, me: usize) -> Option<Stepped> {
        let mut fx = Vec::new();
        let others_wait = !self.wqs[wq].maydays.is_empty();
        let index = me - Worker::RESCUER;
        let rescuer = self.pools[pool].rescuers[index].as_ref();
        let &Rescuer { pwq, taken, .. } = rescuer.expect("it is here");
        let active = !self.pwqs[pwq].gone && self.active(pwq) > 0;
        let missing = self.need_more_worker(pool) && self.pools[pool].idle.is_empty();
        let mut again = false;
        let item = if !self.worker(pool, me).scheduled.is_empty() {
            Some(self.worker_mut(pool, me).scheduled.remove(0))
        } else if others_wait && taken > BATCH && active && missing {
            again = !std::mem::replace(&mut self.pwqs[pwq].mayday, true);
            None
        } else if active && (missing || self.manager(pool).is_some() && !others_wait) {
            self.take_of(pool, me, pwq)
        } else {
            None
        };
        let stepped = item.map(|item| self.start(pool, me, item, &mut fx));
        self.commit(fx);
        if stepped.is_none() {
            self.pools[pool].rescuers[index] = None;
            let mut fx = Vec::new();
            self.kick(pool, &mut fx);
            self.commit(fx);
            if again {
                self.wqs[wq].maydays.push_back(pwq);
            }
        }
        stepped
    }

    /// The first item of the pwq on the worklist that nobody here executes already.
    fn take_of(&mut self, pool: usize, me: usize, pwq: usize) -> Option<usize> {
        loop {
            let of = |item: &usize| {
                self.items[*item]
                    .queued
                    .as_ref()
                    .is_some_and(|q| q.pwq == pwq)
            };
            let place = self.pools[pool].worklist.iter().position(of)?;
            let item = self.pools[pool].worklist.remove(place);
            if let Some(other) = self.runner(pool, item) {
                self.worker_mut(pool, other).scheduled.push(item);
                continue;
            }
            self.pools[pool].progress = self.now;
            let rescuer = self.pools[pool].rescuers[me - Worker::RESCUER].as_mut();
            rescuer.expect("it is here").taken += 1;
            return Some(item);
        }
    }
}
