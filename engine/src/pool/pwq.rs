//! One workqueue's share of one pool. Kernel: `struct pool_workqueue`.

use super::list::List;
use super::wait::HoldClock;
use crate::wq::NodeActive;
use std::sync::Arc;
use wq_trace::{Counter, FuncId, Hold, PwqFuncSlot, PwqGauges, PwqSlot, Segment, WqId};

/// Flush colours. Kernel: `WORK_NR_COLORS`.
pub(crate) const NR_COLORS: usize = 16;

/// Index of a pwq in its pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PwqIx(pub(crate) u32);

/// What a pwq is made from.
#[derive(Clone, Debug)]
pub(crate) struct PwqSpec {
    pub(crate) wq: WqId,
    pub(crate) wq_name: String,
    /// Never given twice in an engine.
    pub(crate) uid: u64,
    pub(crate) limit: Limit,
    pub(crate) ordered: bool,
    pub(crate) cpu_intensive: bool,
    /// The workqueue has a rescuer.
    pub(crate) mem_reclaim: bool,
    /// The colour that the workqueue gives to new items at this moment.
    pub(crate) work_color: u8,
}

/// How many items of a pwq may be active. Changes at run time.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    /// The workqueue's `max_active` in force: the pwq's own limit when it is bound.
    pub(crate) max_active: usize,
    /// `max_active` is 0 because the workqueue is frozen.
    pub(crate) frozen: bool,
    /// The count that an unbound workqueue's pwqs of one node share. I
    pub(crate) node: Option<Arc<NodeActive>>,
    /// Older pwqs of its ordered workqueue have not drained. Kernel: `pwq->plugged`.
    pub(crate) plugged: bool,
}

/// See the module. All `L`.
#[derive(Debug)]
pub(crate) struct Pwq {
    /// I
    pub(crate) spec: PwqSpec,
    pub(crate) slot: PwqSlot,
    /// Items that hold an active slot: on the worklist, scheduled or running.
    pub(crate) nr_active: usize,
    /// Items that wait for an active slot.
    pub(crate) inactive: List,
    /// Why they do.
    pub(super) hold: HoldClock,
    /// Its workqueue has other pwqs by now: it goes with its last item.
    pub(super) retired: bool,
    /// Items queued or running, by colour.
    pub(crate) nr_in_flight: [u32; NR_COLORS],
    /// Items ever queued here.
    pub(crate) arrivals: u64,
    /// The colour being flushed.
    pub(crate) flush_color: Option<u8>,
    /// On its workqueue's mayday list. Kernel: `mayday_node` is linked.
    pub(crate) mayday: bool,
    /// Items executing.
    pub(crate) running: u32,
    max_running: u32,
    /// By function id.
    funcs: Vec<Option<PwqFuncSlot>>,
}

impl PwqSpec {
    /// What holds an item back when there is no slot.
    pub(crate) fn hold_reason(&self) -> Hold {
        let limit = &self.limit;
        match &limit.node {
            _ if limit.frozen => Hold::Frozen,
            _ if limit.plugged => Hold::Plugged,
            _ if self.ordered => Hold::Ordered,
            // A node's share that is the whole limit is the limit.
            Some(node) if node.max() < limit.max_active => Hold::Node,
            _ => Hold::MaxActive,
        }
    }
}

impl Pwq {
    pub(crate) fn new(spec: PwqSpec, slot: PwqSlot, now: u64) -> Self {
        slot.set_plugged(spec.limit.plugged);
        Self {
            hold: HoldClock::new(now, spec.hold_reason()),
            retired: false,
            spec,
            slot,
            nr_active: 0,
            inactive: List::default(),
            nr_in_flight: [0; NR_COLORS],
            arrivals: 0,
            flush_color: None,
            mayday: false,
            running: 0,
            max_running: 0,
            funcs: Vec::new(),
        }
    }

    /// Has a bound pwq room for one more active item?
    pub(crate) fn has_slot(&self) -> bool {
        self.nr_active < self.spec.limit.max_active
    }

    /// Are items held back?
    pub(crate) fn has_inactive(&self) -> bool {
        !self.inactive.is_empty()
    }

    /// It is put on its workqueue's mayday list, or taken off.
    pub(super) fn set_mayday(&mut self, mayday: bool) {
        self.mayday = mayday;
        self.slot.set_mayday(mayday);
    }

    /// Items queued or running.
    pub(crate) fn in_flight(&self) -> u32 {
        self.nr_in_flight.iter().sum()
    }

    pub(crate) fn run_begins(&mut self) {
        self.running += 1;
        self.max_running = self.max_running.max(self.running);
    }

    /// Where this function's figures stand.
    pub(crate) fn func(&mut self, segment: &Segment, func: FuncId) -> &PwqFuncSlot {
        let index = func.0 as usize;
        if self.funcs.len() <= index {
            self.funcs.resize_with(index + 1, || None);
        }
        let pwq = self.slot.id();
        self.funcs[index].get_or_insert_with(|| segment.pwq_func(pwq, func))
    }

    /// It is gone, but not what it came to: that stays with its workqueue.
    pub(super) fn retire(self) {
        self.slot.retire(self.funcs.into_iter().flatten());
    }

    /// Writes what the tools see. `held_since` is when its first inactive item was queued; 0 without one.
    pub(super) fn publish(&self, held_since: u64) {
        self.slot.gauges(&PwqGauges {
            nr_active: self.nr_active as u32,
            refcnt: self.in_flight() + 1,
            nr_inactive: self.inactive.len(),
            nr_in_flight: self.running,
            max_in_flight: self.max_running,
            held_since,
        });
    }
}

/// What counts the items that are held back for this reason.
pub(super) fn held_counter(reason: Hold) -> Counter {
    match reason {
        Hold::MaxActive => Counter::HeldMaxActive,
        Hold::Node => Counter::HeldNode,
        Hold::Ordered => Counter::HeldOrdered,
        Hold::Plugged => Counter::HeldPlugged,
        Hold::Frozen => Counter::HeldFrozen,
    }
}
