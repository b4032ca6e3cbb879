//! The same totals in the report, in the counters and in the events, after the engine has ended.

use crate::place::{Place, finished, named, number, own_script, parts, rows, text_of};
use serde_json::Value;
use wq_trace::Reader;

/// `wq-dump COMMAND` of the segment that an ended engine left.
fn dumped(place: &Place, command: &str) -> Option<crate::place::Run> {
    let segment = text_of(&place.segment());
    let mut dump = place.tool("wq-dump", &[command, "--json", "--file", &segment])?;
    let run = finished(&mut dump);
    run.good();
    Some(run)
}

/// Each workqueue of the report has the same counters in the other document.
#[track_caller]
fn agree(report: &Value, stats: &Value) {
    for row in rows(report, "workqueues") {
        let name = row["name"].as_str().expect("a name");
        let other = named(stats, "workqueues", name);
        for key in ["queued", "started", "completed", "cancelled", "refused"] {
            assert_eq!(row[key], other[key], "{key} of {name}");
        }
        assert_eq!(row["wait_ns"]["sum"], other["wait_ns"]["sum"], "{name}");
        assert_eq!(row["breakdown_ns"], other["breakdown_ns"], "{name}");
    }
}

/// The parts of every wait add up to it.
#[track_caller]
fn parts_sum(report: &Value, stats: &Value) {
    let rows_of = |document| rows(document, "workqueues").iter();
    for row in rows_of(report).chain(rows_of(stats)) {
        assert_eq!(parts(row), number(&row["wait_ns"], "sum"), "{row}");
    }
    for row in rows(stats, "functions") {
        assert_eq!(parts(row), number(row, "wait_ns"), "{row}");
    }
}

/// Events of one kind.
fn count(events: &[Value], event: &str) -> u64 {
    events.iter().filter(|line| line["event"] == event).count() as u64
}

fn is_marked_ended(place: &Place) {
    let segment = place.segment();
    let Some(mut list) = place.tool("wq-dump", &["list", "--json"]) else {
        return;
    };
    let list = finished(&mut list).json();
    let row = &list.as_array().expect("a list")[0];
    assert_eq!(row["state"], "ended", "{row}");
    assert_eq!(row["path"], text_of(&segment), "{row}");
}

#[test]
fn where_nothing_is_lost_three_counts_are_one() {
    let place = Place::new();
    let report = place.report("scripts/max-active.toml", &[0]);
    assert_eq!(report["lost_events"], 0);
    is_marked_ended(&place);
    let (Some(stats), Some(events)) = (dumped(&place, "stats"), dumped(&place, "events")) else {
        return;
    };
    let (stats, events) = (stats.json(), events.json_lines());
    agree(&report, &stats);
    parts_sum(&report, &stats);
    balanced(&stats);
    let executed = count(&events, "workqueue_execute_end");
    let completed = rows(&report, "workqueues").iter();
    let completed: u64 = completed.map(|row| number(row, "completed")).sum();
    assert_eq!((executed, completed), (1080, 1080));
    assert_eq!(count(&events, "workqueue_execute_start"), executed);
    assert_eq!(count(&events, "workqueue_queue_work"), executed);
    let losses = events.last().expect("the losses");
    assert_eq!(number(losses, "lost"), 0);
    assert_eq!(number(losses, "printed"), events.len() as u64 - 1);
}

#[test]
fn what_was_lost_is_counted_and_the_totals_stay_exact() {
    let place = Place::new();
    let report = place.report(&own_script("busy.toml"), &[0]);
    let lost = number(&report, "lost_events");
    assert!(
        lost > 0,
        "a ring holds 4,096 events, and this producer emits more"
    );
    assert_eq!(
        number(named(&report, "workqueues", "events"), "completed"),
        6000
    );
    let snapshot = Reader::open(&place.segment())
        .expect("a segment")
        .snapshot();
    let written = snapshot
        .expect("readable")
        .rings
        .iter()
        .map(|ring| ring.written)
        .sum::<u64>();
    let (Some(stats), Some(events)) = (dumped(&place, "stats"), dumped(&place, "events")) else {
        return;
    };
    let (stats, events) = (stats.json(), events.json_lines());
    agree(&report, &stats);
    parts_sum(&report, &stats);
    let losses = events.last().expect("the losses");
    let (gone, printed) = (number(losses, "lost"), number(losses, "printed"));
    assert_eq!(gone + printed, written, "{losses}");
    // A line stands where events are missing, too.
    let gaps = count(&events, "lost");
    assert_eq!(printed + gaps, events.len() as u64 - 1);
    assert!(
        gone >= lost,
        "the report was written before the engine ended"
    );
    assert_eq!(number(&stats, "lost_events"), gone);
    let placed = events.iter().filter(|line| line["event"] == "lost");
    let placed = placed.map(|gap| number(gap, "lost")).sum::<u64>();
    assert_eq!(placed + number(losses, "no_ring"), gone, "{losses}");
    assert!(gone >= 6000 * 3 - 4096, "the poker alone: {losses}");
    let unnamed = events
        .iter()
        .filter(|event| event["workqueue"] == "unknown");
    assert_eq!(unnamed.count(), 0, "names outlive the engine");
}

#[test]
fn the_text_says_the_same() {
    let place = Place::new();
    place.report(&own_script("small.toml"), &[0]);
    let segment = text_of(&place.segment());
    let Some(mut stats) = place.tool("wq-dump", &["stats", "--file", &segment]) else {
        return;
    };
    let stats = finished(&mut stats);
    let totals = stats.good().lines().find(|line| line.starts_with("total"));
    let totals: Vec<_> = totals.expect("sums").split_whitespace().collect();
    assert_eq!(totals[1], "8", "{}", stats.stdout);
    let mut events = place
        .tool("wq-dump", &["events", "--file", &segment])
        .expect("it is there");
    let events = finished(&mut events);
    let ends = events
        .good()
        .lines()
        .filter(|l| l.contains(": workqueue_execute_end: "));
    assert_eq!(ends.count(), 8);
    let last = events.stdout.lines().last().expect("the losses");
    assert!(last.starts_with("# lost 0 events in total, "), "{last}");
}

/// A ring's bytes and an event's, as an engine has them that is not told otherwise.
const RING_EVENTS: u64 = 256 * 1024 / 64;

#[test]
fn rings_that_are_overrun_a_hundred_times_lose_a_known_number_and_no_total() {
    let place = Place::new();
    let report = place.report(&own_script("overrun.toml"), &[0]);
    let snapshot = Reader::open(&place.segment())
        .expect("a segment")
        .snapshot()
        .expect("readable");
    let written: Vec<u64> = snapshot.rings.iter().map(|ring| ring.written).collect();
    let laps = written.iter().filter(|n| **n >= 100 * RING_EVENTS);
    assert!(
        laps.count() >= 2,
        "the producer's and the worker's: {written:?}"
    );
    let emitted = written.iter().sum::<u64>() + snapshot.lost_no_ring;
    let row = named(&report, "workqueues", "events");
    for key in ["queued", "started", "completed"] {
        assert_eq!(number(row, key), 210_000, "{row}");
    }
    let (Some(stats), Some(events)) = (dumped(&place, "stats"), dumped(&place, "events")) else {
        return;
    };
    let (stats, events) = (stats.json(), events.json_lines());
    agree(&report, &stats);
    parts_sum(&report, &stats);
    balanced(&stats);
    let losses = events.last().expect("the losses");
    let (lost, printed) = (number(losses, "lost"), number(losses, "printed"));
    let gaps = events.iter().filter(|line| line["event"] == "lost");
    let placed: u64 = gaps.clone().map(|gap| number(gap, "lost")).sum();
    assert_eq!(printed + gaps.count() as u64, events.len() as u64 - 1);
    assert_eq!(placed + number(losses, "no_ring"), lost, "{losses}");
    assert_eq!(lost + printed, emitted, "{losses}");
    assert_eq!(number(&stats, "lost_events"), lost);
    // Each round has at least queue_work, activate_work, execute_start and execute_end.
    assert!(emitted >= 4 * 210_000, "{losses}");
}

/// At rest each workqueue's items are completed, cancelled or still there.
#[track_caller]
fn balanced(stats: &Value) {
    for row in rows(stats, "workqueues") {
        let all = ["completed", "cancelled", "pending", "inactive", "running"];
        let all: u64 = all.iter().map(|key| number(row, key)).sum();
        assert_eq!(number(row, "queued"), all, "{row}");
    }
}
