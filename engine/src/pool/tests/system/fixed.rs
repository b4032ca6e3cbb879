//! What random engines have found, and what they meet too seldom: sequences that stay.

use super::model::{Attrs, Machine, Scope, WqSpec};
use super::world::{Op, Shape, World};

const UNBOUND: WqSpec = WqSpec {
    bh: false,
    unbound: true,
    ordered: false,
    highpri: false,
    cpu_intensive: false,
    freezable: false,
    mem_reclaim: false,
    max_active: 3,
};

const ORDERED: WqSpec = WqSpec {
    ordered: true,
    ..UNBOUND
};

/// A pool for each CPU that may be used.
fn cpus(mask: u64) -> Attrs {
    Attrs {
        nice: 0,
        strict: false,
        mask,
        scope: Scope::Cpu,
    }
}

/// One workqueue on two CPUs of one node.
fn world(spec: WqSpec, items: usize, late: bool) -> World {
    World::new(&Shape {
        machine: Machine {
            nodes: 1,
            caches: 1,
            cpus: 2,
        },
        wqs: vec![spec],
        items,
        workers: 1,
        late,
        starved: false,
    })
}

fn finish(mut world: World, ops: &[Op]) {
    ops.iter().for_each(|&op| world.apply(op));
    world.settle();
    world.compare_totals();
}

/// Item 0 is queued and runs, on the unbound pool, whose workers come after those of the four pools of the CPUs.
fn run_first(world: &mut World) {
    let (step, manage) = (Op::Step(4, 0), Op::Created(0, true));
    for op in [Op::Queue(0, 0, 0), step, manage, step] {
        world.apply(op);
    }
    assert!(world.model.runs().any(|run| run.item == 0), "it runs");
}

/// A slot comes back while the only pwq that holds items has one on its way.
#[test]
fn a_slot_that_nobody_waited_for_is_used_when_the_one_before_arrives() {
    let ops = [
        Op::Queue(0, 0, 0),
        Op::Queue(1, 0, 0),
        Op::Queue(2, 0, 0),
        Op::Attrs(0, cpus(!0)),
        Op::Queue(3, 0, 1),
        Op::Queue(4, 0, 1),
        // Both slots come back before the first is used.
        Op::Cancel(0),
        Op::Cancel(1),
        Op::CatchUp(0),
    ];
    finish(world(UNBOUND, 5, true), &ops);
}

/// The items of a pwq that was replaced end, although no CPU of its node is the workqueue's any more.
#[test]
fn a_node_that_the_workqueue_has_left_finishes_what_it_has() {
    let two_nodes = Shape {
        machine: Machine {
            nodes: 2,
            caches: 1,
            cpus: 1,
        },
        wqs: vec![WqSpec {
            max_active: 1,
            ..UNBOUND
        }],
        items: 2,
        workers: 1,
        late: false,
        starved: false,
    };
    let ops = [
        Op::MinActive(0, 0),
        Op::Queue(0, 0, 0),
        Op::Queue(1, 0, 0),
        Op::Attrs(0, cpus(2)),
    ];
    finish(World::new(&two_nodes), &ops);
}

#[test]
fn an_ordered_workqueue_that_changes_its_pool_twice_and_back_keeps_the_order() {
    let mut world = world(ORDERED, 4, false);
    run_first(&mut world);
    let ops = [
        Op::Attrs(0, cpus(1)),
        Op::Queue(1, 0, 0),
        Op::Attrs(0, cpus(2)),
        Op::Queue(2, 0, 0),
        Op::Queue(0, 0, 0),
        Op::Attrs(0, cpus(1)),
        Op::Queue(3, 0, 0),
        Op::Flush(0),
        Op::FlushWq(0),
    ];
    finish(world, &ops);
}

/// A queueing that was cancelled does not hide what runs on another pool.
#[test]
fn cancel_sync_waits_for_an_execution_on_a_pool_that_the_workqueue_has_left() {
    let mut world = world(ORDERED, 1, false);
    run_first(&mut world);
    let ops = [Op::Attrs(0, cpus(1)), Op::Queue(0, 0, 0), Op::CancelSync(0)];
    finish(world, &ops);
}
