//! Work functions: what each costs, and what its items wait for.

use super::{Identity, Layout, Look, Looks, Pick, Place};
use crate::details::Subject;
use crate::paint::cells;
use crate::paint::style::Role;
use ratatui::text::Line;
use wq_trace::model::{Function, columns};

/// How the columns of a function look.
const LOOKS: Looks<Function> = &[
    ("pending", Look::Role(Role::Warn)),
    ("inactive", Look::Role(Role::Warn)),
    ("running", Look::Role(Role::Good)),
    ("reason", Look::Picture(reason)),
];

/// The functions that anything was queued for.
pub const FUNCTIONS: Layout<Function> = Layout {
    table: columns::FUNCTIONS,
    looks: LOOKS,
    picks: &[
        Pick::new("name", 0).growing(),
        Pick::new("started_per_s", 1),
        Pick::new("cpu_share", 0),
        Pick::new("run_mean", 2),
        Pick::new("run_max_ns", 4),
        Pick::new("reason", 3),
    ],
    sort: "cpu_share",
    empty: "nothing was executed",
    rows: |model, filter| filter.rows(model, model.functions()),
    identity: |function| Identity::of(Subject::Function(function.id)),
};

fn reason(function: &Function, place: Place<'_>) -> Line<'static> {
    cells::reason(&function.breakdown, place.width, place.palette)
}
