//! The first figures: an empty-item flood, queue-to-start latency of an idle engine, and the cost of an event.
//!
//! `cargo bench -p wq-engine` prints a table. Tracing on and off are measured in turn in one run, and the ratio is
//! taken pair by pair; the row `off / off` pairs equals, to show how far two runs of the same thing are apart.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use wq_engine::{Engine, Work, Workqueue, WqFlags};
use wq_trace::{Event, FuncId, PoolId, Segment, SegmentConfig, What, WorkerId, WqId};

const ROUNDS: usize = 11;
const FLOOD: usize = 100_000;
const REQUEUES: u64 = 200_000;
const WAKES: usize = 1_000;
const EVENTS: u64 = 2_000_000;

fn main() {
    // `cargo bench -- FILTER` and `cargo test --benches` pass arguments that are not for us.
    if std::env::args().any(|arg| arg == "--test") {
        println!("benchmarks are run by: cargo bench -p wq-engine");
        return;
    }
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{cpus} CPUs, median of {ROUNDS} runs each (smallest .. largest)\n");
    println!(
        "{:<44}{:>12}   {:>24}",
        "what", "median", "smallest .. largest"
    );
    flood("flood, one producer, bound", WqFlags::PERCPU);
    flood("flood, one producer, unbound", WqFlags::UNBOUND);
    requeue();
    latency("idle engine, queue to start, bound", WqFlags::PERCPU);
    latency("idle engine, queue to start, unbound", WqFlags::UNBOUND);
    event();
}

fn engine(tracing: bool) -> Engine {
    Engine::builder()
        .name("bench")
        .tracing(tracing)
        .build()
        .expect("an engine starts")
}

/// Prints one row of nanoseconds.
fn row(what: &str, unit: &str, values: &mut [f64]) {
    values.sort_by(f64::total_cmp);
    let median = values[values.len() / 2];
    let (low, high) = (values[0], values[values.len() - 1]);
    println!("{what:<44}{median:>9.1} {unit:<3}  {low:>10.1} .. {high:>10.1}");
}

/// The same on engines with tracing off, off again and on, in turn.
fn paired(what: &str, unit: &str, mut run: impl FnMut(&Engine) -> f64) {
    let engines = [engine(false), engine(false), engine(true)];
    for engine in &engines {
        run(engine);
    }
    let mut values = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for (engine, values) in engines.iter().zip(&mut values) {
            values.push(run(engine));
        }
    }
    let [mut off, again, mut on] = values;
    let ratio = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a / b).collect::<Vec<_>>();
    let (mut on_off, mut off_off) = (ratio(&on, &off), ratio(&again, &off));
    row(&format!("{what}, tracing off"), unit, &mut off);
    row(&format!("{what}, tracing on"), unit, &mut on);
    ratio_row("  on / off, pair by pair", &mut on_off);
    ratio_row("  off / off, pair by pair", &mut off_off);
}

fn ratio_row(what: &str, values: &mut [f64]) {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values[0], values[values.len() - 1]);
    println!(
        "{what:<44}{:>9.2} x    {low:>10.2} .. {high:>10.2}",
        values[values.len() / 2]
    );
}

/// Empty items from one thread until all have run, per item.
fn flood(what: &str, flags: WqFlags) {
    let works: Vec<Work> = (0..FLOOD).map(|_| Work::named("empty", |_| {})).collect();
    paired(what, "ns", |engine| {
        let wq = engine
            .alloc_workqueue("flood", flags, 0)
            .expect("a workqueue");
        let begun = Instant::now();
        for work in &works {
            assert!(wq.queue_work(work));
        }
        wq.flush();
        begun.elapsed().as_nanos() as f64 / FLOOD as f64
    });
}

/// One item that queues itself, per execution.
fn requeue() {
    paired("self-requeue", "ns", |engine| {
        let wq = engine.system_wq().clone();
        let left = AtomicU64::new(REQUEUES);
        let (last, over) = mpsc::sync_channel(1);
        let again = wq.clone();
        let work = Work::named("again", move |work| {
            if left.fetch_sub(1, Ordering::Relaxed) > 1 {
                again.queue_work(work);
            } else {
                last.send(()).expect("somebody waits");
            }
        });
        let begun = Instant::now();
        wq.queue_work(&work);
        over.recv().expect("the last execution says so");
        begun.elapsed().as_nanos() as f64 / REQUEUES as f64
    });
}

/// From the queueing call to the first instruction of the work function, all workers idle.
fn latency(what: &str, flags: WqFlags) {
    let mut p50 = Vec::new();
    let mut p99 = Vec::new();
    let engine = engine(true);
    let wq = engine
        .alloc_workqueue("latency", flags, 0)
        .expect("a workqueue");
    for _ in 0..ROUNDS {
        let mut waits = waits(&wq);
        waits.sort_unstable();
        p50.push(waits[waits.len() / 2] as f64 / 1e3);
        p99.push(waits[waits.len() * 99 / 100] as f64 / 1e3);
    }
    row(&format!("{what}, p50"), "us", &mut p50);
    row(&format!("{what}, p99"), "us", &mut p99);
}

fn waits(wq: &Workqueue) -> Vec<u64> {
    let origin = Instant::now();
    let queued = Arc::new(AtomicU64::new(0));
    let waited = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let work = {
        let (queued, waited, done) = (queued.clone(), waited.clone(), done.clone());
        Work::named("woken", move |_| {
            let now = origin.elapsed().as_nanos() as u64;
            waited.store(now - queued.load(Ordering::Acquire), Ordering::Release);
            done.store(true, Ordering::Release);
        })
    };
    let one = |_| {
        done.store(false, Ordering::Release);
        queued.store(origin.elapsed().as_nanos() as u64, Ordering::Release);
        wq.queue_work(&work);
        work.flush();
        assert!(done.load(Ordering::Acquire));
        std::thread::sleep(Duration::from_micros(200));
        waited.load(Ordering::Acquire)
    };
    (0..WAKES).map(one).collect()
}

/// Writing one event into a ring of shared memory.
fn event() {
    let mut values = Vec::new();
    let config = SegmentConfig {
        name: "bench-event".to_owned(),
        ..SegmentConfig::default()
    };
    let (segment, problem) = Segment::create(&config, 0);
    if let Some(problem) = problem {
        println!("(on the heap: {problem})");
    }
    let mut emitter = segment.emitter(1, "bench");
    let mut event = Event {
        at: 0,
        cpu: 0,
        tid: 1,
        wq: WqId(1),
        pool: PoolId(1),
        worker: WorkerId(1),
        func: FuncId(1),
        from: FuncId::NONE,
        work: 1,
        what: What::ExecuteStart,
    };
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for at in 0..EVENTS {
            event.at = at;
            emitter.emit(&event);
        }
        values.push(begun.elapsed().as_nanos() as f64 / EVENTS as f64);
    }
    row("one event, 64 bytes, without its stamp", "ns", &mut values);
    segment.mark_ended(0);
}
