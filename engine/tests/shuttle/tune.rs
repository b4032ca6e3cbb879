//! Limits that change, freezing and thawing, against those who queue.

use super::rig::{Count, check, counting, end, engine, pause, user};
use wq_engine::{Work, WqFlags};

#[test]
fn items_that_were_held_go_on_when_the_limit_rises() {
    check(2400, || {
        let (engine, runs) = (engine(), Count::new());
        let wq = engine.alloc_workqueue("wq", WqFlags::PERCPU, 1).unwrap();
        let queuer = user({
            let (wq, runs) = (wq.clone(), runs.clone());
            move || {
                for _ in 0..3 {
                    assert!(wq.queue_work(&counting("w", &runs)));
                }
            }
        });
        for limit in [2, 1, 3] {
            wq.set_max_active(limit);
        }
        queuer.join().unwrap();
        wq.flush();
        assert_eq!(runs.get(), 3);
        end(&engine);
    });
}

#[test]
fn nothing_starts_while_it_is_frozen_and_all_goes_on_after() {
    check(2400, || {
        let engine = engine();
        for flags in [WqFlags::FREEZABLE, WqFlags::FREEZABLE | WqFlags::UNBOUND] {
            let runs = Count::new();
            let wq = engine.alloc_workqueue("cold", flags, 0).unwrap();
            let queuer = user({
                let (wq, runs) = (wq.clone(), runs.clone());
                move || {
                    for _ in 0..2 {
                        assert!(wq.queue_work(&counting("w", &runs)));
                    }
                }
            });
            while !engine.freeze().is_empty() {
                shuttle::thread::yield_now();
            }
            let seen = runs.get();
            pause();
            assert_eq!(runs.get(), seen);
            engine.thaw();
            queuer.join().unwrap();
            wq.flush();
            assert_eq!(runs.get(), 2);
        }
        end(&engine);
    });
}

#[test]
fn bh_items_run_in_queueing_order() {
    check(1200, || {
        let engine = engine();
        let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let works: Vec<Work> = (0..3)
            .map(|number| {
                let order = order.clone();
                Work::named("bh", move |_| order.lock().unwrap().push(number))
            })
            .collect();
        let flusher = user({
            let wq = engine.system_bh_wq().clone();
            move || wq.flush()
        });
        for work in &works {
            assert!(engine.system_bh_wq().queue_work(work));
        }
        engine.system_bh_wq().flush();
        assert_eq!(*order.lock().unwrap(), [0, 1, 2]);
        flusher.join().unwrap();
        end(&engine);
    });
}
