//! The attributes of an unbound workqueue.

use super::{AffinityScope, CpuMask};
use std::ops::RangeInclusive;

/// The nice levels that there are. Kernel: `MIN_NICE`, `MAX_NICE`.
const NICE: RangeInclusive<i32> = -20..=19;

/// How the workers of an unbound workqueue are ranked and where they may run. Kernel: `struct workqueue_attrs`.
///
/// The default is the kernel's: nice 0, every CPU, the default scope, not strict.
///
/// ```
/// use wq_engine::{AffinityScope, WorkqueueAttrs};
///
/// let attrs = WorkqueueAttrs {
///     nice: 5,
///     affn_scope: AffinityScope::Cache,
///     ..WorkqueueAttrs::default()
/// };
/// assert!(attrs.validate().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkqueueAttrs {
    /// Nice level of the workers, -20 to 19. Kernel: `nice`.
    pub nice: i32,
    /// CPUs that items may run on. If none of them may be used, all are. Kernel: `cpumask`.
    pub cpumask: CpuMask,
    /// How near to the queueing CPU items start. Kernel: `affn_scope`.
    pub affn_scope: AffinityScope,
    /// Whether workers never leave the scope; otherwise they only start in it. Kernel: `affn_strict`.
    pub affn_strict: bool,
}

impl Default for WorkqueueAttrs {
    /// Kernel: `alloc_workqueue_attrs()`.
    fn default() -> Self {
        Self {
            nice: 0,
            cpumask: CpuMask::all(),
            affn_scope: AffinityScope::Default,
            affn_strict: false,
        }
    }
}

impl WorkqueueAttrs {
    /// Whether the attributes can be had. A mask without a CPU that may be used is no error: all are used then.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn validate(&self) -> Result<(), String> {
        if NICE.contains(&self.nice) {
            return Ok(());
        }
        Err(format!(
            "nice {} is out of range; it goes from {} to {}",
            self.nice,
            NICE.start(),
            NICE.end()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nice_levels_have_bounds() {
        let attrs = |nice| WorkqueueAttrs {
            nice,
            ..WorkqueueAttrs::default()
        };
        for nice in [-20, 0, 19] {
            assert_eq!(attrs(nice).validate(), Ok(()));
        }
        for nice in [-21, 20, i32::MIN] {
            let problem = attrs(nice).validate().expect_err("out of range");
            assert!(problem.contains("-20 to 19"), "{problem}");
        }
    }
}
