//! How replays end whose items cannot all start: frozen, stuck, or without workers.

use crate::place::{Place, finished, number, rows, text_of};
use serde_json::Value;

const FROZEN: &str = r#"
    name = "left frozen"
    cpus = 1
    [[workqueue]]
    name = "cold"
    flags = ["percpu", "freezable"]
    [[work]]
    name = "w"
    workqueue = "cold"
    instances = 3
    [[producer]]
    name = "p"
    steps = ["queue w#0", "wait 20ms", "freeze", "queue w#1", "queue_delayed w#2 30ms"]
    [[expect]]
    work = "w"
    executions = 1
"#;

#[test]
fn what_stays_frozen_ends_the_replay_and_is_said() {
    let place = Place::new();
    let script = place.script(FROZEN);
    for how in ["run", "simulate"] {
        let run = finished(&mut place.replay(&[how, &script]));
        assert_eq!(run.code(), 0, "{how}");
        assert!(
            run.stderr.contains("2 items stay frozen on cold\n"),
            "{how}: {}",
            run.stderr
        );
        assert!(run.stdout.contains("inactive"), "{how}: {}", run.stdout);
    }
}

const STUCK: &str = r#"
    name = "flushes itself"
    cpus = 1
    [[work]]
    name = "w"
    workqueue = "events"
    body = ["burn 1ms", "flush_wq events"]
    [[producer]]
    name = "p"
    works = ["w"]
"#;

#[test]
fn a_stuck_simulation_reports_what_was_done() {
    let place = Place::new();
    let (script, report) = (place.script(STUCK), text_of(&place.path("report")));
    let text = finished(&mut place.replay(&["simulate", &script]));
    assert_eq!(text.code(), 1);
    assert!(
        text.stderr.contains("the simulation is stuck at"),
        "{}",
        text.stderr
    );
    assert!(
        text.stdout.contains("stuck, so this is partial"),
        "{}",
        text.stdout
    );
    let args = ["simulate", &script, "--report", "json", "-o", &report];
    assert_eq!(finished(&mut place.replay(&args)).code(), 1);
    let json = std::fs::read_to_string(&report).expect("a report");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let started = rows(&json, "workqueues")
        .iter()
        .map(|row| number(row, "started"));
    assert_eq!(started.sum::<u64>(), 1, "{json}");
}

#[test]
fn a_script_that_does_nothing_is_warned_of() {
    let place = Place::new();
    let script = place.script("name = \"idle\"\n");
    let run = finished(&mut place.replay(&["check", &script]));
    assert_eq!(run.code(), 0);
    assert!(run.stderr.contains("does nothing"), "{}", run.stderr);
}
