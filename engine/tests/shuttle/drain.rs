//! Emptying and taking down workqueues that are in use.

use super::rig::{Count, check, counting, end, engine, pause, user};
use wq_engine::{Work, WqFlags};

#[test]
fn a_drain_waits_for_chained_items_and_drops_the_others() {
    check(2400, || {
        let (engine, runs) = (engine(), Count::new());
        let wq = engine.alloc_workqueue("wq", WqFlags::PERCPU, 0).unwrap();
        let last = counting("last", &runs);
        let middle = Work::named("middle", {
            let (wq, runs) = (wq.clone(), runs.clone());
            move |_| {
                runs.up();
                assert!(wq.queue_work(&last));
            }
        });
        let first = Work::named("first", {
            let (wq, runs) = (wq.clone(), runs.clone());
            move |_| {
                runs.up();
                assert!(wq.queue_work(&middle));
            }
        });
        assert!(wq.queue_work(&first));
        let outside = Count::new();
        let others: Vec<_> = (0..2)
            .map(|_| {
                let (wq, outside) = (wq.clone(), outside.clone());
                user(move || {
                    assert!(wq.queue_work(&counting("outside", &outside)));
                    wq.drain();
                })
            })
            .collect();
        wq.drain();
        assert_eq!(runs.get(), 3);
        for other in others {
            other.join().unwrap();
        }
        wq.flush();
        assert!(outside.get() <= 2);
        let after = counting("after", &outside);
        let before = outside.get();
        assert!(wq.queue_work(&after));
        after.flush();
        assert_eq!(outside.get(), before + 1, "the gate is open again");
        drop(first);
        end(&engine);
    });
}

#[test]
fn nothing_runs_on_a_destroyed_workqueue() {
    check(2400, || {
        let (engine, runs) = (engine(), Count::new());
        let wq = engine.alloc_workqueue("wq", WqFlags::UNBOUND, 0).unwrap();
        let work = counting("w", &runs);
        let other = user({
            let (wq, work) = (wq.clone(), work.clone());
            move || {
                assert!(wq.queue_work(&work));
                work.flush();
                assert!(wq.queue_work(&work));
            }
        });
        wq.destroy();
        let seen = runs.get();
        other.join().unwrap();
        pause();
        assert_eq!(runs.get(), seen);
        assert_eq!(work.busy(), 0);
        end(&engine);
    });
}

#[test]
fn a_workqueue_without_handles_goes_after_its_items() {
    check(2400, || {
        let (engine, runs) = (engine(), Count::new());
        for flags in [WqFlags::PERCPU, WqFlags::UNBOUND | WqFlags::MEM_RECLAIM] {
            let wq = engine.alloc_workqueue("wq", flags, 0).unwrap();
            let other = user({
                let (wq, runs) = (wq.clone(), runs.clone());
                move || {
                    assert!(wq.queue_work(&counting("theirs", &runs)));
                }
            });
            assert!(wq.queue_work(&counting("mine", &runs)));
            drop(wq);
            other.join().unwrap();
        }
        end(&engine);
        assert_eq!(runs.get(), 4);
    });
}
