//! The page of a workqueue.

use super::page::{Chart, Page, Wait};
use crate::lists::workqueues::WORKQUEUES;
use crate::paint::style::{Palette, Role};
use crate::view::chart;
use wq_trace::model::Model;
use wq_trace::{Counter, WqId, units};

/// What is said of it, in this order.
const FACTS: &[&str] = &[
    "type",
    "max_active",
    "running",
    "pending",
    "inactive",
    "started_per_s",
    "started",
    "cpu_share",
    "cpu_time",
    "wait_p50",
    "wait_p99",
    "run_p50",
    "run_p99",
    "cpu_intensive",
    "mayday",
    "refused",
    "dropped",
];

/// The page, if it exists.
pub fn page(model: &Model, id: WqId, palette: Palette) -> Option<Page> {
    let wq = model.workqueues().iter().find(|wq| wq.id == id)?;
    let history = model.workqueue_history(id);
    let rate = |p: &wq_trace::model::WorkqueuePoint| p.started_per_s;
    Some(Page {
        facts: Page::facts(&WORKQUEUES, wq, FACTS, model, palette),
        charts: vec![
            Chart::of("started/s", history, rate, units::rate, Role::Good),
            Chart::of(
                "backlog",
                history,
                |p| p.backlog as f64,
                chart::whole,
                Role::Warn,
            ),
        ],
        wait: Wait {
            of: "items".to_owned(),
            parts: wq.breakdown,
            items: wq.counter(Counter::Started),
        },
    })
}
