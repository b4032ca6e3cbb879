//! The rules for workers: whom to wake, who works, who idles, who is known to sleep.

use super::model::{At, Fx, Key, Model, Noticed, Pool, Run, Worker};
use wq_trace::WaitPart;

/// What a step comes to.
#[derive(Debug, PartialEq)]
pub(super) enum Stepped {
    Park,
    Create,
    Cooldown,
    Run { item: usize, queued_at: u64 },
    Yield,
    Die,
}

impl Model {
    /// Wakes the most recently idled worker if one is needed.
    pub(super) fn kick(&mut self, pool: usize, fx: &mut Vec<Fx>) {
        if !self.need_more_worker(pool) {
            return;
        }
        let Pool { idle, workers, .. } = &self.pools[pool];
        if self.pools[pool].bh && workers.is_empty() {
            if !std::mem::replace(&mut self.pools[pool].asked, true) {
                fx.push(Fx::CreateWorker(pool));
            }
            return;
        }
        if let Some(&head) = idle.last()
            && workers[head].at == (At::Idle { woken: false })
        {
            if self.is_astray(pool, head) {
                self.pools[pool].workers[head].idled_on = None;
                fx.push(Fx::PullBack(pool, head));
            }
            self.pools[pool].workers[head].at = At::Idle { woken: true };
            fx.push(Fx::Wake(pool, head));
        }
    }

    pub(super) fn create(&mut self, pool: usize) {
        let Pool { idle, workers, .. } = &mut self.pools[pool];
        let free = workers.iter().position(|w| w.at == At::Gone);
        match free {
            Some(free) => workers[free] = Worker::new(),
            None => workers.push(Worker::new()),
        }
        let me = free.unwrap_or(workers.len() - 1);
        workers[me].last_active = self.now;
        idle.push(me);
        self.arm_idle_timer(pool);
        if self.pools[pool].bh {
            // Nobody else could take what waits already.
            let mut fx = Vec::new();
            self.kick(pool, &mut fx);
            self.commit(fx);
        }
    }

    /// The manager has created a worker, or needs none any more.
    pub(super) fn manage_end(&mut self, pool: usize, me: usize) {
        let manager = &mut self.pools[pool].workers[me];
        (manager.at, manager.pauses) = (At::Preparing, false);
        self.pools[pool].mayday_due = None;
    }

    /// The manager has failed to create a worker, or its pause after that is over; it goes on while one is missing.
    pub(super) fn manage_on(&mut self, pool: usize, me: usize, failed: bool) -> Stepped {
        let missing = self.need_more_worker(pool) && self.pools[pool].idle.is_empty();
        if missing && !self.pools[pool].dying {
            self.pools[pool].workers[me].pauses = failed;
            if failed {
                self.arm_mayday_timer(pool);
            }
            return if failed {
                Stepped::Cooldown
            } else {
                Stepped::Create
            };
        }
        self.manage_end(pool, me);
        let mut fx = Vec::new();
        let stepped = self.next(pool, me, &mut fx);
        self.commit(fx);
        stepped
    }

    /// A worker outside of a work function goes on. Who was not woken stays where it is.
    pub(super) fn step(&mut self, pool: usize, me: usize, cpu: usize) -> Stepped {
        let mut fx = Vec::new();
        let stepped = self.next(pool, me, &mut fx);
        // Workers of strict pools never leave the pod, nor do they where all CPUs are in it.
        let strays = |key: Key| !key.strict && key.allowed & !key.pod != 0;
        if stepped == Stepped::Park && self.pools[pool].key.is_some_and(strays) {
            self.pools[pool].workers[me].idled_on = Some(cpu);
        }
        self.commit(fx);
        stepped
    }

    fn next(&mut self, pool: usize, me: usize, fx: &mut Vec<Fx>) -> Stepped {
        let at = self.pools[pool].workers[me].at;
        if at == (At::Idle { woken: false }) && !self.pools[pool].dying {
            return Stepped::Park;
        }
        self.pools[pool].idle.retain(|&w| w != me);
        if at != At::Working {
            if self.pools[pool].dying || at == At::Dying {
                self.pools[pool].workers[me].at = At::Gone;
                return Stepped::Die;
            }
            if !self.need_more_worker(pool) {
                return self.park(pool, me);
            }
            let nobody = self.pools[pool].idle.is_empty() && !self.pools[pool].bh;
            if nobody && self.manager(pool).is_none() {
                self.pools[pool].workers[me].at = At::Managing;
                self.pools[pool].managing_since = self.now;
                return Stepped::Create;
            }
            let worker = &mut self.pools[pool].workers[me];
            worker.at = At::Working;
            worker.rebound = false;
            (worker.rounds, worker.woken_at) = (0, self.now);
        }
        self.work(pool, me, fx)
    }

    fn work(&mut self, pool: usize, me: usize, fx: &mut Vec<Fx>) -> Stepped {
        if !self.pools[pool].workers[me].scheduled.is_empty() {
            let item = self.pools[pool].workers[me].scheduled.remove(0);
            return self.start(pool, me, item, fx);
        }
        while !self.pools[pool].worklist.is_empty()
            && self.nr_running(pool) <= 1
            && !self.gives_way(pool, me)
        {
            self.pools[pool].workers[me].rounds += 1;
            let item = self.pools[pool].worklist.remove(0);
            match self.runner(pool, item) {
                Some(other) => self.worker_mut(pool, other).scheduled.push(item),
                None => {
                    self.pools[pool].progress = self.now;
                    return self.start(pool, me, item, fx);
                }
            }
        }
        if self.pools[pool].dying {
            self.pools[pool].workers[me].at = At::Gone;
            return Stepped::Die;
        }
        let parked = self.park(pool, me);
        let woken = fx.len();
        if self.pools[pool].bh {
            self.kick(pool, fx);
        }
        if fx.len() > woken {
            return Stepped::Yield;
        }
        parked
    }

    /// A BH worker takes ten items, or works for 2 ms, before it lets others have the CPU; but one item at least.
    fn gives_way(&self, pool: usize, me: usize) -> bool {
        let worker = &self.pools[pool].workers[me];
        let late = worker.rounds > 0 && self.now >= worker.woken_at + 2_000_000;
        self.pools[pool].bh && (worker.rounds >= 10 || late)
    }

    fn park(&mut self, pool: usize, me: usize) -> Stepped {
        let worker = &mut self.pools[pool].workers[me];
        (worker.at, worker.last_active) = (At::Idle { woken: false }, self.now);
        self.pools[pool].idle.push(me);
        self.arm_idle_timer(pool);
        Stepped::Park
    }

    pub(super) fn start(
        &mut self,
        pool: usize,
        me: usize,
        item: usize,
        fx: &mut Vec<Fx>,
    ) -> Stepped {
        let state = &mut self.items[item];
        let queued = state.queued.take().expect("a queued item");
        // From now on it can be queued again.
        state.pending = false;
        state.starts += 1;
        let seen = self.seen.entry((queued.pwq, item)).or_default();
        seen.started += 1;
        for (sum, part) in seen.waits.iter_mut().zip(queued.parts) {
            *sum += part;
        }
        let nth = state.queueings;
        self.worker_mut(pool, me).run = Some(Run {
            item,
            pwq: queued.pwq,
            hog: false,
            nth,
            seq: queued.seq,
            waiters: queued.waiters,
        });
        self.kick(pool, fx);
        Stepped::Run {
            item,
            queued_at: queued.at,
        }
    }

    /// The work function has returned.
    pub(super) fn complete(&mut self, pool: usize, me: usize) {
        let worker = self.worker_mut(pool, me);
        worker.noticed = None;
        let run = worker.run.take().expect("it executes");
        self.items[run.item].returns += 1;
        let seen = self.seen.entry((run.pwq, run.item)).or_default();
        seen.completed += 1;
        let mut fx: Vec<Fx> = run.waiters.into_iter().map(Fx::Complete).collect();
        self.over(run.pwq, (run.item, run.nth), true, &mut fx);
        self.commit(fx);
    }

    /// `by` notices that `me` sleeps.
    pub(super) fn sleeps(&mut self, pool: usize, me: usize, by: Noticed) {
        let counted = self.counted(pool, me);
        let known = self.worker_mut(pool, me).noticed.replace(by);
        let mut fx = Vec::new();
        if self.pools[pool].bh && known.is_none() {
            let run = self.worker(pool, me).run.as_ref();
            fx.extend(run.map(|run| Fx::BhSlept(run.item)));
        }
        if counted {
            if self.nr_running(pool) == 0 {
                self.on_pool(pool).for_each(|queued| {
                    let sensed = std::mem::take(&mut queued.suspect);
                    queued.parts[WaitPart::Concurrency as usize] -= sensed;
                    queued.parts[WaitPart::Sensing as usize] += sensed;
                });
            }
            self.kick(pool, &mut fx);
        }
        self.commit(fx);
    }

    /// What `me` executes is found to have used its CPU for long.
    pub(super) fn hogs(&mut self, pool: usize, me: usize) {
        if !self.counted(pool, me) {
            return;
        }
        let run = self.worker_mut(pool, me).run.as_mut();
        let run = run.expect("it executes");
        run.hog = true;
        let mut fx = vec![Fx::Hog(run.item)];
        self.kick(pool, &mut fx);
        self.commit(fx);
    }
}
