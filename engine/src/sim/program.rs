//! A workload as data: what a script says after it was checked, run by the simulator and by `wq-replay` on threads.

use crate::attrs::WqFlags;
use std::time::Duration;

/// Everything that a workload does: workqueues, work items and what queues them.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The script's name.
    pub name: String,
    /// Seed of all draws.
    pub seed: u64,
    /// CPUs used, at least 1; `cpu` fields are indices below it.
    pub cpus: usize,
    /// Workqueues to allocate, in file order.
    pub workqueues: Vec<WorkqueueSpec>,
    /// Work descriptions, in file order.
    pub works: Vec<WorkSpec>,
    /// What queues, in file order.
    pub producers: Vec<ProducerSpec>,
    /// Names of the mutexes that `lock` steps take; [`Step::Lock`] holds an index into it.
    pub locks: Vec<String>,
    /// How the CPUs lie to each other, as [`Topology::from_spec`](crate::Topology::from_spec) reads it. `None`: as the
    /// machine's on threads; a core each, one cache and one node when simulated.
    pub topology: Option<String>,
    /// What it asks of the engine.
    pub engine: EngineSpec,
}

/// The engine that a workload asks for. `None`: the engine's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineSpec {
    /// CPU time after which an item stops counting in the concurrency level; zero: never.
    pub cpu_intensive_thresh: Option<Duration>,
    /// How long a worker stays idle before it may be culled.
    pub idle_timeout: Option<Duration>,
    /// How long a pool may make no progress before it is reported; zero: never reported.
    pub watchdog_thresh: Option<Duration>,
    /// Whether `POWER_EFFICIENT` workqueues are unbound.
    pub power_efficient: Option<bool>,
    /// The word of the [`AffinityScope`](crate::AffinityScope) of unbound workqueues that name none.
    pub default_affinity_scope: Option<String>,
    /// The word of [`Sensing`](crate::Sensing). The simulator, which knows who sleeps, does not look at it.
    pub sensing: Option<String>,
}

/// A workqueue to allocate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkqueueSpec {
    /// Its name as shown.
    pub name: String,
    /// Its flags; `ORDERED` asks for `alloc_ordered_workqueue`.
    pub flags: WqFlags,
    /// 0: the default.
    pub max_active: usize,
    /// Unbound only; `None`: the engine's default scope, not strict.
    pub affinity: Option<AffinitySpec>,
}

/// Which CPUs share the workers of an unbound workqueue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AffinitySpec {
    /// The word of an [`AffinityScope`](crate::AffinityScope).
    pub scope: String,
    /// Workers may not leave their CPUs.
    pub strict: bool,
}

/// A workqueue that a work item or a step names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WqRef {
    /// Index into [`Program::workqueues`].
    Own(usize),
    /// A system workqueue by the name it is shown with (`events`, `events_highpri`, ...).
    System(String),
}

/// One description of work, with one or more separate items.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkSpec {
    /// The function name that the tools show.
    pub name: String,
    /// Where its items are queued.
    pub workqueue: WqRef,
    /// What one execution does, in order.
    pub body: Vec<Step>,
    /// Separate items: `name`, or `name#0` .. when more than one. At least 1.
    pub instances: usize,
}

/// Items that a step or producer names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemRef {
    /// Index into [`Program::works`].
    pub work: usize,
    /// The one instance meant. `None`: the instances in turn for queueing steps, all of them for the others.
    pub instance: Option<usize>,
}

/// A duration as a script says it: fixed or drawn anew at each use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Draw {
    /// Always this long.
    Fixed(Duration),
    /// Exponential with this mean.
    Exp(Duration),
    /// Uniform between the two, both included.
    Uniform(Duration, Duration),
    /// Log-normal with this median and this sigma (of the natural logarithm).
    LogNormal(Duration, f64),
}

/// One step of a work function's body or of a producer.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Use the CPU for this long.
    Burn(Draw),
    /// Block for this long.
    Sleep(Draw),
    /// Block for this long inside `blocking(..)`.
    Blocking(Draw),
    /// Wait for the mutex (index into [`Program::locks`]), then burn this long holding it.
    Lock(usize, Draw),
    /// Give the CPU to another runnable thread.
    Yield,
    /// Queue the running item again.
    Requeue,
    /// Queue the running item again after this long.
    RequeueDelayed(Draw),
    /// Queue an item.
    Queue(ItemRef),
    /// Queue an item on this CPU (index).
    QueueOn(usize, ItemRef),
    /// Queue an item after this long.
    QueueDelayed(ItemRef, Draw),
    /// Queue an item after this long, or move the time when it is queued.
    ModDelayed(ItemRef, Draw),
    /// Queue an item after an RCU grace period.
    QueueRcu(ItemRef),
    /// Wait for the last queued instance of an item.
    Flush(ItemRef),
    /// Wait for all that is queued on a workqueue.
    FlushWq(WqRef),
    /// Take an item off its list or timer.
    Cancel(ItemRef),
    /// Cancel an item and wait for a running execution.
    CancelSync(ItemRef),
    /// Cancel an item and refuse its queueings until it is enabled as often.
    Disable(ItemRef),
    /// Take one disabling back.
    Enable(ItemRef),
    /// Producers only: do nothing for this long.
    Wait(Draw),
    /// Producers only: hold back what is queued on freezable workqueues.
    Freeze,
    /// Producers only: end the freezing.
    Thaw,
    /// Producers only: wait until a workqueue is empty; only its own items may queue on it meanwhile.
    Drain(WqRef),
    /// Producers only: another `max_active` for a workqueue.
    SetMaxActive(WqRef, usize),
    /// Producers only: whether the creation of workers fails from now on.
    FailCreate(bool),
    /// Producers only: a CPU (index) leaves.
    CpuDown(usize),
    /// Producers only: a CPU (index) comes back.
    CpuUp(usize),
    /// Panic inside the work function.
    Panic,
}

/// When a producer makes its calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// One call after the other without a pause.
    BackToBack,
    /// One call per period, the first at the start.
    Every(Draw),
    /// Exponential gaps with this many calls a second on average; the first call after the first gap.
    Poisson(f64),
}

/// A thread that queues.
#[derive(Clone, Debug, PartialEq)]
pub struct ProducerSpec {
    /// Its name; the thread's name in `run`.
    pub name: String,
    /// What each call does.
    pub action: ProducerAction,
    /// The CPU (index) it is pinned to.
    pub cpu: Option<usize>,
    /// Queue with `queue_work_on(cpu)`.
    pub on_cpu: bool,
    /// When it starts.
    pub at: Draw,
    /// The pace of its calls.
    pub pace: Pace,
    /// Most calls that it makes; `None`: not limited by number.
    pub count: Option<u64>,
    /// How long it goes on; `None`: not limited by time.
    pub duration: Option<Duration>,
}

/// What one call of a producer does.
#[derive(Clone, Debug, PartialEq)]
pub enum ProducerAction {
    /// Queue the next of these works' items, taken in turn through all instances.
    Works(Vec<usize>),
    /// Run all these steps.
    Steps(Vec<Step>),
}

/// SplitMix64: the one generator of all draws, a stream per (seed, name).
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// The stream of `name` under `seed`: the seed mixed with the FNV-1a hash of the name.
    pub fn new(seed: u64, name: &str) -> Self {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut stream = Self(seed ^ hash);
        stream.next_u64();
        stream
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in the open interval (0, 1): never 0, so that its logarithm is finite.
    pub fn next_unit(&mut self) -> f64 {
        ((self.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }
}

impl Draw {
    /// The next value of this duration.
    pub fn next(self, rng: &mut SplitMix64) -> Duration {
        match self {
            Self::Fixed(d) => d,
            Self::Exp(mean) => scaled(mean, -rng.next_unit().ln()),
            Self::Uniform(low, high) => low + scaled(high.saturating_sub(low), rng.next_unit()),
            Self::LogNormal(median, sigma) => {
                let (u, v) = (rng.next_unit(), rng.next_unit());
                let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
                scaled(median, (sigma * normal).exp())
            }
        }
    }
}

/// `base` times `factor`, capped at one hour so that no draw can overflow the clock.
fn scaled(base: Duration, factor: f64) -> Duration {
    const CAP: f64 = 3600.0;
    Duration::from_secs_f64((base.as_secs_f64() * factor).clamp(0.0, CAP))
}
