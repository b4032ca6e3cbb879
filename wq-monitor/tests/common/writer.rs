//! A segment with things in it, written as an engine writes it: for runs of the real binary.

use std::path::Path;
use wq_trace::{
    Breakdown, Counter, Emitter, Event, FuncId, PoolGauges, PoolInfo, PoolSlot, PwqFuncSlot,
    PwqGauges, PwqSlot, Segment, SegmentConfig, WaitPart, What, WorkerId, WorkerSlot, WorkerState,
    WqSlot, wq_flags,
};

/// CLOCK_MONOTONIC in nanoseconds: the segment's clock.
pub fn now() -> u64 {
    wq_monitor::clock::monotonic()
}

/// One workqueue on one pool, with one function.
struct Lane {
    name: &'static str,
    wq: WqSlot,
    pool: PoolSlot,
    pwq: PwqSlot,
    pwq_func: PwqFuncSlot,
    func: FuncId,
    workers: Vec<WorkerSlot>,
    reason: WaitPart,
    done: u64,
}

/// Writes a segment.
pub struct Writer {
    pub segment: Segment,
    emitter: Emitter,
    lanes: Vec<Lane>,
    round: u64,
}

/// Workqueue, flags, its pool's number, CPU and nice level, kworker base name, workers, function, why its items wait.
type Kind = (
    &'static str,
    u32,
    (u32, Option<u16>, i32),
    &'static str,
    u32,
    &'static str,
    WaitPart,
);

const LANES: &[Kind] = &[
    (
        "events",
        0,
        (2, Some(0), 0),
        "0",
        4,
        "flush_cache",
        WaitPart::Concurrency,
    ),
    (
        "events_highpri",
        wq_flags::HIGHPRI,
        (3, Some(0), -20),
        "0",
        2,
        "irq_bottom_half",
        WaitPart::Runqueue,
    ),
    (
        "mixed_io",
        0,
        (6, Some(1), 0),
        "1",
        6,
        "io_read",
        WaitPart::InactiveMaxActive,
    ),
    (
        "journal",
        wq_flags::UNBOUND | wq_flags::ORDERED,
        (8, None, 0),
        "u8",
        3,
        "journal_commit",
        WaitPart::InactiveOrdered,
    ),
];

impl Writer {
    /// A new segment named `name` in `dir`.
    pub fn new(dir: &Path, name: &str) -> Self {
        let config = SegmentConfig {
            name: name.to_owned(),
            dir: Some(dir.to_owned()),
            cpus: vec![0, 1],
            sensing: "tick".to_owned(),
            ..SegmentConfig::default()
        };
        let (segment, problem) = Segment::create(&config, now());
        assert!(problem.is_none(), "{problem:?}");
        let lanes = LANES.iter().map(|kind| lane(&segment, kind)).collect();
        let emitter = segment.emitter(std::process::id(), "producer-0");
        Self {
            segment,
            emitter,
            lanes,
            round: 0,
        }
    }

    /// Some items more on every workqueue.
    pub fn step(&mut self) {
        self.round += 1;
        for (i, lane) in self.lanes.iter_mut().enumerate() {
            let items = 1 + (self.round * 7 + i as u64 * 3) % (9 - 2 * i as u64);
            for _ in 0..items {
                lane.execute(&mut self.emitter, i as u64);
            }
            lane.gauges(self.round + i as u64);
        }
        self.segment.heartbeat(now());
    }
}

fn lane(segment: &Segment, kind: &Kind) -> Lane {
    let (name, flags, (number, cpu, nice), base, workers, func, reason) = *kind;
    let wq = segment.workqueue(name, flags, 256);
    let pool = segment.pool(PoolInfo {
        number,
        cpu,
        nice,
        flags: 0,
    });
    let pwq = segment.pwq(wq.id(), pool.id());
    let func = segment.function(func);
    let high = if nice < 0 { "H" } else { "" };
    let workers = (0..workers)
        .map(|n| {
            let worker = segment.worker(pool.id(), n, &format!("kworker/{base}:{n}{high}"), now());
            worker.set_tid(10_000 + number * 10 + n);
            worker
        })
        .collect();
    let pwq_func = segment.pwq_func(pwq.id(), func);
    Lane {
        name,
        wq,
        pool,
        pwq,
        pwq_func,
        func,
        workers,
        reason,
        done: 0,
    }
}

impl Lane {
    /// One item, from queueing to its end.
    fn execute(&mut self, emitter: &mut Emitter, typical_ms: u64) {
        self.done += 1;
        let wait = (1 + typical_ms) * 10_000 * (1 + self.done % 5);
        let run = (1 + typical_ms) * 250_000 * (1 + self.done % 3);
        let mut waited = Breakdown::default();
        waited[self.reason as usize] = wait / 4 * 3;
        waited[WaitPart::Runqueue as usize] += wait - wait / 4 * 3;
        self.pwq.add(Counter::Queued, 1);
        self.pwq_func.on_queued();
        self.emit(
            emitter,
            What::QueueWork {
                req_cpu: 8192,
                cpu: 0,
            },
        );
        self.pwq.add(Counter::Started, 1);
        self.pwq.record_wait(wait);
        self.pwq_func.on_started(&waited);
        self.emit(emitter, What::ExecuteStart);
        self.pwq.add(Counter::Completed, 1);
        self.pwq.add(Counter::CpuTime, run / 2);
        self.pwq.record_run(run);
        self.pwq_func.on_completed(run, run / 2);
        self.emit(emitter, What::ExecuteEnd);
    }

    fn emit(&self, emitter: &mut Emitter, what: What) {
        emitter.emit(&Event {
            at: now(),
            cpu: 0,
            tid: std::process::id(),
            wq: self.wq.id(),
            pool: self.pool.id(),
            worker: WorkerId::NONE,
            func: self.func,
            from: FuncId::NONE,
            work: self.done,
            what,
        });
    }

    /// Workers run, sleep and idle in turn.
    fn gauges(&self, round: u64) {
        let workers = self.workers.len() as u64;
        let running = round % (workers + 1);
        let sleeping = (workers - running) / 2;
        for (n, worker) in self.workers.iter().enumerate() {
            if (n as u64) < running + sleeping {
                worker.execute(self.done, self.func, (self.wq.id(), self.pwq.id()), now());
                worker.desc(self.name);
            } else {
                worker.finish(now());
                worker.state(WorkerState::Idle, now());
            }
            if (running..running + sleeping).contains(&(n as u64)) {
                worker.state(WorkerState::Sleeping, now());
            }
        }
        self.pool.update(&PoolGauges {
            nr_running: running as u32,
            nr_workers: workers as u32,
            nr_idle: (workers - running - sleeping) as u32,
            nr_pending: (round % 4) as u32,
            last_progress: now(),
            max_workers: workers as u32,
            max_nr_running: workers as u32,
            cm_wakeups: round * 3,
            ..PoolGauges::default()
        });
        self.pwq.gauges(&PwqGauges {
            nr_in_flight: (running + sleeping) as u32,
            refcnt: 1,
            ..PwqGauges::default()
        });
    }
}
