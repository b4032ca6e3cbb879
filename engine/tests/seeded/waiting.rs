//! What a wait promises, told by the marks around it: also when there was nothing to wait for.

use super::facts::Probe;
use super::judge::{At, Does, Instance, Judge};

/// What was there when the wait began.
#[derive(Debug)]
pub struct Seen {
    instances: Vec<usize>,
    timers: Vec<u64>,
}

impl Judge<'_> {
    /// An item was queued: perhaps a mark.
    pub fn mark(&mut self, work: u64) {
        let Some(&(probe, begins)) = self.facts.marks.get(&work) else {
            return;
        };
        if begins {
            self.wait_begins(probe);
        } else {
            self.wait_is_over(probe);
        }
    }

    fn wait_begins(&mut self, probe: usize) {
        let what = &self.facts.probes[probe];
        let live = self.live.iter().copied();
        let awaited = |&index: &usize| {
            let instance = &self.instances[index];
            match what {
                Probe::Flush(works) | Probe::CancelSync(works) => works.contains(&instance.work),
                Probe::FlushWq(wq) | Probe::Drain(wq) => instance.wq == *wq,
                Probe::CpuDown(_) | Probe::CpuUp(_) => false,
            }
        };
        let instances = live.filter(awaited).collect();
        let timers = match what {
            Probe::Flush(works) | Probe::CancelSync(works) => {
                let armed = works.iter().filter_map(|work| self.timers.get(work));
                armed.map(|(serial, _)| *serial).collect()
            }
            _ => Vec::new(),
        };
        if let Probe::CpuDown(cpu) | Probe::CpuUp(cpu) = what {
            self.moving = Some(*cpu);
        }
        self.probes.insert(probe, Seen { instances, timers });
    }

    fn wait_is_over(&mut self, probe: usize) {
        let what = self.facts.probes[probe].clone();
        let Some(seen) = self.probes.remove(&probe) else {
            return self.fault(format!("{what:?} ends and did not begin"));
        };
        let mut left = seen.instances.iter().map(|&i| &self.instances[i]);
        let left = left.find(|i| !i.is_over() && !self.is_excused(&what, i));
        let left = left.cloned();
        self.hold(left.is_none(), || {
            format!("after {what:?} there is still {left:?}")
        });
        for timer in seen.timers {
            let armed = self.timers.values().any(|(serial, _)| *serial == timer);
            let mut live = self.live.iter().map(|&i| &self.instances[i]);
            let runs = live.any(|i| i.timer == Some(timer) && !i.is_over());
            self.hold(!armed && !runs, || {
                format!("after {what:?} timer {timer} is not over")
            });
        }
        match &what {
            Probe::Drain(wq) => {
                let mut live = self.live.iter().map(|&i| &self.instances[i]);
                let left = live.find(|i| i.wq == *wq && !i.is_over()).cloned();
                self.hold(left.is_none(), || {
                    format!("drained with {left:?} left on it")
                });
            }
            Probe::CancelSync(works) if works.len() == 1 && !self.facts.unbalanced => {
                let work = &works[0];
                let pending = self.queued.contains_key(work) || self.timers.contains_key(work);
                let runs = self.running.get(work);
                let runs = runs.is_some_and(|&run| !self.instances[run].is_over());
                self.hold(!pending && !runs, || {
                    format!("{what:?} returns, and it is pending ({pending}) or runs ({runs})")
                });
            }
            Probe::CpuDown(cpu) => self.cpu_left(*cpu),
            Probe::CpuUp(cpu) => self.cpu_came(*cpu),
            _ => {}
        }
    }

    /// Who flushes a queued item that is taken away goes on, even if an earlier execution still runs.
    fn is_excused(&self, what: &Probe, left: &Instance) -> bool {
        let is_taken = |i: &Instance| i.work == left.work && i.at == At::Cancelled;
        let mut later = self
            .instances
            .iter()
            .rev()
            .take_while(|i| !std::ptr::eq(*i, left));
        matches!(what, Probe::Flush(_)) && later.any(is_taken)
    }

    /// The last CPU stays.
    fn cpu_left(&mut self, cpu: u16) {
        self.moving = None;
        let is_last = (0..self.facts.cpus).all(|other| other == cpu || self.away.contains(&other));
        if is_last || !self.away.insert(cpu) {
            return;
        }
        self.workers_of(cpu);
    }

    fn cpu_came(&mut self, cpu: u16) {
        self.moving = None;
        if self.away.remove(&cpu) {
            self.workers_of(cpu);
        }
    }

    /// Whoever works in a pool of this CPU counts again only after it has been idle.
    fn workers_of(&mut self, cpu: u16) {
        for worker in self.workers.values_mut() {
            let works = matches!(worker.does, Does::Executes(_) | Does::Returned(_));
            let here = self.facts.pools[&worker.pool].cpu == Some(cpu);
            worker.unbound |= works && here;
            if !works && here {
                worker.unbound = self.away.contains(&cpu);
            }
        }
    }
}
