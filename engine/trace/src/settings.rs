//! What an engine was told to do: its thresholds, its CPUs and how they are grouped. Rows of the snapshot, and what the
//! engine writes.

use crate::cpus::CpuSet;

/// Affinity scopes by their numbers. Kernel: `enum wq_affn_scope`, `wq_affn_names`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Scope {
    /// Whatever the engine's default is.
    #[default]
    Default,
    /// Each CPU alone.
    Cpu,
    /// The threads of a core.
    Smt,
    /// CPUs that share the last-level cache.
    Cache,
    /// A part of those.
    CacheShard,
    /// A NUMA node.
    Numa,
    /// All CPUs.
    System,
}

impl Scope {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Default,
        Self::Cpu,
        Self::Smt,
        Self::Cache,
        Self::CacheShard,
        Self::Numa,
        Self::System,
    ];

    /// The word in scripts, event text and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Cpu => "cpu",
            Self::Smt => "smt",
            Self::Cache => "cache",
            Self::CacheShard => "cache_shard",
            Self::Numa => "numa",
            Self::System => "system",
        }
    }

    /// The one with this number, if there is one.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// What an engine was told to do. `None`, or an empty list, where it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The CPUs that unbound work may use. Kernel: `wq_unbound_cpumask`.
    pub unbound_cpus: Option<CpuSet>,
    /// The CPUs that are there now, of those that the engine uses.
    pub online_cpus: Option<CpuSet>,
    /// The scope of workqueues that ask for none. Kernel: `workqueue.default_affinity_scope`.
    pub default_scope: Option<Scope>,
    /// Whether POWER_EFFICIENT workqueues are unbound. Kernel: `workqueue.power_efficient`.
    pub power_efficient: Option<bool>,
    /// CPU time after which a managed item is a hog, in nanoseconds; 0: none is.
    pub cpu_intensive_thresh_ns: Option<u64>,
    /// Time without progress after which a pool is reported, in nanoseconds; 0: never.
    pub watchdog_thresh_ns: Option<u64>,
    /// How long a worker stays idle before it may be culled, in nanoseconds.
    pub idle_timeout_ns: Option<u64>,
    /// How the CPUs are grouped, by scope, ascending.
    pub scopes: Vec<ScopeRow>,
    /// The CPUs of each NUMA node, by number.
    pub nodes: Vec<CpuSet>,
}

/// How one scope groups the CPUs. Kernel: `struct wq_pod_type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeRow {
    /// Which scope.
    pub scope: Scope,
    /// Its pods, by number. A CPU is in one of them, or in none.
    pub pods: Vec<PodRow>,
}

impl ScopeRow {
    /// The number of a CPU's pod.
    pub fn pod_of(&self, cpu: u16) -> Option<usize> {
        self.pods.iter().position(|pod| pod.cpus.contains(cpu))
    }
}

/// One pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodRow {
    /// Its CPUs.
    pub cpus: CpuSet,
    /// The NUMA node that all of them are of.
    pub node: Option<u16>,
}

/// What an unbound workqueue asks for. Kernel: `struct workqueue_attrs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WqAttrs {
    /// Nice level of the workers.
    pub nice: i32,
    /// How its items are kept together.
    pub scope: Scope,
    /// Whether workers must stay in their pod.
    pub strict: bool,
    /// The CPUs asked for, which the engine's own set may limit.
    pub cpus: CpuSet,
}

/// What a pool promises to its workqueues: by this, and by its nice level, unbound ones are told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolAttrs {
    /// CPUs that its workqueues allow. Kernel: `attrs->cpumask`.
    pub cpus: CpuSet,
    /// CPUs of its pod. Kernel: `attrs->__pod_cpumask`.
    pub pod_cpus: CpuSet,
    /// The NUMA node that it belongs to.
    pub node: Option<u16>,
    /// Whether its workers must stay in the pod.
    pub strict: bool,
}

/// The limits of a workqueue. Kernel: `max_active`, `min_active` and their saved values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WqLimits {
    /// The limit that was asked for. Kernel: `saved_max_active`.
    pub max_active: u32,
    /// What a node gets at least. Kernel: `saved_min_active`.
    pub min_active: u32,
    /// The limit in force: 0 while frozen. Kernel: `max_active`.
    pub effective_max_active: u32,
    /// What a node gets at least now. Kernel: `min_active`.
    pub effective_min_active: u32,
}

/// What one NUMA node may run of an unbound workqueue. Kernel: `struct wq_node_nr_active`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeRow {
    /// Items that hold an active slot of this node.
    pub nr: u32,
    /// Its share of the limit.
    pub max: u32,
}
