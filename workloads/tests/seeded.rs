//! The programs of the engine's seeded simulation as scripts: what a failing seed prints is the program that failed.

#[path = "../../engine/tests/seeded/features.rs"]
mod features;
#[path = "../../engine/tests/seeded/generate.rs"]
mod generate;
#[path = "../../engine/tests/seeded/producers.rs"]
mod producers;
#[path = "../../engine/tests/seeded/rng.rs"]
mod rng;
#[path = "../../engine/tests/seeded/script.rs"]
mod script;

use std::path::Path;
use std::sync::atomic::AtomicBool;
use wq_engine::sim::{Program, simulate};
use wq_replay::parse;
use wq_trace::Event;

const SEEDS: u64 = 100;

fn events(program: &Program) -> Vec<Event> {
    let mut events = Vec::new();
    let outcome = simulate(program, &AtomicBool::new(false), &mut |e| events.push(*e));
    outcome.expect("every seed's program can be simulated");
    events
}

#[test]
fn the_script_of_a_seed_is_its_program() {
    for seed in 0..SEEDS {
        let program = generate::program(seed);
        let text = script::text(&program);
        let loaded = parse(&text, Path::new("seed.toml"), None);
        let loaded = loaded.unwrap_or_else(|errors| panic!("seed {seed}: {errors}\n{text}"));
        assert_eq!(script::text(&loaded.program), text, "seed {seed}");
        if seed % 4 == 0 {
            assert_eq!(events(&loaded.program), events(&program), "seed {seed}");
        }
    }
}
