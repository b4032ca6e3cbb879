//! Waiting and cancelling.

use super::support::{Count, Held, LONG, NEVER, engine, snapshot, steps, until, waiting};
use std::sync::mpsc;
use std::time::Duration;
use wq_engine::{
    BUSY_PENDING, BUSY_RUNNING, DelayedWork, RcuWork, Work, WqFlags, blocking, current_work, rcu,
};
use wq_trace::What;

#[test]
fn s2_4_flush_work_is_true_if_it_waited() {
    let engine = engine("flush");
    let held = Held::on(engine.system_wq());
    let waits = std::thread::spawn({
        let work = held.work.clone();
        move || work.flush()
    });
    let flushing = |what: &What| matches!(what, What::FlushStart { .. });
    until(|| steps(&engine, "held").iter().any(flushing));
    held.let_go();
    assert!(waits.join().unwrap());
    assert!(!held.work.flush(), "it is idle");
}

#[test]
fn s2_4_flush_work_waits_for_the_last_queued_instance() {
    let engine = engine("flush-last");
    let held = Held::on(engine.system_wq());
    assert!(engine.schedule_work(&held.work), "it runs: queued again");
    held.let_go();
    held.let_go();
    held.work.flush();
    assert_eq!(held.work.busy(), 0, "both runs are over");
}

/// The item inside a delayed one, which its function can find.
#[test]
fn s2_4_flush_work_does_not_see_a_timer() {
    let engine = engine("flush-timer");
    let (tell, told) = mpsc::channel();
    let delayed = DelayedWork::named("delayed", move |_| {
        tell.send(current_work().expect("it executes")).unwrap();
    });
    assert!(engine.schedule_delayed_work(&delayed, Duration::ZERO));
    let inside = told.recv_timeout(LONG).unwrap();
    delayed.flush();
    assert!(engine.schedule_delayed_work(&delayed, NEVER));
    assert!(!inside.flush(), "it is on its timer");
    assert!(delayed.pending() && delayed.expires().is_some());
    assert!(delayed.cancel());
}

#[test]
fn s2_4_flush_delayed_work_keeps_the_workqueue() {
    let engine = engine("flush-where");
    let (tell, told) = mpsc::channel();
    let delayed = DelayedWork::named("where", move |_| {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        tell.send(name).unwrap();
    });
    let wq = engine.system_highpri_wq();
    assert!(wq.queue_delayed_work(&delayed, NEVER));
    delayed.flush();
    assert_eq!(told.recv_timeout(LONG).unwrap(), "kworker/0:0H");
}

#[test]
fn s2_4_flush_delayed_work_queues_at_once() {
    let engine = engine("flush-delayed");
    let ran = Count::default();
    let work = ran.delayed();
    assert!(!work.flush(), "it is idle");
    assert!(engine.schedule_delayed_work(&work, NEVER));
    // It may be over before the wait begins.
    work.flush();
    assert_eq!(ran.get(), 1);
    assert!(!work.pending());
}

#[test]
fn s2_4_flush_rcu_work_waits_for_the_readers_too() {
    let engine = engine("flush-rcu");
    let ran = Count::default();
    let counted = ran.clone();
    let work = RcuWork::named("rcu", move |_| counted.add());
    assert!(!work.flush(), "it is idle");
    let (begin, begun) = mpsc::channel();
    let (leave, left) = mpsc::channel::<()>();
    let reader = std::thread::spawn(move || {
        let section = rcu::read_lock();
        begin.send(()).unwrap();
        let _ = left.recv_timeout(LONG);
        drop(section);
    });
    begun.recv_timeout(LONG).unwrap();
    assert!(engine.system_wq().queue_rcu_work(&work));
    let waits = std::thread::spawn({
        let work = work.clone();
        move || work.flush()
    });
    let flushing = |what: &What| matches!(what, What::FlushStart { .. });
    until(|| {
        let known = snapshot(&engine).functions;
        let known = known.iter().any(|function| function.name == "rcu");
        known && steps(&engine, "rcu").iter().any(flushing)
    });
    assert_eq!((ran.get(), waits.is_finished()), (0, false));
    leave.send(()).unwrap();
    assert!(waits.join().unwrap());
    assert_eq!(ran.get(), 1);
    reader.join().unwrap();
}

#[test]
fn s2_4_flush_rcu_work_inside_a_work_function_sleeps() {
    let engine = engine("flush-rcu-inside");
    let wq = engine.system_wq().clone();
    let ran = Count::default();
    let counted = ran.clone();
    let inner = RcuWork::named("inner", move |_| counted.add());
    let outer = Work::named("outer", move |_| {
        assert!(wq.queue_rcu_work(&inner));
        inner.flush();
    });
    assert!(engine.schedule_work(&outer));
    outer.flush();
    assert_eq!(ran.get(), 1);
}

#[test]
fn s2_4_cancel_work_takes_a_pending_instance_and_leaves_a_running_one() {
    let engine = engine("cancel");
    let held = Held::on(engine.system_wq());
    assert!(engine.schedule_work(&held.work));
    assert_eq!(held.work.busy(), BUSY_PENDING | BUSY_RUNNING);
    assert!(held.work.cancel());
    assert_eq!(held.work.busy(), BUSY_RUNNING);
    assert!(!held.work.cancel(), "running is not pending");
    held.let_go();
    held.work.flush();
}

#[test]
fn s2_4_cancel_work_sync_refuses_queueing_while_it_waits() {
    let engine = engine("cancel-sync");
    let wq = engine.system_wq().clone();
    let (tell, told) = mpsc::channel();
    let again = Work::named("again", move |work| {
        // Until the cancel has come: then it is refused, although it is not pending.
        let refused = || !wq.queue_work(work) && !work.pending();
        blocking(|| until(refused));
        tell.send(()).unwrap();
    });
    assert!(engine.schedule_work(&again));
    until(|| again.busy() & BUSY_RUNNING != 0);
    again.cancel_sync();
    told.try_recv().expect("it has returned");
    assert_eq!(again.busy(), 0);
    assert!(engine.schedule_work(&again), "it can be queued again");
    until(|| again.busy() & BUSY_RUNNING != 0);
    again.cancel_sync();
}

#[test]
fn s2_4_cancel_delayed_work_is_true_on_timer_and_list() {
    let engine = engine("cancel-delayed");
    let ran = Count::default();
    let work = ran.delayed();
    assert!(engine.schedule_delayed_work(&work, NEVER));
    assert!(work.cancel());
    assert!(!work.cancel());
    let held = Held::on(engine.system_wq());
    assert!(engine.schedule_delayed_work(&work, Duration::ZERO));
    assert!(work.cancel_sync());
    assert!(!work.cancel_sync());
    held.let_go();
    held.work.flush();
    assert_eq!(ran.get(), 0);
}

#[test]
fn s2_4_sync_variants_are_true_if_it_was_pending_though_it_runs_too() {
    type Waits = fn(&Work) -> bool;
    let variants: [(&str, Waits); 2] = [
        ("cancels", Work::cancel_sync),
        ("disables", Work::disable_sync),
    ];
    for (name, sync) in variants {
        let engine = engine(name);
        let held = Held::on(engine.system_wq());
        assert!(engine.schedule_work(&held.work));
        let waits = std::thread::spawn({
            let work = held.work.clone();
            move || (sync(&work), work.busy())
        });
        until(|| waiting(&engine) == 1);
        assert_eq!(
            held.work.busy(),
            BUSY_RUNNING,
            "{name}: the pending one is gone"
        );
        held.let_go();
        assert_eq!(waits.join().unwrap(), (true, 0), "{name}");
        assert_eq!(engine.schedule_work(&held.work), name == "cancels");
        held.let_go();
    }
}

/// It has no such method; the item inside, which its function can find, does not give it away either.
#[test]
fn s2_4_rcu_work_is_not_cancelled_while_it_waits_for_readers() {
    let engine = engine("rcu-cancel");
    let ran = Count::default();
    let (tell, told) = mpsc::channel();
    let counted = ran.clone();
    let work = RcuWork::named("rcu", move |_| {
        counted.add();
        tell.send(current_work().expect("it executes")).unwrap();
    });
    assert!(engine.system_wq().queue_rcu_work(&work));
    let inside = told.recv_timeout(LONG).unwrap();
    work.flush();
    let reader = rcu::read_lock();
    assert!(engine.system_wq().queue_rcu_work(&work));
    assert!(!inside.cancel() && !inside.cancel_sync() && !inside.disable());
    assert!(work.pending());
    drop(reader);
    work.flush();
    assert_eq!(ran.get(), 2);
}

#[test]
fn s2_4_flush_workqueue_is_not_live_locked_by_newcomers() {
    let engine = engine("newcomers");
    for flags in [WqFlags::PERCPU, WqFlags::UNBOUND] {
        let wq = engine.alloc_workqueue("busy", flags, 0).unwrap();
        let again = Work::named("again", {
            let wq = wq.clone();
            move |work| {
                wq.queue_work(work);
            }
        });
        assert!(wq.queue_work(&again));
        wq.flush();
        assert_ne!(again.busy(), 0, "it goes on");
        again.cancel_sync();
        assert_eq!(again.busy(), 0);
    }
}

#[test]
fn s2_4_flush_workqueue_does_not_see_timers() {
    let engine = engine("flush-wq");
    let wq = engine.alloc_workqueue("timed", WqFlags::PERCPU, 0).unwrap();
    let ran = Count::default();
    let work = ran.delayed();
    assert!(wq.queue_delayed_work(&work, NEVER));
    wq.flush();
    assert_eq!(ran.get(), 0);
    assert!(work.cancel());
}
