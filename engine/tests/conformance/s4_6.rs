//! Idle workers that leave.

use super::proc::{child, is_child, judge, sleeps, threads};
use super::support::{snapshot, until};
use std::sync::{Arc, Barrier};
use std::time::Duration;
use wq_engine::{Engine, Sensing, Workqueue, blocking};

/// Its workers leave soon.
fn engine(name: &str) -> Engine {
    let builder = Engine::builder().name(name).cpus([0]);
    builder
        .sensing(Sensing::Hints)
        .idle_timeout(Duration::from_millis(20))
        .build()
        .unwrap()
}

/// Workers of CPU 0: as its pool counts them, and those whose threads have not ended.
fn workers(engine: &Engine) -> (usize, Vec<u32>) {
    let snapshot = snapshot(engine);
    let pool = snapshot.pools.iter().find(|pool| pool.number == 2);
    let pool = pool.expect("the pool of CPU 0");
    let mine = snapshot.workers.iter().filter(|row| row.pool == pool.id);
    (
        pool.nr_workers as usize,
        mine.map(|row| row.number).collect(),
    )
}

/// Two are left, and the others' threads have ended.
fn are_two(engine: &Engine) -> bool {
    let (counted, rows) = workers(engine);
    counted == 2 && rows.len() == 2
}

/// So many items block at one time.
fn burst(wq: &Workqueue, items: usize) {
    let all = Arc::new(Barrier::new(items));
    for _ in 0..items {
        let all = all.clone();
        wq.spawn(move || {
            blocking(|| all.wait());
        });
    }
    wq.flush();
}

const REST: &str =
    "s4_6::s4_6_surplus_workers_leave_their_numbers_are_used_again_and_then_nothing_wakes_up";

#[test]
fn s4_6_surplus_workers_leave_their_numbers_are_used_again_and_then_nothing_wakes_up() {
    if is_child(REST) {
        return comes_to_rest();
    }
    judge(&child(REST).output().unwrap());
}

fn comes_to_rest() {
    let engine = engine("cull");
    for _ in 0..3 {
        burst(engine.system_wq(), 8);
        let (_, numbers) = workers(&engine);
        assert!(numbers.iter().all(|number| *number <= 8), "{numbers:?}");
        until(|| are_two(&engine));
    }
    // Its timer fires no more.
    let &[timer] = &threads("wq-timer")[..] else {
        panic!("an engine has one timer thread");
    };
    until(|| {
        let before = sleeps(timer);
        std::thread::sleep(Duration::from_millis(200));
        before == sleeps(timer)
    });
}

#[test]
fn s4_6_threads_of_workers_that_left_are_gone() {
    let engine = engine("cull-threads");
    let tids = || -> Vec<u32> {
        let snapshot = snapshot(&engine);
        snapshot.workers.iter().map(|worker| worker.tid).collect()
    };
    let gate = Arc::new(Barrier::new(9));
    for _ in 0..8 {
        let gate = gate.clone();
        engine.system_wq().spawn(move || {
            blocking(|| gate.wait());
        });
    }
    // All eight are in there, so there is a ninth, and every thread has said who it is.
    until(|| workers(&engine).0 == 9 && !tids().contains(&0));
    let all = tids();
    gate.wait();
    until(|| {
        let left = tids();
        let exists = |tid: &u32| std::path::Path::new(&format!("/proc/self/task/{tid}")).exists();
        are_two(&engine) && all.iter().all(|tid| left.contains(tid) || !exists(tid))
    });
}
