//! The state of an engine at one moment, as plain data: what a segment says, or any other source that knows as much.

use crate::cpus::CpuSet;
use crate::ids::{FuncId, PoolId, PwqId, WorkerId, WqId};
use crate::sensing::{CanaryGauges, CanarySums, SensingInfo};
use crate::settings::{NodeRow, Settings, WqAttrs};
use crate::stats::{Breakdown, Counter, WqCounter};
use std::path::PathBuf;

/// Everything that stands in an engine's segment apart from the events.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// When it was taken, in nanoseconds on the segment's clock. For an engine that is gone: its last sign of life.
    pub at: u64,
    /// The engine.
    pub meta: Meta,
    /// What it was told to do.
    pub settings: Settings,
    /// How it notices that a worker blocked.
    pub sensing: SensingInfo,
    /// Workqueues in the order in which they were allocated.
    pub workqueues: Vec<WorkqueueRow>,
    /// Pools by the number shown.
    pub pools: Vec<PoolRow>,
    /// One row for each pwq, and one of [`PoolId::NONE`] for all that a workqueue's released ones came to.
    pub pwqs: Vec<PwqRow>,
    /// One row for each (pwq, function) that was ever queued.
    pub pwq_funcs: Vec<PwqFuncRow>,
    /// Work functions in the order in which they were first seen.
    pub functions: Vec<FunctionRow>,
    /// Workers that exist.
    pub workers: Vec<WorkerRow>,
    /// Threads that wait for an item or a workqueue.
    pub flushes: Vec<FlushRow>,
    /// Threads that emitted events.
    pub threads: Vec<ThreadRow>,
    /// Event rings.
    pub rings: Vec<RingRow>,
    /// Events that found no ring (the segment's budget was spent).
    pub lost_no_ring: u64,
    /// Things that got no row (the budget was spent, or there were too many): they work, but are not shown.
    pub hidden_rows: u64,
    /// Slots that kept changing while they were read, and were left out.
    pub torn: u64,
}

impl Snapshot {
    /// What the canaries of all pools did.
    pub fn canaries(&self) -> CanarySums {
        let mut sums = CanarySums::default();
        for pool in &self.pools {
            sums.add(&pool.canary, pool.is_percpu());
        }
        sums
    }
}

/// What is known of the engine itself.
#[derive(Clone, Debug, Default)]
pub struct Meta {
    /// Process id of the engine, in its own pid namespace.
    pub pid: u32,
    /// The engine's name.
    pub name: String,
    /// The executable.
    pub exe: String,
    /// The file, if it is one.
    pub path: Option<PathBuf>,
    /// Format version (major, minor).
    pub version: (u16, u16),
    /// When the engine started, in nanoseconds on the segment's clock.
    pub started_at: u64,
    /// Wall-clock time of `started_at`, in nanoseconds since 1970.
    pub started_wall: u64,
    /// When the engine ended, if it said so.
    pub ended_at: Option<u64>,
    /// How blocking is noticed: `tick`, `hints`, ...
    pub sensing: String,
    /// Why it is noticed that way, or what is limited in this engine; empty when there is nothing to say.
    pub sensing_reason: String,
    /// OS numbers of the CPUs the engine uses, ascending.
    pub cpus: Vec<u16>,
    /// Whether events are recorded.
    pub tracing: bool,
}

/// Whether an engine is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Liveness {
    /// Its process runs.
    Live,
    /// It ended and said so.
    Ended,
    /// Its process is gone without a word.
    Dead,
    /// It cannot be told from here: another pid namespace.
    Unknown,
    /// This is a recording, which ends while the engine ran.
    Recorded,
}

impl Liveness {
    /// The word in JSON and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ended => "ended",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
            Self::Recorded => "recorded",
        }
    }
}

/// A workqueue.
#[derive(Clone, Debug, Default)]
pub struct WorkqueueRow {
    /// Its identity.
    pub id: WqId,
    /// Its name, cleaned.
    pub name: String,
    /// Kernel flag bits: 1 BH, 2 UNBOUND, 4 FREEZABLE, 8 MEM_RECLAIM, 0x10 HIGHPRI, 0x20 CPU_INTENSIVE, 0x40 SYSFS,
    /// 0x80 POWER_EFFICIENT, 0x100 PERCPU, 0x8000 destroying, 0x10000 draining, 0x20000 ordered.
    pub flags: u32,
    /// The limit that was asked for: per CPU when bound. Kernel: `saved_max_active`.
    pub max_active: u32,
    /// What a NUMA node gets of it at least; 0 when not known. Kernel: `saved_min_active`.
    pub min_active: u32,
    /// The limit in force: 0 while frozen. Kernel: `max_active`.
    pub effective_max_active: u32,
    /// What a node gets at least now; 0 when not known. Kernel: `min_active`.
    pub effective_min_active: u32,
    /// What an unbound one asks for.
    pub attrs: Option<WqAttrs>,
    /// Its rescuer.
    pub rescuer: WorkerId,
    /// The pool for CPUs that have no other. Kernel: `dfl_pwq`.
    pub default_pool: PoolId,
    /// The pool of each CPU, by OS number; empty when not known.
    pub pools: Vec<PoolId>,
    /// The NUMA nodes by number, and last what belongs to none; empty when not known, or bound.
    pub nodes: Vec<NodeRow>,
    /// Counters that belong to no pool, indexed by [`WqCounter`].
    pub counters: [u64; WqCounter::COUNT],
}

/// Flag bits of [`WorkqueueRow::flags`] that the tools ask for.
pub mod wq_flags {
    /// `WQ_BH`.
    pub const BH: u32 = 0x1;
    /// `WQ_UNBOUND`.
    pub const UNBOUND: u32 = 0x2;
    /// `WQ_FREEZABLE`.
    pub const FREEZABLE: u32 = 0x4;
    /// `WQ_MEM_RECLAIM`.
    pub const MEM_RECLAIM: u32 = 0x8;
    /// `WQ_HIGHPRI`.
    pub const HIGHPRI: u32 = 0x10;
    /// `WQ_CPU_INTENSIVE`.
    pub const CPU_INTENSIVE: u32 = 0x20;
    /// `WQ_SYSFS`.
    pub const SYSFS: u32 = 0x40;
    /// `WQ_POWER_EFFICIENT`.
    pub const POWER_EFFICIENT: u32 = 0x80;
    /// `WQ_PERCPU`.
    pub const PERCPU: u32 = 0x100;
    /// `__WQ_DESTROYING`.
    pub const DESTROYING: u32 = 0x8000;
    /// `__WQ_DRAINING`.
    pub const DRAINING: u32 = 0x10000;
    /// `__WQ_ORDERED`.
    pub const ORDERED: u32 = 0x20000;
}

impl WorkqueueRow {
    /// How it is served, in the kernel's words: `percpu`, `unbound`, `unbound,S` when strict, `ordered`, `bh`.
    pub fn kind(&self) -> &'static str {
        kind_of(self.flags, self.attrs.as_ref().is_some_and(|a| a.strict))
    }
}

/// How a workqueue of these flags is served: see [`WorkqueueRow::kind`].
pub(crate) const fn kind_of(flags: u32, strict: bool) -> &'static str {
    match (flags & wq_flags::UNBOUND != 0, flags) {
        (true, _) if flags & wq_flags::ORDERED != 0 => "ordered",
        (true, _) if strict => "unbound,S",
        (true, _) => "unbound",
        (false, _) if flags & wq_flags::BH != 0 => "bh",
        (false, _) => "percpu",
    }
}

/// Flag bits of [`PoolRow::flags`].
pub mod pool_flags {
    /// `POOL_BH`: one pseudo worker that runs items in the order of queueing.
    pub const BH: u32 = 0x1;
    /// `POOL_MANAGER_ACTIVE`.
    pub const MANAGER_ACTIVE: u32 = 0x2;
    /// `POOL_DISASSOCIATED`: no concurrency management.
    pub const DISASSOCIATED: u32 = 0x4;
    /// `POOL_BH_DRAINING`.
    pub const BH_DRAINING: u32 = 0x8;
}

/// A worker pool.
#[derive(Clone, Debug, Default)]
pub struct PoolRow {
    /// Its identity.
    pub id: PoolId,
    /// The number shown: 4c+2 normal and 4c+3 highpri pool of CPU c, unbound pools from 4 x (highest CPU + 1).
    pub number: u32,
    /// OS number of its CPU; `None` for an unbound pool.
    pub cpu: Option<u16>,
    /// The nice level that its workers ask for.
    pub nice: i32,
    /// Whether every worker got that nice level.
    pub nice_granted: bool,
    /// Kernel flag bits: 1 BH, 2 manager active, 4 disassociated, 8 BH draining.
    pub flags: u32,
    /// Workers that run a managed item and are not known to sleep. Kernel: `nr_running`.
    pub nr_running: u32,
    /// All workers.
    pub nr_workers: u32,
    /// Idle workers.
    pub nr_idle: u32,
    /// Items on the worklist that no worker has taken.
    pub nr_pending: u32,
    /// The worker that creates workers at this moment.
    pub manager: WorkerId,
    /// When the pool last made progress (a worker began a batch, or an item met an empty worklist).
    pub last_progress: u64,
    /// Most workers that there were at once.
    pub max_workers: u32,
    /// Most nr_running that there was at once.
    pub max_nr_running: u32,
    /// Workers woken because another one blocked.
    pub cm_wakeups: u64,
    /// What its canary did.
    pub canary: CanaryGauges,
    /// References of pwqs; 0 when not known. Kernel: `refcnt`.
    pub refcnt: u32,
    /// Its NUMA node.
    pub node: Option<u16>,
    /// Whether its workers must stay in the pod.
    pub strict: bool,
    /// CPUs that its workqueues allow, where that is known.
    pub cpus: Option<CpuSet>,
    /// CPUs of its pod, where that is known.
    pub pod_cpus: Option<CpuSet>,
}

impl PoolRow {
    /// Whether it is a BH pool. Those of engines that say nothing of it are told by their numbers: the first two of the
    /// four that each CPU has.
    pub fn is_bh(&self) -> bool {
        self.flags & pool_flags::BH != 0 || (self.cpu.is_some() && self.number % 4 < 2)
    }

    /// Whether it is the normal or highpri pool of a CPU: one whose concurrency is managed.
    pub fn is_percpu(&self) -> bool {
        self.cpu.is_some() && !self.is_bh()
    }

    /// What the kernel's dumps call a BH pool and its worker: `bh`, `bh-hi`.
    pub fn bh_word(&self) -> &'static str {
        if self.nice < 0 || self.number % 4 == 1 {
            "bh-hi"
        } else {
            "bh"
        }
    }
}

/// One workqueue's share of one pool.
#[derive(Clone, Debug)]
pub struct PwqRow {
    /// Its identity.
    pub id: PwqId,
    /// Its workqueue.
    pub wq: WqId,
    /// Its pool; none when this is what released pwqs came to.
    pub pool: PoolId,
    /// Items that hold an active slot.
    pub nr_active: u32,
    /// References: 1, and one for each item queued or running. Kernel: `pool_workqueue.refcnt`.
    pub refcnt: u32,
    /// Items on the inactive list.
    pub nr_inactive: u32,
    /// Items executing.
    pub nr_in_flight: u32,
    /// Most items that executed at once.
    pub max_in_flight: u32,
    /// Whether it waits for the rescuer.
    pub mayday: bool,
    /// Whether it holds its items until older pwqs of an ordered workqueue have drained.
    pub plugged: bool,
    /// When the oldest of its inactive items was queued, to within 256 ns; 0 when it has none, or it is not known.
    pub held_since: u64,
    /// Counters, indexed by [`Counter`].
    pub counters: [u64; Counter::COUNT],
    /// Distribution of the waits, in nanoseconds.
    pub wait: Histogram,
    /// Distribution of the run times, in nanoseconds.
    pub run: Histogram,
}

/// What one function does on one pwq.
#[derive(Clone, Debug, Default)]
pub struct PwqFuncRow {
    /// The pwq.
    pub pwq: PwqId,
    /// The function.
    pub func: FuncId,
    /// Items on the worklist.
    pub pending: u32,
    /// Items on the inactive list.
    pub inactive: u32,
    /// Items executing.
    pub running: u32,
    /// Items ever queued.
    pub queued: u64,
    /// Executions ever begun.
    pub started: u64,
    /// Executions ever ended.
    pub completed: u64,
    /// Wall time of the ended executions, in nanoseconds.
    pub run_ns: u64,
    /// CPU time of the ended executions, in nanoseconds.
    pub cpu_ns: u64,
    /// Longest execution, in nanoseconds.
    pub run_max_ns: u64,
    /// Why its started items had waited. Their sum is the wait.
    pub breakdown: Breakdown,
}

/// A work function.
#[derive(Clone, Debug, Default)]
pub struct FunctionRow {
    /// Its identity.
    pub id: FuncId,
    /// Its name or `file:line`, cleaned.
    pub name: String,
    /// Timers armed for items of it.
    pub armed: u32,
    /// When the earliest of them fires; 0 when none is armed.
    pub next_expiry: u64,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WorkerState {
    /// On the idle list.
    #[default]
    Idle,
    /// Preparing to work, or between items.
    Busy,
    /// Executes an item.
    Running,
    /// Executes an item and was noticed to sleep in it.
    Sleeping,
    /// Creates a worker.
    Managing,
}

impl WorkerState {
    /// All of them, in the order of their numbers in the segment.
    pub const ALL: [Self; 5] = [
        Self::Idle,
        Self::Busy,
        Self::Running,
        Self::Sleeping,
        Self::Managing,
    ];

    /// The word in JSON and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Running => "running",
            Self::Sleeping => "sleeping",
            Self::Managing => "managing",
        }
    }
}

/// What sort of worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WorkerKind {
    /// One of a pool's.
    #[default]
    Normal,
    /// A workqueue's rescuer, which has a pool only while it helps one.
    Rescuer,
    /// The only one of a BH pool.
    Bh,
}

impl WorkerKind {
    /// All of them, in the order of their numbers in the segment.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Rescuer, Self::Bh];

    /// The word in JSON and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Rescuer => "rescuer",
            Self::Bh => "bh",
        }
    }
}

/// A worker.
#[derive(Clone, Debug, Default)]
pub struct WorkerRow {
    /// Its identity.
    pub id: WorkerId,
    /// What sort it is.
    pub kind: WorkerKind,
    /// The workqueue that a rescuer is of.
    pub rescue_wq: WqId,
    /// The CPUs that it may run on, where that is known.
    pub cpus: Option<CpuSet>,
    /// Its pool; none when it is a rescuer that helps none.
    pub pool: PoolId,
    /// The number in its name.
    pub number: u32,
    /// Base name: `kworker/0:1H`.
    pub name: String,
    /// OS thread id; 0 until the thread has started.
    pub tid: u32,
    /// What it does.
    pub state: WorkerState,
    /// When it began to do that.
    pub since: u64,
    /// The item it executes, or 0.
    pub work: u64,
    /// The function it executes.
    pub func: FuncId,
    /// That item's workqueue.
    pub wq: WqId,
    /// ... and pwq, where that is known.
    pub pwq: PwqId,
    /// When that execution began.
    pub started_at: u64,
    /// Description: the last workqueue's name, or what the work function set.
    pub desc: String,
    /// Items it has executed.
    pub executed: u64,
}

impl WorkerRow {
    /// The name with the suffix that `ps` shows for a kernel worker: `+desc` while it executes, `-desc` after. A rescuer
    /// that helps no pool has none.
    pub fn full_name(&self) -> String {
        let detached = self.kind == WorkerKind::Rescuer && !self.pool.is_some();
        let sign = match self.state {
            WorkerState::Running | WorkerState::Sleeping => '+',
            WorkerState::Idle | WorkerState::Busy | WorkerState::Managing => '-',
        };
        if self.desc.is_empty() || detached {
            self.name.clone()
        } else {
            format!("{}{sign}{}", self.name, self.desc)
        }
    }
}

/// A thread that waits.
#[derive(Clone, Debug, Default)]
pub struct FlushRow {
    /// The waiting thread.
    pub tid: u32,
    /// The item waited for, or 0.
    pub work: u64,
    /// The workqueue waited for, or that of the item.
    pub wq: WqId,
    /// The item's function.
    pub func: FuncId,
    /// Since when.
    pub since: u64,
    /// The number of the deadlock that this wait is part of, as in [`crate::What::Deadlock`]; 0 when of none.
    pub deadlock: u32,
}

/// A thread that emitted events.
#[derive(Clone, Debug, Default)]
pub struct ThreadRow {
    /// OS thread id.
    pub tid: u32,
    /// Its name when it emitted the first one.
    pub comm: String,
}

/// An event ring.
#[derive(Clone, Debug, Default)]
pub struct RingRow {
    /// Its place among the rings.
    pub index: u32,
    /// The thread that writes it, or wrote it last.
    pub tid: u32,
    /// How many threads had it before.
    pub generation: u32,
    /// Events ever written to it.
    pub written: u64,
    /// Events that it holds at most.
    pub capacity: u64,
}

/// A distribution in log-linear buckets: exact below 16, then 16 buckets for each power of two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// (upper end of the bucket inclusive, count), ascending, empty buckets left out.
    pub buckets: Vec<(u64, u64)>,
    /// The largest value recorded, exact.
    pub max: u64,
    /// The sum of all values, exact.
    pub sum: u64,
}
