//! Which CPUs lie near to each other, and what follows for unbound workqueues: sets of CPUs, the machine's topology,
//! affinity scopes and their pods, the attributes of a workqueue, and which pool serves a CPU under them.
//!
//! Pure data and functions; only [`Topology::from_machine`] reads files. Where the engine and the simulator ask the
//! same question, the answer comes from here.
//!
//! ```
//! use wq_engine::topology::{Affinity, Pods};
//! use wq_engine::{AffinityScope, CpuMask, Topology, WorkqueueAttrs};
//!
//! // 12 cores with two threads each, three cores to a cache.
//! let topology = Topology::from_spec("1n4l3c2t")?;
//! let caches = Pods::new(&topology, AffinityScope::Cache);
//! assert_eq!(caches.count(), 4);
//!
//! let online = topology.cpus();
//! let affinity = Affinity::new(topology, AffinityScope::Cache)?;
//! let pool = affinity.slot(7, &WorkqueueAttrs::default(), &online);
//! assert_eq!(pool.pod().to_list(), "6-11");
//! # Ok::<(), wq_engine::ParseError>(())
//! ```

mod affinity;
mod attrs;
mod machine;
mod mask;
mod places;
mod pods;
mod scope;
mod spec;

pub use affinity::{Affinity, PoolAttrs, node_max};
pub use attrs::WorkqueueAttrs;
pub use mask::CpuMask;
pub use places::Topology;
pub use pods::{CACHE_SHARD_SIZE, Pod, Pods};
pub use scope::AffinityScope;

/// A text that is not the CPU mask, topology or affinity scope that it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ParseError {
    problem: String,
}

impl ParseError {
    fn new(problem: String) -> Self {
        Self { problem }
    }
}
