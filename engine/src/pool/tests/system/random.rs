//! Random engines: random things happen for a while, with time between them.

use super::model::{Attrs, Machine, Scope, WqSpec};
use super::world::{Op, Shape, World};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeSet;

fn machine() -> impl Strategy<Value = Machine> {
    let machines = [
        (1, 1, 1),
        (1, 1, 2),
        (1, 2, 1),
        (2, 1, 1),
        (2, 1, 2),
        (2, 2, 1),
    ];
    prop::sample::select(machines.to_vec()).prop_map(|(nodes, caches, cpus)| Machine {
        nodes,
        caches,
        cpus,
    })
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Bound,
    Bh,
    Unbound,
    Ordered,
}

fn wq() -> impl Strategy<Value = WqSpec> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let kind = prop_oneof![
        4 => Just(Kind::Bound),
        1 => Just(Kind::Bh),
        4 => Just(Kind::Unbound),
        2 => Just(Kind::Ordered),
    ];
    (kind, flags, 1..=4_usize).prop_map(
        |(kind, (highpri, intensive, freezable, reclaim), max_active)| {
            let bh = matches!(kind, Kind::Bh);
            WqSpec {
                bh,
                unbound: matches!(kind, Kind::Unbound | Kind::Ordered),
                ordered: matches!(kind, Kind::Ordered),
                highpri,
                cpu_intensive: intensive && !bh,
                freezable: freezable && !bh,
                mem_reclaim: reclaim && !bh,
                max_active,
            }
        },
    )
}

fn shape() -> impl Strategy<Value = Shape> {
    let parts = (machine(), vec(wq(), 1..=3), 1..=8_usize, 1..=2_usize);
    (parts, any::<bool>()).prop_map(|((machine, wqs, items, workers), late)| Shape {
        machine,
        wqs,
        items,
        workers,
        late,
    })
}

fn attrs() -> impl Strategy<Value = Attrs> {
    let scopes = vec![Scope::System, Scope::Numa, Scope::Cache, Scope::Cpu];
    let nice = prop_oneof![3 => Just(0), 1 => Just(5)];
    (nice, any::<bool>(), 0..32_u64, prop::sample::select(scopes)).prop_map(
        |(nice, strict, mask, scope)| Attrs {
            nice,
            strict,
            mask,
            scope,
        },
    )
}

/// What happens to items and workqueues.
fn user_op() -> impl Strategy<Value = Op> {
    let n = || 0..8_usize;
    let other = || prop_oneof![8 => Just(0), 1 => 1..3_usize];
    prop_oneof![
        24 => (n(), other(), 0..4_usize).prop_map(|(item, other, cpu)| Op::Queue(item, other, cpu)),
        8 => (n(), other(), 0..4_usize, n()).prop_map(|(item, other, cpu, by)| Op::QueueBy(item, other, cpu, by)),
        3 => n().prop_map(Op::Cancel),
        1 => n().prop_map(Op::Disable),
        3 => n().prop_map(Op::Enable),
        1 => n().prop_map(Op::CancelSync),
        2 => n().prop_map(Op::CancelSyncEnd),
        2 => n().prop_map(Op::Flush),
        3 => n().prop_map(Op::FlushWq),
        1 => n().prop_map(Op::Drain),
        2 => n().prop_map(Op::DrainOn),
        2 => (n(), 1..=5_usize).prop_map(|(wq, max)| Op::MaxActive(wq, max)),
        1 => (n(), 0..=5_usize).prop_map(|(wq, min)| Op::MinActive(wq, min)),
        2 => proptest::bool::weighted(0.4).prop_map(Op::Freeze),
        1 => (n(), any::<bool>()).prop_map(|(cpu, online)| Op::Online(cpu, online)),
        3 => (n(), attrs()).prop_map(|(wq, attrs)| Op::Attrs(wq, attrs)),
    ]
}

/// What happens to workers.
fn worker_op() -> impl Strategy<Value = Op> {
    let n = || 0..16_usize;
    prop_oneof![
        8 => (n(), 0..4_usize).prop_map(|(n, cpu)| Op::Step(n, cpu)),
        2 => (n(), proptest::bool::weighted(0.5)).prop_map(|(n, works)| Op::Created(n, works)),
        1 => n().prop_map(Op::Hint),
        2 => n().prop_map(Op::Block),
        2 => n().prop_map(Op::NoticeSleep),
        2 => n().prop_map(Op::Unblock),
        1 => n().prop_map(Op::NoticeRun),
        1 => n().prop_map(Op::Hog),
        4 => n().prop_map(Op::Timer),
        4 => n().prop_map(Op::Rescuer),
        6 => (n(), proptest::bool::weighted(0.1)).prop_map(|(n, panics)| Op::Return(n, panics)),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    Union::new_weighted(vec![
        (8, user_op().boxed()),
        (12, worker_op().boxed()),
        (2, (0..4_usize).prop_map(Op::CatchUp).boxed()),
        (
            3,
            prop_oneof![20 => 1..=5_u64, 1 => Just(20_000_000)]
                .prop_map(Op::Pass)
                .boxed(),
        ),
    ])
}

/// Engines driven; `WQ_SYSTEM_CASES` asks for another number.
const CASES: u32 = 200;
/// Most things that happen to one.
const OPS: usize = 200;

/// Whatever can be said, every kind of step, and all answers to a queueing: a run meets them all.
const ALL: [&str; 20] = [
    "Wake",
    "PullBack",
    "CreateWorker",
    "Hog",
    "BhSlept",
    "Mayday",
    "Complete",
    "Flushed",
    "Activate",
    "Released",
    "Park",
    "Create",
    "Cooldown",
    "Run",
    "Die",
    "Yield",
    "Queued",
    "Pending",
    "Disabled",
    "Dropped",
];

#[test]
fn random_engines_do_what_the_model_does() {
    let cases = std::env::var("WQ_SYSTEM_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(CASES);
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(0x9002),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let met = RefCell::new(BTreeSet::new());
    let result = TestRunner::new(config).run(&(shape(), vec(op(), 1..=OPS)), |(shape, ops)| {
        let mut world = World::new(&shape);
        ops.into_iter().for_each(|op| world.apply(op));
        world.settle();
        world.compare_totals();
        met.borrow_mut().append(&mut world.met);
        Ok(())
    });
    match result {
        Ok(()) => {
            let missing: Vec<&str> = ALL
                .into_iter()
                .filter(|kind| !met.borrow().contains(*kind))
                .collect();
            assert!(
                missing.is_empty() || cases < CASES,
                "never met: {missing:?}"
            );
        }
        Err(TestError::Fail(reason, (shape, ops))) => {
            let lines: Vec<String> = ops.iter().map(|op| format!("    {op:?}\n")).collect();
            panic!("{reason}\n{shape:?}\n{}", lines.concat());
        }
        Err(error) => panic!("{error}"),
    }
}
