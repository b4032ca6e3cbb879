//! How many items of an unbound workqueue may be active on one NUMA node, and which pwq is next when one more may.
//! Kernel: `struct wq_node_nr_active`.
//!
//! The count is shared by all pwqs whose pools are on the node, so it stands under a lock of its own: a leaf, taken
//! under a pool's lock and above no other. Whoever gives a slot back hands it, in the same step, to the pwq that has
//! waited longest: the slot is *reserved*. So whenever a pwq waits, no slot is free, and nobody jumps the queue.
//! A pwq gets one slot at a time and goes to the end while it holds more items: round-robin.

use crate::pool::PwqIx;
use crate::sync::{Mutex, MutexGuard};
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use wq_trace::{NodeRow, NodeSlot, WqSlot};

/// Where a pwq is. Never given twice: `uid` tells a pwq from a later one at the same index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PwqAddr {
    /// The pool, as [`crate::pool::PoolSpec::uid`].
    pub(crate) pool: u32,
    pub(crate) ix: PwqIx,
    pub(crate) uid: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct NodeActive(Mutex<Node>);

#[derive(Debug)]
struct Node {
    max: usize,
    /// Slots taken or reserved.
    nr: usize,
    /// Pwqs that hold items back, the one that waits longest first; each once.
    waiting: VecDeque<PwqAddr>,
    /// Where the tools see it.
    slot: Option<NodeSlot>,
}

/// An active slot that was set aside for the first held item of a pwq.
#[derive(Clone, Debug)]
#[must_use = "a slot that is not used must be given back"]
pub(crate) struct Reserved {
    pub(crate) node: Arc<NodeActive>,
    pub(crate) pwq: PwqAddr,
}

/// The counts of an unbound workqueue: one for each node, and one for the pools that are on no single node.
#[derive(Debug)]
pub(crate) struct NodeCounts {
    /// By the node's number.
    by_node: Vec<(usize, Arc<NodeActive>)>,
    elsewhere: Arc<NodeActive>,
}

impl NodeCounts {
    /// For the nodes with these numbers, without a slot so far.
    pub(crate) fn new(nodes: impl IntoIterator<Item = usize>) -> Self {
        let count = |node| (node, NodeActive::new(0));
        Self {
            by_node: nodes.into_iter().map(count).collect(),
            elsewhere: NodeActive::new(0),
        }
    }

    /// The count of a pool that is on this node.
    pub(crate) fn of(&self, node: Option<usize>) -> &Arc<NodeActive> {
        let find = |node| self.by_node.iter().find(|(number, _)| *number == node);
        node.and_then(find)
            .map_or(&self.elsewhere, |(_, count)| count)
    }

    /// From now on the tools see them, in the workqueue's row.
    pub(crate) fn show_in(&self, wq: &WqSlot) {
        let nodes = self.by_node.iter().map(|(number, _)| number + 1).max();
        let mut slots = wq.nodes(nodes.unwrap_or(0) + 1);
        self.elsewhere.lock().slot = slots.pop();
        // A number that no node has keeps its zeros.
        for (number, slot) in slots.into_iter().enumerate() {
            let node = self.by_node.iter().find(|(of, _)| *of == number);
            if let Some((_, node)) = node {
                node.lock().slot = Some(slot);
            }
        }
    }

    /// Sets every limit: those of the nodes with these numbers, and that of pools on no node, who have the whole.
    pub(crate) fn set_max(&self, shares: impl IntoIterator<Item = (usize, usize)>, whole: usize) {
        for (node, share) in shares {
            self.of(Some(node)).set_max(share);
        }
        self.elsewhere.set_max(whole);
    }

    /// A slot that became free, reserved; asked until there is none.
    pub(crate) fn reserve(&self) -> Option<Reserved> {
        self.all().find_map(NodeActive::reserve)
    }

    /// Those of the nodes in their order, then the one for pools on none.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<NodeActive>> {
        self.by_node
            .iter()
            .map(|(_, count)| count)
            .chain([&self.elsewhere])
    }
}

impl PartialEq for Reserved {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.node, &other.node) && self.pwq == other.pwq
    }
}

impl Eq for Reserved {}

impl NodeActive {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Node {
            max,
            nr: 0,
            waiting: VecDeque::new(),
            slot: None,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Node> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A slot for an item of `pwq`, which holds none back; if there is none, the pwq waits from now on.
    /// Kernel: `pwq_tryinc_nr_active()`.
    pub(crate) fn take(&self, pwq: PwqAddr) -> bool {
        let mut node = self.lock();
        let free = node.nr < node.max;
        if free {
            node.nr += 1;
            node.publish();
        } else {
            node.wait(pwq);
        }
        free
    }

    /// `pwq` holds items back, and has no slot reserved.
    pub(crate) fn wait(&self, pwq: PwqAddr) {
        self.lock().wait(pwq);
    }

    /// `pwq` holds nothing back any more.
    pub(crate) fn forget(&self, pwq: PwqAddr) {
        self.lock().waiting.retain(|waiting| *waiting != pwq);
    }

    /// Gives a slot back; it is reserved for the pwq that has waited longest, if there is one.
    /// Kernel: `pwq_dec_nr_active()`, `node_activate_pending_pwq()`.
    pub(crate) fn release(self: &Arc<Self>) -> Option<Reserved> {
        let mut node = self.lock();
        node.nr -= 1;
        let reserved = node.reserve(self);
        node.publish();
        reserved
    }

    /// Reserves a free slot, if there is one, for the pwq that has waited longest.
    pub(crate) fn reserve(self: &Arc<Self>) -> Option<Reserved> {
        let mut node = self.lock();
        let reserved = node.reserve(self)?;
        node.publish();
        Some(reserved)
    }

    /// From now on so many slots. Who raises it reserves what became free until nothing is left to reserve.
    pub(crate) fn set_max(&self, max: usize) {
        let mut node = self.lock();
        node.max = max;
        node.publish();
    }

    pub(crate) fn max(&self) -> usize {
        self.lock().max
    }

    /// Slots taken or reserved, the limit, and who waits.
    #[cfg(test)]
    pub(crate) fn look(&self) -> (usize, usize, Vec<PwqAddr>) {
        let node = self.lock();
        (node.nr, node.max, node.waiting.iter().copied().collect())
    }
}

impl Node {
    fn publish(&self) {
        if let Some(slot) = &self.slot {
            slot.set(NodeRow {
                nr: self.nr as u32,
                max: self.max as u32,
            });
        }
    }

    /// As [`NodeActive::reserve`], `this` being the lock that it is behind.
    fn reserve(&mut self, this: &Arc<NodeActive>) -> Option<Reserved> {
        if self.nr >= self.max {
            return None;
        }
        let pwq = self.waiting.pop_front()?;
        self.nr += 1;
        let node = this.clone();
        Some(Reserved { node, pwq })
    }

    fn wait(&mut self, pwq: PwqAddr) {
        if !self.waiting.contains(&pwq) {
            self.waiting.push_back(pwq);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pwq(uid: u64) -> PwqAddr {
        PwqAddr {
            pool: 1,
            ix: PwqIx(uid as u32),
            uid,
        }
    }

    fn next(node: &Arc<NodeActive>) -> Option<u64> {
        node.release().map(|reserved| reserved.pwq.uid)
    }

    #[test]
    fn a_slot_goes_to_who_waited_longest_one_at_a_time() {
        let node = NodeActive::new(1);
        assert!(node.take(pwq(1)));
        assert!(!node.take(pwq(2)));
        assert!(!node.take(pwq(3)));
        assert!(!node.take(pwq(2)), "it waits once");
        assert_eq!(next(&node), Some(2));
        // It holds more: behind the other.
        node.wait(pwq(2));
        assert_eq!(next(&node), Some(3));
        assert_eq!(next(&node), Some(2));
        assert_eq!(next(&node), None);
        assert_eq!(node.lock().nr, 0);
    }

    #[test]
    fn nobody_jumps_the_queue_when_a_slot_is_given_back() {
        let node = NodeActive::new(1);
        assert!(node.take(pwq(1)));
        assert!(!node.take(pwq(2)));
        let reserved = node.release();
        assert!(reserved.is_some());
        assert!(!node.take(pwq(3)), "the slot is reserved");
    }

    #[test]
    fn raising_the_limit_fills_in_the_order_of_waiting() {
        let node = NodeActive::new(0);
        for uid in 1..=3 {
            assert!(!node.take(pwq(uid)));
        }
        assert_eq!(node.reserve(), None);
        node.set_max(2);
        let filled: Vec<u64> = std::iter::from_fn(|| node.reserve())
            .map(|reserved| reserved.pwq.uid)
            .collect();
        assert_eq!(filled, [1, 2]);
        node.forget(pwq(3));
        assert_eq!(next(&node), None);
    }

    #[test]
    fn a_lowered_limit_gives_nothing_away_until_enough_came_back() {
        let node = NodeActive::new(3);
        for uid in 1..=3 {
            assert!(node.take(pwq(uid)));
        }
        assert!(!node.take(pwq(4)));
        node.set_max(1);
        assert_eq!((next(&node), next(&node)), (None, None));
        assert_eq!(next(&node), Some(4));
    }
}
