//! `wq-dump export` as people call it: where it writes, what it refuses, how it ends.

mod common;

use common::{Engine, Place};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The first bytes of a trace: a packet that begins with the clocks.
fn is_trace(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x0a) && bytes.get(2) == Some(&0x32)
}

fn dead(place: &Place) -> String {
    let mut engine = Engine::start(place, "gone");
    engine.work(5);
    engine.segment.mark_ended(u64::MAX);
    engine.path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn both_formats_go_to_a_file_or_a_pipe() {
    let place = Place::new();
    let file = dead(&place);
    let text = place.run(&["export", "--format", "ftrace", "--file", &file]);
    let lines: Vec<_> = text.good().lines().collect();
    assert_eq!(lines[0], "# tracer: nop");
    let events = lines.iter().filter(|line| !line.starts_with('#')).count();
    assert_eq!(events, 17, "{lines:?}");
    let path = place.path().join("trace");
    let out = path.to_str().expect("UTF-8");
    let run = place.run(&["export", "--format", "perfetto", "-o", out, "--file", &file]);
    assert_eq!(run.good(), "");
    assert!(
        run.stderr().contains("17 events, 0 lost"),
        "{}",
        run.stderr()
    );
    let in_file = std::fs::read(&path).expect("the trace");
    assert!(is_trace(&in_file), "{in_file:02x?}");
    let piped = place.run(&["export", "--format", "perfetto", "--file", &file]);
    assert_eq!(piped.0.stdout, in_file);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let place = Place::new();
    let file = dead(&place);
    let nowhere = place.path().join("no/where");
    let nowhere = nowhere.to_str().expect("UTF-8");
    for (args, word) in [
        (&["--format", "perfetto", "--json"][..], "JSON"),
        (&["--format", "ftrace", "--for", "1s"], "--for"),
        (&["--format", "ftrace", "-o", nowhere], "no/where"),
        (&["--format", "svg"], "perfetto"),
        (&["--format", "ftrace", "-e", "queue_wrok"], "queue_work"),
        (&[], "--format"),
    ] {
        let all = [&["export", "--file", &file][..], args].concat();
        let run = place.run(&all);
        assert!(run.bad(2).contains(word), "{}", run.stderr());
    }
}

#[test]
fn nothing_binary_goes_to_a_terminal() {
    let place = Place::new();
    let file = dead(&place);
    let controller = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR).expect("a terminal");
    rustix::pty::grantpt(&controller).expect("ours");
    rustix::pty::unlockpt(&controller).expect("unlocked");
    let name = rustix::pty::ptsname(&controller, Vec::new()).expect("a name");
    let name = name.to_str().expect("UTF-8");
    let terminal = || {
        let options = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
        rustix::fs::open(name, options, rustix::fs::Mode::empty()).expect("it opens")
    };
    let mut command = place.command(&["export", "--format", "perfetto", "--file", &file]);
    let output = command
        .stdout(Stdio::from(terminal()))
        .stderr(Stdio::piped())
        .spawn()
        .and_then(Child::wait_with_output)
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("-o") && said.contains("terminal"), "{said}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let place = Place::new();
    let file = dead(&place);
    let mut command = place.command(&["export", "--format", "ftrace", "--file", &file]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{output:?}");
}

/// Runs `body` while an engine emits events, on and on.
fn while_it_emits(place: &Place, body: impl FnOnce()) {
    let mut engine = Engine::start(place, "busy");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| engine.emit_until(&stop));
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
        stop.store(true, Ordering::Relaxed);
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

#[test]
fn a_window_begins_now_and_ends_by_itself() {
    let place = Place::new();
    while_it_emits(&place, || {
        let begun = Instant::now();
        let run = place.run(&[
            "export", "--format", "ftrace", "--for", "300ms", "--engine", "busy",
        ]);
        assert!(begun.elapsed() >= Duration::from_millis(300));
        assert!(
            run.good().contains("workqueue_activate_work"),
            "{}",
            run.stderr()
        );
    });
}

#[test]
fn an_interrupt_ends_the_window_and_leaves_a_whole_file() {
    let place = Place::new();
    let path = place.path().join("trace");
    while_it_emits(&place, || {
        let out = path.to_str().expect("UTF-8");
        let args = [
            "export", "--format", "ftrace", "--for", "1h", "--engine", "busy", "-o", out,
        ];
        let mut child = place
            .command(&args)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        wait_for_content(&path, &mut child);
        let pid = Pid::from_raw(child.id().cast_signed()).expect("a process");
        kill_process(pid, Signal::INT).expect("it is there");
        assert_eq!(child.wait().expect("it ends").code(), Some(130));
        let mut said = String::new();
        let mut stderr = child.stderr.take().expect("a pipe");
        stderr.read_to_string(&mut said).expect("UTF-8");
        assert!(said.contains("lost: "), "{said}");
    });
    let text = std::fs::read_to_string(&path).expect("the trace");
    assert!(text.ends_with('\n') && text.contains("workqueue_activate_work"));
}

/// Waits until the file has something in it.
fn wait_for_content(path: &Path, child: &mut Child) {
    let begun = Instant::now();
    while std::fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "nothing is written"
        );
        if let Some(status) = child.try_wait().expect("a child") {
            let stderr = child.stderr.take().expect("a pipe");
            let said: Vec<_> = BufReader::new(stderr)
                .lines()
                .map_while(Result::ok)
                .collect();
            panic!("{status}: {said:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
