//! Taking items back, disabling and enabling, against those who queue them.

use super::rig::{Count, Inside, check, end, engine, engine_on, pause, user};
use wq_engine::Work;

#[test]
fn cancel_sync_ends_an_item_that_queues_itself() {
    check(4000, || {
        let (engine, runs, inside) = (engine(), Count::new(), Inside::default());
        let work = Work::named("again", {
            let (engine, runs, inside) = (engine.clone(), runs.clone(), inside.clone());
            move |work| {
                inside.enter();
                runs.up();
                engine.schedule_work(work);
                inside.leave();
            }
        });
        let queuer = user({
            let (engine, work) = (engine.clone(), work.clone());
            move || {
                engine.schedule_work(&work);
                work.cancel();
                engine.schedule_work(&work);
            }
        });
        engine.schedule_work(&work);
        work.cancel_sync();
        queuer.join().unwrap();
        work.cancel_sync();
        assert!(inside.nobody());
        assert_eq!(work.busy(), 0);
        let seen = runs.get();
        pause();
        assert_eq!(runs.get(), seen);
        assert!(engine.schedule_work(&work), "it is enabled again");
        work.cancel_sync();
        inside.check();
        drop(work);
        end(&engine);
    });
}

#[test]
fn two_who_cancel_at_once_take_it_back_once() {
    check(2400, || {
        let (engine, runs) = (engine(), Count::new());
        let work = super::rig::counting("w", &runs);
        assert!(engine.schedule_work(&work));
        let taken = Count::new();
        let other = user({
            let (work, taken) = (work.clone(), taken.clone());
            move || {
                if work.cancel_sync() {
                    taken.up();
                }
            }
        });
        if work.cancel() {
            taken.up();
        }
        other.join().unwrap();
        work.flush();
        assert_eq!(taken.get() + runs.get(), 1);
        end(&engine);
    });
}

#[test]
fn a_disabled_item_neither_runs_nor_is_queued() {
    check(2400, || {
        let (engine, inside) = (engine(), Inside::default());
        let work = Work::named("w", {
            let inside = inside.clone();
            move |_| {
                inside.enter();
                inside.leave();
            }
        });
        let queuer = user({
            let (engine, work) = (engine.clone(), work.clone());
            move || {
                for _ in 0..3 {
                    engine.schedule_work(&work);
                }
            }
        });
        let other = user({
            let work = work.clone();
            move || {
                work.disable();
                work.enable();
            }
        });
        work.disable_sync();
        assert!(inside.nobody());
        assert!(!work.pending() || work.busy() & 2 == 0);
        assert!(!engine.schedule_work(&work));
        pause();
        assert!(inside.nobody());
        other.join().unwrap();
        assert!(work.enable(), "the depth is 0 again");
        queuer.join().unwrap();
        work.flush();
        assert!(engine.schedule_work(&work));
        work.flush();
        inside.check();
        end(&engine);
    });
}

#[test]
fn an_item_never_runs_twice_at_once() {
    check(2400, || {
        let engine = engine_on(&[0, 1], "1n1l2c1t");
        let (runs, inside) = (Count::new(), Inside::default());
        let work = Work::named("w", {
            let (runs, inside) = (runs.clone(), inside.clone());
            move |_| {
                inside.enter();
                runs.up();
                inside.leave();
            }
        });
        let queued = Count::new();
        let queuers: Vec<_> = (0..2)
            .map(|cpu| {
                let (engine, work, queued) = (engine.clone(), work.clone(), queued.clone());
                user(move || {
                    for _ in 0..2 {
                        if engine.schedule_work_on(cpu, &work) {
                            queued.up();
                        }
                        pause();
                    }
                })
            })
            .collect();
        for queuer in queuers {
            queuer.join().unwrap();
        }
        work.flush();
        inside.check();
        assert_eq!(runs.get(), queued.get());
        end(&engine);
    });
}
