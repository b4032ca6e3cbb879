//! Tuning: limits and attributes of workqueues that are in use.

use super::support::{Count, Held, LONG, engine, until};
use std::sync::Arc;
use wq_engine::{AffinityScope, CpuMask, Engine, Error, Work, WorkqueueAttrs, WqFlags};

/// An engine on two made-up nodes, or on as many CPUs as there are.
fn wide(name: &str) -> Engine {
    Engine::builder().name(name).build().expect("an engine")
}

#[test]
fn s2_5_raising_max_active_activates_held_items_at_once() {
    let engine = engine("raise");
    for flags in [WqFlags::CPU_INTENSIVE, WqFlags::UNBOUND] {
        let wq = engine.alloc_workqueue("narrow", flags, 1).unwrap();
        let held: Vec<Held> = (0..4).map(|_| Held::idle()).collect();
        for held in &held {
            assert!(wq.queue_work(&held.work));
        }
        held[0].wait_until_it_runs();
        assert!(held[1..].iter().all(|held| held.work.pending()));
        wq.set_max_active(3);
        assert_eq!(wq.max_active(), 3);
        held[1].wait_until_it_runs();
        held[2].wait_until_it_runs();
        assert!(held[3].work.pending(), "{flags:?}");
        held.iter().for_each(Held::let_go);
        wq.flush();
        assert!(!held[3].work.pending());
    }
}

#[test]
fn s2_5_lowering_max_active_stops_nothing_that_is_active() {
    let engine = engine("lower");
    for flags in [WqFlags::CPU_INTENSIVE, WqFlags::UNBOUND] {
        let wq = engine.alloc_workqueue("wide", flags, 3).unwrap();
        let held: Vec<Held> = (0..3).map(|_| Held::on(&wq)).collect();
        wq.set_max_active(1);
        let (late, later) = (Held::idle(), Held::idle());
        assert!(wq.queue_work(&late.work) && wq.queue_work(&later.work));
        for held in &held[..2] {
            held.let_go();
            until(|| held.work.busy() == 0);
            assert!(late.work.pending(), "{flags:?}: still one too many, or one");
        }
        held[2].let_go();
        late.wait_until_it_runs();
        assert!(later.work.pending());
        late.let_go();
        later.wait_until_it_runs();
        later.let_go();
        wq.flush();
    }
}

#[test]
fn s2_5_set_max_active_is_cut_and_ignored_for_ordered() {
    let engine = engine("cut");
    let wq = engine.alloc_workqueue("any", WqFlags::empty(), 0).unwrap();
    assert_eq!(wq.max_active(), 1024);
    wq.set_max_active(0);
    assert_eq!(wq.max_active(), 1);
    wq.set_max_active(1_000_000);
    assert_eq!(wq.max_active(), 2048);
    let ordered = engine
        .alloc_ordered_workqueue("one by one", WqFlags::empty())
        .unwrap();
    ordered.set_max_active(5);
    ordered.set_min_active(5);
    assert_eq!(ordered.max_active(), 1);
}

#[test]
fn s2_2_apply_attrs_moves_new_items_and_lets_old_ones_finish() {
    let engine = wide("move");
    let wq = engine
        .alloc_workqueue("moving", WqFlags::UNBOUND, 0)
        .unwrap();
    let old = Held::on(&wq);
    let attrs = WorkqueueAttrs {
        nice: 3,
        affn_scope: AffinityScope::Cpu,
        affn_strict: true,
        cpumask: CpuMask::of(engine.cpus()[0]),
    };
    wq.apply_attrs(&attrs).unwrap();
    assert_eq!(wq.attrs(), Some(attrs));
    let count = Count::default();
    let new = count.work();
    assert!(wq.queue_work(&new));
    new.flush();
    assert_eq!(count.get(), 1, "the old item is in nobody's way");
    old.let_go();
    old.work.flush();
    wq.flush();
    // Back and forth, with items on the way.
    for round in 0..50 {
        let nice = round % 3;
        let work = count.work();
        assert!(wq.queue_work(&work));
        wq.apply_attrs(&WorkqueueAttrs {
            nice,
            ..WorkqueueAttrs::default()
        })
        .unwrap();
    }
    wq.flush();
    assert_eq!(count.get(), 51);
    engine.shutdown(LONG).unwrap();
}

#[test]
fn s2_8_attrs_on_a_bound_wq_are_refused() {
    let engine = engine("bound attrs");
    let wq = engine.alloc_workqueue("bound", WqFlags::PERCPU, 0).unwrap();
    assert_eq!(wq.attrs(), None);
    let refused = wq.apply_attrs(&WorkqueueAttrs::default());
    assert!(matches!(refused, Err(Error::Attrs { .. })));
    let unbound = engine
        .alloc_workqueue("unbound", WqFlags::UNBOUND, 0)
        .unwrap();
    let refused = unbound.apply_attrs(&WorkqueueAttrs {
        nice: 20,
        ..WorkqueueAttrs::default()
    });
    assert!(matches!(refused, Err(Error::Attrs { .. })));
}

#[test]
fn s3_8_an_ordered_wq_with_new_attrs_starts_nothing_before_the_old_pwq_has_drained() {
    let engine = wide("plug");
    let wq = engine
        .alloc_ordered_workqueue("ordered", WqFlags::empty())
        .unwrap();
    let first = Held::on(&wq);
    let (second, count) = (Held::idle(), Count::default());
    assert!(wq.queue_work(&second.work));
    for nice in [1, 2] {
        wq.apply_attrs(&WorkqueueAttrs {
            nice,
            ..WorkqueueAttrs::default()
        })
        .unwrap();
        assert!(wq.queue_work(&count.work()));
    }
    first.let_go();
    second.wait_until_it_runs();
    assert_eq!(count.get(), 0, "the new pwqs are plugged");
    second.let_go();
    wq.flush();
    assert_eq!(count.get(), 2);
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    for n in 0..100 {
        let order = order.clone();
        assert!(wq.queue_work(&Work::named("next", move |_| order.lock().unwrap().push(n))));
        if n % 10 == 0 {
            let attrs = WorkqueueAttrs {
                nice: n / 10 % 4,
                ..WorkqueueAttrs::default()
            };
            wq.apply_attrs(&attrs).unwrap();
        }
    }
    wq.flush();
    assert_eq!(*order.lock().unwrap(), (0..100).collect::<Vec<_>>());
}
