//! Waits of single items, from hand-made events. That whole scripts are explained as the engine does is tested where the
//! simulator is.

use super::*;
use crate::event::Wake;
use crate::fixture;
use crate::ids::FuncId;
use crate::snapshot::{PoolRow, WorkqueueRow};

const HOLDS: What = What::HoldWork {
    reason: Hold::MaxActive,
};

/// A world with a bound pool 1 and an unbound one 3.
fn explainer(complete: bool) -> Explainer {
    let mut explainer = Explainer::new(complete);
    explainer.know(&fixture::snapshot());
    explainer
}

fn event(at: u64, worker: u32, work: u64, what: What) -> Event {
    Event {
        at,
        work,
        worker: WorkerId(worker),
        func: FuncId(2),
        ..fixture::event(what)
    }
}

fn queue(at: u64, work: u64) -> Event {
    event(at, 0, work, What::QueueWork { req_cpu: 0, cpu: 0 })
}

/// The parts of the last wait that ends in these events.
fn last(explainer: &mut Explainer, events: &[Event]) -> Vec<(WaitPart, u64)> {
    let waits = events.iter().filter_map(|event| explainer.apply(event));
    let wait = waits.last().expect("a wait");
    assert_eq!(wait.parts.iter().sum::<u64>(), wait.ns());
    let all = WaitPart::ALL
        .iter()
        .map(|&part| (part, wait.parts[part as usize]));
    all.filter(|(_, ns)| *ns > 0).collect()
}

#[test]
fn a_held_item_waits_for_what_holds_it_then_for_a_worker() {
    let events = [
        event(0, 1, 0, What::WorkerCreate { nr_workers: 1 }),
        queue(10, 1),
        event(10, 0, 1, HOLDS),
        event(40, 0, 1, What::ActivateWork),
        event(40, 1, 0, What::WorkerWake { reason: Wake::Fill }),
        event(45, 1, 1, What::ExecuteStart),
    ];
    let parts = last(&mut explainer(true), &events);
    assert_eq!(
        parts,
        [(WaitPart::InactiveMaxActive, 30), (WaitPart::Runqueue, 5)]
    );
}

#[test]
fn while_the_workqueue_is_frozen_it_waits_for_the_thaw() {
    let (flags, max_active) = (0x104, 1);
    let events = [
        queue(10, 1),
        event(10, 0, 1, HOLDS),
        event(20, 0, 0, What::Freeze { flags, max_active }),
        event(50, 0, 0, What::Thaw { flags, max_active }),
        event(55, 0, 1, What::ActivateWork),
        event(55, 1, 1, What::ExecuteStart),
    ];
    let parts = last(&mut explainer(true), &events);
    assert_eq!(
        parts,
        [
            (WaitPart::InactiveMaxActive, 15),
            (WaitPart::InactiveFrozen, 30)
        ]
    );
}

#[test]
fn behind_a_running_worker_it_is_concurrency_and_its_own_run_is_its_own() {
    let events = [
        event(0, 1, 0, What::WorkerCreate { nr_workers: 1 }),
        event(0, 2, 0, What::WorkerCreate { nr_workers: 2 }),
        queue(0, 1),
        event(0, 0, 1, What::ActivateWork),
        event(5, 1, 1, What::ExecuteStart),
        queue(10, 1),
        event(10, 0, 1, What::ActivateWork),
        event(25, 1, 1, What::ExecuteEnd),
        event(25, 1, 9, What::ExecuteStart),
        event(40, 1, 9, What::ExecuteEnd),
        event(40, 1, 1, What::ExecuteStart),
    ];
    let parts = last(&mut explainer(true), &events);
    assert_eq!(
        parts,
        [(WaitPart::SelfRun, 15), (WaitPart::Concurrency, 15)]
    );
}

#[test]
fn what_came_before_the_first_event_is_not_known() {
    let events = [
        queue(10, 1),
        event(10, 0, 1, What::ActivateWork),
        event(30, 1, 1, What::ExecuteStart),
    ];
    let parts = last(&mut explainer(false), &events);
    assert_eq!(parts, [(WaitPart::Unknown, 20)]);
    assert_eq!(
        last(&mut explainer(true), &events),
        [(WaitPart::NoWorker, 20)]
    );
}

#[test]
fn a_loss_ends_all_that_is_open_and_blinds_up_to_its_end() {
    let mut explainer = explainer(true);
    explainer.apply(&queue(10, 1));
    let open = explainer.lost(12, 30);
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].ns(), open[0].end), (2, WaitEnd::Unfinished));
    explainer.apply(&queue(29, 2));
    assert!(!explainer.follows(2) && explainer.is_blind(29));
    assert_eq!(explainer.apply(&event(31, 1, 1, What::ExecuteStart)), None);
    assert_eq!(explainer.apply(&event(32, 1, 2, What::ExecuteStart)), None);
    explainer.apply(&queue(33, 3));
    assert!(explainer.follows(3));
}

#[test]
fn the_backlog_is_known_again_once_an_item_that_was_seen_to_come_is_taken() {
    let mut explainer = explainer(false);
    let pending = |explainer: &Explainer| explainer.gauge(fixture::event(What::Panic).pool).pending;
    for work in [1, 2] {
        explainer.apply(&queue(10, work));
        explainer.apply(&event(10, 0, work, What::ActivateWork));
    }
    assert_eq!(pending(&explainer), None);
    explainer.apply(&event(20, 1, 1, What::ExecuteStart));
    assert_eq!(pending(&explainer), Some(1));
    explainer.apply(&event(20, 1, 77, What::ExecuteStart));
    assert_eq!(pending(&explainer), None, "nobody saw that one come");
}

#[test]
fn nr_running_is_what_a_sleep_says_and_doubted_when_a_wake_contradicts_it() {
    let mut explainer = explainer(false);
    let pool = fixture::event(What::Panic).pool;
    let running = |explainer: &Explainer| explainer.gauge(pool).nr_running;
    assert_eq!(running(&explainer), None);
    explainer.apply(&event(10, 1, 1, What::WorkerSleep { nr_running: 2 }));
    assert_eq!(running(&explainer), Some(2));
    let reason = Wake::Queue;
    explainer.apply(&event(20, 2, 0, What::WorkerWake { reason }));
    assert_eq!(
        running(&explainer),
        None,
        "nobody is woken while others run"
    );
    explainer.apply(&event(30, 1, 1, What::WorkerResume { nr_running: 1 }));
    assert_eq!(running(&explainer), Some(1));
}

#[test]
fn in_an_unbound_pool_nothing_is_managed() {
    let mut explainer = Explainer::new(true);
    let snapshot = Snapshot {
        pools: vec![PoolRow {
            id: fixture::event(What::Panic).pool,
            number: 8,
            ..PoolRow::default()
        }],
        workqueues: vec![WorkqueueRow::default()],
        ..Snapshot::default()
    };
    explainer.know(&snapshot);
    let events = [
        event(0, 1, 0, What::WorkerCreate { nr_workers: 1 }),
        event(0, 1, 7, What::ExecuteStart),
        queue(10, 1),
        event(10, 0, 1, What::ActivateWork),
        event(30, 2, 0, What::WorkerCreate { nr_workers: 2 }),
        event(30, 2, 1, What::ExecuteStart),
    ];
    assert_eq!(last(&mut explainer, &events), [(WaitPart::NoWorker, 20)]);
    assert_eq!(explainer.gauge(events[0].pool).nr_running, None);
}
