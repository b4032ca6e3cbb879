//! Blocks that nobody announces, with canaries: each item waits for one that is queued behind it on its CPU, so a block
//! that is not noticed ends in a deadlock. The tick does not look for sleepers here.

use super::rig::{Count, check, counting, end, engine_with, pause, user};
use shuttle::rand::Rng;
use std::sync::Arc;
use std::time::Duration;
use wq_engine::{Engine, Gate, Sensing, Work, WqFlags};

fn engine() -> Engine {
    canaries_on(&[0], "1n1l1c1t")
}

fn canaries_on(cpus: &[usize], topology: &str) -> Engine {
    let engine = engine_with(Sensing::Canary, cpus, topology);
    assert_eq!(engine.sensing(), Sensing::Canary);
    engine
}

fn gate() -> Arc<Gate> {
    Arc::default()
}

/// Lets others run for some while.
fn pause_at_random() {
    for _ in 0..shuttle::rand::thread_rng().gen_range(0..40) {
        shuttle::thread::yield_now();
    }
}

/// An item that opens a gate when it begins, and then waits for these, one after another.
fn passing(begun: &Arc<Gate>, gates: &[&Arc<Gate>], runs: &Count) -> Work {
    let begun = begun.clone();
    let gates: Vec<Arc<Gate>> = gates.iter().map(|&gate| gate.clone()).collect();
    let runs = runs.clone();
    Work::named("passing", move |_| {
        begun.open();
        gates.iter().for_each(|gate| gate.pass());
        runs.up();
    })
}

/// One that opens a gate.
fn opening(gate: &Arc<Gate>, runs: &Count) -> Work {
    let (gate, runs) = (gate.clone(), runs.clone());
    Work::named("opening", move |_| {
        gate.open();
        runs.up();
    })
}

/// Items of which each waits for the next.
fn chain(length: usize, runs: &Count) -> Vec<Work> {
    let gates: Vec<Arc<Gate>> = (0..length).map(|_| gate()).collect();
    (0..length)
        .map(|at| {
            let (mine, runs) = (gates[at].clone(), runs.clone());
            let next = gates.get(at + 1).cloned();
            Work::named("link", move |_| {
                if let Some(next) = &next {
                    next.pass();
                }
                mine.open();
                runs.up();
            })
        })
        .collect()
}

#[test]
fn a_block_that_nobody_announces_is_replaced() {
    check(4000, || {
        let (engine, runs, behind) = (engine(), Count::new(), gate());
        let first = passing(&gate(), &[&behind], &runs);
        engine.schedule_work(&first);
        engine.schedule_work(&opening(&behind, &runs));
        first.flush();
        end(&engine);
        assert_eq!(runs.get(), 2);
    });
}

#[test]
fn a_chain_of_blocks() {
    check(2400, || {
        let (engine, runs) = (engine(), Count::new());
        for work in chain(4, &runs) {
            engine.schedule_work(&work);
        }
        end(&engine);
        assert_eq!(runs.get(), 4);
    });
}

#[test]
fn chains_on_two_cpus() {
    check(1600, || {
        let (engine, runs) = (canaries_on(&[0, 1], "1n1l2c1t"), Count::new());
        let works = chain(4, &runs);
        let other = user({
            let (engine, works) = (engine.clone(), works[2..].to_vec());
            move || {
                for work in &works {
                    assert!(engine.schedule_work_on(1, work));
                }
            }
        });
        for work in &works[..2] {
            assert!(engine.schedule_work_on(0, work));
        }
        other.join().unwrap();
        end(&engine);
        assert_eq!(runs.get(), 4);
    });
}

#[test]
fn chains_in_both_pools_of_a_cpu() {
    check(1600, || {
        let (engine, runs) = (engine(), Count::new());
        let high = chain(2, &runs);
        for (high, normal) in high.iter().zip(&chain(2, &runs)) {
            engine.system_highpri_wq().queue_work(high);
            engine.schedule_work(normal);
        }
        end(&engine);
        assert_eq!(runs.get(), 4);
    });
}

#[test]
fn a_sleeper_resumes_while_it_is_decided() {
    check(4000, || {
        let (engine, runs) = (engine(), Count::new());
        let (inside, soon, behind) = (gate(), gate(), gate());
        let first = passing(&inside, &[&soon, &behind], &runs);
        engine.schedule_work(&first);
        engine.schedule_work(&opening(&behind, &runs));
        inside.pass();
        pause_at_random();
        soon.open();
        end(&engine);
        assert_eq!(runs.get(), 2);
    });
}

#[test]
fn a_sleeper_finishes_while_it_is_decided() {
    check(4000, || {
        let (engine, runs) = (engine(), Count::new());
        let (inside, soon, behind) = (gate(), gate(), gate());
        engine.schedule_work(&passing(&inside, &[&soon], &runs));
        engine.schedule_work(&passing(&gate(), &[&behind], &runs));
        engine.schedule_work(&opening(&behind, &runs));
        inside.pass();
        pause_at_random();
        soon.open();
        end(&engine);
        assert_eq!(runs.get(), 3);
    });
}

#[test]
fn idle_workers_leave_meanwhile() {
    check(1600, || {
        let (engine, runs) = (engine(), Count::new());
        for _ in 0..3 {
            let works = chain(4, &runs);
            for work in &works {
                engine.schedule_work(work);
            }
            works[0].flush();
            pause();
        }
        end(&engine);
        assert_eq!(runs.get(), 12);
    });
}

#[test]
fn nobody_can_be_created_for_a_while() {
    check(2400, || {
        let (engine, runs) = (engine(), Count::new());
        let healer = user({
            let engine = engine.clone();
            move || {
                engine.fail_worker_creation(true);
                pause();
                engine.fail_worker_creation(false);
            }
        });
        for work in chain(4, &runs) {
            engine.schedule_work(&work);
        }
        healer.join().unwrap();
        end(&engine);
        assert_eq!(runs.get(), 4);
    });
}

#[test]
fn what_it_was_armed_for_is_cancelled() {
    check(4000, || {
        let (engine, runs, behind) = (engine(), Count::new(), gate());
        let first = passing(&gate(), &[&behind], &runs);
        let (second, third) = (counting("second", &runs), opening(&behind, &runs));
        engine.schedule_work(&first);
        engine.schedule_work(&second);
        let other = user({
            let (engine, third) = (engine.clone(), third.clone());
            move || {
                engine.schedule_work(&third);
            }
        });
        let cancelled = usize::from(second.cancel_sync());
        other.join().unwrap();
        end(&engine);
        assert_eq!(runs.get(), 3 - cancelled);
    });
}

#[test]
fn what_it_was_armed_for_is_frozen() {
    check(2400, || {
        let (engine, runs, behind) = (engine(), Count::new(), gate());
        let flags = WqFlags::FREEZABLE | WqFlags::PERCPU;
        let cold = engine.alloc_workqueue("cold", flags, 0).unwrap();
        let first = passing(&gate(), &[&behind], &runs);
        engine.schedule_work(&first);
        let freezer = user({
            let engine = engine.clone();
            move || {
                engine.freeze();
                pause();
                engine.thaw();
            }
        });
        cold.queue_work(&counting("second", &runs));
        cold.queue_work(&opening(&behind, &runs));
        freezer.join().unwrap();
        first.flush();
        end(&engine);
        assert_eq!(runs.get(), 3);
    });
}

#[test]
fn a_shutdown_while_it_is_armed() {
    check(2400, || {
        let (engine, runs, out) = (engine(), Count::new(), gate());
        let begun = gate();
        engine.schedule_work(&passing(&begun, &[&out], &runs));
        engine.schedule_work(&passing(&gate(), &[&out], &runs));
        engine.schedule_work(&counting("w", &runs));
        begun.pass();
        let _ = engine.shutdown(Duration::from_millis(1));
        out.open();
        assert!(runs.get() <= 3);
    });
}
