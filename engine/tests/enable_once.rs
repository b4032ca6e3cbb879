//! Queueing calls that race with `enable_and_queue_work`: each that returns true is one execution.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use wq_engine::{Engine, Work};

#[test]
fn every_call_that_says_it_queued_the_item_is_one_execution() {
    let engine = Engine::builder().name("enable-once").build().unwrap();
    let wq = engine.system_unbound_wq();
    let (ran, queued) = (
        &*Box::leak(Box::new(AtomicUsize::new(0))),
        AtomicUsize::new(0),
    );
    let work = Work::named("once", |_| {
        ran.fetch_add(1, Ordering::SeqCst);
    });
    let ends = AtomicBool::new(false);
    let count = |did: bool| queued.fetch_add(usize::from(did), Ordering::SeqCst);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ends.load(Ordering::Relaxed) {
                count(wq.queue_work(&work));
            }
        });
        for _ in 0..50_000 {
            // What is taken back here was queued and does not run.
            let taken = work.disable();
            queued.fetch_sub(usize::from(taken), Ordering::SeqCst);
            count(wq.enable_and_queue_work(&work));
        }
        ends.store(true, Ordering::Relaxed);
    });
    work.flush();
    assert_eq!(ran.load(Ordering::SeqCst), queued.load(Ordering::SeqCst));
}
