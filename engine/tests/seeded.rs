//! Seeded simulation: every seed makes a program from a random choice of the engine's parts, simulates it, and holds
//! every event and total against what must be true of every run. `WQ_SEEDS=N` asks for N seeds, `WQ_SEEDS=M..N` for those
//! from M on, `WQ_SEED=S` for one. A seed that fails is told with its program as a workload script, which
//! `wq-replay simulate --events` shows step by step.

#[path = "seeded/facts.rs"]
mod facts;
#[path = "seeded/features.rs"]
mod features;
#[path = "seeded/generate.rs"]
mod generate;
#[path = "seeded/items.rs"]
mod items;
#[path = "seeded/judge.rs"]
mod judge;
#[path = "seeded/limits.rs"]
mod limits;
#[path = "seeded/producers.rs"]
mod producers;
#[path = "seeded/rng.rs"]
mod rng;
#[path = "seeded/script.rs"]
mod script;
#[path = "seeded/totals.rs"]
mod totals;
#[path = "seeded/waiting.rs"]
mod waiting;
#[path = "seeded/workers.rs"]
mod workers;

use facts::Facts;
use judge::Judge;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use wq_engine::sim::{End, Outcome, Program, simulate};
use wq_trace::Event;

/// Seeds tried when nobody says how many.
const SEEDS: u64 = 400;
/// A program that is not over by then does not come to its end.
const MOST_EVENTS: usize = 50_000;

fn simulated(program: &Program) -> Result<(Outcome, Vec<Event>), String> {
    let mut events = Vec::new();
    let too_much = AtomicBool::new(false);
    let mut observer = |event: &Event| {
        events.push(*event);
        too_much.store(events.len() > MOST_EVENTS, Ordering::Relaxed);
    };
    let run = || simulate(program, &too_much, &mut observer);
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(outcome)) => Ok((outcome, events)),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            Err(format!("panicked: {}", text.unwrap_or_default()))
        }
    }
}

/// What is wrong with this program's run.
fn faults(seed: u64, program: &Program) -> Vec<String> {
    let (outcome, events) = match simulated(program) {
        Ok(run) => run,
        Err(problem) => return vec![problem],
    };
    if outcome.end == End::Interrupted {
        return vec![format!("not over after {MOST_EVENTS} events")];
    }
    let facts = Facts::new(program, &outcome);
    let mut judge = Judge::new(&facts);
    events.iter().for_each(|event| judge.see(event));
    judge.hold(outcome.end == End::Done, || format!("{:?}", outcome.end));
    if outcome.end == End::Done {
        judge.end();
        judge.totals(&outcome);
    }
    let mut faults = judge.faults;
    if seed.is_multiple_of(8) && simulated(program).map(|run| run.1) != Ok(events) {
        faults.push("a second simulation goes another way".to_owned());
    }
    faults
}

/// The seeds asked for.
fn seeds() -> Range<u64> {
    let set = |name: &str| std::env::var(name).ok();
    let number = |text: &str| text.parse().expect("WQ_SEEDS and WQ_SEED take numbers");
    match (set("WQ_SEED"), set("WQ_SEEDS")) {
        (Some(one), _) => number(&one)..number(&one) + 1,
        (None, Some(all)) => match all.split_once("..") {
            Some((first, end)) => number(first)..number(end),
            None => 0..number(&all),
        },
        (None, None) => 0..SEEDS,
    }
}

/// The seed, its program as a script for `wq-replay simulate`, and the first things wrong.
fn report(seed: u64, faults: &[String]) -> String {
    let script = script::text(&generate::program(seed));
    let faults: Vec<_> = faults.iter().take(5).map(String::as_str).collect();
    format!("# seed {seed}\n{script}\n# {}\n", faults.join("\n# "))
}

#[test]
fn whatever_a_seed_does_the_guarantees_hold() {
    let all = seeds();
    let mut wrong = Vec::new();
    for seed in all.clone() {
        let faults = faults(seed, &generate::program(seed));
        if !faults.is_empty() {
            wrong.push((seed, faults));
        }
    }
    let seeds: Vec<_> = wrong
        .iter()
        .map(|(seed, faults)| (seed, &faults[0]))
        .collect();
    if let Some((seed, faults)) = wrong.first() {
        panic!(
            "{} of {} seeds\n{}\nall: {seeds:#?}",
            wrong.len(),
            all.end - all.start,
            report(*seed, faults)
        );
    }
}
