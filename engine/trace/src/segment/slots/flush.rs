//! A waiting thread's slot.

use super::{Segment, Slot};
use crate::layout::{Kind, flush};
use crate::segment::words::pair;
use crate::snapshot::FlushRow;

/// A thread that waits, in the segment, until this is dropped.
#[derive(Debug)]
#[must_use = "the thread is shown as waiting until this is dropped"]
pub struct FlushSlot {
    slot: Slot,
}

impl Segment {
    /// A thread waits for an item or a workqueue.
    pub fn flush(&self, row: &FlushRow) -> FlushSlot {
        let slot = Slot::new(self, Kind::Flush, None, |words| {
            words.put(flush::TID, row.tid.into());
            words.put(flush::WQ_FUNC, pair(row.wq.0, row.func.0));
            words.put(flush::WORK, row.work);
            words.put(flush::SINCE, row.since);
            words.put(flush::CYCLE, row.deadlock.into());
        });
        FlushSlot { slot }
    }
}

impl FlushSlot {
    /// The wait was found to be part of a deadlock: its number, as in [`crate::What::Deadlock`]; 0 takes that back. Any
    /// thread may.
    pub fn set_deadlock(&self, cycle: u32) {
        if let Some(words) = self.slot.words() {
            words.put(flush::CYCLE, cycle.into());
        }
    }
}
