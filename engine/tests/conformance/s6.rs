//! Delayed and RCU work.

use super::support::{Count, LONG, NEVER, engine, snapshot, steps, until, waiting};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use wq_engine::{Error, RcuWork, WqFlags, rcu};
use wq_trace::{Drop as Dropped, What};

#[test]
fn s6_an_armed_item_is_pending_from_the_arming_on() {
    let engine = engine("arm");
    let ran = Count::default();
    let work = ran.delayed();
    let before = Instant::now();
    assert!(engine.schedule_delayed_work(&work, NEVER));
    assert!(work.pending());
    let expires = work.expires().expect("it is on its timer");
    assert!(expires >= before + NEVER);
    assert!(!engine.schedule_delayed_work(&work, Duration::ZERO));
    assert_eq!(work.expires(), Some(expires), "a refusal moves nothing");
    assert!(work.cancel());
    assert!(work.expires().is_none());
    assert!(matches!(steps(&engine, "count")[0], What::TimerArm { .. }));
}

#[test]
fn s6_rcu_work_is_pending_from_the_call_on_and_queued_after_it() {
    let engine = engine("rcu-call");
    let work = RcuWork::named("freed", |_| {});
    let reader = rcu::read_lock();
    assert!(engine.system_wq().queue_rcu_work(&work));
    assert!(work.pending());
    let queued = || {
        snapshot(&engine)
            .functions
            .iter()
            .any(|f| f.name == "freed")
    };
    assert!(!queued(), "no list has it");
    drop(reader);
    work.flush();
    assert!(matches!(
        steps(&engine, "freed")[0],
        What::FlushStart { .. } | What::QueueWork { .. }
    ));
}

/// A version that readers look at is only taken apart when nobody can look any more.
#[test]
fn s6_no_reader_sees_what_an_rcu_item_took_apart() {
    const READERS: usize = 4;
    let engine = engine("rcu-safe");
    let versions: Arc<Vec<AtomicBool>> =
        Arc::new((0..500).map(|_| AtomicBool::new(true)).collect());
    let current = Arc::new(AtomicUsize::new(0));
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let (versions, current) = (versions.clone(), current.clone());
            std::thread::spawn(move || {
                loop {
                    let section = rcu::read_lock();
                    let at = current.load(Ordering::Acquire);
                    for _ in 0..50 {
                        assert!(
                            versions[at].load(Ordering::Acquire),
                            "taken apart under a reader"
                        );
                        std::hint::spin_loop();
                    }
                    drop(section);
                    if at + 1 == versions.len() {
                        return;
                    }
                }
            })
        })
        .collect();
    let frees: Vec<RcuWork> = (0..versions.len() - 1)
        .map(|at| {
            let versions = versions.clone();
            RcuWork::named("free", move |_| {
                versions[at].store(false, Ordering::Release);
            })
        })
        .collect();
    for (at, free) in frees.iter().enumerate() {
        current.store(at + 1, Ordering::Release);
        assert!(engine.system_wq().queue_rcu_work(free));
    }
    for reader in readers {
        reader.join().unwrap();
    }
    for free in &frees {
        free.flush();
    }
    let left = versions
        .iter()
        .filter(|version| version.load(Ordering::Acquire));
    assert_eq!(left.count(), 1);
}

#[test]
fn s6_a_reader_that_stays_delays_only_the_items_of_its_time() {
    let engine = engine("rcu-late");
    let (early, late) = (Count::default(), Count::default());
    let counted = early.clone();
    let first = RcuWork::named("early", move |_| counted.add());
    assert!(engine.system_wq().queue_rcu_work(&first));
    first.flush();
    let section = rcu::read_lock();
    let counted = late.clone();
    let second = RcuWork::named("late", move |_| counted.add());
    assert!(engine.system_wq().queue_rcu_work(&second));
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!((early.get(), late.get()), (1, 0));
    drop(section);
    second.flush();
    assert_eq!(late.get(), 1);
}

#[test]
fn s6_the_last_handles_may_go_while_an_rcu_item_waits() {
    let engine = engine("rcu-handles");
    let wq = engine
        .alloc_workqueue("passing", WqFlags::PERCPU, 0)
        .unwrap();
    let ran = Count::default();
    let counted = ran.clone();
    let work = RcuWork::named("passing", move |_| counted.add());
    let section = rcu::read_lock();
    assert!(wq.queue_rcu_work(&work));
    drop((wq, work));
    drop(section);
    until(|| ran.get() == 1);
}

/// What an item owns tells whether anything keeps the item.
fn owning(owned: &Arc<()>) -> (RcuWork, Weak<()>) {
    let mine = owned.clone();
    let work = RcuWork::named("owning", move |_| {
        let _ = &mine;
    });
    (work, Arc::downgrade(owned))
}

#[test]
fn s6_the_end_of_an_engine_lets_waiting_rcu_items_go() {
    let engine = engine("rcu-end");
    let owned = Arc::new(());
    let (work, weak) = owning(&owned);
    drop(owned);
    let section = rcu::read_lock();
    assert!(engine.system_wq().queue_rcu_work(&work));
    let flushes = std::thread::spawn({
        let work = work.clone();
        move || work.flush()
    });
    until(|| waiting(&engine) > 0);
    engine.shutdown(LONG).unwrap();
    assert!(flushes.join().unwrap(), "it waited; the item will not run");
    assert!(!work.pending());
    let dropped = What::DropWork {
        reason: Dropped::Shutdown,
    };
    assert!(steps(&engine, "owning").contains(&dropped));
    assert!(!engine.system_wq().queue_rcu_work(&work), "it is over");
    drop(work);
    assert!(weak.upgrade().is_none(), "nothing keeps the item");
    drop(section);
}

#[test]
fn s6_a_dropped_engine_waits_for_no_reader() {
    let owned = Arc::new(());
    let (work, weak) = owning(&owned);
    drop(owned);
    let section = rcu::read_lock();
    let engine = engine("rcu-drop");
    for _ in 0..3 {
        engine.system_wq().queue_rcu_work(&work);
    }
    drop(engine);
    assert!(!work.pending() && !work.flush());
    drop(work);
    assert!(weak.upgrade().is_none());
    drop(section);
}

#[test]
fn s6_an_engine_that_is_gone_says_so() {
    let engine = engine("rcu-gone");
    engine.shutdown(LONG).unwrap();
    let work = RcuWork::named("late", |_| {});
    assert!(!engine.system_wq().queue_rcu_work(&work));
    let error = engine.alloc_workqueue("late", WqFlags::PERCPU, 0);
    assert!(matches!(error, Err(Error::ShutDown { .. })));
}
