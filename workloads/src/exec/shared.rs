//! What the threads of a replay share: the items, what they did, and whether it is time to stop.

use super::body;
use super::handle::{Handle, waiting_for_readers};
use super::hotplug::Hotplug;
use crate::report::{Execution, ItemReport};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use wq_engine::sim::{ItemRef, Program, SplitMix64, WorkqueueSpec, WqRef};
use wq_engine::{Engine, Error, Workqueue, WorkqueueAttrs, WqFlags};

use super::ExecError;

/// See the module.
pub(super) struct Shared {
    pub(super) program: Program,
    pub(super) engine: Engine,
    /// The program's own, in file order.
    own: Vec<Workqueue>,
    pub(super) items: Vec<Item>,
    /// Index of the first item of each work.
    first: Vec<usize>,
    /// The next instance of each work, for steps that take them in turn.
    turns: Vec<AtomicUsize>,
    pub(super) locks: Vec<Mutex<()>>,
    pub(super) hotplug: Mutex<Hotplug>,
    /// On the engine's clock.
    pub(super) started_at: u64,
    /// Arrivals and waits go this many times as fast.
    pub(super) speed: f64,
    begun: AtomicU64,
    pub(super) executions: AtomicU64,
    /// The item that was not over when last looked at.
    busy: AtomicUsize,
    pub(super) producers_done: AtomicUsize,
    /// The script has frozen the freezable workqueues, and not thawed them.
    pub(super) frozen: AtomicBool,
    /// The script lets the creation of workers fail.
    pub(super) creation_fails: AtomicBool,
    stop: AtomicBool,
    stopped: (Mutex<()>, Condvar),
    /// By the workqueue's name: executing now, most at once.
    running: HashMap<String, Mutex<(u64, u64)>>,
}

/// A work item of the replay.
pub(super) struct Item {
    pub(super) work: usize,
    pub(super) handle: Handle,
    pub(super) wq: Workqueue,
    pub(super) rng: Mutex<SplitMix64>,
    pub(super) log: Mutex<ItemReport>,
}

/// A lock whose holder cannot leave it in a bad state.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nanoseconds on the engine's clock, `CLOCK_MONOTONIC`.
pub(super) fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

impl Shared {
    pub(super) fn new(
        program: Program,
        engine: Engine,
        speed: f64,
    ) -> Result<Arc<Self>, ExecError> {
        let own: Vec<_> = program
            .workqueues
            .iter()
            .map(|spec| alloc(&engine, spec))
            .collect::<Result<_, _>>()?;
        let mut queues = Vec::with_capacity(program.works.len());
        for work in &program.works {
            queues.push(workqueue(&engine, &own, &work.workqueue)?);
        }
        let mut first = Vec::with_capacity(program.works.len());
        let mut count = 0;
        for work in &program.works {
            first.push(count);
            count += work.instances;
        }
        let running = queues
            .iter()
            .map(|wq| (wq.name().to_owned(), Mutex::default()))
            .collect();
        Ok(Arc::new_cyclic(|me| Self {
            items: items(&program, &queues, me),
            turns: program.works.iter().map(|_| AtomicUsize::new(0)).collect(),
            locks: program.locks.iter().map(|_| Mutex::default()).collect(),
            hotplug: Mutex::default(),
            own,
            first,
            program,
            engine,
            started_at: now(),
            speed,
            begun: AtomicU64::new(0),
            executions: AtomicU64::new(0),
            busy: AtomicUsize::new(0),
            producers_done: AtomicUsize::new(0),
            frozen: AtomicBool::new(false),
            creation_fails: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            stopped: (Mutex::new(()), Condvar::new()),
            running,
        }))
    }

    /// The OS number of the script's CPU `index`.
    pub(super) fn cpu(&self, index: usize) -> usize {
        let cpus = self.engine.cpus();
        cpus[index % cpus.len()]
    }

    /// The items that are meant.
    pub(super) fn instances(&self, item: ItemRef) -> std::ops::Range<usize> {
        let first = self.first[item.work];
        match item.instance {
            Some(instance) => first + instance..first + instance + 1,
            None => first..first + self.program.works[item.work].instances,
        }
    }

    /// Does something with each of the items that are meant.
    pub(super) fn each(&self, item: ItemRef, act: impl Fn(&Handle)) {
        self.instances(item)
            .for_each(|item| act(&self.items[item].handle));
    }

    /// The instance that is meant, or the next in turn.
    pub(super) fn next_instance(&self, item: ItemRef) -> usize {
        let all = self.instances(item);
        match item.instance {
            Some(_) => all.start,
            None => all.start + self.turns[item.work].fetch_add(1, Ordering::Relaxed) % all.len(),
        }
    }

    /// Queues an item, after `delay`, for a CPU of the script if one is named.
    pub(super) fn queue(&self, item: usize, cpu: Option<usize>, delay: Duration) {
        let Item { handle, wq, .. } = &self.items[item];
        let cpu = cpu.map(|cpu| self.cpu(cpu));
        self.count(item, handle.queue(wq, cpu, delay));
    }

    /// Lets an item be queued after `delay` from now, wherever it is.
    pub(super) fn modify(&self, item: usize, delay: Duration) {
        let Item { handle, wq, .. } = &self.items[item];
        self.count(item, handle.modify(wq, delay));
    }

    fn count(&self, item: usize, queued: bool) {
        if !queued {
            lock(&self.items[item].log).totals.refused += 1;
        }
    }

    /// Whether every item is over: neither queued, nor on a timer, nor running. Exact once no producer queues any more.
    pub(super) fn is_quiet(&self) -> bool {
        let executions = || {
            let begun = self.begun.load(Ordering::Acquire);
            (begun, self.executions.load(Ordering::Acquire))
        };
        let before = executions();
        let from = self.busy.load(Ordering::Relaxed);
        let (first, last) = self.items.split_at(from.min(self.items.len()));
        let mut looked_at = last.iter().chain(first).enumerate();
        if let Some((index, _)) = looked_at.find(|(_, item)| !item.handle.is_idle()) {
            let busy = (from + index) % self.items.len();
            self.busy.store(busy, Ordering::Relaxed);
            return false;
        }
        // Only a running item, or one that began meanwhile, can have queued one that was looked at before.
        before == executions()
    }

    /// Items that are queued, on a timer or running.
    pub(super) fn outstanding(&self) -> u64 {
        let pending = self.items.iter().filter(|item| item.handle.pending());
        let ended = self.executions.load(Ordering::Acquire);
        let running = self.begun.load(Ordering::Acquire).saturating_sub(ended);
        pending.count() as u64 + running
    }

    /// Whether nothing executes.
    pub(super) fn is_at_rest(&self) -> bool {
        let ended = self.executions.load(Ordering::Acquire);
        self.begun.load(Ordering::Acquire) == ended
    }

    pub(super) fn workqueue(&self, wq: &WqRef) -> Option<Workqueue> {
        workqueue(&self.engine, &self.own, wq).ok()
    }

    /// An execution of this item begins.
    pub(super) fn begins(&self, item: &Item) {
        if let Some(running) = self.running.get(item.wq.name()) {
            let mut running = lock(running);
            running.0 += 1;
            running.1 = running.1.max(running.0);
        }
        lock(&item.log).totals.started += 1;
        self.begun.fetch_add(1, Ordering::AcqRel);
    }

    /// It has ended.
    pub(super) fn ends(&self, item: &Item, execution: Execution) {
        if let Some(running) = self.running.get(item.wq.name()) {
            lock(running).0 -= 1;
        }
        lock(&item.log).add(execution);
        self.executions.fetch_add(1, Ordering::AcqRel);
    }

    /// Waits until the engine has booked everything that was queued; of frozen workqueues see [`frozen::is_all`].
    pub(super) fn flush(&self) {
        let all = self.own.iter().chain(self.engine.system_workqueues());
        all.filter(|wq| !self.is_frozen(wq))
            .for_each(Workqueue::flush);
    }

    /// Whether nothing on it becomes active until a thaw.
    pub(super) fn is_frozen(&self, wq: &Workqueue) -> bool {
        self.frozen.load(Ordering::Acquire) && wq.flags().contains(WqFlags::FREEZABLE)
    }

    /// Most executions of a workqueue at once.
    pub(super) fn max_running(&self, wq: &str) -> u64 {
        self.running.get(wq).map_or(0, |running| lock(running).1)
    }

    /// Whether the replay is to end.
    pub(super) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Ends the replay: producers make no more calls.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        drop(lock(&self.stopped.0));
        self.stopped.1.notify_all();
    }

    /// Waits until then on the engine's clock. Returns false if the replay ends before.
    pub(super) fn wait_until(&self, at: u64) -> bool {
        if self.stopping() || now() >= at {
            return !self.stopping();
        }
        let mut guard = lock(&self.stopped.0);
        loop {
            if self.stopping() {
                return false;
            }
            let left = at.saturating_sub(now());
            if left == 0 {
                return true;
            }
            let deadline = Instant::now() + Duration::from_nanos(left);
            let left = deadline.saturating_duration_since(Instant::now());
            guard = self
                .stopped
                .1
                .wait_timeout(guard, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// A duration of the script's arrivals and waits, at the replay's speed.
    pub(super) fn scaled(&self, time: Duration) -> u64 {
        (time.as_nanos() as f64 / self.speed) as u64
    }
}

fn alloc(engine: &Engine, spec: &WorkqueueSpec) -> Result<Workqueue, Error> {
    let wq = if spec.flags.contains(WqFlags::ORDERED) {
        engine.alloc_ordered_workqueue(&spec.name, spec.flags - WqFlags::ORDERED)?
    } else {
        engine.alloc_workqueue(&spec.name, spec.flags, spec.max_active)?
    };
    if let Some(affinity) = &spec.affinity {
        wq.apply_attrs(&WorkqueueAttrs {
            affn_scope: affinity.scope.parse().unwrap_or_default(),
            affn_strict: affinity.strict,
            ..wq.attrs().unwrap_or_default()
        })?;
    }
    Ok(wq)
}

fn workqueue(engine: &Engine, own: &[Workqueue], wq: &WqRef) -> Result<Workqueue, ExecError> {
    match wq {
        WqRef::Own(index) => Ok(own[*index].clone()),
        WqRef::System(name) => {
            let named = engine.system_workqueues().find(|wq| wq.name() == name);
            named
                .cloned()
                .ok_or_else(|| ExecError::UnknownWorkqueue(name.clone()))
        }
    }
}

fn items(program: &Program, queues: &[Workqueue], shared: &Weak<Shared>) -> Vec<Item> {
    let mut items = Vec::new();
    let waiting = waiting_for_readers(program);
    for (work, spec) in program.works.iter().enumerate() {
        let rcu = waiting.contains(&work);
        for instance in 0..spec.instances {
            let name = match spec.instances {
                1 => spec.name.clone(),
                _ => format!("{}#{instance}", spec.name),
            };
            let index = items.len();
            let shared = shared.clone();
            let handle = Handle::named(&spec.name, rcu, move || {
                if let Some(shared) = shared.upgrade() {
                    body::execute(&shared, index);
                }
            });
            let wq = queues[work].clone();
            let log = ItemReport {
                name: name.clone(),
                workqueue: wq.name().to_owned(),
                ..ItemReport::default()
            };
            items.push(Item {
                work,
                handle,
                wq,
                rng: Mutex::new(SplitMix64::new(program.seed, &name)),
                log: Mutex::new(log),
            });
        }
    }
    items
}
