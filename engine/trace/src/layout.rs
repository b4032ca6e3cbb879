//! The segment's format: two maps, the offsets derived from them, and its version. Nothing else knows a number of it.
//!
//! Every word is 64 bits, little-endian; every offset here counts words. A file is
//!
//! ```text
//!        0 +---------------------------------------------+
//!          | head: what the engine is and how it fares   |  `head`
//! HEAD     +---------------------------------------------+
//!          | directory: one entry for each chunk         |  `entry`, as many as `head::DIRECTORY` says
//!          +---------------------------------------------+
//!          | chunk 0: slots of one kind, or a ring       |  where its entry says
//!          +---------------------------------------------+
//!          | chunk 1 ...                                 |  appended as they are needed
//!          +---------------------------------------------+
//! ```
//! and the chunks are
//!
//! ```text
//!  slots   | slot 0 | slot 1 | ...                each `entry::STRIDE` words
//!            a slot | SEQ | ID | fields |         SEQ is odd while it changes hands, ID is 0 while it is free
//!  lists   | slot 0 | slot 1 | ...                a list that is long takes several, `Topic` says of what
//!  ring    | ring head | record 0 | record 1 ...  each record `RECORD_WORDS` words, see `record.rs`
//! ```
//!
//! The version is written last: until then a reader says "not ready". Additions (a new kind of chunk or event, words at
//! the end of a slot) raise the minor version, and older readers go on reading; newer readers take words that an older
//! slot lacks as 0. Any other change raises the major version. 1.1 added lists, and what `head`, `workqueue`, `pool`,
//! `pwq`, `worker` and `flush` have after what 1.0 had; 1.2 added `sensing`, and what `pool` has from `ARMED_UNWATCHED` on.

pub(crate) use crate::cpus::CPUS;
use crate::hist::BUCKETS;
use crate::sensing::{SENSING_NOTE_BYTES, SENSING_NOTES};
use crate::stats::{Counter, WaitPart, WqCounter};

/// `wqseg\r\n\x1a`: no text file begins with it, and a transfer as text breaks it.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"wqseg\r\n\x1a");
/// The format's version that this crate writes: (major, minor).
pub const VERSION: (u16, u16) = (1, 2);

/// Words of a record in a ring; for a model checker just enough to be torn.
pub(crate) const RECORD_WORDS: usize = if cfg!(loom) { 2 } else { 8 };
/// Words of a ring before its first record.
pub(crate) const RING_HEAD: usize = 8;
/// Words of a name: 63 bytes and a zero.
pub(crate) const NAME_WORDS: usize = 8;
/// Words of a path or a sentence.
pub(crate) const TEXT_WORDS: usize = 32;
/// Words of a short word.
pub(crate) const SHORT_WORDS: usize = 4;
/// Words of a note: its bytes and a zero.
pub(crate) const NOTE_WORDS: usize = SENSING_NOTE_BYTES / 8 + 1;

/// Declares word offsets, each derived from the one before it and that one's length. `slot` in front: the words that
/// every slot begins with come first.
macro_rules! grid {
    ($(#[$doc:meta])* slot $name:ident { $($field:ident $words:expr, $help:literal;)* }) => {
        $(#[$doc])*
        pub(crate) mod $name {
            use super::*;
            grid!(@ slot::END; $($field $words, $help;)* => STRIDE);
        }
        const _: () = assert!($name::STRIDE.is_multiple_of(8), "whole cache lines");
    };
    ($(#[$doc:meta])* $name:ident { $($field:ident $words:expr, $help:literal;)* }) => {
        $(#[$doc])*
        pub(crate) mod $name {
            grid!(@ 0; $($field $words, $help;)* => END);
        }
    };
    (@ $at:expr; $field:ident $words:expr, $help:literal; $($rest:tt)*) => {
        #[doc = $help]
        pub(crate) const $field: usize = $at;
        grid!(@ $at + $words; $($rest)*);
    };
    (@ $at:expr; => END) => {
        /// Words in use.
        pub(crate) const END: usize = $at;
    };
    (@ $at:expr; => STRIDE) => {
        /// Words from one slot to the next.
        pub(crate) const STRIDE: usize = ($at as usize).next_multiple_of(8);
    };
}

grid! {
    /// What the engine is and how it fares.
    head {
        MAGIC 1, "`layout::MAGIC`.";
        VERSION 1, "Major version times 65,536, and minor version; 0 until the head is complete.";
        PID 1, "Process id, in the engine's own pid namespace.";
        PID_START 1, "When the process started: field 22 of `/proc/PID/stat`.";
        PID_NS 1, "Inode of the pid namespace.";
        CLOCK_KIND 1, "A `ClockKind`.";
        CLOCK_BASE 1, "Clock value at nanosecond 0.";
        CLOCK_MULT 1, "Nanoseconds = (value - base) * mult >> shift.";
        CLOCK_SHIFT 1, "See the multiplier.";
        STARTED_AT 1, "When the engine started.";
        STARTED_WALL 1, "The same in nanoseconds since 1970.";
        ENDED_AT 1, "When it said that it ended; 0 before.";
        TRACING 1, "1 when events are recorded.";
        LOST_NO_RING 1, "Events of threads that got no ring.";
        HIDDEN_ROWS 1, "Things that got no slot in the file.";
        HEARTBEAT 1, "When the engine last said that it is alive.";
        CHUNKS 1, "Entries in the directory.";
        DIRECTORY 1, "Entries that the directory has room for.";
        SENSING_SEQ 1, "Odd while the next two change.";
        SENSING super::SHORT_WORDS, "How blocking is noticed.";
        REASON super::TEXT_WORDS, "Why it is noticed that way.";
        NAME super::NAME_WORDS, "The engine's name.";
        EXE super::TEXT_WORDS, "The executable.";
        CPU_SET super::CPUS / 64, "A bit for each CPU that the engine uses.";
        RETIRED_SEQ 1, "Odd while the totals of a released pwq move to its workqueue's former ones.";
        SETTINGS 1, "Bits `SAYS_*`: which settings are known; from bit 8 the default scope, from bit 16 power_efficient.";
        CPU_INTENSIVE_NS 1, "CPU time after which an item is a hog; 0: none is.";
        WATCHDOG_NS 1, "Time without progress after which a pool is reported; 0: never.";
        IDLE_NS 1, "How long a worker stays idle before it may be culled.";
    }
}
/// Words of the head; the directory follows.
pub(crate) const HEAD: usize = 128;

grid! {
    /// An entry of the directory. It is written before `head::CHUNKS` counts it, and never changes.
    entry {
        OFFSET 1, "Where the chunk begins, in bytes.";
        LEN 1, "Its length in bytes.";
        KIND 1, "A `Kind`.";
        STRIDE_WORDS 1, "Words from one slot to the next; of a ring, of one record.";
    }
}
grid! {
    /// The head of a ring. `WRITTEN` and `RESERVED` count records since the ring came to be.
    ring {
        WRITTEN 1, "Records that can be read.";
        RESERVED 1, "Records that may have begun to overwrite older ones.";
        GENERATION 1, "Threads that had this ring before.";
        TID 1, "The thread that has it, or had it last.";
        CAPACITY 1, "Records that it holds.";
    }
}
grid! {
    /// What every slot begins with.
    slot {
        SEQ 1, "Odd while it changes hands, or changes in a way that must be seen whole.";
        ID 1, "Its identity; 0 while free. Of a histogram, its pwq's.";
    }
}
grid! {
    /// A workqueue.
    slot workqueue {
        FLAGS_MAX 1, "Flags, max_active.";
        NAME NAME_WORDS, "Its name.";
        COUNTERS WqCounter::COUNT, "Atomic counters.";
        ATTRS 1, "Nice level; attribute bits: see `ATTRS_KNOWN`.";
        MIN_ACTIVE 1, "min_active asked for, and in force.";
        EFFECTIVE 1, "max_active in force; 1 when this word and the one before say anything.";
        RESCUER_DEFAULT 1, "Its rescuer, its default pool.";
    }
}
grid! {
    /// A pool.
    slot pool {
        NUMBER_CPU 1, "Number shown, CPU + 1 (0 when unbound).";
        NICE_GRANTED 1, "Nice level, whether it was granted.";
        FLAGS_MANAGER 1, "Flags, managing worker.";
        RUNNING_WORKERS 1, "nr_running, nr_workers.";
        IDLE_PENDING 1, "nr_idle, items on the worklist.";
        MAXIMA 1, "Most workers, most nr_running.";
        LAST_PROGRESS 1, "When it last made progress.";
        CM_WAKEUPS 1, "Workers woken because another one blocked.";
        REFCNT 1, "References of pwqs.";
        STRICT_NODE 1, "1 when its workers must stay in the pod, its node + 1 (0 when none).";
        ARMED_UNWATCHED 1, "1 while its canary is armed, workers that no canary can look at.";
        ARMINGS 1, "How often its canary was armed.";
        DECISIONS 1, "How often that found the workers blocked.";
        FALSE_DECISIONS 1, "How many of those were wrong.";
    }
}
grid! {
    /// A pwq.
    slot pwq {
        WQ_POOL 1, "Its workqueue, its pool.";
        ACTIVE_REFCNT 1, "nr_active, references.";
        INACTIVE_FLIGHT 1, "Inactive items, executing items.";
        MAX_FLIGHT 1, "Most items that executed at once.";
        COUNTERS Counter::COUNT, "Queued first, then started, then completed.";
        BITS 1, "1 on the mayday list, 2 plugged; the rest: see `pwq_held`.";
    }
}
/// What `pwq::BITS` has since version 1.2.
pub(crate) mod pwq_held {
    /// These bits of the moment at which the oldest inactive item was queued, in nanoseconds: all but the lowest eight,
    /// which are the word's flags. 0: none is inactive, or it is not known.
    pub(crate) const SINCE: u64 = !0xff;
}
grid! {
    /// What one function does on one pwq.
    slot pwq_func {
        PWQ_FUNC 1, "The pwq, the function.";
        PENDING 1, "Items on the worklist.";
        INACTIVE 1, "Items on the inactive list.";
        RUNNING 1, "Items executing.";
        QUEUED 1, "Items ever queued.";
        STARTED 1, "Executions ever begun.";
        COMPLETED 1, "Executions ever ended.";
        RUN 1, "Wall time of the ended ones.";
        CPU 1, "CPU time of the ended ones.";
        RUN_MAX 1, "The longest.";
        BREAKDOWN WaitPart::COUNT, "Why started items had waited.";
    }
}
grid! {
    /// A work function.
    slot function {
        ARMED 1, "Timers armed.";
        NEXT_EXPIRY 1, "When the earliest of them fires.";
        NAME NAME_WORDS, "Its name.";
    }
}
grid! {
    /// A worker.
    slot worker {
        POOL_NUMBER 1, "Its pool, the number in its name.";
        TID_STATE 1, "Thread id, a `WorkerState`.";
        SINCE 1, "Since when it is in that state.";
        WORK 1, "The item it executes.";
        FUNC_WQ 1, "That item's function and workqueue.";
        STARTED_AT 1, "When that execution began.";
        EXECUTED 1, "Items it has executed.";
        NAME NAME_WORDS, "Its base name.";
        DESC_SEQ 1, "Odd while the description changes.";
        DESC NAME_WORDS, "Its description.";
        KIND_WQ 1, "A `WorkerKind`, the workqueue that it rescues.";
        PWQ 1, "The pwq of the item it executes.";
    }
}
grid! {
    /// A thread that emits.
    slot thread {
        TID 1, "Its thread id.";
        COMM SHORT_WORDS, "Its name.";
    }
}
grid! {
    /// A waiting thread.
    slot flush {
        TID 1, "Its thread id.";
        WQ_FUNC 1, "Workqueue, function.";
        WORK 1, "The item, or 0.";
        SINCE 1, "Since when.";
        CYCLE 1, "Number of the deadlock that it is part of, or 0.";
    }
}
grid! {
    /// Part of a list of 32-bit numbers: `Topic` says of what. A list is as long as its parts reach without a gap.
    slot list {
        OWNER 1, "A `Topic`, what it is of.";
        PLACE 1, "Number of its first entry, entries that it holds.";
        ENTRIES super::LIST_WORDS, "Two to a word.";
    }
}
grid! {
    /// How blocking is noticed; there is one.
    slot sensing {
        MODE SHORT_WORDS, "The tier.";
        ASKED SHORT_WORDS, "What was asked for.";
        REASON TEXT_WORDS, "Why it is that tier.";
        REACTION 1, "0 unknown, 1 not measured, 2 measured, 3 no answer; rounds.";
        P50 1, "The median reaction.";
        P99 1, "One in a hundred took longer.";
        DESCRIPTORS 1, "Most descriptors that are kept; 0 when not known.";
        NOTES SENSING_NOTES * NOTE_WORDS, "What limits sensing here, a line each.";
    }
}
/// Words of a part of a list.
pub(crate) const LIST_WORDS: usize = 20;
/// Entries of a part of a list. The largest set of CPUs has one part.
pub(crate) const LIST_ENTRIES: usize = 2 * LIST_WORDS;

/// What a list is of, and which identity its owner's is; the engine's own lists have owner 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Topic {
    /// A set: CPUs for unbound work.
    UnboundCpus = 1,
    /// A set: CPUs that are there.
    OnlineCpus,
    /// A set: CPUs of a NUMA node; the owner is its number.
    NodeCpus,
    /// For each CPU the number of its pod + 1; the owner is a scope.
    CpuPod,
    /// For each pod the number of its node + 1; the owner is a scope.
    PodNode,
    /// A set: CPUs that a pool's workqueues allow.
    PoolCpus,
    /// A set: CPUs of a pool's pod.
    PoolPodCpus,
    /// A set: CPUs that a workqueue asks for.
    WqCpus,
    /// For each CPU the pool that serves it for a workqueue.
    WqPools,
    /// For each NUMA node, and last for no node, of a workqueue: nr and max.
    WqNodes,
    /// A set: CPUs that a worker may run on.
    WorkerCpus,
}

impl Topic {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 11] = [
        Self::UnboundCpus,
        Self::OnlineCpus,
        Self::NodeCpus,
        Self::CpuPod,
        Self::PodNode,
        Self::PoolCpus,
        Self::PoolPodCpus,
        Self::WqCpus,
        Self::WqPools,
        Self::WqNodes,
        Self::WorkerCpus,
    ];

    /// The topic with this number.
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|&topic| topic as u32 == number)
    }

    /// The kind of slot that its lists go with; `None` when they are the engine's own, or go by themselves.
    pub(crate) const fn kind(self) -> Option<Kind> {
        match self {
            Self::PoolCpus | Self::PoolPodCpus => Some(Kind::Pool),
            Self::WqCpus | Self::WqPools => Some(Kind::Workqueue),
            Self::WorkerCpus => Some(Kind::Worker),
            Self::UnboundCpus
            | Self::OnlineCpus
            | Self::NodeCpus
            | Self::CpuPod
            | Self::PodNode
            | Self::WqNodes => None,
        }
    }
}

/// Bits of `head::SETTINGS` that say which of the settings are known.
pub(crate) const SAYS_SCOPE: u64 = 1;
/// See [`SAYS_SCOPE`].
pub(crate) const SAYS_POWER: u64 = 2;
/// See [`SAYS_SCOPE`].
pub(crate) const SAYS_CPU_INTENSIVE: u64 = 4;
/// See [`SAYS_SCOPE`].
pub(crate) const SAYS_WATCHDOG: u64 = 8;
/// See [`SAYS_SCOPE`].
pub(crate) const SAYS_IDLE: u64 = 16;
/// Attribute bits of a workqueue, the high half of `workqueue::ATTRS`: they are known; strict; from bit 8 the scope.
pub(crate) const ATTRS_KNOWN: u32 = 1;
/// See [`ATTRS_KNOWN`].
pub(crate) const ATTRS_STRICT: u32 = 2;
/// Words of one distribution: largest value, sum, buckets.
pub(crate) const DISTRIBUTION: usize = 2 + BUCKETS;
grid! {
    /// The distributions of a pwq.
    slot histogram {
        WAIT DISTRIBUTION, "Waits.";
        RUN DISTRIBUTION, "Run times.";
    }
}

const _: () = assert!(head::END <= HEAD);
const _: () = assert!(entry::END == 4);
const _: () = assert!(ring::END <= RING_HEAD);
const _: () = assert!(Counter::Queued as usize == 0);
const _: () = assert!(Counter::Started as usize == 1);
const _: () = assert!(Counter::Completed as usize == 2);

/// What a chunk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Kind {
    Workqueue = 1,
    Pool,
    Pwq,
    PwqFunc,
    Function,
    Worker,
    Thread,
    Flush,
    Histogram,
    Ring,
    List,
    Sensing,
}

impl Kind {
    /// All kinds of slots, in the order of their numbers.
    pub(crate) const SLOTS: [Self; 11] = [
        Self::Workqueue,
        Self::Pool,
        Self::Pwq,
        Self::PwqFunc,
        Self::Function,
        Self::Worker,
        Self::Thread,
        Self::Flush,
        Self::Histogram,
        Self::List,
        Self::Sensing,
    ];

    /// The kind with this number.
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        let mut all = Self::SLOTS.into_iter().chain([Self::Ring]);
        all.find(|&kind| kind as u64 == number)
    }

    /// Where it stands among [`Kind::SLOTS`]; a ring stands nowhere.
    pub(crate) const fn index(self) -> Option<usize> {
        match self {
            Self::Ring => None,
            Self::List | Self::Sensing => Some(self as usize - 2),
            kind => Some(kind as usize - 1),
        }
    }

    /// Words from one slot to the next as version 1.0 wrote them: the least that a file may have.
    pub(crate) const fn least_stride(self) -> usize {
        match self {
            Self::Workqueue => 16,
            kind => kind.stride(),
        }
    }

    /// Words from one slot, or record, to the next as this version writes them.
    pub(crate) const fn stride(self) -> usize {
        match self {
            Self::Workqueue => workqueue::STRIDE,
            Self::Pool => pool::STRIDE,
            Self::Pwq => pwq::STRIDE,
            Self::PwqFunc => pwq_func::STRIDE,
            Self::Function => function::STRIDE,
            Self::Worker => worker::STRIDE,
            Self::Thread => thread::STRIDE,
            Self::Flush => flush::STRIDE,
            Self::Histogram => histogram::STRIDE,
            Self::List => list::STRIDE,
            Self::Sensing => sensing::STRIDE,
            Self::Ring => RECORD_WORDS,
        }
    }

    /// Most slots in use at once; what comes after that gets none that can be seen.
    pub(crate) const fn cap(self) -> usize {
        match self {
            Self::Workqueue | Self::Function => 4096,
            Self::Worker => 8192,
            Self::Pool => 8192,
            Self::Thread | Self::Flush => 16_384,
            Self::Pwq | Self::PwqFunc | Self::Histogram | Self::List => 65_536,
            Self::Ring => 16_384,
            Self::Sensing => 1,
        }
    }
}

/// Which clock the stamps are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ClockKind {
    /// `CLOCK_MONOTONIC`, in nanoseconds.
    Monotonic = 1,
    /// A simulator's.
    Virtual,
}

/// How large head and chunks are made. Readers take it from the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    /// Chunks begin at and are filled up to multiples of this many bytes.
    pub(crate) align: usize,
    /// Entries of the directory.
    pub(crate) directory: usize,
    /// Bytes of the first chunk of a kind; each further one has twice as many, up to `chunk_max`.
    pub(crate) chunk_min: usize,
    /// See `chunk_min`.
    pub(crate) chunk_max: usize,
}

impl Geometry {
    /// For files on a kernel with pages of so many bytes, a power of two: whole pages, since each chunk is mapped.
    pub(crate) const fn for_pages(bytes: usize) -> Self {
        Self {
            align: if bytes > 4096 { bytes } else { 4096 },
            directory: 992,
            chunk_min: 8192,
            chunk_max: 128 * 1024,
        }
    }

    /// Bytes of head and directory.
    pub(crate) const fn head_bytes(&self) -> usize {
        ((HEAD + self.directory * entry::END) * 8).next_multiple_of(self.align)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_made_of_whole_pages() {
        let small = Geometry::for_pages(4096);
        assert_eq!((small.align, small.head_bytes()), (4096, 32 << 10));
        let large = Geometry::for_pages(64 << 10);
        assert_eq!((large.align, large.head_bytes()), (64 << 10, 64 << 10));
    }

    /// Where things stand since version 1.0; additions go to the end of a slot and raise the minor version.
    #[test]
    fn slots_stand_where_version_1_put_them() {
        assert_eq!(VERSION, (1, 2));
        let strides = Kind::SLOTS.map(Kind::stride);
        assert_eq!(strides, [24, 16, 24, 24, 16, 32, 8, 8, 1448, 24, 216]);
        let least = Kind::SLOTS.map(Kind::least_stride);
        assert_eq!(least, [16, 16, 24, 24, 16, 32, 8, 8, 1448, 24, 216]);
        assert_eq!(
            [workqueue::FLAGS_MAX, workqueue::NAME, workqueue::COUNTERS],
            [2, 3, 11]
        );
        assert_eq!(
            [pool::NUMBER_CPU, pool::MAXIMA, pool::CM_WAKEUPS],
            [2, 7, 9]
        );
        assert_eq!([pwq::WQ_POOL, pwq::MAX_FLIGHT, pwq::COUNTERS], [2, 5, 6]);
        assert_eq!(
            [pwq_func::QUEUED, pwq_func::RUN_MAX, pwq_func::BREAKDOWN],
            [6, 11, 12]
        );
        assert_eq!(
            [function::ARMED, function::NEXT_EXPIRY, function::NAME],
            [2, 3, 4]
        );
        assert_eq!([worker::NAME, worker::DESC_SEQ, worker::DESC], [9, 17, 18]);
        assert_eq!([thread::TID, thread::COMM], [2, 3]);
        assert_eq!([flush::TID, flush::SINCE], [2, 5]);
        assert_eq!([histogram::WAIT, histogram::RUN], [2, 724]);
        assert_eq!([head::SENSING_SEQ, head::EXE, head::CPU_SET], [18, 63, 95]);
    }

    /// What version 1.1 added.
    #[test]
    fn additions_stand_where_version_1_1_put_them() {
        assert_eq!(
            [head::RETIRED_SEQ, head::SETTINGS, head::END],
            [111, 112, 116]
        );
        assert_eq!([workqueue::ATTRS, workqueue::RESCUER_DEFAULT], [16, 19]);
        assert_eq!([pool::REFCNT, pool::STRICT_NODE], [10, 11]);
        assert_eq!([pwq::BITS, worker::PWQ, flush::CYCLE], [23, 27, 6]);
        assert_eq!([list::OWNER, list::PLACE, list::ENTRIES], [2, 3, 4]);
        assert_eq!((Kind::Ring as u8, Kind::List as u8), (10, 11));
        let topics = Topic::ALL.map(|topic| topic as u32);
        assert_eq!(topics, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        for (index, kind) in Kind::SLOTS.into_iter().enumerate() {
            assert_eq!(kind.index(), Some(index));
            assert_eq!(Kind::from_number(kind as u64), Some(kind));
        }
    }

    /// What version 1.2 added.
    #[test]
    fn additions_stand_where_version_1_2_put_them() {
        assert_eq!([pool::ARMED_UNWATCHED, pool::FALSE_DECISIONS], [12, 15]);
        assert_eq!((Kind::Sensing as u8, NOTE_WORDS), (12, 21));
        assert_eq!([sensing::MODE, sensing::ASKED, sensing::REASON], [2, 6, 10]);
        assert_eq!(
            [sensing::REACTION, sensing::DESCRIPTORS, sensing::NOTES],
            [42, 45, 46]
        );
    }
}
