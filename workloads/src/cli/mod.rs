//! The command line: what is asked, dispatched, and the exit code that says how it went.

mod deliver;
mod interrupt;
mod list;
mod log;
mod options;
mod progress;
mod record;
mod replay;

pub use deliver::{deliver, exit_code};
pub use interrupt::Interrupt;
pub use options::{Cli, Command, ReportFormat, ReportOptions, RunOptions, SimulateOptions};
pub use progress::{Progress, ProgressLine};

use crate::exec::ExecError;
use crate::style::Style;
use crate::units::count;
use clap::CommandFactory;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// All is fine.
pub const EXIT_FINE: u8 = 0;
/// An expectation failed.
pub const EXIT_FAILED: u8 = 1;
/// Wrong usage or input.
pub const EXIT_USAGE: u8 = 2;
/// Interrupted; what is reported is partial.
pub const EXIT_INTERRUPTED: u8 = 130;

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The input is wrong; the text is for the user, complete.
    #[error("{0}")]
    Input(String),
    /// A file or stream failed.
    #[error("{what}: {source}")]
    Io {
        /// What was done to which file.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The replay failed.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// Standard output failed.
    #[error("standard output: {0}")]
    Stdout(#[from] io::Error),
}

impl From<crate::ScriptErrors> for CliError {
    fn from(errors: crate::ScriptErrors) -> Self {
        Self::Input(errors.to_string())
    }
}

/// Does what the command line asks.
pub fn run(cli: &Cli) -> ExitCode {
    if let Err(e) = log::init(cli.log.as_deref(), cli.color) {
        return failed(cli, &e);
    }
    let done = match &cli.command {
        Command::Check { scripts } => check(cli, scripts),
        Command::Run(options) => replay::run(cli, options),
        Command::Simulate(options) => replay::simulate(cli, options),
        Command::List { folder } => list::list(cli, folder.as_deref()),
        Command::Completions { shell } => completions(*shell),
    };
    done.map_or_else(|e| failed(cli, &e), ExitCode::from)
}

/// Says what failed. A reader that went away is no failure.
fn failed(cli: &Cli, error: &CliError) -> ExitCode {
    match error {
        CliError::Stdout(e) | CliError::Exec(ExecError::Events(e))
            if e.kind() == io::ErrorKind::BrokenPipe =>
        {
            EXIT_FINE.into()
        }
        _ => {
            say_error(cli, &error.to_string());
            EXIT_USAGE.into()
        }
    }
}

/// An error on standard error; when even that fails there is nobody left to tell.
fn say_error(cli: &Cli, text: &str) {
    let mut stderr = io::stderr().lock();
    let style = Style::for_stream(cli.color, &stderr);
    for line in text.lines() {
        let _ = writeln!(stderr, "{} {line}", style.bad("error:"));
    }
}

fn check(cli: &Cli, scripts: &[PathBuf]) -> Result<u8, CliError> {
    let mut stdout = io::stdout().lock();
    let style = Style::for_stream(cli.color, &stdout);
    let mut exit = EXIT_FINE;
    for path in scripts {
        match crate::load(path) {
            Ok(script) => {
                let program = &script.program;
                writeln!(
                    stdout,
                    "{}  {}  ({}, {}, {}, {})",
                    style.good("ok"),
                    path.display(),
                    program.name,
                    count(program.workqueues.len() as u64, "workqueue"),
                    count(program.works.len() as u64, "work"),
                    count(program.producers.len() as u64, "producer"),
                )?;
                if program.producers.is_empty() {
                    tracing::warn!(
                        "{} does nothing: it has no producer that queues its work",
                        path.display()
                    );
                }
            }
            Err(errors) => {
                exit = EXIT_USAGE;
                say_error(cli, &errors.to_string());
            }
        }
    }
    stdout.flush()?;
    Ok(exit)
}

fn completions(shell: clap_complete::Shell) -> Result<u8, CliError> {
    let mut command = Cli::command();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "wq-replay", &mut script);
    let mut stdout = io::stdout().lock();
    stdout.write_all(&script)?;
    stdout.flush()?;
    Ok(EXIT_FINE)
}
