//! What a workqueue is asked to be: its flags and limits, and which combinations are refused.
//!
//! Source: kernel-doc of `alloc_workqueue()`, `include/linux/workqueue.h`.

use bitflags::bitflags;

bitflags! {
    /// Behaviour of a workqueue. Kernel: `enum wq_flags`, the same bits.
    ///
    /// ```
    /// # let engine = wq_engine::Engine::builder().name("doc-flags").build()?;
    /// use wq_engine::WqFlags;
    /// let wq = engine.alloc_workqueue("crypt", WqFlags::HIGHPRI | WqFlags::CPU_INTENSIVE, 0)?;
    /// assert!(wq.flags().contains(WqFlags::PERCPU), "neither that nor UNBOUND was asked for");
    /// # Ok::<(), wq_engine::Error>(())
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct WqFlags: u32 {
        /// Items run in queueing order on one thread per CPU and must not sleep: one that does holds up all behind it,
        /// which is reported. `max_active` must be 0. Goes with `HIGHPRI` and `PERCPU` only. Kernel: `WQ_BH`.
        const BH = 0x1;
        /// Served by pools that are tied to no CPU and manage no concurrency: an item starts as soon as a worker is
        /// free. `max_active` holds for all CPUs together, with a part of it for each NUMA node. Kernel: `WQ_UNBOUND`.
        const UNBOUND = 0x2;
        /// Takes part in [`Engine::freeze`](crate::Engine::freeze). Kernel: `WQ_FREEZABLE`.
        const FREEZABLE = 0x4;
        /// Has a rescuer, a thread of its own: one execution context even when no worker can be created. For work
        /// that others wait for to get resources freed. Kernel: `WQ_MEM_RECLAIM`.
        const MEM_RECLAIM = 0x8;
        /// Served by highpri pools, whose workers have nice -20 where that is permitted. Normal and highpri pools do
        /// not count each other's workers. Kernel: `WQ_HIGHPRI`.
        const HIGHPRI = 0x10;
        /// Running items do not count in the pool's concurrency level: others start beside them. Means nothing for
        /// unbound workqueues. Kernel: `WQ_CPU_INTENSIVE`.
        const CPU_INTENSIVE = 0x20;
        /// Its name is its own among such workqueues. The tools show the attributes of all workqueues; they can be
        /// changed from inside only. Kernel: `WQ_SYSFS`.
        const SYSFS = 0x40;
        /// Unbound when the engine is [power efficient](crate::Builder::power_efficient), per CPU otherwise.
        /// Kernel: `WQ_POWER_EFFICIENT`.
        const POWER_EFFICIENT = 0x80;
        /// Per CPU; also what a workqueue is that asks for neither this nor `UNBOUND`. With both it is unbound, and
        /// that is said once. Kernel: `WQ_PERCPU`.
        const PERCPU = 0x100;
        /// One item at a time, in queueing order; unbound, whatever else is asked for. What
        /// [`Engine::alloc_ordered_workqueue`](crate::Engine::alloc_ordered_workqueue) adds. Kernel: `__WQ_ORDERED`.
        const ORDERED = 0x20000;
    }
}

impl WqFlags {
    /// Whether a work function on such a workqueue may wait for `target`: the one makes progress without memory, and so
    /// must the other.
    pub(crate) fn may_wait_for(self, target: Self) -> bool {
        !self.contains(Self::MEM_RECLAIM) || target.contains(Self::MEM_RECLAIM)
    }
}

/// `max_active` when 0 is asked for. Kernel: `WQ_DFL_ACTIVE`.
pub const DFL_ACTIVE: usize = 1024;
/// The largest `max_active`. Kernel: `WQ_MAX_ACTIVE`.
pub const MAX_ACTIVE: usize = 2048;
/// Longest name of a workqueue, in bytes; longer ones are cut with a warning. Kernel: `WQ_NAME_LEN` - 1.
pub const NAME_LEN: usize = 31;

/// The limit of BH workqueues, which is none. Kernel: `INT_MAX`.
pub(crate) const BH_MAX_ACTIVE: usize = i32::MAX as usize;

/// What is wrong with these wishes for a BH workqueue; `None` if nothing is, or if it is not one.
/// Kernel: the first checks of `__alloc_workqueue()`.
pub(crate) fn bh_problem(flags: WqFlags, max_active: usize) -> Option<String> {
    let allowed = WqFlags::BH | WqFlags::HIGHPRI | WqFlags::PERCPU;
    let others: Vec<_> = (flags - allowed)
        .iter_names()
        .map(|(name, _)| name)
        .collect();
    match flags.contains(WqFlags::BH) {
        true if !others.is_empty() => Some(format!(
            "a BH workqueue takes no flags but HIGHPRI and PERCPU, not {}",
            others.join(", ")
        )),
        true if max_active != 0 => Some(format!(
            "a BH workqueue has no limit: max_active must be 0, not {max_active}"
        )),
        _ => None,
    }
}

/// Longest description of a worker, in bytes. Kernel: `WORKER_DESC_LEN` - 1.
pub(crate) const DESC_LEN: usize = 31;

/// Nice level of highpri pools. Kernel: `HIGHPRI_NICE_LEVEL`.
pub(crate) const HIGHPRI_NICE: i32 = -20;

impl WqFlags {
    /// The flags of a workqueue that was asked for with these: either UNBOUND or PERCPU.
    pub(crate) fn in_force(self, power_efficient: bool) -> Self {
        let efficient = self.contains(Self::POWER_EFFICIENT) && power_efficient;
        if efficient || self.intersects(Self::ORDERED | Self::UNBOUND) {
            (self - Self::PERCPU) | Self::UNBOUND
        } else {
            self | Self::PERCPU
        }
    }

    /// The limit of a workqueue with these flags; `asked` may be out of range.
    pub(crate) fn limit(self, asked: usize) -> usize {
        match asked {
            _ if self.contains(Self::ORDERED) => 1,
            _ if self.contains(Self::BH) => BH_MAX_ACTIVE,
            0 => DFL_ACTIVE,
            asked => asked.min(MAX_ACTIVE),
        }
    }
}

/// The system workqueues. Kernel: `workqueue_init_early()`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum System {
    /// `system_wq`, `system_percpu_wq`.
    Percpu,
    /// `system_highpri_wq`.
    Highpri,
    /// `system_long_wq`.
    Long,
    /// `system_unbound_wq`, `system_dfl_wq`.
    Dfl,
    /// `system_dfl_long_wq`.
    DflLong,
    /// `system_bh_wq`.
    Bh,
    /// `system_bh_highpri_wq`.
    BhHighpri,
    /// `system_freezable_wq`.
    Freezable,
    /// `system_power_efficient_wq`.
    PowerEfficient,
    /// `system_freezable_power_efficient_wq`.
    FreezablePowerEfficient,
}

impl System {
    /// All of them, in the order in which an engine makes them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Percpu,
        Self::Highpri,
        Self::Long,
        Self::Dfl,
        Self::DflLong,
        Self::Bh,
        Self::BhHighpri,
        Self::Freezable,
        Self::PowerEfficient,
        Self::FreezablePowerEfficient,
    ];

    /// The shown name, the flags and `max_active`.
    pub(crate) const fn spec(self) -> (&'static str, WqFlags, usize) {
        const PERCPU: WqFlags = WqFlags::PERCPU;
        const BH: WqFlags = PERCPU.union(WqFlags::BH);
        const FREEZABLE: WqFlags = PERCPU.union(WqFlags::FREEZABLE);
        const FRUGAL: WqFlags = WqFlags::POWER_EFFICIENT;
        match self {
            Self::Percpu => ("events", PERCPU, 0),
            Self::Highpri => ("events_highpri", PERCPU.union(WqFlags::HIGHPRI), 0),
            Self::Long => ("events_long", PERCPU, 0),
            Self::Dfl => ("events_unbound", WqFlags::UNBOUND, MAX_ACTIVE),
            Self::DflLong => ("events_dfl_long", WqFlags::UNBOUND, MAX_ACTIVE),
            Self::Bh => ("events_bh", BH, 0),
            Self::BhHighpri => ("events_bh_highpri", BH.union(WqFlags::HIGHPRI), 0),
            Self::Freezable => ("events_freezable", FREEZABLE, 0),
            Self::PowerEfficient => ("events_power_efficient", PERCPU.union(FRUGAL), 0),
            Self::FreezablePowerEfficient => {
                ("events_freezable_pwr_efficient", FREEZABLE.union(FRUGAL), 0)
            }
        }
    }
}

/// The names with which the system workqueues are shown, in the order of [`Engine::system_workqueues`].
///
/// [`Engine::system_workqueues`]: crate::Engine::system_workqueues
pub const SYSTEM_WORKQUEUE_NAMES: [&str; System::ALL.len()] = {
    let mut names = [""; System::ALL.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = System::ALL[i].spec().0;
        i += 1;
    }
    names
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_8_bh_goes_with_highpri_and_percpu_only_and_has_no_max_active() {
        let bh = WqFlags::BH;
        for fine in [bh, bh | WqFlags::HIGHPRI, bh | WqFlags::PERCPU] {
            assert_eq!(bh_problem(fine, 0), None, "{fine:?}");
        }
        for other in WqFlags::all() - bh - WqFlags::HIGHPRI - WqFlags::PERCPU {
            let problem = bh_problem(bh | other, 0).unwrap();
            let (name, _) = other.iter_names().next().unwrap();
            assert!(problem.ends_with(name), "{problem}");
            assert_eq!(bh_problem(other, 5), None, "no BH workqueue");
        }
        assert!(bh_problem(bh, 1).unwrap().contains("max_active"));
    }

    #[test]
    fn a_system_workqueue_stands_at_its_own_index() {
        for (index, system) in System::ALL.into_iter().enumerate() {
            assert_eq!(system as usize, index, "{system:?}");
        }
    }

    #[test]
    fn what_makes_progress_without_memory_waits_for_its_kind_only() {
        let (reclaim, other) = (WqFlags::MEM_RECLAIM, WqFlags::UNBOUND);
        assert!(!reclaim.may_wait_for(other));
        assert!(reclaim.may_wait_for(reclaim | other));
        assert!(other.may_wait_for(reclaim) && other.may_wait_for(other));
    }

    #[test]
    fn system_workqueues_have_names_of_their_own() {
        let names = std::collections::HashSet::from(SYSTEM_WORKQUEUE_NAMES);
        assert_eq!(names.len(), System::ALL.len());
        assert!(
            names
                .iter()
                .all(|name| (1..=NAME_LEN).contains(&name.len()))
        );
    }
}
