//! The topology of the machine below, as sysfs tells it.

use super::{CpuMask, Topology};
use std::fs;
use std::path::Path;

/// Reads the topology of `cpus` below `root`, which is `/sys/devices/system` but in tests. What is missing or makes no
/// sense costs precision, never the start: a CPU is then a core of its own, the caches are one, and so are the nodes.
pub(super) fn read(root: &Path, cpus: &CpuMask) -> Topology {
    let cores = groups(cpus, |cpu| siblings(root, cpu).or(Some(CpuMask::of(cpu))));
    let caches = groups(cpus, |cpu| last_level_cache(root, cpu));
    let nodes = nodes(root);
    let node_of = |cpu| {
        let holder = nodes.iter().find(|(_, node)| node.contains(cpu));
        holder.map_or(0, |(number, _)| *number)
    };
    Topology::from_places(cpus.iter().map(|cpu| super::places::Place {
        cpu,
        core: group_of(&cores, cpu),
        cache: group_of(&caches, cpu),
        node: node_of(cpu),
    }))
}

/// Splits `cpus` into groups, each what `ask` says of its first CPU; those of which it says nothing are one more.
/// Who is in a group already stays there: lists that contradict each other still make a partition.
fn groups(cpus: &CpuMask, ask: impl Fn(usize) -> Option<CpuMask>) -> Vec<CpuMask> {
    let (mut groups, mut left) = (Vec::new(), cpus.clone());
    let mut unknown = CpuMask::empty();
    while let Some(cpu) = left.first() {
        let me = CpuMask::of(cpu);
        let group = match ask(cpu) {
            Some(told) => &(&told & &left) | &me,
            None => {
                unknown = &unknown | &me;
                left = &left - &me;
                continue;
            }
        };
        left = &left - &group;
        groups.push(group);
    }
    groups.push(unknown);
    groups
}

/// A name for the group of a CPU.
fn group_of(groups: &[CpuMask], cpu: usize) -> usize {
    let holder = groups.iter().position(|group| group.contains(cpu));
    holder.unwrap_or(groups.len())
}

/// The hardware threads of a CPU's core; older kernels know the second name only.
fn siblings(root: &Path, cpu: usize) -> Option<CpuMask> {
    let topology = root.join(format!("cpu/cpu{cpu}/topology"));
    ["core_cpus_list", "thread_siblings_list"]
        .into_iter()
        .find_map(|file| list(&topology.join(file)))
}

/// The CPUs that share the highest-level cache for data.
fn last_level_cache(root: &Path, cpu: usize) -> Option<CpuMask> {
    let cache = root.join(format!("cpu/cpu{cpu}/cache"));
    let indexes = fs::read_dir(cache).ok()?.flatten();
    let levels = indexes.filter_map(|index| {
        let index = index.path();
        let level: u32 = word(&index.join("level"))?.parse().ok()?;
        let holds_data = matches!(word(&index.join("type"))?.as_str(), "Data" | "Unified");
        holds_data.then_some((level, index))
    });
    let (_, last) = levels.max_by_key(|(level, _)| *level)?;
    list(&last.join("shared_cpu_list"))
}

/// The NUMA nodes by number, lowest first.
fn nodes(root: &Path) -> Vec<(usize, CpuMask)> {
    let entries = fs::read_dir(root.join("node")).into_iter().flatten();
    let mut nodes: Vec<(usize, CpuMask)> = entries
        .flatten()
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix("node")?.parse();
            Some((number.ok()?, list(&entry.path().join("cpulist"))?))
        })
        .collect();
    nodes.sort_by_key(|(number, _)| *number);
    nodes
}

fn word(file: &Path) -> Option<String> {
    Some(fs::read_to_string(file).ok()?.trim().to_owned())
}

/// A CPU list that has CPUs.
fn list(file: &Path) -> Option<CpuMask> {
    let mask = CpuMask::from_list(&word(file)?).ok()?;
    (!mask.is_empty()).then_some(mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AffinityScope;
    use crate::topology::Pods;
    use std::path::PathBuf;

    /// A folder that holds a machine.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a folder"))
        }

        fn write(&self, file: &str, text: &str) {
            let path: PathBuf = self.0.path().join(file);
            fs::create_dir_all(path.parent().expect("it has a folder")).expect("made");
            fs::write(path, text).expect("written");
        }

        fn cache(&self, cpu: usize, index: usize, level: &str, kind: &str, cpus: &str) {
            let at = format!("cpu/cpu{cpu}/cache/index{index}");
            self.write(&format!("{at}/level"), level);
            self.write(&format!("{at}/type"), kind);
            self.write(&format!("{at}/shared_cpu_list"), cpus);
        }

        /// The pods of a scope, as CPU lists.
        fn pods(&self, cpus: &str, scope: AffinityScope) -> Vec<String> {
            let cpus = CpuMask::from_list(cpus).expect("a list");
            let topology = read(self.0.path(), &cpus);
            let pods = Pods::new(&topology, scope);
            pods.iter().map(|pod| pod.cpus.to_list()).collect()
        }
    }

    /// Two nodes with a cache each, two cores with two threads in each; siblings are four apart.
    fn two_nodes() -> Machine {
        let machine = Machine::new();
        for cpu in 0..8 {
            let (core, half) = (cpu % 4, cpu % 4 / 2 * 2);
            let threads = format!("{core},{}\n", core + 4);
            let file = format!("cpu/cpu{cpu}/topology/core_cpus_list");
            machine.write(&file, &threads);
            machine.cache(cpu, 0, "1\n", "Data\n", &threads);
            machine.cache(cpu, 1, "1\n", "Instruction\n", &threads);
            let shared = format!("{half}-{},{}-{}\n", half + 1, half + 4, half + 5);
            machine.cache(cpu, 2, "3\n", "Unified\n", &shared);
            machine.cache(cpu, 3, "4\n", "Instruction\n", "0-7\n");
        }
        machine.write("node/node0/cpulist", "0-1,4-5\n");
        machine.write("node/node1/cpulist", "2-3,6-7\n");
        machine.write("node/node2/cpulist", "\n");
        machine.write("node/online", "0-2\n");
        machine
    }

    #[test]
    fn a_machine_is_read_as_it_is() {
        let machine = two_nodes();
        let cores = ["0,4", "1,5", "2,6", "3,7"];
        assert_eq!(machine.pods("0-7", AffinityScope::Smt), cores);
        let halves = ["0-1,4-5", "2-3,6-7"];
        assert_eq!(machine.pods("0-7", AffinityScope::Cache), halves);
        assert_eq!(machine.pods("0-7", AffinityScope::Numa), halves);
        let topology = read(
            machine.0.path(),
            &CpuMask::from_list("0-7").expect("a list"),
        );
        assert_eq!(topology.node_of(6), Some(1));
    }

    #[test]
    fn only_the_engines_cpus_are_in_it() {
        let machine = two_nodes();
        assert_eq!(machine.pods("4-6", AffinityScope::Smt), ["4", "5", "6"]);
        assert_eq!(machine.pods("4-6", AffinityScope::Cache), ["4-5", "6"]);
        assert_eq!(machine.pods("4-6", AffinityScope::System), ["4-6"]);
    }

    #[test]
    fn what_is_missing_costs_precision_only() {
        let nothing = Machine::new();
        assert_eq!(nothing.pods("0-1", AffinityScope::Smt), ["0", "1"]);
        for scope in [AffinityScope::Cache, AffinityScope::Numa] {
            assert_eq!(nothing.pods("0-1", scope), ["0-1"]);
        }
        let old = Machine::new();
        old.write("cpu/cpu0/topology/thread_siblings_list", "0-1");
        assert_eq!(old.pods("0-1", AffinityScope::Smt), ["0-1"]);
    }

    #[test]
    fn what_makes_no_sense_still_makes_a_partition() {
        let odd = two_nodes();
        odd.write("cpu/cpu0/topology/core_cpus_list", "1-2");
        odd.write("cpu/cpu3/topology/core_cpus_list", "what?");
        odd.cache(2, 2, "three", "Unified", "2-3,6-7");
        odd.cache(3, 2, "3", "Unified", "");
        odd.write("node/node1/cpulist", "nonsense");
        assert_eq!(odd.pods("0-3", AffinityScope::Smt), ["0-2", "3"]);
        assert_eq!(odd.pods("0-3", AffinityScope::Cache), ["0-1", "2", "3"]);
        assert_eq!(odd.pods("0-3", AffinityScope::Numa), ["0-3"]);
    }

    #[test]
    fn this_machine_can_be_read() {
        let topology = Topology::from_machine(&(0..2).collect());
        assert_eq!(topology.cpus().to_list(), "0-1");
        assert!(topology.nodes().iter().all(|(_, cpus)| !cpus.is_empty()));
    }
}
