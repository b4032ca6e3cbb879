//! What the engine says of the waits on threads, scored against the stamps of the executions: the parts are the wait to
//! the nanosecond, and nearly all of it is the part that the script is about.

use crate::place::{Place, named, number, parts, rows};
use serde_json::Value;
use std::path::Path;

/// Of a hundred: what must be in the right part.
const MOST: u64 = 95;
/// Of a hundred: how far the stamps may say something else. They do not tell when a worker is kept from the CPU between
/// two items, which a busy machine may do for 100 ms.
const APART: u64 = 10;
/// A worker between two items runs too: a gap that is shorter than this is none.
const GAP_NS: u64 = 2_000_000;

const HOG: &str = r#"
name = "hog"
cpus = 1
[engine]
cpu_intensive_thresh = "0ms"
[[workqueue]]
name = "batch"
[[work]]
name = "crunch"
workqueue = "batch"
body = ["burn 1s"]
[[work]]
name = "ping"
workqueue = "batch"
body = ["burn 1ms"]
instances = 3
[[producer]]
name = "p0"
works = ["crunch", "ping"]
count = 2
[[producer]]
name = "p1"
at = "5ms"
works = ["ping"]
count = 2
[[expect]]
workqueue = "batch"
completed = 3
"#;

/// Each naps after some work, and the tick notices that a hundredth of a second later. It can tell when a nap began only of
/// an item at which it looked before.
const NAPS: &str = r#"
name = "naps"
cpus = 1
[engine]
sensing = "tick"
cpu_intensive_thresh = "0ms"
[[workqueue]]
name = "batch"
[[work]]
name = "nap"
workqueue = "batch"
body = ["burn 25ms", "sleep 2s"]
instances = 12
[[producer]]
name = "p0"
works = ["nap"]
count = 12
"#;

/// What each item of [`NAPS`] burns.
const BURN_NS: u64 = 25_000_000;

/// When a workqueue's items waited and ran, in nanoseconds.
struct Stamps {
    waits: Vec<(u64, u64)>,
    runs: Vec<(u64, u64)>,
}

impl Stamps {
    fn of(report: &Value, workqueue: &str) -> Self {
        let works = rows(report, "works").iter();
        let works = works.filter(|work| work["workqueue"] == workqueue);
        let executions: Vec<&Value> = works.flat_map(|work| rows(work, "executions")).collect();
        let spans = |from: &str, to: &str| {
            let span = |e: &&Value| (number(e, from), number(e, to));
            executions.iter().map(span).collect()
        };
        Self {
            waits: spans("queued_ns", "started_ns"),
            runs: spans("started_ns", "finished_ns"),
        }
    }

    fn waited(&self) -> u64 {
        self.waits.iter().map(|(from, to)| to - from).sum()
    }

    /// How much of the waits lies where an execution went on.
    fn waited_while_one_ran(&self) -> u64 {
        let mut turns: Vec<(u64, i32)> = Vec::new();
        for (from, to) in &self.runs {
            turns.extend([(*from, 1), (*to, -1)]);
        }
        turns.sort_unstable();
        let (mut running, mut busy): (i32, Vec<(u64, u64)>) = (0, Vec::new());
        for (at, change) in turns {
            let before = running;
            running += change;
            if before == 0 && running > 0 {
                match busy.last_mut() {
                    Some((_, end)) if at - *end < GAP_NS => *end = u64::MAX,
                    _ => busy.push((at, u64::MAX)),
                }
            } else if before > 0 && running == 0 {
                busy.last_mut().expect("it began").1 = at;
            }
        }
        let inside = |(from, to): &(u64, u64)| -> u64 {
            let first = busy.partition_point(|(_, end)| end <= from);
            let there = busy[first..].iter().take_while(|(begin, _)| begin < to);
            there
                .map(|(begin, end)| end.min(to) - begin.max(from))
                .sum()
        };
        self.waits.iter().map(inside).sum()
    }
}

impl Stamps {
    /// How much of the waits passed before all but `limit` - 1 of the items queued earlier had ended: who is queued
    /// first is active first.
    fn waited_for_a_slot(&self, limit: usize) -> u64 {
        let mut items: Vec<_> = self.waits.iter().zip(&self.runs).collect();
        items.sort_unstable();
        let (mut ends, mut sum): (Vec<u64>, u64) = (Vec::new(), 0);
        for ((queued, started), (_, ended)) in items {
            if let Some(decides) = ends.len().checked_sub(limit) {
                sum += ends[decides].clamp(*queued, *started) - queued;
            }
            let place = ends.partition_point(|end| end < ended);
            ends.insert(place, *ended);
        }
        sum
    }
}

impl Stamps {
    /// How much of the waits lies in the first `burn` nanoseconds of an execution.
    fn waited_for_the_first(&self, burn: u64) -> u64 {
        let begins = || self.runs.iter().map(|(begin, _)| *begin);
        let inside = |(from, to): &(u64, u64)| -> u64 {
            let of = |begin: u64| (begin + burn).min(*to).saturating_sub(begin.max(*from));
            begins().map(of).sum()
        };
        self.waits.iter().map(inside).sum()
    }
}

/// The parts of this workqueue's wait add up to what the stamps say, and these are nearly all of it, `but` for others.
/// Returns their sum.
#[track_caller]
fn right(report: &Value, workqueue: &str, expected: &[&str], but: &[&str]) -> u64 {
    let row = named(report, "workqueues", workqueue);
    let wait = parts(row);
    assert_eq!(wait, number(&row["wait_ns"], "sum"), "{row}");
    let stamps = Stamps::of(report, workqueue);
    if stamps.waits.len() as u64 == number(row, "completed") {
        assert_eq!(wait, stamps.waited(), "{row}");
    }
    let sum = |parts: &[&str]| -> u64 {
        let of = |part: &&str| number(&row["breakdown_ns"], part);
        parts.iter().map(of).sum()
    };
    let (booked, wait) = (sum(expected), wait - sum(but));
    assert!(booked * 100 >= wait * MOST, "{expected:?}: {row}");
    booked
}

/// As [`right`]; and the stamps say the same, in hundredths, since a report keeps only the first executions of an item.
#[track_caller]
fn scored(report: &Value, workqueue: &str, expected: &[&str], said: impl Fn(&Stamps) -> u64) {
    let booked = right(report, workqueue, expected, &[]);
    let row = named(report, "workqueues", workqueue);
    let stamps = Stamps::of(report, workqueue);
    let (said, booked) = (
        said(&stamps) * 100 / stamps.waited(),
        booked * 100 / parts(row),
    );
    assert!(
        said.abs_diff(booked) <= APART,
        "{workqueue}: {booked} % booked, {said} % by the stamps: {row}"
    );
}

/// A worker that was woken and is kept from the CPU: in a script that keeps the CPU free it is the machine that does
/// this, for as long as it likes. What the script makes is then at least as long as it says, in its own part.
const MACHINE: &[&str] = &["runqueue"];

fn run(script: &str) -> Value {
    // An expectation of another test's may fail here: this one is about the waits.
    Place::new().report(script, &[0, 1])
}

#[test]
fn held_by_max_active() {
    let report = run("scripts/max-active.toml");
    let part = ["inactive_max_active"];
    scored(&report, "narrow", &part, |stamps| {
        stamps.waited_for_a_slot(4)
    });
    scored(&report, "wide", &part, |stamps| {
        stamps.waited_for_a_slot(16)
    });
}

#[test]
fn items_that_queue_themselves() {
    let report = run("scripts/requeue-storm.toml");
    scored(
        &report,
        "storms",
        &["self", "concurrency"],
        Stamps::waited_while_one_ran,
    );
}

#[test]
fn behind_a_hog() {
    let place = Place::new();
    let report = place.report(&place.script(HOG), &[0]);
    scored(
        &report,
        "batch",
        &["concurrency"],
        Stamps::waited_while_one_ran,
    );
}

/// A script of the folder `waits` with longer waits: a busy machine may keep everybody from the CPU for 100 ms.
fn run_longer(name: &str, short: &str, long: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/waits");
    let text = std::fs::read_to_string(path.join(name)).expect("a script");
    let longer = text.replace(short, long).replace("max_wait", "# max_wait");
    assert!(longer.contains(long), "{longer}");
    let place = Place::new();
    place.report(&place.script(&longer), &[0])
}

#[test]
fn held_by_order() {
    // 66 times 100 ms instead of 6.
    let report = run_longer("part-ordered.toml", " = 4\n", " = 12\n");
    scored(&report, "journal", &["inactive_ordered"], |stamps| {
        stamps.waited_for_a_slot(1)
    });
}

#[test]
fn frozen() {
    let report = run_longer("part-frozen.toml", "wait 1s", "wait 6s");
    let booked = right(&report, "disk", &["inactive_frozen"], MACHINE);
    assert!(
        booked >= 18_000_000_000,
        "three times the script's six seconds: {report}"
    );
}

#[test]
fn no_worker_can_be_made() {
    let report = run_longer("part-no-worker.toml", "wait 1s", "wait 6s");
    let booked = right(&report, "plain", &["no_worker"], MACHINE);
    let whole = 18_000_000_000;
    assert!(
        booked * 100 >= whole * MOST,
        "three times the script's six seconds: {report}"
    );
}

#[test]
fn blocks_that_are_noticed_late() {
    let place = Place::new();
    let report = place.report(&place.script(NAPS), &[0]);
    let machine = ["runqueue", "no_worker"];
    right(&report, "batch", &["concurrency", "sensing"], &machine);
    let row = named(&report, "workqueues", "batch");
    let part = |name: &str| number(&row["breakdown_ns"], name);
    // What an item burns is concurrency of those behind it; nothing of that is taken for a late notice.
    let burned = Stamps::of(&report, "batch").waited_for_the_first(BURN_NS);
    assert!(burned > 0 && part("sensing") > 0, "{row}");
    assert!(
        part("concurrency") * 100 >= burned * MOST,
        "{burned}: {row}"
    );
}
