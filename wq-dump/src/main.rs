//! wq-dump: prints the state, counters and events of a running, ended or killed engine.
#![forbid(unsafe_code)]

mod args;
mod config;
mod events;
mod export;
mod failure;
#[cfg(test)]
mod fixture;
mod interrupt;
mod json;
mod list;
mod log;
mod output;
mod record;
#[cfg(test)]
mod schemas;
mod state;
mod stats;
mod style;
mod table;
mod target;
mod warnings;

use args::{Args, Command};
use clap::{CommandFactory, Parser};
use failure::Failure;
use output::Output;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    match log::start(args.common.log.as_deref()).and_then(|()| run(&args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure @ (Failure::BrokenPipe | Failure::Interrupted)) => failure.exit_code(),
        Err(failure) => {
            eprintln!("wq-dump: {}", presentable(&failure.to_string()));
            failure.exit_code()
        }
    }
}

/// A message without anything that a terminal would act on: it may quote a file's name or contents.
fn presentable(message: &str) -> String {
    let lines = message
        .lines()
        .map(|line| wq_trace::clean_text(line, 4_096));
    lines.collect::<Vec<_>>().join("\n")
}

fn run(args: &Args) -> Result<(), Failure> {
    let mut output = Output::stdout(args.common.color);
    match args.command.as_ref().unwrap_or(&Command::Config) {
        Command::Config => config::run(&args.common, &mut output),
        Command::List => list::run(&args.common, &mut output),
        Command::State => state::run(&args.common, &mut output),
        Command::Stats => stats::run(&args.common, &mut output),
        Command::Warnings(flags) => warnings::run(&args.common, flags, &mut output),
        Command::Events(which) => events::run(&args.common, which, &mut output),
        Command::Export(flags) => export::run(&args.common, flags),
        Command::Record(flags) => record::run(&args.common, flags, &mut output),
        Command::Gc => list::gc(args.common.json, &mut output),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "wq-dump", &mut script);
            output.bytes(&script)
        }
    }?;
    output.finish()
}
