//! The report for people: aligned tables with units.

use super::{Execution, ItemReport, Mode, PoolReport, Quantiles, Report, WorkqueueReport};
use crate::style::Style;
use crate::units::count;
use wq_trace::units::{duration, share};

/// Most items listed; a workload may have thousands.
const MOST_ITEMS: usize = 40;

/// The report as text.
pub fn text(report: &Report, style: Style) -> String {
    let mut out = heading(report, style);
    section(
        &mut out,
        style,
        "Workqueues",
        &workqueues(&report.workqueues),
    );
    let times = report.workqueues.iter().map(|w| (&w.name, w));
    let mut rows = vec![row(&[
        "name", "wait p50", "p90", "p99", "max", "run p50", "p90", "p99", "max",
    ])];
    rows.extend(times.map(|(name, w)| {
        let mut cells = vec![name.clone()];
        cells.extend(quantiles(&w.wait_ns));
        cells.extend(quantiles(&w.run_ns));
        cells
    }));
    section(&mut out, style, "Times", &Table::left(rows, 1));
    section(&mut out, style, "Works", &works(&report.works));
    if report.works.len() > MOST_ITEMS {
        let more = format!(
            "  and {} more; all are in --report json\n",
            report.works.len() - MOST_ITEMS
        );
        out.push_str(&style.faint(&more));
    }
    section(&mut out, style, "Pools", &pools(&report.pools));
    let parts = breakdown(&report.workqueues);
    section(&mut out, style, "Wait breakdown", &parts);
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
    Table::left(rows, 1)
}

fn quantiles(q: &Quantiles) -> [String; 4] {
    [q.p50, q.p90, q.p99, q.max].map(duration)
}

fn works(all: &[ItemReport]) -> Table {
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
    rows.extend(all.iter().take(MOST_ITEMS).map(|item| {
        let first = item.executions.iter().map(|e| e.started_ns).min();
        let mut waits: Vec<u64> = item.executions.iter().map(Execution::wait_ns).collect();
        let mut runs: Vec<u64> = item.executions.iter().map(Execution::run_ns).collect();
        let ran = !runs.is_empty();
        let (waits, runs) = (Quantiles::of(&mut waits), Quantiles::of(&mut runs));
        let time = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), duration);
        vec![
            item.name.clone(),
            item.workqueue.clone(),
            item.totals.completed.to_string(),
            time(first),
            time(item.totals.last_finished_ns),
            time(ran.then_some(waits.p50)),
            time(ran.then_some(waits.max)),
            time(ran.then_some(runs.p50)),
        ]
    }));
    Table::left(rows, 2)
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
