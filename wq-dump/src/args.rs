//! The command line.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use regex::Regex;
use std::path::PathBuf;
use std::time::Duration;
use wq_trace::text;
use wq_trace::units::parse_duration;

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
    /// What is wrong with the engine, after a look of two seconds: the warnings of wq-monitor.
    Warnings(Warnings),
    /// The events that are in the rings now, as ftrace text.
    Events(Events),
    /// The events as a file for other tools: ftrace text, or a Perfetto trace.
    Export(crate::export::Flags),
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
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    pub duration: Option<Duration>,
}

/// For how long to look, and from where on to warn.
#[derive(Debug, clap::Args)]
pub struct Warnings {
    /// How long an engine that runs is looked at, as 2s or 500ms; many warnings need a second look.
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration, default_value = "2s")]
    pub duration: Duration,
    /// Change a warning: off, on or its threshold, as stalled-pool=5s; NAME may be `all`. May be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    pub warn: Vec<String>,
}

/// Which events, and for how long.
#[derive(Debug, Default, clap::Args)]
pub struct Events {
    /// Go on with what is emitted from now on, until interrupted or the engine ends.
    #[arg(long)]
    pub follow: bool,
    /// Only the events of the last so much time, as 5s, 500ms or 1.5m; with --follow, where to begin.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub since: Option<Duration>,
    /// Only these events, with or without `workqueue_` in front; several with commas or by repeating the flag.
    #[arg(short, long = "event", value_name = "EVENT", value_delimiter = ',', value_parser = event_names(),
          hide_possible_values = true)]
    pub events: Vec<String>,
    /// Only the events of workqueues whose name this regular expression matches somewhere.
    #[arg(short, long, value_name = "REGEX")]
    pub workqueue: Option<Regex>,
}

/// The names of the events: the short ones are suggested and completed, both are taken; full ones come out.
pub fn event_names() -> impl TypedValueParser<Value = String> {
    let both = || text::short_names().zip(text::NAMES);
    let names = both().map(|(short, full)| PossibleValue::new(short).alias(full));
    PossibleValuesParser::new(names).map(move |name| {
        let full = both().find(|(short, _)| *short == name);
        full.map_or(name, |(_, full)| (*full).to_owned())
    })
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

    fn events(line: &[&str]) -> Result<Events, clap::Error> {
        let line = ["wq-dump", "events"].iter().chain(line);
        match Args::try_parse_from(line)?.command {
            Some(Command::Events(events)) => Ok(events),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn events_are_named_in_full_or_short_and_in_lists() {
        let line = [
            "-e",
            "execute_start,workqueue_stall",
            "--event",
            "mayday",
            "-w",
            "^ev",
            "--since",
            "1.5s",
        ];
        let events = events(&line).expect("a good line");
        let full = ["execute_start", "stall", "mayday"].map(|name| format!("workqueue_{name}"));
        assert_eq!(events.events, full);
        assert_eq!(events.since, Some(Duration::from_millis(1500)));
        assert!(
            events
                .workqueue
                .is_some_and(|regex| regex.is_match("events"))
        );
    }

    #[test]
    fn a_wrong_event_gets_the_nearest_ones() {
        let error = events(&["-e", "exceute_start"])
            .expect_err("no such event")
            .to_string();
        assert!(error.contains("'exceute_start'"), "{error}");
        assert!(error.contains("'execute_start'"), "{error}");
        for line in [["-e", ""], ["-w", "("], ["--since", "5 parsecs"]] {
            assert!(events(&line).is_err(), "{line:?}");
        }
    }
}
