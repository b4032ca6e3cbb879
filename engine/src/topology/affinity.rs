//! Which pool serves a CPU of an unbound workqueue, and what share of its limit a node has.

use super::{AffinityScope, CpuMask, ParseError, Pods, Topology, WorkqueueAttrs};

/// What makes an unbound pool the one that it is: workqueues whose slots agree in it share the pool.
/// Kernel: `wqattrs_equal()` on `worker_pool.attrs`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PoolAttrs {
    nice: i32,
    strict: bool,
    pod: CpuMask,
    /// `pod` if strict, so that it makes no difference then.
    allowed: CpuMask,
}

impl PoolAttrs {
    /// A pool whose workers have this nice level and start in `pod`; strict ones stay there, others may go on
    /// anywhere in `allowed`.
    pub fn new(nice: i32, strict: bool, pod: CpuMask, allowed: CpuMask) -> Self {
        let allowed = if strict { pod.clone() } else { allowed };
        Self {
            nice,
            strict,
            pod,
            allowed,
        }
    }

    /// Nice level of the workers. Kernel: `nice`.
    pub fn nice(&self) -> i32 {
        self.nice
    }

    /// Whether workers never leave the pod. Kernel: `affn_strict`.
    pub fn strict(&self) -> bool {
        self.strict
    }

    /// The CPUs where workers start. Kernel: `__pod_cpumask`.
    pub fn pod(&self) -> &CpuMask {
        &self.pod
    }

    /// The CPUs that workers may use. Kernel: `pool_allowed_cpus()`.
    pub fn allowed(&self) -> &CpuMask {
        &self.allowed
    }
}

/// The machine as unbound workqueues see it: the pods of every scope, the default scope and the CPUs that unbound
/// items may use. Kernel: `wq_pod_types`, `wq_affn_dfl`, `wq_unbound_cpumask`.
#[derive(Clone, Debug)]
pub struct Affinity {
    topology: Topology,
    default_scope: AffinityScope,
    unbound: CpuMask,
    /// By scope, in the order of [`AffinityScope::ALL`].
    pods: [Pods; AffinityScope::ALL.len()],
}

impl Affinity {
    /// Unbound items may use all CPUs of `topology`; a workqueue that asks for `Default` gets `default_scope`.
    ///
    /// # Errors
    /// `default_scope` is `Default`, which says nothing. Kernel: `-EINVAL`.
    pub fn new(topology: Topology, default_scope: AffinityScope) -> Result<Self, ParseError> {
        if default_scope == AffinityScope::Default {
            return Err(ParseError::new(
                "the default affinity scope cannot be \"default\" itself".to_owned(),
            ));
        }
        let pods = AffinityScope::ALL.map(|scope| Pods::new(&topology, scope.or(default_scope)));
        Ok(Self {
            unbound: topology.cpus(),
            topology,
            default_scope,
            pods,
        })
    }

    /// The same, but unbound items use these CPUs only. A mask without any of the topology's CPUs changes nothing.
    /// Kernel: `workqueue.unbound_cpus`, `/sys/devices/virtual/workqueue/cpumask`.
    pub fn limited_to(mut self, cpus: &CpuMask) -> Self {
        let limited = &self.topology.cpus() & cpus;
        if !limited.is_empty() {
            self.unbound = limited;
        }
        self
    }

    /// How the CPUs lie to each other.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// What `Default` means; never `Default`. Kernel: `wq_affn_dfl`.
    pub fn default_scope(&self) -> AffinityScope {
        self.default_scope
    }

    /// CPUs that unbound items may use. Kernel: `wq_unbound_cpumask`.
    pub fn unbound(&self) -> &CpuMask {
        &self.unbound
    }

    /// The pods of a scope. Kernel: `wqattrs_pod_type()`.
    pub fn pods(&self, scope: AffinityScope) -> &Pods {
        &self.pods[scope as usize]
    }

    /// The CPUs that a workqueue's items may use: those that it asks for, or all that there are for unbound items
    /// if it may use none of them. Kernel: `wqattrs_actualize_cpumask()`.
    pub fn effective(&self, attrs: &WorkqueueAttrs) -> CpuMask {
        let mask = &attrs.cpumask & &self.unbound;
        if mask.is_empty() {
            self.unbound.clone()
        } else {
            mask
        }
    }

    /// The pool for items that are queued on `cpu`: that of the CPU's pod, or of the whole effective mask if the pod
    /// has no CPU for them that is online. Kernel: `wq_calc_pod_cpumask()`.
    pub fn slot(&self, cpu: usize, attrs: &WorkqueueAttrs, online: &CpuMask) -> PoolAttrs {
        let effective = self.effective(attrs);
        let pod = self.pods(attrs.affn_scope).of(cpu);
        let wanted = pod.map_or_else(CpuMask::empty, |pod| &pod.cpus & &effective);
        let pod = if wanted.intersects(online) {
            wanted
        } else {
            effective.clone()
        };
        PoolAttrs::new(attrs.nice, attrs.affn_strict, pod, effective)
    }

    /// The pool that serves the whole workqueue: an ordered one's only pool, any other's fallback.
    /// Kernel: that of `dfl_pwq`.
    pub fn fallback(&self, attrs: &WorkqueueAttrs) -> PoolAttrs {
        let effective = self.effective(attrs);
        PoolAttrs::new(attrs.nice, attrs.affn_strict, effective.clone(), effective)
    }

    /// The node of a pool: the one that its pod is on, the only one if there is one only.
    pub fn node_of(&self, pool: &PoolAttrs) -> Option<usize> {
        self.topology.node_of_all(&pool.pod)
    }

    /// Each node's share of a workqueue's `max_active`, by the node's number. Pools without a node have the whole of
    /// it. Kernel: `wq_update_node_max_active()`.
    pub fn node_maxes(
        &self,
        attrs: &WorkqueueAttrs,
        (min_active, max_active): (usize, usize),
        online: &CpuMask,
    ) -> Vec<(usize, usize)> {
        let effective = self.effective(attrs);
        let total = (&effective & online).count();
        let share = |node: &CpuMask| {
            let cpus = (&effective & node).count();
            node_max(max_active, min_active, cpus, total)
        };
        let nodes = self.topology.nodes().into_iter();
        nodes.map(|(number, node)| (number, share(&node))).collect()
    }
}

/// What a node with `cpus` of a workqueue's `total` online CPUs may have of its `max_active`: its part of it, rounded
/// up, but `min_active` at least; that too if no CPU is online. Never 0 unless `max_active` is, unlike in the kernel: what
/// was queued before the workqueue left the node must end. Kernel: `wq_update_node_max_active()`.
pub fn node_max(max_active: usize, min_active: usize, cpus: usize, total: usize) -> usize {
    let part = match total {
        0 => 0,
        total => (max_active * cpus).div_ceil(total),
    };
    part.max(min_active).max(1).min(max_active)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> CpuMask {
        CpuMask::from_list(text).expect("a CPU list")
    }

    /// Two nodes with two caches each, two cores to a cache: CPUs 0 to 7.
    fn affinity() -> Affinity {
        let topology = "2n2l2c1t".parse().expect("a topology");
        Affinity::new(topology, AffinityScope::Cache).expect("a scope")
    }

    fn attrs(cpus: &str, affn_scope: AffinityScope, affn_strict: bool) -> WorkqueueAttrs {
        WorkqueueAttrs {
            cpumask: list(cpus),
            affn_scope,
            affn_strict,
            ..WorkqueueAttrs::default()
        }
    }

    #[test]
    fn s9_6_the_default_scope_cannot_be_default() {
        let refused = Affinity::new(Topology::flat(1), AffinityScope::Default);
        assert!(refused.is_err());
    }

    #[test]
    fn s10_the_effective_mask_is_what_is_asked_for_or_all() {
        let all = affinity();
        let asked = |cpus| attrs(cpus, AffinityScope::Default, false);
        assert_eq!(all.effective(&WorkqueueAttrs::default()), list("0-7"));
        assert_eq!(all.effective(&asked("6-9")), list("6-7"));
        assert_eq!(all.effective(&asked("9")), list("0-7"));
        assert_eq!(all.effective(&asked("")), list("0-7"));
        let limited = all.limited_to(&list("0-3,100"));
        assert_eq!(limited.effective(&asked("2-5")), list("2-3"));
        assert_eq!(limited.effective(&asked("4-5")), list("0-3"));
        let not = limited.clone().limited_to(&list("100"));
        assert_eq!(not.unbound(), &list("0-3"));
    }

    #[test]
    fn s10_a_cpu_is_served_by_the_pool_of_its_pod() {
        let (affinity, online) = (affinity(), list("0-7"));
        let pod =
            |cpu, attrs: &WorkqueueAttrs, online: &CpuMask| affinity.slot(cpu, attrs, online).pod;
        let all = WorkqueueAttrs::default();
        assert_eq!(pod(3, &all, &online), list("2-3"));
        assert_eq!(pod(3, &all, &list("0-2,4-7")), list("2-3"));
        assert_eq!(pod(3, &all, &list("0-1,4-7")), list("0-7"), "offline");
        let some = attrs("3-4", AffinityScope::Default, false);
        assert_eq!(pod(2, &some, &online), list("3"));
        assert_eq!(pod(0, &some, &online), list("3-4"), "none of its pod");
        assert_eq!(pod(99, &all, &online), list("0-7"), "no CPU of the engine");
        let numa = attrs("0-7", AffinityScope::Numa, false);
        assert_eq!(pod(5, &numa, &online), list("4-7"));
    }

    #[test]
    fn s1_5_a_pool_is_known_by_nice_strictness_pod_and_unless_strict_the_mask() {
        let (affinity, online) = (affinity(), list("0-7"));
        let slot = |cpu, attrs: &WorkqueueAttrs| affinity.slot(cpu, attrs, &online);
        let numa = |cpus, strict| attrs(cpus, AffinityScope::Numa, strict);
        // The scope is not compared: whole nodes either way.
        let cache = attrs("0-1", AffinityScope::Cache, false);
        assert_eq!(slot(0, &cache), slot(0, &numa("0-1", false)));
        assert_eq!(slot(0, &numa("0-7", false)), slot(3, &numa("0-7", false)));
        assert_ne!(slot(0, &numa("0-7", false)), slot(0, &numa("0-7", true)));
        assert_ne!(slot(0, &numa("0-7", false)), slot(0, &numa("0-5", false)));
        assert_eq!(slot(0, &numa("0-7", true)), slot(0, &numa("0-5", true)));
        let nice = WorkqueueAttrs {
            nice: 1,
            ..numa("0-7", false)
        };
        assert_ne!(slot(0, &nice), slot(0, &numa("0-7", false)));
        // The fallback is the pool of a workqueue with the system scope.
        let system = attrs("0-7", AffinityScope::System, false);
        assert_eq!(affinity.fallback(&numa("0-7", false)), slot(4, &system));
    }

    #[test]
    fn s10_strict_workers_stay_in_the_pod() {
        let (affinity, online) = (affinity(), list("0-7"));
        let strict = affinity.slot(2, &attrs("0-7", AffinityScope::Cache, true), &online);
        assert_eq!(strict.allowed(), &list("2-3"));
        let loose = affinity.slot(2, &attrs("0-7", AffinityScope::Cache, false), &online);
        assert_eq!((loose.pod(), loose.allowed()), (&list("2-3"), &list("0-7")));
    }

    #[test]
    fn s1_5_a_pool_has_the_node_of_its_pod() {
        let (affinity, online) = (affinity(), list("0-7"));
        let node = |cpu, scope| {
            let pool = affinity.slot(cpu, &attrs("0-7", scope, false), &online);
            affinity.node_of(&pool)
        };
        assert_eq!(node(5, AffinityScope::Cpu), Some(1));
        assert_eq!(node(0, AffinityScope::Numa), Some(0));
        assert_eq!(node(0, AffinityScope::System), None);
        let one = Affinity::new(Topology::flat(2), AffinityScope::Cpu).expect("a scope");
        let whole = one.fallback(&WorkqueueAttrs::default());
        assert_eq!(one.node_of(&whole), Some(0));
    }

    #[test]
    fn s3_3_a_node_has_its_part_of_max_active() {
        assert_eq!(node_max(16, 8, 4, 8), 8);
        assert_eq!(node_max(1024, 8, 1, 3), 342, "rounded up");
        assert_eq!(node_max(10, 8, 1, 8), 8, "min_active at least");
        assert_eq!(node_max(10, 8, 8, 4), 10, "max_active at most");
        assert_eq!(node_max(10, 8, 0, 4), 8, "no CPU of it");
        assert_eq!(
            node_max(10, 0, 0, 4),
            1,
            "what was queued there before goes on"
        );
        assert_eq!(node_max(10, 8, 4, 0), 8, "all offline");
        assert_eq!(node_max(2, 8, 1, 2), 2, "max_active goes first");
    }

    #[test]
    fn s3_3_shares_count_the_cpus_of_the_effective_mask() {
        let affinity = affinity();
        let shares = |cpus, online: &str| {
            let attrs = attrs(cpus, AffinityScope::Cache, false);
            affinity.node_maxes(&attrs, (1, 12), &list(online))
        };
        assert_eq!(shares("0-7", "0-7"), [(0, 6), (1, 6)]);
        assert_eq!(shares("2-7", "0-7"), [(0, 4), (1, 8)]);
        assert_eq!(shares("2-3", "0-7"), [(0, 12), (1, 1)]);
        assert_eq!(shares("0-7", ""), [(0, 1), (1, 1)]);
    }
}
