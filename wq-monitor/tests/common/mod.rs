//! An engine that never was: snapshots and events by round, made to look like a busy one, for the tests to draw.

use wq_monitor::app::{Act, App, Msg, View};
use wq_monitor::source::Update;
use wq_trace::model::{Limits, Model, ThreadSample, Threads};
use wq_trace::{
    Breakdown, CanaryGauges, Counter, Event, FuncId, FunctionRow, Histogram, Liveness, Meta,
    PoolId, PoolRow, PwqFuncRow, PwqId, PwqRow, Reaction, RingRow, SensingInfo, Snapshot,
    ThreadRow, WaitPart, What, WorkerId, WorkerRow, WorkerState, WorkqueueRow, WqCounter, WqId,
    wq_flags,
};

pub const SECOND: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;
const US: u64 = 1_000;
/// The engine started here on its own clock.
const STARTED: u64 = 1_000 * SECOND;
/// ... and at this wall-clock time: 2026-11-23 13:40:00 UTC.
const WALL: u64 = 1_795_441_200 * SECOND;

/// A workqueue of the made-up engine: name, flags, limit, pools by identity, items per second, wait and run of one.
type Queue = (&'static str, u32, u32, &'static [u32], u64, u64, u64);

const QUEUES: &[Queue] = &[
    ("events", 0, 1024, &[1, 3], 1_250, 40 * US, 180 * US),
    (
        "events_highpri",
        wq_flags::HIGHPRI,
        1024,
        &[2, 4],
        300,
        12 * US,
        90 * US,
    ),
    (
        "events_unbound",
        wq_flags::UNBOUND,
        1024,
        &[5],
        40,
        150 * US,
        6 * MS,
    ),
    ("mixed_io", 0, 4, &[1, 3], 90, 18 * MS, 9 * MS),
    (
        "journal",
        wq_flags::UNBOUND | wq_flags::ORDERED | wq_flags::MEM_RECLAIM,
        1,
        &[6],
        55,
        120 * MS,
        17 * MS,
    ),
    (
        "crunch",
        wq_flags::CPU_INTENSIVE,
        2,
        &[1],
        7,
        2 * MS,
        130 * MS,
    ),
    ("never_used", 0, 1024, &[1, 3], 0, 0, 0),
];

/// Identity, number, CPU, nice, nr_running, workers, idle, pending.
type Numbers = (u32, u32, Option<u16>, i32, u32, u32, u32, u32);

const POOLS: &[Numbers] = &[
    (1, 2, Some(0), 0, 1, 6, 2, 5),
    (2, 3, Some(0), -20, 0, 2, 2, 0),
    (3, 6, Some(1), 0, 2, 4, 1, 0),
    (4, 7, Some(1), -20, 1, 2, 1, 0),
    (5, 8, None, 0, 3, 5, 1, 0),
    (6, 9, None, 0, 0, 1, 0, 23),
];

const FUNCTIONS: &[&str] = &[
    "(other)",
    "flush_cache",
    "engine/src/mixed.rs:118",
    "crunch_numbers",
    "journal_commit",
    "io_read",
];

/// The function that a queue's items run.
fn function(queue: usize) -> FuncId {
    FuncId([2, 3, 3, 6, 5, 4, 2][queue])
}

/// The part of the wait that matters most on a queue, and in percent how much.
fn reasons(queue: usize) -> [(WaitPart, u64); 3] {
    use WaitPart::{Concurrency, InactiveMaxActive, InactiveOrdered, NoWorker, Runqueue, Sensing};
    match queue {
        3 => [(InactiveMaxActive, 81), (Concurrency, 14), (Runqueue, 5)],
        4 => [(InactiveOrdered, 97), (NoWorker, 2), (Runqueue, 1)],
        5 => [(Concurrency, 60), (NoWorker, 30), (Sensing, 10)],
        _ => [(Runqueue, 55), (Concurrency, 43), (Sensing, 2)],
    }
}

fn breakdown(queue: usize, wait: u64) -> Breakdown {
    let mut all = Breakdown::default();
    for (part, percent) in reasons(queue) {
        all[part as usize] = wait / 100 * percent;
    }
    // What rounding left belongs to the largest: the parts have to add up.
    let sum: u64 = all.iter().sum();
    all[reasons(queue)[0].0 as usize] += wait - sum;
    all
}

fn histogram(typical: u64, count: u64) -> Histogram {
    if count == 0 {
        return Histogram::default();
    }
    let slow = count / 50;
    Histogram {
        buckets: vec![(typical, count - slow), (typical * 9, slow)],
        max: typical * 11,
        sum: typical * (count - slow) + typical * 9 * slow,
    }
}

/// Items that a queue has started after `round` seconds: a little more in some seconds than in others.
fn started(queue: &Queue, round: u64) -> u64 {
    (1..=round)
        .map(|n| queue.4 * (60 + n * 37 % 80) / 100)
        .sum()
}

/// The state after `round` seconds.
pub fn snapshot(round: u64) -> Snapshot {
    Snapshot {
        at: STARTED + round * SECOND,
        meta: Meta {
            pid: 4242,
            name: "mixed".to_owned(),
            exe: "/usr/bin/wq-replay".to_owned(),
            version: (1, 0),
            started_at: STARTED,
            started_wall: WALL,
            sensing: "canary".to_owned(),
            cpus: vec![0, 1],
            tracing: true,
            ..Meta::default()
        },
        sensing: SensingInfo {
            mode: "canary".to_owned(),
            reaction: Reaction::Measured {
                p50_ns: 5_100,
                p99_ns: 9_800,
                rounds: 40,
            },
            ..SensingInfo::default()
        },
        workqueues: QUEUES
            .iter()
            .zip(1..)
            .map(|(queue, id)| workqueue(queue, id, round))
            .collect(),
        pools: POOLS.iter().map(|numbers| pool(numbers, round)).collect(),
        pwqs: pwqs(round),
        pwq_funcs: pwq_funcs(round),
        functions: FUNCTIONS
            .iter()
            .zip(1..)
            .map(|(name, id)| named_function(name, id))
            .collect(),
        workers: workers(round),
        threads: vec![ThreadRow {
            tid: 4243,
            comm: "producer-0".to_owned(),
        }],
        rings: vec![RingRow {
            index: 0,
            tid: 4243,
            written: round * 8_000,
            capacity: 4_096,
            generation: 0,
        }],
        ..Snapshot::default()
    }
}

fn workqueue(queue: &Queue, id: u32, round: u64) -> WorkqueueRow {
    let mut counters = [0; WqCounter::COUNT];
    counters[WqCounter::RefusedPending as usize] = queue.4 * round / 10;
    WorkqueueRow {
        id: WqId(id),
        name: queue.0.to_owned(),
        flags: queue.1,
        max_active: queue.2,
        counters,
        ..WorkqueueRow::default()
    }
}

fn pool(numbers: &Numbers, round: u64) -> PoolRow {
    let (id, number, cpu, nice, nr_running, nr_workers, nr_idle, nr_pending) = *numbers;
    PoolRow {
        id: PoolId(id),
        number,
        cpu,
        nice,
        nice_granted: nice == 0,
        nr_running,
        nr_workers,
        nr_idle,
        nr_pending,
        manager: if id == 6 {
            WorkerId(61)
        } else {
            WorkerId::NONE
        },
        last_progress: STARTED + round * SECOND - u64::from(id) * 300 * US,
        max_workers: nr_workers + 2,
        max_nr_running: nr_running + 1,
        cm_wakeups: round * u64::from(id) * 13,
        canary: CanaryGauges {
            armed: id == 1,
            armings: round * u64::from(id) * 9,
            decisions: round * u64::from(id) * 7,
            false_decisions: round / 20,
            unwatched: 0,
        },
        ..PoolRow::default()
    }
}

fn pwqs(round: u64) -> Vec<PwqRow> {
    let mut rows = Vec::new();
    for (i, queue) in QUEUES.iter().enumerate() {
        for pool in queue.3 {
            let started = started(queue, round) / queue.3.len() as u64;
            let held = if i == 3 { 6 } else { 0 };
            let running = u64::from(started > 0);
            let mut counters = [0; Counter::COUNT];
            counters[Counter::Queued as usize] = started + held + pending(*pool, i);
            counters[Counter::Started as usize] = started;
            counters[Counter::Completed as usize] = started - running;
            counters[Counter::CpuTime as usize] = started * queue.6 / 3;
            counters[Counter::CmWakeup as usize] = started / 7;
            counters[Counter::Repatriated as usize] = started / 11;
            rows.push(PwqRow {
                id: PwqId((i as u32 + 1) * 10 + pool),
                wq: WqId(i as u32 + 1),
                pool: PoolId(*pool),
                nr_active: running as u32,
                refcnt: 1 + running as u32,
                nr_inactive: held as u32,
                nr_in_flight: running as u32,
                max_in_flight: 2,
                mayday: false,
                plugged: false,
                held_since: 0,
                counters,
                wait: histogram(queue.5, started),
                run: histogram(queue.6, started - running),
            });
        }
    }
    rows
}

/// Items on a pool's worklist that belong to queue `i`: the first queue of the pool has them all.
fn pending(pool: u32, i: usize) -> u64 {
    let first = QUEUES.iter().position(|queue| queue.3.contains(&pool)) == Some(i);
    let numbers = POOLS.iter().find(|numbers| numbers.0 == pool);
    if first {
        numbers.map_or(0, |numbers| numbers.7.into())
    } else {
        0
    }
}

fn pwq_funcs(round: u64) -> Vec<PwqFuncRow> {
    let mut rows = Vec::new();
    for pwq in pwqs(round) {
        let i = pwq.wq.0 as usize - 1;
        let counter = |counter: Counter| pwq.counters[counter as usize];
        if counter(Counter::Queued) == 0 {
            continue;
        }
        rows.push(PwqFuncRow {
            pwq: pwq.id,
            func: function(i),
            pending: pending(pwq.pool.0, i) as u32,
            inactive: pwq.nr_inactive,
            running: pwq.nr_in_flight,
            queued: counter(Counter::Queued),
            started: counter(Counter::Started),
            completed: counter(Counter::Completed),
            run_ns: pwq.run.sum,
            cpu_ns: counter(Counter::CpuTime),
            run_max_ns: pwq.run.max,
            breakdown: breakdown(i, pwq.wait.sum),
        });
    }
    rows
}

fn named_function(name: &str, id: u32) -> FunctionRow {
    FunctionRow {
        id: FuncId(id),
        name: name.to_owned(),
        armed: 0,
        next_expiry: 0,
    }
}

fn workers(round: u64) -> Vec<WorkerRow> {
    let mut rows = Vec::new();
    for (id, number, cpu, nice, running, workers, idle, _) in POOLS {
        for n in 0..*workers {
            let state = if *id == 6 {
                WorkerState::Managing
            } else if n < *running {
                WorkerState::Running
            } else if n < workers - idle {
                WorkerState::Sleeping
            } else {
                WorkerState::Idle
            };
            let queue = QUEUES
                .iter()
                .position(|queue| queue.3.contains(id))
                .unwrap_or(0);
            let executes = matches!(state, WorkerState::Running | WorkerState::Sleeping);
            let high = if *nice < 0 { "H" } else { "" };
            let base = cpu.map_or(format!("u{number}"), |cpu| cpu.to_string());
            rows.push(WorkerRow {
                id: WorkerId(id * 10 + n + 1),
                pool: PoolId(*id),
                number: n,
                name: format!("kworker/{base}:{n}{high}"),
                tid: 4300 + id * 10 + n,
                state,
                since: STARTED + round * SECOND - u64::from(n + 1) * 3_700 * US,
                work: if executes { u64::from(id * 100 + n) } else { 0 },
                func: if executes {
                    function(queue)
                } else {
                    FuncId::NONE
                },
                wq: if executes {
                    WqId(queue as u32 + 1)
                } else {
                    WqId::NONE
                },
                started_at: if executes {
                    STARTED + round * SECOND - 4 * MS
                } else {
                    0
                },
                desc: QUEUES[queue].0.to_owned(),
                executed: round * u64::from(40 / (n + 1)),
                ..WorkerRow::default()
            });
        }
    }
    rows
}

/// What is queued in the second that ends with `round`.
pub fn events(round: u64) -> Vec<Event> {
    let mut events = Vec::new();
    for (i, queue) in QUEUES.iter().enumerate() {
        let count = queue.4 / 5;
        for n in 0..count {
            let from = if i == 3 { FuncId(5) } else { FuncId::NONE };
            events.push(Event {
                at: STARTED + (round - 1) * SECOND + n * SECOND / count,
                cpu: 0,
                tid: 4243 + i as u32 % 2,
                wq: WqId(i as u32 + 1),
                pool: PoolId(queue.3[0]),
                worker: WorkerId::NONE,
                func: function(i),
                from,
                work: n,
                what: What::QueueWork {
                    req_cpu: 8192,
                    cpu: 0,
                },
            });
        }
    }
    events
}

/// What the system says of the workers' threads: running ones take between half and all of a CPU.
fn threads(round: u64) -> Threads {
    let sample = |worker: WorkerRow| {
        let (percent, place) = match worker.state {
            WorkerState::Running => (93 - u64::from(worker.number) * 21, None),
            WorkerState::Sleeping if worker.number == 1 => (2, Some("hrtimer_nanosleep")),
            WorkerState::Sleeping => (1, Some("futex_do_wait")),
            _ => (0, None),
        };
        ThreadSample {
            tid: worker.tid,
            cpu_ns: round * percent * 10 * MS,
            asleep_in: place.map(str::to_owned),
        }
    };
    Threads {
        at: snapshot(round).at,
        samples: workers(round).into_iter().map(sample).collect(),
        ..Threads::default()
    }
}

/// What a source says in `round`.
pub fn update(round: u64, liveness: Liveness) -> Update {
    Update {
        snapshot: Some(snapshot(round)),
        threads: (liveness == Liveness::Live).then(|| threads(round)),
        events: events(round),
        liveness,
        ..Update::default()
    }
}

/// An application that has watched the engine for `rounds` seconds on a screen of `size`.
pub fn app(view: View, rounds: u64, size: (u16, u16)) -> App {
    let mut app = App::new(Model::new(Limits::default()), None, Vec::new());
    let _ = app.update(Msg::Resize(size.0, size.1));
    let _ = app.update(Msg::OwnCpu(0.008));
    for round in 1..=rounds {
        let _ = app.update(Msg::Polled(Box::new(update(round, Liveness::Live))));
    }
    press(&mut app, &[Act::Show(view)]);
    app
}

/// Presses keys.
pub fn press(app: &mut App, acts: &[Act]) {
    for act in acts {
        let _ = app.update(Msg::Act(*act));
    }
}
