//! Cancelling, from the inside.

use super::support::{Count, Held, NEVER, engine, steps, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wq_engine::{BUSY_RUNNING, DelayedWork, Work, WqFlags};
use wq_trace::{Was, What};

fn cancelled(steps: &[What]) -> Vec<Was> {
    let was = |what: &What| match what {
        What::CancelWork { was } => Some(*was),
        _ => None,
    };
    steps.iter().filter_map(was).collect()
}

#[test]
fn s5_5_a_cancel_finds_the_item_wherever_it_is() {
    let engine = engine("grab");
    let line = engine
        .alloc_ordered_workqueue("line", WqFlags::empty())
        .unwrap();
    let ran = Count::default();
    let work = ran.delayed();
    assert!(engine.schedule_delayed_work(&work, NEVER));
    assert!(work.cancel(), "timer");
    let (held, ahead) = (Held::on(engine.system_wq()), Held::on(&line));
    assert!(engine.schedule_delayed_work(&work, std::time::Duration::ZERO));
    assert!(work.cancel(), "worklist");
    assert!(line.queue_delayed_work(&work, std::time::Duration::ZERO));
    assert!(work.cancel(), "inactive list");
    assert!(!work.cancel(), "idle");
    held.let_go();
    ahead.let_go();
    line.flush();
    engine.system_wq().flush();
    assert_eq!(ran.get(), 0);
    let expected = [Was::Timer, Was::Pending, Was::Inactive, Was::Idle];
    assert_eq!(cancelled(&steps(&engine, "count")), expected);
}

#[test]
fn s5_5_a_cancel_that_waits_never_says_that_it_ran() {
    let engine = engine("was-pending");
    let held = Held::on(engine.system_wq());
    held.let_go();
    assert!(!held.work.cancel_sync(), "it ran, or was over");
    let held = Held::on(engine.system_wq());
    assert!(engine.schedule_work(&held.work));
    held.let_go();
    held.let_go();
    // Whether the second run had begun is open; in either case nothing is left.
    held.work.cancel_sync();
    assert_eq!(held.work.busy(), 0);
}

/// Whoever loses the race for the item waits in transit, and nobody waits for ever.
#[test]
fn s5_5_disable_enable_and_cancel_race_with_queueing_and_stay_balanced() {
    let engine = engine("race");
    let work = DelayedWork::named("raced", |_| {});
    let over = Arc::new(AtomicBool::new(false));
    let queues = std::thread::spawn({
        let (wq, work, over) = (engine.system_wq().clone(), work.clone(), over.clone());
        move || {
            while !over.load(Ordering::Relaxed) {
                wq.mod_delayed_work(&work, std::time::Duration::from_micros(10));
                wq.queue_delayed_work(&work, std::time::Duration::ZERO);
            }
        }
    });
    let takes: Vec<_> = (0..2)
        .map(|thread| {
            let work = work.clone();
            std::thread::spawn(move || {
                for _ in 0..500 {
                    if thread == 0 {
                        work.disable();
                    } else {
                        work.disable_sync();
                        assert_eq!(work.busy() & BUSY_RUNNING, 0, "it is disabled");
                    }
                    work.cancel_sync();
                    work.enable();
                }
            })
        })
        .collect();
    for thread in takes {
        thread.join().unwrap();
    }
    over.store(true, Ordering::Relaxed);
    queues.join().unwrap();
    work.cancel_sync();
    assert_eq!(work.busy(), 0);
    assert!(engine.schedule_delayed_work(&work, NEVER), "the depth is 0");
    assert!(work.cancel());
}

#[test]
fn s5_5_an_item_may_disable_itself() {
    let engine = engine("self");
    let wq = engine.system_wq().clone();
    let ran = Count::default();
    let counted = ran.clone();
    let work = Work::named("once", move |work| {
        counted.add();
        assert!(!work.disable());
        assert!(!wq.queue_work(work));
    });
    assert!(engine.schedule_work(&work));
    until(|| ran.get() == 1 && work.busy() & BUSY_RUNNING == 0);
    assert!(!engine.schedule_work(&work));
    assert!(engine.system_wq().enable_and_queue_work(&work));
    until(|| ran.get() == 2);
}
