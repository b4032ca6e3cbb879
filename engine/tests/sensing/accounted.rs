//! Whom a canary has nothing to do with: workers that do not count, and those that it cannot see because another takes
//! the CPU.

use super::support::{
    Inside, LONG, a_blocked_worker_is_replaced, alone, at_rest, burn, canaries, normal_pool,
    on_one_cpu, sums, until, until_a_canary_decides, with_canaries,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use wq_engine::{Engine, WqFlags};
use wq_trace::WorkerKind;

/// Queues two items on a workqueue with these flags of which the first sleeps until the second has come. Returns
/// whether a canary decided about it.
fn sleeps_for_a_second(engine: &Engine, flags: WqFlags) -> bool {
    at_rest(engine);
    let before = sums(engine).decisions;
    let wq = engine.alloc_workqueue("uncounted", flags, 0).unwrap();
    let (open, gate) = mpsc::channel();
    wq.spawn(move || gate.recv_timeout(LONG).expect("the second comes"));
    wq.spawn(move || open.send(()).unwrap());
    wq.flush();
    sums(engine).decisions > before
}

/// Kernel: `WORKER_CPU_INTENSIVE`, `WORKER_UNBOUND`: `worker->flags & WORKER_NOT_RUNNING`.
#[test]
fn s4_1_cpu_intensive_and_unbound_workers_need_no_canary() {
    let _alone = alone();
    let Some(engine) = canaries("uncounted") else {
        return;
    };
    until_a_canary_decides(&engine, || a_blocked_worker_is_replaced(&engine));
    for flags in [WqFlags::CPU_INTENSIVE, WqFlags::UNBOUND] {
        for _ in 0..10 {
            assert!(!sleeps_for_a_second(&engine, flags), "{flags:?}");
        }
    }
    let rows = super::support::snapshot(&engine).pools;
    for pool in rows.iter().filter(|pool| !pool.is_percpu()) {
        assert_eq!(pool.canary, Default::default());
    }
}

/// An item that only uses its CPU, of a workqueue that is known for it: others start beside it without a canary.
#[test]
fn s4_6_a_cpu_intensive_item_lets_others_start() {
    let _alone = alone();
    let Some(engine) = canaries("intensive") else {
        return;
    };
    let flags = WqFlags::CPU_INTENSIVE;
    let hogs = engine.alloc_workqueue("hogs", flags, 0).unwrap();
    let (came, begun) = (Arc::new(AtomicBool::new(false)), Instant::now());
    let comes = came.clone();
    hogs.spawn(move || {
        while !came.load(Ordering::SeqCst) {
            assert!(begun.elapsed() < LONG, "the other does not start");
            std::hint::spin_loop();
        }
    });
    engine
        .system_wq()
        .spawn(move || comes.store(true, Ordering::SeqCst));
    hogs.flush();
    engine.system_wq().flush();
    assert_eq!(sums(&engine).decisions, 0);
}

/// A rescuer does not count either: its blocks wake nobody, and what it cannot do waits for a worker.
#[test]
fn s4_8_a_rescuer_is_not_replaced() {
    let _alone = alone();
    let Some(engine) = canaries("rescuer") else {
        return;
    };
    let wq = engine
        .alloc_workqueue("rescued", WqFlags::MEM_RECLAIM, 0)
        .unwrap();
    // The only worker becomes a manager that makes nobody.
    engine.fail_worker_creation(true);
    let (open, gate) = mpsc::channel::<()>();
    let inside = Inside::default();
    let (first, second) = (inside.clone(), inside.clone());
    wq.spawn(move || {
        first.enter();
        gate.recv_timeout(LONG).expect("the test opens");
    });
    wq.spawn(move || {
        second.enter();
    });
    until(|| inside.now() == 1);
    let snapshot = super::support::snapshot(&engine);
    let busy = snapshot.workers.iter().find(|worker| worker.started_at > 0);
    assert_eq!(busy.map(|worker| worker.kind), Some(WorkerKind::Rescuer));
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(inside.now(), 1, "the second waits");
    let pool = normal_pool(&engine);
    assert_eq!((pool.canary.decisions, pool.cm_wakeups), (0, 0));
    assert!(!pool.canary.armed);
    engine.fail_worker_creation(false);
    until(|| inside.now() == 2);
    open.send(()).unwrap();
    wq.flush();
}

/// Who sleeps in an item of a BH workqueue keeps the others waiting, as nobody takes its place.
#[test]
fn s4_7_a_bh_worker_is_not_replaced() {
    let _alone = alone();
    let Some(engine) = canaries("bh") else {
        return;
    };
    let inside = Inside::default();
    for _ in 0..20 {
        let inside = inside.clone();
        engine.system_bh_wq().spawn(move || {
            inside.enter();
            std::thread::sleep(Duration::from_millis(5));
            inside.leave();
        });
    }
    engine.system_bh_wq().flush();
    assert_eq!(inside.most(), 1);
    assert_eq!(
        sums(&engine),
        wq_trace::CanarySums {
            pools: 2,
            ..Default::default()
        }
    );
}

/// The CPU belongs to an item of higher priority all the time, so the canary never gets it; the tick looks then.
#[test]
fn a_block_behind_a_busy_highpri_worker_is_left_to_the_tick() {
    let _alone = alone();
    let builder = on_one_cpu("highpri").cpu_intensive_thresh(Duration::ZERO);
    let Some(engine) = with_canaries(builder) else {
        return;
    };
    let (done, begun) = (Arc::new(AtomicBool::new(false)), Instant::now());
    let until_done = done.clone();
    let started = Inside::default();
    let starts = started.clone();
    engine.system_highpri_wq().spawn(move || {
        starts.enter();
        while !until_done.load(Ordering::SeqCst) {
            assert!(begun.elapsed() < LONG, "what is below starves");
            burn(Duration::from_micros(100));
        }
    });
    until(|| started.now() == 1);
    for _ in 0..3 {
        a_blocked_worker_is_replaced(&engine);
    }
    done.store(true, Ordering::SeqCst);
    engine.system_wq().flush();
    engine.system_highpri_wq().flush();
    let sums = sums(&engine);
    let noticed = normal_pool(&engine).cm_wakeups;
    assert!(noticed > 0 && sums.decisions <= noticed, "{sums:?}");
}
