//! The part of a report that comes out of the engine's own counters, the same for threads and for the simulator.

use crate::report::{Breakdown, Execution, PoolReport, Quantiles, Report, WorkqueueReport};
use wq_trace::model::{Latency, Workqueue};
use wq_trace::{Counter, Limits, Model, Snapshot, WqId};

/// Fills in workqueues and pools. `max_running` says how many executions of a workqueue there were at once, at most.
pub(super) fn tables(report: &mut Report, snapshot: &Snapshot, max_running: &[(WqId, u64)]) {
    let mut model = Model::new(Limits::default());
    model.apply_snapshot(snapshot);
    report.workqueues = model
        .workqueues()
        .iter()
        .filter(|row| row.counter(Counter::Queued) > 0 || row.refused() > 0)
        .map(|row| {
            let most = max_running.iter().find(|(id, _)| *id == row.id);
            workqueue(row, most.map_or(0, |(_, most)| *most), report)
        })
        .collect();
    let busy = |pool: &&wq_trace::model::Pool| pool.counters[Counter::Queued as usize] > 0;
    report.pools = model
        .pools()
        .iter()
        .filter(busy)
        .map(|pool| PoolReport {
            id: pool.row.number,
            cpu: pool.row.cpu.map_or(-1, i32::from),
            max_workers: pool.row.max_workers.into(),
            max_nr_running: pool.row.max_nr_running.into(),
            cm_wakeups: pool.row.cm_wakeups,
        })
        .collect();
    report.lost_events = report.lost_events.saturating_add(snapshot.lost_no_ring);
}

fn workqueue(row: &Workqueue, max_running: u64, report: &Report) -> WorkqueueReport {
    WorkqueueReport {
        name: row.name.clone(),
        queued: row.counter(Counter::Queued),
        started: row.counter(Counter::Started),
        completed: row.counter(Counter::Completed),
        cancelled: row.counter(Counter::Cancelled),
        refused: row.refused(),
        pending: row.pending,
        inactive: row.inactive,
        max_running,
        wait_ns: quantiles(report, row, &row.wait, Execution::wait_ns),
        run_ns: quantiles(report, row, &row.run, Execution::run_ns),
        breakdown_ns: Breakdown(row.breakdown),
    }
}

/// Exact where the report keeps every execution, else out of the engine's buckets (relative error at most 1/16).
fn quantiles(
    report: &Report,
    row: &Workqueue,
    counted: &Latency,
    value: impl Fn(&Execution) -> u64,
) -> Quantiles {
    let works = report
        .works
        .iter()
        .filter(|work| work.workqueue == row.name);
    let mut values: Vec<u64> = works.flat_map(|work| &work.executions).map(value).collect();
    if values.len() as u64 == row.counter(Counter::Completed)
        && row.counter(Counter::Started) == row.counter(Counter::Completed)
    {
        return Quantiles::of(&mut values);
    }
    Quantiles {
        p50: counted.p50,
        p90: counted.p90,
        p99: counted.p99,
        max: counted.max,
        sum: counted.sum,
    }
}
