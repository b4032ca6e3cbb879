//! What sensing does: how soon a blocked worker is replaced, how often one is by mistake, and what it costs.
//!
//! `cargo bench -p wq-engine --bench sensing -- SECTION...` measures; `README.md` beside this file describes the sections.
//! Ratios are taken pair by pair between runs that take turns in one process, and beside each stands what pairs of
//! equals give. Nothing is discarded.

#[path = "sensing/blocked.rs"]
mod blocked;
#[path = "sensing/burst.rs"]
mod burst;
#[path = "sensing/false_starts.rs"]
mod false_starts;
#[path = "sensing/floor.rs"]
mod floor;
#[path = "sensing/hogs.rs"]
mod hogs;
#[path = "sensing/idle.rs"]
mod idle;
#[path = "sensing/mixed.rs"]
mod mixed;
#[path = "sensing/nobody.rs"]
mod nobody;
#[path = "sensing/options.rs"]
mod options;
#[path = "sensing/paced.rs"]
mod paced;
#[path = "sensing/paced_mix.rs"]
mod paced_mix;
#[path = "sensing/proc.rs"]
mod proc;
#[path = "sensing/react.rs"]
mod react;
#[path = "sensing/rig.rs"]
mod rig;
#[path = "sensing/table.rs"]
mod table;
#[path = "sensing/timelines.rs"]
mod timelines;

use options::{Asked, Options};
use std::process::ExitCode;

/// A section's word, what it measures, and how.
type Section = (&'static str, &'static str, fn(&Options));

const SECTIONS: [Section; 8] = [
    (
        "react",
        "block to the start of the next item, same CPU",
        react::measure,
    ),
    (
        "false",
        "items that never block: wake-ups by mistake, and throughput",
        false_starts::measure,
    ),
    (
        "paced",
        "10,000 items of 20 us a second: CPU time",
        paced::measure,
    ),
    (
        "burst",
        "items that sleep among items that compute, queued at once",
        burst::measure,
    ),
    (
        "f2",
        "the same paced over 2 s, beside the blocking crate",
        paced_mix::measure,
    ),
    (
        "idle",
        "context switches of an engine that has nothing to do",
        idle::measure,
    ),
    (
        "blocked",
        "1,024 workers blocked at once: CPU time of sensing",
        blocked::measure,
    ),
    (
        "timelines",
        "the kernel documentation's timelines with real sleeps",
        timelines::measure,
    ),
];

fn main() -> ExitCode {
    let asked = options::parse(std::env::args().skip(1), &SECTIONS.map(|section| section.0));
    let options = match asked {
        Ok(Asked::Measure(options)) => options,
        Ok(Asked::Spin { cpu }) => {
            hogs::spin_for_parent(cpu);
            return ExitCode::SUCCESS;
        }
        Ok(Asked::Test) => {
            println!(
                "benchmarks are run by: cargo bench -p wq-engine --bench sensing -- SECTION..."
            );
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    if options.sections.is_empty() {
        usage();
        return ExitCode::SUCCESS;
    }
    if options.as_nobody {
        return nobody::again();
    }
    table::header(&options);
    for (word, what, measure) in SECTIONS {
        if options.sections.iter().any(|section| section == word) {
            println!("\n{word}: {what}");
            let others = proc::Others::begin();
            measure(&options);
            others.tell();
        }
    }
    ExitCode::SUCCESS
}

fn usage() {
    println!("usage: cargo bench -p wq-engine --bench sensing -- SECTION... [OPTION...]\n");
    for (word, what, _) in SECTIONS {
        println!("  {word:<12}{what}");
    }
    println!("  {:<12}all of them\n\n{}", options::ALL, options::HELP);
}
