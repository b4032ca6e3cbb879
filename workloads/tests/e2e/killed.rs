//! `mixed.toml`, killed at random moments: what it leaves can always be read, and nothing in it is wrong.
//!
//! `WQ_KILLS` says how often; `cargo kills` does it a hundred times.

use crate::place::{Place, Running, eventually, finished, number, parts, rows, text_of};
use crate::remains::Remains;
use rustix::process::Signal;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use wq_trace::Liveness;

/// Without `WQ_KILLS`.
const KILLS: u64 = 20;
/// One in so many is also looked at with the tool.
const TOOL_EVERY: u64 = 5;
/// Latest moment after the segment has come up, in microseconds. By then the hot producer has lapped its ring.
const LATEST_US: u64 = 1_500_000;
/// ... and for one in four: while the engine starts.
const EARLY_US: u64 = 50_000;

fn kills() -> u64 {
    let Ok(text) = std::env::var("WQ_KILLS") else {
        return KILLS;
    };
    text.parse().expect("WQ_KILLS is a number")
}

/// SplitMix64.
fn scrambled(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// How long the engine of this round lives.
fn lifetime(round: u64) -> Duration {
    let latest = if round.is_multiple_of(4) {
        EARLY_US
    } else {
        LATEST_US
    };
    // Another sequence each time, too.
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed();
    let salt = now.map_or(0, |now| now.as_nanos() as u64);
    Duration::from_micros(scrambled(salt ^ round) % latest)
}

/// Replays `mixed.toml`, kills it after `lifetime`, and gives what it left.
fn killed(place: &Place, lifetime: Duration) -> Remains {
    let mut replay = place.replay(&["run", "scripts/mixed.toml"]);
    let mut replay = Running::start(replay.stdout(Stdio::null()).stderr(Stdio::null()));
    let path = place
        .runtime_dir()
        .join(format!("{}-mixed.wqseg", replay.pid()));
    eventually("the segment comes up", || path.exists().then_some(()));
    // To the microsecond, and not to what a sleep gives.
    let begun = Instant::now();
    std::thread::sleep(lifetime.saturating_sub(Duration::from_millis(1)));
    while begun.elapsed() < lifetime {
        std::hint::spin_loop();
    }
    replay.signal(Signal::KILL);
    replay.end();
    Remains::read(&path)
}

/// The rows that a tool shows: what is over has begun, what has begun was queued, and the parts are the wait.
#[track_caller]
fn rows_are_right(stats: &Value) {
    let workqueues = rows(stats, "workqueues").iter();
    for row in workqueues.clone().chain(rows(stats, "functions")) {
        let [queued, started, completed] =
            ["queued", "started", "completed"].map(|key| number(row, key));
        assert!(completed <= started && started <= queued, "{row}");
    }
    for row in workqueues {
        assert_eq!(parts(row), number(&row["wait_ns"], "sum"), "{row}");
    }
    for row in rows(stats, "functions") {
        assert_eq!(parts(row), number(row, "wait_ns"), "{row}");
    }
}

/// The same from the outside. Nothing if the tool was not built.
#[track_caller]
fn tool_agrees(place: &Place, path: &Path, remains: &Remains) {
    let file = text_of(path);
    let dump = |command: &str| {
        let args = [command, "--json", "--file", &file];
        let run = finished(&mut place.tool("wq-dump", &args)?);
        run.good();
        Some(run)
    };
    let (Some(stats), Some(state), Some(events)) = (dump("stats"), dump("state"), dump("events"))
    else {
        return;
    };
    rows_are_right(&stats.json());
    state.json();
    let lines = events.json_lines();
    let losses = lines.last().expect("the losses");
    assert_eq!(number(losses, "printed"), remains.events.len() as u64);
    assert_eq!(number(losses, "lost"), remains.lost);
    for line in &lines {
        assert!(!line.to_string().contains("\"unknown\":\""), "{line}");
    }
}

#[test]
fn killed_at_any_moment_it_leaves_nothing_wrong() {
    let (mut items, mut whole) = (0, 0);
    for round in 0..kills() {
        let place = Place::new();
        let lifetime = lifetime(round);
        let remains = killed(&place, lifetime);
        assert_eq!(remains.liveness, Liveness::Dead);
        let problems = remains.problems();
        assert!(
            problems.is_empty(),
            "kill {round}, after {lifetime:?}: {problems:#?}"
        );
        if round.is_multiple_of(TOOL_EVERY) {
            tool_agrees(&place, &place.segment(), &remains);
        }
        items += remains.completed();
        whole += u64::from(remains.lost == 0);
    }
    eprintln!(
        "{} kills, {items} items completed before them, {whole} with every event",
        kills()
    );
    assert!(items > 0, "they did something");
}

/// Whether the judge judges: it finds what is made wrong in what a real engine left.
#[test]
fn what_is_wrong_is_found() {
    // Long enough that something was done, and short enough that every event is there: that depends on the machine.
    let mut lifetimes = (1..9).map(|n| Duration::from_millis(100 * n)).cycle();
    let remains = eventually("some items are done, and nothing is lost yet", || {
        let remains = killed(&Place::new(), lifetimes.next()?);
        (remains.completed() > 50 && remains.lost == 0).then_some(remains)
    });
    assert_eq!(remains.problems(), Vec::<String>::new());
    for (what, spoil) in crate::remains::SPOILS {
        let mut wrong = remains.clone();
        spoil(&mut wrong);
        assert!(!wrong.problems().is_empty(), "not found: {what}");
    }
}
