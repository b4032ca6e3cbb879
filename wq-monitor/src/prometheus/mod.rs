//! The counters, gauges and histograms of an engine in the text that Prometheus scrapes.
//!
//! Values, units and help are those of the column tables. What counts upwards ends in `_total`, times are in seconds,
//! the buckets of waits and run times end where the segment's own do, so that none is guessed.

mod text;

use crate::filter::Filter;
use std::collections::HashMap;
use text::{Kind, Labels, Page};
use wq_trace::model::columns::{self, Cell, Column};
use wq_trace::model::{Function, Model, Pool, Workqueue};
use wq_trace::warn::{LINTS, Warnings};
use wq_trace::{Breakdown, Histogram, Liveness, PwqRow, WaitPart, WqId};

/// Columns that only ever grow; of the other numbers in JSON each is a gauge.
const COUNTERS: &[&str] = &[
    "started",
    "completed",
    "cpu_time",
    "cpu_intensive",
    "cm_wakeup",
    "repatriated",
    "mayday",
    "rescued",
    "queued",
    "cancelled",
    "refused",
    "dropped",
    "cm_wakeups",
    "canary_armings",
    "canary_decisions",
    "canary_false_decisions",
    "run_ns",
    "cpu_ns",
    "wait_ns",
];
/// Columns that are labels, and so no metrics.
const LABELS: &[&str] = &["id", "name", "cpu", "unbound", "mem_reclaim"];

/// Bucket ends are one nanosecond below these powers of two: 1 us to 17 s, and infinity.
const POWERS: std::ops::RangeInclusive<u32> = 10..=34;

/// One page: everything that is known now. `filter` leaves out workqueues.
pub fn page(model: &Model, warned: &Warnings, liveness: Liveness, filter: &Filter) -> String {
    let Some(snapshot) = model.snapshot() else {
        return String::new();
    };
    let meta = &snapshot.meta;
    let pid = meta.pid.to_string();
    let mut page = Page::new(&[("engine", &meta.name), ("pid", &pid)]);
    engine(&mut page, model, liveness);
    warnings(&mut page, warned);
    let workqueues: Vec<_> = filter
        .workqueues(model)
        .into_iter()
        .map(|wq| (wq, workqueue_labels(wq)))
        .collect();
    table(&mut page, "wq_workqueue_", columns::WORKQUEUES, &workqueues);
    parts(&mut page, "wq_workqueue_", &workqueues, |wq| &wq.breakdown);
    let waits = "Time from queue_work to execute_start.";
    histograms(
        &mut page,
        "wq_workqueue_wait_seconds",
        waits,
        (model, &workqueues),
        |pwq| &pwq.wait,
    );
    let runs = "Wall time of the executions.";
    histograms(
        &mut page,
        "wq_workqueue_run_seconds",
        runs,
        (model, &workqueues),
        |pwq| &pwq.run,
    );
    let pools: Vec<_> = model
        .pools()
        .iter()
        .map(|pool| (pool, pool_labels(pool)))
        .collect();
    table(&mut page, "wq_pool_", columns::POOLS, &pools);
    let functions: Vec<_> = model
        .functions()
        .iter()
        .map(|f| (f, function_labels(f)))
        .collect();
    table(&mut page, "wq_function_", columns::FUNCTIONS, &functions);
    parts(&mut page, "wq_function_", &functions, |f| &f.breakdown);
    page.text()
}

/// How many warnings of each lint there are; `suspected` are those that a single look does not prove.
fn warnings(page: &mut Page, warnings: &Warnings) {
    let name = "wq_warnings";
    page.family(name, Kind::Gauge, "Things that a warning is about now.");
    let suspected = warnings.suspected();
    let settings = warnings.settings();
    for lint in LINTS
        .iter()
        .filter(|lint| settings.threshold(lint).is_some())
    {
        for (state, all) in [("told", warnings.active()), ("suspected", &suspected)] {
            let count = all.iter().filter(|it| it.lint == lint.name).count();
            let labels = vec![
                ("warning", lint.name.to_owned()),
                ("level", lint.level.word().to_owned()),
                ("state", state.to_owned()),
            ];
            page.sample(name, &labels, count as f64);
        }
    }
}

/// What there is one of.
fn engine(page: &mut Page, model: &Model, liveness: Liveness) {
    let Some(snapshot) = model.snapshot() else {
        return;
    };
    let (meta, none) = (&snapshot.meta, Labels::new());
    let mut one = |name: &str, kind, help: &str, value: f64| {
        page.family(name, kind, help);
        page.sample(name, &none, value);
    };
    let up = f64::from(u8::from(matches!(
        liveness,
        Liveness::Live | Liveness::Unknown
    )));
    one(
        "wq_engine_up",
        Kind::Gauge,
        "Whether the engine is there.",
        up,
    );
    one(
        "wq_engine_start_time_seconds",
        Kind::Gauge,
        "When the engine started, in seconds since 1970.",
        seconds(meta.started_wall),
    );
    one(
        "wq_engine_events_total",
        Kind::Counter,
        "Events written, those that found no ring included.",
        model.totals().events as f64,
    );
    one(
        "wq_engine_lost_events_total",
        Kind::Counter,
        "Events that found no ring.",
        snapshot.lost_no_ring as f64,
    );
    one(
        "wq_engine_deadlocks",
        Kind::Gauge,
        "Circles of threads that wait for each other.",
        model.deadlocks() as f64,
    );
    let info = "What the engine is: its program and how it learns that workers block.";
    page.family("wq_engine_info", Kind::Gauge, info);
    page.sample(
        "wq_engine_info",
        &vec![("exe", meta.exe.clone()), ("sensing", meta.sensing.clone())],
        1.0,
    );
}

fn workqueue_labels(wq: &Workqueue) -> Labels {
    let (id, kind) = (wq.id.0.to_string(), wq.kind().to_owned());
    // Names may repeat, identities do not.
    vec![("workqueue", wq.name.clone()), ("id", id), ("kind", kind)]
}

fn pool_labels(pool: &Pool) -> Labels {
    let cpu = pool.row.cpu.map(|cpu| ("cpu", cpu.to_string()));
    let number = pool.row.number.to_string();
    // A number is used again once its pool is gone.
    let id = pool.row.id.0.to_string();
    [("pool", number), ("id", id)]
        .into_iter()
        .chain(cpu)
        .collect()
}

fn function_labels(function: &Function) -> Labels {
    vec![
        ("function", function.name.clone()),
        ("id", function.id.0.to_string()),
    ]
}

/// What a column is, if it is a metric.
fn kind_of<R: Default>(column: &Column<R>) -> Option<Kind> {
    let is_metric = column.in_json && !LABELS.contains(&column.key);
    is_metric.then(|| {
        if COUNTERS.contains(&column.key) {
            Kind::Counter
        } else {
            Kind::Gauge
        }
    })
}

/// The name of a column's metric.
fn name_of<R>(prefix: &str, column: &Column<R>, kind: Kind) -> String {
    let timed = matches!(column.unit, "ns" | "us");
    let key = column.key.strip_suffix("_ns").unwrap_or(column.key);
    let unit = if timed { "_seconds" } else { "" };
    let end = if kind == Kind::Counter { "_total" } else { "" };
    format!("{prefix}{key}{unit}{end}")
}

/// The metrics of a table of columns.
fn table<R: Default>(
    page: &mut Page,
    prefix: &str,
    columns: &'static [Column<R>],
    rows: &[(&R, Labels)],
) {
    for column in columns {
        let Some(kind) = kind_of(column) else {
            continue;
        };
        let name = name_of(prefix, column, kind);
        page.family(&name, kind, column.help);
        for (row, labels) in rows {
            if let Some(value) = number(&column.shown(row)) {
                page.sample(&name, labels, value);
            }
        }
    }
}

/// A cell in base units.
fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Number(n) => Some(*n as f64),
        Cell::Count(n) => Some(*n as f64),
        Cell::Ns(ns) => Some(seconds(*ns)),
        Cell::Us(us) => Some(*us as f64 / 1e6),
        Cell::Flag(yes) => Some(f64::from(u8::from(*yes))),
        _ => None,
    }
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

/// Why items waited: the parts that were ever there.
fn parts<R>(page: &mut Page, prefix: &str, rows: &[(&R, Labels)], breakdown: fn(&R) -> &Breakdown) {
    let name = format!("{prefix}wait_part_seconds_total");
    page.family(
        &name,
        Kind::Counter,
        "Time that started items had waited, by what they waited for.",
    );
    for (row, labels) in rows {
        for part in WaitPart::ALL {
            let ns = breakdown(row)[*part as usize];
            if ns > 0 {
                let mut labels = labels.clone();
                labels.push(("part", part.name().to_owned()));
                page.sample(&name, &labels, seconds(ns));
            }
        }
    }
}

/// A histogram of each workqueue on which something ran.
fn histograms(
    page: &mut Page,
    name: &str,
    help: &str,
    (model, rows): (&Model, &[(&Workqueue, Labels)]),
    of: fn(&PwqRow) -> &Histogram,
) {
    page.family(name, Kind::Histogram, help);
    let mut merged: HashMap<WqId, Histogram> = HashMap::new();
    for pwq in model.snapshot().map_or(&[][..], |s| &s.pwqs) {
        merged.entry(pwq.wq).or_default().merge(of(pwq));
    }
    let ran = |id: WqId| merged.get(&id).filter(|all| all.count() > 0);
    for (wq, labels) in rows {
        if let Some(all) = ran(wq.id) {
            histogram(page, name, labels, all);
        }
    }
}

fn histogram(page: &mut Page, name: &str, labels: &Labels, histogram: &Histogram) {
    let bucket = format!("{name}_bucket");
    let mut sample = |end: String, count: u64| {
        let mut labels = labels.clone();
        labels.push(("le", end));
        page.sample(&bucket, &labels, count as f64);
    };
    for power in POWERS {
        let end = (1 << power) - 1;
        let below = histogram
            .buckets
            .iter()
            .take_while(|&&(upper, _)| upper <= end);
        let count = below.fold(0_u64, |sum, &(_, n)| sum.saturating_add(n));
        sample(seconds(end).to_string(), count);
    }
    sample("+Inf".to_owned(), histogram.count());
    page.sample(&format!("{name}_sum"), labels, seconds(histogram.sum));
    page.sample(&format!("{name}_count"), labels, histogram.count() as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_in_json_is_a_metric_or_a_label() {
        fn look<R: Default>(table: &'static [Column<R>]) -> Vec<&'static str> {
            for column in table.iter().filter(|column| kind_of(column).is_some()) {
                let cell = (column.cell)(&R::default());
                assert!(
                    number(&cell).is_some(),
                    "{} is no number: {cell:?}",
                    column.key
                );
            }
            table.iter().map(|column| column.key).collect()
        }
        let mut keys = look(columns::WORKQUEUES);
        keys.extend(look(columns::POOLS));
        keys.extend(look(columns::FUNCTIONS));
        for key in COUNTERS.iter().chain(LABELS) {
            assert!(keys.contains(key), "{key} is no column");
        }
    }

    #[test]
    fn buckets_end_where_the_segments_do() {
        let mut page = Page::new(&[]);
        let waits = Histogram {
            buckets: vec![(1_023, 3), (1_087, 2), (u64::MAX, 1)],
            max: u64::MAX,
            sum: 2_000_000_000,
        };
        histogram(&mut page, "w", &Labels::new(), &waits);
        let text = page.text();
        for line in [
            "w_bucket{le=\"0.000001023\"} 3\n",
            "w_bucket{le=\"0.000002047\"} 5\n",
            "w_bucket{le=\"17.179869183\"} 5\n",
            "w_bucket{le=\"+Inf\"} 6\n",
            "w_sum 2\n",
            "w_count 6\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }
}
