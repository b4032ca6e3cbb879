//! The columns of every table and the keys of every JSON row, each declared once: key, title, unit, help, width, value.

use super::latency::Latency;
use super::rows::{Function, Pool, Workqueue};
use crate::stats::{Breakdown, Counter, WaitPart};
use crate::units;
use crate::value::{Fields, Value};
use std::cmp::Ordering;

/// What stands in one place of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A name or a word.
    Text(String),
    /// A number that says which one, not how many: printed in full.
    Number(i64),
    /// How many.
    Count(u64),
    /// How many per second.
    Rate(f64),
    /// A duration in nanoseconds.
    Ns(u64),
    /// A duration in microseconds, the unit of the kernel's counter.
    Us(u64),
    /// Yes or no.
    Flag(bool),
    /// Nothing to say here.
    None,
}

impl Cell {
    /// The form that people read.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(n) => n.to_string(),
            Self::Count(n) => units::count(*n),
            Self::Rate(x) => units::rate(*x),
            Self::Ns(ns) => units::duration(*ns),
            Self::Us(us) => units::duration(us.saturating_mul(1_000)),
            Self::Flag(yes) => if *yes { "yes" } else { "no" }.to_owned(),
            Self::None => "-".to_owned(),
        }
    }

    /// The form in JSON.
    pub fn value(&self) -> Value {
        match self {
            Self::Text(text) => Value::str(text),
            Self::Number(n) => Value::Num(*n),
            Self::Count(n) | Self::Ns(n) | Self::Us(n) => Value::Big(*n),
            Self::Rate(x) => Value::Float(*x),
            Self::Flag(yes) => Value::Bool(*yes),
            Self::None => Value::Unknown,
        }
    }

    /// Which comes first when a table is sorted: ascending; nothing before something.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Rate(a), Self::Rate(b)) => a.total_cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(&self) -> i128 {
        match self {
            Self::Number(n) => i128::from(*n),
            Self::Count(n) | Self::Ns(n) | Self::Us(n) => i128::from(*n),
            Self::Flag(yes) => i128::from(*yes),
            Self::Text(_) | Self::Rate(_) | Self::None => i128::MIN,
        }
    }
}

/// One column of a table of `R`.
#[derive(Debug)]
pub struct Column<R: 'static> {
    /// Its key in JSON, and on the command line where columns are named.
    pub key: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// The unit of its JSON value: `items`, `ns`, `items/s`; empty for words.
    pub unit: &'static str,
    /// What it says, as one sentence.
    pub help: &'static str,
    /// Characters that it usually needs, heading included.
    pub width: u16,
    /// Whether it is a key of the row's JSON object; the others are made from such keys.
    pub in_json: bool,
    /// Whether it says anything about this row; a table shows `-` where it does not.
    pub applies: fn(&R) -> bool,
    /// Its value.
    pub cell: fn(&R) -> Cell,
}

impl<R> Column<R> {
    /// What a table shows: [`Cell::None`] where the column does not apply.
    pub fn shown(&self, row: &R) -> Cell {
        if (self.applies)(row) {
            (self.cell)(row)
        } else {
            Cell::None
        }
    }

    /// Whether its cells stand at the left edge.
    pub fn left(&self) -> bool {
        self.unit.is_empty()
    }
}

/// The column with this key.
pub fn find<R>(table: &'static [Column<R>], key: &str) -> Option<&'static Column<R>> {
    table.iter().find(|column| column.key == key)
}

/// The JSON object of a row, without what only [`workqueue_fields`] and its like add.
fn fields<R>(table: &[Column<R>], row: &R) -> Fields {
    let keys = table.iter().filter(|column| column.in_json);
    keys.map(|column| (column.key, (column.cell)(row).value()))
        .collect()
}

/// Writes a table: one line for each column, `json` or `shown` first.
macro_rules! columns {
    ($($kind:ident $key:literal $title:literal $unit:literal $width:literal $help:expr, $applies:expr, $cell:expr;)*) => {
        &[$(Column {
            key: $key, title: $title, unit: $unit, help: $help, width: $width,
            in_json: columns!(@$kind), applies: $applies, cell: $cell,
        },)*]
    };
    (@json) => { true };
    (@shown) => { false };
}

/// A column that says something about every row.
fn always<R>(_: &R) -> bool {
    true
}

/// A column of what only the normal and highpri pools of a CPU have.
fn has_canary(pool: &Pool) -> bool {
    pool.row.is_percpu()
}

fn counted(wq: &Workqueue, counter: Counter) -> Cell {
    Cell::Count(wq.counter(counter))
}

/// The most important reason for waiting.
fn reason(breakdown: &Breakdown) -> Cell {
    super::main_reason(breakdown).map_or(Cell::None, |(part, ns)| {
        let share = units::share(ns, super::sum(breakdown));
        Cell::Text(format!("{} {share}", part.name()))
    })
}

/// Columns of workqueues; those in JSON stand in the order of the JSON keys.
pub const WORKQUEUES: &[Column<Workqueue>] = columns! {
    json "id" "id" "id" 4
        "Identity of the workqueue; names may repeat.",
        always, |w| Cell::Number(w.id.0.into());
    json "name" "workqueue" "" 24
        "Name of the workqueue.",
        always, |w| Cell::Text(w.name.clone());
    json "unbound" "unbound" "" 7
        "Whether unbound pools serve it.",
        always, |w| Cell::Flag(w.unbound());
    json "mem_reclaim" "reclaim" "" 7
        "Whether it has a rescuer.",
        always, |w| Cell::Flag(w.mem_reclaim());
    json "started" "total" "items" 6
        Counter::Started.help(),
        always, |w| counted(w, Counter::Started);
    json "completed" "done" "items" 6
        Counter::Completed.help(),
        always, |w| counted(w, Counter::Completed);
    json "cpu_time" "CPUtime" "us" 7
        Counter::CpuTime.help(),
        always, |w| Cell::Us(w.counter(Counter::CpuTime) / 1_000);
    json "cpu_intensive" "CPUitsv" "items" 7
        Counter::CpuIntensive.help(),
        |w| !w.unbound(), |w| counted(w, Counter::CpuIntensive);
    json "cm_wakeup" "CMW" "wakes" 6
        Counter::CmWakeup.help(),
        |w| !w.unbound(), |w| counted(w, Counter::CmWakeup);
    json "repatriated" "RPR" "wakes" 6
        Counter::Repatriated.help(),
        Workqueue::unbound, |w| counted(w, Counter::Repatriated);
    json "mayday" "mayday" "calls" 6
        Counter::Mayday.help(),
        Workqueue::mem_reclaim, |w| counted(w, Counter::Mayday);
    json "rescued" "rescued" "items" 7
        Counter::Rescued.help(),
        Workqueue::mem_reclaim, |w| counted(w, Counter::Rescued);
    json "queued" "queued" "items" 6
        Counter::Queued.help(),
        always, |w| counted(w, Counter::Queued);
    json "cancelled" "cancel" "items" 6
        Counter::Cancelled.help(),
        always, |w| counted(w, Counter::Cancelled);
    json "refused" "refused" "calls" 7
        "Queueing calls that found the item already pending, or disabled.",
        always, |w| Cell::Count(w.refused());
    json "dropped" "drop" "items" 6
        crate::WqCounter::Dropped.help(),
        always, |w| Cell::Count(w.dropped());
    json "pending" "pend" "items" 6
        "Items on worklists that no worker has taken.",
        always, |w| Cell::Count(w.pending);
    json "inactive" "inact" "items" 6
        "Items held back on inactive lists.",
        always, |w| Cell::Count(w.inactive);
    json "running" "infl" "items" 6
        "Items executing now.",
        always, |w| Cell::Count(w.running);
    shown "type" "type" "" 9
        "How it is served: percpu, unbound (with S: strictly in its pods), ordered, bh.",
        always, |w| Cell::Text(w.kind().to_owned());
    shown "max_active" "max" "items" 5
        "Limit of items that execute at once: per CPU when bound.",
        always, |w| Cell::Number(w.max_active.into());
    shown "queued_per_s" "queued/s" "items/s" 8
        "Items queued per second.",
        always, |w| Cell::Rate(w.rates.queued);
    shown "started_per_s" "start/s" "items/s" 7
        "Executions begun per second.",
        always, |w| Cell::Rate(w.rates.started);
    shown "wait_p50" "wait p50" "ns" 8
        "Half of the items waited no longer than this from queue_work to execute_start.",
        |w| w.wait.count > 0, |w| Cell::Ns(w.wait.p50);
    shown "wait_p99" "wait p99" "ns" 8
        "99 of 100 items waited no longer than this.",
        |w| w.wait.count > 0, |w| Cell::Ns(w.wait.p99);
    shown "wait_sum" "wait sum" "ns" 8
        "Sum of the waits of all started items.",
        always, |w| Cell::Ns(w.wait.sum);
    shown "run_p50" "run p50" "ns" 8
        "Half of the executions took no longer than this.",
        |w| w.run.count > 0, |w| Cell::Ns(w.run.p50);
    shown "run_p99" "run p99" "ns" 8
        "99 of 100 executions took no longer than this.",
        |w| w.run.count > 0, |w| Cell::Ns(w.run.p99);
    shown "reason" "waits for" "" 24
        "What explains most of the wait, and how much of it.",
        always, |w| reason(&w.breakdown);
};

/// Columns of pools; those in JSON stand in the order of the JSON keys.
pub const POOLS: &[Column<Pool>] = columns! {
    json "id" "pool" "id" 4
        "Number of the pool: of CPU c 4c bh, 4c+1 bh-hi, 4c+2 normal, 4c+3 highpri; unbound ones after all those.",
        always, |p| Cell::Number(p.row.number.into());
    json "cpu" "cpu" "cpu" 4
        "CPU that the pool belongs to.",
        always, |p| p.row.cpu.map_or(Cell::None, |cpu| Cell::Number(cpu.into()));
    shown "kind" "serves" "" 14
        "What the pool serves.",
        always, |p| Cell::Text(p.kind());
    json "nice" "nice" "nice" 4
        "Nice level that its workers ask for.",
        always, |p| Cell::Number(p.row.nice.into());
    json "nice_granted" "granted" "" 7
        "Whether every worker got that nice level.",
        |p| p.row.nice != 0, |p| Cell::Flag(p.row.nice_granted);
    json "nr_running" "run" "workers" 4
        "Concurrency level: workers that run a managed item and are not known to sleep.",
        always, |p| Cell::Count(p.row.nr_running.into());
    json "workers" "workers" "workers" 7
        "All workers of the pool.",
        always, |p| Cell::Count(p.row.nr_workers.into());
    json "idle" "idle" "workers" 4
        "Idle workers.",
        always, |p| Cell::Count(p.row.nr_idle.into());
    json "busy" "busy" "workers" 4
        "Workers that execute an item, sleeping or not.",
        always, |p| Cell::Count(p.busy.into());
    json "sleeping" "sleep" "workers" 5
        "Workers known to sleep in their item.",
        always, |p| Cell::Count(p.sleeping.into());
    json "pending" "pend" "items" 6
        "Items on the worklist that no worker has taken.",
        always, |p| Cell::Count(p.row.nr_pending.into());
    json "inactive" "inact" "items" 6
        "Items of the pool's workqueues held back on inactive lists.",
        always, |p| Cell::Count(p.inactive);
    json "started" "total" "items" 6
        Counter::Started.help(),
        always, |p| Cell::Count(p.counters[Counter::Started as usize]);
    json "completed" "done" "items" 6
        Counter::Completed.help(),
        always, |p| Cell::Count(p.counters[Counter::Completed as usize]);
    json "max_workers" "max wrk" "workers" 7
        "Most workers that there were at once.",
        always, |p| Cell::Count(p.row.max_workers.into());
    json "max_nr_running" "max run" "workers" 7
        "Highest concurrency level that there was.",
        always, |p| Cell::Count(p.row.max_nr_running.into());
    json "cm_wakeups" "CM wakes" "wakes" 8
        "Workers woken because another one blocked.",
        always, |p| Cell::Count(p.row.cm_wakeups);
    json "canary_armed" "armed" "" 5
        "Whether its canary is armed: items wait behind a worker that runs.",
        has_canary, |p| Cell::Flag(p.row.canary.armed);
    json "canary_armings" "armings" "times" 7
        "How often its canary was armed.",
        has_canary, |p| Cell::Count(p.row.canary.armings);
    json "canary_decisions" "decided" "times" 7
        "How often its canary found the running workers blocked, and had another one woken.",
        has_canary, |p| Cell::Count(p.row.canary.decisions);
    json "canary_false_decisions" "false" "times" 5
        "How many of those decisions were wrong: the worker had only been preempted.",
        has_canary, |p| Cell::Count(p.row.canary.false_decisions);
    json "canary_unwatched" "unwatched" "workers" 9
        "Workers without a descriptor of their own, which no canary can look at: left to the tick.",
        has_canary, |p| Cell::Count(p.row.canary.unwatched.into());
    shown "started_per_s" "start/s" "items/s" 7
        "Executions begun per second.",
        always, |p| Cell::Rate(p.rates.started);
    shown "wakeups_per_s" "CMW/s" "wakes/s" 6
        "Workers woken per second because another one blocked.",
        always, |p| Cell::Rate(p.wakeups_per_s);
    shown "reason" "waits for" "" 24
        "What explains most of the wait, and how much of it.",
        always, |p| reason(&p.breakdown);
};

/// Columns of functions; those in JSON stand in the order of the JSON keys.
pub const FUNCTIONS: &[Column<Function>] = columns! {
    json "name" "function" "" 24
        "Name of the work function.",
        always, |f| Cell::Text(f.name.clone());
    json "queued" "queued" "items" 6
        Counter::Queued.help(),
        always, |f| Cell::Count(f.queued);
    json "started" "total" "items" 6
        Counter::Started.help(),
        always, |f| Cell::Count(f.started);
    json "completed" "done" "items" 6
        Counter::Completed.help(),
        always, |f| Cell::Count(f.completed);
    json "pending" "pend" "items" 6
        "Items on worklists that no worker has taken.",
        always, |f| Cell::Count(f.pending);
    json "inactive" "inact" "items" 6
        "Items held back on inactive lists.",
        always, |f| Cell::Count(f.inactive);
    json "running" "infl" "items" 6
        "Items executing now.",
        always, |f| Cell::Count(f.running);
    json "armed" "armed" "timers" 6
        "Timers armed for items of this function.",
        always, |f| Cell::Count(f.armed.into());
    json "run_ns" "run sum" "ns" 8
        "Wall time of the ended executions.",
        always, |f| Cell::Ns(f.run_ns);
    json "cpu_ns" "cpu sum" "ns" 8
        "CPU time of the ended executions.",
        always, |f| Cell::Ns(f.cpu_ns);
    json "run_max_ns" "run max" "ns" 8
        "Longest execution.",
        always, |f| Cell::Ns(f.run_max_ns);
    json "wait_ns" "wait sum" "ns" 8
        "Sum of the waits of all started items.",
        always, |f| Cell::Ns(f.wait_ns());
    shown "queued_per_s" "queued/s" "items/s" 8
        "Items queued per second.",
        always, |f| Cell::Rate(f.rates.queued);
    shown "started_per_s" "start/s" "items/s" 7
        "Executions begun per second.",
        always, |f| Cell::Rate(f.rates.started);
    shown "reason" "waits for" "" 24
        "What explains most of the wait, and how much of it.",
        always, |f| reason(&f.breakdown);
};

/// The JSON object of a workqueue: the keys of the kernel's `wq_monitor.py` in its units, then ours.
///
/// `timestamp` is wall-clock time in seconds; `lost_events` and `warnings` are those of the engine.
pub fn workqueue_fields(
    wq: &Workqueue,
    timestamp: f64,
    lost_events: u64,
    warnings: Vec<Value>,
) -> Fields {
    let mut all = vec![("timestamp", Value::Float(timestamp))];
    all.append(&mut fields(WORKQUEUES, wq));
    all.push(("wait_ns", latency(&wq.wait)));
    all.push(("run_ns", latency(&wq.run)));
    all.push(("breakdown_ns", breakdown(&wq.breakdown)));
    all.push(("lost_events", Value::Big(lost_events)));
    all.push(("warnings", Value::List(warnings)));
    all
}

/// The JSON object of a pool.
pub fn pool_fields(pool: &Pool) -> Fields {
    let mut all = fields(POOLS, pool);
    all.push(("breakdown_ns", breakdown(&pool.breakdown)));
    all
}

/// The JSON object of a function.
pub fn function_fields(function: &Function) -> Fields {
    let mut all = fields(FUNCTIONS, function);
    all.push(("breakdown_ns", breakdown(&function.breakdown)));
    all
}

/// `{p50,p90,p99,max,sum}` in nanoseconds.
pub fn latency(latency: &Latency) -> Value {
    Value::Object(vec![
        ("p50", Value::Big(latency.p50)),
        ("p90", Value::Big(latency.p90)),
        ("p99", Value::Big(latency.p99)),
        ("max", Value::Big(latency.max)),
        ("sum", Value::Big(latency.sum)),
    ])
}

/// `{inactive_max_active,..,unknown}` in nanoseconds.
pub fn breakdown(breakdown: &Breakdown) -> Value {
    let part = |&part: &WaitPart| (part.name(), Value::Big(breakdown[part as usize]));
    Value::Object(WaitPart::ALL.iter().map(part).collect())
}
