//! The kernel documentation's comparison of affinity scopes, in small: strictness loses while CPUs are idle elsewhere,
//! and costs nothing when there are none.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use wq_engine::sim::{AffinitySpec, End, Program, simulate};
use wq_replay::load;
use wq_trace::Counter;

/// What came of one simulation.
struct Came {
    /// When the last block was done, in nanoseconds.
    finish: u64,
    blocks: u64,
    repatriated: u64,
}

/// The setting of a column: scope, strict.
const SYSTEM: (&str, bool) = ("system", false);
const CACHE: (&str, bool) = ("cache", false);
const STRICT: (&str, bool) = ("cache", true);

fn shipped(name: &str) -> Program {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let script = load(folder.join(format!("{name}.toml")));
    script.unwrap_or_else(|errors| panic!("{errors}")).program
}

fn with(program: &Program, (scope, strict): (&str, bool), seed: u64) -> Program {
    let mut program = program.clone();
    program.seed = seed;
    program.workqueues[0].affinity = Some(AffinitySpec {
        scope: scope.to_owned(),
        strict,
    });
    program
}

fn run(program: &Program, setting: (&str, bool), seed: u64) -> Came {
    let program = with(program, setting, seed);
    let outcome = simulate(&program, &AtomicBool::new(false), &mut |_| {});
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(outcome.end, End::Done);
    let finishes = outcome
        .items
        .iter()
        .filter_map(|item| item.last_finished_ns);
    let pwqs = outcome.snapshot.pwqs.iter();
    Came {
        finish: finishes.max().expect("blocks were encrypted"),
        blocks: outcome.items.iter().map(|item| item.completed).sum(),
        repatriated: pwqs
            .map(|pwq| pwq.counters[Counter::Repatriated as usize])
            .sum(),
    }
}

/// The finish with `setting`, in percent of that with the scope `system`.
fn percent_of_system(program: &Program, setting: (&str, bool), seed: u64) -> u64 {
    run(program, setting, seed).finish * 100 / run(program, SYSTEM, seed).finish
}

#[test]
fn s10_few_jobs_lose_a_lot_by_strictness_and_little_without_it() {
    let few = shipped("affinity-few-strict");
    for seed in 1..=3 {
        let strict = percent_of_system(&few, STRICT, seed);
        assert!(
            (112..140).contains(&strict),
            "strict, seed {seed}: {strict} %"
        );
        let cache = percent_of_system(&few, CACHE, seed);
        assert!((95..111).contains(&cache), "cache, seed {seed}: {cache} %");
        assert!(cache < strict, "seed {seed}: {cache} % and {strict} %");
    }
}

#[test]
fn s10_many_jobs_lose_nothing_by_any_setting() {
    let many = shipped("affinity-many-strict");
    for seed in 1..=3 {
        for setting in [CACHE, STRICT] {
            let percent = percent_of_system(&many, setting, seed);
            assert!(
                (92..109).contains(&percent),
                "{setting:?}, seed {seed}: {percent} %"
            );
        }
    }
}

#[test]
fn s10_only_workers_that_may_leave_their_cache_are_pulled_back() {
    let few = shipped("affinity-few-strict");
    for (setting, strays) in [(SYSTEM, false), (CACHE, true), (STRICT, false)] {
        let came = run(&few, setting, 1);
        assert_eq!(came.blocks, 2880, "{setting:?}");
        assert_eq!(
            came.repatriated > 0,
            strays,
            "{setting:?}: {}",
            came.repatriated
        );
    }
}

#[test]
fn the_scripts_of_the_comparison_differ_in_nothing_but_the_setting() {
    let strict = shipped("affinity-few-strict");
    for (name, setting) in [
        ("affinity-few-system", SYSTEM),
        ("affinity-few-cache", CACHE),
    ] {
        let other = shipped(name);
        let mut expected = with(&strict, setting, strict.seed);
        expected.name.clone_from(&other.name);
        assert_eq!(format!("{other:?}"), format!("{expected:?}"));
    }
    let blocks = |program: &Program| -> u64 {
        let calls = program.producers.iter().filter_map(|p| p.count);
        calls.sum()
    };
    let many = shipped("affinity-many-strict");
    assert_eq!(many.producers.len(), 24);
    assert_eq!(blocks(&many), blocks(&strict));
}
