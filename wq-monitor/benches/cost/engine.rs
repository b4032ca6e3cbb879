//! Empty items in this process, watched and not, in turns.

use crate::row;
use crate::watcher::Watcher;
use rustix::time::{ClockId, clock_gettime};
use std::thread::sleep;
use std::time::Duration;
use wq_engine::{Engine, Work, Workqueue, WqFlags};
use wq_monitor::clock::monotonic;

const ITEMS: usize = 100_000;
/// Floods in one turn.
const FLOODS: usize = 10;
/// Of the even load: with four events each, a million events a second.
const ITEMS_A_MS: usize = 250;
/// One turn of it.
const MILLISECONDS: u64 = 2_000;

/// Executes items, and says how many.
type Load = fn(&Workqueue, &[Work]) -> usize;

pub fn measure(quick: bool) {
    let rounds = if quick { 2 } else { 15 };
    let engine = Engine::builder().name("bench-cost").tracing(true).build();
    let engine = engine.expect("an engine starts");
    let works: Vec<Work> = (0..ITEMS).map(|_| Work::named("empty", |_| {})).collect();
    cpu_of(&engine, &works, flood);
    compare("a million events/s", rounds, &engine, &works, even);
    compare("as fast as it goes", rounds, &engine, &works, flood);
}

fn compare(what: &str, rounds: usize, engine: &Engine, works: &[Work], load: Load) {
    let (mut alone, mut again, mut watched) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        alone.push(cpu_of(engine, works, load));
        again.push(cpu_of(engine, works, load));
        let path = engine.segment_path().expect("a segment");
        let monitor = Watcher::start(path, "1");
        watched.push(cpu_of(engine, works, load));
        monitor.says(" pid ");
    }
    println!("  {what}");
    row("unwatched", "ns", &alone);
    row("unwatched again", "ns", &again);
    row("watched", "ns", &watched);
    row(
        "again / unwatched, round by round",
        "x",
        &ratios(&again, &alone),
    );
    row(
        "watched / unwatched, round by round",
        "x",
        &ratios(&watched, &alone),
    );
}

fn ratios(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a / b).collect()
}

/// CPU time of this process for each item, in nanoseconds.
fn cpu_of(engine: &Engine, works: &[Work], load: Load) -> f64 {
    let wq = engine.alloc_workqueue("load", WqFlags::PERCPU, 0);
    let wq = wq.expect("a workqueue");
    let begun = cpu_ns();
    let items = load(&wq, works);
    (cpu_ns() - begun) / items as f64
}

fn flood(wq: &Workqueue, works: &[Work]) -> usize {
    for _ in 0..FLOODS {
        for work in works {
            assert!(wq.queue_work(work), "it is queued once");
        }
        wq.flush();
    }
    FLOODS * works.len()
}

/// Each millisecond's share at once.
fn even(wq: &Workqueue, works: &[Work]) -> usize {
    let (begun, mut done) = (monotonic(), 0);
    let mut next = works.iter().cycle();
    loop {
        let gone = (monotonic() - begun) / 1_000_000;
        let due = gone.min(MILLISECONDS) as usize * ITEMS_A_MS;
        for work in next.by_ref().take(due - done) {
            // One that is still pending is not queued again: the items are many, that is long ago.
            wq.queue_work(work);
        }
        done = due;
        if gone >= MILLISECONDS {
            wq.flush();
            return done;
        }
        sleep(Duration::from_millis(1));
    }
}

fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
