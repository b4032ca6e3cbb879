//! The page of a worker. What waits behind it is the business of its pool, whose history and wait stand here.

use super::page::{Page, Wait};
use super::pool;
use crate::lists::workers::WORKERS;
use crate::paint::style::Palette;
use wq_trace::model::Model;
use wq_trace::{Breakdown, WorkerId};

/// What is said of it, in this order.
const FACTS: &[&str] = &[
    "state",
    "for_ns",
    "cpu_share",
    "asleep_in",
    "function",
    "item_ns",
    "workqueue",
    "pool",
    "tid",
    "kind",
    "executed",
];

/// The page, if it exists.
pub fn page(model: &Model, id: WorkerId, palette: Palette) -> Option<Page> {
    let worker = model.workers().iter().find(|worker| worker.row.id == id)?;
    let function = model.functions().iter().find(|f| f.id == worker.row.func);
    Some(Page {
        facts: Page::facts(&WORKERS, worker, FACTS, model, palette),
        charts: pool::charts(model, worker.row.pool),
        wait: Wait {
            of: function.map_or_else(
                || "an item: it executes none".to_owned(),
                |function| format!("items of {}", function.name),
            ),
            parts: function.map_or(Breakdown::default(), |function| function.breakdown),
            items: function.map_or(0, |function| function.started),
        },
    })
}
