//! A worker pool's slot.

use super::{Segment, Slot};
use crate::ids::{PoolId, WorkerId};
use crate::layout::{Kind, Topic, pool, slot};
use crate::segment::words::pair;
use crate::sensing::CanaryGauges;
use crate::settings::PoolAttrs;

/// A pool in the segment. Freed when dropped. What changes it is called under the pool's lock.
#[derive(Debug)]
pub struct PoolSlot {
    slot: Slot,
}

/// What a pool is for good.
#[derive(Clone, Copy, Debug, Default)]
pub struct PoolInfo {
    /// The number shown, as [`crate::PoolRow::number`].
    pub number: u32,
    /// OS number of its CPU; `None` for an unbound pool.
    pub cpu: Option<u16>,
    /// The nice level that its workers ask for.
    pub nice: i32,
    /// Flags at first, as [`crate::PoolRow::flags`].
    pub flags: u32,
}

/// What a pool is at a moment; the fields of the same names in [`crate::PoolRow`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolGauges {
    /// Kernel: `nr_running`.
    pub nr_running: u32,
    /// All workers.
    pub nr_workers: u32,
    /// Idle workers.
    pub nr_idle: u32,
    /// Items on the worklist.
    pub nr_pending: u32,
    /// The worker that creates workers.
    pub manager: WorkerId,
    /// When the pool last made progress.
    pub last_progress: u64,
    /// Kernel flag bits.
    pub flags: u32,
    /// Most workers at once.
    pub max_workers: u32,
    /// Most nr_running at once.
    pub max_nr_running: u32,
    /// Workers woken because another one blocked.
    pub cm_wakeups: u64,
    /// What its canary did.
    pub canary: CanaryGauges,
}

impl Segment {
    /// A worker pool.
    pub fn pool(&self, info: PoolInfo) -> PoolSlot {
        let slot = Slot::new(self, Kind::Pool, None, |words| {
            let cpu = info.cpu.map_or(0, |cpu| u32::from(cpu) + 1);
            words.put(pool::NUMBER_CPU, pair(info.number, cpu));
            words.put(pool::NICE_GRANTED, pair(info.nice as u32, 1));
            words.put(pool::FLAGS_MANAGER, pair(info.flags, 0));
        });
        PoolSlot { slot }
    }
}

impl PoolSlot {
    /// Its identity.
    pub fn id(&self) -> PoolId {
        PoolId(self.slot.id())
    }

    /// What it is now: a reader sees all of it or none. Only plain stores.
    #[inline]
    pub fn update(&self, gauges: &PoolGauges) {
        let Some(words) = self.slot.words() else {
            return;
        };
        let g = gauges;
        words.exclusively(slot::SEQ, |words| {
            words.put(pool::FLAGS_MANAGER, pair(g.flags, g.manager.0));
            words.put(pool::RUNNING_WORKERS, pair(g.nr_running, g.nr_workers));
            words.put(pool::IDLE_PENDING, pair(g.nr_idle, g.nr_pending));
            words.put(pool::MAXIMA, pair(g.max_workers, g.max_nr_running));
            words.put(pool::LAST_PROGRESS, g.last_progress);
            words.put(pool::CM_WAKEUPS, g.cm_wakeups);
            let canary = &g.canary;
            words.put(
                pool::ARMED_UNWATCHED,
                pair(canary.armed.into(), canary.unwatched),
            );
            words.put(pool::ARMINGS, canary.armings);
            words.put(pool::DECISIONS, canary.decisions);
            words.put(pool::FALSE_DECISIONS, canary.false_decisions);
        });
    }

    /// Whether one more worker got the nice level it asked for. The pool shows whether every one did; true at first.
    pub fn set_nice_granted(&self, granted: bool) {
        if let Some(words) = self.slot.words() {
            let before = words.get(pool::NICE_GRANTED);
            let (nice, all) = (before as u32, before >> 32 != 0);
            words.put(pool::NICE_GRANTED, pair(nice, (all && granted).into()));
        }
    }

    /// What it promises: at its making, and when CPUs came or went. Takes the segment's books; one thread at a time.
    pub fn set_attrs(&self, attrs: &PoolAttrs) {
        let Some(words) = self.slot.words() else {
            return;
        };
        self.slot.lists(|books, id| {
            books.set_cpus(Topic::PoolCpus, id, &attrs.cpus);
            books.set_cpus(Topic::PoolPodCpus, id, &attrs.pod_cpus);
        });
        let node = attrs.node.map_or(0, |node| u32::from(node) + 1);
        words.put(pool::STRICT_NODE, pair(attrs.strict.into(), node));
    }

    /// How many pwqs refer to it. Kernel: `refcnt`. The caller serialises these.
    pub fn set_refcnt(&self, refcnt: u32) {
        if let Some(words) = self.slot.words() {
            words.put(pool::REFCNT, refcnt.into());
        }
    }

    /// The pool is gone.
    pub fn free(self) {}
}
