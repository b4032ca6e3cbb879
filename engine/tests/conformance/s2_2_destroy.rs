//! `destroy_workqueue`, and the end of a workqueue whose handles are gone.

use crate::support::{Door, LONG, count, engine, events, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use wq_engine::{DelayedWork, Engine, Work, Workqueue, WqFlags};
use wq_trace::{Drop, What};

fn bound(engine: &Engine, name: &str) -> Workqueue {
    engine.alloc_workqueue(name, WqFlags::PERCPU, 0).unwrap()
}

fn destroyed(engine: &Engine) -> usize {
    count(engine, |what| matches!(what, What::Destroy { .. }))
}

fn dropped(engine: &Engine) -> usize {
    let reason = Drop::Destroying;
    count(engine, |what| *what == What::DropWork { reason })
}

#[test]
fn s2_2_destroy_drains_first() {
    let engine = engine("destroy-drains");
    let wq = engine
        .alloc_workqueue("narrow", WqFlags::PERCPU, 1)
        .unwrap();
    let door = Door::default();
    door.guard(&wq, "guard");
    let ran = Arc::new(AtomicUsize::new(0));
    for _ in 0..3 {
        let (ran, chained) = (ran.clone(), wq.clone());
        assert!(wq.spawn(move || {
            let ran = ran.clone();
            // Chained queueing is let in to the end.
            assert!(chained.spawn(move || {
                ran.fetch_add(1, Ordering::SeqCst);
            }));
        }));
    }
    let destroy = std::thread::spawn({
        let (wq, door) = (wq.clone(), door.clone());
        move || {
            wq.destroy();
            assert!(door.is_open(), "it waits for what runs");
        }
    });
    until(|| {
        wq.queue_work(&Work::named("late", |_| {}));
        dropped(&engine) > 0
    });
    assert_eq!(destroyed(&engine), 0);
    door.open();
    destroy.join().unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 3);
    assert_eq!(destroyed(&engine), 1);
}

#[test]
fn s2_2_a_destroyed_workqueue_keeps_refusing() {
    let engine = engine("destroy-refuses");
    let wq = bound(&engine, "gone");
    let clone = wq.clone();
    wq.destroy();
    let work = Work::named("late", |_| panic!("it must not run"));
    for handle in [&wq, &clone] {
        assert!(handle.queue_work(&work), "the caller sees true");
        assert!(!work.pending());
    }
    assert_eq!(dropped(&engine), 2);
    // Nothing is in flight, so everything returns at once.
    clone.flush();
    clone.drain();
    clone.destroy();
    assert_eq!(destroyed(&engine), 1);
    assert_eq!(clone.name(), "gone");
    // The item itself is as good as new.
    let (other, ran) = (bound(&engine, "other"), Door::default());
    let done = ran.clone();
    assert!(other.spawn(move || done.open()));
    other.flush();
    assert!(ran.is_open());
    drop((wq, clone));
    assert_eq!(destroyed(&engine), 1, "it ends once");
    engine.shutdown(LONG).unwrap();
}

#[test]
fn s2_2_destroy_does_not_know_armed_timers() {
    let engine = engine("destroy-timer");
    let wq = bound(&engine, "timed");
    let delayed = DelayedWork::named("delayed", |_| panic!("it must not run"));
    let never = DelayedWork::named("never", |_| panic!("it must not run"));
    assert!(wq.queue_delayed_work(&delayed, Duration::from_millis(150)));
    assert!(wq.queue_delayed_work(&never, LONG * 10));
    wq.destroy();
    drop(wq);
    until(|| !delayed.pending());
    assert_eq!(dropped(&engine), 1);
    assert!(never.cancel(), "what is armed can be cancelled");
    assert_eq!(destroyed(&engine), 1);
}

#[test]
fn s2_2_the_last_handle_goes_without_a_wait_and_what_is_queued_runs() {
    let engine = engine("last-handle");
    let wq = engine.alloc_workqueue("left", WqFlags::PERCPU, 1).unwrap();
    let door = Door::default();
    door.guard(&wq, "guard");
    let (ran, armed_ran) = (Door::default(), Door::default());
    let (queued, armed) = (ran.clone(), armed_ran.clone());
    assert!(wq.spawn(move || queued.open()));
    let delayed = DelayedWork::named("armed", move |_| armed.open());
    assert!(wq.queue_delayed_work(&delayed, Duration::from_millis(100)));
    drop(wq);
    assert_eq!(destroyed(&engine), 0, "items keep it");
    door.open();
    ran.pass();
    armed_ran.pass();
    until(|| destroyed(&engine) == 1);
    assert_eq!(dropped(&engine), 0);
    let told = events(&engine);
    let end = told
        .iter()
        .position(|e| matches!(e.what, What::Destroy { .. }));
    let runs = told
        .iter()
        .rposition(|e| matches!(e.what, What::ExecuteEnd));
    assert!(runs < end, "after all of its items");
}

#[test]
fn s2_2_workqueues_come_and_go_while_others_queue_on_them() {
    let engine = Engine::builder().name("destroy-storm").build().unwrap();
    let ran = Arc::new(AtomicUsize::new(0));
    for round in 0..40 {
        let flags = [WqFlags::PERCPU, WqFlags::UNBOUND][round % 2];
        let wq = engine.alloc_workqueue("brief", flags, 0).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let ran = ran.clone();
                        assert!(wq.spawn(move || {
                            ran.fetch_add(1, Ordering::SeqCst);
                        }));
                    }
                });
            }
            wq.destroy();
            let after = ran.load(Ordering::SeqCst);
            std::thread::yield_now();
            assert_eq!(ran.load(Ordering::SeqCst), after, "nothing runs any more");
        });
    }
    engine.shutdown(LONG).unwrap();
}
