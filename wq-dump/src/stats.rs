//! `stats`: the counters once, the kernel's and ours, with latencies and what the waits are made of.

use crate::args::Common;
use crate::failure::Failure;
use crate::output::Output;
use crate::style::Style;
use crate::table::{Look, Table, exact};
use crate::target::Target;
use wq_trace::model::columns::{self, Cell, Column};
use wq_trace::model::{self, Function, Latency, Model, Pool, Workqueue};
use wq_trace::{Breakdown, Limits, Snapshot, Value, WaitPart, units};

/// The columns of the first table: the kernel's `wq_monitor.py`, then ours.
const COUNTERS: [&str; 16] = [
    "name",
    "started",
    "running",
    "cpu_time",
    "cpu_intensive",
    "cm_wakeup",
    "repatriated",
    "mayday",
    "rescued",
    "queued",
    "completed",
    "cancelled",
    "refused",
    "dropped",
    "pending",
    "inactive",
];

/// The columns of the table of functions.
const FUNCTIONS: [&str; 13] = [
    "name",
    "queued",
    "started",
    "completed",
    "pending",
    "inactive",
    "running",
    "armed",
    "cpu_ns",
    "run_ns",
    "run_max_ns",
    "wait_ns",
    "reason",
];

/// The columns of the table of pools.
const POOLS: [&str; 14] = [
    "id",
    "kind",
    "nice",
    "nr_running",
    "workers",
    "idle",
    "sleeping",
    "pending",
    "inactive",
    "started",
    "max_workers",
    "max_nr_running",
    "cm_wakeups",
    "reason",
];

/// The columns of the table of canaries.
const CANARIES: [&str; 7] = [
    "id",
    "kind",
    "canary_armed",
    "canary_armings",
    "canary_decisions",
    "canary_false_decisions",
    "canary_unwatched",
];

/// Prints the counters of the engine asked for.
pub fn run(common: &Common, output: &mut Output) -> Result<(), Failure> {
    let target = Target::open(common)?;
    let snapshot = target.snapshot()?;
    let mut model = Model::new(Limits {
        history: 1,
        producers: 0,
    });
    model.apply_snapshot(&snapshot);
    model.apply_lost(lost(&target, &snapshot));
    if common.json {
        output.json(&json(&model))
    } else {
        let style = output.style;
        output.text(&target.headline(&snapshot))?;
        output.text(&text(&model, style))
    }
}

/// Nobody reads the events here: lost is what no reader can have any more, or what is not in the recording.
fn lost(target: &Target, snapshot: &Snapshot) -> u64 {
    if let Some(recording) = target.reader().recording() {
        return recording.lost_events();
    }
    let rings = snapshot.rings.iter();
    let overwritten = rings.map(|ring| ring.written.saturating_sub(ring.capacity));
    overwritten.fold(0, u64::saturating_add)
}

/// What the columns of the tables say, for `--help`.
pub fn help() -> String {
    let mut out = String::from("Columns:\n");
    let workqueues = chosen(columns::WORKQUEUES, &COUNTERS)
        .into_iter()
        .map(|c| (c.title, c.help));
    let functions = chosen(columns::FUNCTIONS, &FUNCTIONS)
        .into_iter()
        .map(|c| (c.title, c.help));
    let pools = chosen(columns::POOLS, &POOLS)
        .into_iter()
        .chain(chosen(columns::POOLS, &CANARIES))
        .map(|c| (c.title, c.help));
    let mut said = Vec::new();
    for (title, help) in workqueues.chain(functions).chain(pools) {
        if !said.contains(&(title, help)) {
            out += &format!("  {title:<9}  {help}\n");
            said.push((title, help));
        }
    }
    out += "\nParts of the wait, from queue_work to execute_start; they add up to it:\n";
    for part in WaitPart::ALL {
        out += &format!("  {:<19}  {}\n", part.name(), part.help());
    }
    out
}

/// `{workqueues:[the monitor's keys],pools:[..],functions:[..],lost_events,hidden_rows,torn}`.
pub fn json(model: &Model) -> Value {
    let timestamp = model.wall() as f64 / 1e9;
    let lost = model.lost_events();
    let workqueue = |w| Value::Object(columns::workqueue_fields(w, timestamp, lost, Vec::new()));
    let list = Value::List;
    Value::Object(vec![
        (
            "workqueues",
            list(model.workqueues().iter().map(workqueue).collect()),
        ),
        (
            "pools",
            list(
                model
                    .pools()
                    .iter()
                    .map(|p| Value::Object(columns::pool_fields(p)))
                    .collect(),
            ),
        ),
        (
            "functions",
            list(
                model
                    .functions()
                    .iter()
                    .map(|f| Value::Object(columns::function_fields(f)))
                    .collect(),
            ),
        ),
        ("lost_events", Value::Big(lost)),
        (
            "hidden_rows",
            Value::Big(model.snapshot().map_or(0, |s| s.hidden_rows)),
        ),
        ("torn", Value::Big(model.snapshot().map_or(0, |s| s.torn))),
    ])
}

/// Six tables: counters, latencies, parts of the wait, functions where there are any, pools, canaries where there are
/// any. Those of workqueues and of canaries end in a row of sums.
pub fn text(model: &Model, style: Style) -> String {
    let workqueues = [counters(model), latencies(model), parts(model)];
    let tables = workqueues.into_iter().chain(functions(model));
    let tables = tables.chain([pools(model)]).chain(canaries(model));
    let tables: Vec<_> = tables.map(|table| table.render(style)).collect();
    let mut out = tables.join("\n");
    match model.lost_events() {
        0 => {}
        lost => out += &style.alarm(&format!("\n{lost} events lost\n")),
    }
    out
}

fn counters(model: &Model) -> Table {
    let columns = chosen(columns::WORKQUEUES, &COUNTERS);
    let mut table = Table::default();
    table.columns(&columns);
    for wq in model.workqueues() {
        table.row(
            columns
                .iter()
                .map(|c| looked(c.key, &c.shown(wq)))
                .collect(),
        );
    }
    let sum = sum(model);
    table.row(
        columns
            .iter()
            .map(|c| looked(c.key, &(c.cell)(&sum)))
            .collect(),
    );
    table
}

/// A count of things that should not happen stands out.
fn looked(key: &str, cell: &Cell) -> (String, Look) {
    let (text, look) = exact(cell);
    match (key, cell) {
        ("mayday" | "dropped" | "canary_unwatched", Cell::Count(1..)) => (text, Look::Alarm),
        _ => (text, look),
    }
}

/// All workqueues as one.
fn sum(model: &Model) -> Workqueue {
    let mut sum = Workqueue {
        name: "total".into(),
        counters: model.totals().counters,
        pending: model.totals().pending,
        inactive: model.totals().inactive,
        running: model.totals().running,
        ..Workqueue::default()
    };
    for wq in model.workqueues() {
        for (to, more) in sum.own.iter_mut().zip(wq.own) {
            *to = to.saturating_add(more);
        }
    }
    sum
}

/// How long items waited and ran, and what explains most of the wait.
fn latencies(model: &Model) -> Table {
    let mut table = Table::default();
    table.column("workqueue", true);
    for title in [
        "wait p50", "p90", "p99", "max", "run p50", "p90", "p99", "max",
    ] {
        table.column(title, false);
    }
    table.column("waits for", true);
    let row = |name: &str, wait: &Latency, run: &Latency, reason: Option<(WaitPart, u64)>| {
        let mut cells = vec![(name.to_owned(), Look::Plain)];
        for latency in [wait, run] {
            let times = [latency.p50, latency.p90, latency.p99, latency.max];
            let none = latency.count == 0;
            cells.extend(times.map(|ns| exact(&if none { Cell::None } else { Cell::Ns(ns) })));
        }
        cells.push(match reason {
            Some((part, ns)) => {
                let share = units::share(ns, wait.sum);
                (format!("{} {share}", part.name()), Look::Plain)
            }
            None => exact(&Cell::None),
        });
        cells
    };
    for wq in model.workqueues() {
        table.row(row(&wq.name, &wq.wait, &wq.run, wq.main_reason()));
    }
    let totals = model.totals();
    let reason = model::main_reason(&totals.breakdown);
    table.row(row("total", &totals.wait, &totals.run, reason));
    table
}

/// What the waits are made of; workqueues that never waited and parts that explain nothing anywhere are left out.
fn parts(model: &Model) -> Table {
    let totals = model.totals();
    let all = &totals.breakdown;
    let counts = |part: &WaitPart| all[*part as usize] > 0;
    let parts: Vec<WaitPart> = WaitPart::ALL.iter().copied().filter(counts).collect();
    let mut table = Table::default();
    table.column("workqueue", true);
    table.column("wait sum", false);
    for part in &parts {
        table.column(part.name(), false);
    }
    let row = |name: &str, sum: u64, breakdown: &Breakdown| {
        let part = |part: &WaitPart| exact(&Cell::Ns(breakdown[*part as usize]));
        let head = [(name.to_owned(), Look::Plain), exact(&Cell::Ns(sum))];
        head.into_iter().chain(parts.iter().map(part)).collect()
    };
    for wq in model.workqueues().iter().filter(|wq| wq.wait.sum > 0) {
        table.row(row(&wq.name, wq.wait.sum, &wq.breakdown));
    }
    table.row(row("total", totals.wait.sum, all));
    table
}

/// What became of the items of each work function.
fn functions(model: &Model) -> Option<Table> {
    let columns: Vec<&Column<Function>> = chosen(columns::FUNCTIONS, &FUNCTIONS);
    let mut table = Table::default();
    table.columns(&columns);
    for function in model.functions() {
        table.row(columns.iter().map(|c| exact(&c.shown(function))).collect());
    }
    (!model.functions().is_empty()).then_some(table)
}

fn pools(model: &Model) -> Table {
    let columns: Vec<&Column<Pool>> = chosen(columns::POOLS, &POOLS);
    let mut table = Table::default();
    table.columns(&columns);
    for pool in model.pools() {
        table.row(columns.iter().map(|c| exact(&c.shown(pool))).collect());
    }
    table
}

/// What the canaries did, pool by pool and in sum; nothing where there is none and never was.
fn canaries(model: &Model) -> Option<Table> {
    let snapshot = model.snapshot()?;
    let sums = snapshot.canaries();
    let is_tier = snapshot.meta.sensing == "canary";
    if !is_tier && sums.armings == 0 && sums.unwatched == 0 {
        return None;
    }
    let columns: Vec<&Column<Pool>> = chosen(columns::POOLS, &CANARIES);
    let mut table = Table::default();
    table.columns(&columns);
    for pool in model.pools().iter().filter(|pool| pool.row.is_percpu()) {
        let cells = columns.iter().map(|c| looked(c.key, &c.shown(pool)));
        table.row(cells.collect());
    }
    let plain = |text: String| (text, Look::Plain);
    let count = |key, n| looked(key, &Cell::Count(n));
    table.row(vec![
        plain("total".to_owned()),
        plain(String::new()),
        plain(format!("{} of {}", sums.armed, sums.pools)),
        count("canary_armings", sums.armings),
        count("canary_decisions", sums.decisions),
        count("canary_false_decisions", sums.false_decisions),
        count("canary_unwatched", sums.unwatched),
    ]);
    Some(table)
}

/// The columns with these keys.
fn chosen<R>(table: &'static [Column<R>], keys: &[&str]) -> Vec<&'static Column<R>> {
    keys.iter()
        .filter_map(|key| columns::find(table, key))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::json::Json;

    fn model() -> Model {
        let mut model = Model::new(Limits::default());
        model.apply_snapshot(&fixture::snapshot());
        model
    }

    #[test]
    fn every_key_names_a_column() {
        assert_eq!(chosen(columns::WORKQUEUES, &COUNTERS).len(), COUNTERS.len());
        assert_eq!(
            chosen(columns::FUNCTIONS, &FUNCTIONS).len(),
            FUNCTIONS.len()
        );
        assert_eq!(chosen(columns::POOLS, &POOLS).len(), POOLS.len());
        assert_eq!(chosen(columns::POOLS, &CANARIES).len(), CANARIES.len());
    }

    #[test]
    fn tables_of_a_busy_engine() {
        insta::assert_snapshot!(text(&model(), Style::default()));
    }

    #[test]
    fn tables_of_an_engine_that_did_nothing_yet() {
        let mut model = Model::new(Limits::default());
        model.apply_snapshot(&fixture::idle());
        insta::assert_snapshot!(text(&model, Style::default()));
    }

    #[test]
    fn tables_of_an_engine_with_canaries() {
        let mut model = Model::new(Limits::default());
        model.apply_snapshot(&fixture::configured());
        insta::assert_snapshot!(text(&model, Style::default()));
    }

    #[test]
    fn what_should_not_happen_is_red() {
        let mut model = model();
        model.apply_lost(3);
        let text = text(&model, Style { on: true });
        assert!(
            text.contains("\u{1b}[31m\n3 events lost\n\u{1b}[0m"),
            "{text:?}"
        );
    }

    #[test]
    fn json_of_a_busy_engine() {
        insta::assert_snapshot!(
            serde_json::to_string_pretty(&Json(&json(&model()))).expect("JSON")
        );
    }
}
