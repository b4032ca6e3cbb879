//! The binary as people call it: what it prints, and how it ends.

mod common;
#[path = "cli/sensing.rs"]
mod sensing;

use common::{Engine, Place, TID};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn help_names_the_commands() {
    let run = Place::new().run(&["--help"]);
    let help = run.good();
    for command in ["config", "list", "state", "stats", "events", "gc"] {
        assert!(help.contains(command), "{help}");
    }
}

#[test]
fn without_a_command_there_is_the_configuration() {
    let place = Place::new();
    let engine = Engine::start(&place, "told");
    let file = engine.path.to_str().expect("UTF-8");
    let named = place.run(&["config", "--file", file]);
    let text = named.good();
    for title in [
        "Affinity Scopes\n=====",
        "Worker Pools\n=====",
        "Workqueue CPU -> pool\n=====",
        "Workqueue -> rescuer\n=====",
        "Unbound workqueue -> node_nr/max_active\n=====",
        "Sensing\n=====",
    ] {
        assert!(text.contains(title), "{text}");
    }
    let alike = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let unnamed = place.run(&["--file", file]);
    assert_eq!(alike(unnamed.good()), alike(text));
    let json = place.run(&["-j", "--file", file]).json();
    let keys = ["scopes", "pools", "map", "rescuers", "nodes", "sensing"];
    for key in keys {
        assert!(!json[key].is_null(), "{key}: {json}");
    }
    assert_eq!(json["map"][0]["name"], "mixed");
    assert_eq!(json["map"][0]["pools"][0]["pool"], 2);
    assert_eq!(json["sensing"]["mode"], "tick");
}

/// What an engine left is as good as what it says while it lives.
#[test]
fn the_configuration_of_an_engine_that_ended_is_there() {
    let place = Place::new();
    let engine = Engine::start(&place, "gone");
    let path = engine.path.clone();
    engine.segment.mark_ended(u64::MAX);
    drop(engine);
    let run = place.run(&["config", "--file", path.to_str().expect("UTF-8")]);
    assert!(run.good().contains(" ended,"), "{}", run.stdout());
    assert!(run.stdout().contains("percpu"), "{}", run.stdout());
}

#[test]
fn without_a_command_and_an_engine_there_is_status_2() {
    let run = Place::new().run(&["--engine", "nobody-has-this-name"]);
    assert!(run.bad(2).contains("nobody-has-this-name"));
}

#[test]
fn an_unknown_command_is_wrong_usage() {
    let run = Place::new().run(&["stat"]);
    assert!(run.bad(2).contains("stats"), "{}", run.stderr());
}

#[test]
fn an_empty_place_has_no_engines() {
    let place = Place::new();
    // Engines elsewhere on this machine may be listed; here there is none.
    let here = place.path().to_str().expect("UTF-8");
    assert!(!place.run(&["list"]).good().contains(here));
    let list = place.run(&["list", "--json"]).json();
    let mut paths = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|e| e["path"].as_str());
    assert!(paths.all(|path| !path.expect("a path").starts_with(here)));
}

#[test]
fn an_engine_that_is_not_there_is_said_to_be_missing() {
    let place = Place::new();
    for command in ["config", "state", "stats", "events"] {
        let run = place.run(&[command, "--engine", "nobody-has-this-name"]);
        assert!(
            run.bad(2).contains("nobody-has-this-name"),
            "{}",
            run.stderr()
        );
    }
}

#[test]
fn a_process_that_is_gone_is_status_3() {
    let run = Place::new().run(&["stats", "--pid", "4194304"]);
    assert!(run.bad(3).contains("4194304"), "{}", run.stderr());
}

#[test]
fn a_process_without_an_engine_is_a_target_that_is_gone() {
    let place = Place::new();
    let mut child = std::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .expect("sleep runs");
    let run = place.run(&["stats", "--pid", &child.id().to_string()]);
    child.kill().expect("it can be ended");
    child.wait().expect("it ended");
    assert!(run.bad(3).contains("no engine"), "{}", run.stderr());
}

#[test]
fn files_that_are_no_segments_are_named_with_what_is_wrong() {
    let place = Place::new();
    let path = place.path().join("file");
    let file = path.to_str().expect("UTF-8");
    for content in [
        None,
        Some(""),
        Some("short"),
        Some(&*"long but something else. ".repeat(999)),
    ] {
        if let Some(content) = content {
            std::fs::write(&path, content).expect("a file");
        }
        for command in ["config", "state", "stats", "events"] {
            let run = place.run(&[command, "--file", file]);
            assert!(run.bad(2).contains(file), "{}", run.stderr());
        }
    }
}

#[test]
fn a_segment_cut_short_is_an_error_and_no_panic() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "demo");
    engine.segment.set_sensing(&sensing::info("canary"));
    engine.work(5);
    let whole = std::fs::read(&engine.path).expect("the segment");
    let path = place.path().join("cut");
    let file = path.to_str().expect("UTF-8");
    for part in [8, 100, 4096, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..part]).expect("a file");
        for command in ["config", "state", "stats", "events"] {
            let run = place.run(&[command, "--file", file]);
            assert!(
                matches!(run.code(), Some(0 | 2)),
                "{part}: {}",
                run.stderr()
            );
            assert!(!run.stderr().contains("panicked"), "{}", run.stderr());
        }
    }
}

#[test]
fn a_live_engine_is_listed_and_read_by_pid_name_and_file() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "only-here");
    engine.work(5);
    let path = engine.path.to_str().expect("UTF-8");
    let pid = std::process::id().to_string();
    let list = place.run(&["list", "-j"]).json();
    let mut engines = list.as_array().expect("a list").iter();
    let found = engines.find(|e| e["path"] == path).expect("the engine");
    assert_eq!(
        (&found["name"], &found["state"]),
        (&"only-here".into(), &"live".into())
    );
    assert_eq!(found["pid"].to_string(), pid);
    let ways: [&[&str]; 3] = [
        &["--file", path],
        &["--engine", "only-here"],
        &["--pid", &pid, "--engine", "only-here"],
    ];
    for flags in ways {
        let text = place.run(&[&["stats"], flags].concat());
        assert!(
            text.good().starts_with("# engine only-here, pid "),
            "{}",
            text.stdout()
        );
        assert!(text.stdout().contains("\nmixed "), "{}", text.stdout());
    }
}

#[test]
fn of_several_engines_one_must_be_named() {
    let place = Place::new();
    let _engines = ["one-of-two", "other-of-two"].map(|name| Engine::start(&place, name));
    let pid = std::process::id().to_string();
    for flags in [&["--pid", &pid][..], &[]] {
        let run = place.run(&[&["stats"], flags].concat());
        let message = run.bad(2);
        assert!(
            message.contains("one-of-two") && message.contains("other-of-two"),
            "{message}"
        );
    }
}

#[test]
fn stats_add_up() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "demo");
    engine.work(5);
    let stats = place
        .run(&[
            "stats",
            "-j",
            "--file",
            engine.path.to_str().expect("UTF-8"),
        ])
        .json();
    let wq = &stats["workqueues"][0];
    assert_eq!(
        (&wq["name"], &wq["started"], &wq["completed"]),
        (&"mixed".into(), &6.into(), &5.into())
    );
    let parts = wq["breakdown_ns"].as_object().expect("parts").values();
    let sum: u64 = parts.map(|ns| ns.as_u64().expect("a number")).sum();
    assert_eq!(wq["wait_ns"]["sum"], sum);
    assert_eq!(sum, 6 * 3_000_000);
    assert_eq!(stats["pools"][0]["id"], 2);
}

#[test]
fn the_state_shows_what_runs() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "demo");
    engine.work(0);
    let file = engine.path.to_str().expect("UTF-8");
    let run = place.run(&["state", "--file", file]);
    let text = run.good();
    assert!(text.contains("\nworkqueue mixed: flags=0x100\n"), "{text}");
    assert!(
        text.contains(&format!("    in-flight: {TID}:flush_cache for ")),
        "{text}"
    );
    assert!(
        text.contains("\npool 2: cpus=0 flags=0x0 nice=0 hung=0s workers=1\n"),
        "{text}"
    );
    let json = place.run(&["state", "-j", "--file", file]).json();
    let pwq = &json["workqueues"][0]["pwqs"][0];
    assert_eq!((&pwq["pool"], &pwq["active"]), (&2.into(), &1.into()));
    assert_eq!(pwq["inflight"][0]["function"], "flush_cache");
}

#[test]
fn events_are_ftrace_text_and_losses_are_counted() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "demo");
    engine.work(99);
    let file = engine.path.to_str().expect("UTF-8");
    let run = place.run(&["events", "--file", file]);
    let text = run.good();
    assert!(
        text.starts_with("# tracer: nop\n# engine demo, pid "),
        "{text}"
    );
    let events: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let last = events.last().expect("events");
    assert!(
        last.ends_with(
            ": workqueue_execute_start: work struct 0000000000000064: function flush_cache"
        ),
        "{last}"
    );
    assert!(
        last.starts_with("     kworker/0:0-4000001 [000] ..... "),
        "{last}"
    );
    // 99 items with three events and one with two.
    let lost = 99 * 3 + 2 - events.len();
    assert!(lost > 0, "the ring is small");
    let total = format!(
        "\n# lost {lost} events in total, {} printed\n",
        events.len()
    );
    assert!(text.ends_with(&total), "{text}");
}

#[test]
fn events_in_json_are_one_object_a_line() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "demo");
    engine.work(1);
    let run = place.run(&[
        "events",
        "--json",
        "--file",
        engine.path.to_str().expect("UTF-8"),
    ]);
    let lines = run
        .good()
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let lines: Vec<serde_json::Value> = lines.collect();
    assert_eq!(lines.len(), 5 + 1);
    assert_eq!(lines[0]["event"], "workqueue_queue_work");
    assert_eq!(
        (&lines[0]["cpu"], &lines[0]["pool_cpu"]),
        (&0.into(), &0.into())
    );
    assert_eq!(
        (&lines[0]["req_cpu"], &lines[0]["work"]),
        (&8192.into(), &"0000000000000001".into())
    );
    assert_eq!(
        (&lines[5]["lost"], &lines[5]["printed"]),
        (&0.into(), &5.into())
    );
}

#[test]
fn an_engine_that_writes_on_and_on_does_not_keep_us() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "demo");
    let file = engine.path.to_str().expect("UTF-8").to_owned();
    let stop = AtomicBool::new(false);
    let run = std::thread::scope(|scope| {
        scope.spawn(|| engine.emit_until(&stop));
        let run = place.run(&["events", "--file", &file]);
        stop.store(true, Ordering::Relaxed);
        run
    });
    let stamps = run.good().lines().filter_map(|line| {
        let (_, rest) = line.split_once(" ..... ")?;
        let (seconds, micros) = rest.split_once(": ")?.0.trim().split_once('.')?;
        Some((
            seconds.parse().expect("seconds"),
            micros.parse().expect("microseconds"),
        ))
    });
    let stamps: Vec<(u64, u64)> = stamps.collect();
    assert!(stamps.is_sorted(), "merged by time");
    let total = run.stdout().lines().last().expect("a last line");
    let printed = format!(" events in total, {} printed", stamps.len());
    assert!(
        total.starts_with("# lost ") && total.ends_with(&printed),
        "{total}"
    );
}

#[test]
fn an_engine_that_ended_is_read_to_its_end() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "demo");
    engine.work(2);
    engine.segment.mark_ended(u64::MAX / 2);
    let file = engine.path.to_str().expect("UTF-8").to_owned();
    let events = place.run(&["events", "--file", &file]);
    assert!(
        events
            .good()
            .ends_with("# lost 0 events in total, 8 printed\n"),
        "{}",
        events.stdout()
    );
    assert!(
        place
            .run(&["state", "--file", &file])
            .good()
            .contains(", ended, ")
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "demo");
    engine.work(50);
    let file = engine.path.to_str().expect("UTF-8");
    for command in ["events", "stats", "state", "list"] {
        let flags: &[&str] = if command == "list" {
            &[]
        } else {
            &["--file", file]
        };
        let mut command = place.command(&[&[command], flags].concat());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("wq-dump runs");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0));
        assert!(
            output.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn colour_is_asked_for_or_not_there() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "demo");
    engine.work(1);
    let file = engine.path.to_str().expect("UTF-8");
    let coloured = |flags: &[&str]| {
        let run = place.run(&[&["stats", "--file", file], flags].concat());
        run.good().contains('\u{1b}')
    };
    assert!(coloured(&["--color", "always"]));
    assert!(!coloured(&["--color", "never"]));
    assert!(!coloured(&[]), "the output is no terminal");
}

#[test]
fn the_log_goes_to_its_file() {
    let place = Place::new();
    let engine = Engine::start(&place, "demo");
    let log = place.path().join("log");
    let log = log.to_str().expect("UTF-8");
    let run = place.run(&[
        "stats",
        "--file",
        engine.path.to_str().expect("UTF-8"),
        "--log",
        log,
    ]);
    assert!(!run.good().contains("reading"));
    assert!(
        std::fs::read_to_string(log)
            .expect("a log")
            .contains("reading")
    );
    let run = place.run(&["stats", "--log", "/nowhere/at/all"]);
    assert!(run.bad(2).contains("/nowhere/at/all"), "{}", run.stderr());
}

#[test]
fn completions_know_the_commands() {
    let run = Place::new().run(&["completions", "bash"]);
    for command in ["config", "events"] {
        assert!(run.good().contains(command), "{}", run.stdout());
    }
}
