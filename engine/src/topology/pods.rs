//! Pods: the groups of CPUs that a scope makes. Kernel: `struct wq_pod_type`.

use super::places::Place;
use super::{AffinityScope, CpuMask, Topology};
use std::collections::HashMap;

/// Cores of a cache that one shard has, about. Kernel: `workqueue.cache_shard_size`.
pub const CACHE_SHARD_SIZE: usize = 8;

/// One group of CPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its CPUs. Kernel: `pod_cpus`.
    pub cpus: CpuMask,
    /// The NUMA node that it is on; `None`: it spans several, or its scope is the whole system. Kernel: `pod_node`.
    pub node: Option<usize>,
}

/// All pods of a scope: each CPU is in exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pods {
    /// In the order of their first CPUs.
    pods: Vec<Pod>,
    /// CPU and pod, by CPU.
    cpu_pod: Vec<(usize, usize)>,
}

impl Pods {
    /// The pods of `scope`, shards having about [`CACHE_SHARD_SIZE`] cores. `Default` stands for the kernel's,
    /// `cache_shard`.
    pub fn new(topology: &Topology, scope: AffinityScope) -> Self {
        Self::with_shards_of(topology, scope, CACHE_SHARD_SIZE)
    }

    /// [`Pods::new`] with another number of cores per shard; 0 counts as 1.
    pub fn with_shards_of(topology: &Topology, scope: AffinityScope, cores: usize) -> Self {
        let places = topology.places();
        let groups = match scope {
            AffinityScope::Cpu => keys(places, |place| place.cpu),
            AffinityScope::Smt => keys(places, |place| place.core),
            AffinityScope::Cache => keys(places, |place| place.cache),
            AffinityScope::CacheShard | AffinityScope::Default => shards(places, cores.max(1)),
            AffinityScope::Numa => keys(places, |place| place.node),
            AffinityScope::System => keys(places, |_| 0),
        };
        let (members, cpu_pod) = partition(places, &groups);
        let nodes = match scope {
            AffinityScope::System => Vec::new(),
            _ => topology.nodes(),
        };
        let node_of = |cpus: &CpuMask| {
            let holder = nodes.iter().find(|(_, node)| cpus.is_subset(node));
            holder.map(|(number, _)| *number)
        };
        let pods = members.into_iter().map(|cpus| Pod {
            node: node_of(&cpus),
            cpus,
        });
        Self {
            pods: pods.collect(),
            cpu_pod,
        }
    }

    /// How many there are. Kernel: `nr_pods`.
    pub fn count(&self) -> usize {
        self.pods.len()
    }

    /// The pods in the order of their numbers, which is that of their first CPUs.
    pub fn iter(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter()
    }

    /// The number of a CPU's pod; `None`: the CPU is in none. Kernel: `cpu_pod`.
    pub fn index_of(&self, cpu: usize) -> Option<usize> {
        let index = self.cpu_pod.binary_search_by_key(&cpu, |(cpu, _)| *cpu);
        index.ok().map(|index| self.cpu_pod[index].1)
    }

    /// The pod of a CPU; `None`: the CPU is in none.
    pub fn of(&self, cpu: usize) -> Option<&Pod> {
        self.index_of(cpu).map(|index| &self.pods[index])
    }
}

/// The sets of CPUs with equal keys, in the order of their first CPUs, and for each CPU the number of its set.
fn partition(places: &[Place], groups: &[usize]) -> (Vec<CpuMask>, Vec<(usize, usize)>) {
    let (mut seen, mut members) = (HashMap::new(), Vec::<Vec<usize>>::new());
    let mut cpu_pod = Vec::new();
    for (place, &group) in places.iter().zip(groups) {
        let next = members.len();
        let pod = *seen.entry(group).or_insert(next);
        if pod == next {
            members.push(Vec::new());
        }
        members[pod].push(place.cpu);
        cpu_pod.push((place.cpu, pod));
    }
    let masks = members.into_iter().map(|cpus| cpus.into_iter().collect());
    (masks.collect(), cpu_pod)
}

/// A key for the shard of each CPU: within a cache, cores are dealt out in the order of their first CPUs.
fn shards(places: &[Place], size: usize) -> Vec<usize> {
    let mut shard_of = vec![0; places.len()];
    let mut first_shard = 0;
    let (caches, _) = partition(places, &keys(places, |place| place.cache));
    for cache in caches {
        let inside: Vec<usize> = (0..places.len())
            .filter(|&index| cache.contains(places[index].cpu))
            .collect();
        let local: Vec<Place> = inside.iter().map(|&index| places[index]).collect();
        let (cores, core_of) = partition(&local, &keys(&local, |place| place.core));
        let sizes = shard_sizes(cores.len(), size);
        for (index, (_, core)) in inside.into_iter().zip(core_of) {
            shard_of[index] = first_shard + shard_with(&sizes, core);
        }
        first_shard += sizes.len();
    }
    shard_of
}

fn keys(places: &[Place], key: impl Fn(&Place) -> usize) -> Vec<usize> {
    places.iter().map(key).collect()
}

/// How many cores each shard of a cache has: as many shards as come nearest to `size`, the first ones one larger.
/// Kernel: `llc_calc_shard_layout()`.
fn shard_sizes(cores: usize, size: usize) -> Vec<usize> {
    let shards = ((cores + size / 2) / size).max(1);
    let (base, larger) = (cores / shards, cores % shards);
    (0..shards)
        .map(|shard| base + usize::from(shard < larger))
        .collect()
}

/// The shard that has this core of its cache.
fn shard_with(sizes: &[usize], core: usize) -> usize {
    let ends = sizes.iter().scan(0, |end, size| {
        *end += size;
        Some(*end)
    });
    ends.take_while(|&end| end <= core).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(spec: &str, scope: AffinityScope) -> Vec<String> {
        let topology: Topology = spec.parse().expect("a topology");
        let pods = Pods::new(&topology, scope);
        pods.iter().map(|pod| pod.cpus.to_list()).collect()
    }

    #[test]
    fn s10_shards_come_as_near_to_their_size_as_they_can() {
        assert_eq!(shard_sizes(8, 8), [8]);
        assert_eq!(shard_sizes(11, 8), [11]);
        assert_eq!(shard_sizes(12, 8), [6, 6]);
        assert_eq!(shard_sizes(72, 8), [8; 9]);
        assert_eq!(shard_sizes(13, 8), [7, 6]);
        assert_eq!(shard_sizes(3, 8), [3]);
        assert_eq!(shard_sizes(3, 1), [1, 1, 1]);
        assert_eq!(shard_sizes(5, 3), [3, 2]);
    }

    #[test]
    fn s10_the_scopes_of_a_machine_with_12_cores_24_threads_and_4_caches() {
        let machine = "1n4l3c2t";
        assert_eq!(pods(machine, AffinityScope::Cpu).len(), 24);
        let cores = pods(machine, AffinityScope::Smt);
        assert_eq!((cores.len(), cores[11].as_str()), (12, "22-23"));
        let caches = ["0-5", "6-11", "12-17", "18-23"];
        assert_eq!(pods(machine, AffinityScope::Cache), caches);
        // Three cores do not reach half a shard more: a cache is one shard.
        assert_eq!(pods(machine, AffinityScope::CacheShard), caches);
        assert_eq!(pods(machine, AffinityScope::Numa), ["0-23"]);
        assert_eq!(pods(machine, AffinityScope::System), ["0-23"]);
    }

    #[test]
    fn s10_a_shard_splits_no_core_and_crosses_no_cache() {
        let machine = "2n1l12c2t";
        let shards = ["0-11", "12-23", "24-35", "36-47"];
        assert_eq!(pods(machine, AffinityScope::CacheShard), shards);
        assert_eq!(pods(machine, AffinityScope::Default), shards);
        // Siblings far from each other, as the machine may number them.
        let topology: Topology = "1n1l12c2t".parse().expect("a topology");
        let numbers: Vec<usize> = (0..24).map(|i| i / 2 + i % 2 * 12).collect();
        let pods = Pods::new(&topology.renumbered(&numbers), AffinityScope::CacheShard);
        let shards: Vec<String> = pods.iter().map(|pod| pod.cpus.to_list()).collect();
        assert_eq!(shards, ["0-5,12-17", "6-11,18-23"]);
    }

    #[test]
    fn every_cpu_is_in_the_pod_that_lists_it() {
        let topology: Topology = "2n2l3c2t".parse().expect("a topology");
        for scope in AffinityScope::ALL {
            for size in [0, 1, 2, 8] {
                let pods = Pods::with_shards_of(&topology, scope, size);
                for cpu in topology.cpus().iter() {
                    assert!(pods.of(cpu).is_some_and(|pod| pod.cpus.contains(cpu)));
                }
                let sum: usize = pods.iter().map(|pod| pod.cpus.count()).sum();
                assert_eq!(sum, 24);
            }
        }
    }

    #[test]
    fn a_pod_has_a_node_unless_it_spans_several() {
        let nodes = |spec: &str, scope| -> Vec<Option<usize>> {
            let topology: Topology = spec.parse().expect("a topology");
            Pods::new(&topology, scope)
                .iter()
                .map(|pod| pod.node)
                .collect()
        };
        assert_eq!(nodes("2n1l1c1t", AffinityScope::Numa), [Some(0), Some(1)]);
        assert_eq!(nodes("2n1l1c1t", AffinityScope::Cpu), [Some(0), Some(1)]);
        assert_eq!(nodes("2n1l1c1t", AffinityScope::System), [None]);
        assert_eq!(nodes("1n1l1c1t", AffinityScope::System), [None]);
        assert_eq!(
            Pods::new(&Topology::flat(2), AffinityScope::Cpu).of(2),
            None
        );
    }
}
