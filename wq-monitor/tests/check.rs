//! `--check` and the warnings of the other headless modes, from outside: the right one by its name, and none when all is well.

#[path = "common/writer.rs"]
mod writer;

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use writer::Writer;

fn monitor(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wq-monitor"))
        .args(args)
        .env("WQ_RUNTIME_DIR", dir)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn script(name: &str) -> String {
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/../workloads/scripts");
    format!("{scripts}/{name}.toml")
}

/// The report of a check of a script that is replayed meanwhile, and the exit status.
fn checked(name: &str, time: &str, more: &[&str]) -> (Value, Option<i32>) {
    let dir = tempfile::tempdir().unwrap();
    let script = script(name);
    let args = ["--json", "--check", time, "--replay", &script];
    let output = monitor(dir.path(), &[&args, more].concat());
    let report = serde_json::from_slice(&output.stdout);
    (
        report.unwrap_or_else(|error| panic!("{error}: {output:?}")),
        output.status.code(),
    )
}

/// The report of a check must be right; on a machine that is too busy at times, at the third attempt at last.
fn must(name: &str, time: &str, right: impl Fn(&[Value]) -> bool) {
    let mut report = Value::Null;
    for _ in 0..3 {
        let status;
        (report, status) = checked(name, time, &[]);
        let warnings = report["warnings"].as_array().unwrap();
        assert_eq!(status, Some(i32::from(!warnings.is_empty())), "{report:#}");
        if right(warnings) {
            return;
        }
    }
    panic!("{name}: {report:#}");
}

/// The warning of that name must come within 5 s and name the function.
fn warns(name: &str, lint: &str, function: &str) {
    let right = |warning: &Value| {
        let sentence = warning["sentence"].as_str().unwrap();
        warning["lint"] == lint
            && warning["evidence"]["function"] == function
            && sentence.contains(&format!("`{function}`"))
    };
    must(name, "5s", |warnings| warnings.iter().any(right));
}

#[test]
fn a_storm_is_named() {
    warns("requeue-storm", "self-requeue", "storm");
}

#[test]
fn a_limit_is_named() {
    warns("max-active", "max-active", "fetch");
}

#[test]
fn a_hog_is_named() {
    warns("warnings/hog", "cpu-hog", "render");
}

#[test]
fn an_ordered_bottleneck_is_named() {
    warns(
        "warnings/ordered-bottleneck",
        "ordered-bottleneck",
        "commit",
    );
}

#[test]
fn sleepers_are_named() {
    warns("warnings/sleepers", "sleeper-pileup", "fetch");
}

#[test]
fn a_stall_is_named() {
    warns("warnings/stall", "stalled-pool", "spin");
}

#[test]
fn what_is_healthy_is_left_alone() {
    let scripts = Path::new(&script("mixed")).parent().unwrap().read_dir();
    let names = scripts.unwrap().filter_map(|file| {
        let name = file.unwrap().file_name().into_string().unwrap();
        let name = name.strip_suffix(".toml")?.to_owned();
        name.starts_with("kernel-doc-").then_some(name)
    });
    let names: Vec<_> = names.chain(["mixed".to_owned()]).collect();
    assert!(names.len() > 8, "{names:?}");
    for name in names {
        must(&name, "10s", <[Value]>::is_empty);
    }
}

#[test]
fn only_what_is_denied_fails() {
    for (deny, expected) in [("self-requeue", 1), ("flush-deadlock", 0)] {
        let (report, status) = checked("requeue-storm", "3s", &["--deny", deny]);
        assert_eq!(status, Some(expected), "{report:#}");
        assert_eq!(report["passed"], expected == 0);
        let warnings = report["warnings"].as_array().unwrap();
        let storm = warnings.iter().find(|it| it["lint"] == "self-requeue");
        assert_eq!(storm.unwrap()["denied"], expected == 1, "{report:#}");
    }
}

#[test]
fn what_is_off_is_not_told() {
    let (report, status) = checked("requeue-storm", "2s", &["--warn", "all=off"]);
    assert_eq!(
        (status, &report["warnings"]),
        (Some(0), &Value::Array(Vec::new()))
    );
}

#[test]
fn a_recording_is_checked_like_its_engine() {
    let dir = tempfile::tempdir().unwrap();
    let tape = dir.path().join("storm.wqrec");
    let tape = tape.to_str().unwrap();
    let storm = script("requeue-storm");
    let live = monitor(
        dir.path(),
        &["--check", "3s", "--replay", &storm, "--record", tape],
    );
    assert_eq!(live.status.code(), Some(1), "{live:?}");
    let again = monitor(dir.path(), &["--check", "1h", "--file", tape, "--json"]);
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    let report: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(report["end"], "ended");
    let warnings = report["warnings"].as_array().unwrap();
    assert!(
        warnings.iter().any(|it| it["lint"] == "self-requeue"),
        "{report:#}"
    );
}

#[test]
fn wrong_settings_and_targets_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = Writer::new(dir.path(), "fine");
    engine.step();
    let wrong: [(&[&str], i32, &str); 6] = [
        (&["--check", "5"], 2, "30s"),
        (&["--check", "1s", "--deny", "hog"], 2, "cpu-hog"),
        (&["--check", "1s", "--warn", "cpu-hog"], 2, "NAME=off"),
        (
            &["--check", "1s", "--warn", "stalled-pool=soon"],
            2,
            "250ms",
        ),
        (&["--deny", "cpu-hog"], 2, "--check"),
        (&["--check", "1s", "--pid", "4194305"], 3, "no process"),
    ];
    for (args, status, said) in wrong {
        let output = monitor(dir.path(), args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {error}");
        assert!(error.contains(said), "{args:?}: {error}");
    }
}

#[test]
fn rounds_tell_warnings_too() {
    let dir = tempfile::tempdir().unwrap();
    let storm = script("requeue-storm");
    let plain = monitor(dir.path(), &["--plain", "-i", "0.5", "--replay", &storm]);
    let said = String::from_utf8_lossy(&plain.stderr);
    assert!(
        said.contains("self-requeue: `storm` queues itself"),
        "{plain:?}"
    );
    let json = monitor(dir.path(), &["--json", "-i", "0.5", "--replay", &storm]);
    let text = String::from_utf8(json.stdout).unwrap();
    let mut rounds = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let storms = |round: Value| {
        let warnings = round["warnings"].as_array().unwrap();
        warnings.iter().any(|it| it["lint"] == "self-requeue")
    };
    assert!(rounds.any(storms), "{text}");
}
