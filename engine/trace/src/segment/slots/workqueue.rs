//! A workqueue's slot.

use super::{Segment, Slot};
use crate::clean::clean_name;
use crate::ids::{PoolId, WorkerId, WqId};
use crate::layout::{
    ATTRS_KNOWN, ATTRS_STRICT, Kind, LIST_WORDS, NAME_WORDS, Topic, list, slot, workqueue,
};
use crate::segment::former::Former;
use crate::segment::words::pair;
use crate::settings::{NodeRow, WqAttrs, WqLimits};
use crate::stats::WqCounter;
use std::sync::Arc;

/// A workqueue in the segment. Freed when dropped.
///
/// Where nothing else is said, the caller serialises what changes it: under the workqueue's mutex.
#[derive(Debug)]
pub struct WqSlot {
    slot: Slot,
}

/// What a workqueue has of one NUMA node, in the segment.
#[derive(Debug)]
pub struct NodeSlot {
    /// Those of all nodes stand together.
    parts: Arc<[Slot]>,
    index: usize,
}

impl NodeSlot {
    /// What it has now. One plain store: under the node's lock, on a busy path.
    #[inline]
    pub fn set(&self, node: NodeRow) {
        if let Some(words) = self.parts[self.index / LIST_WORDS].words() {
            let word = list::ENTRIES + self.index % LIST_WORDS;
            words.put(word, pair(node.nr, node.max));
        }
    }
}

impl Segment {
    /// A workqueue; `flags` as in [`crate::WorkqueueRow::flags`].
    pub fn workqueue(&self, name: &str, flags: u32, max_active: u32) -> WqSlot {
        let name = clean_name(name);
        let slot = Slot::new(self, Kind::Workqueue, None, |words| {
            words.put(workqueue::FLAGS_MAX, pair(flags, max_active));
            words.put_text(workqueue::NAME, NAME_WORDS, &name);
        });
        slot.lists(|books, id| {
            books.formers.insert(id, Former::default());
        });
        WqSlot { slot }
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

    /// Its limit has changed: the one asked for.
    pub fn set_max_active(&self, max_active: u32) {
        if let Some(words) = self.slot.words() {
            let flags = words.get(workqueue::FLAGS_MAX) as u32;
            words.put(workqueue::FLAGS_MAX, pair(flags, max_active));
        }
    }

    /// Its flags have changed: it is draining, or being destroyed.
    pub fn set_flags(&self, flags: u32) {
        if let Some(words) = self.slot.words() {
            let max_active = (words.get(workqueue::FLAGS_MAX) >> 32) as u32;
            words.put(workqueue::FLAGS_MAX, pair(flags, max_active));
        }
    }

    /// Its limits have changed, those asked for or those in force. A reader sees all four or none.
    pub fn set_limits(&self, limits: &WqLimits) {
        let Some(words) = self.slot.words() else {
            return;
        };
        let l = limits;
        words.exclusively(slot::SEQ, |words| {
            let flags = words.get(workqueue::FLAGS_MAX) as u32;
            let minima = pair(l.min_active, l.effective_min_active);
            words.put(workqueue::FLAGS_MAX, pair(flags, l.max_active));
            words.put(workqueue::MIN_ACTIVE, minima);
            words.put(workqueue::EFFECTIVE, pair(l.effective_max_active, 1));
        });
    }

    /// What it asks for; of an unbound workqueue.
    pub fn set_attrs(&self, attrs: &WqAttrs) {
        let Some(words) = self.slot.words() else {
            return;
        };
        self.slot
            .lists(|books, id| books.set_cpus(Topic::WqCpus, id, &attrs.cpus));
        let strict = if attrs.strict { ATTRS_STRICT } else { 0 };
        let bits = ATTRS_KNOWN | strict | (attrs.scope as u32) << 8;
        words.set(workqueue::ATTRS, pair(attrs.nice as u32, bits));
    }

    /// Its rescuer; [`WorkerId::NONE`] when it has none.
    pub fn set_rescuer(&self, worker: WorkerId) {
        if let Some(words) = self.slot.words() {
            let default = (words.get(workqueue::RESCUER_DEFAULT) >> 32) as u32;
            words.put(workqueue::RESCUER_DEFAULT, pair(worker.0, default));
        }
    }

    /// The pools that serve it, by the OS number of the CPU, and the one for CPUs that have no other. For a bound
    /// workqueue nothing need be said: its pools have the CPUs.
    pub fn set_pools(&self, pools: &[PoolId], default: PoolId) {
        let Some(words) = self.slot.words() else {
            return;
        };
        let pools: Vec<_> = pools.iter().map(|pool| pool.0).collect();
        self.slot
            .lists(|books, id| books.set_list(Topic::WqPools, id, &pools));
        let rescuer = words.get(workqueue::RESCUER_DEFAULT) as u32;
        words.put(workqueue::RESCUER_DEFAULT, pair(rescuer, default.0));
    }

    /// Its share of each NUMA node, by number, and last of what belongs to no node: `nodes` of them. They may outlive it.
    pub fn nodes(&self, nodes: usize) -> Vec<NodeSlot> {
        if self.slot.words().is_none() {
            return Vec::new();
        }
        let inner = Arc::clone(&self.slot.inner);
        let segment = Segment { inner };
        let part = |first: usize| {
            let count = LIST_WORDS.min(nodes - first);
            Slot::new(&segment, Kind::List, None, |words| {
                words.put(list::OWNER, pair(Topic::WqNodes as u32, self.id().0));
                words.put(list::PLACE, pair(2 * first as u32, 2 * count as u32));
            })
        };
        let parts = (0..nodes).step_by(LIST_WORDS).map(part);
        let parts: Arc<[Slot]> = parts.collect();
        let slot = |index| NodeSlot {
            parts: Arc::clone(&parts),
            index,
        };
        (0..nodes).map(slot).collect()
    }

    /// The workqueue is gone.
    pub fn free(self) {}
}
