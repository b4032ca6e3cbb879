//! The columns of every table and the keys of every JSON row, each declared once: key, title, unit, help, width, value.

mod functions;
mod pools;
mod producers;
mod workers;
mod workqueues;

pub use functions::FUNCTIONS;
pub use pools::POOLS;
pub use producers::PRODUCERS;
pub use workers::WORKERS;
pub use workqueues::WORKQUEUES;

use super::latency::Latency;
use super::rows::{Function, Pool, Workqueue};
use crate::stats::{Breakdown, WaitPart};
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
    /// A share: 1 is 100%; of one CPU it may be more.
    Share(f64),
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
            Self::Share(x) => units::percent(*x),
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
            Self::Rate(x) | Self::Share(x) => Value::Float(*x),
            Self::Flag(yes) => Value::Bool(*yes),
            Self::None => Value::Unknown,
        }
    }

    /// Which comes first when a table is sorted: ascending; nothing before something.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Rate(a), Self::Rate(b)) | (Self::Share(a), Self::Share(b)) => a.total_cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    /// Whether it says nothing, or 0.
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Count(n) | Self::Ns(n) | Self::Us(n) => *n == 0,
            // What reads as 0.
            Self::Rate(_) => self.text() == "0",
            Self::Share(x) => *x <= 0.0,
            Self::None => true,
            Self::Text(_) | Self::Number(_) | Self::Flag(_) => false,
        }
    }

    fn rank(&self) -> i128 {
        match self {
            Self::Number(n) => i128::from(*n),
            Self::Count(n) | Self::Ns(n) | Self::Us(n) => i128::from(*n),
            Self::Flag(yes) => i128::from(*yes),
            Self::Text(_) | Self::Rate(_) | Self::Share(_) | Self::None => i128::MIN,
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
    /// What rows are sorted by; mostly the value itself.
    pub by: fn(&R) -> Cell,
    /// Whether its natural order puts the largest first.
    pub largest_first: bool,
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

    /// What a row is sorted by; [`Cell::None`] where the column does not apply.
    pub fn sort_key(&self, row: &R) -> Cell {
        if (self.applies)(row) {
            (self.by)(row)
        } else {
            Cell::None
        }
    }

    /// Whether its cells stand at the left edge.
    pub fn left(&self) -> bool {
        self.unit.is_empty()
    }
}

/// How two sort keys stand to each other when the largest or the smallest come first; nothing comes last in both orders.
pub fn compare(a: &Cell, b: &Cell, largest_first: bool) -> Ordering {
    let order = a.order(b);
    let order = if largest_first {
        order.reverse()
    } else {
        order
    };
    (*a == Cell::None).cmp(&(*b == Cell::None)).then(order)
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

/// Writes a table: one line for each column, `json` or `shown` first. Rows are sorted by the value, unless another key
/// stands behind it: `largest` or `smallest` come first.
macro_rules! columns {
    ($($kind:ident $key:literal $title:literal $unit:literal $width:literal $help:expr, $applies:expr, $cell:expr
        $(, $way:ident $by:expr)?;)*) => {
        &[$(Column {
            key: $key, title: $title, unit: $unit, help: $help, width: $width,
            in_json: columns!(@$kind), applies: $applies, cell: $cell,
            by: columns!(@by $cell $(, $by)?),
            largest_first: columns!(@first $unit $(, $way)?),
        },)*]
    };
    (@json) => { true };
    (@shown) => { false };
    (@by $cell:expr) => { $cell };
    (@by $cell:expr, $by:expr) => { $by };
    (@first $unit:literal) => { is_amount($unit) };
    (@first $unit:literal, largest) => { true };
    (@first $unit:literal, smallest) => { false };
}
use columns;

/// Whether a value of this unit says how much, not which one.
const fn is_amount(unit: &str) -> bool {
    !matches!(unit.as_bytes(), b"" | b"id" | b"cpu" | b"nice")
}

/// A column that says something about every row.
fn always<R>(_: &R) -> bool {
    true
}

/// The most important reason for waiting.
fn reason(breakdown: &Breakdown) -> Cell {
    super::main_reason(breakdown).map_or(Cell::None, |(part, ns)| {
        let share = units::share(ns, super::sum(breakdown));
        Cell::Text(format!("{} {share}", part.name()))
    })
}

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
