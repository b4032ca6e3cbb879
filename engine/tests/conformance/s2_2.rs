//! Making workqueues, and their attributes.

use super::support::{Held, LONG, engine, snapshot, until};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use wq_engine::{AffinityScope, CpuMask, Engine, Work, WorkqueueAttrs, WqFlags};

#[test]
fn s2_2_alloc_workqueue_with_max_active_0_has_1024() {
    let engine = engine("default-limit");
    for flags in [WqFlags::PERCPU, WqFlags::UNBOUND, WqFlags::HIGHPRI] {
        let wq = engine.alloc_workqueue("default", flags, 0).unwrap();
        assert_eq!(wq.max_active(), 1024, "{flags:?}");
        let wq = engine.alloc_workqueue("own", flags, 3).unwrap();
        assert_eq!(wq.max_active(), 3, "{flags:?}");
    }
}

/// System-wide: whatever CPU an item is queued for.
#[test]
fn s2_2_alloc_ordered_workqueue_is_unbound_and_runs_one_at_a_time_in_queueing_order() {
    let engine = Engine::builder().name("ordered").build().unwrap();
    for flags in [WqFlags::empty(), WqFlags::HIGHPRI, WqFlags::FREEZABLE] {
        let wq = engine.alloc_ordered_workqueue("line", flags).unwrap();
        let kind = WqFlags::UNBOUND | WqFlags::ORDERED;
        assert_eq!((wq.flags(), wq.max_active()), (flags | kind, 1));
        let (alone, order) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(Vec::new())));
        for n in 0..200 {
            let (alone, order) = (alone.clone(), order.clone());
            let work = Work::named("in-line", move |_| {
                let _alone = alone.try_lock().expect("one at a time");
                std::thread::yield_now();
                order.lock().unwrap().push(n);
            });
            let cpu = engine.cpus()[n % engine.cpus().len()];
            assert!(wq.queue_work_on(cpu, &work));
        }
        wq.flush();
        assert_eq!(*order.lock().unwrap(), (0..200).collect::<Vec<_>>());
    }
}

#[test]
fn s2_2_alloc_workqueue_attrs_are_nice_0_on_all_cpus_in_the_default_scope() {
    let defaults = WorkqueueAttrs {
        nice: 0,
        cpumask: CpuMask::all(),
        affn_scope: AffinityScope::Default,
        affn_strict: false,
    };
    assert_eq!(WorkqueueAttrs::default(), defaults);
    let engine = engine("default-attrs");
    let fresh = |flags| engine.alloc_workqueue("fresh", flags, 0).unwrap().attrs();
    assert_eq!(fresh(WqFlags::UNBOUND), Some(defaults.clone()));
    let high = WorkqueueAttrs {
        nice: -20,
        ..defaults
    };
    assert_eq!(fresh(WqFlags::UNBOUND | WqFlags::HIGHPRI), Some(high));
    assert_eq!(fresh(WqFlags::PERCPU), None);
}

/// It is queued behind itself each time, as long as it runs when it is queued.
#[test]
fn s2_2_apply_attrs_leaves_an_item_that_queues_itself_on_its_old_pool() {
    let engine = engine("back-to-back");
    let wq = engine
        .alloc_workqueue("moving", WqFlags::UNBOUND, 0)
        .unwrap();
    let (tell, told) = mpsc::channel();
    let stop = Arc::new(AtomicBool::new(false));
    let work = Work::named("again", {
        let (wq, stop) = (wq.clone(), stop.clone());
        move |work| {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            let pool = name.split(':').next().unwrap_or_default().to_owned();
            tell.send(pool).unwrap();
            if !stop.load(Ordering::Relaxed) {
                assert!(wq.queue_work(work));
            }
        }
    });
    let next = || told.recv_timeout(LONG).unwrap();
    assert!(wq.queue_work(&work));
    let old = next();
    wq.apply_attrs(&WorkqueueAttrs {
        nice: 1,
        ..WorkqueueAttrs::default()
    })
    .unwrap();
    assert!(told.try_iter().all(|pool| pool == old), "before the change");
    for _ in 0..100 {
        assert_eq!(next(), old);
    }
    stop.store(true, Ordering::Relaxed);
    work.cancel_sync();
    assert!(told.try_iter().all(|pool| pool == old));
    assert!(wq.queue_work(&work));
    assert_ne!(next(), old, "after a pause");
}

/// The wishes of one workqueue are not another's: pools are shared by what they are.
#[test]
fn s1_5_workqueues_with_equal_attributes_share_a_pool() {
    let engine = engine("shared-pool");
    let one = engine.alloc_workqueue("one", WqFlags::UNBOUND, 0).unwrap();
    let two = engine
        .alloc_ordered_workqueue("two", WqFlags::empty())
        .unwrap();
    let thread = |wq: &wq_engine::Workqueue| {
        let (tell, told) = mpsc::channel();
        assert!(wq.spawn(move || {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            tell.send(name.split(':').next().map(str::to_owned))
                .unwrap();
        }));
        told.recv_timeout(LONG).unwrap()
    };
    assert_eq!(thread(&one), thread(&two));
    let held = Held::on(&two);
    one.apply_attrs(&WorkqueueAttrs {
        nice: 1,
        ..WorkqueueAttrs::default()
    })
    .unwrap();
    assert_ne!(thread(&one), thread(&engine.system_unbound_wq().clone()));
    held.let_go();
}

/// With the last workqueue that uses it a pool goes, and its number is free again.
#[test]
fn s1_5_a_pool_that_no_workqueue_uses_goes_away() {
    let engine = engine("unused-pool");
    let nice = |nice| WorkqueueAttrs {
        nice,
        ..WorkqueueAttrs::default()
    };
    let numbers = |nice| -> Vec<u32> {
        let pools = snapshot(&engine).pools.into_iter();
        let pools = pools.filter(|pool| pool.cpu.is_none() && pool.nice == nice);
        pools.map(|pool| pool.number).collect()
    };
    let [one, two] = ["one", "two"].map(|name| {
        let wq = engine.alloc_workqueue(name, WqFlags::UNBOUND, 0).unwrap();
        wq.apply_attrs(&nice(7)).unwrap();
        wq
    });
    let sevens = numbers(7);
    assert!(!sevens.is_empty());
    drop(one);
    assert_eq!(numbers(7), sevens, "the other still uses it");
    let held = Held::on(&two);
    two.apply_attrs(&nice(8)).unwrap();
    assert_eq!(numbers(7).len(), 1, "until its last item is over");
    held.let_go();
    until(|| numbers(7).is_empty());
    two.apply_attrs(&nice(9)).unwrap();
    assert_eq!(numbers(9)[0], sevens[0], "the lowest that is free");
}
