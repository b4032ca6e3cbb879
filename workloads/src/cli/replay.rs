//! `run` and `simulate`: from the script to the delivered report.

use super::{
    Cli, CliError, EXIT_FAILED, Interrupt, ProgressLine, ReportOptions, RunOptions,
    SimulateOptions, deliver,
};
use crate::exec::{self, Replay, ReplaySettings, SimulateSettings};
use crate::script::{load, load_for};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::time::Duration;

/// Time between two looks at a running replay.
const LOOK: Duration = Duration::from_millis(5);
/// Looks between two lines of progress.
const LOOKS_PER_LINE: u32 = 20;

/// Replays a script on threads.
pub(super) fn run(cli: &Cli, options: &RunOptions) -> Result<u8, CliError> {
    let script = load(&options.script)?;
    writable(&options.report)?;
    let interrupt = listen()?;
    let settings = ReplaySettings {
        speed: options.speed,
        sensing: options.sensing,
    };
    let replay = Replay::start(&script, settings)?;
    let mut line = ProgressLine::on_stderr();
    let mut looks = 0;
    while !replay.is_over() && !interrupt.requested() {
        if looks % LOOKS_PER_LINE == 0 {
            line.show(|| replay.progress());
        }
        looks += 1;
        std::thread::sleep(LOOK);
    }
    line.clear();
    let mut report = replay.finish()?;
    deliver(
        &mut report,
        &script,
        options.times,
        &options.report,
        cli.color,
        true,
    )
}

/// Simulates a script.
pub(super) fn simulate(cli: &Cli, options: &SimulateOptions) -> Result<u8, CliError> {
    let script = load_for(&options.script, options.machine().as_ref())?;
    writable(&options.report)?;
    let interrupt = listen()?;
    let settings = SimulateSettings {
        seed: options.seed,
        interrupted: Some(interrupt.flag()),
    };
    let mut stdout = BufWriter::new(io::stdout().lock());
    let events = options.events.then_some(&mut stdout as &mut dyn Write);
    let simulated = exec::simulate(&script, settings, events);
    drop(stdout);
    let mut report = match simulated {
        Err(stuck @ exec::ExecError::Stuck { .. }) => {
            super::say_error(cli, &stuck.to_string());
            return Ok(EXIT_FAILED);
        }
        other => other?,
    };
    deliver(
        &mut report,
        &script,
        true,
        &options.report,
        cli.color,
        !options.events,
    )
}

/// Finds out before the replay, not after it, that its report cannot be written.
fn writable(options: &ReportOptions) -> Result<(), CliError> {
    let Some(path) = &options.output else {
        return Ok(());
    };
    let opened = File::options().create(true).append(true).open(path);
    opened.map(drop).map_err(|source| CliError::Io {
        what: format!("cannot write the report {}", path.display()),
        source,
    })
}

fn listen() -> Result<Interrupt, CliError> {
    Interrupt::install().map_err(|source| CliError::Io {
        what: "cannot listen for Ctrl-C".to_owned(),
        source,
    })
}
