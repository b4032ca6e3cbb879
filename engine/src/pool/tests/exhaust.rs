//! Small pools: everything that can happen, in every order, up to a depth.

use super::model::WqSpec;
use super::rig::{Op, Rig, Shape, segment};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Steps in a row.
const DEPTH: usize = 7;

fn explore(shape: &Shape, path: &mut Vec<Op>, paths: &mut u64) {
    let walk = || {
        let mut rig = Rig::new(shape, segment());
        path.iter().for_each(|&op| rig.apply(op));
        let possible = rig.possible();
        if path.len() == DEPTH {
            rig.settle();
            let left = rig.model.items.iter().any(|item| item.queued.is_some());
            assert!(!left, "an item waits for ever");
        }
        possible
    };
    let Ok(possible) = catch_unwind(AssertUnwindSafe(walk)) else {
        panic!("on {shape:?} after {path:?}");
    };
    if path.len() == DEPTH {
        *paths += 1;
        return;
    }
    for op in possible {
        path.push(op);
        explore(shape, path, paths);
        path.pop();
    }
}

fn exhaust(managed: bool, max_active: usize, cpu_intensive: bool) {
    let wq = WqSpec {
        max_active,
        ordered: false,
        cpu_intensive,
    };
    let shape = Shape {
        managed,
        wqs: vec![wq],
        items: vec![0, 0],
        workers: 1,
    };
    let mut paths = 0;
    explore(&shape, &mut Vec::new(), &mut paths);
    assert!(paths > 1000, "{paths} paths");
}

#[test]
fn a_bound_pool_with_one_active_item() {
    exhaust(true, 1, false);
}

#[test]
fn a_bound_pool() {
    exhaust(true, 2, false);
}

#[test]
fn a_bound_pool_with_cpu_intensive_items() {
    exhaust(true, 2, true);
}

#[test]
fn an_unbound_pool() {
    exhaust(false, 2, false);
}
