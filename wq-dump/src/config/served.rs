//! What a snapshot says of who is served by what: joined once, for text and JSON alike. Engines of format 1.0 say little
//! of it; what follows from the rest is filled in, and what does not is unknown.

use std::collections::HashMap;
use wq_trace::{
    CpuSet, NodeRow, PoolId, PoolRow, Snapshot, WorkerKind, WorkerRow, WorkqueueRow, WqId, wq_flags,
};

/// A snapshot with its rows at hand.
pub struct Served<'a> {
    pub snapshot: &'a Snapshot,
    /// The CPUs that the engine uses: the kernel's possible ones.
    pub cpus: &'a [u16],
    /// How many NUMA nodes there are, known or not.
    pub nodes: usize,
    pools: HashMap<PoolId, &'a PoolRow>,
    /// The pools of each workqueue's pwqs.
    links: HashMap<WqId, Vec<PoolId>>,
    /// Pwqs on each pool.
    refs: HashMap<PoolId, u32>,
    /// Rescuers by their workqueue.
    rescuers: HashMap<WqId, &'a WorkerRow>,
}

impl<'a> Served<'a> {
    pub fn new(snapshot: &'a Snapshot) -> Self {
        let nodes = snapshot.settings.nodes.len();
        // Of each workqueue's entries the last is for no node.
        let told = snapshot.workqueues.iter().map(|wq| wq.nodes.len());
        let told = told.max().unwrap_or(0).saturating_sub(1);
        let mut links: HashMap<_, Vec<_>> = HashMap::new();
        let mut refs = HashMap::new();
        for pwq in snapshot.pwqs.iter().filter(|pwq| pwq.pool.is_some()) {
            links.entry(pwq.wq).or_default().push(pwq.pool);
            *refs.entry(pwq.pool).or_default() += 1;
        }
        let rescues = |w: &&WorkerRow| w.kind == WorkerKind::Rescuer;
        let rescuers = snapshot.workers.iter().filter(rescues);
        Self {
            snapshot,
            cpus: &snapshot.meta.cpus,
            nodes: nodes.max(told),
            pools: snapshot.pools.iter().map(|p| (p.id, p)).collect(),
            links,
            refs,
            rescuers: rescuers.map(|w| (w.rescue_wq, w)).collect(),
        }
    }

    /// References of a pool: those of the pwqs that the snapshot tells of, where the engine does not count them.
    pub fn refcnt(&self, pool: &PoolRow) -> u32 {
        match pool.refcnt {
            0 => self.refs.get(&pool.id).copied().unwrap_or(0),
            n => n,
        }
    }

    /// The numbers of a workqueue's pools, for each CPU in use.
    pub fn pools(&self, wq: &WorkqueueRow) -> Vec<Option<u32>> {
        let linked = self.linked(wq).iter().filter_map(|id| self.pools.get(id));
        let bound: HashMap<u16, u32> = linked
            .filter_map(|pool| Some((pool.cpu?, pool.number)))
            .collect();
        let by_default = self.default_of(wq);
        let of_cpu = |cpu: &u16| match wq.pools.get(usize::from(*cpu)) {
            Some(&id) if id.is_some() => self.number(id),
            _ => bound.get(cpu).copied().or(by_default),
        };
        self.cpus.iter().map(of_cpu).collect()
    }

    /// The number of the pool for CPUs that have no other: the only one, where the engine names none.
    pub fn default_of(&self, wq: &WorkqueueRow) -> Option<u32> {
        match (wq.default_pool.is_some(), self.linked(wq)) {
            _ if !unbound(wq) => None,
            (true, _) => self.number(wq.default_pool),
            (false, &[only]) => self.number(only),
            (false, _) => None,
        }
    }

    /// Workqueues that have a rescuer, or should have.
    pub fn rescued(&self) -> impl Iterator<Item = (&'a WorkqueueRow, Option<&'a WorkerRow>)> {
        let wqs = self.snapshot.workqueues.iter();
        let wqs = wqs.filter(|wq| wq.flags & wq_flags::MEM_RECLAIM != 0);
        wqs.map(|wq| (wq, self.rescuers.get(&wq.id).copied()))
    }

    /// The CPUs that a workqueue asks for, of those that there are; unbound ones only.
    pub fn asked(&self, wq: &WorkqueueRow) -> Option<CpuSet> {
        let attrs = wq.attrs.as_ref().filter(|_| unbound(wq))?;
        let there = |cpu: &u16| attrs.cpus.contains(*cpu);
        Some(self.cpus.iter().copied().filter(there).collect())
    }

    /// Workqueues whose limit is shared out to nodes.
    pub fn unbound(&self) -> impl Iterator<Item = &'a WorkqueueRow> {
        self.snapshot.workqueues.iter().filter(|wq| unbound(wq))
    }

    /// What an unbound workqueue has of each node, and last of none.
    pub fn shares(&self, wq: &WorkqueueRow) -> Vec<Option<NodeRow>> {
        let (none, by_node) = match wq.nodes.split_last() {
            Some((none, by_node)) => (Some(*none), by_node),
            None => (None, &[][..]),
        };
        let of_node = |node: usize| by_node.get(node).copied();
        (0..self.nodes)
            .map(of_node)
            .chain(std::iter::once(none))
            .collect()
    }

    fn linked(&self, wq: &WorkqueueRow) -> &[PoolId] {
        self.links.get(&wq.id).map_or(&[], Vec::as_slice)
    }

    fn number(&self, id: PoolId) -> Option<u32> {
        self.pools.get(&id).map(|pool| pool.number)
    }
}

fn unbound(wq: &WorkqueueRow) -> bool {
    wq.flags & wq_flags::UNBOUND != 0
}
