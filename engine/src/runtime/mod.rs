//! Engines on threads: builds the pools and their workers, executes what the pure centre decided, and takes it all
//! down again.

mod alloc;
mod build;
pub(crate) mod context;
mod cpus;
mod current;
mod end;
#[cfg(test)]
mod fork_tests;
mod handle;
mod keeper;
mod on_cpu;
mod pool;
mod pools;
mod rcu;
mod rescuer;
mod said;
mod sensing;
mod show;
mod timer;
mod told;
mod unbound;
mod waiter;
mod watchdog;

pub(crate) use alloc::in_range;
pub use build::Builder;
pub(crate) use context::{CurrentWork, Effects};
pub use current::{current_is_workqueue_rescuer, current_stamps, current_work, set_worker_desc};
pub use handle::Engine;
pub(crate) use pool::{Core, Pool};
pub(crate) use rcu::Rcu;
pub(crate) use rescuer::{Mayday, Rescuer, RescuerHandle};
pub(crate) use said::Said;
pub(crate) use timer::{TimerKey, Timers};
pub(crate) use waiter::Waiter;

use crate::attrs::WqFlags;
use crate::os;
use crate::pool::Report;
use crate::queue::{WorkInner, WqInner};
use crate::sense::tick::{Pace, Tick};
use crate::sense::{Canary, Sensing};
use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};
use crate::sync::thread::JoinHandle;
use crate::sync::{Mutex, MutexGuard};
use crate::topology::Affinity;
use crate::wq::Reports;
use keeper::Keeper;
use std::sync::{Arc, PoisonError, Weak};
use wq_trace::{Segment, SensingInfo, What, WqId};

/// What all threads of an engine share.
pub(crate) struct EngineInner {
    /// I: unique in the process, never 0.
    pub(crate) uid: u32,
    /// I
    pub(crate) name: String,
    /// I
    pub(crate) segment: Segment,
    /// I: whether events are recorded.
    pub(crate) tracing: bool,
    /// I: OS numbers of the CPUs used, ascending.
    pub(crate) cpus: Vec<usize>,
    /// I: normal and highpri pool of each CPU, in the order of `cpus`.
    pub(crate) percpu: Vec<[Arc<Pool>; 2]>,
    /// I: the same for BH workqueues.
    pub(crate) bh: Vec<[Arc<Pool>; 2]>,
    /// I: how the CPUs lie to each other, and what unbound workqueues may use of them.
    pub(crate) affinity: Affinity,
    /// Unbound pools, each with other attributes.
    unbound: Mutex<Vec<Arc<Pool>>>,
    /// What concerns several workqueues at once. Taken before any workqueue's mutex. Kernel: `wq_pool_mutex`.
    config: Mutex<Config>,
    /// I: whether POWER_EFFICIENT workqueues are unbound.
    pub(crate) power_efficient: bool,
    /// A [`Sensing`] that is in force, by its place in [`Sensing::ALL`]. It only ever falls.
    tier: AtomicU8,
    /// What the tools were told of it.
    told_sensing: Mutex<SensingInfo>,
    /// I: one for each CPU, in the order of `cpus`.
    pub(crate) canaries: Vec<Arc<Canary>>,
    /// I: CPU time in nanoseconds after which an execution hogs its CPU; 0: never.
    pub(crate) hog_thresh: u64,
    /// I: nanoseconds without progress after which a pool stalls; 0: never.
    pub(crate) watchdog_thresh: u64,
    reports: Mutex<Reports>,
    pub(crate) tick: Tick,
    pub(crate) keeper: Keeper,
    pub(crate) timers: Timers,
    pub(crate) rcu: Rcu,
    workqueues: Mutex<Vec<(WqId, Weak<WqInner>)>>,
    state: AtomicU8,
    /// Threads that were started and have not ended.
    running_threads: AtomicUsize,
    /// Workers, tick and timer threads that were started and not reaped.
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// I: how long surplus workers idle before they leave, in nanoseconds.
    idle_timeout: u64,
    /// Worker creation is made to fail.
    creation_fails: AtomicBool,
    /// OS id of the timer thread, which nobody pins: its affinity mask is what the engine may use.
    timer_tid: AtomicU32,
    /// Held while a pool's CPU leaves or comes back, and while a thread joins a pool. Taken before any pool's lock.
    /// Kernel: `wq_pool_attach_mutex`.
    attach: Mutex<()>,
    /// A failed worker creation was reported.
    create_failure_said: AtomicBool,
    pub(crate) said: Said,
    /// I: for the threads that the engine starts.
    me: Weak<EngineInner>,
}

/// What is wanted of the engine's own threads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pace: Pace,
    watchdog: bool,
}

/// See [`EngineInner::configure`].
#[derive(Debug, Default)]
pub(crate) struct Config {
    pub(crate) frozen: bool,
}

/// An engine's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum EngineState {
    /// Everything goes.
    Running,
    /// Only work functions queue, and not themselves.
    Draining,
    /// Nothing is queued any more; workers leave.
    Stopped,
}

/// A lock whose holder cannot leave it in a bad state.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl EngineInner {
    pub(crate) fn state(&self) -> EngineState {
        match self.state.load(Ordering::Acquire) {
            0 => EngineState::Running,
            1 => EngineState::Draining,
            _ => EngineState::Stopped,
        }
    }

    /// Moves on; an engine never goes back.
    fn advance(&self, state: EngineState) {
        self.state.fetch_max(state as u8, Ordering::AcqRel);
    }

    /// Whoever changes several workqueues, or the pools of one, holds this.
    pub(crate) fn configure(&self) -> MutexGuard<'_, Config> {
        lock(&self.config)
    }

    /// Whether the calling thread may queue this item now.
    pub(crate) fn accepts(&self, work: &Arc<WorkInner>) -> bool {
        match self.state() {
            EngineState::Running => true,
            EngineState::Draining => context::with(|context| {
                let current = context.current_in(self);
                current.is_some_and(|current| current.work.as_ptr() != Arc::as_ptr(work))
            }),
            EngineState::Stopped => false,
        }
    }

    /// The index of an OS CPU; of the next used one, cyclically, if the engine does not use it.
    pub(crate) fn cpu_index(&self, cpu: usize) -> usize {
        self.cpus.partition_point(|&used| used < cpu) % self.cpus.len()
    }

    /// A CPU on a NUMA node: `here` if it is on it, else the first one that has not left; `None` if the engine has none
    /// of it. Kernel: `select_numa_node_cpu()`.
    pub(crate) fn cpu_near(&self, node: usize, here: usize) -> Option<usize> {
        let topology = self.affinity.topology();
        let online = self.online();
        std::iter::once(here)
            .chain(online.iter())
            .find(|&cpu| online.contains(cpu) && topology.node_of(cpu) == Some(node))
    }

    /// The pools of one CPU each: those in which a worker that blocks or hogs its CPU makes a difference.
    pub(crate) fn local_pools(&self) -> Vec<Arc<Pool>> {
        self.percpu
            .iter()
            .chain(&self.bh)
            .flatten()
            .cloned()
            .collect()
    }

    /// All pools.
    pub(crate) fn pools(&self) -> Vec<Arc<Pool>> {
        let unbound = lock(&self.unbound);
        self.percpu
            .iter()
            .chain(&self.bh)
            .flatten()
            .chain(unbound.iter())
            .cloned()
            .collect()
    }

    /// Says, once, that the segment has no room for all that there is to see. Not for hot paths.
    fn say_shortage(&self) {
        if let Some(shortage) = self.segment.take_shortage() {
            tracing::warn!("{shortage}");
        }
    }

    /// Whether anybody looks at workers from outside.
    fn ticks(&self) -> bool {
        self.sensing() != Sensing::Hints || self.hog_thresh > 0
    }

    /// How often the workers of a pool in this state must be looked at.
    pub(crate) fn pace(&self, core: &Core) -> Pace {
        let sleeps = self.sensing() != Sensing::Hints;
        match (sleeps, self.hog_thresh > 0) {
            (true, _) if core.need_watching() => Pace::Fast,
            (false, false) => Pace::Off,
            _ if core.need_ticking() => Pace::Slow,
            _ => Pace::Off,
        }
    }

    /// What the state of a pool asks of the engine's own threads.
    pub(crate) fn services_wanted(&self, core: &Core) -> Wanted {
        Wanted {
            pace: self.pace(core),
            watchdog: self.watchdog_thresh > 0 && core.need_watchdog(),
        }
    }

    /// Sees to it that they are at it: a load each if they are.
    pub(crate) fn arm(&self, wanted: Wanted) {
        if wanted.pace != Pace::Off {
            self.tick.arm(wanted.pace);
        }
        if wanted.watchdog {
            self.keeper.arm();
        }
    }

    /// Something about a work function that its author should know; said if it was not said often enough.
    pub(crate) fn report(&self, report: Report) {
        // The names without the lock: whoever lets go of a workqueue last may have something to report.
        let said = lock(&self.reports).count(report);
        if let Some(said) = said {
            tracing::warn!("{}", said.text(self));
        }
    }

    /// A pwq of this workqueue has nothing of the flushed colour in flight any more.
    pub(crate) fn pwq_flushed(&self, id: WqId) {
        let Some(wq) = self.find_workqueue(id) else {
            return;
        };
        let done = lock(&wq.control).pwq_flushed(self);
        for waiter in done {
            waiter.complete();
        }
    }

    /// The workqueue with this id, unless it is gone.
    pub(crate) fn find_workqueue(&self, id: WqId) -> Option<Arc<WqInner>> {
        let workqueues = lock(&self.workqueues);
        let (_, wq) = workqueues.iter().find(|(wq, _)| *wq == id)?;
        wq.upgrade()
    }

    pub(crate) fn add_workqueue(&self, wq: &Arc<WqInner>) {
        lock(&self.workqueues).push((wq.id(), Arc::downgrade(wq)));
        self.emit_workqueue(wq, |flags, max_active| What::Alloc { flags, max_active });
    }

    /// The last handle, item and timer of a workqueue have gone, or it never came to be: whether it had.
    pub(crate) fn remove_workqueue(&self, wq: &WqInner) -> bool {
        let mut workqueues = lock(&self.workqueues);
        let place = workqueues.iter().position(|(id, _)| *id == wq.id());
        place.map(|place| workqueues.remove(place)).is_some()
    }

    /// A workqueue has ended.
    pub(crate) fn tell_destroyed(&self, wq: &WqInner) {
        self.emit_workqueue(wq, |flags, max_active| What::Destroy { flags, max_active });
    }

    fn emit_workqueue(&self, wq: &WqInner, what: impl FnOnce(u32, u32) -> What) {
        let what = what(
            wq.spec.flags.bits(),
            lock(&wq.control).limits.configured() as u32,
        );
        let event = wq.event(os::now(), what);
        context::with(|context| context.emit_one(self, event));
    }

    /// Whether a workqueue with the SYSFS flag has this name.
    fn has_sysfs(&self, name: &str) -> bool {
        self.all_workqueues()
            .iter()
            .any(|wq| wq.spec.name == name && wq.spec.flags.contains(WqFlags::SYSFS))
    }

    /// The workqueues that exist and were not destroyed.
    pub(crate) fn all_workqueues(&self) -> Vec<Arc<WqInner>> {
        let workqueues = lock(&self.workqueues);
        let mut all: Vec<_> = workqueues
            .iter()
            .filter_map(|(_, wq)| wq.upgrade())
            .collect();
        // Without the lock, which the last of a workqueue takes when it goes.
        drop(workqueues);
        all.retain(|wq| !wq.gate().is_gone());
        all
    }
}
