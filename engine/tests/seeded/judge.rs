//! Replays the events of a simulation and holds each against what is true of every run: a second set of books, kept from
//! the events and the program alone.

use super::facts::{Facts, MIN_ACTIVE};
use std::collections::{BTreeSet, HashMap, HashSet};
use wq_trace::{Event, FlushTarget, PoolId, What, WorkerId, WqId};

/// Where one queueing of an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Just queued: the next event of the item says whether it is active.
    New,
    Inactive,
    /// Active, and since which activation of all.
    Active(u64),
    Running,
    /// Its function has returned, and its slot is not yet free.
    Returned,
    Completed,
    Cancelled,
}

/// One queueing of an item.
#[derive(Clone, Debug)]
pub struct Instance {
    pub work: u64,
    pub wq: WqId,
    pub pool: PoolId,
    /// The CPU whose pwq it is on, if an unbound workqueue's and if known.
    pub pwq_cpu: Option<u16>,
    pub queued_at: u64,
    pub at: At,
    /// The item still ran when this became active.
    pub behind_itself: bool,
    /// The timer that brought it.
    pub timer: Option<u64>,
    /// A rescuer executes it, which may leave the pool without a further word.
    pub rescued: bool,
}

impl Instance {
    /// Certainly.
    pub fn holds_slot(&self) -> bool {
        self.may_hold_slot() && !(self.at == At::Returned && self.rescued)
    }

    pub fn may_hold_slot(&self) -> bool {
        matches!(self.at, At::Active(_) | At::Running | At::Returned)
    }

    pub fn is_over(&self) -> bool {
        matches!(self.at, At::Returned | At::Completed | At::Cancelled)
    }
}

/// What a worker is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    Idle,
    Woken,
    Manages,
    Executes(usize),
    /// Its function has returned; it goes on when it gets the CPU again.
    Returned(usize),
}

#[derive(Clone, Debug)]
pub struct Worker {
    pub pool: PoolId,
    pub does: Does,
    pub cpu: u16,
    pub sleeps: bool,
    /// What it executes does not count.
    pub intensive: bool,
    /// Its CPU has left since it began to work: it does not count until it has been idle.
    pub unbound: bool,
}

/// See the module.
pub struct Judge<'a> {
    pub facts: &'a Facts,
    pub now: u64,
    pub instances: Vec<Instance>,
    /// Those that are not completed or cancelled.
    pub live: BTreeSet<usize>,
    /// By work id.
    pub queued: HashMap<u64, usize>,
    /// By work id, until the worker has completed it.
    pub running: HashMap<u64, usize>,
    /// The number of the timer that an item is on, and the CPU that armed it.
    pub timers: HashMap<u64, (u64, u16)>,
    pub depth: HashMap<u64, u32>,
    pub workers: HashMap<WorkerId, Worker>,
    pub by_tid: HashMap<u32, WorkerId>,
    pub frozen: HashSet<WqId>,
    /// `max_active` and `min_active` as configured.
    pub limits: HashMap<WqId, (usize, usize)>,
    /// The pool of each CPU of an unbound workqueue, as seen.
    pub slots: HashMap<(WqId, u16), PoolId>,
    /// The node of each unbound pool, as far as it can be told.
    pub nodes: HashMap<PoolId, Option<u16>>,
    pub activations: u64,
    pub timers_armed: u64,
    pub flushes: HashMap<u32, (Event, Vec<usize>)>,
    pub probes: HashMap<usize, super::waiting::Seen>,
    pub away: HashSet<u16>,
    /// A CPU is about to leave or to come back: nothing is certain of these pools.
    pub moving: Option<u16>,
    pub counts: super::totals::Counts,
    pub faults: Vec<String>,
}

impl<'a> Judge<'a> {
    pub fn new(facts: &'a Facts) -> Self {
        let limit = |max: usize| (max, max.min(MIN_ACTIVE));
        let limits = facts.wqs.iter().map(|(id, wq)| (*id, limit(wq.max_active)));
        Self {
            facts,
            now: 0,
            instances: Vec::new(),
            live: BTreeSet::new(),
            queued: HashMap::new(),
            running: HashMap::new(),
            timers: HashMap::new(),
            depth: HashMap::new(),
            workers: HashMap::new(),
            by_tid: HashMap::new(),
            frozen: HashSet::new(),
            limits: limits.collect(),
            slots: HashMap::new(),
            nodes: HashMap::new(),
            activations: 0,
            timers_armed: 0,
            flushes: HashMap::new(),
            probes: HashMap::new(),
            away: HashSet::new(),
            moving: None,
            counts: super::totals::Counts::default(),
            faults: Vec::new(),
        }
    }

    pub fn fault(&mut self, text: impl std::fmt::Display) {
        let at = self.now as f64 / 1e6;
        self.faults.push(format!("at {at} ms: {text}"));
    }

    /// A fault unless `ok`.
    pub fn hold(&mut self, ok: bool, text: impl FnOnce() -> String) {
        if !ok {
            self.fault(text());
        }
    }

    pub fn see(&mut self, event: &Event) {
        if event.at > self.now {
            self.instant_is_over();
            self.now = event.at;
        }
        self.hold(event.at == self.now, || {
            format!("time runs backwards: {event:?}")
        });
        self.completes(event.tid);
        self.counts.see(event, self.facts);
        match event.what {
            What::QueueWork { .. }
            | What::ActivateWork
            | What::HoldWork { .. }
            | What::CancelWork { .. }
            | What::DropWork { .. }
            | What::TimerArm { .. }
            | What::DisableWork { .. }
            | What::EnableWork { .. } => self.item(event),
            What::ExecuteStart => self.starts(event),
            What::ExecuteEnd => self.returns(event),
            What::WorkerCreate { .. }
            | What::WorkerDestroy { .. }
            | What::WorkerWake { .. }
            | What::WorkerIdle { .. }
            | What::WorkerSleep { .. }
            | What::WorkerResume { .. }
            | What::CpuIntensive { .. }
            | What::ManagerStart => self.worker(event),
            What::FlushStart { target } => self.flush_starts(event, target),
            What::FlushEnd { .. } => self.flush_ends(event),
            What::Freeze { .. } => {
                self.frozen.insert(event.wq);
            }
            What::Thaw { .. } => {
                self.frozen.remove(&event.wq);
            }
            What::MaxActive { new, .. } => {
                let limit = self.limits.get_mut(&event.wq).expect("a known workqueue");
                *limit = (new as usize, limit.1.min(new as usize));
            }
            What::Deadlock { .. } => self.fault(format!("a deadlock was told: {event:?}")),
            _ => {}
        }
    }

    fn starts(&mut self, event: &Event) {
        let Some(index) = self.queued.remove(&event.work) else {
            return self.fault(format!("not queued: {event:?}"));
        };
        let instance = self.instances[index].clone();
        let active = matches!(instance.at, At::Active(_));
        self.hold(active, || format!("{:?}: {event:?}", instance.at));
        let runs = self.running.insert(event.work, index);
        let over = |&run: &usize| {
            let run = &self.instances[run];
            run.rescued && run.at == At::Returned
        };
        let ok = runs.as_ref().is_none_or(over);
        self.hold(ok, || format!("reentered: {event:?}"));
        let same = (instance.wq, instance.pool) == (event.wq, event.pool);
        self.hold(same, || {
            format!("queued on pool {:?}: {event:?}", instance.pool)
        });
        self.in_order_of_start(index);
        self.instances[index].at = At::Running;
        self.instances[index].rescued = self.facts.rescuers.contains(&event.worker);
        self.begins(event, index);
        let wait = event.at - instance.queued_at;
        self.counts.waited(event.wq, event.func, wait);
    }

    fn returns(&mut self, event: &Event) {
        let Some(&index) = self.running.get(&event.work) else {
            return self.fault(format!("does not run: {event:?}"));
        };
        self.instances[index].at = At::Returned;
        let worker = self.workers.get_mut(&event.worker);
        let worker = worker.filter(|worker| worker.does == Does::Executes(index));
        match worker {
            Some(worker) => worker.does = Does::Returned(index),
            None => self.fault(format!("another worker returns: {event:?}")),
        }
    }

    /// A worker whose function has returned does something else: before that, it has freed its slot.
    pub fn completes(&mut self, tid: u32) {
        let Some(worker) = self.by_tid.get(&tid) else {
            return;
        };
        let worker = self
            .workers
            .get_mut(worker)
            .expect("a thread of a known worker");
        if let Does::Returned(index) = worker.does {
            worker.does = Does::Woken;
            worker.intensive = false;
            let work = self.instances[index].work;
            if self.running.get(&work) == Some(&index) {
                self.running.remove(&work);
            }
            self.instances[index].at = At::Completed;
            self.live.remove(&index);
        }
    }

    fn flush_starts(&mut self, event: &Event, target: FlushTarget) {
        let awaited = |instance: &Instance| match target {
            FlushTarget::Work => instance.work == event.work,
            FlushTarget::Workqueue => instance.wq == event.wq,
        };
        let live = self.live.iter().copied();
        let before: Vec<_> = live
            .filter(|&index| awaited(&self.instances[index]) && !self.instances[index].is_over())
            .collect();
        let nested = self.flushes.insert(event.tid, (*event, before)).is_some();
        self.hold(!nested, || format!("waits twice: {event:?}"));
    }

    fn flush_ends(&mut self, event: &Event) {
        let Some((start, before)) = self.flushes.remove(&event.tid) else {
            return self.fault(format!("did not wait: {event:?}"));
        };
        let mut before = before.iter().map(|&index| &self.instances[index]);
        // Who waits for a queued item that is taken away goes on, even if an earlier execution still runs.
        let excused = start.work != 0 && before.clone().any(|i| i.at == At::Cancelled);
        let left = before.find(|i| !i.is_over() && !excused).cloned();
        self.hold(left.is_none(), || {
            format!("{left:?} is not over: {event:?}")
        });
    }

    /// Everything has ended: nothing may be left.
    pub fn end(&mut self) {
        let tids: Vec<_> = self.by_tid.keys().copied().collect();
        self.instant_is_over();
        tids.into_iter().for_each(|tid| self.completes(tid));
        let left: Vec<_> = self
            .live
            .iter()
            .map(|&i| self.instances[i].clone())
            .collect();
        self.hold(left.is_empty(), || format!("left at the end: {left:?}"));
        let (timers, flushes) = (self.timers.len(), self.flushes.len());
        self.hold(timers + flushes == 0, || {
            format!("{timers} timers and {flushes} flushes are left")
        });
    }
}
