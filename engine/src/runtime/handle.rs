//! The user's handle of an engine: workqueues, and the end.

use super::build::Builder;
use super::pools::HIGHPRI_NICE;
use super::{EngineInner, EngineState, context, lock};
use crate::attrs::{DFL_ACTIVE, MAX_ACTIVE, NAME_LEN, WqFlags};
use crate::error::Error;
use crate::os;
use crate::pool::PwqSpec;
use crate::queue::{DelayedWork, PwqRef, Work, Workqueue, WqInner, WqSpec, wait};
use crate::sense::Sensing;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use wq_trace::Segment;

/// An engine: pools of workers for each CPU, and the system workqueues.
///
/// A handle: clones are the same engine. When the last one is dropped, timers are cancelled and items that were not
/// started are let go; running ones are waited for, unless the drop happens on one of the engine's own workers.
#[derive(Clone)]
pub struct Engine(Arc<Handle>);

struct Handle {
    inner: Arc<EngineInner>,
    system: System,
}

/// The system workqueues. Kernel: `workqueue_init_early()`.
struct System {
    percpu: Workqueue,
    highpri: Workqueue,
    long: Workqueue,
    dfl: Workqueue,
    dfl_long: Workqueue,
}

impl Engine {
    /// What the engine is to be like.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The process's own engine, started when it is first asked for.
    ///
    /// # Panics
    /// If it cannot be started; [`Builder::build`] returns the error instead.
    pub fn global() -> &'static Self {
        static GLOBAL: OnceLock<Engine> = OnceLock::new();
        GLOBAL.get_or_init(|| match Self::builder().build() {
            Ok(engine) => engine,
            Err(error) => panic!("the global workqueue engine cannot be started: {error}"),
        })
    }

    pub(super) fn over(inner: Arc<EngineInner>) -> Result<Self, Error> {
        let make = |name, flags, max_active| alloc(&inner, name, flags, max_active);
        let percpu = WqFlags::PERCPU;
        let system = System {
            percpu: make("events", percpu, 0)?,
            highpri: make("events_highpri", percpu | WqFlags::HIGHPRI, 0)?,
            long: make("events_long", percpu, 0)?,
            dfl: make("events_unbound", WqFlags::UNBOUND, MAX_ACTIVE)?,
            dfl_long: make("events_dfl_long", WqFlags::UNBOUND, MAX_ACTIVE)?,
        };
        Ok(Self(Arc::new(Handle { inner, system })))
    }

    /// Makes a workqueue. `max_active` 0 asks for the default, 1024; values above 2048 are cut to it, with a warning.
    /// Names may repeat; longer ones than 31 bytes are cut, with a warning. Kernel: `alloc_workqueue()`.
    ///
    /// # Errors
    /// Flags that are not served yet, a pool whose first worker cannot be created, or an engine that was shut down.
    pub fn alloc_workqueue(
        &self,
        name: &str,
        flags: WqFlags,
        max_active: usize,
    ) -> Result<Workqueue, Error> {
        alloc(&self.0.inner, name, flags, max_active)
    }

    /// Makes a workqueue that executes one item at a time, in queueing order, whatever CPU queued it.
    /// Kernel: `alloc_ordered_workqueue()`.
    ///
    /// # Errors
    /// As [`Engine::alloc_workqueue`].
    pub fn alloc_ordered_workqueue(&self, name: &str, flags: WqFlags) -> Result<Workqueue, Error> {
        let flags = flags - WqFlags::PERCPU | WqFlags::UNBOUND | WqFlags::ORDERED;
        alloc(&self.0.inner, name, flags, 1)
    }

    /// [`Workqueue::queue_work`] on [`Engine::system_wq`]. Kernel: `schedule_work()`.
    pub fn schedule_work(&self, work: &Work) -> bool {
        self.system_wq().queue_work(work)
    }

    /// [`Workqueue::queue_work_on`] on [`Engine::system_wq`]. Kernel: `schedule_work_on()`.
    pub fn schedule_work_on(&self, cpu: usize, work: &Work) -> bool {
        self.system_wq().queue_work_on(cpu, work)
    }

    /// [`Workqueue::queue_delayed_work`] on [`Engine::system_wq`]. Kernel: `schedule_delayed_work()`.
    pub fn schedule_delayed_work(&self, work: &DelayedWork, delay: Duration) -> bool {
        self.system_wq().queue_delayed_work(work, delay)
    }

    /// [`Workqueue::queue_delayed_work_on`] on [`Engine::system_wq`]. Kernel: `schedule_delayed_work_on()`.
    pub fn schedule_delayed_work_on(
        &self,
        cpu: usize,
        work: &DelayedWork,
        delay: Duration,
    ) -> bool {
        self.system_wq().queue_delayed_work_on(cpu, work, delay)
    }

    /// Shown as `events`: per CPU, for short items. The same as [`Engine::system_percpu_wq`].
    pub fn system_wq(&self) -> &Workqueue {
        &self.0.system.percpu
    }

    /// Shown as `events`.
    pub fn system_percpu_wq(&self) -> &Workqueue {
        &self.0.system.percpu
    }

    /// Shown as `events_highpri`: per CPU, served by the highpri pools.
    pub fn system_highpri_wq(&self) -> &Workqueue {
        &self.0.system.highpri
    }

    /// Shown as `events_long`: per CPU, for items that take long.
    pub fn system_long_wq(&self) -> &Workqueue {
        &self.0.system.long
    }

    /// Shown as `events_unbound`: tied to no CPU. The same as [`Engine::system_dfl_wq`].
    pub fn system_unbound_wq(&self) -> &Workqueue {
        &self.0.system.dfl
    }

    /// Shown as `events_unbound`.
    pub fn system_dfl_wq(&self) -> &Workqueue {
        &self.0.system.dfl
    }

    /// Shown as `events_dfl_long`: tied to no CPU, for items that take long.
    pub fn system_dfl_long_wq(&self) -> &Workqueue {
        &self.0.system.dfl_long
    }

    /// OS numbers of the CPUs that the engine uses, ascending.
    pub fn cpus(&self) -> &[usize] {
        &self.0.inner.cpus
    }

    /// How blocking is noticed.
    pub fn sensing(&self) -> Sensing {
        self.0.inner.sensing
    }

    /// The shared-memory file that tools read; `None` if it could not be made.
    pub fn segment_path(&self) -> Option<&Path> {
        self.0.inner.segment.path()
    }

    /// The segment itself, to be read without a file.
    pub fn segment(&self) -> &Segment {
        &self.0.inner.segment
    }

    /// Ends the engine: refuses queueing from outside and items that queue themselves, cancels timers, and executes
    /// what is pending. Also ends what the other handles stand for.
    ///
    /// # Errors
    /// [`Error::Busy`] if items were still queued or running after `timeout`. They are let go, and running ones are
    /// left alone: their threads end when the work functions return.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), Error> {
        let inner = &self.0.inner;
        let begun = Instant::now();
        let deadline = begun + timeout;
        inner.advance(EngineState::Draining);
        inner.timers.cancel_all();
        let mut busy = inner.busy_workqueues();
        while !busy.is_empty() && Instant::now() < deadline {
            for wq in &busy {
                wait::flush_workqueue(wq, Some(deadline));
            }
            busy = inner.busy_workqueues();
        }
        let names: Vec<&str> = busy.iter().map(|wq| wq.spec.name.as_str()).collect();
        let result = match names.len() {
            0 => Ok(()),
            count => Err(Error::Busy {
                busy: count,
                names: names.join(", "),
                waited_ms: begun.elapsed().as_millis(),
            }),
        };
        inner.end(result.is_ok());
        result
    }
}

impl EngineInner {
    fn busy_workqueues(&self) -> Vec<Arc<WqInner>> {
        self.all_workqueues()
            .into_iter()
            .filter(|wq| !wq.is_idle())
            .collect()
    }

    /// Lets go of everything that was not started, and ends all threads.
    pub(super) fn stop(&self) {
        self.end(true);
    }

    /// As [`EngineInner::stop`]; running items are waited for if `reap`.
    fn end(&self, reap: bool) {
        self.advance(EngineState::Stopped);
        self.timers.cancel_all();
        self.timers.stop();
        self.tick.stop();
        for pool in self.pools() {
            pool.drop_queued(self);
            for worker in pool.transact(self, |core, now, _| core.die(now)) {
                pool.unpark(worker);
            }
        }
        let threads = std::mem::take(&mut *lock(&self.threads));
        let me = std::thread::current().id();
        let on_own_thread = threads.iter().any(|thread| thread.thread().id() == me);
        if reap && !on_own_thread && !self.segment.forked() {
            for thread in threads {
                // A worker's own panics are caught; a thread that died otherwise has said so itself.
                let _ = thread.join();
            }
        }
        self.segment.mark_ended(os::now());
        self.say_shortage();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.inner.stop();
    }
}

/// Kernel: `__alloc_workqueue()`.
fn alloc(
    engine: &Arc<EngineInner>,
    name: &str,
    flags: WqFlags,
    max_active: usize,
) -> Result<Workqueue, Error> {
    if engine.state() != EngineState::Running {
        return Err(Error::ShutDown {
            name: engine.name.clone(),
        });
    }
    let spec = checked(name, flags, max_active)?;
    let unbound = spec.flags.contains(WqFlags::UNBOUND);
    let highpri = spec.flags.contains(WqFlags::HIGHPRI);
    let slot = engine
        .segment
        .workqueue(&spec.name, spec.flags.bits(), spec.max_active as u32);
    let pwq_spec = PwqSpec {
        wq: slot.id(),
        wq_name: spec.name.clone(),
        max_active: spec.max_active,
        ordered: spec.flags.contains(WqFlags::ORDERED),
        cpu_intensive: spec.flags.contains(WqFlags::CPU_INTENSIVE) && !unbound,
        work_color: 0,
    };
    let link = |pool: &Arc<super::Pool>| PwqRef {
        pool: pool.clone(),
        ix: pool.transact(engine, |core, _, _| core.add_pwq(pwq_spec.clone())),
    };
    let (by_cpu, pwqs) = if unbound {
        let pool = engine.unbound_pool(if highpri { HIGHPRI_NICE } else { 0 })?;
        let pwq = link(&pool);
        (vec![pwq.clone(); engine.cpus.len()], vec![pwq])
    } else {
        let by_cpu: Vec<_> = engine
            .percpu
            .iter()
            .map(|pools| link(&pools[usize::from(highpri)]))
            .collect();
        (by_cpu.clone(), by_cpu)
    };
    let inner = Arc::new(WqInner {
        engine: engine.clone(),
        spec,
        slot,
        by_cpu,
        pwqs,
        flush: Mutex::default(),
        orphaned: false.into(),
    });
    engine.add_workqueue(&inner);
    engine.say_shortage();
    Ok(Workqueue::new(inner))
}

/// What the workqueue will be like.
fn checked(name: &str, flags: WqFlags, max_active: usize) -> Result<WqSpec, Error> {
    let later = WqFlags::BH
        | WqFlags::FREEZABLE
        | WqFlags::MEM_RECLAIM
        | WqFlags::SYSFS
        | WqFlags::POWER_EFFICIENT;
    let problem = |problem: String| Error::Flags {
        name: name.to_owned(),
        problem,
    };
    if flags.intersects(later) {
        let names: Vec<_> = (flags & later).iter_names().map(|(name, _)| name).collect();
        return Err(problem(format!("not supported yet: {}", names.join(", "))));
    }
    if flags.contains(WqFlags::UNBOUND | WqFlags::PERCPU) {
        return Err(problem(
            "UNBOUND and PERCPU exclude each other: give one of them".to_owned(),
        ));
    }
    let flags = if flags.contains(WqFlags::UNBOUND) {
        flags
    } else {
        flags | WqFlags::PERCPU
    };
    let asked = if max_active == 0 {
        DFL_ACTIVE
    } else {
        max_active
    };
    if asked > MAX_ACTIVE {
        tracing::warn!(
            "max_active {asked} requested for {name} is out of range, clamping between 1 and {MAX_ACTIVE}"
        );
    }
    Ok(WqSpec {
        name: cut(name),
        flags,
        max_active: asked.min(MAX_ACTIVE),
    })
}

/// A name of at most [`NAME_LEN`] bytes.
fn cut(name: &str) -> String {
    if name.len() <= NAME_LEN {
        return name.to_owned();
    }
    let end = (0..=NAME_LEN)
        .rev()
        .find(|&end| name.is_char_boundary(end))
        .unwrap_or(0);
    tracing::warn!(
        "workqueue name {name} is longer than {NAME_LEN} bytes; cut to {}",
        &name[..end]
    );
    name[..end].to_owned()
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("name", &self.0.inner.name)
            .field("cpus", &self.0.inner.cpus)
            .field("sensing", &self.0.inner.sensing)
            .finish_non_exhaustive()
    }
}

/// The work item that the calling thread executes, if it is a worker. Kernel: `current_work()`.
pub fn current_work() -> Option<Work> {
    context::current().map(|current| Work(current.work))
}

/// When the item that the calling worker executes was queued and when its execution began, in nanoseconds on
/// `CLOCK_MONOTONIC`; `None` outside of a work function.
pub fn current_stamps() -> Option<(u64, u64)> {
    context::current().map(|current| (current.queued_at, current.started_at))
}
