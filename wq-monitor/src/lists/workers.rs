//! The list of workers: who runs what, and since when.

use super::{Identity, Layout, Look, Looks, Pick, Place};
use crate::details::Subject;
use crate::paint::cells;
use crate::paint::style::Role;
use ratatui::text::{Line, Span};
use wq_trace::WorkerState;
use wq_trace::model::Worker;
use wq_trace::model::columns;

/// How the columns of a worker look.
const LOOKS: Looks<Worker> = &[
    ("name", Look::Picture(name)),
    ("state", Look::Picture(state)),
    ("for_ns", Look::By(since)),
    ("cpu_share", Look::By(cpu)),
    ("asleep_in", Look::Role(Role::Asleep)),
];

/// The view of workers.
pub const WORKERS: Layout<Worker> = Layout {
    table: columns::WORKERS,
    looks: LOOKS,
    picks: &[
        Pick::new("name", 0).growing(),
        Pick::new("tid", 6),
        Pick::new("pool", 5),
        Pick::new("state", 0),
        Pick::new("for_ns", 1),
        Pick::new("cpu_share", 2),
        Pick::new("function", 2).growing(),
        Pick::new("asleep_in", 3).growing(),
        Pick::new("workqueue", 4).growing(),
        Pick::new("executed", 7),
    ],
    sort: "name",
    empty: "no workers",
    rows: |model, filter| filter.rows(model, model.workers()),
    identity: |worker| Identity::of(Subject::Worker(worker.row.id)),
};

fn state(worker: &Worker, place: Place<'_>) -> Line<'static> {
    let state = worker.row.state;
    Line::styled(state.word(), place.palette.state(state))
}

fn since(worker: &Worker, _: Place<'_>) -> Role {
    if worker.row.state == WorkerState::Idle {
        Role::Dim
    } else {
        Role::Plain
    }
}

/// A thread that takes most of a CPU stands out.
fn cpu(worker: &Worker, _: Place<'_>) -> Role {
    match worker.cpu_share {
        Some(share) if share >= 0.8 => Role::Warn,
        _ => Role::Plain,
    }
}

/// The base name in the colour of the state, the suffix behind it dim.
fn name(worker: &Worker, place: Place<'_>) -> Line<'static> {
    let full = cells::fit(&worker.row.full_name(), place.width);
    let base = worker.row.name.len().min(full.len());
    // The cut may fall inside of the base name, on whatever character.
    let (base, suffix) = full.split_at_checked(base).unwrap_or((&full, ""));
    Line::from(vec![
        Span::styled(base.to_owned(), place.palette.state(worker.row.state)),
        Span::styled(suffix.to_owned(), place.palette.of(Role::Dim)),
    ])
}
