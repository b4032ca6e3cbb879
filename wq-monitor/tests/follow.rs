//! `--follow` without a screen: rounds of one engine after the other of the same name.

#[path = "common/writer.rs"]
mod writer;

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use writer::Writer;

/// Longer than anything takes on a machine that is not stuck.
const PATIENCE: Duration = Duration::from_secs(60);

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wq-monitor"));
    command
        .args(args)
        .env("WQ_RUNTIME_DIR", dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The lines that come, from a thread that waits for them.
fn lines(from: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (to, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if to.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Waits for a line with `what` in it.
#[track_caller]
fn wait_for(lines: &Receiver<String>, what: &str) -> String {
    loop {
        let line = lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|_| panic!("no line with {what}"));
        if line.contains(what) {
            return line;
        }
    }
}

/// Items begun, by a JSON row.
fn started(row: &str) -> u64 {
    let row: serde_json::Value = serde_json::from_str(row).unwrap();
    row["started"].as_u64().unwrap()
}

#[test]
fn rounds_go_on_with_the_next_engine() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["--follow", "--engine", "again", "--json", "-i", "0.05"];
    let mut child = command(dir.path(), &args).spawn().unwrap();
    let out = lines(child.stdout.take().unwrap());
    let said = lines(child.stderr.take().unwrap());
    wait_for(&said, "waiting for an engine");
    let mut first = Writer::new(dir.path(), "again");
    (0..50).for_each(|_| first.step());
    wait_for(&said, "engine again found");
    let row = wait_for(&out, r#""name":"journal""#);
    assert!(started(&row) <= 50 * 9);
    wait_for(&out, r#""name":"journal""#);
    first.segment.mark_ended(writer::now());
    drop(first);
    wait_for(&said, "the engine is gone; waiting for another one");
    let mut second = Writer::new(dir.path(), "again");
    second.step();
    let news = wait_for(&said, "engine again restarted: now pid ");
    assert!(news.ends_with("has ended"), "{news}");
    // Behind the last rows of the first: what the second one did.
    while started(&wait_for(&out, r#""name":"journal""#)) > 9 {}
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn what_makes_no_sense_with_it_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        ["--follow", "-i", "0"].as_slice(),
        &["--follow", "--prometheus-once"],
        &["--follow", "--file", "x"],
        &["--follow", "--record", "x", "--plain"],
    ] {
        let output = command(dir.path(), args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("--follow"));
    }
}

#[test]
fn a_wait_ends_with_a_signal() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["--follow", "--engine", "never", "--plain"];
    let mut child = command(dir.path(), &args).spawn().unwrap();
    let said = lines(child.stderr.take().unwrap());
    wait_for(&said, "waiting for an engine named never");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
}
