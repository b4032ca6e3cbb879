//! The page of a pool.

use super::page::{Chart, Page, Wait};
use crate::lists::pools::POOLS;
use crate::paint::style::{Palette, Role};
use crate::view::chart;
use wq_trace::model::Model;
use wq_trace::{Counter, PoolId};

/// What is said of it, in this order.
const FACTS: &[&str] = &[
    "kind",
    "nice",
    "nr_running",
    "workers",
    "idle",
    "sleeping",
    "pending",
    "inactive",
    "started_per_s",
    "started",
    "wakeups_per_s",
    "progress_ns",
    "manager",
    "rescuer",
    "max_workers",
    "max_nr_running",
    "canary_decisions",
    "canary_false_decisions",
];

/// The page, if it exists.
pub fn page(model: &Model, id: PoolId, palette: Palette) -> Option<Page> {
    let pool = model.pools().iter().find(|pool| pool.row.id == id)?;
    Some(Page {
        facts: Page::facts(&POOLS, pool, FACTS, model, palette),
        charts: charts(model, id),
        wait: Wait {
            of: "items of this pool".to_owned(),
            parts: pool.breakdown,
            items: pool.counters[Counter::Started as usize],
        },
    })
}

/// Its workers that execute something, and its backlog.
pub fn charts(model: &Model, id: PoolId) -> Vec<Chart> {
    let history = model.pool_history(id);
    let busy = |p: &wq_trace::model::PoolPoint| p.busy.into();
    let pending = |p: &wq_trace::model::PoolPoint| p.pending.into();
    vec![
        Chart::of("busy workers", history, busy, chart::whole, Role::Good),
        Chart::of("backlog", history, pending, chart::whole, Role::Warn),
    ]
}
