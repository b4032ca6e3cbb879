//! What a key says of a row: from the column tables, and from what belongs to the row.

use super::key::Kind;
use crate::event::{Event, What};
use crate::ids::{FuncId, PoolId, WorkerId, WqId};
use crate::model::columns::{self, Cell, Column};
use crate::model::{Function, Model, Pool, ProducerRow, Worker, Workqueue, main_reason, sum};
use crate::snapshot::{Snapshot, WorkerRow, WorkerState};
use crate::stats::{Breakdown, Counter, WaitPart};
use crate::text::short_name;
use std::collections::{BTreeSet, HashMap};

/// A row that a query can be asked about.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// A workqueue.
    Workqueue(&'a Workqueue),
    /// A pool.
    Pool(&'a Pool),
    /// A worker.
    Worker(&'a Worker),
    /// A function.
    Function(&'a Function),
    /// A producer.
    Producer(&'a ProducerRow),
    /// An event.
    Event(&'a Event),
}

impl<'a> From<&'a Workqueue> for Row<'a> {
    fn from(row: &'a Workqueue) -> Self {
        Self::Workqueue(row)
    }
}

impl<'a> From<&'a Pool> for Row<'a> {
    fn from(row: &'a Pool) -> Self {
        Self::Pool(row)
    }
}

impl<'a> From<&'a Worker> for Row<'a> {
    fn from(row: &'a Worker) -> Self {
        Self::Worker(row)
    }
}

impl<'a> From<&'a Function> for Row<'a> {
    fn from(row: &'a Function) -> Self {
        Self::Function(row)
    }
}

impl<'a> From<&'a ProducerRow> for Row<'a> {
    fn from(row: &'a ProducerRow) -> Self {
        Self::Producer(row)
    }
}

impl<'a> From<&'a Event> for Row<'a> {
    fn from(row: &'a Event) -> Self {
        Self::Event(row)
    }
}

/// What belongs to a row.
#[derive(Debug, Default)]
struct Related {
    workqueues: BTreeSet<WqId>,
    pools: BTreeSet<PoolId>,
    functions: BTreeSet<FuncId>,
    /// Of a pool all of its workers, else those that execute an item of it now.
    workers: BTreeSet<WorkerId>,
}

/// A model at one moment, and in it who belongs to whom. Made once for all rows of a round.
#[derive(Debug)]
pub struct Scope<'a> {
    model: &'a Model,
    workqueues: HashMap<WqId, Related>,
    pools: HashMap<PoolId, Related>,
    functions: HashMap<FuncId, Related>,
    workers: HashMap<WorkerId, String>,
    cpus: HashMap<PoolId, u16>,
}

impl<'a> Scope<'a> {
    /// The scope of what a model knows now.
    pub fn new(model: &'a Model) -> Self {
        let cpus = model
            .pools()
            .iter()
            .filter_map(|p| Some((p.row.id, p.row.cpu?)));
        let mut scope = Self {
            cpus: cpus.collect(),
            ..Self::of_events(model)
        };
        if let Some(snapshot) = model.snapshot() {
            scope.link_queues(snapshot);
            scope.link_workers(snapshot);
        }
        scope
    }

    /// One that knows names alone: all that is asked of an event, and free to make.
    pub fn of_events(model: &'a Model) -> Self {
        Self {
            model,
            workqueues: HashMap::new(),
            pools: HashMap::new(),
            functions: HashMap::new(),
            workers: HashMap::new(),
            cpus: HashMap::new(),
        }
    }

    /// Workqueues, pools and functions belong together once an item was queued.
    fn link_queues(&mut self, snapshot: &Snapshot) {
        let used = snapshot
            .pwqs
            .iter()
            .filter(|p| p.counters[Counter::Queued as usize] > 0);
        let mut pwqs = HashMap::new();
        for pwq in used.filter(|p| p.pool.is_some()) {
            pwqs.insert(pwq.id, (pwq.wq, pwq.pool));
            self.workqueues
                .entry(pwq.wq)
                .or_default()
                .pools
                .insert(pwq.pool);
            self.pools
                .entry(pwq.pool)
                .or_default()
                .workqueues
                .insert(pwq.wq);
        }
        for row in &snapshot.pwq_funcs {
            let Some(&(wq, pool)) = pwqs.get(&row.pwq) else {
                continue;
            };
            self.workqueues
                .entry(wq)
                .or_default()
                .functions
                .insert(row.func);
            self.pools
                .entry(pool)
                .or_default()
                .functions
                .insert(row.func);
            let function = self.functions.entry(row.func).or_default();
            function.workqueues.insert(wq);
            function.pools.insert(pool);
        }
    }

    fn link_workers(&mut self, snapshot: &Snapshot) {
        for worker in &snapshot.workers {
            self.workers.insert(worker.id, worker.full_name());
            self.pools
                .entry(worker.pool)
                .or_default()
                .workers
                .insert(worker.id);
            if executes(worker) {
                self.workqueues
                    .entry(worker.wq)
                    .or_default()
                    .workers
                    .insert(worker.id);
                self.functions
                    .entry(worker.func)
                    .or_default()
                    .workers
                    .insert(worker.id);
            }
        }
    }

    /// What `key` says of what is related to a row, if it is a key of that.
    fn related(&self, related: Option<&Related>, key: &str) -> Option<Vec<Cell>> {
        let none = Related::default();
        let related = related.unwrap_or(&none);
        let names = self.model.names();
        Some(match key {
            "wq" => related
                .workqueues
                .iter()
                .map(|&id| text(names.workqueue(id)))
                .collect(),
            "fn" => related
                .functions
                .iter()
                .map(|&id| text(names.function(id)))
                .collect(),
            "pool" => related
                .pools
                .iter()
                .filter_map(|&id| self.pool_number(id))
                .collect(),
            "cpu" => related
                .pools
                .iter()
                .filter_map(|&id| self.cpu(id))
                .collect(),
            "worker" => related
                .workers
                .iter()
                .filter_map(|id| self.workers.get(id))
                .map(|name| text(name))
                .collect(),
            _ => return None,
        })
    }

    fn pool_number(&self, id: PoolId) -> Option<Cell> {
        let number = self.model.names().pool(id)?;
        Some(Cell::Number(number.into()))
    }

    fn cpu(&self, id: PoolId) -> Option<Cell> {
        self.cpus.get(&id).map(|&cpu| Cell::Number(cpu.into()))
    }
}

impl Row<'_> {
    /// What it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Workqueue(_) => Kind::Workqueue,
            Self::Pool(_) => Kind::Pool,
            Self::Worker(_) => Kind::Worker,
            Self::Function(_) => Kind::Function,
            Self::Producer(_) => Kind::Producer,
            Self::Event(_) => Kind::Event,
        }
    }

    /// What a key says of it: nothing, one value, or several.
    pub(super) fn values(&self, scope: &Scope<'_>, key: &str) -> Vec<Cell> {
        match self {
            Self::Workqueue(row) => workqueue(scope, row, key),
            Self::Pool(row) => pool(scope, row, key),
            Self::Worker(row) => worker(scope, row, key),
            Self::Function(row) => function(scope, row, key),
            Self::Producer(row) => producer(row, key),
            Self::Event(row) => event(scope, row, key),
        }
    }
}

fn workqueue(scope: &Scope<'_>, wq: &Workqueue, key: &str) -> Vec<Cell> {
    let waited = |ns: u64| {
        if wq.wait.count > 0 {
            vec![Cell::Ns(ns)]
        } else {
            Vec::new()
        }
    };
    let ran = |ns: u64| {
        if wq.run.count > 0 {
            vec![Cell::Ns(ns)]
        } else {
            Vec::new()
        }
    };
    match key {
        "wq" => vec![text(&wq.name)],
        "kind" => vec![text(wq.kind())],
        "state" => states(wq.inactive, wq.pending, &[("running", wq.running)]),
        "wait" => waited(wq.wait.p99),
        "wait_p90" => waited(wq.wait.p90),
        "wait_max" => waited(wq.wait.max),
        "run" => ran(wq.run.p99),
        "run_p90" => ran(wq.run.p90),
        "run_max" => ran(wq.run.max),
        "rate" | "events" => vec![Cell::Rate(wq.rates.started)],
        _ => explained(&wq.breakdown, key)
            .or_else(|| scope.related(scope.workqueues.get(&wq.id), key))
            .unwrap_or_else(|| shown(columns::WORKQUEUES, key, wq)),
    }
}

fn pool(scope: &Scope<'_>, pool: &Pool, key: &str) -> Vec<Cell> {
    match key {
        "name" | "kind" => vec![text(&pool.kind())],
        "pool" => vec![Cell::Number(pool.row.number.into())],
        "cpu" => scope.cpu(pool.row.id).into_iter().collect(),
        "state" => {
            let managing = u64::from(pool.row.manager.is_some());
            let of = [
                (
                    "running",
                    u64::from(pool.busy - pool.sleeping.min(pool.busy)),
                ),
                ("sleeping", pool.sleeping.into()),
                ("managing", managing),
            ];
            states(pool.inactive, pool.row.nr_pending.into(), &of)
        }
        "wait" => mean(&pool.breakdown, pool.counters[Counter::Started as usize]),
        "rate" | "events" => vec![Cell::Rate(pool.rates.started)],
        _ => explained(&pool.breakdown, key)
            .or_else(|| scope.related(scope.pools.get(&pool.row.id), key))
            .unwrap_or_else(|| shown(columns::POOLS, key, pool)),
    }
}

fn function(scope: &Scope<'_>, function: &Function, key: &str) -> Vec<Cell> {
    match key {
        "fn" => vec![text(&function.name)],
        "state" => {
            let of = [
                ("running", function.running),
                ("armed", function.armed.into()),
            ];
            states(function.inactive, function.pending, &of)
        }
        "wait" => mean(&function.breakdown, function.started),
        "run" if function.completed == 0 => Vec::new(),
        "run" => vec![Cell::Ns(function.run_max_ns)],
        "rate" | "events" => vec![Cell::Rate(function.rates.started)],
        _ => explained(&function.breakdown, key)
            .or_else(|| scope.related(scope.functions.get(&function.id), key))
            .unwrap_or_else(|| shown(columns::FUNCTIONS, key, function)),
    }
}

fn worker(scope: &Scope<'_>, worker: &Worker, key: &str) -> Vec<Cell> {
    let busy = executes(&worker.row);
    let short = match key {
        "name" | "worker" => "name",
        "wq" if busy => "workqueue",
        "fn" if busy => "function",
        "wq" | "fn" => return Vec::new(),
        "run" => "item_ns",
        "for" => "for_ns",
        "cpu" => return scope.cpu(worker.row.pool).into_iter().collect(),
        _ => key,
    };
    shown(columns::WORKERS, short, worker)
}

fn event(scope: &Scope<'_>, event: &Event, key: &str) -> Vec<Cell> {
    let names = scope.model.names();
    let workqueue = || event.wq.is_some().then(|| names.workqueue(event.wq));
    let function = || event.func.is_some().then(|| names.function(event.func));
    let worker = || event.worker.is_some().then(|| names.worker(event.worker));
    let from = || event.from.is_some().then(|| names.function(event.from));
    let thread = || format!("{}-{}", names.comm(event.tid), event.tid);
    let step = short_name(&event.what);
    match key {
        "event" => vec![text(step)],
        "name" => {
            let all = [Some(step), function(), workqueue(), worker()];
            all.into_iter().flatten().map(text).collect()
        }
        "wq" => workqueue().map(text).into_iter().collect(),
        "fn" => function().map(text).into_iter().collect(),
        "worker" => worker().map(text).into_iter().collect(),
        "from" => match (from(), &event.what) {
            (Some(function), _) => vec![text(function)],
            (None, What::QueueWork { .. }) => vec![text(&thread())],
            _ => Vec::new(),
        },
        "thread" => vec![text(&thread())],
        "cpu" => vec![Cell::Number(event.cpu.into())],
        "pool" => scope.pool_number(event.pool).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn producer(producer: &ProducerRow, key: &str) -> Vec<Cell> {
    let short = match key {
        "name" => {
            let names = [&producer.producer, &producer.function, &producer.workqueue];
            return names.map(|name| text(name)).into();
        }
        "from" => "producer",
        "fn" => "function",
        "wq" => "workqueue",
        "queued" => "count",
        "rate" | "events" => "queued_per_s",
        _ => key,
    };
    shown(columns::PRODUCERS, short, producer)
}

/// The cell of a table's column.
fn shown<R>(table: &'static [Column<R>], key: &str, row: &R) -> Vec<Cell> {
    columns::find(table, key)
        .map(|column| column.shown(row))
        .into_iter()
        .collect()
}

fn text(word: &str) -> Cell {
    Cell::Text(word.to_owned())
}

fn executes(worker: &WorkerRow) -> bool {
    matches!(worker.state, WorkerState::Running | WorkerState::Sleeping)
}

/// The words for what there is; `idle` where nothing is.
fn states(inactive: u64, pending: u64, others: &[(&str, u64)]) -> Vec<Cell> {
    let first = [("held", inactive), ("pending", pending)];
    let there = first.iter().chain(others).filter(|(_, n)| *n > 0);
    let mut words: Vec<_> = there.map(|(word, _)| text(word)).collect();
    if words.is_empty() {
        words.push(text("idle"));
    }
    words
}

/// Why items waited: the main reason, or what a part of the wait came to in percent of it.
fn explained(breakdown: &Breakdown, key: &str) -> Option<Vec<Cell>> {
    if key == "why" {
        let reason = main_reason(breakdown).map(|(part, _)| text(part.name()));
        return Some(reason.into_iter().collect());
    }
    let part = WaitPart::ALL.iter().find(|part| part.name() == key)?;
    let whole = sum(breakdown);
    let share = breakdown[*part as usize] as f64 / whole as f64;
    Some(if whole > 0 {
        vec![Cell::Share(share)]
    } else {
        Vec::new()
    })
}

fn mean(breakdown: &Breakdown, items: u64) -> Vec<Cell> {
    sum(breakdown)
        .checked_div(items)
        .map(Cell::Ns)
        .into_iter()
        .collect()
}
