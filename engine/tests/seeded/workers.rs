//! Workers: who runs, who idles, and that no CPU idles while items wait.

use super::judge::{At, Does, Judge, Worker};
use std::collections::BTreeMap;
use wq_engine::WqFlags;
use wq_trace::{Event, PoolId, What};

impl Judge<'_> {
    pub fn worker(&mut self, event: &Event) {
        match event.what {
            What::WorkerCreate { nr_workers } => {
                let worker = Worker {
                    pool: event.pool,
                    does: Does::Idle,
                    cpu: event.cpu,
                    sleeps: false,
                    intensive: false,
                    unbound: false,
                };
                self.workers.insert(event.worker, worker);
                let all = self.of_pool(event.pool).count();
                self.hold(all == nr_workers as usize, || {
                    format!("{all} workers: {event:?}")
                });
            }
            What::WorkerDestroy { .. } => {
                self.workers.remove(&event.worker);
                self.by_tid.retain(|_, worker| *worker != event.worker);
            }
            What::WorkerIdle { nr_idle } => {
                self.by_tid.insert(event.tid, event.worker);
                self.does(event, Does::Idle);
                let idle = self.of_pool(event.pool);
                let idle = idle.filter(|w| matches!(w.does, Does::Idle | Does::Woken));
                let idle = idle.count();
                self.hold(idle == nr_idle as usize, || {
                    format!("{idle} idle workers: {event:?}")
                });
            }
            What::WorkerWake { .. } => {
                let idle = self.workers.get(&event.worker).map(|w| w.does) == Some(Does::Idle);
                self.hold(idle, || format!("not idle: {event:?}"));
                self.does(event, Does::Woken);
            }
            What::ManagerStart => self.does(event, Does::Manages),
            What::WorkerSleep { nr_running } => self.sleeps(event, true, nr_running),
            What::WorkerResume { nr_running } => self.sleeps(event, false, nr_running),
            What::CpuIntensive { cpu_us } => {
                let counts = self.workers.get(&event.worker).is_some_and(|w| {
                    matches!(w.does, Does::Executes(_)) && !w.sleeps && !w.intensive
                });
                let thresh = self.facts.hog_thresh.as_micros() as u64;
                let hog = counts && thresh > 0 && cpu_us >= thresh;
                let managed = self.facts.is_managed(event.pool);
                self.hold(hog && managed, || format!("no hog: {event:?}"));
                if let Some(worker) = self.workers.get_mut(&event.worker) {
                    worker.intensive = true;
                }
            }
            _ => {}
        }
    }

    fn of_pool(&self, pool: PoolId) -> impl Iterator<Item = &Worker> {
        let all = self.workers.iter();
        let all = all.filter(|(id, _)| !self.facts.rescuers.contains(id));
        all.map(|(_, worker)| worker)
            .filter(move |w| w.pool == pool)
    }

    fn does(&mut self, event: &Event, does: Does) {
        let away = self.is_away(event.pool);
        let Some(worker) = self.workers.get_mut(&event.worker) else {
            return self.fault(format!("no such worker: {event:?}"));
        };
        worker.does = does;
        if does == Does::Idle {
            worker.unbound = away;
        }
    }

    /// An execution begins.
    pub fn begins(&mut self, event: &Event, index: usize) {
        let intensive = self.facts.has(event.wq, WqFlags::CPU_INTENSIVE)
            && !self.facts.has(event.wq, WqFlags::UNBOUND);
        let rescuer = self.facts.rescuers.contains(&event.worker);
        self.by_tid.insert(event.tid, event.worker);
        let new = Worker {
            pool: event.pool,
            does: Does::Woken,
            cpu: event.cpu,
            sleeps: false,
            intensive: false,
            unbound: false,
        };
        if rescuer {
            self.workers.insert(event.worker, new);
        }
        let away = self.is_away(event.pool);
        let Some(worker) = self.workers.get_mut(&event.worker) else {
            return self.fault(format!("no such worker: {event:?}"));
        };
        let was = worker.does;
        worker.does = Does::Executes(index);
        worker.intensive = intensive;
        worker.cpu = event.cpu;
        worker.unbound |= away;
        self.hold(!matches!(was, Does::Executes(_)), || {
            format!("busy with {was:?}: {event:?}")
        });
    }

    fn is_away(&self, pool: PoolId) -> bool {
        let cpu = self.facts.pools[&pool].cpu;
        cpu.is_some_and(|cpu| self.away.contains(&cpu) || self.moving == Some(cpu))
    }

    /// Managed workers of the pool that execute and are not asleep.
    fn nr_running(&self, pool: PoolId) -> usize {
        if !self.facts.is_managed(pool) || self.is_away(pool) {
            return 0;
        }
        let works = |w: &&Worker| matches!(w.does, Does::Executes(_) | Does::Returned(_));
        let counts = |w: &&Worker| !w.sleeps && !w.intensive && !w.unbound;
        self.of_pool(pool).filter(works).filter(counts).count()
    }

    fn sleeps(&mut self, event: &Event, sleeps: bool, told: u32) {
        let Some(worker) = self.workers.get_mut(&event.worker) else {
            return self.fault(format!("no such worker: {event:?}"));
        };
        let was = std::mem::replace(&mut worker.sleeps, sleeps);
        worker.cpu = event.cpu;
        let does = worker.does;
        let ok = was != sleeps && matches!(does, Does::Executes(_));
        self.hold(ok, || format!("{does:?}, sleeps {was}: {event:?}"));
        let cpu = self.facts.pools[&event.pool].cpu;
        if self.moving.is_some() && self.moving == cpu {
            return;
        }
        let counted = self.nr_running(event.pool);
        self.hold(counted == told as usize, || {
            format!("{counted} run: {event:?}")
        });
    }

    /// Time goes on: whatever could go on has done so.
    pub fn instant_is_over(&mut self) {
        self.room_is_used();
        let mut waiting: BTreeMap<PoolId, u64> = BTreeMap::new();
        for instance in self.live.iter().map(|&i| &self.instances[i]) {
            // One that is behind itself may be on its runner's own list.
            let takes = !self.running.contains_key(&instance.work) && !instance.behind_itself;
            if matches!(instance.at, At::Active(_)) && takes {
                waiting.insert(instance.pool, instance.work);
            }
            if instance.at == At::New {
                let text = format!("neither active nor held: {instance:?}");
                self.faults.push(text);
            }
        }
        for (pool, work) in waiting {
            self.is_served(pool, work);
        }
    }

    /// Items wait in this pool: somebody of it runs, or is on the way and its CPU is taken, or there is nobody to wake.
    fn is_served(&mut self, pool: PoolId, work: u64) {
        if self.nr_running(pool) > 0 || self.facts.hotplug {
            return;
        }
        let of_pool = |does: fn(Does) -> bool| self.of_pool(pool).any(|w| does(w.does));
        let idle = of_pool(|does| does == Does::Idle);
        let woken = of_pool(|does| does == Does::Woken);
        let manages = of_pool(|does| does == Does::Manages);
        let facts = &self.facts.pools[&pool];
        let one_only = facts.bh;
        self.hold(woken || !idle, || {
            format!("item {work} waits in {pool:?}, nobody runs and nobody is woken")
        });
        let somebody = idle || woken || manages || one_only || self.facts.creation_fails;
        self.hold(somebody, || {
            format!("item {work} waits in {pool:?} and there is nobody to wake")
        });
        let cpus = facts.cpu.map_or(0..self.facts.cpus, |cpu| cpu..cpu + 1);
        let taken = |cpu: u16| {
            self.workers.values().any(|w| {
                let runs = matches!(w.does, Does::Executes(_) | Does::Returned(_)) && !w.sleeps;
                runs && w.cpu == cpu
            })
        };
        // A woken worker keeps to the CPU that it was sent to; a free one is proof only if it could go to no other.
        let free = cpus.clone().all(|cpu| !taken(cpu));
        self.hold(!(woken && free), || {
            format!("item {work} waits in {pool:?} while {cpus:?} idle")
        });
    }
}
