//! Warnings about misuse.

use super::support::{Count, LONG, engine, said_like, until};
use std::cell::RefCell;
use std::sync::mpsc;
use std::time::Duration;
use wq_engine::{RcuWork, Work, current_work, rcu};

/// It has no such method, but its function can find the item inside.
#[test]
fn s11_3_rcu_work_that_was_disabled_is_told_once_and_not_queued() {
    let engine = engine("rcu-disabled");
    let ran = Count::default();
    let (tell, told) = mpsc::channel();
    let counted = ran.clone();
    let work = RcuWork::named("rcu_disabled", move |_| {
        counted.add();
        tell.send(current_work().expect("it executes")).unwrap();
    });
    let wq = engine.system_wq();
    assert!(wq.queue_rcu_work(&work));
    let inside = told.recv_timeout(LONG).unwrap();
    work.flush();
    assert!(!inside.disable(), "it was idle");
    for _ in 0..3 {
        assert!(!wq.queue_rcu_work(&work));
        assert!(!work.pending());
    }
    assert_eq!(said_like(&["rcu work rcu_disabled was disabled"]).len(), 1);
    assert!(inside.enable());
    assert!(wq.queue_rcu_work(&work));
    work.flush();
    assert_eq!(ran.get(), 2);
}

thread_local! {
    static KEPT: RefCell<Option<rcu::Guard>> = const { RefCell::new(None) };
}

/// Every grace period waits for it, and nobody else would know why.
#[test]
fn s11_3_a_function_that_leaves_a_read_side_section_open_is_told() {
    let engine = engine("leak");
    let told = || said_like(&["BUG: workqueue leaked atomic, lock or RCU: kworker/0:0["]);
    let fine = Work::named("leaks_nothing", |_| {
        let outer = rcu::read_lock();
        drop(rcu::read_lock());
        drop(outer);
    });
    assert!(engine.schedule_work(&fine));
    fine.flush();
    assert_eq!(told(), [""; 0]);
    let leaks = Work::named("leaks_a_section", |_| {
        KEPT.set(Some(rcu::read_lock()));
    });
    let ends = Work::named("ends_a_section", |_| drop(KEPT.take()));
    for work in [&leaks, &fine, &ends] {
        assert!(engine.schedule_work(work));
        work.flush();
    }
    until(|| told().len() == 2);
    let told = told();
    assert!(
        told[0].ends_with("] RCU=0->1 workfn=leaks_a_section"),
        "{told:?}"
    );
    assert!(
        told[1].ends_with("] RCU=1->0 workfn=ends_a_section"),
        "{told:?}"
    );
    engine.shutdown(Duration::from_secs(60)).unwrap();
}
