//! A work function that must make progress without memory flushes one that need not.

use crate::support::{Door, engine, said_like, until, waiting};
use wq_engine::{Work, WqFlags};

#[test]
fn s11_2_a_reclaim_item_that_flushes_a_non_reclaim_one_is_told_once() {
    let engine = engine("flush-dependency");
    let alloc = |name, flags| engine.alloc_workqueue(name, flags, 0).unwrap();
    let plain = alloc("plain", WqFlags::PERCPU);
    let reclaim = alloc("reclaim", WqFlags::PERCPU | WqFlags::MEM_RECLAIM);
    let other = alloc("other_reclaim", WqFlags::PERCPU | WqFlags::MEM_RECLAIM);
    let target = Work::named("target", |_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
    });
    let through = |on: &wq_engine::Workqueue, by: &wq_engine::Workqueue, cancels: bool| {
        let (on, target) = (on.clone(), target.clone());
        let flusher = Work::named("flusher", move |_| {
            on.queue_work(&target);
            if cancels {
                target.cancel_sync();
            } else {
                target.flush();
            }
        });
        assert!(by.queue_work(&flusher));
        flusher.flush();
    };
    // Skipped: reclaim targets, flushers that are no reclaim ones, cancels.
    through(&other, &reclaim, false);
    through(&plain, &plain, false);
    through(&plain, &reclaim, true);
    assert!(said_like(&["is flushing !WQ_MEM_RECLAIM", "target"]).is_empty());
    through(&plain, &reclaim, false);
    through(&plain, &reclaim, false);
    let text = "workqueue: WQ_MEM_RECLAIM reclaim:flusher is flushing !WQ_MEM_RECLAIM plain:target";
    assert_eq!(said_like(&[text]).len(), 1, "warn-once");
}

#[test]
fn s11_2_a_reclaim_item_that_flushes_a_whole_workqueue_is_told_too() {
    let engine = engine("flush-dependency-all");
    let alloc = |name, flags| engine.alloc_workqueue(name, flags, 0).unwrap();
    let plain = alloc("plain_all", WqFlags::PERCPU);
    let reclaim = alloc("reclaim_all", WqFlags::PERCPU | WqFlags::MEM_RECLAIM);
    let through = |on: &wq_engine::Workqueue, held: Door| {
        let on = on.clone();
        let flusher = Work::named("flusher", move |_| on.flush());
        assert!(reclaim.queue_work(&flusher));
        until(|| waiting(&engine) == 1);
        held.open();
        flusher.flush();
    };
    for (on, times) in [(alloc("reclaim_too", WqFlags::MEM_RECLAIM), 0), (plain, 1)] {
        let held = Door::default();
        held.guard(&on, "guard");
        through(&on, held);
        let text =
            "workqueue: WQ_MEM_RECLAIM reclaim_all:flusher is flushing !WQ_MEM_RECLAIM plain_all:";
        assert_eq!(said_like(&[text]).len(), times, "{}", on.name());
    }
}
