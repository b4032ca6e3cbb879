//! Flags.

use super::support::{Count, Held, LONG, engine, snapshot, until};
use std::sync::mpsc;
use wq_engine::{BUSY_PENDING, Engine, WqFlags};

/// The thread that executes an item on such a workqueue.
fn thread(engine: &Engine, flags: WqFlags) -> String {
    let wq = engine.alloc_workqueue("named", flags, 0).unwrap();
    let (tell, told) = mpsc::channel();
    assert!(wq.spawn(move || {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        tell.send(name).unwrap();
    }));
    told.recv_timeout(LONG).unwrap()
}

#[test]
fn s2_6_highpri_is_served_by_the_highpri_pools() {
    let engine = engine("highpri");
    let high = WqFlags::HIGHPRI;
    assert_eq!(thread(&engine, WqFlags::PERCPU), "kworker/0:0");
    assert_eq!(thread(&engine, high), "kworker/0:0H");
    assert_eq!(thread(&engine, high | WqFlags::BH), "kworker/0:bhH");
    let unbound = thread(&engine, high | WqFlags::UNBOUND);
    assert!(unbound.starts_with("kworker/u"), "{unbound}");
    let nice = |number| {
        let pools = snapshot(&engine).pools;
        let pool = pools.iter().find(|pool| pool.number == number);
        pool.map(|pool| pool.nice)
    };
    assert_eq!((nice(2), nice(3)), (Some(0), Some(-20)));
}

#[test]
fn s2_6_unbound_items_start_as_soon_as_a_worker_is_there() {
    let engine = engine("no-management");
    let wq = engine
        .alloc_workqueue("beside", WqFlags::UNBOUND, 0)
        .unwrap();
    // All run at one time, on one CPU, though none of them sleeps.
    let held: Vec<Held> = (0..4).map(|_| Held::on(&wq)).collect();
    held.iter().for_each(Held::let_go);
    wq.flush();
}

#[test]
fn s2_6_cpu_intensive_items_wait_for_their_start_and_nobody_waits_for_them() {
    let engine = engine("intensive");
    let intensive = engine
        .alloc_workqueue("intensive", WqFlags::CPU_INTENSIVE, 0)
        .unwrap();
    let managed = Held::on(engine.system_wq());
    let held = Held::idle();
    assert!(intensive.queue_work(&held.work));
    std::thread::sleep(std::time::Duration::from_millis(5));
    assert_eq!(held.work.busy(), BUSY_PENDING, "a managed worker runs");
    managed.let_go();
    held.wait_until_it_runs();
    let count = Count::default();
    let others = [count.work(), count.work()];
    assert!(engine.schedule_work(&others[0]));
    assert!(intensive.queue_work(&others[1]));
    until(|| count.get() == 2);
    held.let_go();
}

#[test]
fn s2_6_percpu_is_the_complement_of_unbound() {
    let engine = engine("complement");
    for asked in [
        WqFlags::empty(),
        WqFlags::PERCPU,
        WqFlags::UNBOUND,
        WqFlags::MEM_RECLAIM,
        WqFlags::BH,
    ] {
        let flags = engine.alloc_workqueue("q", asked, 0).unwrap().flags();
        let unbound = asked.contains(WqFlags::UNBOUND);
        assert_eq!(flags.contains(WqFlags::UNBOUND), unbound);
        assert_eq!(flags.contains(WqFlags::PERCPU), !unbound);
    }
}
