//! `flush_work` and `flush_workqueue`.

use crate::support::{Door, count, engine, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wq_engine::{DelayedWork, Work, WqFlags};
use wq_trace::What;

fn flushes(engine: &wq_engine::Engine) -> usize {
    count(engine, |what| matches!(what, What::FlushStart { .. }))
}

#[test]
fn s5_1_an_item_that_was_never_queued_is_not_waited_for() {
    let engine = engine("flush-idle");
    let work = Work::named("idle", |_| {});
    assert!(!work.flush());
    let delayed = DelayedWork::named("idle", |_| {});
    assert!(!delayed.flush());
    assert_eq!(flushes(&engine), 0);
}

#[test]
fn s5_1_flush_work_waits_for_the_last_queued_instance() {
    let engine = engine("flush-last");
    let wq = engine.alloc_workqueue("q", WqFlags::PERCPU, 0).unwrap();
    let ran = Arc::new(AtomicUsize::new(0));
    let (inside, door) = (Door::default(), Door::default());
    let work = Work::named("twice", {
        let (ran, inside, door) = (ran.clone(), inside.clone(), door.clone());
        move |_| {
            inside.open();
            door.pass();
            ran.fetch_add(1, Ordering::SeqCst);
        }
    });
    assert!(wq.queue_work(&work));
    inside.pass();
    assert!(wq.queue_work(&work), "it runs, and is queued again");
    let flush = std::thread::spawn({
        let (work, ran) = (work.clone(), ran.clone());
        move || {
            assert!(work.flush());
            assert_eq!(ran.load(Ordering::SeqCst), 2);
        }
    });
    until(|| flushes(&engine) == 1);
    door.open();
    flush.join().unwrap();
}

#[test]
fn s5_1_the_flushers_of_a_cancelled_item_go_on() {
    let engine = engine("flush-cancelled");
    let wq = engine.alloc_workqueue("q", WqFlags::PERCPU, 1).unwrap();
    let door = Door::default();
    door.guard(&wq, "guard");
    let held = Work::named("held", |_| panic!("it must not run"));
    assert!(wq.queue_work(&held));
    let flushers: Vec<_> = (0..3)
        .map(|_| {
            let held = held.clone();
            std::thread::spawn(move || assert!(held.flush()))
        })
        .collect();
    until(|| flushes(&engine) == 3);
    assert!(held.cancel());
    for flusher in flushers {
        flusher.join().unwrap();
    }
    assert!(!door.is_open());
    door.open();
}

#[test]
fn s5_3_flush_workqueue_waits_for_inactive_items_and_not_for_later_ones() {
    let engine = engine("flush-held");
    let wq = engine.alloc_workqueue("q", WqFlags::PERCPU, 1).unwrap();
    let (first, last) = (Door::default(), Door::default());
    first.guard(&wq, "guard");
    let ran = Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    assert!(wq.spawn(move || {
        count.fetch_add(1, Ordering::SeqCst);
    }));
    let flush = std::thread::spawn({
        let (wq, ran) = (wq.clone(), ran.clone());
        move || {
            wq.flush();
            assert_eq!(ran.load(Ordering::SeqCst), 1);
        }
    });
    until(|| flushes(&engine) == 1);
    let pass = last.clone();
    assert!(wq.spawn(move || pass.pass()));
    first.open();
    flush.join().unwrap();
    assert!(!last.is_open(), "the later item still runs");
    last.open();
}

#[test]
fn s5_3_more_flushers_than_colours_all_return_in_the_order_of_their_items() {
    const FLUSHERS: usize = 40;
    let engine = engine("flush-colours");
    let wq = engine.alloc_workqueue("q", WqFlags::PERCPU, 1).unwrap();
    let door = Door::default();
    door.guard(&wq, "guard");
    let ran = Arc::new(AtomicUsize::new(0));
    let flushers: Vec<_> = (0..FLUSHERS)
        .map(|n| {
            let count = ran.clone();
            assert!(wq.spawn(move || {
                count.fetch_add(1, Ordering::SeqCst);
            }));
            let (wq, ran) = (wq.clone(), ran.clone());
            let flusher = std::thread::spawn(move || {
                wq.flush();
                assert!(
                    ran.load(Ordering::SeqCst) > n,
                    "what was queued before is over"
                );
            });
            until(|| flushes(&engine) == n + 1);
            flusher
        })
        .collect();
    door.open();
    for flusher in flushers {
        flusher.join().unwrap();
    }
}
