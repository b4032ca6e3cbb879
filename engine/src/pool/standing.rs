//! What of a pool can keep others waiting for ever: what the search for deadlocks sees of it.
//!
//! Not everything in flight does. An active item that no execution of its own work is in the way of starts sooner or
//! later, since workers are made as they are needed. So of the queued items only few are shown: those that wait for
//! their own earlier run, those that somebody asks for, and of each inactive list its first, which stands for the rest:
//! if it never becomes active the others do not either, and it has the oldest flush colour of them all.

use super::list::ItemIx;
use super::pwq::PwqSpec;
use super::state::{On, PoolState, WorkerIx};
use crate::wq::NodeActive;
use std::sync::Arc;
use wq_trace::WqId;

/// As [`PwqSpec::uid`].
pub(crate) type PwqUid = u64;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) executing: Vec<Executing>,
    pub(crate) queued: Vec<Waiting>,
    /// Of the pwqs that these are on, the slots that their items take.
    pub(crate) slots: Vec<(PwqUid, Slots)>,
}

/// Which active slots the items of a pwq take, and how many there are.
#[derive(Clone, Debug)]
pub(crate) enum Slots {
    /// The pwq's own.
    Own(usize),
    /// Those of a node.
    Node(Arc<NodeActive>),
    /// The one slot of an ordered workqueue, whatever pwqs it has at this moment.
    Ordered(WqId),
    /// They are frozen: that will end.
    Unlimited,
}

/// An execution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Executing {
    pub(crate) worker: WorkerIx,
    pub(crate) pwq: PwqUid,
    pub(crate) color: u8,
}

/// A queued item.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) item: ItemIx,
    pub(crate) pwq: PwqUid,
    pub(crate) color: u8,
    /// On the inactive list: its place in the order of that list.
    pub(crate) held: Option<u64>,
    /// The execution of its own work, which must end first.
    pub(crate) behind: Option<WorkerIx>,
}

/// What a waiter waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    Execution(WorkerIx),
    Item(ItemIx),
}

impl Slots {
    fn of(spec: &PwqSpec) -> Self {
        match &spec.limit.node {
            _ if spec.limit.frozen => Self::Unlimited,
            _ if spec.ordered => Self::Ordered(spec.wq),
            Some(node) => Self::Node(node.clone()),
            None => Self::Own(spec.limit.max_active),
        }
    }
}

impl<J, W> PoolState<J, W> {
    /// What stands in the way here; `asked` are queued items that somebody waits for.
    pub(crate) fn standing(&self, asked: impl Iterator<Item = ItemIx>) -> Standing {
        let mut standing = Standing::default();
        let mut items: Vec<ItemIx> = asked.collect();
        let mut busy: Vec<WorkerIx> = self.busy.values().copied().collect();
        busy.sort_unstable_by_key(|worker| worker.0);
        for worker in busy {
            let Some(current) = &self.worker(worker).current else {
                continue;
            };
            standing.executing.push(Executing {
                worker,
                pwq: self.pwq(current.pwq).spec.uid,
                color: current.color,
            });
            items.extend(current.requeued);
        }
        let busy = self.pwqs.iter().flatten();
        for pwq in busy.filter(|pwq| pwq.in_flight() > 0) {
            standing.slots.push((pwq.spec.uid, Slots::of(&pwq.spec)));
            items.extend(pwq.inactive.front());
        }
        items.sort_unstable_by_key(|item| item.0);
        items.dedup();
        standing.queued = items.into_iter().map(|item| self.waiting(item)).collect();
        standing
    }

    fn waiting(&self, ix: ItemIx) -> Waiting {
        let item = self.items.get(ix);
        Waiting {
            item: ix,
            pwq: self.pwq(item.pwq).spec.uid,
            color: item.color,
            held: (item.on == On::Inactive).then_some(item.arrival),
            behind: self.executing(item.work),
        }
    }

    /// What the waiter that `is` tells waits for: the item that is queued at `queued`, or the execution of `work`.
    /// `None`: its wait is over.
    pub(crate) fn awaited(
        &self,
        work: u64,
        queued: Option<ItemIx>,
        is: impl Fn(&W) -> bool,
    ) -> Option<Awaited> {
        if let Some(ix) = queued
            && self.items.get(ix).waiters.iter().any(&is)
        {
            return Some(Awaited::Item(ix));
        }
        let worker = self.executing(work)?;
        let current = self.worker(worker).current.as_ref()?;
        let waits = current.waiters.iter().any(is);
        waits.then_some(Awaited::Execution(worker))
    }

    /// What a queued item hands to its execution.
    pub(crate) fn job(&self, ix: ItemIx) -> &J {
        &self.items.get(ix).job
    }
}
