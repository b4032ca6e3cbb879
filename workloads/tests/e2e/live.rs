//! An engine watched from outside while it runs, and after it was killed.

use crate::place::{
    Place, Running, eventually, finished, named, number, own_script, rows, text_of,
};
use rustix::process::Signal;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use wq_engine::SYSTEM_WORKQUEUE_NAMES;
use wq_trace::{Reader, Snapshot};

/// The headings of the kernel's `wq_monitor.py`.
const HEADINGS: &str =
    "                            total  infl  CPUtime CPUitsv CMW/RPR  mayday rescued";

/// The keys of the contract, in its order.
const KEYS: [&str; 25] = [
    "timestamp",
    "id",
    "name",
    "unbound",
    "mem_reclaim",
    "started",
    "completed",
    "cpu_time",
    "cpu_intensive",
    "cm_wakeup",
    "repatriated",
    "mayday",
    "rescued",
    "queued",
    "cancelled",
    "refused",
    "dropped",
    "pending",
    "inactive",
    "running",
    "wait_ns",
    "run_ns",
    "breakdown_ns",
    "lost_events",
    "warnings",
];

/// A replay that goes on until it is ended, and that has worked already.
fn endless(place: &Place) -> Running {
    let script = own_script("endless.toml");
    let mut replay = place.replay(&["run", &script]);
    let replay = Running::start(replay.stdout(Stdio::null()));
    eventually("every workqueue has completed something", || {
        let snapshot = snapshot(place, &replay)?;
        let busy = ["events", "line", "urgent"].into_iter().all(|name| {
            let wq = snapshot.workqueues.iter().find(|wq| wq.name == name);
            let pwqs = snapshot
                .pwqs
                .iter()
                .filter(|pwq| Some(pwq.wq) == wq.map(|wq| wq.id));
            pwqs.map(|pwq| pwq.counters[wq_trace::Counter::Completed as usize])
                .sum::<u64>()
                > 20
        });
        busy.then_some(())
    });
    replay
}

/// What stands in its segment; `None` while there is none.
fn snapshot(place: &Place, replay: &Running) -> Option<Snapshot> {
    let path = place
        .runtime_dir()
        .join(format!("{}-endless.wqseg", replay.pid()));
    Reader::open(&path).ok()?.snapshot().ok()
}

/// What `wq-dump list` says about the only engine.
fn listed(place: &Place) -> Option<Value> {
    let list = finished(&mut place.tool("wq-dump", &["list", "--json"])?);
    list.good();
    let list = list.json();
    let [row] = list.as_array().expect("a list").as_slice() else {
        panic!("one engine: {list}");
    };
    Some(row.clone())
}

/// In every row, what is over has begun, and what has begun was queued.
#[track_caller]
fn counts_are_ordered(stats: &Value) {
    let rows = rows(stats, "workqueues")
        .iter()
        .chain(rows(stats, "functions"));
    for row in rows {
        let [queued, started, completed] =
            ["queued", "started", "completed"].map(|key| number(row, key));
        assert!(completed <= started && started <= queued, "{row}");
    }
}

#[test]
fn it_is_listed_and_its_counters_move() {
    let place = Place::new();
    let replay = endless(&place);
    let Some(row) = listed(&place) else {
        return;
    };
    assert_eq!(row["state"], "live", "{row}");
    assert_eq!(row["pid"].to_string(), replay.pid());
    assert_eq!(row["name"], "endless");
    let pid = replay.pid();
    let stats = || {
        let dump = place.tool("wq-dump", &["stats", "--json", "--pid", &pid]);
        finished(&mut dump.expect("it is there")).json()
    };
    let completed = |stats: &Value| number(named(stats, "workqueues", "urgent"), "completed");
    let first = stats();
    counts_are_ordered(&first);
    eventually("more is done", || {
        (completed(&stats()) > completed(&first)).then_some(())
    });
    let state = place
        .tool("wq-dump", &["state"])
        .expect("it is there")
        .output();
    let state = crate::place::Run::from(state.expect("it runs"));
    assert!(
        state
            .good()
            .contains("Showing busy workqueues and worker pools:"),
        "{state:?}"
    );
}

#[test]
fn whoever_has_read_enough_events_may_go() {
    let place = Place::new();
    let _replay = endless(&place);
    let Some(mut dump) = place.tool("wq-dump", &["events"]) else {
        return;
    };
    let mut dump = Running::start(dump.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut lines = BufReader::new(dump.0.stdout.take().expect("a pipe")).lines();
    let head: Vec<_> = lines
        .by_ref()
        .take(10)
        .map(|line| line.expect("text"))
        .collect();
    drop(lines);
    assert_eq!(dump.end().code(), Some(0));
    let mut said = String::new();
    dump.0
        .stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut said)
        .expect("text");
    assert_eq!(said, "");
    assert_eq!(head[0], "# tracer: nop");
    let events = head.iter().filter(|line| line.contains("] ..... "));
    assert_eq!(events.count(), head.len() - 2, "{head:?}");
}

#[test]
fn its_threads_have_the_kernels_names() {
    let place = Place::new();
    let replay = endless(&place);
    let cpus = snapshot(&place, &replay).expect("it runs").meta.cpus;
    let (first, last) = (cpus[0], cpus[cpus.len() - 1]);
    let expected = [
        format!("kworker/{first}:0"),
        format!("kworker/{first}:0H"),
        format!("kworker/u{}:0", 4 * (last + 1)),
    ];
    let tasks = std::fs::read_dir(format!("/proc/{}/task", replay.pid())).expect("it runs");
    let names: Vec<_> = tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .collect();
    for name in expected {
        assert!(
            names.iter().any(|comm| comm.trim_end() == name),
            "{name}: {names:?}"
        );
    }
}

#[test]
fn the_monitor_prints_the_kernels_table_and_json_once() {
    let place = Place::new();
    let _replay = endless(&place);
    let args = ["--plain", "-i", "0", "^events$"];
    let Some(mut monitor) = place.tool("wq-monitor", &args) else {
        return;
    };
    let table = finished(&mut monitor);
    let lines: Vec<_> = table
        .good()
        .lines()
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(lines.len(), 2, "{table:?}");
    assert_eq!(lines[0], HEADINGS);
    let cells: Vec<_> = lines[1].split_whitespace().collect();
    assert_eq!((cells.len(), cells[0]), (8, "events"), "{}", lines[1]);
    assert!(
        cells[1].parse::<u64>().expect("a number") > 20,
        "{}",
        lines[1]
    );

    let mut json = place
        .tool("wq-monitor", &["--json", "-i", "0"])
        .expect("it is there");
    let json = finished(&mut json);
    json.good();
    let rows = json.json_lines();
    assert_eq!(
        rows.len(),
        SYSTEM_WORKQUEUE_NAMES.len() + 2,
        "the system workqueues and two of the script"
    );
    for (row, text) in rows.iter().zip(json.stdout.lines()) {
        let row = row.as_object().expect("an object");
        assert_eq!(row.len(), KEYS.len(), "{text}");
        let places = KEYS.map(|key| {
            text.find(&format!("\"{key}\":"))
                .unwrap_or_else(|| panic!("{key}: {text}"))
        });
        assert!(places.is_sorted(), "{text}");
        assert!(
            row["timestamp"].is_f64() && row["warnings"].is_array(),
            "{text}"
        );
        for percentiles in ["wait_ns", "run_ns"] {
            for key in ["p50", "p90", "p99", "max", "sum"] {
                number(&row[percentiles], key);
            }
        }
        assert_eq!(
            row["breakdown_ns"].as_object().expect("parts").len(),
            12,
            "{text}"
        );
    }
}

#[test]
fn killed_it_is_dead_and_still_readable() {
    let place = Place::new();
    let mut replay = endless(&place);
    replay.signal(Signal::KILL);
    replay.end();
    let Some(row) = listed(&place) else {
        return;
    };
    assert_eq!(row["state"], "dead", "{row}");
    let segment = text_of(&place.segment());
    assert_eq!(row["path"], segment);
    let dump = |args: &[&str]| {
        let args = [args, &["--file", &segment]].concat();
        let run = finished(&mut place.tool("wq-dump", &args).expect("it is there"));
        run.good();
        run
    };
    let stats = dump(&["stats", "--json"]).json();
    counts_are_ordered(&stats);
    assert!(number(named(&stats, "workqueues", "urgent"), "completed") > 20);
    let state = dump(&["state", "--json"]).json();
    let busy = named(&state, "workqueues", "line");
    assert!(
        !rows(busy, "pwqs").is_empty(),
        "one of three was in flight: {busy}"
    );
    assert!(dump(&["stats"]).stdout.contains(", dead, "));
    dump(&["state"]);
    let events = dump(&["events", "--json"]).json_lines();
    let ends = events
        .iter()
        .filter(|e| e["event"] == "workqueue_execute_end");
    assert!(ends.count() > 20);
    assert!(events.last().expect("the losses")["printed"].is_u64());

    let mut gone = place
        .tool("wq-dump", &["stats", "--pid", &replay.pid()])
        .expect("it is there");
    assert!(finished(&mut gone).bad(3).contains(&replay.pid()));
    let mut none = place.tool("wq-dump", &["stats"]).expect("it is there");
    let none = finished(&mut none);
    assert!(
        none.bad(2).contains("no live engine") && none.stderr.contains(&segment),
        "{none:?}"
    );
}
