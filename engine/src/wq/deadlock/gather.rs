//! From what the pools show to the graph.

use super::{Graph, Group, Node, NodeIx, State};
use crate::pool::{Awaited, ItemIx, PwqUid, Slots, Standing, WorkerIx};
use crate::wq::NodeActive;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use wq_trace::WqId;

/// Something in flight on the pool with this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Thing {
    pub(crate) pool: u32,
    pub(crate) what: What,
}

/// An execution or a queued item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    Execution(WorkerIx),
    Item(ItemIx),
}

/// A work function that waits.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    /// The pool and worker that executes it.
    pub(crate) by: (u32, WorkerIx),
    pub(crate) target: Target,
}

/// What it waits for.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// The wait is over.
    Nothing,
    /// One thing.
    Thing(Thing),
    /// Everything with these flush colours (a bit each) on these pwqs.
    Colors(u16, Vec<(u32, PwqUid)>),
}

impl Thing {
    pub(crate) fn execution(pool: u32, worker: WorkerIx) -> Self {
        Self {
            pool,
            what: What::Execution(worker),
        }
    }

    pub(crate) fn item(pool: u32, item: ItemIx) -> Self {
        Self {
            pool,
            what: What::Item(item),
        }
    }

    pub(crate) fn awaited(pool: u32, awaited: Awaited) -> Self {
        match awaited {
            Awaited::Execution(worker) => Self::execution(pool, worker),
            Awaited::Item(item) => Self::item(pool, item),
        }
    }
}

/// The graph of what these pools show and these waits, and what its nodes are.
pub(crate) fn gather(pools: &[(u32, Standing)], waits: &[Wait]) -> (Graph, Vec<Thing>) {
    let mut gathered = Gathered::default();
    let in_wait: HashMap<Thing, usize> = waits
        .iter()
        .enumerate()
        .map(|(ix, wait)| (Thing::execution(wait.by.0, wait.by.1), ix))
        .collect();
    for (pool, standing) in pools {
        gathered.pool(*pool, standing, &in_wait);
    }
    let waits = waits.iter().map(|wait| gathered.targets(&wait.target));
    let waits = waits.collect();
    let graph = Graph {
        nodes: gathered.nodes,
        groups: gathered.groups,
        waits,
    };
    (graph, gathered.things)
}

#[derive(Default)]
struct Gathered {
    nodes: Vec<Node>,
    groups: Vec<Group>,
    things: Vec<Thing>,
    by_thing: HashMap<Thing, NodeIx>,
    by_pwq: HashMap<(u32, PwqUid), OfPwq>,
    by_slots: HashMap<Shared, usize>,
}

/// What several pwqs share slots by.
#[derive(PartialEq, Eq, Hash)]
enum Shared {
    /// By its address.
    Node(*const NodeActive),
    Ordered(WqId),
}

#[derive(Default)]
struct OfPwq {
    group: usize,
    nodes: Vec<(NodeIx, u8)>,
}

impl Gathered {
    fn pool(&mut self, pool: u32, standing: &Standing, in_wait: &HashMap<Thing, usize>) {
        for (pwq, slots) in &standing.slots {
            let (pwq, group) = (*pwq, self.group(slots));
            let of = OfPwq {
                group,
                nodes: Vec::new(),
            };
            self.by_pwq.insert((pool, pwq), of);
        }
        for execution in &standing.executing {
            let thing = Thing::execution(pool, execution.worker);
            let state = State::Runs(in_wait.get(&thing).copied());
            self.node(thing, execution.pwq, execution.color, state);
        }
        let mut held: BTreeMap<PwqUid, Vec<(u64, NodeIx)>> = BTreeMap::new();
        for item in &standing.queued {
            let behind = item.behind.map(|worker| Thing::execution(pool, worker));
            let behind = behind.and_then(|thing| self.by_thing.get(&thing).copied());
            let state = match item.held {
                Some(_) => State::Held(behind),
                None => State::Active(behind),
            };
            let ix = self.node(Thing::item(pool, item.item), item.pwq, item.color, state);
            if let Some(place) = item.held {
                held.entry(item.pwq).or_default().push((place, ix));
            }
        }
        for (_, mut list) in held {
            list.sort_unstable();
            let group = self.nodes[list[0].1].group;
            let list = list.into_iter().map(|(_, ix)| ix).collect();
            self.groups[group].held.push(list);
        }
    }

    fn group(&mut self, slots: &Slots) -> usize {
        let (limit, shared) = match slots {
            Slots::Own(limit) => (*limit, None),
            Slots::Node(node) => (node.max(), Some(Shared::Node(Arc::as_ptr(node)))),
            Slots::Ordered(wq) => (1, Some(Shared::Ordered(*wq))),
            Slots::Unlimited => (usize::MAX, None),
        };
        let new = self.groups.len();
        let group = match shared {
            Some(shared) => *self.by_slots.entry(shared).or_insert(new),
            None => new,
        };
        if group == new {
            self.groups.push(Group {
                limit,
                held: Vec::new(),
            });
        }
        group
    }

    fn node(&mut self, thing: Thing, pwq: PwqUid, color: u8, state: State) -> NodeIx {
        let ix = self.nodes.len();
        let of = self.by_pwq.entry((thing.pool, pwq)).or_default();
        of.nodes.push((ix, color));
        let group = of.group;
        self.nodes.push(Node { state, group });
        self.things.push(thing);
        self.by_thing.insert(thing, ix);
        ix
    }

    fn targets(&self, target: &Target) -> Vec<NodeIx> {
        match target {
            Target::Nothing => Vec::new(),
            Target::Thing(thing) => self.by_thing.get(thing).copied().into_iter().collect(),
            Target::Colors(colors, pwqs) => {
                let nodes = pwqs.iter().filter_map(|pwq| self.by_pwq.get(pwq));
                nodes
                    .flat_map(|of| &of.nodes)
                    .filter(|(_, color)| colors >> color & 1 == 1)
                    .map(|(ix, _)| *ix)
                    .collect()
            }
        }
    }
}
