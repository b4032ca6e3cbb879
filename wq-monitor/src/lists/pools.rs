//! The list of pools: concurrency level against workers and backlog.

use super::{Identity, Layout, Look, Looks, Pick, Place};
use crate::details::Subject;
use crate::paint::bars::{self, Level};
use crate::paint::cells;
use crate::paint::style::Role;
use ratatui::text::Line;
use wq_trace::model::columns;
use wq_trace::model::{History, Pool};
use wq_trace::warn;

/// How the columns of a pool look.
const LOOKS: Looks<Pool> = &[
    ("id", Look::Role(Role::Title)),
    ("nice", Look::Picture(nice)),
    ("level", Look::Picture(concurrency)),
    ("nr_running", Look::Role(Role::Good)),
    ("sleeping", Look::Role(Role::Asleep)),
    ("pending", Look::Role(Role::Warn)),
    ("inactive", Look::Role(Role::Warn)),
    ("canary_armed", Look::By(armed)),
    ("canary_false_decisions", Look::Role(Role::Bad)),
    ("canary_unwatched", Look::Role(Role::Warn)),
    ("manager", Look::Role(Role::Warn)),
    ("rescuer", Look::Role(Role::Bad)),
    ("progress_ns", Look::By(progress)),
    ("reason", Look::Picture(reason)),
    ("history", Look::Picture(busy)),
];

/// The view of pools.
pub const POOLS: Layout<Pool> = Layout {
    table: columns::POOLS,
    looks: LOOKS,
    picks: &[
        Pick::new("id", 0),
        Pick::new("kind", 1),
        Pick::new("nice", 9),
        Pick::new("level", 0),
        Pick::new("nr_running", 2),
        Pick::new("workers", 3),
        Pick::new("idle", 6),
        Pick::new("pending", 2),
        Pick::new("inactive", 8),
        Pick::new("started_per_s", 5),
        Pick::new("wakeups_per_s", 7),
        Pick::new("canary_armed", 12),
        Pick::new("canary_decisions", 12),
        Pick::new("canary_false_decisions", 12),
        Pick::new("manager", 11),
        Pick::new("rescuer", 11),
        Pick::new("progress_ns", 4),
        Pick::new("history", 10).growing(),
    ],
    sort: "id",
    empty: "no pools",
    rows: |model, filter| filter.rows(model, model.pools()),
    identity: |pool| Identity::of(Subject::Pool(pool.row.id)),
};

/// Whether items wait in a pool that does not move, for as long as the warning of it asks for.
pub fn is_stalled(pool: &Pool) -> bool {
    pool.row.nr_pending > 0 && pool.progress_ns >= warn::STALLED_NS
}

/// The bar's numbers of a pool.
pub fn level(pool: &Pool) -> Level {
    Level {
        running: pool.row.nr_running,
        workers: pool.row.nr_workers,
        idle: pool.row.nr_idle,
        pending: pool.row.nr_pending,
    }
}

fn concurrency(pool: &Pool, place: Place<'_>) -> Line<'static> {
    let width = usize::from(place.width.saturating_sub(2));
    Line::from(bars::concurrency(level(pool), width, place.palette))
}

fn nice(pool: &Pool, place: Place<'_>) -> Line<'static> {
    let mark = if pool.row.nice_granted { "" } else { "!" };
    let role = match pool.row.nice {
        0 => Role::Dim,
        _ => Role::Plain,
    };
    let text = format!("{}{mark}", pool.row.nice);
    Line::styled(text, place.palette.of(role))
}

fn armed(pool: &Pool, _: Place<'_>) -> Role {
    if pool.row.canary.armed {
        Role::Warn
    } else {
        Role::Dim
    }
}

fn progress(pool: &Pool, _: Place<'_>) -> Role {
    match pool.row.nr_pending {
        0 => Role::Dim,
        _ if is_stalled(pool) => Role::Bad,
        _ => Role::Plain,
    }
}

fn reason(pool: &Pool, place: Place<'_>) -> Line<'static> {
    cells::reason(&pool.breakdown, place.width, place.palette)
}

fn busy(pool: &Pool, place: Place<'_>) -> Line<'static> {
    let history = place.model.pool_history(pool.row.id);
    let busy = history.into_iter().flat_map(History::iter);
    let busy: Vec<f64> = busy.map(|point| point.busy.into()).collect();
    let line = bars::sparkline(&busy, place.width.into());
    Line::styled(line, place.palette.of(Role::Good))
}
