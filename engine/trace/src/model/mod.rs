//! The model: what snapshots and events add up to. A pure fold that knows neither ring nor segment nor clock.
//!
//! Sources apply what they know, in any order between rings; views read rows, rates and history.

pub mod columns;
mod fold;
mod history;
mod latency;
mod producers;
mod rates;
mod rows;
mod threads;
mod workers;

pub use history::{FunctionPoint, History, PoolPoint, TotalPoint, WorkqueuePoint};
pub use latency::Latency;
pub(crate) use producers::AHEAD_NS;
pub use producers::{Producer, ProducerRow, Source};
pub use rates::Rates;
pub use rows::{Function, Pool, Totals, Workqueue, main_reason, sum};
pub use threads::{ThreadSample, Threads};
pub use workers::Worker;

use crate::event::Event;
use crate::ids::{FuncId, PoolId, WqId};
use crate::names::Names;
use crate::snapshot::{Snapshot, WorkerKind};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// How much a [`Model`] keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Points of history of each thing, while there are few things: see [`FULL_HISTORIES`].
    pub history: usize,
    /// Producers. When room gets short, those that queue least go down to half of that; their items are only counted.
    pub producers: usize,
}

/// So many workqueues, pools and functions have all of their history; with more of a kind, each has fewer points, so that
/// those of one kind never take more than `FULL_HISTORIES * history` points: with 600 points of 40 bytes at most 6.1 MB a kind.
pub const FULL_HISTORIES: usize = 256;

impl Default for Limits {
    fn default() -> Self {
        Self {
            history: 600,
            producers: 1_024,
        }
    }
}

/// Everything that is known of one engine.
#[derive(Clone, Debug)]
pub struct Model {
    limits: Limits,
    snapshot: Option<Snapshot>,
    names: Names,
    rows: fold::Rows,
    /// The stamp of the snapshot that the rows are of.
    rows_at: Option<u64>,
    workers: Vec<Worker>,
    threads: threads::Looked,
    producer_rows: Vec<ProducerRow>,
    percentiles: latency::Percentiles,
    producers: producers::Producers,
    total_history: History<TotalPoint>,
    workqueue_history: HashMap<WqId, History<WorkqueuePoint>>,
    pool_history: HashMap<PoolId, History<PoolPoint>>,
    function_history: HashMap<FuncId, History<FunctionPoint>>,
    seen: u64,
    newest: u64,
    out_of_order: u64,
    lost: u64,
    clamped: u64,
}

impl Model {
    /// A model that knows nothing yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            snapshot: None,
            names: Names::default(),
            rows: fold::Rows::default(),
            rows_at: None,
            workers: Vec::new(),
            threads: threads::Looked::default(),
            producer_rows: Vec::new(),
            percentiles: latency::Percentiles::new(),
            producers: producers::Producers::new(limits.producers),
            total_history: History::new(limits.history),
            workqueue_history: HashMap::new(),
            pool_history: HashMap::new(),
            function_history: HashMap::new(),
            seen: 0,
            newest: 0,
            out_of_order: 0,
            lost: 0,
            clamped: 0,
        }
    }

    /// Takes in a later snapshot of the same engine.
    ///
    /// One with the stamp of the last (an engine that is gone says nothing new) changes neither rates nor history.
    pub fn apply_snapshot(&mut self, snapshot: &Snapshot) {
        self.names.update(snapshot);
        let rows = fold::fold(snapshot, &mut self.percentiles);
        self.snapshot = Some(snapshot.clone());
        self.go_on_to(rows, snapshot.at);
        self.newest = self.newest.min(snapshot.at.saturating_add(AHEAD_NS));
        self.producers.at_snapshot(snapshot.at);
        self.name_rows(snapshot);
    }

    /// Takes in a snapshot of which nobody will see more than its point in each history: at a fraction of the cost, and with
    /// nothing but sums in the rows. The one that is to be seen comes behind it, by [`Model::apply_snapshot`].
    pub(crate) fn pass_snapshot(&mut self, snapshot: &Snapshot) {
        self.names.update(snapshot);
        self.go_on_to(fold::sums(snapshot), snapshot.at);
    }

    /// The rows of a snapshot, and what has come since those before.
    fn go_on_to(&mut self, rows: fold::Rows, at: u64) {
        let before = std::mem::replace(&mut self.rows, rows);
        match self.rows_at.replace(at) {
            Some(last) if at <= last => self.rows.take_rates(&before),
            Some(last) => {
                self.grow(&before, at - last);
                self.remember(at);
            }
            None => self.remember(at),
        }
    }

    /// What rows say in names, and of the time that passed.
    fn name_rows(&mut self, snapshot: &Snapshot) {
        for pool in &mut self.rows.pools {
            pool.progress_ns = snapshot.at.saturating_sub(pool.row.last_progress);
            if pool.row.manager.is_some() {
                self.names
                    .worker(pool.row.manager)
                    .clone_into(&mut pool.manager);
            }
        }
        let rescuers = snapshot.workers.iter();
        for rescuer in rescuers.filter(|worker| worker.kind == WorkerKind::Rescuer) {
            let pools = self.rows.pools.iter_mut();
            for pool in pools.filter(|pool| pool.row.id == rescuer.pool) {
                rescuer.name.clone_into(&mut pool.rescuer);
            }
        }
        self.workers = workers::rows(snapshot, &self.names);
        self.producer_rows = self.producers.rows(&self.names, snapshot.at);
    }

    /// Takes in an event. Events of different rings may come in any order.
    pub fn apply_event(&mut self, event: &Event) {
        self.seen += 1;
        if event.at < self.newest {
            self.out_of_order += 1;
        }
        self.newest = self.newest.max(event.at);
        self.producers.apply(event);
    }

    /// Takes in what the system says of the workers' threads, behind the snapshot of the same moment: the rows of workers
    /// say it until the next snapshot.
    pub fn apply_threads(&mut self, threads: &Threads) {
        self.threads.look(threads);
        for worker in &mut self.workers {
            worker.look(self.threads.thread(worker.row.tid));
        }
    }

    /// Takes note of `n` events that were overwritten before they could be read.
    pub fn apply_lost(&mut self, n: u64) {
        self.lost = self.lost.saturating_add(n);
    }

    /// The latest snapshot.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// When the latest snapshot was taken, in nanoseconds on the segment's clock; 0 before the first.
    pub fn at(&self) -> u64 {
        self.snapshot.as_ref().map_or(0, |s| s.at)
    }

    /// Wall-clock time of the latest snapshot, in nanoseconds since 1970.
    pub fn wall(&self) -> u64 {
        self.snapshot.as_ref().map_or(0, |s| {
            let up = s.at.saturating_sub(s.meta.started_at);
            s.meta.started_wall.saturating_add(up)
        })
    }

    /// The names of everything that was ever told of.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Workqueues in the order in which they were allocated.
    pub fn workqueues(&self) -> &[Workqueue] {
        &self.rows.workqueues
    }

    /// Pools by the number shown.
    pub fn pools(&self) -> &[Pool] {
        &self.rows.pools
    }

    /// Functions in the order in which they were first seen.
    pub fn functions(&self) -> &[Function] {
        &self.rows.functions
    }

    /// Workers, in the order of the snapshot.
    pub fn workers(&self) -> &[Worker] {
        &self.workers
    }

    /// The sums over everything.
    pub fn totals(&self) -> &Totals {
        &self.rows.totals
    }

    /// Deadlocks that there are now: circles of threads that wait for each other.
    pub fn deadlocks(&self) -> usize {
        let flushes = self.snapshot.iter().flat_map(|s| &s.flushes);
        let in_circle = flushes.map(|flush| flush.deadlock).filter(|&n| n > 0);
        in_circle.collect::<HashSet<u32>>().len()
    }

    /// Who queues what, the busiest first: (producer, items per second).
    pub fn producers(&self) -> Vec<(&Producer, f64)> {
        self.producers.rated(self.at())
    }

    /// The same as rows, as they were at the latest snapshot.
    pub fn producer_rows(&self) -> &[ProducerRow] {
        &self.producer_rows
    }

    /// Items queued by producers for which there was no room, or no longer any.
    pub fn other_producers(&self) -> u64 {
        self.producers.other
    }

    /// A source's name: a function, or a thread's `comm-tid`.
    pub fn source_name(&self, source: Source) -> String {
        source.name(&self.names)
    }

    /// History of the whole engine.
    pub fn history(&self) -> &History<TotalPoint> {
        &self.total_history
    }

    /// History of one workqueue.
    pub fn workqueue_history(&self, id: WqId) -> Option<&History<WorkqueuePoint>> {
        self.workqueue_history.get(&id)
    }

    /// History of one pool.
    pub fn pool_history(&self, id: PoolId) -> Option<&History<PoolPoint>> {
        self.pool_history.get(&id)
    }

    /// History of one function that something was queued for.
    pub fn function_history(&self, id: FuncId) -> Option<&History<FunctionPoint>> {
        self.function_history.get(&id)
    }

    /// Events taken in.
    pub fn events_seen(&self) -> u64 {
        self.seen
    }

    /// Events that were older than one before them.
    pub fn out_of_order(&self) -> u64 {
        self.out_of_order
    }

    /// Events lost: overwritten before they were read, or written by a thread that found no ring.
    pub fn lost_events(&self) -> u64 {
        let no_ring = self.snapshot.as_ref().map_or(0, |s| s.lost_no_ring);
        self.lost.saturating_add(no_ring)
    }

    /// Counters that shrank between two snapshots and were taken as unchanged.
    pub fn clamped(&self) -> u64 {
        self.clamped
    }

    /// Rates over the `ns` since `before`.
    fn grow(&mut self, before: &fold::Rows, ns: u64) {
        let mut span = rates::Span { ns, clamped: 0 };
        let old = index(&before.workqueues, |w| w.id, Workqueue::flow);
        for wq in &mut self.rows.workqueues {
            wq.rates = span.rates(wq.flow(), old.get(&wq.id).copied().unwrap_or_default());
        }
        let old = index(
            &before.pools,
            |p| p.row.id,
            |p| (p.flow(), p.row.cm_wakeups),
        );
        for pool in &mut self.rows.pools {
            let (flow, wakeups) = old.get(&pool.row.id).copied().unwrap_or_default();
            pool.rates = span.rates(pool.flow(), flow);
            pool.wakeups_per_s = span.rate(pool.row.cm_wakeups, wakeups);
        }
        let old = index(&before.functions, |f| f.id, Function::flow);
        for function in &mut self.rows.functions {
            let flow = old.get(&function.id).copied().unwrap_or_default();
            function.rates = span.rates(function.flow(), flow);
        }
        let totals = &mut self.rows.totals;
        totals.rates = span.rates(totals.flow(), before.totals.flow());
        totals.events_per_s = span.rate(totals.events, before.totals.events);
        self.clamped += span.clamped;
    }

    /// One more point of everything's history; that of what is gone is forgotten.
    fn remember(&mut self, at: u64) {
        let all = self.limits.history;
        let of = |things: usize| points_of_each(all, things);
        let totals = &self.rows.totals;
        self.total_history.push(TotalPoint {
            at,
            events_per_s: totals.events_per_s,
            queued_per_s: totals.rates.queued,
            started_per_s: totals.rates.started,
            backlog: totals.backlog(),
            running: totals.running,
            workers: totals.workers,
        });
        let used = || self.rows.functions.iter().filter(|f| f.queued > 0);
        let capacity = of(self.rows.workqueues.len());
        remember(&mut self.workqueue_history, capacity, {
            self.rows.workqueues.iter().map(|wq| {
                let point = WorkqueuePoint {
                    at,
                    queued_per_s: wq.rates.queued,
                    started_per_s: wq.rates.started,
                    backlog: wq.backlog(),
                    running: wq.running,
                };
                (wq.id, point)
            })
        });
        let capacity = of(self.rows.pools.len());
        remember(&mut self.pool_history, capacity, {
            self.rows.pools.iter().map(|pool| {
                let point = PoolPoint {
                    at,
                    nr_running: pool.row.nr_running,
                    workers: pool.row.nr_workers,
                    busy: pool.busy,
                    idle: pool.row.nr_idle,
                    pending: pool.row.nr_pending,
                    started_per_s: pool.rates.started,
                };
                (pool.row.id, point)
            })
        });
        let capacity = of(used().count());
        remember(&mut self.function_history, capacity, {
            used().map(|function| {
                let point = FunctionPoint {
                    at,
                    started_per_s: function.rates.started,
                    cpu: function.rates.cpu,
                    backlog: function.backlog(),
                };
                (function.id, point)
            })
        });
    }
}

/// Points that each of so many things may have, when one alone may have `all`.
fn points_of_each(all: usize, things: usize) -> usize {
    (all.saturating_mul(FULL_HISTORIES) / things.max(1)).clamp(1, all.max(1))
}

/// One more point for each thing; what is gone is forgotten.
fn remember<K: Eq + Hash, P>(
    histories: &mut HashMap<K, History<P>>,
    capacity: usize,
    points: impl Iterator<Item = (K, P)>,
) {
    let mut old = std::mem::take(histories);
    for (id, point) in points {
        let mut history = old.remove(&id).unwrap_or_else(|| History::new(capacity));
        history.resize(capacity);
        history.push(point);
        histories.insert(id, history);
    }
}

impl fold::Rows {
    /// Keeps the rates of `before`, for a snapshot that is no later.
    fn take_rates(&mut self, before: &Self) {
        let old = index(&before.workqueues, |w| w.id, |w| w.rates);
        for wq in &mut self.workqueues {
            wq.rates = old.get(&wq.id).copied().unwrap_or_default();
        }
        let old = index(&before.pools, |p| p.row.id, |p| (p.rates, p.wakeups_per_s));
        for pool in &mut self.pools {
            (pool.rates, pool.wakeups_per_s) = old.get(&pool.row.id).copied().unwrap_or_default();
        }
        let old = index(&before.functions, |f| f.id, |f| f.rates);
        for function in &mut self.functions {
            function.rates = old.get(&function.id).copied().unwrap_or_default();
        }
        self.totals.rates = before.totals.rates;
        self.totals.events_per_s = before.totals.events_per_s;
    }
}

/// Something of each row, by the row's identity.
fn index<R, K: Eq + Hash, V>(
    rows: &[R],
    key: impl Fn(&R) -> K,
    value: impl Fn(&R) -> V,
) -> HashMap<K, V> {
    rows.iter().map(|row| (key(row), value(row))).collect()
}

#[cfg(test)]
mod tests;
