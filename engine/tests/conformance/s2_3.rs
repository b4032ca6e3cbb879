//! Queueing.

use super::support::{Count, Held, LONG, NEVER, engine, said, steps, until};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use wq_engine::{DelayedWork, Engine, RcuWork, Topology, Work, WqFlags, rcu};
use wq_trace::{REQ_CPU_LOCAL, Was, What};

/// An item that tells the name of the thread that executes it.
fn telling() -> (Work, mpsc::Receiver<String>) {
    let (tell, told) = mpsc::channel();
    let work = Work::named("telling", move |_| {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        tell.send(name).unwrap();
    });
    (work, told)
}

#[test]
fn s2_3_queue_work_on_runs_on_the_cpu_and_false_means_pending_or_disabled() {
    let engine = Engine::builder().name("queue-on").build().unwrap();
    let wq = engine.system_wq();
    let (work, told) = telling();
    for &cpu in engine.cpus() {
        assert!(wq.queue_work_on(cpu, &work));
        let name = told.recv_timeout(LONG).unwrap();
        assert!(name.starts_with(&format!("kworker/{cpu}:")), "{name}");
        work.flush();
    }
    // Beyond the last comes the first.
    assert!(wq.queue_work_on(usize::MAX, &work));
    let name = told.recv_timeout(LONG).unwrap();
    assert!(name.starts_with(&format!("kworker/{}:", engine.cpus()[0])));
    work.disable();
    assert!(!wq.queue_work_on(engine.cpus()[0], &work));
}

#[test]
fn s2_3_queue_work_merges_a_second_queueing() {
    let engine = engine("merge");
    let wq = engine.alloc_workqueue("one", WqFlags::UNBOUND, 1).unwrap();
    let held = Held::on(&wq);
    let ran = Count::default();
    let work = ran.work();
    assert!(wq.queue_work(&work));
    assert!(!wq.queue_work(&work) && !engine.schedule_work(&work));
    held.let_go();
    wq.flush();
    assert_eq!(ran.get(), 1);
    assert!(wq.queue_work(&work));
}

#[test]
fn s2_3_queue_work_node_without_such_a_node_is_queue_work() {
    let engine = Engine::builder().name("node").build().unwrap();
    let wq = engine.system_unbound_wq();
    let (work, told) = telling();
    for node in [0, usize::MAX] {
        assert!(wq.queue_work_node(node, &work));
        assert!(told.recv_timeout(LONG).unwrap().starts_with("kworker/u"));
        work.flush();
    }
    let held = Held::on(&engine.alloc_workqueue("one", WqFlags::UNBOUND, 1).unwrap());
    assert!(!wq.queue_work_node(0, &held.work) || held.work.cancel());
    held.let_go();
}

/// The thread that queues stays on the first CPU, which is node 0.
#[test]
fn s2_3_queue_work_node_takes_the_local_cpu_of_the_node_else_its_first() {
    let all = Engine::builder().name("node-cpus").build().unwrap();
    let &[here, there, ..] = all.cpus() else {
        return;
    };
    let topology = Topology::from_spec("2n1l1c1t").unwrap();
    let engine = Engine::builder().name("nodes").cpus([here, there]);
    let engine = engine.topology(topology.renumbered(&[here, there]));
    let engine = engine.build().unwrap();
    pin(here);
    let work = Work::named("near", |_| {});
    for node in [0, 1, 2] {
        assert!(engine.system_unbound_wq().queue_work_node(node, &work));
        work.flush();
    }
    let cpu = |what: What| match what {
        What::QueueWork { req_cpu, .. } => Some(req_cpu),
        _ => None,
    };
    let asked: Vec<i32> = steps(&engine, "near").into_iter().filter_map(cpu).collect();
    assert_eq!(asked, [here as i32, there as i32, REQ_CPU_LOCAL]);
}

/// Keeps the calling thread on a CPU.
fn pin(cpu: usize) {
    let mut set = rustix::thread::CpuSet::new();
    set.set(cpu);
    rustix::thread::sched_setaffinity(None, &set).unwrap();
}

#[test]
fn s2_3_queue_work_node_on_a_bound_workqueue_still_queues_and_is_said_once() {
    let engine = engine("node-bound");
    let ran = Count::default();
    for times in 1..=3 {
        let work = ran.work();
        assert!(engine.system_wq().queue_work_node(0, &work));
        work.flush();
        until(|| ran.get() == times);
    }
    let warning = "queue_work_node() on workqueue events, which is not unbound";
    assert_eq!(said(warning), 1);
}

#[test]
fn s2_3_queue_delayed_work_without_delay_needs_no_timer() {
    let engine = engine("no-delay");
    let held = Held::on(engine.system_wq());
    let ran = Count::default();
    let work = ran.delayed();
    assert!(engine.schedule_delayed_work(&work, Duration::ZERO));
    assert!(work.pending() && work.expires().is_none());
    assert!(!engine.schedule_delayed_work(&work, Duration::ZERO));
    held.let_go();
    work.flush();
    assert_eq!(ran.get(), 1);
    assert!(
        !steps(&engine, "count")
            .iter()
            .any(|what| matches!(what, What::TimerArm { .. }))
    );
}

#[test]
fn s2_3_queue_delayed_work_on_keeps_the_cpu() {
    let engine = Engine::builder().name("delayed-on").build().unwrap();
    for &cpu in engine.cpus() {
        let (tell, told) = mpsc::channel();
        let work = DelayedWork::named("on", move |_| {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            tell.send(name).unwrap();
        });
        let delay = Duration::from_micros(300);
        assert!(engine.schedule_delayed_work_on(cpu, &work, delay));
        let name = told.recv_timeout(LONG).unwrap();
        assert!(name.starts_with(&format!("kworker/{cpu}:")), "{name}");
        work.flush();
        assert!(!engine.system_wq().mod_delayed_work_on(cpu, &work, delay));
        let name = told.recv_timeout(LONG).unwrap();
        assert!(name.starts_with(&format!("kworker/{cpu}:")), "{name}");
    }
}

#[test]
fn s2_3_mod_delayed_work_says_whether_it_was_pending() {
    let engine = engine("mod");
    let wq = engine.system_wq();
    let ran = Count::default();
    let work = ran.delayed();
    assert!(!wq.mod_delayed_work(&work, NEVER), "it was idle");
    let first = work.expires().expect("it is armed");
    assert!(wq.mod_delayed_work(&work, NEVER * 2), "its timer is moved");
    assert!(work.expires().expect("it is armed") > first);
    assert!(!wq.queue_delayed_work(&work, Duration::ZERO));
    let held = Held::on(wq);
    assert!(wq.mod_delayed_work(&work, Duration::ZERO), "queued now");
    assert!(work.expires().is_none() && work.pending());
    assert!(wq.mod_delayed_work(&work, NEVER), "off the list again");
    assert!(work.expires().is_some());
    held.let_go();
    held.work.flush();
    assert_eq!(ran.get(), 0);
    assert!(wq.mod_delayed_work(&work, Duration::ZERO));
    until(|| ran.get() == 1);
    work.flush();
    assert!(!wq.mod_delayed_work(&work, Duration::ZERO));
    until(|| ran.get() == 2);
}

#[test]
fn s2_3_mod_delayed_work_takes_an_item_from_another_workqueue() {
    let engine = engine("mod-other");
    let line = engine
        .alloc_ordered_workqueue("line", WqFlags::empty())
        .unwrap();
    let held = Held::on(&line);
    let ran = Count::default();
    let work = ran.delayed();
    assert!(line.queue_delayed_work(&work, Duration::ZERO), "held back");
    assert!(engine.system_wq().mod_delayed_work(&work, Duration::ZERO));
    until(|| ran.get() == 1);
    held.let_go();
    line.flush();
    assert_eq!(ran.get(), 1);
    let cancelled = What::CancelWork { was: Was::Inactive };
    assert!(steps(&engine, "count").contains(&cancelled));
}

#[test]
fn s2_3_mod_delayed_work_of_a_disabled_item_queues_nothing() {
    let engine = engine("mod-disabled");
    let wq = engine.system_wq();
    let work = DelayedWork::named("disabled", |_| panic!("it is disabled"));
    assert!(!wq.queue_delayed_work(&work, NEVER) || work.disable());
    for delay in [Duration::ZERO, NEVER] {
        assert!(!wq.mod_delayed_work(&work, delay));
        assert!(!work.pending());
    }
    assert!(work.enable(), "the depth is what it was");
}

#[test]
fn s2_3_mod_delayed_work_races_with_the_timer_and_loses_nothing() {
    let engine = engine("mod-race");
    let wq = engine.system_wq();
    let (ran, mut started) = (Count::default(), 0);
    let work = ran.delayed();
    for round in 0..2000_u64 {
        let delay = Duration::from_micros(round % 7 * 20);
        started += usize::from(!wq.mod_delayed_work(&work, delay));
    }
    work.flush();
    work.flush();
    assert!(!work.pending());
    assert_eq!(
        ran.get(),
        started,
        "each time that it was idle adds one run"
    );
}

#[test]
fn s2_3_queue_rcu_work_waits_for_the_readers_of_the_call() {
    let engine = engine("rcu");
    let ran = Count::default();
    let counted = ran.clone();
    let work = RcuWork::named("rcu", move |_| counted.add());
    for round in 1..=20 {
        let reader = rcu::read_lock();
        let nested = rcu::read_lock();
        assert!(engine.system_wq().queue_rcu_work(&work));
        assert!(!engine.system_wq().queue_rcu_work(&work), "it is pending");
        assert!(work.pending());
        drop(reader);
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(ran.get(), round - 1, "a section is still open");
        drop(nested);
        // It may be over already.
        work.flush();
        assert_eq!(ran.get(), round);
    }
}

/// Ordering 2: who is told that it is pending already has told the execution to come what it stored before.
#[test]
fn s2_3_a_refused_queueing_is_seen_by_the_execution_that_it_is_pending_for() {
    let engine = Engine::builder().name("ordering").build().unwrap();
    let wq = engine.system_unbound_wq();
    let stored = Arc::new(AtomicUsize::new(0));
    let seen = Arc::new(AtomicUsize::new(0));
    let (from, to) = (stored.clone(), seen.clone());
    let work = Work::named("look", move |_| {
        to.fetch_max(from.load(Ordering::Relaxed), Ordering::Relaxed);
    });
    for value in 1..=20_000 {
        stored.store(value, Ordering::Relaxed);
        wq.queue_work(&work);
        if value % 64 == 0 {
            work.flush();
            assert_eq!(seen.load(Ordering::Relaxed), value);
        }
    }
}
