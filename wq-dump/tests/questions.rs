//! The questions of the README, each asked of an engine by the commands that stand beside it.

mod common;

use common::{Engine, Place, TID};
use serde_json::Value;
use wq_trace::{Counter, FlushTarget, Reader, What};

/// An engine to which something of everything happened.
struct Scene {
    place: Place,
    engine: Engine,
}

impl Scene {
    fn new() -> Self {
        let place = Place::new();
        let mut engine = Engine::start(&place, "demo");
        engine.work(5);
        engine.trouble();
        for what in [
            What::CpuIntensive { cpu_us: 10_000 },
            What::Mayday,
            What::ManagerStart,
            What::FlushStart {
                target: FlushTarget::Workqueue,
            },
            What::TimerArm { delay_us: 99 },
        ] {
            engine.emit_now(6, what);
        }
        Self { place, engine }
    }

    fn text(&self, line: &str) -> String {
        self.place.run(&self.args(line)).good().to_owned()
    }

    fn json(&self, line: &str) -> Value {
        self.place.run(&self.args(line)).json()
    }

    /// The command line as the README has it.
    fn args<'a>(&'a self, line: &'a str) -> Vec<&'a str> {
        let readme = include_str!("../README.md");
        assert!(
            readme.contains(&format!("`wq-dump {line}`")),
            "the README does not say {line}"
        );
        let file = self.engine.path.to_str().expect("UTF-8");
        line.split(' ').chain(["--file", file]).collect()
    }
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part} in {text}");
    }
}

#[test]
fn q1_q2_what_each_function_costs() {
    let scene = Scene::new();
    let text = scene.text("stats");
    let mut rows = text.lines().filter(|line| line.starts_with("flush_cache "));
    let row = rows.next().expect("the function's row");
    has(&text, &["cpu sum", "run sum", "run max"]);
    has(row, &[" 4.5 ms ", " 5.0 ms ", " 1.0 ms "]);
    let stats = scene.json("stats --json");
    let function = &stats["functions"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|f| f["name"] == "flush_cache");
    let function = function.expect("the function");
    let n = |key: &str| function[key].as_u64().expect("a number");
    assert_eq!((n("started"), n("completed")), (6, 5));
    assert_eq!(
        (n("run_ns"), n("cpu_ns"), n("run_max_ns")),
        (5_000_000, 4_500_000, 1_000_000)
    );
}

#[test]
fn q3_who_queues() {
    let scene = Scene::new();
    let text = scene.text("events -e queue_work -w mixed");
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), 6, "{text}");
    assert!(
        lines
            .iter()
            .all(|line| line.contains(&format!("kworker/0:0-{TID}"))),
        "{text}"
    );
}

#[test]
fn q4_q6_q7_q9_q11_q13_what_the_state_tells() {
    let scene = Scene::new();
    let text = scene.text("state");
    has(
        &text,
        &[
            &format!("in-flight: {TID}:flush_cache for "),
            "(asleep for ",
            "inactive: 2*flush_cache held=max_active for ",
            " MAYDAY",
            "hung=",
            &format!(" BAR({})", TID + 1),
            &format!("-{}: work 0000000000000006 flush_cache for ", TID + 1),
            "timers flush_cache: 1 armed, the next ",
        ],
    );
    let state = scene.json("state --json");
    let pwq = &state["workqueues"][0]["pwqs"][0];
    assert_eq!(pwq["held"]["reason"], "max_active");
    assert!(
        pwq["held"]["for_ns"].is_u64() && pwq["inflight"][0]["asleep_ns"].is_u64(),
        "{pwq}"
    );
    assert!(state["pools"][0]["idle_ns"].is_array(), "{state}");
    assert!(
        scene.json("config --json")["settings"]
            .get("idle_timeout_ns")
            .is_some()
    );
}

#[test]
fn q5_q8_q10_what_the_counters_tell() {
    let text = Scene::new().text("stats");
    has(
        &text,
        &[
            "wait p50",
            "p99",
            "concurrency",
            "no_worker",
            "CPUitsv",
            "mayday",
            "rescued",
        ],
    );
}

#[test]
fn q8_q10_q11_q13_what_happened() {
    let scene = Scene::new();
    for (line, part) in [
        ("events -e cpu_intensive", "workqueue_cpu_intensive: "),
        (
            "events -e mayday,rescue,manager_start",
            "workqueue_mayday: workqueue=mixed",
        ),
        (
            "events -e flush_start,flush_end",
            "workqueue_flush_start: target=wq:mixed",
        ),
        ("events -e timer_arm", "delay_us=99"),
    ] {
        has(&scene.text(line), &[part]);
    }
}

#[test]
fn q12_who_serves_it() {
    let scene = Scene::new();
    has(
        &scene.text("config"),
        &["Worker Pools", "mixed                            percpu "],
    );
    has(&scene.text("stats"), &["RPR"]);
}

/// What an engine left.
#[test]
fn q14_what_it_was_like_at_the_end() {
    let scene = Scene::new();
    scene.engine.end_now();
    let file = scene.engine.path.to_str().expect("UTF-8");
    let state = scene.place.run(&["state", "--file", file]);
    has(state.good(), &[", ended,", "in-flight: "]);
    let events = scene
        .place
        .run(&["events", "--since", "5s", "--file", file]);
    has(events.good(), &["workqueue_timer_arm"]);
    let snapshot = Reader::open(&scene.engine.path)
        .expect("a segment")
        .snapshot();
    let pwq = &snapshot.expect("a snapshot").pwqs[0];
    assert_eq!(pwq.counters[Counter::Started as usize], 6);
}
