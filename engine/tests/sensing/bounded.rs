//! Not too many run: who is preempted is not taken for blocked, and who wakes up beside others ends its item and stops.

use super::support::{
    Hog, Inside, LONG, a_blocked_worker_is_replaced, allowed, alone, at_rest, burn, canaries,
    normal_pool, on_one_cpu, sums, until, until_a_canary_decides, with_canaries,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock, mpsc};
use std::time::Duration;

/// Another thread takes half of the CPU, so most items are preempted in their midst.
#[test]
fn preempted_workers_are_not_replaced() {
    const ITEMS: u64 = 400;
    let _alone = alone();
    let builder = on_one_cpu("preempted").cpu_intensive_thresh(Duration::ZERO);
    let Some(engine) = with_canaries(builder) else {
        return;
    };
    a_blocked_worker_is_replaced(&engine);
    at_rest(&engine);
    let hog = Hog::on(allowed()[0]);
    let (before, inside) = (normal_pool(&engine), Inside::default());
    let beside = Arc::new(AtomicUsize::new(0));
    for _ in 0..ITEMS {
        let (inside, beside) = (inside.clone(), beside.clone());
        engine.system_wq().spawn(move || {
            if inside.enter() > 1 {
                beside.fetch_add(1, Ordering::SeqCst);
            }
            burn(Duration::from_millis(1));
            inside.leave();
        });
    }
    engine.system_wq().flush();
    drop(hog);
    let after = normal_pool(&engine);
    let woken = after.cm_wakeups - before.cm_wakeups;
    assert!(woken <= ITEMS / 20, "{woken} of {ITEMS} were replaced");
    let beside = beside.load(Ordering::SeqCst) as u64;
    assert!(
        beside <= ITEMS / 20,
        "{beside} of {ITEMS} ran beside others"
    );
    assert!(inside.most() <= 2, "{inside:?}");
    assert!(after.max_nr_running <= before.max_nr_running.max(2));
}

/// Many sleep, all wake up at one moment, and there is more to do: each of them ends its item, and one goes on.
#[test]
fn sleepers_that_wake_up_together_stop_after_their_items() {
    const SLEEPERS: usize = 24;
    const ITEMS: usize = 300;
    let _alone = alone();
    let builder = on_one_cpu("together").cpu_intensive_thresh(Duration::ZERO);
    let Some(engine) = with_canaries(builder) else {
        return;
    };
    until_a_canary_decides(&engine, || {
        let door = Arc::new(RwLock::new(()));
        let shut = door.write().unwrap();
        let asleep = Inside::default();
        for _ in 0..SLEEPERS {
            let (door, asleep) = (door.clone(), asleep.clone());
            engine.system_wq().spawn(move || {
                asleep.enter();
                drop(door.read());
                burn(Duration::from_millis(2));
                asleep.leave();
            });
        }
        until(|| asleep.now() == SLEEPERS);
        let (running, late) = (Inside::default(), Inside::default());
        let beside = Arc::new(AtomicUsize::new(0));
        for _ in 0..ITEMS {
            let (asleep, running) = (asleep.clone(), running.clone());
            let (late, beside) = (late.clone(), beside.clone());
            engine.system_wq().spawn(move || {
                let others = running.enter() - 1;
                if asleep.now() == 0 {
                    late.enter();
                    beside.fetch_add(usize::from(others > 0), Ordering::SeqCst);
                }
                burn(Duration::from_micros(500));
                running.leave();
            });
        }
        drop(shut);
        engine.system_wq().flush();
        let (late, beside) = (late.now(), beside.load(Ordering::SeqCst));
        assert!(
            late >= ITEMS / 2,
            "{late} of {ITEMS}: they wait for those that woke up"
        );
        assert!(beside <= late / 10, "{beside} of {late} ran beside others");
    });
    at_rest(&engine);
    let pool = normal_pool(&engine);
    assert_eq!((pool.nr_running, pool.nr_pending), (0, 0));
    assert!(!pool.canary.armed);
}

/// While the pool works on after that, one worker runs: as its row says.
#[test]
fn a_pool_returns_to_one_running_worker() {
    const SLEEPERS: usize = 16;
    let _alone = alone();
    let builder = on_one_cpu("one-again").cpu_intensive_thresh(Duration::ZERO);
    let Some(engine) = with_canaries(builder) else {
        return;
    };
    let door = Arc::new(RwLock::new(()));
    let shut = door.write().unwrap();
    let asleep = Inside::default();
    for _ in 0..SLEEPERS {
        let (door, asleep) = (door.clone(), asleep.clone());
        engine.system_wq().spawn(move || {
            asleep.enter();
            drop(door.read());
            asleep.leave();
        });
    }
    until(|| asleep.now() == SLEEPERS);
    drop(shut);
    until(|| asleep.now() == 0);
    // Each hands on to the next, so that there is always one that runs and one that waits.
    let over = Arc::new(AtomicUsize::new(0));
    for _ in 0..4 {
        goes_on(engine.system_wq(), &over);
    }
    let seen = |wanted: &dyn Fn(&wq_trace::PoolRow) -> bool| {
        let mut fits = 0;
        let looks = 200;
        for _ in 0..looks {
            fits += usize::from(wanted(&normal_pool(&engine)));
            std::thread::sleep(Duration::from_micros(300));
        }
        fits * 100 / looks
    };
    let one = seen(&|pool| pool.nr_running <= 1 && pool.nr_workers - pool.nr_idle <= 2);
    over.store(1, Ordering::SeqCst);
    engine.system_wq().flush();
    assert!(one >= 80, "one worker runs in {one} of 100 looks");
    at_rest(&engine);
}

/// An item that queues the next one, until it is over.
fn goes_on(wq: &wq_engine::Workqueue, over: &Arc<AtomicUsize>) {
    let (own, over) = (wq.clone(), over.clone());
    wq.spawn(move || {
        burn(Duration::from_micros(200));
        if over.load(Ordering::SeqCst) == 0 {
            goes_on(&own, &over);
        }
    });
}

/// Busy items, blocks behind which others wait, and items that end at once, mixed: nothing is left behind, and hardly any
/// decision is wrong.
#[test]
fn a_mixed_load_is_done_and_decisions_are_right() {
    const ROUNDS: usize = 150;
    let _alone = alone();
    let Some(engine) = canaries("mixed") else {
        return;
    };
    let (tell, told) = mpsc::channel();
    for round in 0..ROUNDS {
        let tell = tell.clone();
        engine.system_wq().spawn(move || {
            match round % 3 {
                0 => std::thread::sleep(Duration::from_millis(2)),
                1 => burn(Duration::from_micros(300)),
                _ => {}
            }
            tell.send(round).unwrap();
        });
    }
    for _ in 0..ROUNDS {
        told.recv_timeout(LONG).expect("all of them end");
    }
    at_rest(&engine);
    let sums = sums(&engine);
    assert!(sums.armings > 0 && sums.false_decisions <= sums.decisions);
    assert!(
        sums.false_decisions <= sums.decisions / 2 + 5,
        "most are right: {sums:?}"
    );
}
