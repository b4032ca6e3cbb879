//! What a workqueue is asked to be: its flags and limits, and which combinations are refused.
//!
//! Source: kernel-doc of `alloc_workqueue()`, `include/linux/workqueue.h`.

use bitflags::bitflags;

bitflags! {
    /// Behaviour of a workqueue. Kernel: `enum wq_flags`, the same bits.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct WqFlags: u32 {
        /// Items run in queueing order on one context per CPU and must not sleep. Kernel: `WQ_BH`.
        const BH = 0x1;
        /// Served by pools that are tied to no CPU and manage no concurrency. Kernel: `WQ_UNBOUND`.
        const UNBOUND = 0x2;
        /// Takes part in [`freeze`](https://docs.kernel.org/core-api/workqueue.html). Kernel: `WQ_FREEZABLE`.
        const FREEZABLE = 0x4;
        /// Has a rescuer: one execution context even when no worker can be created. Kernel: `WQ_MEM_RECLAIM`.
        const MEM_RECLAIM = 0x8;
        /// Served by the high-priority pools (nice -20). Kernel: `WQ_HIGHPRI`.
        const HIGHPRI = 0x10;
        /// Running items do not count in the pool's concurrency level. Kernel: `WQ_CPU_INTENSIVE`.
        const CPU_INTENSIVE = 0x20;
        /// Attributes are readable and changeable from outside. Kernel: `WQ_SYSFS`.
        const SYSFS = 0x40;
        /// Unbound when the engine is power efficient, per CPU otherwise. Kernel: `WQ_POWER_EFFICIENT`.
        const POWER_EFFICIENT = 0x80;
        /// Explicitly per CPU; the default when neither it nor `UNBOUND` is given. Kernel: `WQ_PERCPU`.
        const PERCPU = 0x100;
        /// Set by `alloc_ordered_workqueue`: one item at a time, in queueing order. Kernel: `__WQ_ORDERED`.
        const ORDERED = 0x20000;
    }
}

/// `max_active` when 0 is asked for. Kernel: `WQ_DFL_ACTIVE`.
pub const DFL_ACTIVE: usize = 1024;
/// The largest `max_active`. Kernel: `WQ_MAX_ACTIVE`.
pub const MAX_ACTIVE: usize = 2048;
/// Longest name of a workqueue, in bytes; longer ones are cut with a warning. Kernel: `WQ_NAME_LEN` - 1.
pub const NAME_LEN: usize = 31;
