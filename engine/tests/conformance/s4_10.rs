//! Freezing.

use super::support::{Count, Held, LONG, count as told, engine, until};
use wq_engine::{Work, WqFlags};
use wq_trace::What;

#[test]
fn s4_10_frozen_holds_what_is_not_active_and_thaw_lets_it_go() {
    let engine = engine("freeze");
    for unbound in [WqFlags::empty(), WqFlags::UNBOUND] {
        let wq = engine
            .alloc_workqueue("cold", WqFlags::FREEZABLE | unbound, 0)
            .unwrap();
        let running = Held::on(&wq);
        assert_eq!(
            engine.freeze(),
            std::slice::from_ref(&wq),
            "an active item runs on"
        );
        let count = Count::default();
        let (kept, cancelled) = (count.work(), count.work());
        assert!(wq.queue_work(&kept) && wq.queue_work(&cancelled));
        running.let_go();
        running.work.flush();
        assert!(engine.freeze().is_empty());
        assert!(cancelled.cancel(), "a held item can be cancelled");
        let other = engine.alloc_workqueue("warm", unbound, 0).unwrap();
        let passing = count.work();
        assert!(other.queue_work(&passing));
        passing.flush();
        assert_eq!(count.get(), 1, "others go on");
        assert!(kept.pending());
        // The configured limit is shown while frozen, and may be changed.
        assert_eq!(wq.max_active(), 1024);
        wq.set_max_active(2);
        assert_eq!(wq.max_active(), 2);
        assert!(kept.pending());
        engine.thaw();
        wq.flush();
        assert_eq!(count.get(), 2);
    }
}

/// Active means that it has a slot, not that it runs.
#[test]
fn s4_10_active_items_that_no_worker_has_taken_still_run() {
    let engine = engine("freeze active");
    let wq = engine
        .alloc_workqueue("cold", WqFlags::FREEZABLE, 2)
        .unwrap();
    let held = Held::on(&wq);
    let (early, late) = (Count::default(), Count::default());
    let (active, inactive) = (early.work(), late.work());
    assert!(wq.queue_work(&active) && wq.queue_work(&inactive));
    assert_eq!(engine.freeze().len(), 1);
    held.let_go();
    active.flush();
    assert_eq!((early.get(), late.get()), (1, 0));
    assert!(inactive.pending() && engine.freeze().is_empty());
    engine.thaw();
    inactive.flush();
    assert_eq!(late.get(), 1);
}

#[test]
fn s4_10_a_wq_made_while_frozen_is_frozen() {
    let engine = engine("freeze new");
    assert!(engine.freeze().is_empty());
    let wq = engine
        .alloc_workqueue("late", WqFlags::FREEZABLE, 0)
        .unwrap();
    let count = Count::default();
    let work = count.work();
    assert!(wq.queue_work(&work));
    engine.system_wq().flush();
    assert!(work.pending());
    engine.thaw();
    work.flush();
    assert_eq!(count.get(), 1);
    engine.shutdown(LONG).unwrap();
}

/// What is held back is to be executed before the end, so the end thaws, and nothing freezes once it has begun.
#[test]
fn s4_10_a_shutdown_thaws() {
    let engine = engine("freeze shutdown");
    let cold = [WqFlags::empty(), WqFlags::UNBOUND].map(|unbound| {
        let flags = WqFlags::FREEZABLE | unbound;
        engine.alloc_workqueue("cold", flags, 0).unwrap()
    });
    assert!(engine.freeze().is_empty());
    let count = Count::default();
    for wq in &cold {
        assert!(wq.queue_work(&count.work()));
    }
    let late = Work::named("late", {
        let (engine, cold, count) = (engine.clone(), cold.clone(), count.clone());
        move |_| {
            until(|| count.get() == 2);
            engine.freeze();
            for wq in &cold {
                assert!(wq.queue_work(&count.work()));
            }
        }
    });
    assert!(engine.system_unbound_wq().queue_work(&late));
    engine.shutdown(LONG).unwrap();
    assert_eq!(count.get(), 4);
    let froze = told(&engine, |what| matches!(what, What::Freeze { .. }));
    let thawed = told(&engine, |what| matches!(what, What::Thaw { .. }));
    assert!(
        thawed == froze && thawed >= cold.len(),
        "{thawed} of {froze}"
    );
}
