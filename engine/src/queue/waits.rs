//! Work functions that wait in a flush, and the search for deadlocks when one more begins to.
//!
//! A deadlock closes when a work function begins a wait, so that is when it is looked for, and only for cycles through
//! that wait. The list is one for the process, since items of one engine may wait for another's. Its lock comes before
//! all others. What is found is told; the wait goes on all the same, for ever unless somebody cancels an item of the
//! cycle or raises a limit, as it would in the kernel.

use super::visible::Visible;
use super::workqueue::{Job, WqInner};
use super::{WorkInner, cancel};
use crate::pool::{Standing, WorkerIx};
use crate::runtime::{Pool, Waiter, context, lock};
use crate::wq::deadlock::{self, Deed, NodeIx, Thing, Why};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

static WAITS: Mutex<Vec<Wait>> = Mutex::new(Vec::new());

/// A work function that waits.
struct Wait {
    waiter: Arc<Waiter>,
    /// Who executes it.
    pool: Arc<Pool>,
    worker: WorkerIx,
    /// `workqueue:function`.
    name: String,
    target: Target,
    visible: Arc<Visible>,
    /// The last deadlock that it was found to be part of; 0: none.
    cycle: u32,
}

/// What it waits for.
pub(super) enum Target {
    /// An item, flushed or cancelled, on the pool and the workqueue that it was on when the wait began.
    Work(Arc<WorkInner>, Arc<Pool>, Option<Arc<WqInner>>, Deed),
    /// What was queued on a workqueue before.
    Workqueue(Arc<WqInner>),
}

/// A work function is in its wait until this is dropped.
#[must_use = "the wait is over when this is dropped"]
pub(super) struct InWait(Arc<Waiter>);

/// The calling thread begins to wait. If it is in a work function, and that closes a cycle, the cycle is told.
pub(super) fn enter(
    visible: &Arc<Visible>,
    waiter: &Arc<Waiter>,
    target: Target,
) -> Option<InWait> {
    let current = context::current()?;
    let engine = current.pool.engine()?;
    let wq = engine.find_workqueue(current.wq);
    let wq = wq.as_ref().map_or("?", |wq| &wq.spec.name);
    let work = current.work.upgrade();
    let func = work.as_ref().map_or("?", |work| &work.name);
    let wait = Wait {
        waiter: waiter.clone(),
        name: format!("{wq}:{func}"),
        pool: current.pool,
        worker: current.worker,
        target,
        visible: visible.clone(),
        cycle: 0,
    };
    let mut waits = lock(&WAITS);
    waits.push(wait);
    let mine = waits.len() - 1;
    let found = find(&waits, mine);
    if let Some(cycle) = &found {
        mark(&mut waits, &cycle.waits);
    }
    drop(waits);
    if let Some(cycle) = found {
        tracing::error!("workqueue: deadlock: {}", cycle.text);
    }
    Some(InWait(waiter.clone()))
}

impl Drop for InWait {
    fn drop(&mut self) {
        let mut waits = lock(&WAITS);
        let mine = waits
            .iter()
            .position(|wait| Arc::ptr_eq(&wait.waiter, &self.0));
        let wait = mine.map(|mine| waits.swap_remove(mine));
        if let Some(ended) = wait.as_ref().filter(|wait| wait.cycle != 0) {
            unmark(&mut waits, ended);
        }
        // What it keeps goes without the lock.
        drop(waits);
        drop(wait);
    }
}

/// A cycle that was found.
struct Cycle {
    text: String,
    /// Indices of its waits.
    waits: Vec<usize>,
}

/// Tells of a cycle in the engines that its waits are in, by the next number in each.
fn mark(all: &mut [Wait], cycle: &[usize]) {
    let mut numbers: HashMap<u32, u32> = HashMap::new();
    for &ix in cycle {
        let wait = &mut all[ix];
        let engine = &wait.visible.engine;
        let number = numbers
            .entry(engine.uid)
            .or_insert_with(|| engine.said.next_deadlock());
        wait.cycle = *number;
        wait.visible.tell_deadlock(*number);
    }
}

/// With the end of one of its waits a cycle is none any more.
fn unmark(all: &mut [Wait], ended: &Wait) {
    for wait in all.iter_mut() {
        if wait.cycle == ended.cycle && Arc::ptr_eq(&wait.visible.engine, &ended.visible.engine) {
            wait.cycle = 0;
            wait.visible.clear_deadlock();
        }
    }
}

/// The cycle that `mine` closes.
fn find(waits: &[Wait], mine: usize) -> Option<Cycle> {
    loop {
        let look = Look::at(waits, mine);
        let (graph, things) = deadlock::gather(&look.pools, &look.waits);
        let stuck = graph.stuck();
        let start = Thing::execution(waits[mine].pool.uid, waits[mine].worker);
        let start = things.iter().position(|thing| *thing == start)?;
        let cycle = graph.cycle(start, &stuck)?;
        let in_stuck_wait = |wait: &&Wait| {
            let execution = Thing::execution(wait.pool.uid, wait.worker);
            let node = things.iter().position(|thing| *thing == execution);
            node.is_some_and(|node| stuck[node])
        };
        let seen = look.seen.iter().map(|&ix| &waits[ix]);
        // A wait that has ended meanwhile may have been seen with the colour of a later flush: look again.
        if seen
            .filter(in_stuck_wait)
            .all(|wait| !wait.waiter.is_done())
        {
            let in_cycle = cycle.iter().filter_map(|(_, why)| match why {
                Why::Waits(wait) => Some(look.seen[*wait]),
                Why::Behind | Why::Slot => None,
            });
            return Some(Cycle {
                text: look.describe(waits, &things, &cycle),
                waits: in_cycle.collect(),
            });
        }
    }
}

/// What can have to do with a wait, as it stands.
struct Look {
    /// Indices of the waits, in the order of `waits`.
    seen: Vec<usize>,
    waits: Vec<deadlock::Wait>,
    pools: Vec<(u32, Standing)>,
    /// Of the queued items.
    names: HashMap<Thing, String>,
}

impl Look {
    fn at(all: &[Wait], mine: usize) -> Self {
        let (seen, pools) = reach(all, mine);
        let mut look = Self {
            waits: seen.iter().map(|&ix| all[ix].at_first_sight()).collect(),
            seen,
            pools: Vec::new(),
            names: HashMap::new(),
        };
        // The flush colours come first: a flush that is over by the time a pool is seen is known by its waiter.
        for pool in pools.values() {
            look.see(all, pool);
        }
        look
    }

    fn see(&mut self, all: &[Wait], pool: &Pool) {
        let standing = pool.look(|core| {
            let mut asked = Vec::new();
            for (&ix, wait) in self.seen.iter().zip(&mut self.waits) {
                let Target::Work(work, on, ..) = &all[ix].target else {
                    continue;
                };
                if on.uid != pool.uid {
                    continue;
                }
                let queued = cancel::is_on(work, pool.uid).then(|| cancel::item_of(work));
                asked.extend(queued);
                let is = |waiter: &Arc<Waiter>| Arc::ptr_eq(waiter, &all[ix].waiter);
                if let Some(awaited) = core.awaited(work.id, queued, is) {
                    wait.target = deadlock::Target::Thing(Thing::awaited(pool.uid, awaited));
                }
            }
            let standing = core.standing(asked.into_iter());
            for item in &standing.queued {
                let Job { work, wq, .. } = core.job(item.item);
                let name = format!("{}:{}", wq.spec.name, work.name);
                self.names.insert(Thing::item(pool.uid, item.item), name);
            }
            standing
        });
        self.pools.push((pool.uid, standing));
    }

    fn describe(&self, all: &[Wait], things: &[Thing], cycle: &[(NodeIx, Why)]) -> String {
        let name = |node: NodeIx| {
            let thing = things[node];
            let waits = self.seen.iter().map(|&ix| &all[ix]);
            let mut names = waits
                .filter(|wait| Thing::execution(wait.pool.uid, wait.worker) == thing)
                .map(|wait| &wait.name)
                .chain(self.names.get(&thing));
            names.next().cloned().unwrap_or_else(|| "?".to_owned())
        };
        deadlock::tell(cycle, name, |wait| match &all[self.seen[wait]].target {
            Target::Work(work, _, _, deed) => (*deed, work.name.as_str()),
            Target::Workqueue(wq) => (Deed::FlushWorkqueue, wq.spec.name.as_str()),
        })
    }
}

/// The waits that `mine` can depend on, and the pools to look at: those of what it waits for, of what the work
/// functions wait for that execute there, and so on.
fn reach(all: &[Wait], mine: usize) -> (Vec<usize>, BTreeMap<u32, Arc<Pool>>) {
    let mut pools = BTreeMap::new();
    let mut seen = vec![mine];
    let mut to_add = vec![all[mine].pool.clone()];
    let mut followed = 0;
    loop {
        for pool in to_add.drain(..) {
            let there = (0..all.len()).filter(|&ix| all[ix].pool.uid == pool.uid);
            if pools.insert(pool.uid, pool.clone()).is_none() {
                seen.extend(there.filter(|&ix| ix != mine));
            }
        }
        let Some(&next) = seen.get(followed) else {
            return (seen, pools);
        };
        followed += 1;
        to_add = all[next].target.pools();
    }
}

impl Target {
    fn pools(&self) -> Vec<Arc<Pool>> {
        match self {
            Self::Work(_, pool, wq, _) => {
                // The pwqs of an unbound workqueue share their slots.
                let sharing = wq.iter().filter(|wq| wq.nodes.is_some());
                let mut pools: Vec<_> = sharing.flat_map(|wq| wq.pools()).collect();
                pools.push(pool.clone());
                pools
            }
            Self::Workqueue(wq) => wq.pools(),
        }
    }
}

impl WqInner {
    fn pools(&self) -> Vec<Arc<Pool>> {
        let control = lock(&self.control);
        control.pwqs.iter().map(|pwq| pwq.pool.clone()).collect()
    }
}

impl Wait {
    /// With the flush colours that it waits for; an item is looked for in its pool.
    fn at_first_sight(&self) -> deadlock::Wait {
        let target = match &self.target {
            Target::Work(..) => deadlock::Target::Nothing,
            Target::Workqueue(wq) => {
                let control = lock(&wq.control);
                let is_mine = |waiter: &Arc<Waiter>| Arc::ptr_eq(waiter, &self.waiter);
                let colors = control.flush.awaited(is_mine);
                let pwqs = control.pwqs.iter();
                let pwqs = pwqs.map(|pwq| (pwq.pool.uid, pwq.uid)).collect();
                colors.map_or(deadlock::Target::Nothing, |colors| {
                    deadlock::Target::Colors(colors, pwqs)
                })
            }
        };
        deadlock::Wait {
            by: (self.pool.uid, self.worker),
            target,
        }
    }
}
