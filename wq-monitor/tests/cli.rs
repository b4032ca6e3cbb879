//! The real binary without a terminal: rounds, errors and exit statuses.
//!
//! Each test names its engine: others may live on this machine, and those of the other tests in this process do.

#[path = "../../engine/trace/schema/check.rs"]
mod schema;
#[path = "common/writer.rs"]
mod writer;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use writer::Writer;

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wq-monitor"));
    command
        .args(args)
        .env("WQ_RUNTIME_DIR", dir)
        .stdin(Stdio::null());
    command
}

fn run(dir: &Path, args: &[&str]) -> Output {
    command(dir, args).output().unwrap()
}

/// Exit status and what was said on standard error.
fn refused(dir: &Path, args: &[&str]) -> (i32, String) {
    let output = run(dir, args);
    assert!(output.stdout.is_empty(), "{args:?} {output:?}");
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn one_round_of_the_only_engine() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(dir.path(), "once");
    (0..10).for_each(|_| writer.step());
    let table = run(dir.path(), &["-i", "0", "--engine", "once", "events"]);
    assert_eq!(
        (table.status.code(), table.stderr.len()),
        (Some(0), 0),
        "{table:?}"
    );
    let table = String::from_utf8(table.stdout).unwrap();
    let names: Vec<_> = table
        .lines()
        .skip(2)
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(names, ["events", "events_highpri"], "{table}");
    let pid = std::process::id().to_string();
    let args = ["--json", "-i", "0", "--pid", &pid, "--engine", "once"];
    let lines = String::from_utf8(run(dir.path(), &args).stdout).unwrap();
    assert_eq!(lines.lines().count(), 4, "{lines}");
    for line in lines.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(row["started"].as_u64().unwrap() > 0, "{line}");
        assert_eq!(row["started"], row["completed"], "{line}");
        schema::check("monitor", &row);
    }
}

#[test]
fn a_query_finds_workqueues() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(dir.path(), "found");
    (0..10).for_each(|_| writer.step());
    let names = |query: &str| {
        let args = ["-i", "0", "--json", "--engine", "found", "--filter", query];
        let output = run(dir.path(), &args);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let rows = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let names: Vec<_> = rows
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect();
        names.join(" ")
    };
    assert_eq!(names("wq:events*"), "events events_highpri");
    assert_eq!(names("-wq:events* unbound:no"), "mixed_io");
    assert_eq!(names("fn~commit|flush started>0"), "events journal");
    assert_eq!(names("pool:3"), "events_highpri");
    assert_eq!(names("why:inactive_*"), "mixed_io journal");
    let (code, said) = refused(dir.path(), &["-j", "--filter", "wq:a wiat>5ms"]);
    assert_eq!(code, 2);
    assert!(
        said.contains("column 6: no key `wiat`; did you mean `wait`?"),
        "{said}"
    );
    let (code, said) = refused(dir.path(), &["-j", "--filter", "wq:a tid:4"]);
    let right = "bad --filter: column 6: tid says nothing of workqueues; it is for workers";
    assert!(code == 2 && said.contains(right), "{said}");
}

#[test]
fn rounds_go_on_until_interrupted() {
    let dir = tempfile::tempdir().unwrap();
    let _writer = Writer::new(dir.path(), "rounds");
    let mut child = command(
        dir.path(),
        &["--engine", "rounds", "-j", "-i", "0.02", "journal"],
    )
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let stamps: Vec<f64> = (0..3)
        .map(|_| {
            let line = lines.next().unwrap().unwrap();
            let row: serde_json::Value = serde_json::from_str(&line).unwrap();
            row["timestamp"].as_f64().unwrap()
        })
        .collect();
    assert!(stamps[0] < stamps[1] && stamps[1] < stamps[2], "{stamps:?}");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    lines.by_ref().for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn nobody_reading_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    let _writer = Writer::new(dir.path(), "pipe");
    let mut child = command(dir.path(), &["--engine", "pipe", "--plain", "-i", "0.01"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(said, "");
}

#[test]
fn an_engine_that_ended_is_read_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(dir.path(), "mixed");
    writer.step();
    writer.segment.mark_ended(writer::now());
    let path = writer.segment.path().unwrap().to_str().unwrap().to_owned();
    let output = run(dir.path(), &["--plain", "--file", &path]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(output.stdout)
            .unwrap()
            .matches("rescued")
            .count(),
        1
    );
}

#[test]
fn what_cannot_be_watched_is_said_with_its_status() {
    let dir = tempfile::tempdir().unwrap();
    let (code, said) = refused(dir.path(), &["-i", "0", "--engine", "never-was"]);
    assert!(
        code == 2 && said.contains("no live engine"),
        "{code} {said}"
    );
    let (code, said) = refused(dir.path(), &["-i", "0", "--pid", "4194305"]);
    assert!(
        code == 3 && said.contains("no process 4194305"),
        "{code} {said}"
    );
    let mut sleeper = Command::new("sleep").arg("600").spawn().unwrap();
    let (code, said) = refused(dir.path(), &["-i", "0", "--pid", &sleeper.id().to_string()]);
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    assert!(code == 3 && said.contains("no engine"), "{code} {said}");
    let (code, said) = refused(dir.path(), &["-i", "0", "--file", "/etc/passwd"]);
    assert!(code == 2 && said.contains("not a segment"), "{code} {said}");
    let (code, said) = refused(dir.path(), &["-i", "0", "--file", "/nowhere"]);
    assert!(code == 2 && said.contains("no such file"), "{code} {said}");
    let (code, said) = refused(dir.path(), &["-i", "0", "--replay", "/nowhere.toml"]);
    assert!(code == 2 && said.contains("/nowhere.toml"), "{code} {said}");
}

#[test]
fn wrong_usage_is_said_with_status_2() {
    let dir = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 6] = [
        (&["-i", "0", "("], "bad REGEX"),
        (&["-i", "-1"], "--interval"),
        (&["--plain", "--json"], "cannot be used with"),
        (&["--color", "blue"], "always"),
        (&[], "not a terminal"),
        (&["-i", "0", "--log", "/nowhere/log"], "/nowhere/log"),
    ];
    for (args, what) in cases {
        let (code, said) = refused(dir.path(), args);
        assert!(code == 2 && said.contains(what), "{args:?}: {code} {said}");
    }
}

#[test]
fn several_engines_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    let _engines = (
        Writer::new(dir.path(), "one"),
        Writer::new(dir.path(), "two"),
    );
    let (code, said) = refused(dir.path(), &["--json"]);
    assert!(
        code == 2 && said.contains("--engine one") && said.contains("--engine two"),
        "{said}"
    );
    assert_eq!(
        run(dir.path(), &["-i", "0", "--engine", "two"])
            .status
            .code(),
        Some(0)
    );
}

#[test]
fn a_log_is_written_and_completions_are_printed() {
    let dir = tempfile::tempdir().unwrap();
    let _writer = Writer::new(dir.path(), "logged");
    let log = dir.path().join("log");
    let output = run(
        dir.path(),
        &[
            "-i",
            "0",
            "--engine",
            "logged",
            "--log",
            log.to_str().unwrap(),
        ],
    );
    assert_eq!(output.status.code(), Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("logged.wqseg"), "{log}");
    let output = run(dir.path(), &["--completions", "bash"]);
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("--interval")
    );
}
