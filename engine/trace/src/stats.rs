//! The counters and the parts of a wait, each declared once with its name, unit and help.

/// Declares an enum whose variants index an array and carry a name, a unit and a help sentence.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $key:literal $unit:literal $help:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $(#[doc = $help] $variant,)* }

        impl $name {
            /// All of them, in the order in which they are stored.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The name in JSON and in tables.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $key,)* }
            }

            /// The unit: `items`, `ns`, `events`.
            pub const fn unit(self) -> &'static str {
                match self { $(Self::$variant => $unit,)* }
            }

            /// What it counts, as one sentence.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help,)* }
            }
        }
    };
}

table! {
    /// Counters of one pwq, written under its pool's lock. At rest
    /// `queued = completed + cancelled + pending + inactive + running`.
    ///
    /// The first three stand in the order in which an item passes them, and a reader reads them backwards:
    /// so neither a race nor a kill shows `completed > started` or `started > queued`.
    /// Kernel: `enum pool_workqueue_stats` (its eight are among them).
    Counter {
        Queued "queued" "items" "Items that were put on this workqueue's list.",
        Started "started" "items" "Items whose execution began.",
        Completed "completed" "items" "Items whose function returned or panicked.",
        CpuTime "cpu_time" "ns" "CPU time of the executions; items under 100 us are charged by wall time.",
        CpuIntensive "cpu_intensive" "items" "Executions that were found to hog the CPU and left concurrency management.",
        CmWakeup "cm_wakeup" "wakes" "Workers woken because a worker of this workqueue blocked or was found to hog the CPU.",
        Repatriated "repatriated" "wakes" "Wake-ups that pulled a worker back into its affinity scope.",
        Mayday "mayday" "calls" "Times that the rescuer was called because no worker could be created.",
        Rescued "rescued" "items" "Items that the rescuer executed.",
        Activated "activated" "items" "Items that got an active slot, at once or after being held.",
        HeldMaxActive "held_max_active" "items" "Items held on the inactive list by max_active.",
        HeldNode "held_node" "items" "Items held on the inactive list by the node's share of max_active.",
        HeldOrdered "held_ordered" "items" "Items held on the inactive list because the workqueue is ordered.",
        HeldPlugged "held_plugged" "items" "Items held on the inactive list until older pwqs of an ordered workqueue have drained.",
        HeldFrozen "held_frozen" "items" "Items held on the inactive list because the workqueue is frozen.",
        Cancelled "cancelled" "items" "Items taken off a list before they ran.",
        Panics "panics" "items" "Executions that ended in a panic.",
    }
}

table! {
    /// Counters of one workqueue that are moved outside of any pool lock, each by one atomic addition.
    WqCounter {
        RefusedPending "refused_pending" "calls" "Queueing calls that found the item already pending.",
        RefusedDisabled "refused_disabled" "calls" "Queueing calls that found the item disabled.",
        Dropped "dropped" "items" "Items dropped because the workqueue or engine was draining or going away.",
        Armed "armed" "timers" "Timers of delayed work armed for this workqueue.",
        Disarmed "disarmed" "timers" "Timers of delayed work cancelled before they fired.",
    }
}

table! {
    /// The parts of a wait, `queue_work` to `execute_start`. They add up to it exactly.
    WaitPart {
        InactiveMaxActive "inactive_max_active" "ns" "Held back by the workqueue's max_active.",
        InactiveNode "inactive_node" "ns" "Held back by the NUMA node's share of max_active.",
        InactiveOrdered "inactive_ordered" "ns" "Held back because the workqueue is ordered.",
        InactivePlugged "inactive_plugged" "ns" "Held back until older pwqs of an ordered workqueue had drained.",
        InactiveFrozen "inactive_frozen" "ns" "Held back because the workqueue was frozen.",
        SelfRun "self" "ns" "The item's own earlier execution was still running.",
        Bh "bh" "ns" "Earlier items of a BH workqueue ran.",
        Concurrency "concurrency" "ns" "A managed worker of the pool was running.",
        Sensing "sensing" "ns" "The pool's workers were blocked, but that was not yet noticed.",
        NoWorker "no_worker" "ns" "No worker was idle; one had to be created or rescued.",
        Runqueue "runqueue" "ns" "A worker was woken but not yet on a CPU.",
        Unknown "unknown" "ns" "Not explained.",
    }
}

/// Nanoseconds per [`WaitPart`], indexed by `part as usize`.
pub type Breakdown = [u64; WaitPart::COUNT];
