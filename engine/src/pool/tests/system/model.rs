//! A naive engine: what there is, in plain lists, and the questions that are asked of it. What can be counted is
//! counted whenever it is asked for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use wq_trace::{Breakdown, WaitPart};

/// Something that others have to do or to know, in the order in which it is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fx {
    /// A worker of a pool is woken.
    Wake(usize, usize),
    /// This worker of a pool, about to be woken, is to start in the pool's pod.
    PullBack(usize, usize),
    /// A pool wants its first worker.
    CreateWorker(usize),
    /// An execution of this item has hogged its CPU.
    Hog(usize),
    /// An execution of this item sleeps, which it must not.
    BhSlept(usize),
    /// This pwq calls for its workqueue's rescuer.
    Mayday(usize),
    /// Who waited goes on.
    Complete(u32),
    /// A pwq of this workqueue has nothing of the oldest flush in flight any more.
    Flushed(usize),
    /// A slot is set aside for this pwq.
    Activate(usize),
    /// This pwq is gone.
    Released(usize),
}

/// CPUs as bits.
pub(super) type Mask = u64;

/// What makes an unbound pool the one that it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Key {
    pub(super) nice: i32,
    pub(super) strict: bool,
    pub(super) pod: Mask,
    pub(super) allowed: Mask,
}

/// How near to its CPU an item starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scope {
    Cpu,
    Cache,
    Numa,
    System,
}

/// What an unbound workqueue is asked to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Attrs {
    pub(super) nice: i32,
    pub(super) strict: bool,
    pub(super) mask: Mask,
    pub(super) scope: Scope,
}

/// What a workqueue is asked to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WqSpec {
    pub(super) bh: bool,
    pub(super) unbound: bool,
    pub(super) ordered: bool,
    pub(super) highpri: bool,
    pub(super) cpu_intensive: bool,
    pub(super) freezable: bool,
    pub(super) mem_reclaim: bool,
    pub(super) max_active: usize,
}

/// Nodes, caches in each, CPUs in each cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Machine {
    pub(super) nodes: usize,
    pub(super) caches: usize,
    pub(super) cpus: usize,
}

impl Machine {
    pub(super) fn count(&self) -> usize {
        self.nodes * self.caches * self.cpus
    }

    pub(super) fn all(&self) -> Mask {
        (1 << self.count()) - 1
    }

    /// The CPUs of which the same group of so many neighbours is.
    fn group(&self, cpu: usize, size: usize) -> Mask {
        ((1 << size) - 1) << (cpu / size * size)
    }

    pub(super) fn pod(&self, cpu: usize, scope: Scope) -> Mask {
        match scope {
            Scope::Cpu => 1 << cpu,
            Scope::Cache => self.group(cpu, self.cpus),
            Scope::Numa => self.node(cpu / (self.caches * self.cpus)),
            Scope::System => self.all(),
        }
    }

    pub(super) fn node(&self, node: usize) -> Mask {
        let size = self.caches * self.cpus;
        self.group(node * size, size)
    }

    /// The node that has all these CPUs; otherwise the number after the last node.
    pub(super) fn node_of(&self, mask: Mask) -> usize {
        let holds = |&node: &usize| mask & !self.node(node) == 0;
        (0..self.nodes).find(holds).unwrap_or(self.nodes)
    }
}

/// What a worker is at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum At {
    Idle {
        woken: bool,
    },
    Preparing,
    Managing,
    Working,
    /// Told to leave.
    Dying,
    Gone,
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
    /// Where it went idle, if that matters.
    pub(super) idled_on: Option<usize>,
    /// A manager that has failed to create a worker, and pauses.
    pub(super) pauses: bool,
    /// When it went idle last.
    pub(super) last_active: u64,
    /// Its CPU came back: it does not count before its next cycle.
    pub(super) rebound: bool,
    /// Of a BH pool: items taken since it was woken, and when it was.
    pub(super) rounds: usize,
    pub(super) woken_at: u64,
}

impl Worker {
    /// Numbers from this one on are rescuers at a pool.
    pub(super) const RESCUER: usize = 1 << 31;

    pub(super) fn new() -> Self {
        Self {
            at: At::Idle { woken: false },
            run: None,
            noticed: None,
            blocked: None,
            scheduled: Vec::new(),
            idled_on: None,
            pauses: false,
            last_active: 0,
            rebound: false,
            rounds: 0,
            woken_at: 0,
        }
    }
}

/// An execution of the `nth` queueing of an item.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) item: usize,
    pub(super) pwq: usize,
    /// It was found to hog its CPU.
    pub(super) hog: bool,
    pub(super) nth: u64,
    /// The how-manieth queueing of all it was.
    pub(super) seq: u64,
    pub(super) waiters: Vec<u32>,
}

/// A rescuer at a pool.
#[derive(Debug)]
pub(super) struct Rescuer {
    pub(super) worker: Worker,
    /// Whose items it takes, and how many it has taken.
    pub(super) pwq: usize,
    pub(super) taken: usize,
}

#[derive(Debug)]
pub(super) struct Pool {
    pub(super) bh: bool,
    /// Of a BH pool: its worker was asked for.
    pub(super) asked: bool,
    /// When an item came onto an empty worklist, or a worker took one.
    pub(super) progress: u64,
    pub(super) key: Option<Key>,
    pub(super) worklist: Vec<usize>,
    pub(super) workers: Vec<Worker>,
    pub(super) rescuers: Vec<Option<Rescuer>>,
    /// Its CPU is there.
    pub(super) managed: bool,
    pub(super) managing_since: u64,
    pub(super) mayday_due: Option<u64>,
    pub(super) idle_due: Option<u64>,
    /// Who idled last stands last.
    pub(super) idle: Vec<usize>,
    /// No pwq is on it any more: its workers leave.
    pub(super) dying: bool,
}

#[derive(Debug)]
pub(super) struct Pwq {
    pub(super) wq: usize,
    pub(super) pool: usize,
    pub(super) plugged: bool,
    pub(super) retired: bool,
    pub(super) gone: bool,
    /// It has called for the rescuer.
    pub(super) mayday: bool,
    pub(super) inactive: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Wq {
    pub(super) spec: WqSpec,
    pub(super) max: usize,
    pub(super) min: usize,
    pub(super) frozen: bool,
    /// Pwqs that have called for the rescuer.
    pub(super) maydays: VecDeque<usize>,
    /// Drains in progress.
    pub(super) drainers: usize,
    pub(super) attrs: Attrs,
    /// The pwq for each CPU.
    pub(super) table: Vec<usize>,
    pub(super) dfl: Option<usize>,
    /// Those that are there, oldest first.
    pub(super) pwqs: Vec<usize>,
    /// By node, and one more for pools on none: pwqs that wait for a slot.
    pub(super) waiting: Vec<Vec<usize>>,
    /// Oldest first.
    pub(super) flushes: VecDeque<Flush>,
    /// Who came when there were too many flushes.
    pub(super) overflow: Vec<u32>,
}

/// A flush, perhaps of several, and which queueings of which items were in flight when it began.
#[derive(Debug)]
pub(super) struct Flush {
    pub(super) waiters: Vec<u32>,
    pub(super) awaits: Vec<(usize, u64)>,
    /// How many pwqs have not been reported to be done; known of the oldest flush.
    pub(super) reports: usize,
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) pending: bool,
    pub(super) depth: u32,
    /// The pool that it was queued on last.
    pub(super) pool: Option<usize>,
    pub(super) queued: Option<Queued>,
    /// The workqueues that it was ever queued on.
    pub(super) wqs: BTreeSet<usize>,
    pub(super) queueings: u64,
    pub(super) starts: u64,
    pub(super) returns: u64,
    pub(super) cancels: u64,
}

/// A queued item.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) pwq: usize,
    /// The pool that it was on before.
    pub(super) before: Option<usize>,
    pub(super) at: u64,
    /// The how-manieth queueing of all it is.
    pub(super) seq: u64,
    pub(super) waiters: Vec<u32>,
    pub(super) parts: Breakdown,
    /// How much of the concurrency part was sensing, should the runners be found to have been blocked.
    pub(super) suspect: u64,
}

/// What one pwq has seen of one item.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Seen {
    pub(super) queued: u64,
    pub(super) started: u64,
    pub(super) completed: u64,
    pub(super) waits: Breakdown,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) machine: Machine,
    pub(super) now: u64,
    pub(super) pools: Vec<Pool>,
    pub(super) pwqs: Vec<Pwq>,
    pub(super) wqs: Vec<Wq>,
    pub(super) items: Vec<Item>,
    pub(super) queueings: u64,
    /// Pwqs that a slot is set aside for.
    pub(super) reserved: Vec<usize>,
    /// By pwq and item.
    pub(super) seen: BTreeMap<(usize, usize), Seen>,
    /// What was said since the last step.
    pub(super) fx: Vec<Fx>,
    /// What others have to do, by who has to.
    pub(super) left: Vec<VecDeque<Fx>>,
    /// Whether those who have to do something may be late.
    pub(super) late: bool,
}

impl Model {
    pub(super) fn wq_of(&self, pwq: usize) -> &Wq {
        &self.wqs[self.pwqs[pwq].wq]
    }

    /// Who executes the item in this pool.
    pub(super) fn runner(&self, pool: usize, item: usize) -> Option<usize> {
        let runs = |w: &Worker| w.run.as_ref().is_some_and(|run| run.item == item);
        let mut all = self.workers_of(pool).into_iter();
        all.find(|&me| runs(self.worker(pool, me)))
    }

    /// The numbers of all workers at a pool, rescuers included.
    pub(super) fn workers_of(&self, pool: usize) -> Vec<usize> {
        let rescuers = self.pools[pool].rescuers.iter().enumerate();
        let rescuers = rescuers.filter(|(_, rescuer)| rescuer.is_some());
        let rescuers = rescuers.map(|(index, _)| Worker::RESCUER + index);
        (0..self.pools[pool].workers.len())
            .chain(rescuers)
            .collect()
    }

    pub(super) fn worker(&self, pool: usize, me: usize) -> &Worker {
        let pool = &self.pools[pool];
        match me.checked_sub(Worker::RESCUER) {
            Some(index) => &pool.rescuers[index].as_ref().expect("it is here").worker,
            None => &pool.workers[me],
        }
    }

    pub(super) fn worker_mut(&mut self, pool: usize, me: usize) -> &mut Worker {
        let pool = &mut self.pools[pool];
        match me.checked_sub(Worker::RESCUER) {
            Some(index) => &mut pool.rescuers[index].as_mut().expect("it is here").worker,
            None => &mut pool.workers[me],
        }
    }

    pub(super) fn runs<'a>(&'a self) -> impl Iterator<Item = &'a Run> {
        let rescuers = |pool: &'a Pool| pool.rescuers.iter().flatten().map(|r| &r.worker);
        let pools = self.pools.iter();
        let workers = pools.flat_map(move |pool| pool.workers.iter().chain(rescuers(pool)));
        workers.filter_map(|worker| worker.run.as_ref())
    }

    /// What is in flight on a pwq: item and how often that was queued before.
    pub(super) fn in_flight(&self, pwq: usize) -> Vec<(usize, u64)> {
        let on = |queued: &Queued| queued.pwq == pwq;
        let items = self.items.iter().enumerate();
        let queued = items.filter(|(_, item)| item.queued.as_ref().is_some_and(on));
        let queued = queued.map(|(index, item)| (index, item.queueings));
        let running = self.runs().filter(|run| run.pwq == pwq);
        queued
            .chain(running.map(|run| (run.item, run.nth)))
            .collect()
    }

    /// How many items of a pwq are active.
    pub(super) fn active(&self, pwq: usize) -> usize {
        self.in_flight(pwq).len() - self.pwqs[pwq].inactive.len()
    }

    /// The node of a pwq's pool; the number after the last one if it is on none.
    pub(super) fn node_of(&self, pwq: usize) -> usize {
        let key = self.pools[self.pwqs[pwq].pool].key;
        key.map_or(0, |key| self.machine.node_of(key.pod))
    }

    /// Slots of a workqueue that are taken or set aside on a node.
    pub(super) fn node_nr(&self, wq: usize, node: usize) -> usize {
        let here = |pwq: &usize| self.pwqs[*pwq].wq == wq && self.node_of(*pwq) == node;
        let active = (0..self.pwqs.len()).filter(here);
        let active: usize = active.map(|pwq| self.active(pwq)).sum();
        active + self.reserved.iter().filter(|pwq| here(pwq)).count()
    }

    pub(super) fn effective(&self, attrs: &Attrs) -> Mask {
        match attrs.mask & self.machine.all() {
            0 => self.machine.all(),
            mask => mask,
        }
    }

    pub(super) fn max(&self, wq: usize) -> usize {
        let wq = &self.wqs[wq];
        if wq.frozen { 0 } else { wq.max }
    }

    /// A node's share of the limit.
    pub(super) fn node_max(&self, wq: usize, node: usize) -> usize {
        let max = self.max(wq);
        if node == self.machine.nodes {
            return max;
        }
        let min = if self.wqs[wq].frozen {
            0
        } else {
            self.wqs[wq].min
        };
        let mask = self.effective(&self.wqs[wq].attrs);
        let here = (mask & self.machine.node(node)).count_ones() as usize;
        let part = (max * here).div_ceil(mask.count_ones() as usize);
        // One at least, for what was queued before the node had no CPU of the workqueue any more.
        part.clamp(min, max).max(1).min(max)
    }

    /// Does this worker count in nr_running?
    pub(super) fn counted(&self, pool: usize, me: usize) -> bool {
        let worker = self.worker(pool, me);
        let pool = &self.pools[pool];
        let cpu_intensive = |run: &Run| {
            let spec = self.wq_of(run.pwq).spec;
            run.hog || spec.cpu_intensive && !spec.unbound
        };
        pool.managed
            && me < Worker::RESCUER
            && !worker.rebound
            && worker.at == At::Working
            && worker.noticed.is_none()
            && !worker.run.as_ref().is_some_and(cpu_intensive)
    }

    pub(super) fn nr_running(&self, pool: usize) -> usize {
        let workers = 0..self.pools[pool].workers.len();
        workers.filter(|&w| self.counted(pool, w)).count()
    }

    pub(super) fn need_more_worker(&self, pool: usize) -> bool {
        !self.pools[pool].worklist.is_empty() && self.nr_running(pool) == 0
    }

    /// Did this worker idle outside of the CPUs where it should start?
    pub(super) fn is_astray(&self, pool: usize, worker: usize) -> bool {
        let pool = &self.pools[pool];
        let outside = |cpu: usize| pool.key.is_some_and(|key| key.pod >> cpu & 1 == 0);
        pool.workers[worker].idled_on.is_some_and(outside)
    }

    pub(super) fn manager(&self, pool: usize) -> Option<usize> {
        let workers = &self.pools[pool].workers;
        workers.iter().position(|w| w.at == At::Managing)
    }

    /// Are there counted workers, and none of them truly runs?
    fn all_blocked(&self, pool: usize) -> bool {
        let workers = &self.pools[pool].workers;
        let truly = |w: usize| self.counted(pool, w) && workers[w].blocked.is_none();
        self.nr_running(pool) > 0 && !(0..workers.len()).any(truly)
    }

    /// Call after every change: a counted worker that truly runs clears the others of suspicion.
    pub(super) fn look(&mut self) {
        for pool in 0..self.pools.len() {
            if !self.all_blocked(pool) {
                self.on_pool(pool).for_each(|queued| queued.suspect = 0);
            }
        }
    }

    /// Items queued on a pool.
    pub(super) fn on_pool(&mut self, pool: usize) -> impl Iterator<Item = &mut Queued> {
        let pwqs = &self.pwqs;
        let queued = self.items.iter_mut().filter_map(|i| i.queued.as_mut());
        queued.filter(move |queued| pwqs[queued.pwq].pool == pool)
    }

    /// Time passes in which nothing changes.
    pub(super) fn pass(&mut self, time: u64) {
        self.now += time;
        let pools = 0..self.pools.len();
        let blocked: Vec<bool> = pools.map(|pool| self.all_blocked(pool)).collect();
        for item in 0..self.items.len() {
            let Some(queued) = &self.items[item].queued else {
                continue;
            };
            let part = self.waits_for(item, queued);
            let suspect = part == WaitPart::Concurrency && blocked[self.pwqs[queued.pwq].pool];
            if let Some(queued) = &mut self.items[item].queued {
                queued.parts[part as usize] += time;
                queued.suspect += if suspect { time } else { 0 };
            }
        }
    }

    fn waits_for(&self, item: usize, queued: &Queued) -> WaitPart {
        let pwq = &self.pwqs[queued.pwq];
        if pwq.inactive.contains(&item) {
            return self.held_by(queued.pwq);
        }
        let pool = &self.pools[pwq.pool];
        let woken = |w: &usize| pool.workers[*w].at == (At::Idle { woken: true });
        if self.runner(pwq.pool, item).is_some() {
            WaitPart::SelfRun
        } else if self.nr_running(pwq.pool) > 0 {
            WaitPart::Concurrency
        } else if pool.idle.is_empty() && pool.bh && !pool.workers.is_empty() {
            WaitPart::Bh
        } else if pool.idle.is_empty() {
            WaitPart::NoWorker
        } else if pool.idle.iter().any(woken) {
            WaitPart::Runqueue
        } else if self.manager(pwq.pool).is_some() {
            WaitPart::NoWorker
        } else {
            WaitPart::Unknown
        }
    }

    /// What a pwq's held items wait for.
    fn held_by(&self, pwq: usize) -> WaitPart {
        let wq = self.pwqs[pwq].wq;
        let Wq { spec, frozen, .. } = self.wqs[wq];
        if frozen {
            WaitPart::InactiveFrozen
        } else if self.pwqs[pwq].plugged {
            WaitPart::InactivePlugged
        } else if spec.ordered {
            WaitPart::InactiveOrdered
        } else if spec.unbound && self.node_max(wq, self.node_of(pwq)) < self.max(wq) {
            WaitPart::InactiveNode
        } else {
            WaitPart::InactiveMaxActive
        }
    }
}
