//! Inspection.

use super::support::{Held, LONG, engine, snapshot, until};
use std::sync::mpsc;
use wq_engine::{BUSY_PENDING, BUSY_RUNNING, Engine, Work, WqFlags, current_work, set_worker_desc};

#[test]
fn s2_5_current_work_is_the_item_of_the_worker() {
    let engine = engine("current");
    assert!(current_work().is_none());
    let (tell, told) = mpsc::channel();
    let work = Work::named("current", move |work| {
        let current = current_work().expect("it executes");
        tell.send((current.busy(), work.busy())).unwrap();
    });
    assert!(engine.schedule_work(&work));
    let seen = told.recv_timeout(LONG).unwrap();
    assert_eq!(seen, (BUSY_RUNNING, BUSY_RUNNING));
}

#[test]
fn s2_5_workqueue_congested_while_items_are_held_back() {
    let engine = engine("congested");
    let wq = engine
        .alloc_workqueue("narrow", WqFlags::PERCPU, 1)
        .unwrap();
    let held = Held::on(&wq);
    assert!(!wq.congested(0));
    let behind = Work::named("behind", |_| {});
    assert!(wq.queue_work(&behind));
    assert!(wq.congested(0) && wq.congested(None));
    assert!(wq.congested(usize::MAX), "the engine's next CPU stands in");
    assert!(!engine.system_wq().congested(0));
    held.let_go();
    wq.flush();
    assert!(!wq.congested(0));
}

#[test]
fn s2_5_work_busy_tells_pending_and_running() {
    let engine = engine("busy");
    let held = Held::idle();
    assert_eq!(held.work.busy(), 0);
    let first = Held::on(engine.system_wq());
    assert!(engine.schedule_work(&held.work));
    assert_eq!(held.work.busy(), BUSY_PENDING);
    first.let_go();
    held.wait_until_it_runs();
    assert!(engine.schedule_work(&held.work));
    assert_eq!(held.work.busy(), BUSY_PENDING | BUSY_RUNNING);
    held.let_go();
    held.let_go();
    held.work.flush();
    assert_eq!(held.work.busy(), 0);
}

/// The descriptions of the workers that have executed something.
fn descriptions(engine: &Engine) -> Vec<String> {
    let snapshot = snapshot(engine);
    let busy = snapshot.workers.into_iter().filter(|w| !w.desc.is_empty());
    busy.map(|worker| worker.desc).collect()
}

#[test]
fn s2_5_set_worker_desc_replaces_the_description_until_the_next_execution() {
    let engine = engine("desc");
    set_worker_desc("nobody hears it");
    let (open, gate) = mpsc::channel();
    let gate = std::sync::Mutex::new(gate);
    let work = Work::named("describes", move |_| {
        set_worker_desc(format_args!("{}-{}", "flush", 8));
        set_worker_desc(gate.lock().unwrap().recv_timeout(LONG).unwrap());
    });
    assert!(engine.schedule_work(&work));
    until(|| descriptions(&engine) == ["flush-8"]);
    open.send("0123456789012345678901234567890123456789")
        .unwrap();
    work.flush();
    let cut = &descriptions(&engine)[0];
    assert_eq!(cut, "0123456789012345678901234567890", "31 bytes");
    let held = Held::on(engine.system_wq());
    assert!(descriptions(&engine).contains(&"events".to_owned()));
    held.let_go();
}
