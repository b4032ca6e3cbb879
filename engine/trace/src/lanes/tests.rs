//! Lanes of hand-made and of random events.

use super::*;
use crate::event::Wake;
use crate::fixture;
use crate::snapshot::{PoolRow, RingRow, WorkerRow};
use proptest::prelude::*;

const TID: u32 = 100;

fn event(at: u64, worker: u32, what: What) -> Event {
    Event {
        at,
        cpu: 0,
        tid: TID + worker,
        worker: WorkerId(worker),
        func: FuncId(2),
        work: u64::from(worker),
        ..fixture::event(what)
    }
}

fn state(at: u64, workers: &[u32]) -> Snapshot {
    let worker = |id: &u32| WorkerRow {
        id: WorkerId(*id),
        pool: PoolId(1),
        tid: TID + id,
        ..WorkerRow::default()
    };
    let ring = |id: &u32| RingRow {
        index: *id,
        tid: TID + id,
        ..RingRow::default()
    };
    Snapshot {
        at,
        workers: workers.iter().map(worker).collect(),
        rings: workers.iter().map(ring).collect(),
        pools: vec![PoolRow {
            id: PoolId(1),
            ..PoolRow::default()
        }],
        ..Snapshot::default()
    }
}

fn lanes(events: &[Event], gaps: &[(usize, Gap)], now: &Snapshot) -> Lanes {
    Lanes::fold(events.iter(), gaps, now)
}

/// A lane in short: `runs 10-20`.
fn told(lanes: &Lanes, worker: u32) -> Vec<String> {
    let lane = lanes.worker(WorkerId(worker)).expect("it has a lane");
    let tell = |span: &Span| {
        let what = match span.doing {
            Doing::Runs(_) => "runs",
            Doing::Sleeps(_) => "sleeps",
            Doing::Woken => "woken",
            Doing::Creates => "creates",
            Doing::Unknown => "unknown",
        };
        format!("{what} {}-{}", span.from, span.to)
    };
    lane.spans.iter().map(tell).collect()
}

const START: What = What::ExecuteStart;
const END: What = What::ExecuteEnd;
const SLEEP: What = What::WorkerSleep { nr_running: 0 };
const RESUME: What = What::WorkerResume { nr_running: 1 };
const IDLE: What = What::WorkerIdle { nr_idle: 1 };
const WAKE: What = What::WorkerWake {
    reason: Wake::Queue,
};

#[test]
fn an_execution_with_a_sleep_in_it() {
    let events = [
        event(10, 1, WAKE),
        event(12, 1, START),
        event(20, 1, SLEEP),
        event(70, 1, RESUME),
        event(75, 1, END),
        event(76, 1, IDLE),
    ];
    let lanes = lanes(&events, &[], &state(100, &[1, 2]));
    let all = ["woken 10-12", "runs 12-20", "sleeps 20-70", "runs 70-75"];
    assert_eq!(told(&lanes, 1), all);
    assert!(told(&lanes, 2).is_empty(), "it idled");
    let lane = lanes.worker(WorkerId(1)).expect("a lane");
    let sums = lane.sums(0, 100);
    assert_eq!((sums.runs, sums.sleeps, sums.woken), (13, 50, 2));
    assert_eq!((sums.executions, sums.longest), (1, 63));
    assert_eq!(sums.function, Some(FuncId(2)));
}

#[test]
fn what_the_state_says_goes_on_to_its_end() {
    let mut now = state(100, &[1, 2]);
    now.workers[0] = WorkerRow {
        state: WorkerState::Sleeping,
        func: FuncId(2),
        work: 1,
        started_at: 5,
        since: 60,
        ..now.workers[0].clone()
    };
    let events = [event(50, 2, START), event(55, 2, END)];
    let lanes = lanes(&events, &[], &now);
    // Before the first event nobody knows.
    assert_eq!(told(&lanes, 1), ["runs 50-60", "sleeps 60-100"]);
    assert_eq!(told(&lanes, 2), ["runs 50-55"]);
}

#[test]
fn nothing_is_paired_across_a_gap_and_only_its_thread_is_torn() {
    let events = [
        event(10, 1, START),
        event(11, 2, START),
        event(30, 2, END),
        event(40, 1, END),
        event(50, 1, START),
        event(60, 1, END),
    ];
    let gap = Gap {
        lost: 7,
        ring: Some(1),
        until: Some(40),
    };
    let lanes = lanes(&events, &[(3, gap)], &state(100, &[1, 2]));
    assert_eq!(told(&lanes, 1), ["unknown 10-40", "runs 50-60"]);
    assert_eq!(told(&lanes, 2), ["runs 11-30"]);
}

#[test]
fn a_gap_of_any_ring_tears_all() {
    let events = [event(10, 1, START), event(11, 2, START), event(40, 1, END)];
    let gap = Gap {
        lost: 1,
        ring: None,
        until: None,
    };
    let lanes = lanes(&events, &[(2, gap)], &state(100, &[1, 2]));
    assert_eq!(told(&lanes, 1), ["unknown 10-40"]);
    // Of the other nothing more is heard; what it began goes on until then, for all that is known.
    assert_eq!(told(&lanes, 2), ["runs 11-100"]);
}

#[test]
fn an_execution_that_began_before_the_window_is_open_there() {
    let events = [event(10, 2, START), event(40, 1, END), event(45, 1, IDLE)];
    let lanes = lanes(&events, &[], &state(50, &[1, 2]));
    assert_eq!(told(&lanes, 1), ["runs 10-40"]);
}

#[test]
fn a_worker_comes_and_goes() {
    let created = Event {
        tid: 1,
        ..event(10, 3, What::WorkerCreate { nr_workers: 1 })
    };
    let events = [
        created,
        event(20, 3, START),
        event(30, 3, END),
        event(40, 3, What::WorkerDestroy { nr_workers: 0 }),
    ];
    let lanes = lanes(&events, &[], &state(50, &[]));
    let lane = lanes.worker(WorkerId(3)).expect("a lane");
    assert_eq!((lane.born, lane.gone), (Some(10), Some(40)));
    assert_eq!(told(&lanes, 3), ["runs 20-30"]);
}

#[test]
fn events_after_the_moment_shown_are_left_out() {
    let events = [event(10, 1, START), event(90, 1, END)];
    let lanes = lanes(&events, &[], &state(50, &[1]));
    assert_eq!(told(&lanes, 1), ["runs 10-50"]);
}

#[test]
fn the_worklist_is_counted_back_from_the_state() {
    let of_pool = |at, what| event(at, 1, what);
    let events = [
        of_pool(10, What::ActivateWork),
        of_pool(20, What::ActivateWork),
        of_pool(30, START),
        of_pool(40, What::ActivateWork),
    ];
    let mut now = state(50, &[1]);
    now.pools[0].nr_pending = 3;
    let made = lanes(&events, &[], &now);
    let pressure = &made.pressure[&PoolId(1)];
    let at = |from, to| pressure.most(from, to);
    assert_eq!(at(0, 10), None);
    assert_eq!(
        (at(10, 11), at(25, 26), at(35, 36)),
        (Some(2), Some(3), Some(2))
    );
    assert_eq!((at(12, 45), at(45, 50)), (Some(3), Some(3)));
    let gap = Gap {
        lost: 1,
        ring: None,
        until: None,
    };
    let torn = lanes(&events, &[(2, gap)], &now);
    let pressure = &torn.pressure[&PoolId(1)];
    assert_eq!(
        (pressure.most(10, 25), pressure.most(35, 36)),
        (None, Some(2))
    );
}

#[test]
fn cells_have_what_lies_in_them() {
    let events = [
        event(0, 1, START),
        event(15, 1, SLEEP),
        event(20, 1, RESUME),
        event(20, 1, END),
        event(30, 1, START),
        event(31, 1, END),
        event(32, 1, START),
        event(33, 1, END),
    ];
    let lanes = lanes(&events, &[], &state(40, &[1]));
    let lane = lanes.worker(WorkerId(1)).expect("a lane");
    let cells = lane.cells(0, 40, 4);
    let shares: Vec<_> = cells.iter().map(|c| (c.runs, c.sleeps)).collect();
    assert_eq!(shares, [(1.0, 0.0), (0.5, 0.5), (0.0, 0.0), (0.2, 0.0)]);
    let executions: Vec<_> = cells.iter().map(|cell| cell.executions).collect();
    assert_eq!(executions, [1, 1, 0, 2]);
    assert!(lane.cells(10, 10, 4).iter().all(|cell| cell.busy() == 0.0));
    assert!(lane.cells(0, u64::MAX, 3).len() == 3 && lane.cells(5, 9, 0).is_empty());
}

/// Random executions of three workers, in order for each: start and end stamps.
fn schedule() -> impl Strategy<Value = Vec<(u32, u64, u64, bool)>> {
    let one = (1..4_u32, 1..50_u64, 1..50_u64, any::<bool>());
    prop::collection::vec(one, 1..60)
}

proptest! {
    #[test]
    fn busy_time_is_that_of_the_events_and_nothing_overlaps(
        schedule in schedule(),
        rings in any::<bool>(),
        n in 1..90_usize,
    ) {
        let mut clock = [0_u64; 4];
        let (mut events, mut busy) = (Vec::new(), [0_u64; 4]);
        for (worker, pause, length, sleeps) in schedule {
            let at = &mut clock[worker as usize];
            let begins = *at + pause;
            *at = begins + length;
            busy[worker as usize] += length;
            events.push(event(begins, worker, START));
            if sleeps && length > 2 {
                events.push(event(begins + 1, worker, SLEEP));
                events.push(event(begins + 2, worker, RESUME));
            }
            events.push(event(*at, worker, END));
        }
        if rings {
            // As they come when rings are read one after the other.
            events.sort_by_key(|event| event.worker);
        } else {
            events.sort_by_key(|event| event.at);
        }
        let end = clock.iter().max().copied().unwrap_or_default() + 1;
        let lanes = lanes(&events, &[], &state(end, &[1, 2, 3]));
        for worker in 1..4_u32 {
            let lane = lanes.worker(WorkerId(worker)).expect("a lane");
            prop_assert!(lane.spans.windows(2).all(|two| two[0].to <= two[1].from));
            let sums = lane.sums(0, end);
            prop_assert_eq!(sums.runs + sums.sleeps, busy[worker as usize]);
            let shares: f64 = (0..n)
                .zip(lane.cells(0, end, n))
                .map(|(cell, made)| {
                    let border = |cell: usize| end * cell as u64 / n as u64;
                    made.busy() * (border(cell + 1) - border(cell)) as f64
                })
                .sum();
            prop_assert!((shares - busy[worker as usize] as f64).abs() < 1e-6);
        }
    }

    #[test]
    fn no_events_whatever_do_harm(
        all in prop::collection::vec((any::<u64>(), 0..3_u32, 0..9_u8), 0..60),
        at in any::<u64>(),
        gap in 0..60_usize,
    ) {
        let what = |n| match n {
            0 => START,
            1 => END,
            2 => SLEEP,
            3 => RESUME,
            4 => IDLE,
            5 => WAKE,
            6 => What::ManagerStart,
            7 => What::WorkerDestroy { nr_workers: 0 },
            _ => What::WorkerCreate { nr_workers: 1 },
        };
        let events: Vec<_> = all
            .into_iter()
            .map(|(stamp, worker, n)| event(stamp, worker, what(n)))
            .collect();
        let gap = (gap, Gap { lost: 1, ring: None, until: None });
        let lanes = lanes(&events, &[gap], &state(at, &[1, 2]));
        for lane in &lanes.workers {
            prop_assert!(lane.spans.windows(2).all(|two| two[0].to <= two[1].from));
            prop_assert!(lane.spans.iter().all(|span| span.from < span.to));
            prop_assert_eq!(lane.cells(0, u64::MAX, 7).len(), 7);
        }
        for cpu in lanes.cpus() {
            prop_assert!(!lanes.cpu(cpu).spans.is_empty());
        }
    }
}
