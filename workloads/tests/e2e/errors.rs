//! What can go wrong: said in a sentence, with the right status, and never with a panic.

use crate::place::{Place, Run, finished, own_script, rows, text_of};
use std::path::Path;
use std::process::Command;

/// Byte of the word that holds the version of the format; golden bytes in wq-trace keep it there.
const VERSION_AT: usize = 8;

/// Runs `wq-dump` on a file; `None` if it is not built.
fn dump(place: &Place, command: &str, file: &Path) -> Option<Run> {
    let file = text_of(file);
    Some(finished(
        &mut place.tool("wq-dump", &[command, "--file", &file])?,
    ))
}

/// The segment of a small engine that has ended.
fn segment(place: &Place) -> Vec<u8> {
    place.report(&own_script("small.toml"), &[0]);
    std::fs::read(place.segment()).expect("readable")
}

/// The tools refuse these bytes with status 2 and a sentence that names the file.
#[track_caller]
fn refused(place: &Place, bytes: &[u8], what: &str) {
    let file = place.path("other.wqseg");
    std::fs::write(&file, bytes).expect("written");
    let name = text_of(&file);
    for command in ["state", "stats", "events"] {
        let Some(run) = dump(place, command, &file) else {
            return;
        };
        let said = run.bad(2);
        assert!(
            said.contains(&name) && said.contains(what),
            "{command}: {said}"
        );
    }
    let Some(mut monitor) = place.tool("wq-monitor", &["-i", "0", "--file", &name]) else {
        return;
    };
    let monitor = finished(&mut monitor);
    assert!(monitor.bad(2).contains(what), "{monitor:?}");
}

#[test]
fn a_wrong_script_is_refused_with_file_line_and_column() {
    let place = Place::new();
    let work = "[[work]]\nname = \"w\"\nworkqueue = \"events\"\n";
    let cases = [
        ("sede = 3\n".to_owned(), "1:1: unknown key `sede`"),
        ("name = \n".to_owned(), "1:8: "),
        (
            format!("{work}body = [\"burn 5\"]\n"),
            "4:15: work[0].body[0]: the unit is missing",
        ),
        (
            format!("{work}body = [\"burn 5parsecs\"]\n"),
            "4:15: work[0].body[0]: ",
        ),
        (
            work.replace("events", "evens"),
            "3:13: work[0].workqueue: unknown workqueue `evens`",
        ),
    ];
    for (text, expected) in cases {
        let script = place.script(&text);
        for command in ["check", "run", "simulate"] {
            let run = finished(&mut place.replay(&[command, &script]));
            let expected = format!("error: {script}:{expected}");
            assert!(run.bad(2).starts_with(&expected), "{expected} {run:?}");
        }
    }
    let gone = finished(&mut place.replay(&["run", "/nonexistent.toml"]));
    assert!(
        gone.bad(2).contains("/nonexistent.toml: cannot read"),
        "{gone:?}"
    );
}

#[test]
fn without_an_engine_the_tools_say_where_they_looked() {
    let place = Place::new();
    for (tool, args) in [("wq-dump", &["stats"][..]), ("wq-monitor", &["-i", "0"])] {
        let Some(mut tool) = place.tool(tool, args) else {
            return;
        };
        let run = finished(&mut tool);
        let said = run.bad(2);
        let dir = text_of(&place.runtime_dir());
        assert!(
            said.contains("no live engine") && said.contains(&dir),
            "{said}"
        );
    }
}

#[test]
fn a_segment_of_another_version_is_refused() {
    let place = Place::new();
    let mut bytes = segment(&place);
    let version = u64::from_le_bytes(bytes[VERSION_AT..][..8].try_into().expect("8 bytes"));
    assert_eq!(version >> 16, 1, "a version 1 of any minor number");
    let next = 0x2_0000_u64;
    bytes[VERSION_AT..][..8].copy_from_slice(&next.to_le_bytes());
    refused(&place, &bytes, "2.0");
}

#[test]
fn a_segment_cut_short_is_refused_or_read_as_far_as_it_goes() {
    let place = Place::new();
    let bytes = segment(&place);
    for len in [0, 7, 100, 1000] {
        refused(&place, &bytes[..len], "other.wqseg");
    }
    for part in 1..20 {
        let file = place.path("cut.wqseg");
        std::fs::write(&file, &bytes[..bytes.len() * part / 20]).expect("written");
        for command in ["state", "stats", "events"] {
            let Some(run) = dump(&place, command, &file) else {
                return;
            };
            assert!([0, 2].contains(&run.code()), "{run:?}");
            assert_eq!(run.code() == 2, !run.stderr.is_empty(), "{run:?}");
            assert!(!run.stderr.contains("panicked"), "{run:?}");
        }
    }
}

#[test]
fn hostile_bytes_are_refused_or_read_without_harm() {
    let place = Place::new();
    let whole = segment(&place);
    refused(
        &place,
        &b"long, but something else. ".repeat(9999),
        "not a segment",
    );
    // Every word of the head and of the beginning of the directory in turn says the most that it can.
    for word in 2..150 {
        let mut bytes = whole.clone();
        bytes[word * 8..][..8].fill(0xff);
        let file = place.path("hostile.wqseg");
        std::fs::write(&file, &bytes).expect("written");
        for command in ["stats", "events"] {
            let Some(run) = dump(&place, command, &file) else {
                return;
            };
            assert!([0, 2].contains(&run.code()), "word {word}: {run:?}");
            assert!(!run.stderr.contains("panicked"), "word {word}: {run:?}");
            assert!(!run.stdout.contains('\u{1b}'), "word {word}: {run:?}");
        }
    }
}

/// The script was done to its end, and exactly one line complains, of this.
#[track_caller]
fn ran_unseen(run: &Run, what: &str) {
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(
        rows(&run.json(), "expectations")
            .iter()
            .all(|e| e["ok"] == true)
    );
    let lines: Vec<_> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "once: {run:?}");
    assert!(lines[0].contains(what), "{}", lines[0]);
    assert!(!run.stderr.contains('\u{1b}'), "colour in a pipe: {run:?}");
}

#[test]
fn without_a_usable_directory_the_engine_runs_unseen_and_says_so_once() {
    let place = Place::new();
    let (script, file) = (own_script("small.toml"), place.path("file"));
    std::fs::write(&file, "in the way").expect("written");
    let below = file.join("below");
    let gone = place.path("no/such/folder");
    for dir in [file, below, gone] {
        let mut replay = place.replay(&["run", &script, "--report", "json"]);
        let run = finished(replay.env("WQ_RUNTIME_DIR", &dir));
        ran_unseen(&run, &text_of(&dir));
        assert!(run.stderr.contains("cannot be watched"), "{run:?}");
    }
}

/// The command, with files no larger than so many blocks of 512 or 1024 bytes: what a full file system is like.
fn limited(command: &Command, blocks: u32) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -f {blocks} && exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.current_dir(command.get_current_dir().expect("set"));
    shell
}

#[test]
fn in_a_full_directory_the_engine_runs_unseen_and_says_so_once() {
    let place = Place::new();
    let script = own_script("small.toml");
    let replay = place.replay(&["run", &script, "--report", "json"]);
    let run = finished(&mut limited(&replay, 8));
    ran_unseen(&run, "cannot be watched");
}

#[test]
fn a_directory_that_fills_up_costs_events_and_it_says_so_once() {
    let place = Place::new();
    let script = own_script("small.toml");
    let replay = place.replay(&["run", &script, "--report", "json"]);
    let run = finished(&mut limited(&replay, 1000));
    ran_unseen(&run, "no room");
    let report = run.json();
    assert!(
        report["lost_events"].as_u64().expect("a number") > 0,
        "{report}"
    );
    let completed: Vec<_> = rows(&report, "workqueues")
        .iter()
        .map(|wq| &wq["completed"])
        .collect();
    assert_eq!(completed, [5, 3], "counters are exact whatever is lost");
}

#[test]
fn a_process_that_is_gone_is_status_3() {
    let place = Place::new();
    let mut child = Command::new("true").spawn().expect("it runs");
    child.wait().expect("it ends");
    let pid = child.id().to_string();
    for (tool, args) in [
        ("wq-dump", &["stats", "--pid"][..]),
        ("wq-monitor", &["-i", "0", "--pid"]),
    ] {
        let Some(mut tool) = place.tool(tool, &[args, &[&pid]].concat()) else {
            return;
        };
        let run = finished(&mut tool);
        assert!(run.bad(3).contains(&format!("no process {pid}")), "{run:?}");
    }
}
