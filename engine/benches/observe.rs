//! What it costs to be observed: tracing off, on, and on with a watcher beside it; and from which rate on a watcher
//! misses events.
//!
//! `cargo bench -p wq-engine --bench observe -- SECTION...` measures; `README.md` beside this file describes the sections.
//! Runs of all modes take turns, ratios are taken round by round, and `off / off` says how far equals are apart.

#[path = "observe/flood.rs"]
mod flood;
#[path = "observe/loss.rs"]
mod loss;
#[path = "observe/mixed.rs"]
mod mixed;
#[path = "observe/modes.rs"]
mod modes;
#[path = "observe/tools.rs"]
mod tools;

use std::process::ExitCode;

/// A section's word, what it measures, and how; the flag is `--quick`.
type Section = (&'static str, &'static str, fn(bool));

const SECTIONS: [Section; 3] = [
    (
        "flood",
        "empty items: process CPU time of each",
        flood::measure,
    ),
    (
        "mixed",
        "workloads/scripts/mixed.toml, cut short: process CPU time",
        mixed::measure,
    ),
    (
        "loss",
        "one thread that emits at a rate, followed by wq-dump",
        loss::measure,
    ),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if !args.iter().any(|arg| arg == "--bench") || args.iter().any(|arg| arg == "--test") {
        println!("benchmarks are run by: cargo bench -p wq-engine --bench observe -- SECTION...");
        return ExitCode::SUCCESS;
    }
    let quick = args.iter().any(|arg| arg == "--quick");
    let asked = args.iter().filter(|arg| !arg.starts_with("--"));
    let asked: Vec<&str> = asked.map(String::as_str).collect();
    let known = |word: &&&str| SECTIONS.iter().any(|section| section.0 == **word);
    if let Some(word) = asked.iter().find(|word| !known(word)) {
        eprintln!("unknown section {word}; sections: flood, mixed, loss; none: all of them");
        return ExitCode::from(2);
    }
    if quick {
        println!("QUICK: few rounds, no figures to keep");
    }
    for (word, what, measure) in SECTIONS {
        if asked.is_empty() || asked.contains(&word) {
            println!("\n{word}: {what}");
            measure(quick);
        }
    }
    ExitCode::SUCCESS
}
