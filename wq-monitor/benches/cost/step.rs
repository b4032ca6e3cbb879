//! A step back in time: the model of a state that is kept, from it and from the states before.

use crate::row;
use std::hint::black_box;
use std::time::Instant;
use wq_engine::{Engine, Work, WqFlags};
use wq_trace::model::{Limits, Model};
use wq_trace::past::{Keep, Past};
use wq_trace::{Reader, Snapshot};

/// Workqueues of the engine, and items of one function on each.
const WORKQUEUES: usize = 64;
const ITEMS: usize = 200;
/// States that are kept: as many as there is history for.
const STATES: u64 = 600;
const S: u64 = 1_000_000_000;

pub fn measure(quick: bool) {
    let rounds = if quick { 2 } else { 15 };
    let state = busy_state();
    let mut past = Past::new(Keep {
        whole: u64::MAX,
        ..Keep::default()
    });
    for second in 0..STATES {
        past.snapshot(&Snapshot {
            at: state.at + second * S,
            ..state.clone()
        });
    }
    let (mut whole, mut points, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let each = milliseconds(|| {
            let mut model = Model::new(Limits::default());
            past.states().for_each(|state| model.apply_snapshot(state));
            model
        });
        let step = milliseconds(|| past.at(past.len() - 1, Limits::default()));
        whole.push(each);
        points.push(step);
        ratio.push(step / each);
    }
    row("each state in full", "ms", &whole);
    row("points of all but the last", "ms", &points);
    row("points / full, round by round", "x", &ratio);
}

/// A state of an engine with many workqueues that have all run something.
fn busy_state() -> Snapshot {
    let engine = Engine::builder().name("bench-step").tracing(true).build();
    let engine = engine.expect("an engine starts");
    let names = (0..WORKQUEUES).map(|n| format!("wq{n}"));
    for name in names {
        let wq = engine.alloc_workqueue(&name, WqFlags::PERCPU, 0);
        let wq = wq.expect("a workqueue");
        let works: Vec<_> = (0..ITEMS).map(|_| Work::named(&name, |_| {})).collect();
        for work in &works {
            wq.queue_work(work);
        }
        wq.flush();
    }
    let path = engine.segment_path().expect("a segment");
    let reader = Reader::open(path).expect("a segment that can be read");
    reader.snapshot().expect("a snapshot")
}

fn milliseconds<T>(what: impl FnOnce() -> T) -> f64 {
    let begun = Instant::now();
    black_box(what());
    begun.elapsed().as_secs_f64() * 1e3
}
