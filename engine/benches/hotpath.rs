//! What an item costs: floods of empty ones, one that queues itself, the way from an idle engine to the work function,
//! and an event.
//!
//! `cargo bench -p wq-engine` prints a table. Tracing on and off are measured in turn in one run, and the ratio is
//! taken pair by pair; the row `off / off` pairs equals, to show how far two runs of the same thing are apart.
//!
//! `cargo bench -p wq-engine -- --raw [WORD...]` prints one line for each row whose name has all these words: its name,
//! then nanoseconds by the wall clock, then nanoseconds of CPU time of all threads. That is for pairing two builds: run
//! them in turn, and divide line by line.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use wq_engine::{Engine, Work, Workqueue, WqFlags};
use wq_trace::{Event, FuncId, PoolId, Segment, SegmentConfig, What, WorkerId, WqId};

const ROUNDS: usize = 11;
/// Of a flood, and executions of a requeueing one.
const ITEMS: usize = 100_000;
const WAKES: usize = 1_000;
const EVENTS: u64 = 2_000_000;

fn main() {
    // `cargo bench -- FILTER` and `cargo test --benches` pass arguments that are not for us.
    if std::env::args().any(|arg| arg == "--test") {
        println!("benchmarks are run by: cargo bench -p wq-engine");
        return;
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--raw") {
        let words = args.iter().filter(|arg| !arg.starts_with("--"));
        raw(&words.map(String::as_str).collect::<Vec<_>>());
        return;
    }
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{cpus} CPUs, median of {ROUNDS} runs each (smallest .. largest)\n");
    println!(
        "{:<44}{:>12}   {:>24}",
        "what", "median", "smallest .. largest"
    );
    for case in CASES {
        paired(&case);
    }
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

/// Nanoseconds for each item.
struct Cost {
    wall: f64,
    /// Of all threads of the process.
    cpu: f64,
}

impl Cost {
    fn of(run: impl FnOnce()) -> Self {
        let (begun, cpu) = (Instant::now(), cpu_ns());
        run();
        Self {
            wall: begun.elapsed().as_nanos() as f64 / ITEMS as f64,
            cpu: (cpu_ns() - cpu) / ITEMS as f64,
        }
    }
}

/// What is measured with tracing and without.
struct Case {
    what: &'static str,
    flags: WqFlags,
    run: fn(&Engine, WqFlags) -> Cost,
}

const CASES: [Case; 7] = [
    Case {
        what: "flood, one producer, bound",
        flags: WqFlags::PERCPU,
        run: flood::<1>,
    },
    Case {
        what: "flood, one producer, unbound",
        flags: WqFlags::UNBOUND,
        run: flood::<1>,
    },
    Case {
        what: "flood, two producers, bound",
        flags: WqFlags::PERCPU,
        run: flood::<2>,
    },
    Case {
        what: "flood, two producers, unbound",
        flags: WqFlags::UNBOUND,
        run: flood::<2>,
    },
    Case {
        what: "flood, from another CPU, bound",
        flags: WqFlags::PERCPU,
        run: flood_across,
    },
    Case {
        what: "self-requeue, bound",
        flags: WqFlags::PERCPU,
        run: requeue,
    },
    Case {
        what: "self-requeue, unbound",
        flags: WqFlags::UNBOUND,
        run: requeue,
    },
];

/// The same on engines with tracing off, off again and on, in turn.
fn paired(case: &Case) {
    let engines = [engine(false), engine(false), engine(true)];
    let run = |engine: &Engine| (case.run)(engine, case.flags).wall;
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
    let what = case.what;
    row(&format!("{what}, tracing off"), "ns", &mut off);
    row(&format!("{what}, tracing on"), "ns", &mut on);
    ratio_row("  on / off, pair by pair", &mut on_off);
    ratio_row("  off / off, pair by pair", &mut off_off);
}

/// One run of each case whose name has all the words, after one to warm up.
fn raw(words: &[&str]) {
    let chosen = |name: &str| words.iter().all(|word| name.contains(word));
    for case in &CASES {
        for (mode, tracing) in [("off", false), ("on", true)] {
            let name = format!("{}, tracing {mode}", case.what);
            if !chosen(&name) {
                continue;
            }
            let engine = engine(tracing);
            (case.run)(&engine, case.flags);
            let Cost { wall, cpu } = (case.run)(&engine, case.flags);
            println!("{name}\t{wall:.1}\t{cpu:.1}");
        }
    }
    for (flags, name) in [
        (WqFlags::PERCPU, "idle, bound"),
        (WqFlags::UNBOUND, "idle, unbound"),
    ] {
        if !chosen(name) {
            continue;
        }
        let engine = engine(true);
        let wq = workqueue(&engine, flags);
        waits(&wq);
        let begun = cpu_ns();
        let mut waits = waits(&wq);
        let cpu = (cpu_ns() - begun) / WAKES as f64;
        waits.sort_unstable();
        println!("{name}\t{:.1}\t{cpu:.1}", waits[waits.len() / 2] as f64);
    }
}

/// CPU time of the process.
fn cpu_ns() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn ratio_row(what: &str, values: &mut [f64]) {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values[0], values[values.len() - 1]);
    println!(
        "{what:<44}{:>9.2} x    {low:>10.2} .. {high:>10.2}",
        values[values.len() / 2]
    );
}

fn workqueue(engine: &Engine, flags: WqFlags) -> Workqueue {
    engine
        .alloc_workqueue("bench", flags, 0)
        .expect("a workqueue")
}

/// Empty items, which have been queued once, from so many threads until all have run.
fn flood<const PRODUCERS: usize>(engine: &Engine, flags: WqFlags) -> Cost {
    let wq = workqueue(engine, flags);
    flood_by(PRODUCERS, &wq, |work| wq.queue_work(work))
}

/// The same for the first CPU, from a thread that stays on the last one.
fn flood_across(engine: &Engine, flags: WqFlags) -> Cost {
    let allowed = sched_getaffinity(None).expect("an affinity");
    let mut cpus = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
    let first = cpus.next().expect("a CPU");
    let mut last = CpuSet::new();
    last.set(cpus.next_back().unwrap_or(first));
    let wq = workqueue(engine, flags);
    sched_setaffinity(None, &last).expect("an allowed CPU");
    let cost = flood_by(1, &wq, |work| wq.queue_work_on(first, work));
    sched_setaffinity(None, &allowed).expect("the CPUs it had");
    cost
}

fn flood_by(producers: usize, wq: &Workqueue, queue: impl Fn(&Work) -> bool + Sync) -> Cost {
    let works: Vec<Work> = (0..ITEMS).map(|_| Work::named("empty", |_| {})).collect();
    let queue = |works: &[Work]| {
        for work in works {
            assert!(queue(work));
        }
    };
    queue(&works);
    wq.flush();
    let (first, others) = works.split_at(ITEMS / producers);
    Cost::of(|| {
        std::thread::scope(|scope| {
            for share in others.chunks(ITEMS / producers) {
                scope.spawn(|| queue(share));
            }
            queue(first);
        });
        wq.flush();
    })
}

/// One item that queues itself, per execution.
fn requeue(engine: &Engine, flags: WqFlags) -> Cost {
    let wq = workqueue(engine, flags);
    let left = AtomicUsize::new(ITEMS);
    let (last, over) = mpsc::sync_channel(1);
    let again = wq.clone();
    let work = Work::named("again", move |work| {
        if left.fetch_sub(1, Ordering::Relaxed) > 1 {
            again.queue_work(work);
        } else {
            last.send(()).expect("somebody waits");
        }
    });
    Cost::of(|| {
        wq.queue_work(&work);
        over.recv().expect("the last execution says so");
    })
}

/// From the queueing call to the first instruction of the work function, all workers idle.
fn latency(what: &str, flags: WqFlags) {
    let mut p50 = Vec::new();
    let mut p99 = Vec::new();
    let engine = engine(true);
    let wq = workqueue(&engine, flags);
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
