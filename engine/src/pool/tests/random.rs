//! Larger pools: random things happen for a while, with time between them.

use super::model::WqSpec;
use super::rig::{Op, Rig, Shape};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use wq_trace::{Segment, SegmentConfig};

fn shape() -> impl Strategy<Value = Shape> {
    let wq = (1..=3_usize, any::<bool>(), proptest::bool::weighted(0.3));
    let wq = wq.prop_map(|(max_active, ordered, cpu_intensive)| WqSpec {
        max_active: if ordered { 1 } else { max_active },
        ordered,
        cpu_intensive,
    });
    (vec(wq, 1..=3), proptest::bool::weighted(0.8), 1..=3_usize).prop_flat_map(
        |(wqs, managed, workers)| {
            let items = vec(0..wqs.len(), 1..=8);
            items.prop_map(move |items| Shape {
                managed,
                wqs: wqs.clone(),
                items,
                workers,
            })
        },
    )
}

fn op() -> impl Strategy<Value = Op> {
    let n = 0..8_usize;
    prop_oneof![
        6 => n.clone().prop_map(Op::Queue),
        1 => n.clone().prop_map(Op::Cancel),
        1 => n.clone().prop_map(Op::WaitFor),
        1 => n.clone().prop_map(Op::Flush),
        8 => n.clone().prop_map(Op::Step),
        2 => proptest::bool::weighted(0.8).prop_map(Op::Created),
        2 => n.clone().prop_map(Op::Hint),
        4 => n.clone().prop_map(Op::Block),
        4 => n.clone().prop_map(Op::NoticeSleep),
        4 => n.clone().prop_map(Op::Unblock),
        2 => n.clone().prop_map(Op::NoticeRun),
        4 => n.clone().prop_map(Op::Return),
        1 => n.prop_map(Op::Hog),
        8 => (1..=5_u64).prop_map(Op::Pass),
    ]
}

/// Pools driven; `WQ_POOL_CASES` asks for another number.
const CASES: u32 = 256;

#[test]
fn random_pools_do_what_the_model_does() {
    let cases = std::env::var("WQ_POOL_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    let config = Config {
        cases: cases.unwrap_or(CASES),
        rng_seed: RngSeed::Fixed(0x9001),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&(shape(), vec(op(), 1..=200)), |(shape, ops)| {
        let segment = Segment::in_memory(&SegmentConfig::default(), 0);
        let mut rig = Rig::new(&shape, &segment);
        ops.into_iter().for_each(|op| rig.apply(op));
        rig.settle();
        rig.compare_totals();
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
