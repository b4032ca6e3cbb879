//! The user's handle of an engine: workqueues, and the end.

use super::EngineInner;
use super::alloc::alloc;
use super::build::Builder;
use crate::attrs::{System, WqFlags};
use crate::error::Error;
use crate::queue::{DelayedWork, Work, Workqueue};
use crate::sense::Sensing;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use wq_trace::Segment;

/// An engine: pools of workers for each CPU, and the system workqueues.
///
/// A handle: clones are the same engine. When the last one is dropped, timers are cancelled and items that were not
/// started are let go; running ones are waited for, unless the drop happens on one of the engine's own workers, or the
/// engine was shut down before. Handles of workqueues and items stay valid after that, and queueing returns false.
///
/// ```
/// use std::time::Duration;
/// use wq_engine::{Engine, Sensing};
/// let engine = Engine::builder().name("doc-engine").sensing(Sensing::Hints).build()?;
/// assert_eq!(engine.sensing(), Sensing::Hints);
/// engine.system_wq().spawn(|| println!("hello"));
/// engine.shutdown(Duration::from_secs(1))?;
/// # Ok::<(), wq_engine::Error>(())
/// ```
#[derive(Clone)]
pub struct Engine(Arc<Handle>);

struct Handle {
    inner: Arc<EngineInner>,
    /// In the order of [`System::ALL`].
    system: Vec<Workqueue>,
}

impl Engine {
    /// What the engine is to be like. [`Builder::build`] starts it.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The process's own engine, with the defaults of [`Engine::builder`], started when it is first asked for. It is
    /// never dropped; [`Engine::shutdown`] ends it for good.
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
        let make = |system: System| {
            let (name, flags, max_active) = system.spec();
            alloc(&inner, name, flags, max_active)
        };
        let system = System::ALL
            .into_iter()
            .map(make)
            .collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Handle { inner, system })))
    }

    pub(super) fn inner(&self) -> &Arc<EngineInner> {
        &self.0.inner
    }

    /// Makes a workqueue. `max_active` 0 asks for the default, 1024; values above 2048 are cut to it, with a warning.
    /// Names may repeat; longer ones than 31 bytes are cut, with a warning. Kernel: `alloc_workqueue()`.
    ///
    /// From any thread; takes locks, and may create threads.
    ///
    /// # Errors
    /// [`Error::Flags`] if `BH` is combined with other flags than `HIGHPRI` and `PERCPU` or with a `max_active`, or if
    /// there is a `SYSFS` workqueue of this name already; [`Error::Thread`] if the rescuer of a `MEM_RECLAIM` workqueue
    /// or the first worker of a new pool cannot be created; [`Error::ShutDown`] if the engine was shut down.
    ///
    /// ```
    /// # let engine = wq_engine::Engine::builder().name("doc-alloc").build()?;
    /// use wq_engine::{Error, WqFlags};
    /// let wq = engine.alloc_workqueue("my_driver", WqFlags::HIGHPRI | WqFlags::UNBOUND, 0)?;
    /// assert_eq!((wq.name(), wq.max_active()), ("my_driver", 1024));
    /// let wrong = engine.alloc_workqueue("soft", WqFlags::BH | WqFlags::UNBOUND, 0);
    /// assert!(matches!(wrong, Err(Error::Flags { .. })));
    /// # Ok::<(), wq_engine::Error>(())
    /// ```
    pub fn alloc_workqueue(
        &self,
        name: &str,
        flags: WqFlags,
        max_active: usize,
    ) -> Result<Workqueue, Error> {
        alloc(&self.0.inner, name, flags, max_active)
    }

    /// Makes a workqueue that executes one item at a time, in queueing order, whatever CPU queued it. Its `max_active`
    /// is 1. `FREEZABLE`, `MEM_RECLAIM`, `HIGHPRI` and `SYSFS` go with it. Kernel: `alloc_ordered_workqueue()`.
    ///
    /// # Errors
    /// As [`Engine::alloc_workqueue`].
    ///
    /// ```
    /// # let engine = wq_engine::Engine::builder().name("doc-ordered").build()?;
    /// use wq_engine::WqFlags;
    /// let journal = engine.alloc_ordered_workqueue("journal", WqFlags::MEM_RECLAIM)?;
    /// let (lines, written) = std::sync::mpsc::channel();
    /// for line in 0..3 {
    ///     let lines = lines.clone();
    ///     journal.spawn(move || lines.send(line).expect("somebody reads"));
    /// }
    /// journal.flush();
    /// assert_eq!(written.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
    /// # Ok::<(), wq_engine::Error>(())
    /// ```
    pub fn alloc_ordered_workqueue(&self, name: &str, flags: WqFlags) -> Result<Workqueue, Error> {
        let flags = (flags - WqFlags::PERCPU) | WqFlags::UNBOUND | WqFlags::ORDERED;
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

    /// Shown as `events`: per CPU, for short items. The same as [`Engine::system_percpu_wq`]. It is everybody's: who has
    /// more items outstanding than its `max_active`, and lets them wait for each other, can block it for all.
    /// Kernel: `system_wq`.
    pub fn system_wq(&self) -> &Workqueue {
        self.system(System::Percpu)
    }

    /// Shown as `events`. The same as [`Engine::system_wq`]. Kernel: `system_percpu_wq`.
    pub fn system_percpu_wq(&self) -> &Workqueue {
        self.system(System::Percpu)
    }

    /// Shown as `events_highpri`: per CPU, served by the highpri pools. Kernel: `system_highpri_wq`.
    pub fn system_highpri_wq(&self) -> &Workqueue {
        self.system(System::Highpri)
    }

    /// Shown as `events_long`: per CPU, for items that take long. Kernel: `system_long_wq`.
    pub fn system_long_wq(&self) -> &Workqueue {
        self.system(System::Long)
    }

    /// Shown as `events_unbound`: tied to no CPU. The same as [`Engine::system_dfl_wq`]. Kernel: `system_unbound_wq`.
    pub fn system_unbound_wq(&self) -> &Workqueue {
        self.system(System::Dfl)
    }

    /// Shown as `events_unbound`. The same as [`Engine::system_unbound_wq`]. Kernel: `system_dfl_wq`.
    pub fn system_dfl_wq(&self) -> &Workqueue {
        self.system(System::Dfl)
    }

    /// Shown as `events_dfl_long`: tied to no CPU, for items that take long. Kernel: `system_dfl_long_wq`.
    pub fn system_dfl_long_wq(&self) -> &Workqueue {
        self.system(System::DflLong)
    }

    /// Shown as `events_bh`: per CPU, for short items that do not sleep, one at a time in queueing order.
    /// Kernel: `system_bh_wq`.
    pub fn system_bh_wq(&self) -> &Workqueue {
        self.system(System::Bh)
    }

    /// Shown as `events_bh_highpri`: as [`Engine::system_bh_wq`], with nice -20 where permitted.
    /// Kernel: `system_bh_highpri_wq`.
    pub fn system_bh_highpri_wq(&self) -> &Workqueue {
        self.system(System::BhHighpri)
    }

    /// Every workqueue with active or inactive items and every pool with a busy worker, as sysrq-t shows them: which
    /// items run for how long, which wait, and which threads (`BAR`) wait for them. Takes each pool's lock in turn, so
    /// the pools are not of one moment. From any thread; empty in a forked child. Kernel: `show_all_workqueues()`, which prints.
    ///
    /// ```
    /// let engine = wq_engine::Engine::builder().name("doc-show").build()?;
    /// println!("{}", engine.show_all_workqueues());
    /// # Ok::<(), wq_engine::Error>(())
    /// ```
    pub fn show_all_workqueues(&self) -> String {
        self.0.inner.show_all()
    }

    /// The part of [`Engine::show_all_workqueues`] about one workqueue; empty if no item of it is active or inactive.
    /// Kernel: `show_one_workqueue()`, which prints.
    pub fn show_one_workqueue(&self, wq: &Workqueue) -> String {
        self.0.inner.show_one(wq)
    }

    /// The busy workqueues that take part in freezing: what [`Engine::freeze`] waits for, if anything.
    /// Kernel: `show_freezable_workqueues()`, which prints.
    pub fn show_freezable_workqueues(&self) -> String {
        self.0.inner.show_freezable()
    }

    /// Shown as `events_freezable`: per CPU, takes part in [`Engine::freeze`]. Kernel: `system_freezable_wq`.
    pub fn system_freezable_wq(&self) -> &Workqueue {
        self.system(System::Freezable)
    }

    /// Shown as `events_power_efficient`: unbound if the engine is power efficient
    /// ([`Builder::power_efficient`]), per CPU otherwise. Kernel: `system_power_efficient_wq`.
    pub fn system_power_efficient_wq(&self) -> &Workqueue {
        self.system(System::PowerEfficient)
    }

    /// Shown as `events_freezable_pwr_efficient`: both of the two before. Kernel: `system_freezable_power_efficient_wq`.
    pub fn system_freezable_power_efficient_wq(&self) -> &Workqueue {
        self.system(System::FreezablePowerEfficient)
    }

    /// All system workqueues, each once, in the order of [`SYSTEM_WORKQUEUE_NAMES`](crate::SYSTEM_WORKQUEUE_NAMES).
    pub fn system_workqueues(&self) -> impl Iterator<Item = &Workqueue> {
        self.0.system.iter()
    }

    fn system(&self, which: System) -> &Workqueue {
        &self.0.system[which as usize]
    }

    /// Freezes all workqueues with the flag `FREEZABLE`: what is not active yet waits until [`Engine::thaw`], and so
    /// does everything that is queued from now on; active items run to their end. Returns the workqueues on which
    /// some still do. May be called again while frozen, to ask again. From any thread; takes locks.
    ///
    /// A flush or drain of a frozen workqueue that holds items back waits for the thaw; cancelling them works.
    /// [`Engine::shutdown`] thaws, since nothing held back could be executed otherwise; from then on nothing freezes.
    /// Kernel: `freeze_workqueues_begin()`, `freeze_workqueues_busy()`.
    ///
    /// ```
    /// # let engine = wq_engine::Engine::builder().name("doc-freeze").build()?;
    /// use wq_engine::{Work, WqFlags};
    /// let wq = engine.alloc_workqueue("cold", WqFlags::FREEZABLE, 0)?;
    /// assert!(engine.freeze().is_empty(), "nothing was active");
    /// let work = Work::named("later", |_| ());
    /// assert!(wq.queue_work(&work) && work.pending());
    /// engine.thaw();
    /// work.flush();
    /// # Ok::<(), wq_engine::Error>(())
    /// ```
    pub fn freeze(&self) -> Vec<Workqueue> {
        self.0.inner.set_frozen(true)
    }

    /// Lets the workqueues that [`Engine::freeze`] froze go on: what was held back becomes active as far as
    /// `max_active` allows, in queueing order. From any thread; takes locks. Kernel: `thaw_workqueues()`.
    pub fn thaw(&self) {
        self.0.inner.set_frozen(false);
    }

    /// OS numbers of the CPUs that the engine uses, ascending; those that have left meanwhile are still in it.
    pub fn cpus(&self) -> &[usize] {
        &self.0.inner.cpus
    }

    /// How blocking is noticed; never [`Sensing::Auto`].
    pub fn sensing(&self) -> Sensing {
        self.0.inner.sensing()
    }

    /// The shared-memory file that tools read; `None` if it could not be made.
    pub fn segment_path(&self) -> Option<&Path> {
        self.0.inner.segment.path()
    }

    /// The segment itself, to be read without a file.
    pub fn segment(&self) -> &Segment {
        &self.0.inner.segment
    }

    /// For tests and drills: from now on no worker thread can be created, or, with `false`, they can again.
    ///
    /// What then happens is what happens when the system refuses threads: a manager tries again every second, items of
    /// [`WqFlags::MEM_RECLAIM`] workqueues are executed by their rescuers, and all others wait until a worker gets
    /// free or creation works again, which is noticed at once. A workqueue that needs a pool that does not exist yet
    /// cannot be made. Rescuers themselves can.
    pub fn fail_worker_creation(&self, fail: bool) {
        self.0.inner.fail_worker_creation(fail);
    }

    /// Ends the engine: refuses queueing from outside and items that queue themselves, cancels timers, thaws what
    /// [`Engine::freeze`] froze, and executes what is pending. Also ends what the other handles stand for. Not from a work function, which it would wait for
    /// until the time is over. `examples/shutdown.rs` shows the right order for a program.
    ///
    /// # Errors
    /// [`Error::Busy`] if items were still queued or running after `timeout`: the names say on which workqueues. What
    /// was not started is let go, and running items are left alone: their threads end when the work functions return.
    /// Nobody waits for them any more, the drop of the last handle included.
    ///
    /// ```
    /// use std::time::Duration;
    /// let engine = wq_engine::Engine::builder().name("doc-shutdown").build()?;
    /// engine.system_wq().spawn(|| println!("still runs"));
    /// engine.shutdown(Duration::from_secs(10))?;
    /// assert!(!engine.system_wq().spawn(|| println!("never runs")));
    /// # Ok::<(), wq_engine::Error>(())
    /// ```
    pub fn shutdown(&self, timeout: Duration) -> Result<(), Error> {
        self.0.inner.shutdown(timeout)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.inner.stop();
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("name", &self.0.inner.name)
            .field("cpus", &self.0.inner.cpus)
            .field("sensing", &self.0.inner.sensing())
            .finish_non_exhaustive()
    }
}
