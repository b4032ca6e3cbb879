//! Slots of a pwq and of what each function does on it. What changes them is called under the pool's lock, so that one
//! thread writes at a time and no addition needs a locked instruction.

use super::{Segment, Slot};
use crate::hist::bucket_of;
use crate::ids::{FuncId, PoolId, PwqId, WqId};
use crate::layout::{Kind, histogram, pwq, pwq_func, pwq_held};
use crate::segment::former::Leaving;
use crate::segment::words::pair;
use crate::stats::{Breakdown, Counter};
use std::sync::{Arc, OnceLock};

/// A pwq in the segment. Freed when dropped.
#[derive(Debug)]
pub struct PwqSlot {
    slot: Slot,
    /// Made on the first execution: most pwqs never have one.
    histogram: OnceLock<Slot>,
}

/// What a pwq is at a moment; the fields of the same names in [`crate::PwqRow`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PwqGauges {
    /// Items that hold an active slot.
    pub nr_active: u32,
    /// References.
    pub refcnt: u32,
    /// Items on the inactive list.
    pub nr_inactive: u32,
    /// Items executing.
    pub nr_in_flight: u32,
    /// Most items that executed at once.
    pub max_in_flight: u32,
    /// When the oldest of the inactive items was queued, in nanoseconds; 0 when there is none.
    pub held_since: u64,
}

impl Segment {
    /// One workqueue's share of one pool.
    pub fn pwq(&self, wq: WqId, pool: PoolId) -> PwqSlot {
        let slot = Slot::new(self, Kind::Pwq, None, |words| {
            words.put(pwq::WQ_POOL, pair(wq.0, pool.0));
        });
        PwqSlot {
            slot,
            histogram: OnceLock::new(),
        }
    }

    /// What a function does on a pwq.
    pub fn pwq_func(&self, pwq: PwqId, func: FuncId) -> PwqFuncSlot {
        let slot = Slot::new(self, Kind::PwqFunc, None, |words| {
            words.put(pwq_func::PWQ_FUNC, pair(pwq.0, func.0));
        });
        PwqFuncSlot { slot }
    }
}

impl PwqSlot {
    /// Its identity.
    pub fn id(&self) -> PwqId {
        PwqId(self.slot.id())
    }

    /// Adds to a counter. An item's `Queued` is added before its `Started`, and that before its `Completed`.
    #[inline]
    pub fn add(&self, counter: Counter, n: u64) {
        if let Some(words) = self.slot.words() {
            words.bump(pwq::COUNTERS + counter as usize, n);
        }
    }

    /// What it is now.
    #[inline]
    pub fn gauges(&self, gauges: &PwqGauges) {
        let Some(words) = self.slot.words() else {
            return;
        };
        words.put(pwq::ACTIVE_REFCNT, pair(gauges.nr_active, gauges.refcnt));
        words.put(
            pwq::INACTIVE_FLIGHT,
            pair(gauges.nr_inactive, gauges.nr_in_flight),
        );
        words.put(pwq::MAX_FLIGHT, gauges.max_in_flight.into());
        let bits = words.get(pwq::BITS);
        let held = bits & !pwq_held::SINCE | gauges.held_since & pwq_held::SINCE;
        if held != bits {
            words.put(pwq::BITS, held);
        }
    }

    /// Whether it waits for the rescuer.
    pub fn set_mayday(&self, on: bool) {
        self.set_bit(0, on);
    }

    /// Whether it holds its items until older pwqs of its ordered workqueue have drained.
    pub fn set_plugged(&self, on: bool) {
        self.set_bit(1, on);
    }

    fn set_bit(&self, bit: u32, on: bool) {
        if let Some(words) = self.slot.words() {
            let others = words.get(pwq::BITS) & !(1 << bit);
            words.put(pwq::BITS, others | u64::from(on) << bit);
        }
    }

    /// An execution began `ns` nanoseconds after its item was queued.
    #[inline]
    pub fn record_wait(&self, ns: u64) {
        self.record(histogram::WAIT, ns);
    }

    /// An execution took `ns` nanoseconds.
    #[inline]
    pub fn record_run(&self, ns: u64) {
        self.record(histogram::RUN, ns);
    }

    fn record(&self, at: usize, ns: u64) {
        if self.slot.words().is_none() {
            return;
        }
        let make = || Slot::beside(&self.slot, Kind::Histogram, Some(self.slot.id()));
        if let Some(words) = self.histogram.get_or_init(make).words() {
            words.raise(at, ns);
            words.bump(at + 1, ns);
            words.bump(at + 2 + bucket_of(ns), 1);
        }
    }

    /// The pwq is released, with what each function did on it: counters, distributions and figures are added to what
    /// earlier ones of its workqueue came to, and the slots are free again. However many are released, one row of no pool
    /// stays for all of them, and one for each function; they go with the workqueue's slot. Where that is gone, all goes.
    ///
    /// The caller gives everything away, so nobody counts in it any more. Takes the segment's books; a pool's lock may
    /// be held. While totals move a word of the head is odd, and a reader that sees it so, or changed, reads everything
    /// again: it sees each total once. Only one that meets releases without end, or a file whose process was killed in
    /// the middle, may see one twice; that counts as [`crate::Snapshot::torn`].
    pub fn retire(self, functions: impl IntoIterator<Item = PwqFuncSlot>) {
        let inner = Arc::clone(&self.slot.inner);
        let Some(words) = self.slot.words() else {
            return;
        };
        let wq = words.get(pwq::WQ_POOL) as u32;
        let leaving = Leaving {
            pwq: self.slot.into_taken(),
            histogram: self.histogram.into_inner().map(Slot::into_taken),
            functions: functions.into_iter().map(|f| f.slot.into_taken()).collect(),
        };
        inner.books().retire(&inner.head, wq, &leaving);
    }

    /// The pwq is gone, and all it came to with it: see [`PwqSlot::retire`].
    pub fn free(self) {}
}

/// What one function does on one pwq, in the segment. Freed when dropped.
#[derive(Debug)]
pub struct PwqFuncSlot {
    slot: Slot,
}

impl PwqFuncSlot {
    #[inline]
    fn shift(&self, at: usize, delta: i32) {
        if let Some(words) = self.slot.words() {
            words.shift(at, delta);
        }
    }

    /// Items came to or left the worklist.
    #[inline]
    pub fn pending(&self, delta: i32) {
        self.shift(pwq_func::PENDING, delta);
    }

    /// Items came to or left the inactive list.
    #[inline]
    pub fn inactive(&self, delta: i32) {
        self.shift(pwq_func::INACTIVE, delta);
    }

    /// Executions began or ended, as a gauge.
    #[inline]
    pub fn running(&self, delta: i32) {
        self.shift(pwq_func::RUNNING, delta);
    }

    /// An item was queued.
    #[inline]
    pub fn on_queued(&self) {
        if let Some(words) = self.slot.words() {
            words.bump(pwq_func::QUEUED, 1);
        }
    }

    /// An execution began; `waited` says why only now.
    #[inline]
    pub fn on_started(&self, waited: &Breakdown) {
        let Some(words) = self.slot.words() else {
            return;
        };
        words.bump(pwq_func::STARTED, 1);
        for (part, &ns) in waited.iter().enumerate().filter(|&(_, &ns)| ns != 0) {
            words.bump(pwq_func::BREAKDOWN + part, ns);
        }
    }

    /// An execution ended after `run_ns` of wall time and `cpu_ns` of CPU time.
    #[inline]
    pub fn on_completed(&self, run_ns: u64, cpu_ns: u64) {
        let Some(words) = self.slot.words() else {
            return;
        };
        words.bump(pwq_func::COMPLETED, 1);
        words.bump(pwq_func::RUN, run_ns);
        words.bump(pwq_func::CPU, cpu_ns);
        words.raise(pwq_func::RUN_MAX, run_ns);
    }

    /// Its pwq is gone.
    pub fn free(self) {}
}
