//! Who did what when: the events of a window as spans of time, a lane for each worker.
//!
//! Lanes are made at once from the events that are kept ([`Lanes::of`]); nothing is kept up between two pictures. Where
//! events are missing, what was going on is [`Doing::Unknown`] until the worker's next event: nothing is paired across a
//! gap. What a worker was at when the window began, or still is at its end, is taken from the state where that tells.

mod cells;
mod pressure;
#[cfg(test)]
mod tests;

pub use cells::{Cell, Sums};
pub use pressure::Pressure;

use crate::event::{Event, What};
use crate::ids::{FuncId, PoolId, WorkerId, WqId};
use crate::past::{Gap, Past};
use crate::snapshot::{Snapshot, WorkerState};
use std::collections::{HashMap, HashSet};

/// What a worker does. In none of them it idles, or is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Executes an item.
    Runs(Item),
    /// Executes an item, and was noticed to sleep in it.
    Sleeps(Item),
    /// Was woken, and has not begun anything yet.
    Woken,
    /// Creates workers for its pool.
    Creates,
    /// Nobody knows: events are missing.
    Unknown,
}

/// The execution that a span is part of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The work item.
    pub work: u64,
    /// Its function.
    pub func: FuncId,
    /// Its workqueue.
    pub wq: WqId,
    /// When the execution began, in nanoseconds; the window's first stamp if that was before it.
    pub began: u64,
}

impl Doing {
    /// The execution, if it is one.
    pub const fn item(self) -> Option<Item> {
        match self {
            Self::Runs(item) | Self::Sleeps(item) => Some(item),
            Self::Woken | Self::Creates | Self::Unknown => None,
        }
    }
}

/// A stretch of time, in nanoseconds on the segment's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first nanosecond.
    pub from: u64,
    /// The first after it.
    pub to: u64,
    /// The CPU that it began on.
    pub cpu: u16,
    /// What was done.
    pub doing: Doing,
}

/// What one worker did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lane {
    /// The worker.
    pub worker: WorkerId,
    /// Its pool; of a rescuer the one that it helped last.
    pub pool: PoolId,
    /// In order, and none overlaps another.
    pub spans: Vec<Span>,
    /// When it came and went, where the events say that.
    pub born: Option<u64>,
    /// See [`Lane::born`].
    pub gone: Option<u64>,
}

/// The lanes of a window.
#[derive(Clone, Debug, Default)]
pub struct Lanes {
    /// A lane for each worker of the state, and for those that only the events know; by id.
    pub workers: Vec<Lane>,
    /// How much waited, of each pool that the state has.
    pub pressure: HashMap<PoolId, Pressure>,
    /// The stamp of the first event that is kept, and of the moment that is shown.
    pub window: (u64, u64),
}

impl Lanes {
    /// What is known of the time until the state `now`.
    pub fn of(past: &Past, now: &Snapshot) -> Self {
        let gaps: Vec<_> = past.gaps().collect();
        Self::fold(past.events(), &gaps, now)
    }

    /// The same from events and from the gaps among them, each with the index of the event that it stands before.
    pub fn fold<'e>(
        events: impl Iterator<Item = &'e Event>,
        gaps: &[(usize, Gap)],
        now: &Snapshot,
    ) -> Self {
        let tears = Tears::new(gaps, now);
        let mut events: Vec<_> = events.enumerate().collect();
        events.retain(|(_, event)| event.at <= now.at);
        // Rings are read in turn, so this is nearly in order already.
        events.sort_by_key(|(_, event)| event.at);
        let first = events.first().map_or(now.at, |(_, event)| event.at);
        let mut fold = Fold {
            first,
            ..Fold::default()
        };
        for (index, event) in &events {
            let worker = fold.lane(event, &tears, *index);
            if let Some(lane) = worker {
                lane.apply(event, first);
            }
        }
        let pressure = pressure::of(&events, gaps, now);
        Self {
            workers: fold.finish(now),
            pressure,
            window: (first, now.at),
        }
    }

    /// A worker's lane.
    pub fn worker(&self, id: WorkerId) -> Option<&Lane> {
        let place = self.workers.binary_search_by_key(&id, |lane| lane.worker);
        place.ok().map(|place| &self.workers[place])
    }
}

/// Where each thread's events are torn.
struct Tears {
    /// The indices of the events before which a thread's own may be missing, ascending.
    by_thread: HashMap<u32, Vec<usize>>,
    /// The same of all threads.
    of_all: Vec<usize>,
}

impl Tears {
    fn new(gaps: &[(usize, Gap)], now: &Snapshot) -> Self {
        let threads: HashMap<u32, u32> = now
            .rings
            .iter()
            .map(|ring| (ring.index, ring.tid))
            .collect();
        let mut tears = Self {
            by_thread: HashMap::new(),
            of_all: Vec::new(),
        };
        for (index, gap) in gaps {
            match gap.ring.and_then(|ring| threads.get(&ring)) {
                Some(tid) => tears.by_thread.entry(*tid).or_default().push(*index),
                None => tears.of_all.push(*index),
            }
        }
        tears
    }

    /// Gaps that may be anybody's, up to the event at `index`.
    fn of_all(&self, index: usize) -> usize {
        self.of_all.partition_point(|at| *at <= index)
    }

    /// Gaps of this thread up to the event at `index`.
    fn of_thread(&self, tid: u32, index: usize) -> usize {
        let places = self.by_thread.get(&tid);
        places.map_or(0, |places| places.partition_point(|at| *at <= index))
    }
}

/// A lane that is being made.
#[derive(Debug, Default)]
struct Open {
    lane: Lane,
    /// What it is at, since when, on which CPU.
    now: Option<(Doing, u64, u16)>,
    /// Gaps that were seen: those that may be anybody's, and those of its thread.
    torn: (usize, usize),
    /// When anything was heard of it last.
    heard: u64,
}

#[derive(Debug, Default)]
struct Fold {
    lanes: HashMap<WorkerId, Open>,
    first: u64,
}

impl Fold {
    /// The lane that an event is about, torn where events are missing.
    fn lane(&mut self, event: &Event, tears: &Tears, index: usize) -> Option<&mut Open> {
        if !event.worker.is_some() || !tells_of_worker(event.what) {
            return None;
        }
        let first = self.first;
        let open = self.lanes.entry(event.worker).or_insert_with(|| Open {
            lane: Lane {
                worker: event.worker,
                ..Lane::default()
            },
            heard: first,
            torn: (0, 0),
            now: None,
        });
        if event.pool.is_some() {
            open.lane.pool = event.pool;
        }
        let own = if is_own(event.what) {
            tears.of_thread(event.tid, index)
        } else {
            open.torn.1
        };
        let torn = (tears.of_all(index), own);
        if torn != open.torn {
            open.torn = torn;
            open.tear(event.at);
        }
        Some(open)
    }

    /// All lanes by id, also of workers that no event tells of; open spans end at the state, if it says the same.
    fn finish(mut self, now: &Snapshot) -> Vec<Lane> {
        let mut there = HashSet::new();
        for row in &now.workers {
            there.insert(row.id);
            let open = self.lanes.entry(row.id).or_insert_with(|| Open {
                lane: Lane {
                    worker: row.id,
                    ..Lane::default()
                },
                heard: self.first,
                ..Open::default()
            });
            open.lane.pool = row.pool;
            let item = Item {
                work: row.work,
                func: row.func,
                wq: row.wq,
                began: row.started_at.max(self.first),
            };
            let executes = row.func.is_some() && row.started_at > 0;
            match row.state {
                WorkerState::Running if executes => open.is(Doing::Runs(item), item.began),
                WorkerState::Sleeping if executes => {
                    open.is(Doing::Runs(item), item.began);
                    open.is(Doing::Sleeps(item), row.since.max(item.began));
                }
                WorkerState::Managing => open.is(Doing::Creates, row.since),
                _ => {}
            }
        }
        let mut lanes: Vec<_> = self
            .lanes
            .into_iter()
            .map(|(id, mut open)| {
                open.end(now.at.max(open.heard), there.contains(&id));
                open.lane
            })
            .collect();
        lanes.sort_by_key(|lane| lane.worker);
        lanes
    }
}

impl Open {
    fn apply(&mut self, event: &Event, first: u64) {
        let item = Item {
            work: event.work,
            func: event.func,
            wq: event.wq,
            began: event.at,
        };
        let (at, cpu) = (event.at, event.cpu);
        match event.what {
            What::ExecuteStart => self.turn(Some(Doing::Runs(item)), at, cpu),
            What::ExecuteEnd => {
                self.began_before(item, first, cpu);
                self.turn(None, at, cpu);
            }
            What::WorkerSleep { .. } => {
                self.began_before(item, first, cpu);
                if let Some((Doing::Runs(item), ..)) = self.now {
                    self.turn(Some(Doing::Sleeps(item)), at, cpu);
                }
            }
            What::WorkerResume { .. } => {
                if let Some((Doing::Sleeps(item), ..)) = self.now {
                    self.turn(Some(Doing::Runs(item)), at, cpu);
                }
            }
            What::ManagerStart => self.turn(Some(Doing::Creates), at, cpu),
            What::WorkerWake { .. } if self.now.is_none() => {
                self.turn(Some(Doing::Woken), at, cpu);
            }
            What::ManagerEnd | What::WorkerIdle { .. } => self.turn(None, at, cpu),
            What::WorkerCreate { .. } => {
                self.lane.born = Some(at);
                self.heard = at;
            }
            What::WorkerDestroy { .. } => {
                self.turn(None, at, cpu);
                self.lane.gone = Some(at);
            }
            _ => {}
        }
    }

    /// An execution of which only a later event is there has lasted since the window began, if nothing was heard since.
    fn began_before(&mut self, item: Item, first: u64, cpu: u16) {
        if self.now.is_none() && self.lane.spans.is_empty() && self.torn == (0, 0) {
            let from = self.lane.born.unwrap_or(first);
            let item = Item {
                began: from,
                ..item
            };
            self.now = item
                .func
                .is_some()
                .then_some((Doing::Runs(item), from, cpu));
        }
    }

    /// What it was at ends, the next begins.
    fn turn(&mut self, next: Option<Doing>, at: u64, cpu: u16) {
        if let Some((doing, from, on)) = self.now.take() {
            self.push(doing, from, at, on);
        }
        self.now = next.map(|doing| (doing, at, cpu));
        self.heard = self.heard.max(at);
    }

    /// Events are missing between the last one and that at `at`.
    fn tear(&mut self, at: u64) {
        let cpu = self.now.take().map_or(0, |(doing, from, cpu)| {
            self.push(doing, from, self.heard, cpu);
            cpu
        });
        self.push(Doing::Unknown, self.heard, at, cpu);
        self.heard = at;
    }

    /// What the state says that it is at, since then.
    fn is(&mut self, doing: Doing, since: u64) {
        let known = self.now.is_some_and(|(is, ..)| same(is, doing));
        let last = self.lane.spans.last().map_or(0, |span| span.to);
        if !known && since >= last {
            let cpu = self.now.map_or(0, |(.., cpu)| cpu);
            self.turn(Some(doing), since.max(last), cpu);
        }
    }

    fn push(&mut self, doing: Doing, from: u64, to: u64, cpu: u16) {
        if to > from {
            let span = Span {
                from,
                to,
                cpu,
                doing,
            };
            self.lane.spans.push(span);
        }
    }

    /// The window ends. A worker that the state does not have any more, and that nobody saw go, is not known of.
    fn end(&mut self, at: u64, there: bool) {
        if there || self.lane.gone.is_some() {
            self.turn(None, at, 0);
        } else {
            self.tear(at);
        }
    }
}

/// Whether both are the same step of the same execution.
fn same(a: Doing, b: Doing) -> bool {
    let item = |doing: Doing| doing.item().map(|item| (item.work, item.func));
    std::mem::discriminant(&a) == std::mem::discriminant(&b) && item(a) == item(b)
}

/// Whether the event says what a worker does.
const fn tells_of_worker(what: What) -> bool {
    is_own(what)
        || matches!(
            what,
            What::WorkerSleep { .. }
                | What::WorkerResume { .. }
                | What::WorkerWake { .. }
                | What::WorkerCreate { .. }
        )
}

/// Whether the worker itself emits it.
const fn is_own(what: What) -> bool {
    matches!(
        what,
        What::ExecuteStart
            | What::ExecuteEnd
            | What::WorkerIdle { .. }
            | What::ManagerStart
            | What::ManagerEnd
            | What::WorkerDestroy { .. }
    )
}
