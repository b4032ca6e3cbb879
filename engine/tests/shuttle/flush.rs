//! Waiting for items and workqueues while others queue and items end.

use super::rig::{Count, check, counting, end, engine, engine_on, pause, user};
use std::sync::{Arc, Mutex};
use wq_engine::{RcuWork, Work, WqFlags, blocking, rcu};

#[test]
fn a_flush_returns_after_the_execution_that_was_queued_before_it() {
    check(4000, || {
        let (engine, runs) = (engine(), Count::new());
        let work = counting("w", &runs);
        let other = user({
            let (engine, work) = (engine.clone(), work.clone());
            move || {
                engine.schedule_work(&work);
            }
        });
        let before = runs.get();
        let mine = engine.schedule_work(&work);
        work.flush();
        assert!(!mine || runs.get() > before);
        other.join().unwrap();
        work.flush();
        assert!((1..=2).contains(&runs.get()));
        end(&engine);
    });
}

#[test]
fn flushers_of_a_workqueue_each_see_what_was_queued_before_them() {
    check(2400, || {
        let engine = engine_on(&[0, 1], "1n1l2c1t");
        let wq = engine.alloc_workqueue("wq", WqFlags::PERCPU, 1).unwrap();
        let flushers: Vec<_> = (0..3)
            .map(|cpu| {
                let (wq, runs) = (wq.clone(), Count::new());
                user(move || {
                    for round in 1..=2 {
                        let work = counting("w", &runs);
                        assert!(wq.queue_work_on(cpu % 2, &work));
                        wq.flush();
                        assert_eq!(runs.get(), round);
                    }
                })
            })
            .collect();
        for flusher in flushers {
            flusher.join().unwrap();
        }
        end(&engine);
    });
}

#[test]
fn a_work_function_that_flushes_another_item_lets_it_run() {
    check(2400, || {
        let (engine, runs) = (engine(), Count::new());
        let inner = counting("inner", &runs);
        let outer = Work::named("outer", {
            let (engine, inner, runs) = (engine.clone(), inner.clone(), runs.clone());
            move |_| {
                engine.schedule_work(&inner);
                inner.flush();
                assert!(runs.get() >= 1);
                blocking(pause);
                runs.up();
            }
        });
        engine.schedule_work(&inner);
        engine.schedule_work(&outer);
        outer.flush();
        assert!((2..=3).contains(&runs.get()), "{}", runs.get());
        drop(outer);
        end(&engine);
    });
}

#[test]
fn an_item_that_waits_for_readers_runs_after_they_have_left() {
    check(1200, || {
        let engine = engine();
        let log = Arc::new(Mutex::new(Vec::new()));
        let work = RcuWork::named("rcu", {
            let log = log.clone();
            move |_| log.lock().unwrap().push("ran")
        });
        let guard = rcu::read_lock();
        assert!(engine.system_wq().queue_rcu_work(&work));
        let other = user({
            let (engine, work) = (engine.clone(), work.clone());
            move || {
                engine.system_wq().queue_rcu_work(&work);
            }
        });
        pause();
        log.lock().unwrap().push("left");
        drop(guard);
        work.flush();
        other.join().unwrap();
        work.flush();
        let log = log.lock().unwrap().clone();
        assert_eq!(log[..2], ["left", "ran"]);
        end(&engine);
    });
}
