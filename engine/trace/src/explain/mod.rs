//! Why each item waited, from the events alone: the clocks of the engine's pools, kept again by whoever reads.
//!
//! A pure fold. What the events do not tell stays [`WaitPart::Unknown`]. Nothing is concluded across a loss.
//!
//! [`WaitPart::Sensing`] never comes out here. `worker_sleep` is stamped when the block was noticed and does not say when
//! it began; the engine knows that only afterwards, and books the time in between in its counters. So what they call
//! `sensing` is `concurrency` here: compare the two parts' sum. The wait itself and its other parts are the same.

mod clock;
mod pool;

use crate::event::{Event, Hold, Was, What};
use crate::ids::{PoolId, WorkerId, WqId};
use crate::snapshot::{Snapshot, wq_flags};
use crate::stats::{Breakdown, WaitPart};
use clock::{Clock, Mark};
use pool::{Kind, Pool};
use std::collections::{HashMap, HashSet};

/// Waiting items that are followed at once; the waits of others stay unknown.
const MOST_ITEMS: usize = 1 << 17;

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitEnd {
    /// The item's execution began.
    Started,
    /// It was cancelled.
    Cancelled,
    /// It was not seen to end.
    Unfinished,
}

/// An item's wait: `queue_work` to `execute_start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The queue_work event.
    pub queued: Event,
    /// The hold_work event's reason, if there was one.
    pub held: Option<Hold>,
    /// When it got an active slot, in nanoseconds; `None` when it never did.
    pub active_at: Option<u64>,
    /// When the wait ended, in nanoseconds.
    pub ended_at: u64,
    /// How.
    pub end: WaitEnd,
    /// What it was made of. The parts add up to the wait exactly.
    pub parts: Breakdown,
}

impl Wait {
    /// How long it was, in nanoseconds.
    pub fn ns(&self) -> u64 {
        self.ended_at.saturating_sub(self.queued.at)
    }
}

/// What the events so far say of a pool. Numbers are `None` while they are not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolGauge {
    /// Workers that run a managed item and are not known to sleep; `None` also where nothing is managed.
    pub nr_running: Option<u32>,
    /// Items on the worklist.
    pub pending: Option<u32>,
}

/// An item that waits.
#[derive(Debug)]
struct Item {
    queued: Event,
    held: Option<Hold>,
    active_at: Option<u64>,
    /// On the clock of what it waits for; `None` while its own earlier execution runs.
    mark: Option<Mark>,
    parts: Breakdown,
}

/// Follows the events and explains each wait.
#[derive(Debug)]
pub struct Explainer {
    items: HashMap<u64, Item>,
    pools: HashMap<PoolId, Pool>,
    /// Why a workqueue's items in a pool are held back.
    holds: HashMap<(WqId, PoolId), (Clock, WaitPart)>,
    /// What is executed, and how often at once, seen to begin.
    executing: HashMap<u64, WorkerId>,
    kinds: HashMap<PoolId, Kind>,
    flags: HashMap<WqId, u32>,
    /// Items on worklists that were not seen to be queued.
    strangers: HashSet<u64>,
    /// Whether there were too many to follow: nobody knows how many are pending.
    overflowed: bool,
    /// Whether all events since the engine's start were seen.
    complete: bool,
    /// Events before this stamp may have others missing beside them.
    blind_until: u64,
}

impl Explainer {
    /// `complete`: the events begin with the engine's first.
    pub fn new(complete: bool) -> Self {
        Self {
            items: HashMap::new(),
            pools: HashMap::new(),
            holds: HashMap::new(),
            executing: HashMap::new(),
            kinds: HashMap::new(),
            flags: HashMap::new(),
            strangers: HashSet::new(),
            overflowed: false,
            complete,
            blind_until: 0,
        }
    }

    /// Takes in what a snapshot says of pools and workqueues, which events do not.
    pub fn know(&mut self, snapshot: &Snapshot) {
        for row in &snapshot.pools {
            let kind = Kind::of(row);
            self.kinds.insert(row.id, kind);
            if let Some(pool) = self.pools.get_mut(&row.id) {
                pool.set_kind(kind);
            }
        }
        let flags = snapshot.workqueues.iter().map(|wq| (wq.id, wq.flags));
        self.flags.extend(flags);
    }

    /// Events were lost; those before `until` may have others missing beside them. Everything open is forgotten.
    /// Returns the waits that were, in the order of queueing, as if they ended at `now`.
    pub fn lost(&mut self, now: u64, until: u64) -> Vec<Wait> {
        self.complete = false;
        self.blind_until = self.blind_until.max(until);
        self.pools.clear();
        self.holds.clear();
        self.executing.clear();
        self.strangers.clear();
        self.unfinished(now)
    }

    /// The items that still wait, in the order of queueing, as if their wait ended at `now`. They are forgotten.
    pub fn unfinished(&mut self, now: u64) -> Vec<Wait> {
        let mut items: Vec<_> = self.items.drain().map(|(_, item)| item).collect();
        items.sort_by_key(|item| (item.queued.at, item.queued.work));
        let end = |item| self.end(item, now, WaitEnd::Unfinished);
        items.iter().map(end).collect()
    }

    /// Whether the wait of this item is followed.
    pub fn follows(&self, work: u64) -> bool {
        self.items.contains_key(&work)
    }

    /// Whether events beside one of this stamp may be missing: nothing is concluded from it.
    pub fn is_blind(&self, at: u64) -> bool {
        at < self.blind_until
    }

    /// What is known of a pool now.
    pub fn gauge(&self, id: PoolId) -> PoolGauge {
        self.pools
            .get(&id)
            .map_or(PoolGauge::default(), |pool| PoolGauge {
                nr_running: pool.nr_running(),
                pending: pool.pending().filter(|_| !self.overflowed),
            })
    }

    /// Takes in an event. Returns the wait that it ends.
    pub fn apply(&mut self, event: &Event) -> Option<Wait> {
        if self.is_blind(event.at) {
            return None;
        }
        let wait = self.item_moves(event);
        match event.what {
            What::Alloc { flags, .. } => {
                self.flags.insert(event.wq, flags);
            }
            What::Freeze { .. } => self.turn_holds(event, Some(WaitPart::InactiveFrozen)),
            What::Thaw { .. } => self.turn_holds(event, None),
            _ if event.pool.is_some() => self.worker_moves(event),
            _ => {}
        }
        wait
    }

    fn pool(&mut self, id: PoolId, now: u64) -> &mut Pool {
        let (complete, kind) = (self.complete, self.kinds.get(&id));
        self.pools.entry(id).or_insert_with(|| {
            let mut pool = Pool::new(now, complete);
            if let Some(&kind) = kind {
                pool.set_kind(kind);
            }
            pool
        })
    }

    fn worker_moves(&mut self, event: &Event) {
        let intensive = self.has_flag(event.wq, wq_flags::CPU_INTENSIVE);
        let pool = self.pool(event.pool, event.at);
        let over = pool.apply(event, intensive);
        let part = pool.part();
        pool.clock.turn(event.at, part);
        if event.what == What::ExecuteStart {
            self.executing.insert(event.work, event.worker);
        }
        if let Some(work) = over {
            self.own_run_is_over(work, event);
        }
    }

    fn has_flag(&self, wq: WqId, flag: u32) -> bool {
        self.flags.get(&wq).is_some_and(|flags| flags & flag != 0)
    }

    fn item_moves(&mut self, event: &Event) -> Option<Wait> {
        match event.what {
            What::QueueWork { .. } => self.queue(event),
            What::HoldWork { reason } => self.hold(event, reason),
            What::ActivateWork => self.activate(event),
            What::ExecuteStart => return self.start(event),
            What::CancelWork {
                was: Was::Inactive | Was::Pending,
            } => return self.cancel(event),
            _ => {}
        }
        None
    }

    fn queue(&mut self, event: &Event) {
        if self.items.len() >= MOST_ITEMS && !self.items.contains_key(&event.work) {
            self.overflowed = true;
            return;
        }
        let item = Item {
            queued: *event,
            held: None,
            active_at: None,
            mark: None,
            parts: Breakdown::default(),
        };
        self.items.insert(event.work, item);
    }

    fn hold(&mut self, event: &Event, reason: Hold) {
        let part = hold_part(reason);
        let key = (event.wq, event.pool);
        let (clock, usual) = self
            .holds
            .entry(key)
            .or_insert_with(|| (Clock::new(event.at, part), WaitPart::Unknown));
        clock.turn(event.at, part);
        if part != WaitPart::InactiveFrozen {
            *usual = part;
        }
        if let Some(item) = self.items.get_mut(&event.work) {
            item.held = Some(reason);
            item.mark = Some(clock.mark(event.at));
        }
    }

    /// A workqueue's held items wait for `part` from now on, or for what they usually wait for.
    fn turn_holds(&mut self, event: &Event, part: Option<WaitPart>) {
        let ordered = self.has_flag(event.wq, wq_flags::ORDERED);
        let unbound = self.has_flag(event.wq, wq_flags::UNBOUND);
        let of_it = self.holds.iter_mut().filter(|((wq, _), _)| *wq == event.wq);
        for (_, (clock, usual)) in of_it {
            let usual = match *usual {
                WaitPart::Unknown if ordered => WaitPart::InactiveOrdered,
                WaitPart::Unknown if !unbound => WaitPart::InactiveMaxActive,
                usual => usual,
            };
            clock.turn(event.at, part.unwrap_or(usual));
        }
    }

    fn activate(&mut self, event: &Event) {
        let now = event.at;
        let own_run = self.executing.contains_key(&event.work);
        let pool = self.pool(event.pool, now);
        pool.item_came();
        let mark = pool.clock.mark(now);
        let Some(item) = self.items.get_mut(&event.work) else {
            self.overflowed |= self.strangers.len() >= MOST_ITEMS;
            if !self.overflowed {
                self.strangers.insert(event.work);
            }
            return;
        };
        if let (Some(held), Some((clock, _))) =
            (item.mark.take(), self.holds.get(&(event.wq, event.pool)))
        {
            clock.account(&held, now, &mut item.parts);
        }
        item.active_at = Some(now);
        item.mark = (!own_run).then_some(mark);
    }

    fn start(&mut self, event: &Event) -> Option<Wait> {
        let (item, came) = self.take(event);
        let pool = self.pool(event.pool, event.at);
        if came {
            let taken = !pool.is_rescuer(event.worker);
            pool.item_left(taken);
        } else {
            pool.stranger_left();
        }
        Some(self.end(&item?, event.at, WaitEnd::Started))
    }

    fn cancel(&mut self, event: &Event) -> Option<Wait> {
        let (item, came) = self.take(event);
        if came {
            self.pool(event.pool, event.at).item_left(false);
        } else if matches!(event.what, What::CancelWork { was: Was::Pending }) {
            self.pool(event.pool, event.at).stranger_left();
        }
        Some(self.end(&item?, event.at, WaitEnd::Cancelled))
    }

    /// The item, if it is followed, and whether it was seen to come to the worklist.
    fn take(&mut self, event: &Event) -> (Option<Item>, bool) {
        // A wait cannot end before it began: such an item was queued again.
        let waits = |item: &Item| item.queued.at <= event.at;
        let item = match self.items.get(&event.work).is_some_and(waits) {
            true => self.items.remove(&event.work),
            false => None,
        };
        let stranger = self.strangers.remove(&event.work);
        let came = stranger || item.as_ref().is_some_and(|item| item.active_at.is_some());
        (item, came)
    }

    /// What was queued again while it ran waits for its pool from now on.
    fn own_run_is_over(&mut self, work: u64, event: &Event) {
        if self.executing.get(&work) == Some(&event.worker) && event.work != work {
            self.executing.remove(&work);
        }
        let Some(item) = self.items.get_mut(&work) else {
            return;
        };
        let (None, Some(active_at)) = (&item.mark, item.active_at) else {
            return;
        };
        let waited = event.at.saturating_sub(active_at);
        item.parts[WaitPart::SelfRun as usize] += waited;
        let pool = item.queued.pool;
        item.mark = self.pools.get(&pool).map(|pool| pool.clock.mark(event.at));
    }

    fn end(&self, item: &Item, now: u64, end: WaitEnd) -> Wait {
        let mut parts = item.parts;
        match (&item.mark, item.active_at) {
            (Some(mark), Some(_)) => {
                if let Some(pool) = self.pools.get(&item.queued.pool) {
                    pool.clock.account(mark, now, &mut parts);
                }
            }
            (Some(mark), None) => {
                let key = (item.queued.wq, item.queued.pool);
                if let Some((clock, _)) = self.holds.get(&key) {
                    clock.account(mark, now, &mut parts);
                }
            }
            (None, Some(active_at)) => {
                parts[WaitPart::SelfRun as usize] += now.saturating_sub(active_at);
            }
            (None, None) => {}
        }
        let mut wait = Wait {
            queued: item.queued,
            held: item.held,
            active_at: item.active_at,
            ended_at: now.max(item.queued.at),
            end,
            parts,
        };
        balance(&mut wait);
        wait
    }
}

/// What is not explained is unknown; parts that come to more than the wait explain nothing.
fn balance(wait: &mut Wait) {
    let explained = crate::model::sum(&wait.parts);
    match wait.ns().checked_sub(explained) {
        Some(rest) => wait.parts[WaitPart::Unknown as usize] += rest,
        None => {
            wait.parts = Breakdown::default();
            wait.parts[WaitPart::Unknown as usize] = wait.ns();
        }
    }
}

/// The part of the wait that a reason to hold back is.
pub const fn hold_part(reason: Hold) -> WaitPart {
    match reason {
        Hold::MaxActive => WaitPart::InactiveMaxActive,
        Hold::Node => WaitPart::InactiveNode,
        Hold::Ordered => WaitPart::InactiveOrdered,
        Hold::Plugged => WaitPart::InactivePlugged,
        Hold::Frozen => WaitPart::InactiveFrozen,
    }
}

#[cfg(test)]
mod tests;
