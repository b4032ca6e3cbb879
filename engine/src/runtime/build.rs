//! Building an engine.

use super::keeper::Keeper;
use super::pools::make_local;
use super::{Engine, EngineInner, EngineState, Rcu, Said, Timers};
use crate::error::Error;
use crate::os;
use crate::pool::IDLE_WORKER_TIMEOUT;
use crate::sense::tick::Tick;
use crate::sense::{Canary, Sensing};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};
use crate::topology::{Affinity, AffinityScope, CpuMask, ParseError, Topology};
use crate::wq::Reports;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use wq_trace::{Segment, SegmentConfig};

/// With a shorter one the keeper would do nothing but look.
const MIN_WATCHDOG_THRESH: Duration = Duration::from_millis(10);

/// What an engine is to be like. Made by [`Engine::builder`]; each method changes one thing, the last call wins.
///
/// ```
/// use std::time::Duration;
/// use wq_engine::{AffinityScope, Engine};
/// let engine = Engine::builder()
///     .name("doc-builder")
///     .cpu_intensive_thresh(Duration::from_millis(20))
///     .default_affinity_scope(AffinityScope::Numa)
///     .watchdog_thresh(Duration::ZERO)
///     .build()?;
/// # drop(engine);
/// # Ok::<(), wq_engine::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "an engine is built by build()"]
pub struct Builder {
    segment: SegmentConfig,
    cpus: Option<Vec<usize>>,
    sensing: Option<Sensing>,
    self_test: bool,
    cpu_intensive_thresh: Duration,
    idle_timeout: Duration,
    cpu_intensive_warning_thresh: u64,
    watchdog_thresh: Duration,
    power_efficient: bool,
    topology: Option<Topology>,
    default_affinity_scope: AffinityScope,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            segment: SegmentConfig {
                tracing: std::env::var_os("WQ_TRACING").is_none_or(|word| word != "0"),
                ..SegmentConfig::default()
            },
            cpus: None,
            sensing: None,
            self_test: true,
            cpu_intensive_thresh: Duration::from_millis(10),
            idle_timeout: Duration::from_nanos(IDLE_WORKER_TIMEOUT),
            cpu_intensive_warning_thresh: 4,
            watchdog_thresh: Duration::from_secs(30),
            power_efficient: false,
            topology: None,
            default_affinity_scope: AffinityScope::CacheShard,
        }
    }
}

impl Builder {
    /// The name that the tools find the engine by; the executable's by default. Characters other than letters,
    /// digits, `_`, `.` and `-` become `_`; at most 32 are kept.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.segment.name);
        self
    }

    /// OS numbers of the CPUs to use, as far as the building thread may use them; by default all that it may use.
    pub fn cpus(mut self, cpus: impl IntoIterator<Item = usize>) -> Self {
        self.cpus = Some(cpus.into_iter().collect());
        self
    }

    /// Who tells that a worker sleeps. By default what the environment's `WQ_SENSING` says (`auto`, `canary`, `tick` or
    /// `hints`), and [`Sensing::Auto`] without it. What does not work here falls to the next; [`Engine::sensing`] tells
    /// what was chosen, and the tools why.
    ///
    /// Looking at workers keeps up to half of the descriptors open that the process may have (`RLIMIT_NOFILE`), and
    /// 8,192 at most, for all engines of the process together. It works with fewer, at more cost. The limit is not
    /// raised: a program that wants to have many workers looked at may do so before it builds an engine.
    pub fn sensing(mut self, sensing: Sensing) -> Self {
        self.sensing = Some(sensing);
        self
    }

    /// Whether canaries are tried out before work comes, so that the tools can tell how fast they react on this machine;
    /// they are by default. It takes some milliseconds, once in a process. `WQ_SELF_TEST=0` in the environment says no,
    /// too.
    pub fn self_test(mut self, on: bool) -> Self {
        self.self_test = on;
        self
    }

    /// Where the shared-memory segment goes, instead of `$WQ_RUNTIME_DIR`, `$XDG_RUNTIME_DIR/wq` or `/dev/shm/wq-UID`.
    pub fn segment_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.segment.dir = Some(dir.into());
        self
    }

    /// Most bytes that the segment may have; 48 MiB by default. When they are spent, events are counted as lost.
    pub fn segment_budget(mut self, bytes: u64) -> Self {
        self.segment.budget = bytes;
        self
    }

    /// Bytes of one thread's event ring, a power of two; 256 KiB by default, for 4,096 events.
    pub fn ring_size(mut self, bytes: u64) -> Self {
        self.segment.ring_bytes = bytes;
        self
    }

    /// Whether events are recorded; they are by default, unless the environment says `WQ_TRACING=0`. Counters and
    /// states always are.
    pub fn tracing(mut self, on: bool) -> Self {
        self.segment.tracing = on;
        self
    }

    /// CPU time, since an item started or was last woken, after which it is taken for a hog: from then on it does not
    /// count as running, so that others start beside it. 10 ms by default; zero: never. Items of unbound and BH
    /// workqueues are never hogs. It is looked for 100 times a second while items use their CPUs, whatever the
    /// [`Sensing`], so it is found one or two hundredths of a second late; up to a fifth of a second if nothing used
    /// its CPU before. Kernel: `workqueue.cpu_intensive_thresh_us`.
    pub fn cpu_intensive_thresh(mut self, thresh: Duration) -> Self {
        self.cpu_intensive_thresh = thresh;
        self
    }

    /// How long a worker idles before it leaves, if more are idle than its pool keeps: two, and beyond those fewer than
    /// a quarter as many as are busy; 300 s by default. A pool that has no surplus workers sets no timer. Kernel: `IDLE_WORKER_TIMEOUT`.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// How often a work function must have hogged its CPU before that is reported through `tracing` for the first
    /// time; 4 by default, 0: never. After that it is reported ever more rarely.
    /// Kernel: `workqueue.cpu_intensive_warning_thresh`.
    pub fn cpu_intensive_warning_thresh(mut self, times: u32) -> Self {
        self.cpu_intensive_warning_thresh = times.into();
        self
    }

    /// How long a pool may have items on its worklist without that a worker takes one; then the stall is reported
    /// through `tracing`, with [`Engine::show_all_workqueues`] and what the pool's busy workers do, and again after
    /// the same time. 30 s by default; zero: never; what is shorter than 10 ms counts as 10 ms. Nothing wakes up for
    /// it while nothing waits.
    /// Kernel: `workqueue.watchdog_thresh`.
    pub fn watchdog_thresh(mut self, thresh: Duration) -> Self {
        self.watchdog_thresh = match thresh.is_zero() {
            true => thresh,
            false => thresh.max(MIN_WATCHDOG_THRESH),
        };
        self
    }

    /// Whether workqueues with the flag `POWER_EFFICIENT` are unbound, so that idle CPUs are left asleep; by default
    /// they are per CPU. Kernel: `workqueue.power_efficient`.
    pub fn power_efficient(mut self, on: bool) -> Self {
        self.power_efficient = on;
        self
    }

    /// How the CPUs lie to each other, instead of what the machine tells. CPUs that the engine does not use are left
    /// out; all that it uses must be in it. It decides which CPUs are a pod of an unbound workqueue.
    pub fn topology(mut self, topology: Topology) -> Self {
        self.topology = Some(topology);
        self
    }

    /// The scope of unbound workqueues that ask for [`AffinityScope::Default`]; `CacheShard` by default, and never
    /// `Default` itself. Kernel: `workqueue.default_affinity_scope`.
    pub fn default_affinity_scope(mut self, scope: AffinityScope) -> Self {
        self.default_affinity_scope = scope;
        self
    }

    /// Starts the engine: two pools for each CPU with a worker each, two for BH workqueues whose workers are made when
    /// the first item comes, the system workqueues, and the segment.
    ///
    /// # Errors
    /// [`Error::NoCpu`] or [`Error::Affinity`] if no CPU is left to use, or it cannot be found out which;
    /// [`Error::Topology`] if the topology lacks one of them or the default affinity scope is `Default`;
    /// [`Error::Thread`] if a first worker or one of the engine's own threads cannot be created. A segment that cannot
    /// be made is no error: the engine runs unseen, and says so once through `tracing`.
    pub fn build(self) -> Result<Engine, Error> {
        let cpus = self.used_cpus()?;
        let affinity = self.affinity(&cpus)?;
        let config = SegmentConfig {
            cpus: cpus.iter().map(|&cpu| cpu as u16).collect(),
            ..self.segment.clone()
        };
        let (segment, problem) = os::segment(&config);
        if let Some(problem) = problem {
            tracing::warn!("{problem}");
        }
        let inner = self.start(&config, segment, affinity);
        inner.tell_settings();
        inner.choose_sensing(self.sensing, self.self_test);
        for pool in &inner.pools() {
            inner.tell_pool(pool);
        }
        for pool in inner.percpu.iter().flatten() {
            if let Err(error) = inner.first_worker(pool) {
                inner.stop();
                return Err(error);
            }
        }
        if let Err(error) = inner.start_services() {
            inner.stop();
            return Err(error);
        }
        Engine::over(inner.clone()).inspect_err(|_| inner.stop())
    }

    fn affinity(&self, cpus: &[usize]) -> Result<Affinity, Error> {
        let used: CpuMask = cpus.iter().copied().collect();
        let topology = match &self.topology {
            Some(made_up) => made_up.restricted(&used),
            None => Topology::from_machine(&used),
        };
        let missing = &used - &topology.cpus();
        if !missing.is_empty() {
            return Err(Error::Topology(format!(
                "the topology has no place for CPUs {}, which the engine uses",
                missing.to_list()
            )));
        }
        let problem = |error: ParseError| Error::Topology(error.to_string());
        Affinity::new(topology, self.default_affinity_scope).map_err(problem)
    }

    fn used_cpus(&self) -> Result<Vec<usize>, Error> {
        let allowed = os::allowed_cpus().map_err(Error::Affinity)?;
        let Some(asked) = &self.cpus else {
            return Ok(allowed);
        };
        let mut used: Vec<usize> = asked
            .iter()
            .copied()
            .filter(|cpu| allowed.contains(cpu))
            .collect();
        used.sort_unstable();
        used.dedup();
        if used.is_empty() {
            return Err(Error::NoCpu {
                asked: asked.clone(),
                allowed,
            });
        }
        Ok(used)
    }

    /// The engine with its per-CPU pools, without a thread.
    fn start(
        &self,
        config: &SegmentConfig,
        segment: Segment,
        affinity: Affinity,
    ) -> Arc<EngineInner> {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
        let hog_thresh = nanoseconds(self.cpu_intensive_thresh);
        let warn_at = self.cpu_intensive_warning_thresh;
        let cpus: Vec<usize> = affinity.topology().cpus().iter().collect();
        Arc::new_cyclic(|me| {
            let canaries: Vec<_> = cpus.iter().map(|&cpu| Arc::new(Canary::new(cpu))).collect();
            let pools = |bh: bool| {
                let each = cpus.iter().zip(&canaries);
                let canary = |canary| (!bh).then_some(canary);
                each.map(|(&cpu, own)| make_local(me, &segment, cpu, canary(own), hog_thresh))
                    .collect()
            };
            EngineInner {
                uid: NEXT.fetch_add(1, Ordering::Relaxed),
                name: config.name.clone(),
                tracing: config.tracing,
                bh: pools(true),
                percpu: pools(false),
                segment,
                affinity,
                cpus,
                unbound: Mutex::default(),
                config: Mutex::default(),
                power_efficient: self.power_efficient,
                tier: AtomicU8::new(0),
                told_sensing: Mutex::default(),
                canaries,
                hog_thresh,
                watchdog_thresh: nanoseconds(self.watchdog_thresh),
                reports: Mutex::new(Reports::new(hog_thresh, warn_at)),
                tick: Tick::default(),
                keeper: Keeper::default(),
                timers: Timers::default(),
                rcu: Rcu::default(),
                workqueues: Mutex::default(),
                state: AtomicU8::new(EngineState::Running as u8),
                running_threads: AtomicUsize::new(0),
                threads: Mutex::default(),
                idle_timeout: nanoseconds(self.idle_timeout),
                creation_fails: AtomicBool::new(false),
                timer_tid: AtomicU32::new(0),
                attach: Mutex::default(),
                create_failure_said: AtomicBool::new(false),
                said: Said::default(),
                me: me.clone(),
            }
        })
    }
}

/// As long as can be said in nanoseconds.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl EngineInner {
    /// The threads of timers and readers, the keeper, and the tick if it is wanted.
    fn start_services(&self) -> Result<(), Error> {
        let failed = |name: &str| {
            let name = name.to_owned();
            move |source| Error::Thread { name, source }
        };
        self.spawn("wq-timer", |engine| {
            engine.unpinned_thread_is(os::thread_id());
            engine.timers.run();
        })
        .map_err(failed("wq-timer"))?;
        self.start_rcu().map_err(failed("wq-rcu"))?;
        let keeper = self.spawn("wq-keeper", |engine| engine.keeper.run(engine));
        self.keeper.is_run_by(keeper.map_err(failed("wq-keeper"))?);
        if self.ticks() {
            let thread = self.spawn("wq-tick", |engine| engine.tick.run(engine));
            self.tick.is_run_by(thread.map_err(failed("wq-tick"))?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watchdog_looks_every_10_ms_at_most() {
        let thresh = |asked| Builder::default().watchdog_thresh(asked).watchdog_thresh;
        assert_eq!(thresh(Duration::ZERO), Duration::ZERO, "it is off");
        assert_eq!(thresh(Duration::from_nanos(1)), MIN_WATCHDOG_THRESH);
        let longer = Duration::from_millis(11);
        assert_eq!(thresh(longer), longer);
    }
}
