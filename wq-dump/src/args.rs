//! The command line.

use crate::duration;
use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;
use std::time::Duration;

/// Prints the state, counters and events of a wq engine, from outside, while it runs, after it ended or crashed.
///
/// Without a command the configuration is printed. Without --pid, --engine and --file the only live engine is taken.
/// Exit status: 0 fine, 2 wrong usage or input, 3 the process named by --pid is gone or may not be looked at.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags of every command.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// Process that holds the engine.
    #[arg(long, global = true, value_name = "PID", conflicts_with = "file")]
    pub pid: Option<u32>,
    /// Name of the engine, where there are several.
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "file")]
    pub engine: Option<String>,
    /// Segment file of an engine, live or not, or a recording.
    #[arg(long, global = true, value_name = "PATH")]
    pub file: Option<PathBuf>,
    /// Print JSON.
    #[arg(short, long, global = true)]
    pub json: bool,
    /// When to use colour; NO_COLOR is heeded too.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Write what the tool itself has to say to this file (RUST_LOG chooses how much).
    #[arg(long, global = true, value_name = "FILE")]
    pub log: Option<PathBuf>,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to print.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// What the engine was told to do: affinity scopes, pools, who serves which workqueue, rescuers, node limits,
    /// sensing. Done when no command is given.
    Config,
    /// The engines that there are, live or not.
    List,
    /// Busy workqueues and worker pools, as sysrq-t prints them, and timers.
    State,
    /// Counters, latencies and the parts of the wait, once.
    #[command(after_long_help = crate::stats::help())]
    Stats,
    /// The events that are in the rings now, as ftrace text.
    Events,
    /// Records events and states to a file, until the engine ends or this is interrupted; --file reads it everywhere.
    Record(Record),
    /// Removes the segment files of engines that ended or crashed.
    Gc,
    /// Prints a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// What to record to, and for how long.
#[derive(Debug, Default, clap::Args)]
pub struct Record {
    /// The file: new or empty [default: wq-NAME-PID.wqrec].
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// For how long, as 5s, 500ms or 1.5m.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration::parse)]
    pub duration: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn flags_stand_before_or_after_the_command() {
        for line in [
            ["wq-dump", "-j", "--pid", "7", "stats"],
            ["wq-dump", "stats", "--pid", "7", "-j"],
        ] {
            let args = Args::try_parse_from(line).expect("a good line");
            assert!(args.common.json && args.common.pid == Some(7));
        }
    }

    #[test]
    fn no_command_means_config() {
        for line in [&["wq-dump"][..], &["wq-dump", "-j", "--engine", "x"]] {
            let args = Args::try_parse_from(line).expect("a good line");
            assert!(args.command.is_none());
        }
    }

    #[test]
    fn a_file_is_not_also_a_process() {
        let line = ["wq-dump", "stats", "--file", "x", "--pid", "7"];
        assert!(Args::try_parse_from(line).is_err());
    }
}
