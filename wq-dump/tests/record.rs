//! `record`, and every other command on what it made.

mod common;

use common::{Engine, Place, Run};
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Only a hang takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something is so.
#[track_caller]
fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn spawned(command: &mut Command) -> Child {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("wq-dump runs")
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("it is there");
}

fn ended(child: Child) -> Run {
    Run(child.wait_with_output().expect("it ends"))
}

fn len(path: &str) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// Where to record to.
fn file(place: &Place) -> String {
    let path = place.path().join("r.wqrec");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn what_was_recorded_is_read_as_the_segment_is() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "taped");
    engine.work(5);
    let (file, segment) = (file(&place), engine.path.to_str().expect("UTF-8"));
    let flags = ["record", "--file", segment, "--for", "50ms", "-o", &file];
    let run = place.run(&flags);
    assert!(
        run.good()
            .starts_with("recorded 17 events (0 lost) of engine taped to ")
    );
    for command in ["config", "state", "stats", "events"] {
        let shown = |file: &str| {
            place
                .run(&[command, "-j", "--file", file])
                .good()
                .to_owned()
        };
        let [taped, live] = [&file[..], segment].map(shown);
        assert_eq!(taped.lines().count(), live.lines().count(), "{command}");
    }
    let read = |command, file: &str| {
        let mut json = place.run(&[command, "-j", "--file", file]).json();
        // A live engine's is that of the reading.
        let rows = json["workqueues"].as_array_mut().into_iter().flatten();
        rows.for_each(|row| row["timestamp"] = 0.into());
        json
    };
    for command in ["config", "stats"] {
        assert_eq!(read(command, &file), read(command, segment), "{command}");
    }
    let events = |file| {
        place
            .run(&["events", "-j", "--file", file])
            .good()
            .to_owned()
    };
    assert_eq!(events(&file), events(segment));
    let headline = place.run(&["--file", &file]).good().to_owned();
    assert!(headline.contains("# engine taped, pid "), "{headline}");
    assert!(headline.contains(", recorded, up "), "{headline}");
}

#[test]
fn nothing_is_overwritten() {
    let place = Place::new();
    let engine = Engine::start(&place, "kept");
    let (file, segment) = (file(&place), engine.path.to_str().expect("UTF-8"));
    std::fs::write(&file, "mine").expect("written");
    let run = place.run(&["record", "--file", segment, "-o", &file]);
    assert!(run.bad(2).contains("not empty"), "{}", run.stderr());
    assert_eq!(std::fs::read(&file).expect("there"), b"mine");
    let run = place.run(&["stats", "--file", &file]);
    assert!(run.bad(2).contains("not a segment or a recording"));
}

#[test]
fn it_ends_with_its_engine() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "ends");
    engine.work(3);
    let (file, segment) = (
        file(&place),
        engine.path.to_str().expect("UTF-8").to_owned(),
    );
    let child = spawned(&mut place.command(&["record", "-j", "--file", &segment, "-o", &file]));
    eventually("it records", || len(&file) > 100);
    engine.segment.mark_ended(u64::MAX);
    drop(engine);
    let summary = ended(child).json();
    assert_eq!(summary["state"], "ended");
    assert_eq!(summary["events"], 11);
    assert_eq!(summary["bytes"], len(&file));
    let run = place.run(&["--file", &file]);
    assert!(run.good().contains(", ended, up "), "{}", run.stdout());
}

#[test]
fn an_interrupted_one_is_whole() {
    let place = Place::new();
    let engine = Engine::start(&place, "stopped");
    let (file, segment) = (file(&place), engine.path.to_str().expect("UTF-8"));
    let child = spawned(&mut place.command(&["record", "--file", segment, "-o", &file]));
    eventually("it records", || len(&file) > 100);
    signal(&child, Signal::INT);
    let run = ended(child);
    assert_eq!(run.code(), Some(130), "{}", run.stderr());
    assert!(run.stdout().starts_with("recorded "), "{}", run.stdout());
    let text = place.run(&["--file", &file]).good().to_owned();
    assert!(!text.contains("breaks off"), "{text}");
}

/// Ends what goes on until it is told to, also when an assertion fails.
struct Stopped<'a>(&'a AtomicBool);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Killed in the middle of a write or not: what came before is there, and what is missing is said.
#[test]
fn a_killed_recorder_leaves_what_it_wrote() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "killed");
    let segment = engine.path.to_str().expect("UTF-8").to_owned();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| engine.emit_until(&stop));
        let _stopped = Stopped(&stop);
        for round in 0..5 {
            let file = place.path().join(format!("{round}.wqrec"));
            let file = file.to_str().expect("UTF-8");
            let child = spawned(&mut place.command(&["record", "--file", &segment, "-o", file]));
            eventually("it records", || len(file) > 1_000 * (round + 1));
            signal(&child, Signal::KILL);
            ended(child);
            let run = place.run(&["events", "--file", file]);
            let text = run.good();
            assert!(text.contains("# the recording breaks off"), "{text}");
            let events = text
                .lines()
                .filter(|line| line.contains(": workqueue_activate_work: "));
            assert!(events.count() > 0, "{text}");
            assert!(!text.contains("unknown-"), "{text}");
            assert!(
                place
                    .run(&["stats", "--file", file])
                    .good()
                    .contains("mixed")
            );
        }
    });
}

#[test]
fn a_damaged_one_says_where_it_is_not_whole() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "bent");
    engine.work(5);
    let (file, segment) = (file(&place), engine.path.to_str().expect("UTF-8"));
    let flags = ["record", "--file", segment, "--for", "0ms", "-o", &file];
    place.run(&flags).good();
    let whole = place.run(&["events", "--file", &file]).good().to_owned();
    let mut bytes = std::fs::read(&file).expect("there");
    // The frame of kind 2 holds the events.
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four"));
    let mut frame = 16;
    while number(frame + 4) != 2 {
        frame += 24 + number(frame + 12) as usize;
    }
    bytes[frame + 30] ^= 1;
    std::fs::write(&file, bytes).expect("written");
    let run = place.run(&["events", "--file", &file]);
    let text = run.good();
    assert!(
        text.contains("bytes of the recording, at one place, cannot be read"),
        "{text}"
    );
    assert!(text.contains("# lost 17 events"), "{text}\n{whole}");
    place.run(&["stats", "--file", &file]).good();
}
