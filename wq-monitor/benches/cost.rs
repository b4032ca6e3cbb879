//! What the monitor costs: itself, and the engine that it watches.
//!
//! `cargo bench -p wq-monitor --bench cost -- SECTION...` measures the binary of the same build on a terminal of its own;
//! `README.md` beside this file says what came out. CPU time is what counts: it repeats on machines that others use too.

#[path = "cost/engine.rs"]
mod engine;
#[path = "cost/rates.rs"]
mod rates;
#[path = "cost/step.rs"]
mod step;
#[path = "cost/watcher.rs"]
mod watcher;

use std::process::ExitCode;

/// A section's word, what it measures, and how; the flag is `--quick`.
type Section = (&'static str, &'static str, fn(bool));

const SECTIONS: [Section; 3] = [
    (
        "rates",
        "the monitor's CPU time and memory, and what it misses, by events a second",
        rates::measure,
    ),
    (
        "engine",
        "empty items: CPU time of the engine's process, watched and not",
        engine::measure,
    ),
    (
        "step",
        "a step back in time, with ten minutes of an engine that has 64 workqueues",
        step::measure,
    ),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if !args.iter().any(|arg| arg == "--bench") || args.iter().any(|arg| arg == "--test") {
        println!("benchmarks are run by: cargo bench -p wq-monitor --bench cost -- SECTION...");
        return ExitCode::SUCCESS;
    }
    let quick = args.iter().any(|arg| arg == "--quick");
    let asked: Vec<&String> = args.iter().filter(|arg| !arg.starts_with("--")).collect();
    let known = |word: &&&String| SECTIONS.iter().any(|section| section.0 == **word);
    if let Some(word) = asked.iter().find(|word| !known(word)) {
        eprintln!("unknown section {word}; sections: rates, engine, step; none: all of them");
        return ExitCode::from(2);
    }
    if quick {
        println!("QUICK: few rounds, no figures to keep");
    }
    for (word, what, measure) in SECTIONS {
        if asked.is_empty() || asked.iter().any(|asked| *asked == word) {
            println!("\n{word}: {what}");
            measure(quick);
        }
    }
    ExitCode::SUCCESS
}

/// Prints the median, the smallest and the largest.
fn row(what: &str, unit: &str, values: &[f64]) {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let Some(high) = values.last() else {
        return;
    };
    let median = values[values.len() / 2];
    println!(
        "  {what:<44}{median:>10.3} {unit:<4}{:>10.3} .. {high:>10.3}",
        values[0]
    );
}
