//! A workqueue's slot.

use super::{Segment, Slot};
use crate::clean::clean_name;
use crate::ids::WqId;
use crate::layout::{Kind, NAME_WORDS, workqueue};
use crate::segment::words::pair;
use crate::stats::WqCounter;

/// A workqueue in the segment. Freed when dropped.
#[derive(Debug)]
pub struct WqSlot {
    slot: Slot,
    flags: u32,
}

impl Segment {
    /// A workqueue; `flags` as in [`crate::WorkqueueRow::flags`].
    pub fn workqueue(&self, name: &str, flags: u32, max_active: u32) -> WqSlot {
        let name = clean_name(name);
        let slot = Slot::new(self, Kind::Workqueue, None, |words| {
            words.put(workqueue::FLAGS_MAX, pair(flags, max_active));
            words.put_text(workqueue::NAME, NAME_WORDS, &name);
        });
        WqSlot { slot, flags }
    }
}

impl WqSlot {
    /// Its identity.
    pub fn id(&self) -> WqId {
        WqId(self.slot.id())
    }

    /// Adds to a counter; any thread may, at any time.
    #[inline]
    pub fn add(&self, counter: WqCounter, n: u64) {
        if let Some(words) = self.slot.words() {
            words.add_shared(workqueue::COUNTERS + counter as usize, n);
        }
    }

    /// Its limit has changed. The caller serialises these.
    pub fn set_max_active(&self, max_active: u32) {
        if let Some(words) = self.slot.words() {
            words.put(workqueue::FLAGS_MAX, pair(self.flags, max_active));
        }
    }

    /// The workqueue is gone.
    pub fn free(self) {}
}
