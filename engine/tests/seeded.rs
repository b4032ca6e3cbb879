//! Seeded simulation: every seed makes a program from a random choice of the engine's parts, simulates it, and holds
//! every event and total against what must be true of every run. `WQ_SEEDS=N` asks for N seeds, `WQ_SEED=S` for one.

#[path = "seeded/facts.rs"]
mod facts;
#[path = "seeded/features.rs"]
mod features;
#[path = "seeded/generate.rs"]
mod generate;
#[path = "seeded/judge.rs"]
mod judge;
#[path = "seeded/limits.rs"]
mod limits;
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
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use wq_engine::sim::{End, Outcome, Program, simulate};
use wq_trace::Event;

/// Seeds tried when nobody says how many.
const SEEDS: u64 = 200;

fn simulated(program: &Program) -> Result<(Outcome, Vec<Event>), String> {
    let mut events = Vec::new();
    let run = || simulate(program, &AtomicBool::new(false), &mut |e| { if std::env::var("DBGE").is_ok() { eprintln!("{} t{} c{} wq{} p{} k{} w{} {:?}", e.at, e.tid, e.cpu, e.wq.0, e.pool.0, e.worker.0, e.work, e.what) } events.push(*e)});
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
    let facts = Facts::new(program, &outcome);
    let mut judge = Judge::new(&facts);
    for event in &events {
        judge.see(event);
        if std::env::var("DBG").is_ok() { eprintln!("{} t{} c{} wq{} p{} k{} w{} {:?}{}", event.at, event.tid, event.cpu, event.wq.0, event.pool.0, event.worker.0, event.work, event.what, if judge.faults.is_empty() {""} else {"  <<<<"}); if !judge.faults.is_empty() { break; } }
    }
    judge.hold(outcome.end == End::Done, || format!("{:?}", outcome.end));
    if outcome.end == End::Done {
        judge.end();
        judge.totals(&outcome);
    }
    let mut faults = judge.faults;
    if seed % 8 == 0 && simulated(program).map(|run| run.1) != Ok(events) {
        faults.push("a second simulation goes another way".to_owned());
    }
    faults
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The seed, its program as a script for `wq-replay simulate`, and the first things wrong.
fn report(seed: u64, faults: &[String]) -> String {
    let script = script::text(&generate::program(seed));
    let faults: Vec<_> = faults.iter().take(5).map(String::as_str).collect();
    format!("# seed {seed}\n{script}\n# {}\n", faults.join("\n# "))
}

#[test]
fn whatever_a_seed_does_the_guarantees_hold() {
    let one = number("WQ_SEED");
    let first = one.unwrap_or(0);
    let last = one.map_or_else(|| number("WQ_SEEDS").unwrap_or(SEEDS), |seed| seed + 1);
    let mut wrong = Vec::new();
    for seed in first..last {
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
            last - first,
            report(*seed, faults)
        );
    }
}
