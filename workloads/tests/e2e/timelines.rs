//! The timelines of the kernel's documentation: exact in simulation, in order on threads.

use crate::place::{Place, finished, named, number, parts, rows, text_of};
use serde_json::Value;

/// Names of the scripts, and when w0, w1 and w2 end, in milliseconds.
const TIMELINES: [(&str, [u64; 3]); 4] = [
    ("kernel-doc-cmwq", [20, 20, 25]),
    ("kernel-doc-max-active-2", [20, 20, 35]),
    ("kernel-doc-cpu-intensive", [20, 20, 25]),
    ("kernel-doc-one-at-a-time", [20, 35, 50]),
];

/// Both twins of each, as paths.
fn scripts() -> impl Iterator<Item = (String, [u64; 3])> {
    TIMELINES.into_iter().flat_map(|(name, finishes)| {
        ["", "-hints"].map(|twin| (format!("scripts/{name}{twin}.toml"), finishes))
    })
}

/// The only execution of an item.
fn execution<'a>(report: &'a Value, work: &str) -> &'a Value {
    let executions = rows(named(report, "works", work), "executions");
    assert_eq!(executions.len(), 1, "{work}: {report}");
    &executions[0]
}

fn of_all(report: &Value, key: &str) -> [u64; 3] {
    ["w0", "w1", "w2"].map(|work| number(execution(report, work), key))
}

/// A line as ftrace prints it, taken apart.
struct Line<'a> {
    comm: &'a str,
    tid: u32,
    event: &'a str,
    fields: &'a str,
}

/// Takes a line apart; put together again in the form of the contract it must be the same.
#[track_caller]
fn line(text: &str) -> Line<'_> {
    let parse = || {
        let (head, rest) = text.split_once(" [")?;
        let (comm, tid) = head.trim().rsplit_once('-')?;
        let (cpu, rest) = rest.split_once("] ..... ")?;
        let (stamp, rest) = rest.split_once(": ")?;
        let (event, fields) = rest.split_once(": ")?;
        let (seconds, micros) = stamp.trim().split_once('.')?;
        let (tid, cpu): (u32, u32) = (tid.parse().ok()?, cpu.parse().ok()?);
        let (seconds, micros): (u64, u32) = (seconds.parse().ok()?, micros.parse().ok()?);
        let again = format!(
            "{comm:>16}-{tid:<7} [{cpu:03}] ..... {seconds:>5}.{micros:06}: {event}: {fields}"
        );
        (again == text).then_some(Line {
            comm,
            tid,
            event,
            fields,
        })
    };
    parse().unwrap_or_else(|| panic!("no ftrace line: {text:?}"))
}

#[test]
fn simulated_they_end_when_the_documentation_says() {
    let place = Place::new();
    for (script, finishes) in scripts() {
        let run = finished(&mut place.replay(&["simulate", &script, "--report", "json"]));
        assert_eq!((run.code(), &*run.stderr), (0, ""), "{script}: {run:?}");
        let report = run.json();
        let expected = finishes.map(|ms| ms * 1_000_000);
        assert_eq!(of_all(&report, "finished_ns"), expected, "{script}");
        for row in rows(&report, "workqueues") {
            assert_eq!(
                parts(row),
                number(&row["wait_ns"], "sum"),
                "{script}: {row}"
            );
        }
    }
}

#[test]
fn simulated_twice_they_give_the_same_text() {
    let place = Place::new();
    for (script, _) in scripts() {
        let report = text_of(&place.path("report"));
        let args = ["simulate", &script, "--events", "-o", &report];
        let text = |_| finished(&mut place.replay(&args)).good().to_owned();
        let [first, second] = [0, 1].map(text);
        assert_eq!(first, second, "{script}");
        let mut lines = first.lines();
        assert_eq!(lines.next(), Some("# tracer: nop"), "{script}");
        let lines: Vec<_> = lines.map(line).collect();
        assert!(
            lines
                .iter()
                .all(|line| line.event.starts_with("workqueue_"))
        );
        assert!(lines.iter().all(|line| line.tid >= 1000), "virtual threads");
        let ends = lines.iter().filter(|l| l.event == "workqueue_execute_end");
        assert_eq!(ends.count(), 3, "{script}");
    }
}

#[test]
fn the_kernels_tracepoints_keep_their_text() {
    let place = Place::new();
    let run =
        finished(&mut place.replay(&["simulate", "scripts/kernel-doc-cmwq.toml", "--events"]));
    let lines: Vec<_> = run.good().lines().skip(1).map(line).collect();
    let of_w1: Vec<_> = lines
        .iter()
        .filter(|line| line.fields.contains("0000000000000002"))
        .map(|line| (line.comm, line.event, line.fields))
        .collect();
    assert_eq!(
        of_w1,
        [
            (
                "p0",
                "workqueue_queue_work",
                "work struct=0000000000000002 function=w1 workqueue=q0 req_cpu=8192 cpu=0"
            ),
            (
                "p0",
                "workqueue_activate_work",
                "work struct 0000000000000002 function=w1 "
            ),
            (
                "kworker/0:1",
                "workqueue_execute_start",
                "work struct 0000000000000002: function w1"
            ),
            (
                "kworker/0:1",
                "workqueue_execute_end",
                "work struct 0000000000000002: function w1"
            ),
        ]
    );
}

/// What holds however busy the machine is.
#[track_caller]
fn is_sound(script: &str, report: &Value) {
    let [queued, started, finished] =
        ["queued_ns", "started_ns", "finished_ns"].map(|key| of_all(report, key));
    assert!(
        queued.is_sorted() && started.is_sorted(),
        "{script}: {report}"
    );
    for item in 0..3 {
        assert!(queued[item] <= started[item], "{script}: {report}");
        assert!(started[item] < finished[item], "{script}: {report}");
    }
    for row in rows(report, "workqueues") {
        assert_eq!(number(row, "queued"), number(row, "completed"), "{row}");
        assert_eq!(
            parts(row),
            number(&row["wait_ns"], "sum"),
            "{script}: {row}"
        );
    }
    if script.contains("one-at-a-time") {
        assert!(
            finished[0] <= started[1] && finished[1] <= started[2],
            "{report}"
        );
    }
    if script.contains("max-active-2") {
        assert!(
            finished[0].min(finished[1]) <= started[2],
            "{script}: {report}"
        );
    }
    for expectation in rows(report, "expectations") {
        let text = expectation["text"].as_str().expect("text");
        let may_fail = text.starts_with("order of finishes");
        assert!(
            may_fail || expectation["ok"] == true,
            "{script}: {expectation}"
        );
    }
}

#[test]
fn on_threads_they_are_complete_and_in_order() {
    let place = Place::new();
    for (script, _) in scripts() {
        // w1 and w2 of these share a CPU at the same time: which ends first is up to the system's scheduler.
        let shared = script.contains("cpu-intensive");
        // Other programs may hold an item up for longer than the distance to the next: then once more.
        let in_order = (0..40).any(|_| {
            let report = place.report(&script, &[0, 1]);
            is_sound(&script, &report);
            rows(&report, "expectations")
                .iter()
                .all(|e| e["ok"] == true)
        });
        assert!(in_order || shared, "{script}: never in order");
    }
}
