//! The search against brute force: all orders in which things can complete.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashSet;

/// A small system: limits; nodes as (group, kind, partner, wait targets).
#[derive(Clone, Debug)]
struct Recipe {
    limits: Vec<usize>,
    nodes: Vec<(usize, u8, usize, Vec<usize>)>,
}

fn recipe() -> impl Strategy<Value = Recipe> {
    let node = (0..3_usize, 0..6_u8, 0..9_usize, vec(0..9_usize, 0..3));
    (vec(1..=3_usize, 1..=3), vec(node, 1..=9)).prop_map(|(limits, nodes)| Recipe { limits, nodes })
}

/// As a pool could show it: no more holders than slots, held items only behind a full limit, at most one queued item
/// of each executing work.
fn graph(recipe: &Recipe) -> Graph {
    let mut graph = Graph {
        groups: recipe
            .limits
            .iter()
            .map(|&limit| Group {
                limit,
                held: vec![Vec::new()],
            })
            .collect(),
        ..Graph::default()
    };
    let mut holders = vec![0; graph.groups.len()];
    let mut again = HashSet::new();
    for (group, kind, partner, targets) in &recipe.nodes {
        let (ix, group) = (graph.nodes.len(), group % graph.groups.len());
        let full = holders[group] >= graph.groups[group].limit;
        let runs = |ix: usize| matches!(graph.nodes[ix].state, State::Runs(_));
        let behind = (ix > 0).then(|| partner % ix).filter(|&ix| runs(ix));
        let behind = behind.filter(|&ix| *kind % 2 == 1 && again.insert(ix));
        let state = match kind {
            _ if full => State::Held(behind),
            0..=3 => {
                graph.waits.push(targets.clone());
                State::Runs((*kind > 0).then(|| graph.waits.len() - 1))
            }
            _ => State::Active(behind),
        };
        if full {
            graph.groups[group].held[0].push(ix);
        } else {
            holders[group] += 1;
        }
        graph.nodes.push(Node { state, group });
    }
    let count = graph.nodes.len();
    for target in graph.waits.iter_mut().flatten() {
        *target %= count;
    }
    graph
}

/// What has completed, and what is active or was, a bit for each node.
type Moment = (u32, u32);

/// Everything that completes in some order: each order is tried to its end.
fn completes(graph: &Graph) -> u32 {
    let is_held = |ix: &NodeIx| matches!(graph.nodes[*ix].state, State::Held(_));
    let active = (0..graph.nodes.len()).filter(|ix| !is_held(ix));
    let mut to_see: Vec<Moment> = vec![(0, active.fold(0, |bits, ix| bits | 1 << ix))];
    let (mut seen, mut ever) = (HashSet::new(), 0);
    while let Some(moment) = to_see.pop() {
        let (done, active) = fill(graph, moment);
        if !seen.insert((done, active)) {
            continue;
        }
        ever |= done;
        let has = |bits: u32, ix: NodeIx| bits >> ix & 1 == 1;
        for (ix, node) in graph.nodes.iter().enumerate() {
            let can = match node.state {
                State::Runs(None) => true,
                State::Runs(Some(wait)) => graph.waits[wait].iter().all(|&ix| has(done, ix)),
                State::Active(behind) | State::Held(behind) => {
                    has(active, ix) && behind.is_none_or(|ix| has(done, ix))
                }
            };
            if can && !has(done, ix) {
                to_see.push((done | 1 << ix, active));
            }
        }
    }
    ever
}

/// Free slots are given to the held, in their order.
fn fill(graph: &Graph, (done, mut active): Moment) -> Moment {
    for (at, group) in graph.groups.iter().enumerate() {
        let ours = |ix: &NodeIx| graph.nodes[*ix].group == at;
        for &ix in &group.held[0] {
            let busy = active & !done;
            let taken = (0..graph.nodes.len()).filter(ours);
            let taken = taken.filter(|ix| busy >> ix & 1 == 1).count();
            if taken < group.limit {
                active |= 1 << ix;
            }
        }
    }
    (done, active)
}

fn without_wait(graph: &Graph, start: NodeIx) -> Graph {
    let mut freed = graph.clone();
    freed.nodes[start].state = State::Runs(None);
    freed
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(0xdead),
        ..ProptestConfig::default()
    })]

    #[test]
    fn stuck_is_what_completes_in_no_order(recipe in recipe()) {
        let graph = graph(&recipe);
        let ever = completes(&graph);
        let never: Vec<bool> = (0..graph.nodes.len()).map(|ix| ever >> ix & 1 == 0).collect();
        prop_assert_eq!(graph.stuck(), never, "{:?}", graph);
    }

    /// A wait closes a cycle if what it waits for would go on without it, and then the cycle is found.
    #[test]
    fn the_wait_that_closes_a_cycle_is_on_it(recipe in recipe()) {
        let graph = graph(&recipe);
        let stuck = graph.stuck();
        for start in (0..graph.nodes.len()).filter(|&ix| stuck[ix]) {
            let cycle = graph.cycle(start, &stuck);
            if let Some(cycle) = &cycle {
                prop_assert_eq!(cycle[0].0, start);
                prop_assert!(cycle.iter().all(|(ix, _)| stuck[*ix]), "{:?} {:?}", cycle, graph);
            }
            let State::Runs(Some(wait)) = graph.nodes[start].state else { continue };
            let before = without_wait(&graph, start).stuck();
            if graph.waits[wait].iter().all(|&ix| !before[ix]) {
                prop_assert!(cycle.is_some(), "{start} {:?}", graph);
            }
        }
    }
}

/// Two groups: an execution that waits for `target`, with one slot each.
fn two(first: NodeIx, second: NodeIx) -> Graph {
    let runs = |wait, group| Node {
        state: State::Runs(Some(wait)),
        group,
    };
    let group = Group {
        limit: 1,
        held: vec![Vec::new()],
    };
    Graph {
        nodes: vec![runs(0, 0), runs(1, 1)],
        groups: vec![group.clone(), group],
        waits: vec![vec![first], vec![second]],
    }
}

#[test]
fn the_cycle_leads_back_to_where_it_began() {
    let graph = two(1, 0);
    let stuck = graph.stuck();
    assert_eq!(
        graph.cycle(1, &stuck),
        Some(vec![(1, Why::Waits(1)), (0, Why::Waits(0))])
    );
    // One that waits for itself, and one that waits for that: only the first is on a cycle.
    let graph = two(0, 0);
    let stuck = graph.stuck();
    assert_eq!(stuck, [true, true]);
    assert_eq!(graph.cycle(0, &stuck), Some(vec![(0, Why::Waits(0))]));
    assert_eq!(graph.cycle(1, &stuck), None);
}

#[test]
fn a_held_item_waits_for_the_slots_that_stuck_ones_keep() {
    let mut graph = two(2, 2);
    graph.nodes.push(Node {
        state: State::Held(None),
        group: 0,
    });
    graph.groups[0].held[0].push(2);
    let stuck = graph.stuck();
    let cycle = graph.cycle(0, &stuck).expect("a cycle");
    assert_eq!(cycle, [(0, Why::Waits(0)), (2, Why::Slot)]);
    let names = |ix: NodeIx| ["q:a", "q:b", "q:c"][ix].to_owned();
    assert_eq!(
        tell(&cycle, names, |_| (Deed::Flush, "q")),
        "q:a flushes q:c, which waits for the slot of q:a"
    );
    // With one more slot everything goes on.
    graph.groups[0].limit = 2;
    assert_eq!(graph.stuck(), [false, false, false]);
}

#[test]
fn what_a_cycle_is_told_like() {
    let names = |ix: NodeIx| ["q:a", "q:a", "r:b"][ix].to_owned();
    let cycle = [(0, Why::Waits(7)), (2, Why::Waits(8)), (1, Why::Behind)];
    let deed = |wait| match wait {
        7 => (Deed::FlushWorkqueue, "r"),
        _ => (Deed::CancelSync, "q"),
    };
    assert_eq!(
        tell(&cycle, names, deed),
        "q:a flushes workqueue r with r:b, which waits for the end of q:a, which waits for its own execution q:a"
    );
}
