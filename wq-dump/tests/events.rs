//! The options of `wq-dump events`, on the binary.

mod common;

use common::{Engine, Place, TID};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use wq_trace::What;

/// Nothing here takes so long, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// The events among the lines.
fn events(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

fn engine(place: &Place, items: u64) -> (Engine, String) {
    let mut engine = Engine::start(place, "demo");
    engine.work(items);
    let file = engine.path.to_str().expect("UTF-8").to_owned();
    (engine, file)
}

/// A child that is ended even if the test fails before.
struct Following(Child, mpsc::Sender<()>);

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Following {
    fn start(place: &Place, args: &[&str]) -> Self {
        let mut command = place.command(&[&["events", "--follow"], args].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("wq-dump runs");
        let (alive, gone) = mpsc::channel();
        let following = Self(child, alive);
        let pid = following.pid();
        // Whoever reads its lines does not wait for ever.
        std::thread::spawn(move || {
            if gone.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        });
        following
    }

    fn pid(&self) -> rustix::process::Pid {
        let pid = i32::try_from(self.0.id()).expect("a pid");
        rustix::process::Pid::from_raw(pid).expect("a pid")
    }

    /// Reads lines until one has this in it.
    fn until(&mut self, lines: &mut impl BufRead, part: &str) -> String {
        let (mut all, begun) = (String::new(), Instant::now());
        while begun.elapsed() < PATIENCE {
            let from = all.len();
            assert!(
                lines.read_line(&mut all).expect("a line") > 0,
                "no {part}: {all}"
            );
            if all[from..].contains(part) {
                return all;
            }
        }
        panic!("no {part} in time: {all}");
    }

    fn status(&mut self) -> Option<i32> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait().expect("a child") {
                let _ = self.1.send(());
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end");
    }

    fn interrupt(&self) {
        rustix::process::kill_process(self.pid(), rustix::process::Signal::INT).expect("sent");
    }
}

#[test]
fn events_are_chosen_by_name_workqueue_and_time() {
    let place = Place::new();
    let (_engine, file) = engine(&place, 3);
    let count = |flags: &[&str]| {
        let run = place.run(&[&["events", "--file", &file], flags].concat());
        events(run.good()).len()
    };
    assert_eq!(count(&[]), 3 * 3 + 2);
    assert_eq!(count(&["-e", "execute_end"]), 3);
    assert_eq!(count(&["-e", "workqueue_execute_end,queue_work"]), 3 + 4);
    assert_eq!(count(&["-e", "queue_work", "-e", "execute_start"]), 8);
    assert_eq!(count(&["-w", "^mix"]), 11);
    assert_eq!(count(&["-w", "other"]), 0);
    assert_eq!(count(&["--since", "10h"]), 11);
    let run = place.run(&["events", "--file", &file, "-e", "panic"]);
    assert!(
        run.good()
            .ends_with("# lost 0 events in total, 0 printed\n"),
        "{}",
        run.stdout()
    );
}

/// The first events are as old as the engine, the last one is new.
#[test]
fn since_leaves_out_what_is_older() {
    let place = Place::new();
    let (mut engine, file) = engine(&place, 3);
    engine.emit_now(9, What::Panic);
    // Of an engine that ended, the end is now, however long the rest of this takes.
    engine.end_now();
    let run = place.run(&["events", "--file", &file, "--since", "2m"]);
    let shown = events(run.good());
    assert_eq!(shown.len(), 1, "{}", run.stdout());
    assert!(shown[0].contains("workqueue_panic"), "{}", run.stdout());
}

#[test]
fn a_wrong_name_is_wrong_usage_with_the_nearest() {
    let place = Place::new();
    let (_engine, file) = engine(&place, 1);
    let run = place.run(&["events", "--file", &file, "-e", "excute_start"]);
    assert!(run.bad(2).contains("'execute_start'"), "{}", run.stderr());
    let run = place.run(&["events", "--file", &file, "-w", "("]);
    assert!(run.bad(2).contains("regex"), "{}", run.stderr());
}

/// Each loss stands before the first event after it, and names whose events they were.
#[test]
fn losses_stand_at_their_place() {
    let place = Place::new();
    let (_engine, file) = engine(&place, 99);
    let run = place.run(&["events", "--file", &file]);
    let lines: Vec<_> = run.good().lines().collect();
    let shown = events(run.stdout()).len();
    let lost = 99 * 3 + 2 - shown;
    assert!(lost > 0, "the ring is small");
    assert_eq!(
        lines[2],
        format!("# lost {lost} events of kworker/0:0-{TID}")
    );
    let json = place.run(&["events", "-j", "--file", &file]);
    let first = json.good().lines().next().expect("a line");
    let first: serde_json::Value = serde_json::from_str(first).expect("JSON");
    assert_eq!(
        (&first["event"], &first["lost"], &first["tid"]),
        (&"lost".into(), &lost.into(), &TID.into())
    );
    assert_eq!(first["comm"], "kworker/0:0");
    // Long ago, as seen from what is asked for.
    let run = place.run(&["events", "--file", &file, "--since", "0ns"]);
    assert!(
        run.good()
            .ends_with("# lost 0 events in total, 0 printed\n"),
        "{}",
        run.stdout()
    );
}

#[test]
fn following_goes_on_until_interrupted_and_prints_everything() {
    let place = Place::new();
    let (mut engine, file) = engine(&place, 1);
    let mut following = Following::start(&place, &["--file", &file]);
    let mut lines = BufReader::new(following.0.stdout.take().expect("a pipe"));
    // Line by line: nothing is held back until a buffer is full.
    following.until(&mut lines, "execute_start: work struct 0000000000000002");
    for work in 100..130 {
        engine.emit_now(work, What::ActivateWork);
    }
    following.until(&mut lines, "work struct 0000000000000064");
    engine.emit_now(0xabc, What::Panic);
    following.interrupt();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).expect("text");
    assert_eq!(following.status(), Some(130));
    assert!(
        rest.contains("workqueue_panic: work=0000000000000abc"),
        "{rest}"
    );
    assert!(
        rest.ends_with("# lost 0 events in total, 36 printed\n"),
        "{rest}"
    );
}

#[test]
fn following_ends_with_the_engine() {
    let place = Place::new();
    let (mut engine, file) = engine(&place, 1);
    let mut following = Following::start(&place, &["--json", "--file", &file]);
    let mut lines = BufReader::new(following.0.stdout.take().expect("a pipe"));
    following.until(&mut lines, "workqueue_execute_start");
    engine.emit_now(7, What::Panic);
    engine.end_now();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).expect("text");
    assert_eq!(following.status(), Some(0));
    let last: serde_json::Value =
        serde_json::from_str(rest.lines().last().expect("a line")).expect("JSON");
    assert_eq!(
        (&last["event"], &last["printed"]),
        (&"end".into(), &6.into()),
        "{rest}"
    );
}

/// `wq-dump events --follow | head`: a reader that has seen enough ends it.
#[test]
fn following_ends_with_its_reader() {
    let place = Place::new();
    let (mut engine, file) = engine(&place, 1);
    let mut following = Following::start(&place, &["--file", &file]);
    let mut lines = BufReader::new(following.0.stdout.take().expect("a pipe"));
    following.until(&mut lines, "execute_start");
    drop(lines);
    let begun = Instant::now();
    loop {
        engine.emit_now(8, What::ActivateWork);
        match following.0.try_wait().expect("a child") {
            Some(status) => break assert_eq!(status.code(), Some(0)),
            None => assert!(begun.elapsed() < PATIENCE, "it does not end"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What comes to be while we follow is named, too.
#[test]
fn following_names_what_is_new() {
    let place = Place::new();
    let (mut engine, file) = engine(&place, 0);
    let mut following = Following::start(&place, &["--since", "0s", "-w", "late", "--file", &file]);
    let mut lines = BufReader::new(following.0.stdout.take().expect("a pipe"));
    following.until(&mut lines, "# engine");
    let late = engine.segment.workqueue("latecomer", 0x100, 4);
    engine.emit_now(6, What::ActivateWork);
    engine.emit_for(late.id(), What::Mayday);
    let text = following.until(&mut lines, "workqueue=latecomer");
    assert!(!text.contains("activate_work"), "{text}");
}
