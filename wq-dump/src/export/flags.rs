//! The command line of `export`.

use crate::args::event_names;
use clap::ValueEnum;
use regex::Regex;
use std::path::PathBuf;
use std::time::Duration;
use wq_trace::export;
use wq_trace::units::parse_duration;

/// What to export, and where to.
#[derive(Debug, clap::Args)]
pub struct Flags {
    /// The file's format: event text that tools made for ftrace read, or a trace for ui.perfetto.dev.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Format,
    /// Write to FILE and not to the standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What happens from now on, for so long (5s, 500ms, 2m) or until interrupted; not what is in the rings already.
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    pub window: Option<Duration>,
    /// Only what reaches into the last so much time; with --for, also what happened so long before now.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub since: Option<Duration>,
    /// Only these events, with or without `workqueue_` in front; several with commas or by repeating the flag. In a
    /// Perfetto trace an execution is drawn for `execute_start`, a wait for `queue_work`, a sleep for `worker_sleep`.
    #[arg(short, long = "event", value_name = "EVENT", value_delimiter = ',', value_parser = event_names(),
          hide_possible_values = true)]
    pub events: Vec<String>,
    /// Only the events of workqueues whose name this regular expression matches somewhere.
    #[arg(short, long, value_name = "REGEX")]
    pub workqueue: Option<Regex>,
}

/// A format's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The text of /sys/kernel/tracing/trace.
    Ftrace,
    /// A Perfetto trace: protocol buffers.
    Perfetto,
}

impl From<Format> for export::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Ftrace => Self::Ftrace,
            Format::Perfetto => Self::Perfetto,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use clap::Parser;

    fn flags(line: &[&str]) -> Result<Flags, clap::Error> {
        let line = ["wq-dump", "export"].iter().chain(line);
        match Args::try_parse_from(line)?.command {
            Some(Command::Export(flags)) => Ok(flags),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_format_must_be_named() {
        assert!(flags(&[]).is_err());
        assert!(flags(&["--format", "chrome"]).is_err());
        let flags = flags(&["--format", "perfetto", "-o", "x", "--for", "5s"]).expect("good");
        assert_eq!(flags.format, Format::Perfetto);
        assert_eq!(flags.window, Some(Duration::from_secs(5)));
    }

    #[test]
    fn events_are_named_in_full_or_short() {
        let line = ["--format", "ftrace", "-e", "stall,workqueue_mayday"];
        let flags = flags(&line).expect("a good line");
        assert_eq!(flags.events, ["workqueue_stall", "workqueue_mayday"]);
    }
}
