//! The end of an engine that is in use.

use super::rig::{Count, check, counting, engine, user};
use std::time::Duration;
use wq_engine::{DelayedWork, Work};

#[test]
fn what_a_shutdown_lets_in_runs() {
    check(4000, || {
        let (engine, runs, queued) = (engine(), Count::new(), Count::new());
        let other = user({
            let (engine, runs, queued) = (engine.clone(), runs.clone(), queued.clone());
            move || {
                for _ in 0..2 {
                    if engine.schedule_work(&counting("w", &runs)) {
                        queued.up();
                    }
                }
            }
        });
        engine.shutdown(Duration::MAX).unwrap();
        other.join().unwrap();
        assert_eq!(runs.get(), queued.get());
    });
}

#[test]
fn a_shutdown_that_gives_up_leaves_nobody_waiting() {
    check(2400, || {
        let (engine, runs) = (engine(), Count::new());
        let again = Work::named("again", {
            let (engine, runs) = (engine.clone(), runs.clone());
            move |work| {
                runs.up();
                shuttle::thread::yield_now();
                engine.schedule_work(work);
            }
        });
        let later = DelayedWork::named("later", |_| ());
        engine.schedule_work(&again);
        engine.schedule_delayed_work(&later, Duration::from_millis(1));
        let flusher = user({
            let again = again.clone();
            move || {
                again.flush();
            }
        });
        let second = user({
            let engine = engine.clone();
            move || {
                let _ = engine.shutdown(Duration::from_millis(1));
            }
        });
        let _ = engine.shutdown(Duration::from_millis(1));
        second.join().unwrap();
        flusher.join().unwrap();
        later.cancel_sync();
        assert!(!engine.schedule_work(&again));
        again.cancel_sync();
        drop(again);
    });
}

#[test]
fn the_last_handle_takes_the_engine_along() {
    check(2400, || {
        let (engine, runs) = (engine(), Count::new());
        let work = counting("w", &runs);
        engine.schedule_work(&work);
        let wq = engine.system_wq().clone();
        let other = user({
            let (wq, work) = (wq.clone(), work.clone());
            move || {
                wq.queue_work(&work);
                work.flush();
            }
        });
        drop(engine);
        other.join().unwrap();
        assert!(!wq.queue_work(&work));
        work.flush();
        assert!(runs.get() <= 2);
    });
}
