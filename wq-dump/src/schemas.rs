//! What the pure parts print as JSON is what the published schemas say.

use crate::fixture;
use crate::json::Json;
use crate::{config, list, state, stats, warnings};
use check::check;
use wq_trace::{Limits, Liveness, Model, Snapshot, Value};

#[path = "../../engine/trace/schema/check.rs"]
mod check;

fn printed(value: &Value) -> serde_json::Value {
    let text = serde_json::to_string(&Json(value)).expect("JSON");
    serde_json::from_str(&text).expect("JSON")
}

fn fixtures() -> [Snapshot; 4] {
    [
        fixture::idle(),
        fixture::snapshot(),
        fixture::in_trouble(),
        fixture::configured(),
    ]
}

#[test]
fn config_is_as_published() {
    for snapshot in fixtures() {
        check("config", &printed(&config::json(&snapshot)));
    }
}

#[test]
fn state_is_as_published() {
    for snapshot in fixtures() {
        check("state", &printed(&state::json(&snapshot)));
    }
}

#[test]
fn stats_are_as_published() {
    for snapshot in fixtures() {
        let mut model = Model::new(Limits::default());
        model.apply_snapshot(&snapshot);
        check("stats", &printed(&stats::json(&model)));
    }
}

#[test]
fn a_list_is_as_published() {
    let engines = [Liveness::Live, Liveness::Unknown].map(|state| list::made_up(7, state));
    check("list", &printed(&list::json(&engines)));
}

#[test]
fn warnings_are_as_published() {
    for over in [false, true] {
        check("warnings", &printed(&warnings::made_up(over)));
    }
}
