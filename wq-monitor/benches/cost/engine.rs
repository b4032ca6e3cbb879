//! A flood of empty items in this process, watched and not, in turns.

use crate::row;
use crate::watcher::Watcher;
use rustix::time::{ClockId, clock_gettime};
use wq_engine::{Engine, Work, WqFlags};

const ITEMS: usize = 100_000;
/// Floods in one turn.
const FLOODS: usize = 10;

pub fn measure(quick: bool) {
    let rounds = if quick { 2 } else { 21 };
    let engine = Engine::builder().name("bench-cost").tracing(true).build();
    let engine = engine.expect("an engine starts");
    let works: Vec<Work> = (0..ITEMS).map(|_| Work::named("empty", |_| {})).collect();
    flood(&engine, &works);
    let (mut alone, mut again, mut watched) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        alone.push(flood(&engine, &works));
        again.push(flood(&engine, &works));
        let path = engine.segment_path().expect("a segment");
        let monitor = Watcher::start(path, "1");
        watched.push(flood(&engine, &works));
        monitor.says(" pid ");
    }
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
fn flood(engine: &Engine, works: &[Work]) -> f64 {
    let wq = engine.alloc_workqueue("flood", WqFlags::PERCPU, 0);
    let wq = wq.expect("a workqueue");
    let begun = cpu_ns();
    for _ in 0..FLOODS {
        for work in works {
            assert!(wq.queue_work(work), "it is queued once");
        }
        wq.flush();
    }
    (cpu_ns() - begun) / (FLOODS * works.len()) as f64
}

fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
