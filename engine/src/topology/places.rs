//! Where each CPU stands: its core, its last-level cache, its node.

use super::{CpuMask, ParseError, machine, spec};
use std::path::Path;
use std::str::FromStr;

/// Where one CPU stands. Equal numbers mean the same core or cache; which numbers they are means nothing, but for the
/// node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) cpu: usize,
    pub(super) core: usize,
    pub(super) cache: usize,
    pub(super) node: usize,
}

/// Which CPUs share a core, a last-level cache and a NUMA node.
///
/// Read from the machine, or made up as in `2n1l4c2t`: two nodes, one cache in each, four cores in each cache, two
/// threads in each core. In a made-up one CPUs are numbered by node, then cache, core and thread, so that the threads
/// of a core are neighbours.
///
/// ```
/// use wq_engine::Topology;
///
/// let topology: Topology = "2n1l4c2t".parse()?;
/// assert_eq!(topology.cpus().to_list(), "0-15");
/// assert_eq!(topology.node_of(8), Some(1));
/// # Ok::<(), wq_engine::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// By CPU, ascending.
    places: Vec<Place>,
}

impl Topology {
    pub(super) fn from_places(places: impl Iterator<Item = Place>) -> Self {
        let mut places: Vec<Place> = places.collect();
        places.sort_by_key(|place| place.cpu);
        places.dedup_by_key(|place| place.cpu);
        Self { places }
    }

    /// How these CPUs of this machine lie to each other. What the system does not tell is taken for simple: a core
    /// each, one cache, one node.
    pub fn from_machine(cpus: &CpuMask) -> Self {
        machine::read(Path::new("/sys/devices/system"), cpus)
    }

    /// A made-up machine, as in `2n1l4c2t`: nodes, caches per node, cores per cache, threads per core. What is left
    /// out is 1.
    ///
    /// # Errors
    /// The text is not one, or has more than 8192 CPUs.
    pub fn from_spec(text: &str) -> Result<Self, ParseError> {
        spec::parse(text)
    }

    /// A made-up machine with this many CPUs: a core each, one cache, one node.
    pub fn flat(cpus: usize) -> Self {
        Self::from_places((0..cpus).map(|cpu| Place {
            cpu,
            core: cpu,
            cache: 0,
            node: 0,
        }))
    }

    /// The same with other CPU numbers: what was the lowest CPU becomes `cpus[0]`, and so on. CPUs without a number
    /// are left out; so are numbers without a CPU.
    pub fn renumbered(&self, cpus: &[usize]) -> Self {
        let pairs = self.places.iter().zip(cpus);
        Self::from_places(pairs.map(|(&place, &cpu)| Place { cpu, ..place }))
    }

    /// What is left of it with these CPUs only.
    pub fn restricted(&self, cpus: &CpuMask) -> Self {
        let kept = self.places.iter().copied();
        Self::from_places(kept.filter(|place| cpus.contains(place.cpu)))
    }

    /// Its CPUs.
    pub fn cpus(&self) -> CpuMask {
        self.places.iter().map(|place| place.cpu).collect()
    }

    /// The NUMA nodes that have CPUs, by number, with their CPUs. Kernel: `cpumask_of_node()`.
    pub fn nodes(&self) -> Vec<(usize, CpuMask)> {
        let mut numbers: Vec<usize> = self.places.iter().map(|place| place.node).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let cpus = |node| self.places.iter().filter(move |place| place.node == node);
        numbers
            .into_iter()
            .map(|node| (node, cpus(node).map(|place| place.cpu).collect()))
            .collect()
    }

    /// The NUMA node of a CPU; `None`: it is not in it. Kernel: `cpu_to_node()`.
    pub fn node_of(&self, cpu: usize) -> Option<usize> {
        self.place(cpu).map(|place| place.node)
    }

    /// The node that all of these CPUs are on, the only one if there is one only; `None`: they are on several.
    /// Kernel: the node of a `worker_pool`.
    pub fn node_of_all(&self, cpus: &CpuMask) -> Option<usize> {
        let nodes = self.nodes();
        let holder = nodes.iter().find(|(_, node)| cpus.is_subset(node));
        holder.map(|(number, _)| *number)
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    fn place(&self, cpu: usize) -> Option<&Place> {
        let index = self.places.binary_search_by_key(&cpu, |place| place.cpu);
        index.ok().map(|index| &self.places[index])
    }
}

impl FromStr for Topology {
    type Err = ParseError;

    /// [`Topology::from_spec`].
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::from_spec(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_up(spec: &str) -> Topology {
        spec.parse().expect("a topology")
    }

    fn list(text: &str) -> CpuMask {
        CpuMask::from_list(text).expect("a CPU list")
    }

    #[test]
    fn nodes_are_known_by_their_cpus() {
        let topology = made_up("2n1l2c1t");
        assert_eq!(topology.nodes(), [(0, list("0-1")), (1, list("2-3"))]);
        assert_eq!((topology.node_of(2), topology.node_of(4)), (Some(1), None));
        assert_eq!(topology.node_of_all(&list("2")), Some(1));
        assert_eq!(topology.node_of_all(&list("1-2")), None);
        assert_eq!(Topology::flat(4).node_of_all(&list("0-3")), Some(0));
    }

    #[test]
    fn cpus_can_be_given_other_numbers_and_left_out() {
        let other = made_up("2n1l2c1t").renumbered(&[3, 5, 8]);
        assert_eq!(other.nodes(), [(0, list("3,5")), (1, list("8"))]);
        assert_eq!(
            made_up("2n1l2c1t").restricted(&list("0,3")).cpus(),
            list("0,3")
        );
    }
}
