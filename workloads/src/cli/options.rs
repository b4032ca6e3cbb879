//! The commands and their options.

use crate::script::Machine;
use crate::style::ColorChoice;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;
use wq_engine::Sensing;

/// Replays workload scripts on wq's worker pools, or simulates them.
#[derive(Debug, Parser)]
#[command(name = "wq-replay", version, about, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 fine, 1 an expectation failed, 2 wrong usage or input, \
                        130 interrupted.\nLogging: RUST_LOG chooses what (tracing's syntax)."
)]
pub struct Cli {
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// Write log messages to FILE instead of standard error
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub log: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check scripts without running them
    Check {
        /// The scripts
        #[arg(required = true, value_name = "SCRIPT", value_hint = ValueHint::FilePath)]
        scripts: Vec<PathBuf>,
    },
    /// Replay a script on the worker pools of an engine
    Run(RunOptions),
    /// Simulate a script: virtual CPUs, exact times
    Simulate(SimulateOptions),
    /// List the scripts of a folder and what they show
    List {
        /// The folder [default: workloads/scripts]
        #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// How the report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Tables for people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// Where the report goes, and how.
#[derive(Args, Clone, Debug, Default)]
pub struct ReportOptions {
    /// The report's format
    #[arg(long = "report", value_name = "FORMAT", default_value = "text")]
    pub format: ReportFormat,
    /// Write the report to FILE
    #[arg(short = 'o', long = "output", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// Options of `run`.
#[derive(Args, Clone, Debug)]
pub struct RunOptions {
    /// The script
    #[arg(value_name = "SCRIPT", value_hint = ValueHint::FilePath)]
    pub script: PathBuf,
    /// Speed of arrivals and waits; bodies stay as they are
    #[arg(long, value_name = "X", default_value = "1", value_parser = speed)]
    pub speed: f64,
    /// How blocking is noticed: auto, canary, tick or hints; by default the script's, else that of $WQ_SENSING, else auto
    #[arg(long, value_name = "MODE", value_parser = crate::script::sensing)]
    pub sensing: Option<Sensing>,
    /// Assert the expectations about times too
    #[arg(long)]
    pub times: bool,
    /// Where the report goes, and how.
    #[command(flatten)]
    pub report: ReportOptions,
    /// Record the events to FILE
    #[arg(long, value_name = "FILE", hide = true, value_parser = not_yet)]
    pub record: Option<String>,
}

/// Options of `simulate`.
#[derive(Args, Clone, Debug)]
pub struct SimulateOptions {
    /// The script
    #[arg(value_name = "SCRIPT", value_hint = ValueHint::FilePath)]
    pub script: PathBuf,
    /// Seed of all draws, instead of the script's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Virtual CPUs, instead of the script's
    #[arg(long, value_name = "N", value_parser = cpus)]
    pub cpus: Option<usize>,
    /// Print the events; the report then only goes to -o
    #[arg(long)]
    pub events: bool,
    /// Where the report goes, and how.
    #[command(flatten)]
    pub report: ReportOptions,
    /// Virtual nodes, caches, cores and threads, such as 2n1l4c2t, instead of the script's CPUs
    #[arg(long, value_name = "SPEC", conflicts_with = "cpus", value_parser = crate::script::topology)]
    pub topology: Option<String>,
}

impl SimulateOptions {
    /// The CPUs to use instead of the script's.
    pub fn machine(&self) -> Option<Machine> {
        let topology = self.topology.clone().map(Machine::Topology);
        topology.or(self.cpus.map(Machine::Cpus))
    }
}

fn speed(text: &str) -> Result<f64, String> {
    const RANGE: std::ops::RangeInclusive<f64> = 0.001..=1000.0;
    text.parse()
        .ok()
        .filter(|speed| RANGE.contains(speed))
        .ok_or_else(|| "a number from 0.001 to 1000, such as 2 or 0.5".to_owned())
}

fn cpus(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|n| (1..=crate::script::MOST_CPUS).contains(n))
        .ok_or_else(|| format!("a whole number from 1 to {}", crate::script::MOST_CPUS))
}

fn not_yet(_: &str) -> Result<String, String> {
    Err("not supported yet".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[derive(Debug, Parser)]
    struct Run {
        #[command(flatten)]
        options: RunOptions,
    }

    #[derive(Debug, Parser)]
    struct Simulate {
        #[command(flatten)]
        options: SimulateOptions,
    }

    fn run(args: &[&str]) -> Result<RunOptions, String> {
        let args = [&["run"], args].concat();
        let parsed = Run::try_parse_from(args);
        parsed.map(|r| r.options).map_err(|e| e.to_string())
    }

    fn simulate(args: &[&str]) -> Result<SimulateOptions, String> {
        let args = [&["simulate"], args].concat();
        let parsed = Simulate::try_parse_from(args);
        parsed.map(|r| r.options).map_err(|e| e.to_string())
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
        Run::command().debug_assert();
        Simulate::command().debug_assert();
    }

    #[test]
    fn options_of_run() {
        let options = run(&["a.toml"]).expect("defaults");
        assert_eq!((options.speed, options.times), (1.0, false));
        assert_eq!(options.sensing, None);
        assert_eq!(options.report.format, ReportFormat::Text);
        for sensing in Sensing::ALL {
            let options = run(&["a.toml", "--sensing", sensing.word()]).expect("a word");
            assert_eq!(options.sensing, Some(sensing));
        }
        let all = ["a.toml", "--speed", "0.5", "--sensing", "tick", "--times"];
        let options = run(&[&all[..], &["--report", "json", "-o", "f"]].concat()).expect("all");
        assert_eq!((options.speed, options.times), (0.5, true));
        assert_eq!(options.sensing, Some(Sensing::Tick));
        assert_eq!(options.report.format, ReportFormat::Json);
    }

    #[test]
    fn options_of_simulate() {
        let all = ["a.toml", "--seed", "7", "--cpus", "4", "--events"];
        let options = simulate(&all).expect("all");
        assert_eq!(
            (options.seed, options.cpus, options.events),
            (Some(7), Some(4), true)
        );
        assert_eq!(options.machine(), Some(Machine::Cpus(4)));
        let options = simulate(&["a.toml", "--topology", "2c2t"]).expect("all");
        assert_eq!(options.machine(), Some(Machine::Topology("2c2t".into())));
        assert_eq!(simulate(&["a.toml"]).expect("all").machine(), None);
    }

    #[test]
    fn wrong_options_say_what_is_right() {
        let has = |result: Result<String, String>, text: &str| {
            let error = result.expect_err("must be refused");
            assert!(error.contains(text), "{error}");
        };
        let of_run = |args: &[&str]| run(args).map(|_| String::new());
        let of_simulate = |args: &[&str]| simulate(args).map(|_| String::new());
        for speed in ["0", "-1", "nan", "inf", "x"] {
            let arg = format!("--speed={speed}");
            has(of_run(&["a", &arg]), "a number from 0.001 to 1000");
        }
        has(of_run(&["a", "--sensing", "tock"]), "did you mean `tick`?");
        has(
            of_run(&["a", "--sensing", "x"]),
            "auto, canary, tick, hints",
        );
        has(of_run(&["a", "--record", "f"]), "not supported yet");
        has(
            of_simulate(&["a", "--topology", "2c1n"]),
            "n stands twice or too late",
        );
        has(
            of_simulate(&["a", "--topology", "2c", "--cpus", "2"]),
            "cannot be used with",
        );
        has(
            of_simulate(&["a", "--cpus", "0"]),
            "a whole number from 1 to 4096",
        );
    }
}
