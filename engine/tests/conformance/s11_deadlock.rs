//! Waits that cannot end are told when they close, and no others.

use crate::support::{Door, LONG, engine, events, said_like, snapshot, until, waiting};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use wq_engine::{AffinityScope, Engine, Error, Work, Workqueue, WorkqueueAttrs, WqFlags};
use wq_trace::What;

fn alloc(engine: &Engine, name: &str, max_active: usize) -> Workqueue {
    engine
        .alloc_workqueue(name, WqFlags::PERCPU, max_active)
        .unwrap()
}

/// Waits for a report of exactly this cycle; its work functions hang, so its engine must report them as busy.
fn is_told(engine: Engine, wq: &str, cycle: &str) {
    let cycle = format!("workqueue: deadlock: {cycle}");
    until(|| said_like(&[&cycle]).len() == 1);
    assert_eq!(told(&engine), (vec![1], vec![1]));
    let error = engine.shutdown(Duration::from_millis(10)).unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    assert!(error.to_string().contains(wq), "{error}");
    // Its threads hang: they are left alone.
    std::mem::forget(engine);
}

/// For each deadlock that was told, by its number, how many waits; and the numbers that those who wait are marked with.
fn told(engine: &Engine) -> (Vec<usize>, Vec<u32>) {
    let snapshot = snapshot(engine);
    let marked = snapshot.flushes.iter().map(|row| row.deadlock);
    let marked = marked.filter(|&cycle| cycle != 0).collect();
    let mut waits = Vec::new();
    for event in events(engine) {
        if let What::Deadlock { cycle, .. } = event.what {
            waits.resize(waits.len().max(cycle as usize), 0);
            waits[cycle as usize - 1] += 1;
        }
    }
    (waits, marked)
}

fn deadlocks(name: &str) -> Vec<String> {
    said_like(&["deadlock", name])
}

#[test]
fn s5_2_an_item_that_flushes_itself() {
    let engine = engine("self-flush");
    let work = Work::named("me", |work| {
        work.flush();
    });
    let wq = alloc(&engine, "selfish", 0);
    assert!(wq.queue_work(&work));
    is_told(engine, "selfish", "selfish:me flushes selfish:me");
}

#[test]
fn s5_2_an_item_that_cancels_itself_and_waits() {
    let engine = engine("self-cancel");
    let work = Work::named("me", |work| {
        work.cancel_sync();
    });
    let wq = alloc(&engine, "suicidal", 0);
    assert!(wq.queue_work(&work));
    is_told(
        engine,
        "suicidal",
        "suicidal:me waits for the end of suicidal:me",
    );
}

#[test]
fn s5_2_an_item_that_flushes_itself_queued_again() {
    let engine = engine("self-again");
    let wq = alloc(&engine, "again", 0);
    let work = Work::named("me", {
        let wq = wq.clone();
        move |work| {
            assert!(wq.queue_work(work));
            work.flush();
        }
    });
    assert!(wq.queue_work(&work));
    let cycle = "again:me flushes again:me, which waits for its own execution again:me";
    is_told(engine, "again", cycle);
}

#[test]
fn s5_2_an_item_that_flushes_drains_or_destroys_its_own_workqueue() {
    let waits = [Workqueue::flush, Workqueue::drain, Workqueue::destroy];
    for (name, wait) in ["flushed", "drained", "destroyed"].into_iter().zip(waits) {
        let engine = engine(name);
        let wq = alloc(&engine, name, 0);
        let work = Work::named("me", {
            let wq = wq.clone();
            move |_| wait(&wq)
        });
        assert!(wq.queue_work(&work));
        let cycle = format!("{name}:me flushes workqueue {name} with {name}:me");
        is_told(engine, name, &cycle);
    }
}

/// Items that flush each other, the n-th the next one, and begin once all of them run.
fn ring(engine: &Engine, names: &[&str]) -> Vec<Work> {
    let works: Arc<OnceLock<Vec<Work>>> = Arc::default();
    let begin = Door::default();
    let made: Vec<Work> = (0..names.len())
        .map(|n| {
            let (works, begin, next) = (works.clone(), begin.clone(), (n + 1) % names.len());
            Work::named("ring", move |_| {
                begin.pass();
                works.get().expect("it is set")[next].flush();
            })
        })
        .collect();
    works.set(made.clone()).expect("it is set once");
    for (name, work) in names.iter().zip(&made) {
        let wq = alloc(engine, name, 0);
        assert!(wq.queue_work(work));
    }
    until(|| made.iter().all(|work| !work.pending()));
    begin.open();
    made
}

#[test]
fn s5_2_items_that_flush_each_other() {
    let engine = engine("ring");
    ring(&engine, &["ring0", "ring1", "ring2"]);
    until(|| !deadlocks("ring0").is_empty());
    let texts = deadlocks("ring0");
    assert_eq!(texts.len(), 1, "once, by the one that closes it: {texts:?}");
    for edge in [
        "0:ring flushes ring1",
        "1:ring flushes ring2",
        "2:ring flushes ring0",
    ] {
        // Whoever comes last begins.
        let (from, to) = edge.split_once(' ').unwrap();
        let chained = format!("ring{from}, which {to}:ring");
        let first = format!("deadlock: ring{from} {to}:ring");
        let is_there = texts[0].contains(&chained) || texts[0].contains(&first);
        assert!(is_there, "{edge}: {texts:?}");
    }
    assert_eq!(told(&engine), (vec![3], vec![1, 1, 1]));
    assert!(engine.shutdown(Duration::from_millis(10)).is_err());
    std::mem::forget(engine);
}

/// The slots of a node are shared by the pwqs of all its pools.
#[test]
fn s11_1_8_the_slot_of_another_pool_of_the_node() {
    let engine = Engine::builder().name("node-slot").build().unwrap();
    let wq = engine
        .alloc_workqueue("shared", WqFlags::UNBOUND, 1)
        .unwrap();
    let attrs = WorkqueueAttrs {
        affn_scope: AffinityScope::Cpu,
        ..WorkqueueAttrs::default()
    };
    wq.apply_attrs(&attrs).unwrap();
    let (first, last) = (engine.cpus()[0], *engine.cpus().last().unwrap());
    let held = Work::named("held", |_| {});
    let begin = Door::default();
    let holder = Work::named("holder", {
        let (begin, held) = (begin.clone(), held.clone());
        move |_| {
            begin.pass();
            held.flush();
        }
    });
    assert!(wq.queue_work_on(first, &holder));
    until(|| !holder.pending());
    assert!(wq.queue_work_on(last, &held));
    begin.open();
    let cycle =
        "deadlock: shared:holder flushes shared:held, which waits for the slot of shared:holder";
    until(|| said_like(&[cycle]).len() == 1);
    wq.set_max_active(2);
    wq.flush();
    engine.shutdown(LONG).unwrap();
}

/// Items of an ordered workqueue wait for the ones before, though these are on a pwq that was replaced.
#[test]
fn s3_8_an_item_flushes_one_behind_it_on_a_plugged_pwq() {
    let engine = engine("plugged");
    let wq = engine
        .alloc_ordered_workqueue("swapped", WqFlags::empty())
        .unwrap();
    let (begin, next) = (Door::default(), Work::named("next", |_| {}));
    let first = Work::named("first", {
        let (begin, next) = (begin.clone(), next.clone());
        move |_| {
            begin.pass();
            next.flush();
        }
    });
    assert!(wq.queue_work(&first));
    until(|| !first.pending());
    let attrs = WorkqueueAttrs {
        nice: 5,
        ..WorkqueueAttrs::default()
    };
    wq.apply_attrs(&attrs).unwrap();
    assert!(wq.queue_work(&next));
    begin.open();
    let cycle =
        "deadlock: swapped:first flushes swapped:next, which waits for the slot of swapped:first";
    until(|| said_like(&[cycle]).len() == 1);
    assert!(next.cancel());
    wq.flush();
    engine.shutdown(LONG).unwrap();
}

/// Who thaws them is no item that waits.
#[test]
fn s4_10_waits_for_frozen_items_end_with_the_thaw_and_are_not_told() {
    let engine = engine("frozen-flush");
    let flags = WqFlags::PERCPU | WqFlags::FREEZABLE;
    let wq = engine.alloc_workqueue("icy", flags, 1).unwrap();
    let (begin, next) = (Door::default(), Work::named("next", |_| {}));
    let other = alloc(&engine, "warm", 0);
    let flusher = Work::named("flusher", {
        let (begin, next) = (begin.clone(), next.clone());
        move |_| {
            begin.pass();
            next.flush();
        }
    });
    assert!(other.queue_work(&flusher));
    assert!(engine.freeze().is_empty());
    assert!(wq.queue_work(&next));
    begin.open();
    until(|| waiting(&engine) == 1);
    let destroy = std::thread::spawn({
        let wq = wq.clone();
        move || wq.destroy()
    });
    until(|| waiting(&engine) == 2);
    std::thread::sleep(Duration::from_millis(20));
    assert!(
        next.pending() && !destroy.is_finished(),
        "it waits for the thaw"
    );
    engine.thaw();
    destroy.join().unwrap();
    other.flush();
    assert_eq!(deadlocks("icy"), [""; 0]);
    engine.shutdown(LONG).unwrap();
}

#[test]
fn s11_3_an_item_of_an_ordered_workqueue_that_flushes_the_next_one() {
    let engine = engine("ordered-flush");
    let wq = engine
        .alloc_ordered_workqueue("journal", WqFlags::empty())
        .unwrap();
    let next = Work::named("next", |_| {});
    let queued = Door::default();
    let first = Work::named("first", {
        let (queued, next) = (queued.clone(), next.clone());
        move |_| {
            queued.pass();
            next.flush();
        }
    });
    assert!(wq.queue_work(&first));
    assert!(wq.queue_work(&next));
    queued.open();
    let cycle = "workqueue: deadlock: journal:first flushes journal:next, which waits for the slot of journal:first";
    until(|| said_like(&[cycle]).len() == 1);
    assert_eq!(told(&engine), (vec![1], vec![1]));
    // Not for ever, if somebody takes the item back.
    assert!(next.cancel());
    wq.flush();
    assert_eq!(told(&engine), (vec![1], vec![]));
    engine.shutdown(LONG).unwrap();
}

#[test]
fn s11_1_8_all_slots_are_held_by_items_that_wait_for_held_ones() {
    let engine = engine("slots");
    let wq = alloc(&engine, "full", 2);
    let other = alloc(&engine, "outside", 0);
    let begin = [0; 2].map(|_| Door::default());
    let held = [Work::named("held", |_| {}), Work::named("flushed", |_| {})];
    // One flushes a held item itself, one through an item of another workqueue.
    let through = Work::named("through", {
        let held = held[1].clone();
        move |_| {
            held.flush();
        }
    });
    let flushed = [held[0].clone(), through.clone()];
    for (work, begin) in flushed.iter().zip(&begin) {
        let (work, begin) = (work.clone(), begin.clone());
        let holder = Work::named("holder", move |_| {
            begin.pass();
            work.flush();
        });
        assert!(wq.queue_work(&holder));
        until(|| !holder.pending());
    }
    for work in &held {
        assert!(wq.queue_work(work));
    }
    begin[0].open();
    until(|| waiting(&engine) == 1);
    assert!(deadlocks("full").is_empty(), "a slot can still get free");
    assert!(other.queue_work(&through));
    until(|| waiting(&engine) == 2);
    assert!(deadlocks("full").is_empty(), "the second holder still runs");
    begin[1].open();
    until(|| !deadlocks("full").is_empty());
    assert!(held[0].cancel());
    // A slot is free now: the other one runs.
    wq.flush();
    engine.shutdown(LONG).unwrap();
}

/// Items that flush others, those flush others again, in a storm; but nothing ever waits for itself.
#[test]
fn s5_2_waits_that_end_are_not_told() {
    const LEVELS: usize = 4;
    let engine = Engine::builder().name("no-alarm").build().unwrap();
    let wqs: Vec<Workqueue> = (0..LEVELS)
        .map(|level| {
            let flags = [WqFlags::PERCPU, WqFlags::UNBOUND][level % 2];
            let max_active = [0, 2, 1, 3][level];
            engine
                .alloc_workqueue("peaceful", flags, max_active)
                .unwrap()
        })
        .collect();
    let mut works: Vec<Vec<Work>> = Vec::new();
    for level in 0..LEVELS {
        let below = works.last().cloned().unwrap_or_default();
        let under = level.checked_sub(1).map(|level| wqs[level].clone());
        let made = (0..6).map(|n| {
            let (below, under) = (below.clone(), under.clone());
            Work::named("peace", move |_| {
                let Some(under) = &under else { return };
                under.queue_work(&below[n]);
                match n {
                    0 => under.flush(),
                    1 => drop(below[2].cancel_sync()),
                    _ => drop(below[n - 1].flush()),
                }
            })
        });
        works.push(made.collect());
    }
    std::thread::scope(|scope| {
        for level in 0..LEVELS {
            let (wq, works) = (&wqs[level], &works[level]);
            scope.spawn(move || {
                for round in 0..300 {
                    wq.queue_work(&works[round % works.len()]);
                    if round % 50 == 49 {
                        wq.flush();
                    }
                }
            });
        }
    });
    wqs.iter().rev().for_each(Workqueue::drain);
    assert_eq!(deadlocks("peace"), [""; 0]);
    engine.shutdown(LONG).unwrap();
}
