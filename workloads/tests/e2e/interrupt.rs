//! Ctrl-C: an orderly end, status 130, and a report of what was done so far.

use crate::place::{Place, Running, eventually, number, own_script, rows, text_of};
use rustix::process::Signal;
use serde_json::Value;
use std::io::Read;
use std::process::Stdio;

/// The report that a command wrote before it ended.
fn written(path: &str) -> Value {
    let text = std::fs::read_to_string(path).expect("a report");
    serde_json::from_str(&text).expect("JSON")
}

/// Something was done, and nothing was judged.
#[track_caller]
fn is_partial(report: &Value) {
    assert_eq!(report["script"], "endless");
    assert!(rows(report, "expectations").is_empty(), "{report}");
    let completed = rows(report, "workqueues")
        .iter()
        .map(|row| number(row, "completed"));
    assert!(completed.sum::<u64>() > 0, "{report}");
    for row in rows(report, "workqueues") {
        assert!(number(row, "completed") <= number(row, "started"), "{row}");
        assert!(number(row, "started") <= number(row, "queued"), "{row}");
    }
}

/// Waits until the engine's segment is there and has seen work.
fn works(place: &Place) {
    eventually("the engine works", || {
        let entry = std::fs::read_dir(place.runtime_dir()).ok()?.next()?.ok()?;
        let snapshot = wq_trace::Reader::open(&entry.path())
            .ok()?
            .snapshot()
            .ok()?;
        let completed = wq_trace::Counter::Completed as usize;
        let all: u64 = snapshot
            .pwqs
            .iter()
            .map(|pwq| pwq.counters[completed])
            .sum();
        (all > 50).then_some(())
    });
}

#[test]
fn on_threads() {
    let place = Place::new();
    let (script, report) = (own_script("endless.toml"), text_of(&place.path("report")));
    let mut replay = place.replay(&["run", &script, "--report", "json", "-o", &report]);
    let mut replay = Running::start(&mut replay);
    works(&place);
    replay.signal(Signal::INT);
    assert_eq!(replay.end().code(), Some(130));
    is_partial(&written(&report));
}

#[test]
fn the_text_says_that_it_is_partial() {
    let place = Place::new();
    let script = own_script("endless.toml");
    let mut replay = place.replay(&["run", &script]);
    let mut replay = Running::start(replay.stdout(Stdio::piped()).stderr(Stdio::piped()));
    works(&place);
    replay.signal(Signal::TERM);
    let (mut text, mut said) = (String::new(), String::new());
    replay
        .0
        .stdout
        .take()
        .expect("a pipe")
        .read_to_string(&mut text)
        .expect("text");
    replay
        .0
        .stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut said)
        .expect("text");
    assert_eq!(replay.end().code(), Some(130));
    assert!(
        text.starts_with("endless\n") && text.contains("interrupted"),
        "{text}"
    );
    assert!(!said.contains("panicked"), "{said}");
}

/// CPU time that a process has used, in ticks; `None` until it catches SIGINT.
fn ticks_since_listening(pid: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let caught = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))?;
    let caught = u64::from_str_radix(caught.trim(), 16).ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let user = stat
        .rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(11)?
        .parse()
        .ok()?;
    (caught & 1 << (Signal::INT.as_raw() - 1) != 0).then_some(user)
}

#[test]
fn in_simulation() {
    let place = Place::new();
    let (script, report) = (own_script("endless.toml"), text_of(&place.path("report")));
    let mut simulation = place.replay(&["simulate", &script, "--report", "json", "-o", &report]);
    let mut simulation = Running::start(&mut simulation);
    eventually("it simulates", || {
        (ticks_since_listening(&simulation.pid())? > 30).then_some(())
    });
    simulation.signal(Signal::INT);
    assert_eq!(simulation.end().code(), Some(130));
    is_partial(&written(&report));
}
