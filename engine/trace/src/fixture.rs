//! Hand-made events and snapshots for the tests of this crate.

use crate::event::{Event, What};
use crate::ids::{FuncId, PoolId, PwqId, WorkerId, WqId};
use crate::snapshot::{
    FunctionRow, Histogram, Meta, PoolRow, PwqFuncRow, PwqRow, RingRow, Snapshot, ThreadRow,
    WorkerRow, WorkerState, WorkqueueRow, wq_flags,
};
use crate::stats::{Counter, WaitPart};

/// An event of worker `kworker/0:1` with every field set.
pub fn event(what: What) -> Event {
    Event {
        at: 12_345_678_901,
        cpu: 3,
        tid: 4711,
        wq: WqId(1),
        pool: PoolId(1),
        worker: WorkerId(1),
        func: FuncId(2),
        from: FuncId::NONE,
        work: 0x2a,
        what,
    }
}

/// Two workqueues, `mixed` on two pools and `journal` on an unbound one; what [`event`] refers to has a name.
pub fn snapshot() -> Snapshot {
    Snapshot {
        at: 20_000_000_000,
        meta: Meta {
            pid: 4700,
            name: "demo".into(),
            exe: "/usr/bin/demo".into(),
            version: (1, 0),
            started_at: 10_000_000_000,
            started_wall: 1_700_000_000_000_000_000,
            sensing: "tick".into(),
            cpus: vec![0, 1],
            tracing: true,
            ..Meta::default()
        },
        workqueues: vec![
            workqueue(1, "mixed", 0x100),
            workqueue(
                2,
                "journal",
                wq_flags::UNBOUND | wq_flags::MEM_RECLAIM | wq_flags::ORDERED,
            ),
        ],
        pools: vec![pool(1, 2, Some(0)), pool(2, 6, Some(1)), pool(3, 8, None)],
        pwqs: vec![pwq(1, 1, 1, 10), pwq(2, 1, 2, 20), pwq(3, 2, 3, 5)],
        pwq_funcs: vec![
            pwq_func(1, 2, 10, 7_000),
            pwq_func(2, 2, 15, 2_000),
            pwq_func(2, 3, 5, 1_000),
            pwq_func(3, 2, 5, 500),
        ],
        functions: vec![function(2, "flush_cache"), function(3, "write_back")],
        workers: vec![worker(1, 1, "kworker/0:1", 4711)],
        threads: vec![ThreadRow {
            tid: 4720,
            comm: "producer-0".into(),
        }],
        rings: vec![RingRow {
            index: 0,
            tid: 4711,
            generation: 0,
            written: 100,
            capacity: 64,
        }],
        ..Snapshot::default()
    }
}

fn workqueue(id: u32, name: &str, flags: u32) -> WorkqueueRow {
    WorkqueueRow {
        id: WqId(id),
        name: name.into(),
        flags,
        max_active: 4,
        counters: [3, 2, 1, 0, 0],
        ..WorkqueueRow::default()
    }
}

fn pool(id: u32, number: u32, cpu: Option<u16>) -> PoolRow {
    PoolRow {
        id: PoolId(id),
        number,
        cpu,
        nr_running: 1,
        nr_workers: 3,
        nr_idle: 1,
        nr_pending: 2,
        last_progress: 19_000_000_000,
        max_workers: 4,
        max_nr_running: 2,
        cm_wakeups: 6,
        ..PoolRow::default()
    }
}

/// A pwq on which `started` items began, one of which still runs, with one more queued.
pub fn pwq(id: u32, wq: u32, pool: u32, started: u64) -> PwqRow {
    let mut counters = [0; Counter::COUNT];
    counters[Counter::Queued as usize] = started + 1;
    counters[Counter::Started as usize] = started;
    counters[Counter::Completed as usize] = started - 1;
    counters[Counter::CpuTime as usize] = started * 1_000_000;
    PwqRow {
        id: PwqId(id),
        wq: WqId(wq),
        pool: PoolId(pool),
        nr_active: 2,
        refcnt: 3,
        nr_inactive: 1,
        nr_in_flight: 1,
        max_in_flight: id,
        mayday: false,
        plugged: false,
        held_since: 0,
        counters,
        wait: Histogram {
            buckets: vec![(10, started)],
            max: 10,
            sum: 10 * started,
        },
        run: Histogram {
            buckets: vec![(1_000, started)],
            max: 1_000,
            sum: 1_000 * started,
        },
    }
}

/// What one function does on one pwq, having waited for `no_worker` and twice that for `concurrency`.
pub fn pwq_func(pwq: u32, func: u32, started: u64, no_worker: u64) -> PwqFuncRow {
    let mut row = PwqFuncRow {
        pwq: PwqId(pwq),
        func: FuncId(func),
        pending: 1,
        inactive: 1,
        running: 1,
        queued: started + 2,
        started,
        completed: started - 1,
        run_ns: 1_000 * started,
        cpu_ns: 900 * started,
        run_max_ns: 1_000 * u64::from(pwq),
        ..PwqFuncRow::default()
    };
    row.breakdown[WaitPart::NoWorker as usize] = no_worker;
    row.breakdown[WaitPart::Concurrency as usize] = 2 * no_worker;
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
        number: 1,
        name: name.into(),
        tid,
        state: WorkerState::Sleeping,
        since: 19_500_000_000,
        work: 0x2a,
        func: FuncId(2),
        wq: WqId(1),
        started_at: 19_400_000_000,
        desc: "mixed".into(),
        executed: 9,
        ..WorkerRow::default()
    }
}
