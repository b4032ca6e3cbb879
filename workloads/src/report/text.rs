//! The report for people: aligned tables with units.

use super::{Execution, ItemReport, Mode, PoolReport, Quantiles, Report, WorkqueueReport};
use crate::style::Style;
use crate::units::count;
use wq_trace::units::{duration, share};

/// Most works listed; a workload may have thousands.
const MOST_WORKS: usize = 30;

/// The report as text.
pub fn text(report: &Report, style: Style) -> String {
    let mut out = heading(report, style);
    let all = &report.workqueues;
    section(&mut out, style, "Workqueues", &workqueues(all));
    section(&mut out, style, "Times", &times(all));
    section(&mut out, style, "Wait breakdown", &breakdown(all));
    section(&mut out, style, "Pools", &pools(&report.pools));
    let groups: Vec<&[ItemReport]> = report.works.chunk_by(|a, b| a.work() == b.work()).collect();
    let shown = &groups[..groups.len().min(MOST_WORKS)];
    section(&mut out, style, "Works", &works(shown));
    if groups.len() > shown.len() {
        let more = groups.len() - shown.len();
        let more = format!("  and {more} more; all are in --report json\n");
        out.push_str(&style.faint(&more));
    }
    expectations(&mut out, report, style);
    out
}

fn heading(report: &Report, style: Style) -> String {
    let mode = match report.mode {
        Mode::Run => "run",
        Mode::Simulate => "simulated",
    };
    let mut facts = vec![
        format!("{mode} on {}", count(report.cpus as u64, "CPU")),
        format!("sensing {}", report.sensing),
        duration(report.duration_ns),
    ];
    if report.lost_events > 0 {
        facts.push(format!("{} lost", count(report.lost_events, "event")));
    }
    if report.interrupted {
        facts.push("interrupted, so this is partial".to_owned());
    }
    if report.stuck.is_some() {
        facts.push("stuck, so this is partial".to_owned());
    }
    format!("{}\n{}\n", style.heading(&report.script), facts.join(", "))
}

fn workqueues(all: &[WorkqueueReport]) -> Table {
    let mut rows = vec![row(&[
        "name",
        "queued",
        "started",
        "completed",
        "cancelled",
        "refused",
        "max running",
    ])];
    rows.extend(all.iter().map(|w| {
        let counts = [
            w.queued,
            w.started,
            w.completed,
            w.cancelled,
            w.refused,
            w.max_running,
        ];
        let mut cells = vec![w.name.clone()];
        cells.extend(counts.iter().map(u64::to_string));
        cells
    }));
    // At the end of a whole replay nothing is left, as a rule.
    if all.iter().any(|w| w.pending + w.inactive > 0) {
        rows[0].extend(row(&["pending", "inactive"]));
        for (cells, w) in rows[1..].iter_mut().zip(all) {
            cells.extend([w.pending, w.inactive].map(|n| n.to_string()));
        }
    }
    Table::left(rows, 1)
}

fn times(all: &[WorkqueueReport]) -> Table {
    let mut rows = vec![row(&[
        "name", "wait p50", "p90", "p99", "max", "run p50", "p90", "p99", "max",
    ])];
    rows.extend(all.iter().map(|w| {
        let mut cells = vec![w.name.clone()];
        cells.extend(quantiles(&w.wait_ns, w.started));
        cells.extend(quantiles(&w.run_ns, w.completed));
        cells
    }));
    Table::left(rows, 1)
}

/// Of so many values; of none there is nothing to say.
fn quantiles(q: &Quantiles, values: u64) -> [String; 4] {
    [q.p50, q.p90, q.p99, q.max].map(|time| match values {
        0 => "-".to_owned(),
        _ => duration(time),
    })
}

/// One row per work: all its instances together. They are counted in a column if any work has several.
fn works(groups: &[&[ItemReport]]) -> Table {
    let mut rows = vec![row(&[
        "name",
        "workqueue",
        "executions",
        "first start",
        "last finish",
        "wait p50",
        "wait max",
        "run p50",
    ])];
    rows.extend(groups.iter().map(|instances| work(instances)));
    if groups.iter().any(|instances| instances.len() > 1) {
        let counts = groups.iter().map(|instances| instances.len().to_string());
        let column = std::iter::once("instances".to_owned()).chain(counts);
        for (row, cell) in rows.iter_mut().zip(column) {
            row.insert(2, cell);
        }
    }
    Table::left(rows, 2)
}

fn work(instances: &[ItemReport]) -> Vec<String> {
    let executions = || instances.iter().flat_map(|item| &item.executions);
    let totals = || instances.iter().map(|item| item.totals);
    let waits = Quantiles::of(&mut executions().map(Execution::wait_ns).collect::<Vec<_>>());
    let runs = Quantiles::of(&mut executions().map(Execution::run_ns).collect::<Vec<_>>());
    let first = executions().map(|e| e.started_ns).min();
    let last = totals().filter_map(|t| t.last_finished_ns).max();
    let time = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), duration);
    let if_any = |value| time(first.and(Some(value)));
    vec![
        instances[0].work().to_owned(),
        instances[0].workqueue.clone(),
        totals().map(|t| t.completed).sum::<u64>().to_string(),
        time(first),
        time(last),
        if_any(waits.p50),
        if_any(waits.max),
        if_any(runs.p50),
    ]
}

fn pools(all: &[PoolReport]) -> Table {
    let mut rows = vec![row(&[
        "id",
        "cpu",
        "max workers",
        "max nr_running",
        "cm_wakeups",
    ])];
    rows.extend(all.iter().map(|p| {
        let cpu = if p.cpu < 0 {
            "unbound".to_owned()
        } else {
            p.cpu.to_string()
        };
        let (workers, level) = (p.max_workers.to_string(), p.max_nr_running.to_string());
        vec![
            p.id.to_string(),
            cpu,
            workers,
            level,
            p.cm_wakeups.to_string(),
        ]
    }));
    Table::left(rows, 0)
}

fn breakdown(all: &[WorkqueueReport]) -> Table {
    let mut rows = vec![row(&["workqueue", "part", "time", "share"])];
    for w in all {
        let sum = w.breakdown_ns.sum();
        let parts = w.breakdown_ns.parts().filter(|(_, nanos)| *nanos > 0);
        rows.extend(parts.map(|(part, nanos)| {
            let share = share(nanos, sum);
            vec![
                w.name.clone(),
                part.name().to_owned(),
                duration(nanos),
                share,
            ]
        }));
    }
    Table::left(rows, 2)
}

fn expectations(out: &mut String, report: &Report, style: Style) {
    if report.expectations.is_empty() {
        return;
    }
    let rows = report.expectations.iter();
    let rows = rows.map(|e| vec![e.text.clone(), format!("seen {}", e.seen)]);
    let lines = Table::left(rows.collect(), 2).lines();
    out.push_str(&format!("\n{}\n", style.heading("Expectations")));
    for (expectation, line) in report.expectations.iter().zip(lines) {
        let verdict = if expectation.ok {
            style.good("ok    ")
        } else {
            style.bad("FAILED")
        };
        out.push_str(&format!("  {verdict}  {line}\n"));
    }
    let failed = report.expectations.iter().filter(|e| !e.ok).count() as u64;
    let all = report.expectations.len() as u64;
    out.push_str(&if failed == 0 {
        format!("{} met\n", count(all, "expectation"))
    } else {
        let text = format!("{failed} of {} failed", count(all, "expectation"));
        format!("{}\n", style.bad(&text))
    });
}

fn section(out: &mut String, style: Style, title: &str, table: &Table) {
    let lines = table.lines();
    let Some((head, rows)) = lines.split_first().filter(|(_, rows)| !rows.is_empty()) else {
        return;
    };
    out.push_str(&format!(
        "\n{}\n  {}\n",
        style.heading(title),
        style.faint(head)
    ));
    for line in rows {
        out.push_str(&format!("  {line}\n"));
    }
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|c| (*c).to_owned()).collect()
}

/// Rows of cells to be aligned.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    left: usize,
}

impl Table {
    /// The first `left` columns stand to the left, the others (numbers) to the right.
    pub(crate) fn left(rows: Vec<Vec<String>>, left: usize) -> Self {
        Self { rows, left }
    }

    /// The aligned lines, without spaces at their ends.
    pub(crate) fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|r| r.get(column));
            cells.map(|c| c.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).enumerate().map(|(i, (cell, w))| {
                if i < self.left {
                    format!("{cell:<w$}")
                } else {
                    format!("{cell:>w$}")
                }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}
