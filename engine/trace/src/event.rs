//! One event, a variant for each step that an engine can take, in decoded form.

use crate::ids::{FuncId, PoolId, WorkerId, WqId};

/// What happened, when and where. Fields that an event does not have are 0 or `NONE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Nanoseconds on the segment's clock.
    pub at: u64,
    /// OS number of the CPU that the emitting thread was on.
    pub cpu: u16,
    /// OS id of the emitting thread.
    pub tid: u32,
    /// The workqueue concerned.
    pub wq: WqId,
    /// The pool concerned.
    pub pool: PoolId,
    /// The worker concerned.
    pub worker: WorkerId,
    /// The work function concerned.
    pub func: FuncId,
    /// The function that the emitting worker was running, when a work function queued.
    pub from: FuncId,
    /// The work item: 1, 2, ...; printed as 16 hexadecimal digits.
    pub work: u64,
    /// The step, with what only it has.
    pub what: What,
}

/// The step that an [`Event`] reports, with the fields that only it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// An item was put on a workqueue. Kernel: `workqueue_queue_work`.
    QueueWork {
        /// The CPU asked for; [`REQ_CPU_LOCAL`] when none was.
        req_cpu: i32,
        /// The pool's CPU; -1 for an unbound pool.
        cpu: i32,
    },
    /// An item got an active slot. Kernel: `workqueue_activate_work`.
    ActivateWork,
    /// The work function is about to be called. Kernel: `workqueue_execute_start`.
    ExecuteStart,
    /// The work function returned. Kernel: `workqueue_execute_end`.
    ExecuteEnd,
    /// The item went to the inactive list.
    HoldWork {
        /// What holds it.
        reason: Hold,
    },
    /// An item was cancelled.
    CancelWork {
        /// Where it was.
        was: Was,
    },
    /// An item was disabled.
    DisableWork {
        /// The depth after it.
        depth: u32,
    },
    /// An item was enabled.
    EnableWork {
        /// The depth after it.
        depth: u32,
    },
    /// An item was refused although its queueing call returned true.
    DropWork {
        /// Why.
        reason: Drop,
    },
    /// A delayed item's timer was armed.
    TimerArm {
        /// Microseconds until it fires.
        delay_us: u64,
    },
    /// A worker came to be.
    WorkerCreate {
        /// Workers of the pool after it.
        nr_workers: u32,
    },
    /// A worker went away.
    WorkerDestroy {
        /// Workers of the pool after it.
        nr_workers: u32,
    },
    /// A worker was woken.
    WorkerWake {
        /// Why.
        reason: Wake,
    },
    /// A worker went idle.
    WorkerIdle {
        /// Idle workers of the pool after it.
        nr_idle: u32,
    },
    /// A worker was noticed to sleep inside its work function.
    WorkerSleep {
        /// The pool's nr_running after it.
        nr_running: u32,
    },
    /// A sleeping worker was noticed to run again.
    WorkerResume {
        /// The pool's nr_running after it.
        nr_running: u32,
    },
    /// A worker began to create workers for its pool.
    ManagerStart,
    /// A worker stopped creating workers.
    ManagerEnd,
    /// An execution was found to hog its CPU.
    CpuIntensive {
        /// CPU time of the execution so far, in microseconds.
        cpu_us: u64,
    },
    /// A rescuer was called.
    Mayday,
    /// A rescuer went to work on a pool.
    Rescue,
    /// A thread began to wait.
    FlushStart {
        /// For what: an item ([`Event::work`]) or a workqueue ([`Event::wq`]).
        target: FlushTarget,
    },
    /// A thread stopped waiting.
    FlushEnd {
        /// For what.
        target: FlushTarget,
    },
    /// A pool made no progress.
    Stall {
        /// For how long.
        seconds: u64,
    },
    /// A work function panicked.
    Panic,
    /// A workqueue came to be.
    Alloc {
        /// Its flags, as [`crate::WorkqueueRow::flags`].
        flags: u32,
        /// Its limit.
        max_active: u32,
    },
    /// A workqueue went away.
    Destroy {
        /// Its flags.
        flags: u32,
        /// Its limit.
        max_active: u32,
    },
    /// A workqueue was frozen.
    Freeze {
        /// Its flags.
        flags: u32,
        /// Its limit.
        max_active: u32,
    },
    /// A workqueue was thawed.
    Thaw {
        /// Its flags.
        flags: u32,
        /// Its limit.
        max_active: u32,
    },
    /// An unbound workqueue got new attributes.
    Attrs {
        /// Nice level.
        nice: i8,
        /// Whether workers must stay in the scope.
        strict: bool,
        /// The scope's number.
        scope: u8,
        /// CPUs 0 to 63.
        cpumask: u64,
    },
    /// A thread waits for itself, by way of others: one event for each of the waits that close the circle.
    Deadlock {
        /// For what this one waits: an item ([`Event::work`]) or a workqueue ([`Event::wq`]).
        target: FlushTarget,
        /// The thread that waits; the emitting one is the last of the circle.
        waiter: u32,
        /// The circle's number: alike in all events of one circle, 1 for the engine's first.
        cycle: u32,
    },
    /// A workqueue's limit changed.
    MaxActive {
        /// Before.
        old: u32,
        /// After.
        new: u32,
    },
}

/// `req_cpu` of a queueing call that named no CPU. Kernel: `WORK_CPU_UNBOUND` of a kernel built for 8192 CPUs.
pub const REQ_CPU_LOCAL: i32 = 8192;

/// Declares a field-less enum with the words it is printed with.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $word:literal $help:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name { $(#[doc = $help] $variant,)* }

        impl $name {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in event text and JSON.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one with this number, if there is one.
            pub fn from_number(number: u8) -> Option<Self> {
                Self::ALL.get(usize::from(number)).copied()
            }
        }
    };
}

words! {
    /// What holds an item on the inactive list.
    Hold {
        MaxActive "max_active" "The workqueue's limit per pool.",
        Node "node" "The NUMA node's share of the limit.",
        Ordered "ordered" "The workqueue is ordered.",
        Plugged "plugged" "Older pwqs of an ordered workqueue have not drained.",
        Frozen "frozen" "The workqueue is frozen.",
    }
}
words! {
    /// Where a cancelled item was.
    Was {
        Idle "idle" "Nowhere.",
        Timer "timer" "On a timer.",
        Inactive "inactive" "On an inactive list.",
        Pending "pending" "On a worklist.",
    }
}
words! {
    /// Why an item was dropped.
    Drop {
        Draining "draining" "The workqueue is draining.",
        Destroying "destroying" "The workqueue is being destroyed.",
        Shutdown "shutdown" "The engine is shutting down.",
    }
}
words! {
    /// Why a worker was woken.
    Wake {
        Queue "queue" "An item was queued.",
        Sleep "sleep" "A worker blocked.",
        Chain "chain" "A worker that starts an item wakes the next.",
        Hog "hog" "A worker was found to hog its CPU.",
        Fill "fill" "Held items were activated.",
        Thaw "thaw" "A workqueue was thawed.",
        Rescue "rescue" "A rescuer hands the pool back.",
    }
}
words! {
    /// What a flush waits for.
    FlushTarget {
        Work "work" "One item.",
        Workqueue "wq" "Everything queued on a workqueue.",
    }
}
