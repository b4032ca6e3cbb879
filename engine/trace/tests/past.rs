//! The past of an engine: what it takes of memory, and the same of a recording as of a live engine.

use std::path::Path;
use wq_trace::past::{Keep, Past, Playhead};
use wq_trace::{
    Counter, Event, From, FuncId, FunctionRow, Histogram, Limits, Next, PoolId, PoolRow,
    PwqFuncRow, PwqId, PwqRow, Reader, Recorder, RecordingEnd, Snapshot, What, WorkerId, WorkerRow,
    WorkqueueRow, WqId,
};

const S: u64 = 1_000_000_000;

/// An engine with so many workqueues, of two pwqs each, and as many workers and functions.
fn engine(at: u64, workqueues: u32) -> Snapshot {
    let mut snapshot = Snapshot {
        at,
        ..Snapshot::default()
    };
    for n in 1..=workqueues {
        snapshot.workqueues.push(WorkqueueRow {
            id: WqId(n),
            name: format!("workqueue_{n}"),
            pools: vec![PoolId(1), PoolId(2)],
            ..WorkqueueRow::default()
        });
        snapshot.functions.push(FunctionRow {
            id: FuncId(n),
            name: format!("function_of_workqueue_{n}"),
            ..FunctionRow::default()
        });
        snapshot.workers.push(WorkerRow {
            id: WorkerId(n),
            name: format!("kworker/0:{n}"),
            desc: format!("workqueue_{n}"),
            ..WorkerRow::default()
        });
        for pool in 1..=2 {
            let pwq = PwqId(2 * n + pool);
            snapshot.pwqs.push(pwq_row(pwq, WqId(n), PoolId(pool), at));
            snapshot.pwq_funcs.push(PwqFuncRow {
                pwq,
                func: FuncId(n),
                started: at / S,
                ..PwqFuncRow::default()
            });
        }
    }
    for id in 1..=2 {
        snapshot.pools.push(PoolRow {
            id: PoolId(id),
            ..PoolRow::default()
        });
    }
    snapshot
}

fn pwq_row(id: PwqId, wq: WqId, pool: PoolId, at: u64) -> PwqRow {
    let spread = Histogram {
        buckets: (0..40).map(|n| ((1 << n) - 1, 3)).collect(),
        max: 1 << 40,
        sum: 1 << 42,
    };
    PwqRow {
        id,
        wq,
        pool,
        nr_active: 1,
        refcnt: 1,
        nr_inactive: 0,
        nr_in_flight: 0,
        max_in_flight: 1,
        mayday: false,
        plugged: false,
        held_since: 0,
        counters: [at / S; Counter::COUNT],
        wait: spread.clone(),
        run: spread,
    }
}

/// Memory of this process that is resident, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("VmRSS");
    let kib = line.split_whitespace().next().expect("a number");
    kib.parse::<usize>().expect("a number") * 1024
}

/// Both in one test: memory is the whole process's; the other test takes less than the tolerance.
#[test]
fn the_estimate_is_what_it_takes_and_an_hour_is_bounded() {
    let keep = Keep::default();
    let mut past = Past::new(keep);
    let before = resident();
    for at in 1..=100 {
        past.snapshot(&engine(at * S, 200));
    }
    let (taken, told) = (resident() - before, past.bytes());
    println!(
        "{} states of 200 workqueues: {} KiB told, {} KiB taken",
        past.len(),
        told >> 10,
        taken >> 10
    );
    assert!(told > 20 << 20, "enough to be measured: {told}");
    assert!(
        taken * 10 > told * 6 && taken * 10 < told * 17,
        "{taken} taken, {told} told"
    );
    for at in 101..=3_700 {
        past.snapshot(&engine(at * S, 200));
    }
    let (taken, told) = (resident() - before, past.bytes());
    println!(
        "after an hour {} states: {} KiB told, {} KiB taken",
        past.len(),
        told >> 10,
        taken >> 10
    );
    assert!(
        told <= keep.bytes && taken < 2 * keep.bytes,
        "{taken} taken, {told} told"
    );
}

fn event(at: u64) -> Event {
    Event {
        at,
        cpu: 0,
        tid: 7,
        wq: WqId(1),
        pool: PoolId(1),
        worker: WorkerId::NONE,
        func: FuncId(1),
        from: FuncId::NONE,
        work: at,
        what: What::QueueWork { req_cpu: 0, cpu: 0 },
    }
}

#[test]
fn a_recording_has_the_same_past_as_the_engine() {
    let mut recorder = Recorder::new(Vec::new()).unwrap();
    let mut live = Past::new(Keep::default());
    for at in 1..=30 {
        for n in 1..=at {
            recorder.event(&event(at * S - n)).unwrap();
            live.event(&event(at * S - n));
        }
        let state = engine(at * S, 3);
        recorder.snapshot(&state).unwrap();
        live.snapshot(&state);
    }
    let bytes = recorder.finish(RecordingEnd::Ended).unwrap();
    let reader = Reader::from_source(bytes, Path::new("x")).unwrap();
    let mut recorded = Past::new(Keep::default());
    let mut cursor = reader.cursor(From::Oldest);
    while let Next::Record(event) = cursor.next(u64::MAX) {
        recorded.event(&event);
    }
    for state in reader.latest(1_000).unwrap() {
        recorded.snapshot(&state);
    }
    let looks = |past: &Past, by: isize| {
        let mut head = Playhead::default();
        head.step(past, by);
        let model = past
            .at(head.index(past).unwrap(), Limits::default())
            .unwrap();
        let rates: Vec<_> = model.workqueues().iter().map(|wq| wq.rates).collect();
        let producers: Vec<_> = model
            .producers()
            .iter()
            .map(|(p, _)| (p.source, p.wq))
            .collect();
        (model.at(), rates, producers, model.history().len())
    };
    for by in [0, -1, -5, -29, -100] {
        assert_eq!(looks(&recorded, by), looks(&live, by), "{by}");
    }
    assert_eq!(looks(&recorded, -29).0, S);
}
