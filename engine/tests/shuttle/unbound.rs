//! Unbound and ordered workqueues: slots that several pools share, and pools that are replaced.

use super::rig::{Count, Inside, check, counting, end, engine_on, user};
use std::sync::{Arc, Mutex};
use wq_engine::{AffinityScope, Work, WorkqueueAttrs, WqFlags};

fn scope(affn_scope: AffinityScope) -> WorkqueueAttrs {
    WorkqueueAttrs {
        affn_scope,
        ..WorkqueueAttrs::default()
    }
}

#[test]
fn pools_of_a_node_hand_its_slots_to_each_other() {
    check(2400, || {
        let engine = engine_on(&[0, 1], "1n2l1c1t");
        let (runs, inside) = (Count::new(), Inside::default());
        let wq = engine.alloc_workqueue("wq", WqFlags::UNBOUND, 1).unwrap();
        let queuers: Vec<_> = (0..2)
            .map(|cpu| {
                let (wq, runs, inside) = (wq.clone(), runs.clone(), inside.clone());
                user(move || {
                    for _ in 0..2 {
                        let (runs, inside) = (runs.clone(), inside.clone());
                        let work = Work::named("w", move |_| {
                            inside.enter();
                            runs.up();
                            inside.leave();
                        });
                        assert!(wq.queue_work_on(cpu, &work));
                    }
                })
            })
            .collect();
        for queuer in queuers {
            queuer.join().unwrap();
        }
        wq.flush();
        assert_eq!(runs.get(), 4);
        inside.check();
        end(&engine);
    });
}

#[test]
fn items_run_once_whichever_pool_they_meet() {
    check(1600, || {
        let engine = engine_on(&[0, 1], "1n2l1c1t");
        let runs = Count::new();
        let wq = engine.alloc_workqueue("wq", WqFlags::UNBOUND, 0).unwrap();
        let queuer = user({
            let (wq, runs) = (wq.clone(), runs.clone());
            move || {
                for _ in 0..3 {
                    let work = counting("w", &runs);
                    assert!(wq.queue_work(&work));
                    work.flush();
                    assert!(wq.queue_work(&work));
                }
            }
        });
        for wanted in [AffinityScope::System, AffinityScope::Cpu] {
            wq.apply_attrs(&scope(wanted)).unwrap();
            wq.flush();
        }
        queuer.join().unwrap();
        wq.flush();
        assert_eq!(runs.get(), 6);
        end(&engine);
    });
}

#[test]
fn an_ordered_workqueue_keeps_its_order_while_its_pool_is_replaced() {
    check(1600, || {
        let engine = engine_on(&[0, 1], "1n2l1c1t");
        let (order, inside) = (Arc::new(Mutex::new(Vec::new())), Inside::default());
        let wq = engine
            .alloc_ordered_workqueue("journal", WqFlags::empty())
            .unwrap();
        let queuer = user({
            let (wq, order, inside) = (wq.clone(), order.clone(), inside.clone());
            move || {
                for number in 0..4 {
                    let (order, inside) = (order.clone(), inside.clone());
                    let work = Work::named("entry", move |_| {
                        inside.enter();
                        order.lock().unwrap().push(number);
                        inside.leave();
                    });
                    assert!(wq.queue_work(&work));
                }
            }
        });
        for nice in [-5, 0] {
            let attrs = WorkqueueAttrs {
                nice,
                ..WorkqueueAttrs::default()
            };
            wq.apply_attrs(&attrs).unwrap();
        }
        queuer.join().unwrap();
        wq.flush();
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3]);
        inside.check();
        end(&engine);
    });
}
