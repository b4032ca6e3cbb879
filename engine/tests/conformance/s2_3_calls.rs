//! Queueing on system workqueues, and calls that queue and wait.

use super::support::{Count, Held, LONG, NEVER, engine, until};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use wq_engine::{Engine, Work, current_work};

#[test]
fn s2_3_schedule_work_queues_on_system_percpu_wq() {
    let engine = engine("schedule");
    let held = Held::on(engine.system_percpu_wq());
    let ran = Count::default();
    let (work, later) = (ran.work(), ran.delayed());
    assert!(engine.schedule_work(&work));
    assert!(!engine.schedule_work_on(0, &work));
    assert!(engine.schedule_delayed_work(&later, Duration::ZERO));
    assert!(!engine.schedule_delayed_work_on(0, &later, NEVER));
    held.let_go();
    engine.system_percpu_wq().flush();
    assert_eq!(ran.get(), 2);
}

/// Ordering 1: what was stored before a queueing that succeeded is seen by the execution.
#[test]
fn s2_3_stores_before_a_successful_queueing_are_seen_by_the_execution() {
    let engine = Engine::builder().name("stores").build().unwrap();
    for wq in [engine.system_wq(), engine.system_unbound_wq()] {
        let stored = Arc::new(AtomicUsize::new(0));
        let (tell, told) = mpsc::channel();
        let from = stored.clone();
        let work = Work::named("sees", move |_| {
            tell.send(from.load(Ordering::Relaxed)).unwrap();
        });
        for value in 1..=2000 {
            stored.store(value, Ordering::Relaxed);
            assert!(wq.queue_work(&work));
            assert_eq!(told.recv_timeout(LONG).unwrap(), value);
        }
    }
}

#[test]
fn s2_3_enable_and_queue_work_queues_when_the_depth_is_0() {
    let engine = engine("enable-queue");
    let wq = engine.system_wq();
    let ran = Count::default();
    let work = ran.work();
    assert!(!work.disable() && !work.disable());
    assert!(!wq.enable_and_queue_work(&work));
    assert!(!work.pending());
    assert!(wq.enable_and_queue_work(&work));
    until(|| ran.get() == 1);
}

#[test]
fn s2_3_schedule_on_each_cpu_runs_once_on_each_and_waits() {
    let engine = Engine::builder().name("each").build().unwrap();
    let names = Arc::new(Mutex::new(Vec::new()));
    let to = names.clone();
    engine
        .schedule_on_each_cpu(move |work| {
            assert!(current_work().is_some() && !work.pending());
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            to.lock().unwrap().push(name);
        })
        .unwrap();
    let names = names.lock().unwrap();
    assert_eq!(names.len(), engine.cpus().len());
    for cpu in engine.cpus() {
        let pool = format!("kworker/{cpu}:");
        let on_it = names.iter().filter(|name| name.starts_with(&pool));
        assert_eq!(on_it.count(), 1, "{names:?}");
    }
}

#[test]
fn s2_3_schedule_on_each_cpu_after_the_end_is_an_error() {
    let engine = engine("each-late");
    engine.shutdown(LONG).unwrap();
    let error = engine.schedule_on_each_cpu(|_| panic!("nobody runs it"));
    assert!(error.unwrap_err().to_string().contains("shut down"));
}

#[test]
fn s2_3_work_on_cpu_returns_what_the_function_returns() {
    let engine = Engine::builder().name("on-cpu").build().unwrap();
    for &cpu in engine.cpus() {
        let here = String::from("moved");
        let (name, given) = engine.work_on_cpu(cpu, move || {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            (name, here)
        });
        assert!(name.starts_with(&format!("kworker/{cpu}:")), "{name}");
        assert_eq!(given, "moved");
    }
}

/// Its waits are sleeps: the CPU's next worker takes what is waited for.
#[test]
fn s2_3_work_on_cpu_may_be_nested_on_one_cpu() {
    let engine = engine("on-cpu-nested");
    let inner = engine.clone();
    let sum = engine.work_on_cpu(0, move || {
        let innermost = inner.clone();
        1 + inner.work_on_cpu(0, move || 2 + innermost.work_on_cpu(0, || 4))
    });
    assert_eq!(sum, 7);
    let from_an_item = engine.clone();
    let (tell, told) = mpsc::channel();
    let work = Work::named("calls", move |_| {
        from_an_item.schedule_on_each_cpu(|_| {}).unwrap();
        tell.send(from_an_item.work_on_cpu(0, || 8)).unwrap();
    });
    assert!(engine.schedule_work(&work));
    assert_eq!(told.recv_timeout(LONG).unwrap(), 8);
    work.flush();
}

#[test]
fn s2_3_work_on_cpu_hands_a_panic_to_its_caller() {
    let engine = engine("on-cpu-panic");
    let call = || engine.work_on_cpu(0, || std::panic::panic_any(42_u32));
    let panic = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&42_u32));
    assert_eq!(engine.work_on_cpu(0, || 1), 1, "the worker goes on");
    engine.shutdown(LONG).unwrap();
    let late = catch_unwind(AssertUnwindSafe(|| engine.work_on_cpu(0, || 1)));
    let text = late.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("shut down"), "{text}");
}
