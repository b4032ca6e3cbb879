//! `wq-replay`: workload scripts checked, run on threads and simulated.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    wq_replay::cli::run(&wq_replay::cli::Cli::parse())
}
