//! A hand-made engine for the tests of the printed forms.

use wq_trace::{
    Counter, FlushRow, FuncId, FunctionRow, Histogram, Meta, PoolId, PoolRow, PwqFuncRow, PwqId,
    PwqRow, RingRow, Snapshot, ThreadRow, WaitPart, WorkerId, WorkerKind, WorkerRow, WorkerState,
    WorkqueueRow, WqId,
};

mod configured;
pub use configured::configured;

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;
/// The moment of the snapshots.
const NOW: u64 = 100 * S;

/// An engine right after its start: one workqueue, one idle worker.
pub fn idle() -> Snapshot {
    Snapshot {
        at: NOW,
        meta: Meta {
            pid: 4700,
            name: "demo".into(),
            exe: "/usr/bin/demo".into(),
            version: (1, 0),
            started_at: NOW - 12 * S,
            started_wall: 1_700_000_000 * S,
            sensing: "tick".into(),
            cpus: vec![0, 1],
            tracing: true,
            ..Meta::default()
        },
        workqueues: vec![workqueue(1, "events", 0x100)],
        pools: vec![PoolRow {
            nr_workers: 1,
            nr_idle: 1,
            ..pool(1, 2, Some(0))
        }],
        workers: vec![worker(1, 1, "kworker/0:0", 4701)],
        ..Snapshot::default()
    }
}

/// A busy engine: `mixed` on CPU 0 has two items in flight, more pending and held; `journal` is ordered and waits.
pub fn snapshot() -> Snapshot {
    Snapshot {
        workqueues: vec![
            workqueue(1, "events", 0x100),
            workqueue(2, "mixed", 0x100),
            workqueue(3, "journal", 0x2000a),
        ],
        pools: pools(),
        pwqs: pwqs(),
        pwq_funcs: pwq_funcs(),
        functions: vec![
            FunctionRow {
                armed: 2,
                next_expiry: NOW + 15 * MS,
                ..function(2, "flush_cache")
            },
            function(3, "write_back"),
            function(4, "commit"),
        ],
        workers: workers(),
        flushes: flushes(),
        threads: vec![ThreadRow {
            tid: 4711,
            comm: "producer-0".into(),
        }],
        rings: vec![RingRow {
            index: 0,
            tid: 4702,
            generation: 0,
            written: 900,
            capacity: 1_000,
        }],
        ..idle()
    }
}

/// The busy engine in trouble: `journal`'s rescuer works for it, CPU 1 runs a BH item, two threads wait for each other.
pub fn in_trouble() -> Snapshot {
    let mut s = snapshot();
    s.workqueues.push(workqueue(4, "events_bh", 0x101));
    s.pools[2].node = Some(0);
    s.pools[2].cpus = Some([0, 1].into_iter().collect());
    s.pools.push(PoolRow {
        flags: 0x5,
        nr_workers: 1,
        ..pool(4, 4, Some(1))
    });
    s.pwqs[2].mayday = true;
    s.pwqs[2].nr_active = 1;
    s.pwqs[2].plugged = true;
    s.pwqs.push(PwqRow {
        nr_active: 1,
        ..pwq(4, 4, 4, 1, MS, MS)
    });
    let rescuer = WorkerRow {
        kind: WorkerKind::Rescuer,
        rescue_wq: WqId(3),
        state: WorkerState::Running,
        work: 0x2c,
        func: FuncId(4),
        wq: WqId(3),
        started_at: NOW - MS,
        ..worker(5, 3, "kworker/R-journal", 4705)
    };
    s.workers.push(WorkerRow {
        id: WorkerId(6),
        kind: WorkerKind::Bh,
        pool: PoolId(4),
        wq: WqId(4),
        rescue_wq: WqId::NONE,
        ..rescuer.clone()
    });
    s.workers.push(rescuer);
    s.flushes.iter_mut().for_each(|flush| flush.deadlock = 1);
    s
}

fn pools() -> Vec<PoolRow> {
    vec![
        PoolRow {
            nr_running: 1,
            nr_workers: 4,
            nr_idle: 2,
            nr_pending: 4,
            last_progress: NOW - 42 * S,
            manager: WorkerId(2),
            max_workers: 5,
            max_nr_running: 2,
            cm_wakeups: 17,
            flags: 2,
            ..pool(1, 2, Some(0))
        },
        PoolRow {
            nr_workers: 1,
            nr_idle: 1,
            nice: -20,
            ..pool(2, 3, Some(0))
        },
        PoolRow {
            nr_workers: 2,
            nr_idle: 1,
            ..pool(3, 8, None)
        },
    ]
}

fn pwqs() -> Vec<PwqRow> {
    vec![
        pwq(1, 1, 1, 5, 0, 0),
        PwqRow {
            nr_active: 6,
            nr_in_flight: 2,
            nr_inactive: 2,
            held_since: NOW - 3 * S,
            refcnt: 9,
            ..pwq(2, 2, 1, 120, 300 * MS, 40 * MS)
        },
        PwqRow {
            nr_inactive: 1,
            refcnt: 2,
            ..pwq(3, 3, 3, 12, 7 * MS, 2 * MS)
        },
    ]
}

fn pwq_funcs() -> Vec<PwqFuncRow> {
    vec![
        PwqFuncRow {
            pending: 3,
            running: 1,
            inactive: 2,
            ..pwq_func(2, 2, 80, 200 * MS, WaitPart::Concurrency)
        },
        PwqFuncRow {
            pending: 1,
            running: 1,
            ..pwq_func(2, 3, 40, 100 * MS, WaitPart::NoWorker)
        },
        PwqFuncRow {
            inactive: 1,
            ..pwq_func(3, 4, 12, 7 * MS, WaitPart::InactiveOrdered)
        },
    ]
}

/// Two that execute, one of them asleep, and two idle ones, of which the first went idle last.
fn workers() -> Vec<WorkerRow> {
    let running = WorkerRow {
        state: WorkerState::Running,
        work: 0x2a,
        func: FuncId(2),
        wq: WqId(2),
        started_at: NOW - 5 * MS,
        ..worker(2, 1, "kworker/0:1", 4702)
    };
    let sleeping = WorkerRow {
        state: WorkerState::Sleeping,
        work: 0x2b,
        func: FuncId(3),
        started_at: NOW - 39 * S,
        ..WorkerRow {
            id: WorkerId(3),
            name: "kworker/0:2".into(),
            tid: 4703,
            ..running.clone()
        }
    };
    let idle_longer = WorkerRow {
        since: NOW - 9 * S,
        ..worker(4, 1, "kworker/0:3", 4704)
    };
    vec![
        worker(1, 1, "kworker/0:0", 4701),
        running,
        sleeping,
        idle_longer,
    ]
}

fn flushes() -> Vec<FlushRow> {
    vec![
        FlushRow {
            tid: 4711,
            work: 0x2b,
            wq: WqId(2),
            func: FuncId(3),
            since: NOW - 2 * S,
            ..FlushRow::default()
        },
        FlushRow {
            tid: 4712,
            wq: WqId(3),
            since: NOW - 3 * MS,
            ..FlushRow::default()
        },
    ]
}

fn workqueue(id: u32, name: &str, flags: u32) -> WorkqueueRow {
    WorkqueueRow {
        id: WqId(id),
        name: name.into(),
        flags,
        max_active: 6,
        effective_max_active: 6,
        counters: [2, 1, u64::from(id == 3), 0, 0],
        ..WorkqueueRow::default()
    }
}

fn pool(id: u32, number: u32, cpu: Option<u16>) -> PoolRow {
    PoolRow {
        id: PoolId(id),
        number,
        cpu,
        nice_granted: true,
        last_progress: NOW - S,
        max_workers: 1,
        ..PoolRow::default()
    }
}

/// A pwq at rest on which `started` items ran, having waited and run for so many nanoseconds together.
fn pwq(id: u32, wq: u32, pool: u32, started: u64, wait: u64, run: u64) -> PwqRow {
    let mut counters = [0; Counter::COUNT];
    counters[Counter::Queued as usize] = started;
    counters[Counter::Started as usize] = started;
    counters[Counter::Completed as usize] = started;
    counters[Counter::CpuTime as usize] = run / 2;
    let histogram = |sum: u64| Histogram {
        buckets: vec![(sum / started, started)],
        max: sum / started,
        sum,
    };
    PwqRow {
        id: PwqId(id),
        wq: WqId(wq),
        pool: PoolId(pool),
        nr_active: 0,
        refcnt: 1,
        nr_inactive: 0,
        nr_in_flight: 0,
        max_in_flight: 1,
        mayday: false,
        plugged: false,
        held_since: 0,
        counters,
        wait: histogram(wait),
        run: histogram(run),
    }
}

fn pwq_func(pwq: u32, func: u32, started: u64, wait: u64, part: WaitPart) -> PwqFuncRow {
    let mut row = PwqFuncRow {
        pwq: PwqId(pwq),
        func: FuncId(func),
        queued: started,
        started,
        completed: started,
        run_ns: started * MS,
        cpu_ns: started * MS / 2,
        run_max_ns: 3 * MS,
        ..PwqFuncRow::default()
    };
    row.breakdown[part as usize] = wait;
    row
}

fn function(id: u32, name: &str) -> FunctionRow {
    FunctionRow {
        id: FuncId(id),
        name: name.into(),
        ..FunctionRow::default()
    }
}

fn worker(id: u32, pool: u32, name: &str, tid: u32) -> WorkerRow {
    WorkerRow {
        id: WorkerId(id),
        pool: PoolId(pool),
        name: name.into(),
        tid,
        since: NOW - S,
        ..WorkerRow::default()
    }
}
