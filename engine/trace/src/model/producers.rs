//! Who queues what where: folded from the queue_work events.

use crate::event::{Event, What};
use crate::ids::{FuncId, WqId};
use crate::names::Names;
use std::collections::HashMap;
use window::Window;

#[cfg(test)]
mod tests;
mod window;

/// A producer that has been silent for this long makes room when room is short, in nanoseconds.
const STALE_NS: u64 = 60_000_000_000;

/// An event this much later than the snapshot behind it is not believed, in nanoseconds.
pub(crate) const AHEAD_NS: u64 = 5_000_000_000;

/// Who queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A work function, on whatever worker it ran.
    Function(FuncId),
    /// A thread that is no worker, by its OS id.
    Thread(u32),
}

/// A thread without an id.
impl Default for Source {
    fn default() -> Self {
        Self::Thread(0)
    }
}

impl Source {
    /// A function's name, or a thread's `comm-tid`.
    pub fn name(self, names: &Names) -> String {
        match self {
            Self::Function(id) => names.function(id).to_owned(),
            Self::Thread(tid) => format!("{}-{tid}", names.comm(tid)),
        }
    }
}

/// One source that queues one function on one workqueue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// Who queues.
    pub source: Source,
    /// What is queued.
    pub func: FuncId,
    /// Where it is queued.
    pub wq: WqId,
    /// Items queued, as far as the events were seen.
    pub count: u64,
    /// When it queued last, in nanoseconds on the segment's clock.
    pub last_at: u64,
    window: Window,
}

impl Producer {
    fn new(source: Source, event: &Event) -> Self {
        Self {
            source,
            func: event.func,
            wq: event.wq,
            count: 0,
            last_at: 0,
            window: Window::at(event.at),
        }
    }

    fn record(&mut self, at: u64) {
        self.count += 1;
        self.last_at = self.last_at.max(at);
        self.window.record(at);
    }
}

/// A producer with its names and rates, as tables show it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProducerRow {
    /// Who queues.
    pub source: Source,
    /// What is queued.
    pub func: FuncId,
    /// Where it is queued.
    pub wq: WqId,
    /// The source's name: a function, or a thread's `comm-tid`.
    pub producer: String,
    /// The function's name.
    pub function: String,
    /// The workqueue's name.
    pub workqueue: String,
    /// Items per second over the last 8 whole seconds.
    pub per_s: f64,
    /// Its part of what all producers queue, 0 to 1.
    pub share: f64,
    /// Items queued, as far as the events were seen.
    pub count: u64,
    /// How long ago it queued last, in nanoseconds.
    pub last_ns: u64,
    /// Items in each of the last 8 whole seconds, oldest first.
    pub seconds: Vec<u32>,
}

impl ProducerRow {
    /// How it queues: `thread`, `work` (another work function), `itself`.
    pub fn via(&self) -> &'static str {
        match self.source {
            Source::Thread(_) => "thread",
            Source::Function(func) if func == self.func => "itself",
            Source::Function(_) => "work",
        }
    }
}

/// All producers, at most so many.
#[derive(Clone, Debug)]
pub(super) struct Producers {
    by_key: HashMap<(Source, FuncId, WqId), Producer>,
    limit: usize,
    /// Items whose producer found no room, or lost it.
    pub other: u64,
    others: Window,
    /// Stamps of the oldest and the newest event.
    first: Option<u64>,
    newest: u64,
}

impl Producers {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            by_key: HashMap::new(),
            limit,
            other: 0,
            others: Window::at(0),
            first: None,
            newest: 0,
        }
    }

    /// Takes an event in; only queue_work tells of producers.
    pub(super) fn apply(&mut self, event: &Event) {
        self.newest = self.newest.max(event.at);
        self.first = Some(self.first.map_or(event.at, |first| first.min(event.at)));
        if !matches!(event.what, What::QueueWork { .. }) {
            return;
        }
        let source = if event.from.is_some() {
            Source::Function(event.from)
        } else {
            Source::Thread(event.tid)
        };
        let key = (source, event.func, event.wq);
        let is_new = !self.by_key.contains_key(&key);
        if is_new && self.by_key.len() >= self.limit {
            self.prune();
        }
        if is_new && self.by_key.len() >= self.limit {
            self.other += 1;
            self.others.record(event.at);
            return;
        }
        let producer = self.by_key.entry(key);
        producer
            .or_insert_with(|| Producer::new(source, event))
            .record(event.at);
    }

    /// Tells the time, at each snapshot. A stamp from the future is wrong: who has one begins anew.
    pub(super) fn at_snapshot(&mut self, now: u64) {
        let latest = now.saturating_add(AHEAD_NS);
        self.newest = self.newest.min(latest);
        self.first = self.first.map(|first| first.min(latest));
        self.others.forget_after(latest);
        for producer in self.by_key.values_mut() {
            producer.last_at = producer.last_at.min(latest);
            producer.window.forget_after(latest);
        }
        self.prune();
    }

    /// Makes room when room gets short, at each snapshot and when there is none left: those go that have been silent for a
    /// minute, and if they are too few, those that queue least, down to half. A storm that begins now must find room.
    fn prune(&mut self) {
        if !self.is_short() {
            return;
        }
        let newest = self.newest;
        self.by_key
            .retain(|_, p| p.last_at.saturating_add(STALE_NS) >= newest);
        if self.is_short() {
            self.evict(self.limit / 2);
        }
    }

    fn is_short(&self) -> bool {
        self.by_key.len() * 4 > self.limit * 3
    }

    /// All but `stay` become others: those that queued least lately, and of equal ones those that have been silent longest.
    fn evict(&mut self, stay: usize) {
        let newest = self.newest;
        let lately = |p: &Producer| (p.window.lately(newest), p.last_at, p.source, p.func, p.wq);
        let mut order: Vec<_> = self.by_key.iter().map(|(k, p)| (lately(p), *k)).collect();
        order.sort_unstable();
        let too_many = order.len().saturating_sub(stay);
        for (_, key) in order.into_iter().take(too_many) {
            if let Some(gone) = self.by_key.remove(&key) {
                self.other += gone.count;
                self.others.take_in(&gone.window);
            }
        }
    }

    /// The producers with their items per second, those that queue most first.
    pub(super) fn rated(&self, now: u64) -> Vec<(&Producer, f64)> {
        let all = self.by_key.values();
        let mut rated: Vec<_> = all.map(|p| (p, self.rate(&p.window, now))).collect();
        let key = |p: &Producer| (std::cmp::Reverse(p.count), p.source, p.func, p.wq);
        rated.sort_by(|(a, x), (b, y)| y.total_cmp(x).then_with(|| key(a).cmp(&key(b))));
        rated
    }

    /// The same as rows.
    pub(super) fn rows(&self, names: &Names, now: u64) -> Vec<ProducerRow> {
        let now = now.max(self.newest);
        let rated = self.rated(now);
        let others = self.rate(&self.others, now);
        let all = others + rated.iter().map(|(_, rate)| rate).sum::<f64>();
        let row = |(p, per_s): (&Producer, f64)| ProducerRow {
            source: p.source,
            func: p.func,
            wq: p.wq,
            producer: p.source.name(names),
            function: names.function(p.func).to_owned(),
            workqueue: names.workqueue(p.wq).to_owned(),
            per_s,
            share: if all > 0.0 { per_s / all } else { 0.0 },
            count: p.count,
            last_ns: now.saturating_sub(p.last_at),
            seconds: p.window.seconds(now),
        };
        rated.into_iter().map(row).collect()
    }

    fn rate(&self, window: &Window, now: u64) -> f64 {
        window.rate(now.max(self.newest), self.first.unwrap_or(now))
    }
}
