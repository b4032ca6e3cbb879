//! `--record`, and what its file shows.

#[path = "common/writer.rs"]
mod writer;

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use wq_trace::{From, Liveness, Next, Reader, RecordingEnd};
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

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// Events in a recording, and lost ones.
fn counted(reader: &Reader) -> (u64, u64) {
    let mut cursor = reader.cursor(From::Oldest);
    while let Next::Record(_) | Next::Lost(_) = cursor.next(0) {}
    (cursor.seen(), cursor.lost())
}

#[test]
fn rounds_are_recorded_until_interrupted() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(dir.path(), "taped");
    let file = dir.path().join("r.wqrec");
    let path = file.to_str().unwrap();
    let args = ["--engine", "taped", "-j", "-i", "0.05", "--record", path];
    let mut child = command(dir.path(), &args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..20 {
        writer.step();
        lines.next().unwrap().unwrap();
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    lines.by_ref().for_each(drop);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = text(output.stderr);
    assert!(
        said.contains("recorded ") && said.contains("r.wqrec"),
        "{said}"
    );
    let reader = Reader::open(&file).unwrap();
    let recording = reader.recording().unwrap();
    assert_eq!(recording.end(), Some(RecordingEnd::Stopped));
    assert_eq!(recording.damage().bytes, 0);
    assert!(recording.states() >= 5, "{}", recording.states());
    let written = reader.snapshot().unwrap().rings[0].written;
    let (seen, lost) = counted(&reader);
    assert_eq!((seen, lost), (written, 0));
    // It shows what the engine's own segment shows.
    let rounds = |from: &[&str]| {
        let output = run(dir.path(), &[from, &["-i", "0", "-j"]].concat());
        let rows = text(output.stdout);
        let row = |line: &str| {
            let mut row: serde_json::Value = serde_json::from_str(line).unwrap();
            row["timestamp"] = 0.into();
            row
        };
        rows.lines().map(row).collect::<Vec<_>>()
    };
    assert_eq!(rounds(&["--file", path]), rounds(&["--engine", "taped"]));
}

#[test]
fn the_end_of_the_engine_is_the_recordings() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(dir.path(), "ends");
    (0..3).for_each(|_| writer.step());
    let written = Reader::in_memory(&writer.segment).snapshot().unwrap().rings[0].written;
    writer.segment.mark_ended(writer::now());
    let segment = writer.segment.path().unwrap().to_str().unwrap().to_owned();
    let file = dir.path().join("r.wqrec");
    let path = file.to_str().unwrap();
    let output = run(
        dir.path(),
        &["--plain", "--file", &segment, "--record", path],
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let reader = Reader::open(&file).unwrap();
    assert_eq!(reader.liveness().unwrap(), Liveness::Ended);
    assert_eq!(counted(&reader), (written, 0));
    // A recording is read once, like an engine that ended.
    let output = run(dir.path(), &["--plain", "--file", path]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(text(output.stdout).matches("rescued").count(), 1);
    // And a second one is not written over it.
    let output = run(
        dir.path(),
        &["--plain", "--file", &segment, "--record", path],
    );
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(text(output.stderr).contains("not empty"));
}

#[test]
fn a_disk_that_is_full_is_an_error() {
    if !Path::new("/dev/full").exists() {
        eprintln!("skipped: there is no /dev/full");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(dir.path(), "full");
    writer.step();
    let args = ["--engine", "full", "-i", "0", "--record", "/dev/full"];
    let output = run(dir.path(), &args);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(text(output.stderr).contains("/dev/full"));
}
