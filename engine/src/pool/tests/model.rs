//! A naive pool: the rules of semantics 3 and 4 in lists, with what truly happens to its threads beside what was noticed.

use crate::pool::{Effect, Report, WorkerIx};
use wq_trace::{Breakdown, FuncId, WaitPart, WqId};

/// What a worker is at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum At {
    Idle { woken: bool },
    Preparing,
    Managing,
    Working,
}

/// Who said that a worker sleeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Noticed {
    Hint,
    Tick,
}

#[derive(Debug)]
pub(super) struct Worker {
    pub(super) at: At,
    pub(super) run: Option<Run>,
    pub(super) noticed: Option<Noticed>,
    /// The truth: blocked since then.
    pub(super) blocked: Option<u64>,
    pub(super) scheduled: Vec<usize>,
}

/// An execution.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) item: usize,
    /// It hogs its CPU, or was taken for that.
    pub(super) cpu_intensive: bool,
    color: u64,
    pub(super) waiters: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WqSpec {
    pub(super) max_active: usize,
    pub(super) ordered: bool,
    pub(super) cpu_intensive: bool,
}

#[derive(Debug)]
pub(super) struct Wq {
    pub(super) spec: WqSpec,
    pub(super) id: WqId,
    pub(super) inactive: Vec<usize>,
    pub(super) active: usize,
    /// The colour of new items; counts on for ever.
    pub(super) color: u64,
    /// The colour that a flush waits for.
    pub(super) armed: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) wq: usize,
    pub(super) queued: Option<Queued>,
    /// Why its started executions had waited.
    pub(super) waits: Breakdown,
    pub(super) queueings: u64,
    pub(super) starts: u64,
    pub(super) cancels: u64,
}

#[derive(Debug)]
pub(super) struct Queued {
    pub(super) at: u64,
    color: u64,
    pub(super) waiters: Vec<u32>,
    parts: Breakdown,
    /// How much of the concurrency part was sensing, should the runners be found to have been blocked.
    suspect: u64,
}

/// What a step comes to.
#[derive(Debug, PartialEq)]
pub(super) enum Stepped {
    Park,
    Create,
    Run { item: usize, queued_at: u64 },
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) managed: bool,
    pub(super) now: u64,
    pub(super) wqs: Vec<Wq>,
    pub(super) items: Vec<Item>,
    pub(super) worklist: Vec<usize>,
    pub(super) workers: Vec<Worker>,
    pub(super) idle: Vec<usize>,
    pub(super) fx: Vec<Effect<u32>>,
}

impl Model {
    pub(super) fn counted(&self, worker: usize) -> bool {
        let worker = &self.workers[worker];
        let run = worker.run.as_ref();
        let unmanaged = run.is_some_and(|r| r.cpu_intensive);
        self.managed && worker.at == At::Working && worker.noticed.is_none() && !unmanaged
    }

    pub(super) fn nr_running(&self) -> usize {
        let counted = |w: &usize| self.counted(*w);
        (0..self.workers.len()).filter(counted).count()
    }

    pub(super) fn runner_of(&self, item: usize) -> Option<usize> {
        let runs = |w: &Worker| w.run.as_ref().is_some_and(|r| r.item == item);
        self.workers.iter().position(runs)
    }

    fn need_more_worker(&self) -> bool {
        !self.worklist.is_empty() && self.nr_running() == 0
    }

    fn kick(&mut self) {
        if let Some(&head) = self.idle.last().filter(|_| self.need_more_worker())
            && self.workers[head].at == (At::Idle { woken: false })
        {
            self.workers[head].at = At::Idle { woken: true };
            self.fx.push(Effect::Wake(WorkerIx(head as u32)));
        }
    }

    /// What this counted worker executes is found to be a hog.
    pub(super) fn hog(&mut self, worker: usize, func: FuncId) {
        let run = self.workers[worker].run.as_mut();
        run.expect("it executes").cpu_intensive = true;
        self.fx.push(Effect::Report(Report::Hog(func)));
        self.kick();
    }

    pub(super) fn create(&mut self) {
        self.idle.push(self.workers.len());
        self.workers.push(Worker {
            at: At::Idle { woken: false },
            run: None,
            noticed: None,
            blocked: None,
            scheduled: Vec::new(),
        });
    }

    pub(super) fn queue(&mut self, item: usize) {
        let wq = &mut self.wqs[self.items[item].wq];
        self.items[item].queueings += 1;
        self.items[item].queued = Some(Queued {
            at: self.now,
            color: wq.color,
            waiters: Vec::new(),
            parts: Breakdown::default(),
            suspect: 0,
        });
        if wq.inactive.is_empty() && wq.active < wq.spec.max_active {
            wq.active += 1;
            self.worklist.push(item);
            self.kick();
        } else {
            wq.inactive.push(item);
        }
    }

    /// Returns whether it was inactive.
    pub(super) fn cancel(&mut self, item: usize) -> bool {
        self.items[item].cancels += 1;
        let queued = self.items[item].queued.take().expect("a queued item");
        let wq = self.items[item].wq;
        let held = self.wqs[wq].inactive.contains(&item);
        self.wqs[wq].inactive.retain(|&i| i != item);
        self.worklist.retain(|&i| i != item);
        for worker in &mut self.workers {
            worker.scheduled.retain(|&i| i != item);
        }
        self.fx
            .extend(queued.waiters.into_iter().map(Effect::Complete));
        self.gone(wq, queued.color, !held);
        self.kick();
        held
    }

    /// One item less is in flight.
    fn gone(&mut self, wq: usize, color: u64, was_active: bool) {
        self.wqs[wq].active -= usize::from(was_active);
        if self.wqs[wq].active < self.wqs[wq].spec.max_active && !self.wqs[wq].inactive.is_empty() {
            let next = self.wqs[wq].inactive.remove(0);
            self.wqs[wq].active += 1;
            self.worklist.push(next);
        }
        if self.wqs[wq].armed == Some(color) && !self.in_flight(wq, color) {
            self.wqs[wq].armed = None;
            self.fx.push(Effect::PwqFlushed(self.wqs[wq].id));
        }
    }

    fn in_flight(&self, wq: usize, color: u64) -> bool {
        let mine = |i: &Item| i.wq == wq && i.queued.as_ref().is_some_and(|q| q.color == color);
        let runs = |w: &Worker| {
            let run = w.run.as_ref();
            run.is_some_and(|r| self.items[r.item].wq == wq && r.color == color)
        };
        self.items.iter().any(mine) || self.workers.iter().any(runs)
    }

    /// Returns whether there is something to wait for.
    pub(super) fn flush(&mut self, wq: usize) -> bool {
        let color = self.wqs[wq].color;
        self.wqs[wq].color += 1;
        self.wqs[wq].armed = Some(color).filter(|&color| self.in_flight(wq, color));
        self.wqs[wq].armed.is_some()
    }

    pub(super) fn step(&mut self, me: usize) -> Stepped {
        if self.workers[me].at == (At::Idle { woken: false }) {
            return Stepped::Park;
        }
        self.idle.retain(|&w| w != me);
        if self.workers[me].at != At::Working {
            if !self.need_more_worker() {
                return self.park(me);
            }
            let managed = self.workers.iter().any(|w| w.at == At::Managing);
            if self.idle.is_empty() && !managed {
                self.workers[me].at = At::Managing;
                return Stepped::Create;
            }
            self.workers[me].at = At::Working;
        }
        if !self.workers[me].scheduled.is_empty() {
            let item = self.workers[me].scheduled.remove(0);
            return self.start(me, item);
        }
        while !self.worklist.is_empty() && self.nr_running() <= 1 {
            let item = self.worklist.remove(0);
            match self.runner_of(item) {
                Some(other) => self.workers[other].scheduled.push(item),
                None => return self.start(me, item),
            }
        }
        self.park(me)
    }

    fn park(&mut self, me: usize) -> Stepped {
        self.workers[me].at = At::Idle { woken: false };
        self.idle.push(me);
        Stepped::Park
    }

    fn start(&mut self, me: usize, item: usize) -> Stepped {
        let queued = self.items[item].queued.take().expect("a queued item");
        self.items[item].starts += 1;
        for (sum, part) in self.items[item].waits.iter_mut().zip(queued.parts) {
            *sum += part;
        }
        self.workers[me].run = Some(Run {
            item,
            cpu_intensive: self.wqs[self.items[item].wq].spec.cpu_intensive,
            color: queued.color,
            waiters: queued.waiters,
        });
        self.kick();
        Stepped::Run {
            item,
            queued_at: queued.at,
        }
    }

    pub(super) fn complete(&mut self, me: usize) {
        self.workers[me].noticed = None;
        let run = self.workers[me].run.take().expect("it executes");
        self.fx
            .extend(run.waiters.into_iter().map(Effect::Complete));
        self.gone(self.items[run.item].wq, run.color, true);
    }

    /// `by` notices that `me` sleeps.
    pub(super) fn sleeps(&mut self, me: usize, by: Noticed) {
        let counted = self.counted(me);
        self.workers[me].noticed = Some(by);
        if !counted {
            return;
        }
        if self.nr_running() == 0 {
            for item in &mut self.items {
                if let Some(queued) = &mut item.queued {
                    let sensed = std::mem::take(&mut queued.suspect);
                    queued.parts[WaitPart::Concurrency as usize] -= sensed;
                    queued.parts[WaitPart::Sensing as usize] += sensed;
                }
            }
        }
        self.kick();
    }

    /// Call after every change: a counted worker that truly runs clears the others of suspicion.
    pub(super) fn look(&mut self) {
        if !self.all_blocked() {
            let queued = self.items.iter_mut().filter_map(|i| i.queued.as_mut());
            queued.for_each(|q| q.suspect = 0);
        }
    }

    /// Are there counted workers, and none of them truly runs?
    fn all_blocked(&self) -> bool {
        let truly = |w: usize| self.counted(w) && self.workers[w].blocked.is_none();
        self.nr_running() > 0 && !(0..self.workers.len()).any(truly)
    }

    /// Time passes in which nothing changes.
    pub(super) fn pass(&mut self, time: u64) {
        self.now += time;
        let blocked = self.all_blocked();
        for item in 0..self.items.len() {
            let part = self.waits_for(item);
            if let Some(queued) = &mut self.items[item].queued {
                queued.parts[part as usize] += time;
                queued.suspect += if blocked && part == WaitPart::Concurrency {
                    time
                } else {
                    0
                };
            }
        }
    }

    fn waits_for(&self, item: usize) -> WaitPart {
        let wq = &self.wqs[self.items[item].wq];
        if wq.inactive.contains(&item) {
            return if wq.spec.ordered {
                WaitPart::InactiveOrdered
            } else {
                WaitPart::InactiveMaxActive
            };
        }
        let woken = |w: &usize| self.workers[*w].at == (At::Idle { woken: true });
        if self.runner_of(item).is_some() {
            WaitPart::SelfRun
        } else if self.nr_running() > 0 {
            WaitPart::Concurrency
        } else if self.idle.is_empty() {
            WaitPart::NoWorker
        } else if self.idle.iter().any(woken) {
            WaitPart::Runqueue
        } else if self.workers.iter().any(|w| w.at == At::Managing) {
            // Whoever manages goes to work after that.
            WaitPart::NoWorker
        } else {
            WaitPart::Unknown
        }
    }
}
