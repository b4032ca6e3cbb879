//! Tuning: limits and attributes of workqueues that are in use.

use super::support::{Count, Held, LONG, engine, said, said_like, snapshot, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wq_engine::{AffinityScope, CpuMask, Engine, Error, Topology, Work, WorkqueueAttrs, WqFlags};
use wq_trace::{Limits, Model, WaitPart};

/// An engine on as many CPUs as there are.
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
    for (asked, cut) in [(0, 1), (1_000_000, 2048)] {
        wq.set_max_active(asked);
        assert_eq!(wq.max_active(), cut);
        let range = "is out of range, clamping between 1 and 2048";
        assert_eq!(
            said(&format!("max_active {asked} requested for any {range}")),
            1
        );
    }
    let ordered = engine
        .alloc_ordered_workqueue("one by one", WqFlags::empty())
        .unwrap();
    ordered.set_max_active(5);
    ordered.set_min_active(5);
    assert_eq!(ordered.max_active(), 1);
}

/// Each of two nodes has half of the limit, but `min_active` at least.
#[test]
fn s2_5_set_min_active_is_what_every_node_may_run_at_least() {
    let all = wide("two-cpus");
    let &[here, there, ..] = all.cpus() else {
        return;
    };
    let topology = Topology::from_spec("2n1l1c1t").unwrap();
    let engine = Engine::builder().name("two-nodes").cpus([here, there]);
    let engine = engine.topology(topology.renumbered(&[here, there]));
    let engine = engine.build().unwrap();
    let wq = engine.alloc_workqueue("split", WqFlags::UNBOUND, 4);
    let wq = wq.unwrap();
    let limits = || {
        let rows = snapshot(&engine).workqueues;
        let row = rows.into_iter().find(|row| row.name == "split").unwrap();
        let nodes: Vec<u32> = row.nodes.iter().map(|node| node.max).collect();
        (row.min_active, nodes)
    };
    assert_eq!(limits(), (4, vec![4, 4, 4]), "the default is 8, cut to 4");
    wq.set_min_active(1);
    assert_eq!(limits(), (1, vec![2, 2, 4]));
    let held: Vec<Held> = (0..3).map(|_| Held::idle()).collect();
    for held in &held {
        assert!(wq.queue_work_on(here, &held.work));
    }
    held[..2].iter().for_each(Held::wait_until_it_runs);
    assert!(held[2].work.pending(), "held back on this node");
    wq.set_min_active(3);
    assert_eq!(limits(), (3, vec![3, 3, 4]));
    held[2].wait_until_it_runs();
    held.iter().for_each(Held::let_go);
    wq.set_min_active(100);
    assert_eq!(limits().0, 4, "cut to max_active");
    wq.set_max_active(2);
    assert_eq!(limits(), (2, vec![2, 2, 2]), "a lower limit lowers it");
    wq.set_max_active(10);
    assert_eq!(limits().0, 2, "for good");
    wq.set_min_active(0);
    assert_eq!(limits(), (0, vec![5, 5, 10]));
    wq.flush();
}

/// Whoever asks may meet a pwq that is just being replaced.
#[test]
fn s2_5_workqueue_congested_while_attributes_change() {
    let engine = engine("congested-race");
    let wq = engine
        .alloc_workqueue("asked", WqFlags::UNBOUND, 0)
        .unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                assert!(!wq.congested(0));
            }
        });
        for round in 0..300 {
            let nice = round % 2;
            let attrs = WorkqueueAttrs {
                nice,
                ..WorkqueueAttrs::default()
            };
            wq.apply_attrs(&attrs).unwrap();
        }
        over.store(true, Ordering::Relaxed);
    });
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
    assert_eq!(
        said_like(&["attributes of workqueue bound cannot be changed"]).len(),
        1
    );
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

#[test]
fn s3_8_what_a_plug_holds_back_waits_for_it() {
    let engine = wide("plugged-wait");
    let wq = engine
        .alloc_ordered_workqueue("ordered", WqFlags::empty())
        .unwrap();
    let (first, count, pause) = (Held::on(&wq), Count::default(), Duration::from_millis(500));
    let attrs = WorkqueueAttrs {
        nice: 1,
        ..WorkqueueAttrs::default()
    };
    wq.apply_attrs(&attrs).unwrap();
    assert!(wq.queue_work(&count.work()));
    std::thread::sleep(pause);
    first.let_go();
    wq.flush();
    assert_eq!(count.get(), 1);
    let mut model = Model::new(Limits::default());
    model.apply_snapshot(&snapshot(&engine));
    let wqs = model.workqueues().iter();
    let parts = wqs.filter(|w| w.name == "ordered").map(|w| w.breakdown);
    let parts = parts.collect::<Vec<_>>()[0];
    let part = |part: WaitPart| parts[part as usize];
    let plugged = part(WaitPart::InactivePlugged);
    assert!(u128::from(plugged) >= pause.as_nanos(), "{parts:?}");
    // How long a worker takes to come is the machine's affair.
    let machine = part(WaitPart::NoWorker) + part(WaitPart::Runqueue);
    let wait: u64 = parts.iter().sum();
    assert!(plugged * 100 >= (wait - machine) * 95, "{parts:?}");
}
