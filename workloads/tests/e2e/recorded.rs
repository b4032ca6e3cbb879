//! What `--record` leaves is what happened.

use crate::place::{Place, Running, eventually, finished, named, number, own_script, text_of};
use rustix::process::Signal;
use wq_trace::{Counter, From, Liveness, Names, Next, Reader, What, text};

/// All events of a recording, and how many were lost.
fn stream(reader: &Reader) -> (Vec<wq_trace::Event>, u64) {
    let mut cursor = reader.cursor(From::Oldest);
    let mut events = Vec::new();
    loop {
        match cursor.next(0) {
            Next::Record(event) => events.push(event),
            Next::Lost(_) => {}
            Next::Idle | Next::WriterGone | Next::End => return (events, cursor.lost()),
        }
    }
}

#[track_caller]
fn is_whole(reader: &Reader) {
    let recording = reader.recording().expect("a recording");
    assert_eq!(recording.damage().bytes, 0);
    assert!(recording.end().is_some());
}

#[test]
fn a_run_is_recorded_to_its_end() {
    let place = Place::new();
    let file = text_of(&place.path("r.wqrec"));
    let args = [
        "run",
        &own_script("small.toml"),
        "--record",
        &file,
        "--report",
        "json",
    ];
    let run = finished(&mut place.replay(&args));
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(run.stderr.contains("recorded "), "{run:?}");
    let reader = Reader::open(&place.path("r.wqrec")).expect("a recording");
    is_whole(&reader);
    assert_eq!(reader.liveness().expect("it tells"), Liveness::Ended);
    let (events, lost) = stream(&reader);
    let count = |what: fn(&What) -> bool| events.iter().filter(|e| what(&e.what)).count();
    assert_eq!(lost, 0);
    assert_eq!(count(|what| matches!(what, What::QueueWork { .. })), 8);
    assert_eq!(count(|what| matches!(what, What::ExecuteEnd)), 8);
    let names = reader.recording().expect("a recording").names();
    assert!(
        events
            .iter()
            .all(|e| names.function(e.func) != "unknown" || !e.func.is_some())
    );
    let snapshot = reader.snapshot().expect("a state");
    let completed = snapshot
        .pwqs
        .iter()
        .map(|pwq| pwq.counters[Counter::Completed as usize]);
    assert_eq!(completed.sum::<u64>(), 8);
    let report = run.json();
    assert_eq!(number(named(&report, "workqueues", "left"), "completed"), 5);
}

/// A producer that laps its ring: not one event is unaccounted for.
#[test]
fn a_recording_of_a_busy_run_counts_what_it_lost() {
    let place = Place::new();
    let file = text_of(&place.path("r.wqrec"));
    let run = finished(&mut place.replay(&["run", &own_script("busy.toml"), "--record", &file]));
    assert_eq!(run.code(), 0, "{run:?}");
    let reader = Reader::open(&place.path("r.wqrec")).expect("a recording");
    is_whole(&reader);
    let (events, lost) = stream(&reader);
    let rings = reader.snapshot().expect("a state").rings;
    let written: u64 = rings.iter().map(|ring| ring.written).sum();
    assert_eq!(events.len() as u64 + lost, written);
    let cursor = reader.cursor(From::Oldest);
    let by_ring: Vec<_> = cursor.by_ring().map(|(seen, lost)| seen + lost).collect();
    let written: Vec<_> = rings.iter().map(|ring| ring.written).collect();
    assert_eq!(by_ring, written);
}

#[test]
fn an_interrupted_run_is_recorded_too() {
    let place = Place::new();
    let path = place.path("r.wqrec");
    let args = [
        "run",
        &own_script("endless.toml"),
        "--record",
        &text_of(&path),
    ];
    let mut running = Running::start(&mut place.replay(&args));
    eventually("it records", || {
        std::fs::metadata(&path).ok().filter(|f| f.len() > 1_000)
    });
    running.signal(Signal::INT);
    assert_eq!(running.end().code(), Some(130));
    let reader = Reader::open(&path).expect("a recording");
    is_whole(&reader);
    assert!(!stream(&reader).0.is_empty());
}

/// The simulator's events, recorded, are its event text.
#[test]
fn a_simulation_is_recorded_event_by_event() {
    let place = Place::new();
    let file = text_of(&place.path("r.wqrec"));
    let args = [
        "simulate",
        "scripts/max-active.toml",
        "--events",
        "--record",
        &file,
    ];
    let run = finished(&mut place.replay(&args));
    let reader = Reader::open(&place.path("r.wqrec")).expect("a recording");
    is_whole(&reader);
    let (events, lost) = stream(&reader);
    assert_eq!(lost, 0);
    let names: &Names = reader.recording().expect("a recording").names();
    let lines: Vec<_> = events
        .iter()
        .map(|event| text::line(event, names))
        .collect();
    let expected: Vec<_> = run.good().lines().skip(1).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_file_that_holds_something_is_refused_before_anything_runs() {
    let place = Place::new();
    let path = place.path("r.wqrec");
    std::fs::write(&path, "mine").expect("written");
    for command in ["run", "simulate"] {
        let args = [
            command,
            &own_script("small.toml"),
            "--record",
            &text_of(&path),
        ];
        let run = finished(&mut place.replay(&args));
        assert!(run.bad(2).contains("not empty"), "{run:?}");
    }
    assert_eq!(std::fs::read(&path).expect("there"), b"mine");
}
