//! `drain_workqueue`, and what is queued meanwhile.

use crate::support::{Door, LONG, count, engine, events, said_like, snapshot, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use wq_engine::{DelayedWork, Engine, Work, Workqueue, WqFlags};
use wq_trace::{Counter, Drop, What, WqCounter};

fn bound(engine: &Engine, name: &str) -> Workqueue {
    engine.alloc_workqueue(name, WqFlags::PERCPU, 0).unwrap()
}

fn is_dropped(reason: Drop) -> impl Fn(&What) -> bool {
    move |what| *what == What::DropWork { reason }
}

/// An item that queues itself until it ran `times` times.
fn chain(wq: &Workqueue, times: usize) -> (Work, Arc<AtomicUsize>) {
    let ran = Arc::new(AtomicUsize::new(0));
    let (wq, count) = (wq.clone(), ran.clone());
    let work = Work::named("chain", move |work| {
        if count.fetch_add(1, Ordering::SeqCst) + 1 < times {
            assert!(wq.queue_work(work), "chained queueing is let in");
        }
    });
    (work, ran)
}

/// Begins a drain on another thread, and returns once it is in progress.
fn begin_drain(engine: &Engine, wq: &Workqueue, door: &Door) -> std::thread::JoinHandle<()> {
    let before = count(engine, |what| matches!(what, What::FlushStart { .. }));
    let drain = std::thread::spawn({
        let (wq, door) = (wq.clone(), door.clone());
        move || {
            wq.drain();
            assert!(door.is_open(), "it waits for what runs");
        }
    });
    until(|| count(engine, |what| matches!(what, What::FlushStart { .. })) > before);
    drain
}

#[test]
fn s2_4_drain_workqueue_flushes_until_empty() {
    let engine = engine("drain-empty");
    let wq = bound(&engine, "chained");
    let (work, ran) = chain(&wq, 5);
    assert!(wq.queue_work(&work));
    wq.drain();
    assert_eq!(ran.load(Ordering::SeqCst), 5);
    assert!(!work.pending());
}

#[test]
fn s2_4_drain_of_an_empty_workqueue_returns_at_once() {
    let engine = engine("drain-nothing");
    let wq = bound(&engine, "nothing");
    wq.drain();
    let work = Work::named("after", |_| {});
    assert!(wq.queue_work(&work));
    wq.flush();
    assert_eq!(
        count(&engine, |what| matches!(what, What::DropWork { .. })),
        0
    );
}

#[test]
fn s3_2_2_queueing_on_a_draining_workqueue_is_dropped_and_the_caller_sees_true() {
    let engine = engine("drain-drop");
    let wq = bound(&engine, "narrowing");
    let door = Door::default();
    let guard = door.guard(&wq, "guard");
    let drain = begin_drain(&engine, &wq, &door);
    let late = Work::named("latecomer", |_| panic!("it must not run"));
    for _ in 0..3 {
        assert!(wq.queue_work(&late), "the caller sees true");
        assert!(!late.pending(), "PENDING is cleared");
    }
    assert!(wq.spawn(|| panic!("it must not run")));
    door.open();
    drain.join().unwrap();
    assert!(!guard.flush());
    assert_eq!(count(&engine, is_dropped(Drop::Draining)), 4);
    let said = said_like(&["workqueue: cannot queue", "on wq narrowing"]);
    assert_eq!(said.len(), 1, "warn-once: {said:?}");
    assert!(said[0].contains("workqueue: cannot queue latecomer on wq narrowing"));
    let snapshot = snapshot(&engine);
    let row = snapshot
        .workqueues
        .iter()
        .find(|row| row.name == "narrowing");
    assert_eq!(row.unwrap().counters[WqCounter::Dropped as usize], 4);
    // DRAINING is cleared: the same item can be queued again.
    let again = Work::named("again", |_| {});
    assert!(wq.queue_work(&again));
    wq.flush();
    assert_eq!(count(&engine, is_dropped(Drop::Draining)), 4);
}

#[test]
fn s3_2_2_only_an_item_of_the_same_workqueue_is_chained() {
    let engine = engine("drain-chained");
    let (wq, other) = (bound(&engine, "drained"), bound(&engine, "other"));
    let (begin, ran) = (Door::default(), Arc::new(AtomicUsize::new(0)));
    let counting = |name: &str| {
        let ran = ran.clone();
        Work::named(name, move |_| {
            ran.fetch_add(1, Ordering::SeqCst);
        })
    };
    let queues = |on: &Workqueue, item: &Work| {
        let (begin, wq, item) = (begin.clone(), wq.clone(), item.clone());
        assert!(on.spawn(move || {
            begin.pass();
            assert!(wq.queue_work(&item));
        }));
    };
    let (chained, foreign) = (counting("chained"), counting("foreign"));
    queues(&wq, &chained);
    queues(&other, &foreign);
    let door = Door::default();
    door.guard(&wq, "guard");
    let drain = begin_drain(&engine, &wq, &door);
    begin.open();
    other.flush();
    until(|| ran.load(Ordering::SeqCst) == 1);
    door.open();
    drain.join().unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 1);
    assert_eq!(count(&engine, is_dropped(Drop::Draining)), 1);
    let dropped = events(&engine)
        .into_iter()
        .find(|e| is_dropped(Drop::Draining)(&e.what));
    let queued = events(&engine)
        .into_iter()
        .filter(|e| matches!(e.what, What::QueueWork { .. }));
    assert!(
        queued
            .map(|e| e.work)
            .all(|work| work != dropped.unwrap().work)
    );
}

#[test]
fn s5_4_draining_is_cleared_by_the_last_drainer() {
    let engine = engine("drains");
    let wq = bound(&engine, "twice");
    let door = Door::default();
    door.guard(&wq, "guard");
    let drains = [0; 2].map(|_| begin_drain(&engine, &wq, &door));
    assert!(wq.queue_work(&Work::named("late", |_| panic!("it must not run"))));
    door.open();
    for drain in drains {
        drain.join().unwrap();
    }
    let ran = Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    assert!(wq.spawn(move || {
        count.fetch_add(1, Ordering::SeqCst);
    }));
    wq.flush();
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}

#[test]
fn s5_4_a_slow_drain_warns_at_round_10_and_every_100th_and_never_gives_up() {
    let engine = engine("drain-slow");
    let wq = engine
        .alloc_workqueue("endless", WqFlags::UNBOUND, 0)
        .unwrap();
    let stop = Door::default();
    let work = Work::named("again", {
        let (wq, stop) = (wq.clone(), stop.clone());
        move |work| {
            if !stop.is_open() {
                wq.queue_work(work);
            }
        }
    });
    assert!(wq.queue_work(&work));
    let drain = std::thread::spawn({
        let wq = wq.clone();
        move || wq.drain()
    });
    let complaint = |tries: &str| {
        let text =
            format!("workqueue endless: drain_workqueue() isn't complete after {tries} tries");
        said_like(&[&text]).len()
    };
    until(|| complaint("200") == 1);
    assert!(!drain.is_finished());
    stop.open();
    drain.join().unwrap();
    assert_eq!((complaint("10"), complaint("100")), (1, 1));
    assert_eq!(
        (complaint("1"), complaint("11"), complaint("20")),
        (0, 0, 0)
    );
}

/// Drains against queueing from outside and inside, on several CPUs: when a drain returns nothing is in flight, and no
/// item is lost or runs without having been let in.
#[test]
fn s5_4_when_a_drain_returns_the_workqueue_is_empty() {
    let engine = Engine::builder().name("drain-storm").build().unwrap();
    let wq = bound(&engine, "storm");
    let running = Arc::new(AtomicUsize::new(0));
    let works: Vec<Work> = (0..8).map(|_| storming(&wq, &running)).collect();
    let stop = Door::default();
    std::thread::scope(|scope| {
        for part in works.chunks(4) {
            let (wq, stop) = (&wq, &stop);
            scope.spawn(move || {
                while !stop.is_open() {
                    for work in part {
                        wq.queue_work(work);
                    }
                }
            });
        }
        for _ in 0..50 {
            wq.drain();
        }
        stop.open();
    });
    // Nobody queues from outside any more: what a drain leaves is the end.
    wq.drain();
    assert_eq!(running.load(Ordering::SeqCst), 0);
    assert!(works.iter().all(|work| work.busy() == 0));
    let snapshot = snapshot(&engine);
    let storm = snapshot
        .workqueues
        .iter()
        .find(|row| row.name == "storm")
        .unwrap();
    let pwqs = snapshot.pwqs.iter().filter(|pwq| pwq.wq == storm.id);
    let [queued, completed] = [Counter::Queued, Counter::Completed].map(|counter| {
        pwqs.clone()
            .map(|pwq| pwq.counters[counter as usize])
            .sum::<u64>()
    });
    assert_eq!(queued, completed);
    engine.shutdown(LONG).unwrap();
}

/// Queues one more of its kind every other time.
fn storming(wq: &Workqueue, running: &Arc<AtomicUsize>) -> Work {
    let (wq, running, times) = (wq.clone(), running.clone(), AtomicUsize::new(0));
    Work::named("storm", move |work| {
        running.fetch_add(1, Ordering::SeqCst);
        if times.fetch_add(1, Ordering::Relaxed) % 2 == 0 {
            wq.queue_work(work);
        }
        running.fetch_sub(1, Ordering::SeqCst);
    })
}

#[test]
fn s6_a_timer_that_fires_during_a_drain_is_never_chained() {
    let engine = engine("drain-timer");
    let wq = bound(&engine, "timed");
    let delayed = DelayedWork::named("delayed", |_| panic!("it must not run"));
    let armed = Door::default();
    let armer = Work::named("armer", {
        let (wq, delayed, armed) = (wq.clone(), delayed.clone(), armed.clone());
        move |_| {
            // Arming is no queueing, and the timer is nobody's work function.
            assert!(wq.queue_delayed_work(&delayed, Duration::from_millis(200)));
            armed.open();
        }
    });
    let door = Door::default();
    door.guard(&wq, "guard");
    assert!(wq.queue_work(&armer));
    armed.pass();
    let drain = begin_drain(&engine, &wq, &door);
    until(|| !delayed.pending());
    assert_eq!(count(&engine, is_dropped(Drop::Draining)), 1);
    door.open();
    drain.join().unwrap();
    assert!(!delayed.flush());
}

#[test]
fn s5_4_a_drain_does_not_wait_for_timers() {
    let engine = engine("drain-armed");
    let wq = bound(&engine, "armed");
    let delayed = DelayedWork::named("delayed", |_| {});
    assert!(wq.queue_delayed_work(&delayed, LONG * 10));
    wq.drain();
    assert!(delayed.pending());
    assert!(delayed.cancel());
}

/// The engine's end comes while a drain, a destroy and a flush wait: all of them return.
#[test]
fn s5_4_waits_in_progress_return_when_the_engine_is_shut_down() {
    let engine = engine("drain-shutdown");
    let wq = bound(&engine, "ending");
    let door = Door::default();
    door.guard(&wq, "guard");
    let narrow = engine
        .alloc_workqueue("narrow", WqFlags::PERCPU, 1)
        .unwrap();
    door.guard(&narrow, "guard");
    let held = Work::named("held", |_| panic!("it must not run"));
    assert!(narrow.queue_work(&held));
    let drain = begin_drain(&engine, &wq, &door);
    let begin = |wait: fn(&Workqueue), wq: &Workqueue| {
        let before = count(&engine, |what| matches!(what, What::FlushStart { .. }));
        let wq = wq.clone();
        let thread = std::thread::spawn(move || wait(&wq));
        until(|| count(&engine, |what| matches!(what, What::FlushStart { .. })) > before);
        thread
    };
    let others = [
        begin(Workqueue::flush, &wq),
        begin(Workqueue::destroy, &wq),
        begin(Workqueue::flush, &narrow),
        begin(Workqueue::drain, &narrow),
    ];
    let error = engine.shutdown(Duration::from_millis(20)).unwrap_err();
    assert!(error.to_string().contains("ending"), "{error}");
    door.open();
    drain.join().unwrap();
    for thread in others {
        thread.join().unwrap();
    }
    assert!(!held.pending());
}
