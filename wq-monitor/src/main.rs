//! wq-monitor: watches a wq engine on a screen, or prints what it counts.

#![forbid(unsafe_code)]

use clap::Parser;
use std::io::Write;
use std::process::ExitCode;
use wq_monitor::args::Args;
use wq_monitor::run::run;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            // The terminal may be gone, and then nobody is there to be told.
            let _ = writeln!(std::io::stderr(), "wq-monitor: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}
