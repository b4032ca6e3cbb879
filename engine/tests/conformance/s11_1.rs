//! Guarantees that no single mechanism holds.

use super::script::{Script, burn, sleep, wait};
use super::support::{Held, engine};
use wq_engine::WqFlags;
use wq_engine::sim::{ItemRef, Step, WqRef};
use wq_trace::What;

/// The limit is 1 in all, and each of two nodes may have its `min_active` of it all the same.
#[test]
fn s11_1_4_every_node_makes_progress_however_small_its_share() {
    let mut script = Script::on(2);
    script.0.topology = Some("2n1l1c1t".to_owned());
    let narrow = script.wq(WqFlags::UNBOUND, 1);
    let work = script.works(&narrow, 4, &[sleep(10)]);
    let on = |cpu, instance| {
        let instance = Some(instance);
        Step::QueueOn(cpu, ItemRef { work, instance })
    };
    script.steps_at(0, &[on(0, 0), on(1, 1), on(0, 2), on(1, 3)]);
    let run = script.run();
    for (item, span) in [(0, (0, 10)), (1, (0, 10)), (2, (10, 20)), (3, (10, 20))] {
        assert_eq!(run.spans(&format!("w0#{item}")), [span], "item {item}");
    }
}

/// Whose workqueue it is makes no difference to when, where and by whom an item is executed.
#[test]
fn s11_1_7_a_workqueue_of_ones_own_executes_as_the_system_one_does() {
    let course = |own: bool| {
        let mut script = Script::on(2);
        let system = WqRef::System("events".to_owned());
        let wq = if own { script.bound() } else { system.clone() };
        let other = script.work(&system, &[burn(3), sleep(2), burn(1)]);
        let [a, b] = [4, 2].map(|n| script.work(&wq, &[burn(n), sleep(5), burn(n)]));
        script.queue_at(0, &[other, a, b]);
        script.steps_at(1, &[wait(1), Step::FlushWq(system)]);
        let run = script.run();
        let executions = ["w0", "w1", "w2"].map(|name| {
            let mut items = run.outcome.items.iter();
            let item = items.find(|item| item.name == name);
            item.expect("the item exists").executions.clone()
        });
        let wakes = run.times(|what| matches!(what, What::WorkerWake { .. }));
        (executions, wakes)
    };
    assert_eq!(course(true), course(false));
}

#[test]
fn a_drop_after_a_shutdown_that_found_items_running_does_not_wait_for_them() {
    let engine = engine("busy");
    let held = Held::on(engine.system_wq());
    let busy = engine.shutdown(std::time::Duration::ZERO);
    assert!(matches!(busy, Err(wq_engine::Error::Busy { .. })));
    drop(engine);
    // Had the drop waited, nobody would let it go.
    held.let_go();
}
