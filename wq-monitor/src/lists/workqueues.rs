//! The lists of workqueues: how fast each goes, what it holds, how long and why its items wait.

use super::{Identity, Layout, Look, Looks, Pick, Place};
use crate::details::Subject;
use crate::filter::Filter;
use crate::paint::style::Role;
use crate::paint::{bars, cells};
use ratatui::text::Line;
use wq_trace::Counter;
use wq_trace::model::columns;
use wq_trace::model::{History, Model, Workqueue};

/// How the columns of a workqueue look.
const LOOKS: Looks<Workqueue> = &[
    ("pending", Look::Role(Role::Warn)),
    ("inactive", Look::Role(Role::Warn)),
    ("running", Look::Role(Role::Good)),
    ("type", Look::Role(Role::Dim)),
    ("cpu_intensive", Look::Role(Role::Warn)),
    ("mayday", Look::Role(Role::Bad)),
    ("rescued", Look::Role(Role::Warn)),
    ("dropped", Look::Role(Role::Warn)),
    ("reason", Look::Picture(reason)),
    ("activity", Look::Picture(activity)),
];

/// The workqueues of the overview.
pub const OVERVIEW: Layout<Workqueue> = Layout {
    table: columns::WORKQUEUES,
    looks: LOOKS,
    picks: &[
        Pick::new("name", 0).growing(),
        Pick::new("started_per_s", 0),
        Pick::new("pending", 1),
        Pick::new("inactive", 4),
        Pick::new("running", 5),
        Pick::new("wait_p50", 6),
        Pick::new("wait_p99", 2),
        Pick::new("reason", 3),
        Pick::new("run_p50", 7),
        Pick::new("run_p99", 8),
        Pick::new("max_active", 9),
        Pick::new("activity", 10).growing(),
    ],
    sort: "started_per_s",
    empty: "no workqueues",
    rows,
    identity,
};

/// The view of workqueues: the columns of the kernel's `wq_monitor.py`, rates, and the wait.
pub const WORKQUEUES: Layout<Workqueue> = Layout {
    picks: &[
        Pick::new("name", 0).growing(),
        Pick::new("type", 13),
        Pick::new("started", 5),
        Pick::new("running", 4),
        Pick::new("cpu_time", 8),
        Pick::new("cpu_share", 6),
        Pick::new("cpu_intensive", 10),
        Pick::new("cm_wakeup", 11),
        Pick::new("repatriated", 12),
        Pick::new("mayday", 9),
        Pick::new("rescued", 14),
        Pick::new("queued_per_s", 15),
        Pick::new("started_per_s", 0),
        Pick::new("pending", 1),
        Pick::new("inactive", 2),
        Pick::new("max_active", 7),
        Pick::new("wait_p50", 17),
        Pick::new("wait_p99", 2),
        Pick::new("run_p50", 18),
        Pick::new("run_p99", 16),
        Pick::new("reason", 3),
        Pick::new("refused", 19),
        Pick::new("activity", 20).growing(),
    ],
    ..OVERVIEW
};

/// Those that pass the filter, the ones that executed most first.
fn rows<'a>(model: &'a Model, filter: &Filter) -> Vec<&'a Workqueue> {
    let mut rows = filter.workqueues(model);
    rows.sort_by_key(|wq| std::cmp::Reverse(wq.counter(Counter::Started)));
    rows
}

fn identity(wq: &Workqueue) -> Identity {
    Identity::of(Subject::Workqueue(wq.id))
}

/// The parts as a bar, then the largest by name and share.
fn reason(wq: &Workqueue, place: Place<'_>) -> Line<'static> {
    cells::reason(&wq.breakdown, place.width, place.palette)
}

fn activity(wq: &Workqueue, place: Place<'_>) -> Line<'static> {
    let history = place.model.workqueue_history(wq.id);
    let rates = history.into_iter().flat_map(History::iter);
    let rates: Vec<f64> = rates.map(|point| point.started_per_s).collect();
    let line = bars::sparkline(&rates, place.width.into());
    Line::styled(line, place.palette.of(Role::Good))
}
