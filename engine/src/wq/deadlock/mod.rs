//! Who waits for whom, and which of them wait for ever.
//!
//! A snapshot graph. Its nodes are things in flight, executions and queued items; *waits* are work functions that wait
//! in one of the engine's calls for some of the nodes. Everything that is not known to be in the way is taken to go
//! on: a work function that is not in such a wait returns, an active item gets a worker. So a node is stuck if and
//! only if no order exists in which things complete and it is among them:
//!
//! - an execution completes if it is in no wait, or everything that it waits for completes;
//! - an active item completes if its own earlier execution, where there is one, does;
//! - held items become active in their order, one for each slot that gets free. A slot that a stuck node holds does
//!   not, and neither does that of a held item which becomes active and then is stuck behind its own execution.
//!
//! [`Graph::stuck`] grows the set of what completes from nothing until it grows no more: what is left is stuck. It
//! stays so whatever else happens, unless somebody cancels an item or raises a limit. The snapshot need not be of one
//! instant: each node is looked at with all that keeps it, and since a stuck node never moves, nodes that are stuck by
//! looks at different times are so together. Kernel: nothing like it; lockdep warns of what might happen.
//!
//! Between pwqs that share a limit (a node's) the order of activation is not fixed: each is judged as if it came first.

mod gather;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use gather::{Target, Thing, Wait, What, gather};
pub(crate) use text::{Deed, tell};

use std::collections::VecDeque;

/// Index into [`Graph::nodes`].
pub(crate) type NodeIx = usize;
/// Index into [`Graph::waits`].
pub(crate) type WaitIx = usize;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) groups: Vec<Group>,
    /// What each of the waits is for.
    pub(crate) waits: Vec<Vec<NodeIx>>,
}

/// Something in flight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) state: State,
    /// Index into [`Graph::groups`].
    pub(crate) group: usize,
}

/// What a node still needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum State {
    /// It executes, in this wait if in any. Holds a slot.
    Runs(Option<WaitIx>),
    /// It needs a worker, and the end of this execution of its own work. Holds a slot.
    Active(Option<NodeIx>),
    /// It needs a slot, and then as an active item.
    Held(Option<NodeIx>),
}

/// Who shares active slots.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) limit: usize,
    /// Held nodes, in the order in which they become active, pwq by pwq.
    pub(crate) held: Vec<Vec<NodeIx>>,
}

/// Why a stuck node is stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Its function is in this wait for the other.
    Waits(WaitIx),
    /// The other is the execution of its own work.
    Behind,
    /// The other has, or will have, one of the slots and keeps it.
    Slot,
}

impl Graph {
    /// By node: whether it can never complete.
    pub(crate) fn stuck(&self) -> Vec<bool> {
        let mut stuck = vec![true; self.nodes.len()];
        loop {
            let mut changed = false;
            for ix in 0..self.nodes.len() {
                if stuck[ix] && self.goes_on(ix, &stuck) {
                    stuck[ix] = false;
                    changed = true;
                }
            }
            for group in &self.groups {
                changed |= self.held_go_on(group, &mut stuck);
            }
            if !changed {
                return stuck;
            }
        }
    }

    /// Whether a node that holds its slot completes if those that are not `stuck` do.
    fn goes_on(&self, ix: NodeIx, stuck: &[bool]) -> bool {
        match self.nodes[ix].state {
            State::Runs(None) | State::Active(None) => true,
            State::Runs(Some(wait)) => self.waits[wait].iter().all(|&target| !stuck[target]),
            State::Active(Some(behind)) => !stuck[behind],
            State::Held(_) => false,
        }
    }

    /// Lets those held nodes go on that get a slot. Returns whether there was one.
    fn held_go_on(&self, group: &Group, stuck: &mut [bool]) -> bool {
        let holders = self.stuck_holders(group, stuck).count();
        let mut changed = false;
        for list in &group.held {
            let mut taken = holders;
            for &ix in list {
                if taken >= group.limit {
                    break;
                }
                if self.behind(ix).is_some_and(|behind| stuck[behind]) {
                    taken += 1;
                } else {
                    changed |= stuck[ix];
                    stuck[ix] = false;
                }
            }
        }
        changed
    }

    fn stuck_holders<'a>(
        &'a self,
        group: &'a Group,
        stuck: &'a [bool],
    ) -> impl Iterator<Item = NodeIx> + 'a {
        let ours = |node: &Node| std::ptr::eq(&raw const self.groups[node.group], group);
        self.nodes
            .iter()
            .enumerate()
            .filter(move |(ix, node)| {
                stuck[*ix] && ours(node) && !matches!(node.state, State::Held(_))
            })
            .map(|(ix, _)| ix)
    }

    fn behind(&self, ix: NodeIx) -> Option<NodeIx> {
        match self.nodes[ix].state {
            State::Active(behind) | State::Held(behind) => behind,
            State::Runs(_) => None,
        }
    }

    /// The shortest way from `start` back to itself along the reasons why nodes are stuck: each node with the reason
    /// that leads to the next, the last one's to `start`. `None`: there is none, or `start` is not stuck.
    pub(crate) fn cycle(&self, start: NodeIx, stuck: &[bool]) -> Option<Vec<(NodeIx, Why)>> {
        if !stuck[start] {
            return None;
        }
        let mut from: Vec<Option<(NodeIx, Why)>> = vec![None; self.nodes.len()];
        let mut to_see = VecDeque::from([start]);
        while let Some(ix) = to_see.pop_front() {
            for (next, why) in self.reasons(ix, stuck) {
                if from[next].is_some() {
                    continue;
                }
                from[next] = Some((ix, why));
                if next == start {
                    return Some(way_back(start, &from));
                }
                to_see.push_back(next);
            }
        }
        None
    }

    /// The stuck nodes that keep a stuck node stuck.
    fn reasons(&self, ix: NodeIx, stuck: &[bool]) -> Vec<(NodeIx, Why)> {
        let mut reasons: Vec<(NodeIx, Why)> = match self.nodes[ix].state {
            State::Runs(Some(wait)) => self.waits[wait]
                .iter()
                .map(|&target| (target, Why::Waits(wait)))
                .collect(),
            State::Runs(None) => Vec::new(),
            State::Active(behind) => behind
                .map(|behind| (behind, Why::Behind))
                .into_iter()
                .collect(),
            State::Held(behind) => {
                let behind = behind.map(|behind| (behind, Why::Behind));
                self.in_its_slots(ix, stuck)
                    .into_iter()
                    .map(|holder| (holder, Why::Slot))
                    .chain(behind)
                    .collect()
            }
        };
        reasons.retain(|(target, _)| stuck[*target]);
        reasons
    }

    /// The stuck nodes that take all slots that a held node could get; empty if it gets one.
    fn in_its_slots(&self, ix: NodeIx, stuck: &[bool]) -> Vec<NodeIx> {
        let group = &self.groups[self.nodes[ix].group];
        let mut takers: Vec<NodeIx> = self.stuck_holders(group, stuck).collect();
        let list = group.held.iter().find(|list| list.contains(&ix));
        let before = list.into_iter().flatten().take_while(|&&other| other != ix);
        for &other in before {
            if takers.len() < group.limit && stuck[other] {
                takers.push(other);
            }
        }
        if takers.len() < group.limit {
            takers.clear();
        }
        takers
    }
}

/// The nodes on the way that `from` tells, with the reason that each was left by.
fn way_back(start: NodeIx, from: &[Option<(NodeIx, Why)>]) -> Vec<(NodeIx, Why)> {
    let mut way = Vec::new();
    let mut at = start;
    while let Some((before, why)) = from[at] {
        way.push((before, why));
        at = before;
        if at == start {
            break;
        }
    }
    way.reverse();
    way
}
