//! Cancelling an item whose workqueue has got other pools while the item runs.

use super::support::{LONG, engine, until};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use wq_engine::{BUSY_RUNNING, Work, WorkqueueAttrs, WqFlags};

#[test]
fn s2_4_cancel_work_sync_waits_for_an_execution_on_a_pool_that_the_workqueue_has_left() {
    let engine = engine("left");
    let wq = engine
        .alloc_ordered_workqueue("moves", WqFlags::empty())
        .unwrap();
    let (open, gate) = mpsc::channel::<()>();
    let (gate, over) = (Mutex::new(gate), Arc::new(AtomicBool::new(false)));
    let told = over.clone();
    let work = Work::named("stays", move |_| {
        let _ = gate.lock().unwrap().recv_timeout(LONG);
        told.store(true, Ordering::SeqCst);
    });
    assert!(wq.queue_work(&work));
    until(|| work.busy() == BUSY_RUNNING);
    let attrs = WorkqueueAttrs {
        nice: 5,
        ..WorkqueueAttrs::default()
    };
    wq.apply_attrs(&attrs).unwrap();
    // On the new pool, behind itself on the old one.
    assert!(wq.queue_work(&work));
    assert!(work.cancel());
    assert_eq!(work.busy(), BUSY_RUNNING, "it runs on the old pool");
    assert!(wq.queue_work(&work));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Time for a cancel_sync that waits for nothing to return.
            std::thread::sleep(Duration::from_millis(20));
            open.send(()).unwrap();
        });
        assert!(work.cancel_sync(), "it was pending");
        assert!(over.load(Ordering::SeqCst), "nothing of it runs");
    });
    assert_eq!(work.busy(), 0);
}
