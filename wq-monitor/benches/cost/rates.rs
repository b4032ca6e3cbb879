//! Threads that emit evenly, the four events of each item, and a monitor that shows them.

use crate::row;
use crate::watcher::Watcher;
use std::thread::sleep;
use std::time::Duration;
use wq_monitor::clock::monotonic;
use wq_trace::{
    Emitter, Event, FuncId, PoolInfo, PoolSlot, REQ_CPU_LOCAL, Segment, SegmentConfig, What,
    WorkerId, WqId, WqSlot,
};

/// Events a second.
const RATES: [u64; 5] = [0, 10_000, 100_000, 400_000, 1_000_000];

/// The views by their keys: the first one, and the one that is made from events.
const VIEWS: [&str; 2] = ["1", "5"];

pub fn measure(quick: bool) {
    let (rounds, seconds) = if quick { (1, 2) } else { (5, 5) };
    for view in VIEWS {
        for rate in RATES {
            let runs: Vec<Run> = (0..rounds).map(|_| Run::of(rate, seconds, view)).collect();
            let say = |what, unit, value: fn(&Run) -> f64| {
                let values: Vec<f64> = runs.iter().map(value).collect();
                row(
                    &format!("view {view}, {rate} events/s: {what}"),
                    unit,
                    &values,
                );
            };
            say("CPU", "%", |run| run.cpu);
            say("memory", "MiB", |run| run.memory);
            let lost: Vec<&str> = runs.iter().map(|run| run.lost.as_str()).collect();
            println!("  lost of {}: {}", rate * (seconds + 1), lost.join(" "));
        }
    }
}

struct Run {
    /// Of one CPU, in percent.
    cpu: f64,
    memory: f64,
    /// Events that it says it missed.
    lost: String,
}

impl Run {
    fn of(rate: u64, seconds: u64, view: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let engine = Emitters::new(dir.path());
        let path = engine.segment.path().expect("a file").to_owned();
        let monitor = Watcher::start(&path, view);
        let mut engine = engine;
        // Until the pace is found and the first screens are drawn.
        engine.emit(rate, 1);
        let (before, begun) = (monitor.cpu(), monotonic());
        engine.emit(rate, seconds);
        let took = (monotonic() - begun) as f64 / 1e9;
        let cpu = 100.0 * (monitor.cpu() - before) / took;
        Self {
            cpu,
            memory: monitor.memory(),
            lost: monitor.says(" lost "),
        }
    }
}

/// A queueing thread and a worker, on a segment of their own.
struct Emitters {
    segment: Segment,
    wq: WqSlot,
    pool: PoolSlot,
    funcs: [FuncId; 4],
    producer: Emitter,
    worker: Emitter,
    items: u64,
}

impl Emitters {
    fn new(dir: &std::path::Path) -> Self {
        let config = SegmentConfig {
            name: "bench-cost".to_owned(),
            dir: Some(dir.to_owned()),
            ..SegmentConfig::default()
        };
        let (segment, problem) = Segment::create(&config, monotonic());
        assert!(problem.is_none(), "{problem:?}");
        Self {
            wq: segment.workqueue("busy", 0, 16),
            pool: segment.pool(PoolInfo::default()),
            funcs: ["read", "write", "flush", "commit"].map(|name| segment.function(name)),
            producer: segment.emitter(1, "producer"),
            worker: segment.emitter(2, "kworker/0:0"),
            items: 0,
            segment,
        }
    }

    /// Emits for so long, a millisecond's share at a time.
    fn emit(&mut self, rate: u64, seconds: u64) {
        let (begun, mut done) = (monotonic(), 0);
        loop {
            let gone = monotonic() - begun;
            if gone >= seconds * 1_000_000_000 {
                return;
            }
            let due = gone * (rate / 4) / 1_000_000_000;
            (done..due).for_each(|_| self.item());
            done = due;
            sleep(Duration::from_millis(1));
        }
    }

    /// One item: queued by the one, executed by the other.
    fn item(&mut self) {
        self.items += 1;
        let func = self.funcs[self.items as usize % self.funcs.len()];
        let (wq, pool) = (self.wq.id(), self.pool.id());
        let event = |what, tid| event(self.items, (wq, pool, func), what, tid);
        let queued = What::QueueWork {
            req_cpu: REQ_CPU_LOCAL,
            cpu: 0,
        };
        self.producer.emit(&event(queued, 1));
        self.producer.emit(&event(What::ActivateWork, 1));
        self.worker.emit(&event(What::ExecuteStart, 2));
        self.worker.emit(&event(What::ExecuteEnd, 2));
    }
}

fn event(
    item: u64,
    (wq, pool, func): (WqId, wq_trace::PoolId, FuncId),
    what: What,
    tid: u32,
) -> Event {
    Event {
        at: monotonic(),
        cpu: 0,
        tid,
        wq,
        pool,
        worker: WorkerId::NONE,
        func,
        from: FuncId::NONE,
        // Items are used again, as programs do.
        work: item % 1_000 + 1,
        what,
    }
}
