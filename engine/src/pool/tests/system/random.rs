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

/// What a run looks at closely.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Focus {
    Everything,
    /// No worker can be created.
    Rescue,
    Flushes,
    /// Slots that several pwqs share, and effects that are late.
    Slots,
    /// Workers that block unseen.
    Sensing,
    /// Workers that are too many.
    Lives,
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

fn shape(focus: Focus) -> impl Strategy<Value = Shape> {
    let workers = match focus {
        Focus::Lives => 3..=5_usize,
        _ => 1..=2,
    };
    let parts = (machine(), vec(wq(), 1..=3), 1..=8_usize, workers);
    (parts, any::<bool>()).prop_map(move |((machine, wqs, items, workers), late)| {
        let mut shape = Shape {
            machine,
            wqs,
            items,
            workers,
            late,
            starved: focus == Focus::Rescue,
        };
        shape.adapt(focus);
        shape
    })
}

impl Shape {
    /// What is looked at closely becomes likely.
    fn adapt(&mut self, focus: Focus) {
        match focus {
            Focus::Rescue | Focus::Sensing => {
                self.machine.nodes = 1;
                self.machine.caches = 1;
                // A rescuer may be wanted at two pools.
                self.machine.cpus = 1 + usize::from(focus == Focus::Rescue);
                for wq in &mut self.wqs {
                    wq.unbound &= focus == Focus::Rescue;
                    wq.ordered &= wq.unbound;
                    wq.bh = false;
                    wq.highpri = false;
                    wq.mem_reclaim |= focus == Focus::Rescue && wq.max_active > 1;
                }
            }
            Focus::Slots => {
                self.late = true;
                for wq in &mut self.wqs {
                    (wq.unbound, wq.bh) = (true, false);
                }
            }
            _ => {}
        }
    }
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

fn any_op() -> impl Strategy<Value = Op> {
    let pass = prop_oneof![20 => 1..=5_u64, 1 => Just(20_000_000)];
    Union::new_weighted(vec![
        (8, user_op().boxed()),
        (12, worker_op().boxed()),
        (2, (0..4_usize).prop_map(Op::CatchUp).boxed()),
        (3, pass.prop_map(Op::Pass).boxed()),
    ])
}

/// What a run with this focus needs often.
fn focused_op(focus: Focus) -> BoxedStrategy<Op> {
    let n = || 0..16_usize;
    let queue = || (n(), 0..4_usize).prop_map(|(item, cpu)| Op::Queue(item, 0, cpu));
    let step = || n().prop_map(|n| Op::Step(n, 0));
    let returns = || n().prop_map(|n| Op::Return(n, false));
    match focus {
        Focus::Everything => any_op().boxed(),
        Focus::Rescue => prop_oneof![
            4 => queue(),
            4 => step(),
            2 => n().prop_map(|n| Op::Created(n, false)),
            2 => n().prop_map(Op::Timer),
            6 => n().prop_map(Op::Rescuer),
            3 => returns(),
            1 => n().prop_map(Op::Hint),
        ]
        .boxed(),
        Focus::Flushes => prop_oneof![
            2 => queue(),
            6 => n().prop_map(Op::FlushWq),
            1 => step(),
            1 => returns(),
        ]
        .boxed(),
        Focus::Slots => prop_oneof![
            6 => queue(),
            3 => n().prop_map(Op::Cancel),
            2 => n().prop_map(Op::CatchUp),
            2 => step(),
            2 => returns(),
            1 => (n(), 1..=4_usize).prop_map(|(wq, max)| Op::MaxActive(wq, max)),
        ]
        .boxed(),
        Focus::Sensing => prop_oneof![
            4 => queue(),
            4 => step(),
            3 => n().prop_map(Op::Block),
            2 => n().prop_map(Op::NoticeSleep),
            1 => n().prop_map(Op::Unblock),
            2 => returns(),
            5 => (1..=5_u64).prop_map(Op::Pass),
        ]
        .boxed(),
        Focus::Lives => prop_oneof![
            2 => queue(),
            3 => step(),
            2 => returns(),
            3 => n().prop_map(Op::Timer),
            2 => (1..=5_u64).prop_map(Op::Pass),
        ]
        .boxed(),
    }
}

fn run() -> impl Strategy<Value = (Shape, Vec<Op>)> {
    let focus = prop::sample::select(vec![
        Focus::Everything,
        Focus::Everything,
        Focus::Rescue,
        Focus::Flushes,
        Focus::Slots,
        Focus::Sensing,
        Focus::Lives,
    ]);
    focus.prop_flat_map(|focus| {
        let op = prop_oneof![1 => any_op(), 3 => focused_op(focus)];
        (shape(focus), vec(op, 1..=OPS))
    })
}

/// Engines driven; `WQ_SYSTEM_CASES` asks for another number.
const CASES: u32 = 300;
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
    let result = TestRunner::new(config).run(&run(), |(shape, ops)| {
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
