//! The shipped scripts, simulated, and on threads those that show one feature: what they expect comes out.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wq_engine::WqFlags;
use wq_engine::sim::ProducerSpec;
use wq_replay::exec::{Replay, ReplaySettings, SimulateSettings, simulate};
use wq_replay::expect::evaluate;
use wq_replay::report::Report;
use wq_replay::{Script, load, parse};

/// One script for each feature.
const FEATURES: [&str; 10] = [
    "bh",
    "cpu-hog",
    "disable",
    "drain",
    "freeze",
    "hotplug",
    "mod-delayed",
    "rcu",
    "rescuer",
    "set-max-active",
];
/// A replay that takes longer hangs.
const HANGS: Duration = Duration::from_secs(120);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts")
}

fn feature(name: &str) -> Script {
    load(folder().join(format!("{name}.toml"))).unwrap_or_else(|errors| panic!("{errors}"))
}

fn check(script: &Script, report: &Report) {
    let outcomes = evaluate(&script.expectations, report, false);
    assert!(!outcomes.is_empty());
    for outcome in outcomes {
        let name = script.path.display();
        assert!(outcome.ok, "{name}: {}: {}", outcome.text, outcome.seen);
    }
}

/// The report of a replay on threads.
fn on_threads(script: &Script) -> Report {
    let replay = Replay::start(script, ReplaySettings::default());
    let replay = replay.unwrap_or_else(|error| panic!("{error}"));
    ended(replay)
}

fn ended(replay: Replay) -> Report {
    let begun = Instant::now();
    while !replay.is_over() {
        let name = replay.script().path.display();
        assert!(begun.elapsed() < HANGS, "{name} hangs");
        std::thread::sleep(Duration::from_millis(2));
    }
    replay.finish().unwrap_or_else(|error| panic!("{error}"))
}

/// A minute of load takes long in a build for tests.
fn lasts_long(producer: &ProducerSpec) -> bool {
    producer.duration >= Some(Duration::from_secs(30))
}

#[test]
fn simulated_scripts_meet_their_expectations() {
    let entries = std::fs::read_dir(folder()).expect("the folder is there");
    let mut simulated = 0;
    for entry in entries {
        let path = entry.expect("readable").path();
        // Scripts of a kind have tests of their own.
        if path.is_dir() {
            continue;
        }
        let script = load(path).unwrap_or_else(|e| panic!("{e}"));
        if script.program.producers.iter().any(lasts_long) {
            continue;
        }
        let report = simulate(&script, SimulateSettings::default(), None);
        check(&script, &report.unwrap_or_else(|error| panic!("{error}")));
        simulated += 1;
    }
    assert!(simulated >= 15, "{simulated} scripts");
}

#[test]
fn threads_meet_the_counts_and_the_order_of_each_feature() {
    for script in FEATURES.map(feature) {
        check(&script, &on_threads(&script));
    }
}

/// What a script asks of the machine, the engine and its workqueues arrives at an engine on threads.
#[test]
fn threads_take_topology_scopes_and_flags_as_asked() {
    const TEXT: &str = r#"
        topology = "2n1l1c1t"
        [engine]
        power_efficient = true
        default_affinity_scope = "numa"
        [[workqueue]]
        name = "thrifty"
        flags = ["power_efficient", "freezable", "sysfs"]
        [[workqueue]]
        name = "near"
        flags = ["unbound"]
        affinity = { scope = "cpu", strict = true }
        [[work]]
        name = "a"
        workqueue = "thrifty"
        instances = 4
        [[work]]
        name = "b"
        workqueue = "near"
        instances = 4
        [[producer]]
        name = "p"
        works = ["a", "b"]
        count = 8
        [[expect]]
        work = "a"
        executions = 4
        [[expect]]
        work = "b"
        executions = 4
    "#;
    let script = parse(TEXT, Path::new("s.toml"), None).unwrap_or_else(|e| panic!("{e}"));
    let replay = Replay::start(&script, ReplaySettings::default());
    let replay = replay.unwrap_or_else(|error| panic!("{error}"));
    let snapshot = replay.reader().snapshot().expect("can be read");
    let flags = |name: &str| {
        let named = snapshot.workqueues.iter().find(|wq| wq.name == name);
        WqFlags::from_bits_truncate(named.expect("is there").flags)
    };
    let asked = WqFlags::POWER_EFFICIENT | WqFlags::FREEZABLE | WqFlags::SYSFS;
    assert_eq!(flags("thrifty"), asked | WqFlags::UNBOUND);
    assert_eq!(flags("near"), WqFlags::UNBOUND);
    check(&script, &ended(replay));
}
