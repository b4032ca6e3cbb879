//! Queueing: active slots, their order, and items that are queued while they run.

use super::support::{Count, Door, Held, engine, snapshot, until};
use std::sync::{Arc, Mutex};
use wq_engine::{BUSY_PENDING, BUSY_RUNNING, Engine, Work, WorkqueueAttrs, WqFlags};
use wq_trace::WorkerState;

#[test]
fn s3_3_max_active_is_per_cpu_when_bound() {
    let engine = Engine::builder().name("per cpu").build().unwrap();
    let cpus = engine.cpus().to_vec();
    let wq = engine
        .alloc_workqueue("one each", WqFlags::CPU_INTENSIVE, 1)
        .unwrap();
    let first: Vec<Held> = cpus.iter().map(|_| Held::idle()).collect();
    let second: Vec<Held> = cpus.iter().map(|_| Held::idle()).collect();
    for (index, &cpu) in cpus.iter().enumerate() {
        assert!(wq.queue_work_on(cpu, &first[index].work));
        assert!(wq.queue_work_on(cpu, &second[index].work));
    }
    first.iter().for_each(Held::wait_until_it_runs);
    assert!(second.iter().all(|held| held.work.busy() == BUSY_PENDING));
    first.iter().chain(&second).for_each(Held::let_go);
    wq.flush();
}

#[test]
fn s3_3_max_active_is_system_wide_when_unbound() {
    let engine = Engine::builder().name("in all").build().unwrap();
    let cpus = engine.cpus().to_vec();
    let wq = engine.alloc_workqueue("one", WqFlags::UNBOUND, 1).unwrap();
    let all: Vec<Held> = cpus.iter().map(|_| Held::idle()).collect();
    for (held, &cpu) in all.iter().zip(&cpus) {
        assert!(wq.queue_work_on(cpu, &held.work));
    }
    for held in &all {
        held.wait_until_it_runs();
        let running = |held: &&Held| held.work.busy() & BUSY_RUNNING != 0;
        assert_eq!(all.iter().filter(running).count(), 1);
        held.let_go();
        until(|| held.work.busy() == 0);
    }
}

#[test]
fn s3_4_waiting_pwqs_take_turns() {
    let engine = Engine::builder().name("turns").build().unwrap();
    let cpus = engine.cpus().to_vec();
    let wq = engine
        .alloc_workqueue("turns", WqFlags::UNBOUND, 1)
        .unwrap();
    let gate = Held::on(&wq);
    let order = Arc::new(Mutex::new(Vec::new()));
    let rounds = 5;
    for round in 0..rounds {
        for &cpu in &cpus {
            let order = order.clone();
            let work = Work::named("turn", move |_| order.lock().unwrap().push((cpu, round)));
            // All of a CPU's items at once would be the same: each pwq has its own queue.
            assert!(wq.queue_work_on(cpu, &work));
        }
    }
    gate.let_go();
    wq.flush();
    let order = order.lock().unwrap();
    for &cpu in &cpus {
        let own: Vec<_> = order.iter().filter(|(c, _)| *c == cpu).collect();
        assert!(own.is_sorted_by_key(|(_, round)| *round), "FIFO in a pwq");
    }
    // Round-robin: after any number of turns no pwq is more than one ahead of another.
    for end in 0..order.len() {
        let had = |cpu| order[..end].iter().filter(|(c, _)| *c == cpu).count();
        let turns: Vec<usize> = cpus.iter().map(|&cpu| had(cpu)).collect();
        let (least, most) = (turns.iter().min(), turns.iter().max());
        assert!(most.unwrap() - least.unwrap() <= 1, "{order:?}");
    }
}

#[test]
fn s3_2_5_an_item_that_runs_is_queued_behind_itself() {
    let engine = Engine::builder().name("behind").build().unwrap();
    for flags in [WqFlags::CPU_INTENSIVE, WqFlags::UNBOUND] {
        let wq = engine.alloc_workqueue("again", flags, 0).unwrap();
        let held = Held::on(&wq);
        for &cpu in engine.cpus() {
            assert!(wq.queue_work_on(cpu, &held.work));
            assert_eq!(held.work.busy(), BUSY_PENDING | BUSY_RUNNING);
            assert!(held.work.cancel());
        }
        assert!(wq.queue_work(&held.work));
        held.let_go();
        held.let_go();
        held.work.flush();
        assert_eq!(held.work.busy(), 0);
    }
}

/// Whoever takes it hands it to the worker that executes it already, whatever workqueue it was queued on.
#[test]
fn s3_6_an_item_of_two_workqueues_of_one_pool_is_executed_by_one_worker() {
    let engine = engine("assign");
    let [one, two] = ["one", "two"].map(|name| {
        let wq = engine.alloc_workqueue(name, WqFlags::PERCPU, 0);
        wq.expect("a workqueue")
    });
    let (inside, ran, door) = (Arc::new(Mutex::new(())), Count::default(), Door::default());
    let (counted, pass) = (ran.clone(), door.clone());
    let work = Work::named("shared", move |_| {
        let alone = inside.try_lock().expect("nobody else is inside");
        pass.pass();
        counted.add();
        drop(alone);
    });
    assert!(one.queue_work(&work));
    until(|| waits_at_door(&engine));
    assert!(two.queue_work(&work));
    // Its pool's other worker has been past it.
    let behind = Count::default();
    let next = behind.work();
    assert!(two.queue_work(&next));
    until(|| behind.get() == 1);
    assert_eq!(work.busy(), BUSY_PENDING | BUSY_RUNNING);
    door.open();
    two.flush();
    assert_eq!(ran.get(), 2);
}

/// Whether a worker is known to sleep in its work function.
fn waits_at_door(engine: &Engine) -> bool {
    let mut workers = snapshot(engine).workers.into_iter();
    workers.any(|worker| worker.state == WorkerState::Sleeping)
}

#[test]
fn s3_7_an_item_is_not_reentered_across_attribute_changes() {
    let engine = Engine::builder().name("not twice").build().unwrap();
    let wq = engine
        .alloc_workqueue("changing", WqFlags::UNBOUND, 0)
        .unwrap();
    let (inside, ran) = (Arc::new(Mutex::new(())), Count::default());
    let work = Work::named("alone", {
        let (inside, ran) = (inside.clone(), ran.clone());
        move |_| {
            let alone = inside.try_lock().expect("nobody else is inside");
            ran.add();
            std::thread::yield_now();
            drop(alone);
        }
    });
    let mut queued = 0;
    for round in 0..2000 {
        queued += usize::from(wq.queue_work(&work));
        if round % 100 == 0 {
            let attrs = WorkqueueAttrs {
                nice: round / 100 % 5,
                ..WorkqueueAttrs::default()
            };
            wq.apply_attrs(&attrs).unwrap();
        }
    }
    wq.flush();
    assert_eq!(ran.get(), queued);
}

#[test]
fn s3_2_queueing_for_an_unused_cpu_takes_the_next_used_one() {
    let engine = engine("unused");
    let count = Count::default();
    let work = count.work();
    assert!(engine.system_wq().queue_work_on(4095, &work));
    work.flush();
    assert_eq!(count.get(), 1);
}
