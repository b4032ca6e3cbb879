//! `run` and `simulate`: from the script to the delivered report.

use super::record::{self, Taping};
use super::{
    Cli, CliError, Interrupt, ProgressLine, ReportOptions, RunOptions, SimulateOptions, deliver,
};
use crate::exec::{
    self, EventSink, EventText, Replay, ReplaySettings, SimRecording, SimulateSettings,
};
use crate::report::Report;
use crate::script::{load, load_for};
use crate::units::count;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Time between two looks at a running replay.
const LOOK: Duration = Duration::from_millis(5);
/// Without progress for so long, the user is told what is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// Looks between two lines of progress.
const LOOKS_PER_LINE: u32 = 20;

/// Replays a script on threads.
pub(super) fn run(cli: &Cli, options: &RunOptions) -> Result<u8, CliError> {
    let script = load(&options.script)?;
    writable(&options.report)?;
    let file = record::file(options.record.as_deref())?;
    let interrupt = listen()?;
    let settings = ReplaySettings {
        speed: options.speed,
        sensing: options.sensing,
    };
    let replay = Replay::start(&script, settings)?;
    let taping = file.map(|(path, file)| Taping::start(path, file, replay.reader()));
    let mut taping = taping.transpose()?;
    let mut line = ProgressLine::on_stderr();
    let mut looks = 0;
    let mut obstacle = Obstacle::default();
    while !replay.is_over() && !interrupt.requested() {
        if looks % LOOKS_PER_LINE == 0 {
            line.show(|| replay.progress());
            obstacle.look(&replay, &mut line);
        }
        looks += 1;
        if let Some(taping) = &mut taping {
            taping.poll();
        }
        std::thread::sleep(LOOK);
    }
    line.clear();
    let mut report = replay.finish()?;
    // What is wrong with the recording is said behind the report, which is whole.
    let taped = taping.map_or(Ok(()), |taping| taping.finish(cli));
    say_frozen(&report);
    let (times, to) = (options.times, &options.report);
    let code = deliver(&mut report, &script, times, to, cli.color, true)?;
    taped.map(|()| code)
}

/// Says once why a replay that has come to rest does not end.
#[derive(Default)]
struct Obstacle {
    since: Option<(u64, Instant)>,
    said: bool,
}

impl Obstacle {
    fn look(&mut self, replay: &Replay, line: &mut ProgressLine<io::Stderr>) {
        let Some(why) = replay.obstacle().filter(|_| !self.said) else {
            self.since = None;
            return;
        };
        let progress = replay.progress();
        let (executions, since) = *self
            .since
            .get_or_insert((progress.executions, Instant::now()));
        if executions != progress.executions {
            self.since = None;
        } else if since.elapsed() >= PATIENCE {
            self.said = true;
            line.clear();
            let items = count(progress.outstanding, "item");
            tracing::warn!("waiting for {items}: {why}; Ctrl-C ends with the partial report");
        }
    }
}

/// Simulates a script.
pub(super) fn simulate(cli: &Cli, options: &SimulateOptions) -> Result<u8, CliError> {
    let script = load_for(&options.script, options.machine().as_ref())?;
    writable(&options.report)?;
    let interrupt = listen()?;
    let settings = SimulateSettings {
        seed: options.seed,
        interrupted: Some(interrupt.flag()),
        progress: io::stderr().is_terminal().then_some(say_time),
    };
    let recording = options.record.as_deref().map(SimRecording::create);
    let mut recording = recording.transpose()?;
    let mut stdout = BufWriter::new(io::stdout().lock());
    let mut text = options.events.then(|| EventText::new(&mut stdout));
    let mut sinks: Vec<&mut dyn EventSink> = Vec::new();
    sinks.extend(text.iter_mut().map(|text| text as &mut dyn EventSink));
    sinks.extend(recording.iter_mut().map(|it| it as &mut dyn EventSink));
    let simulated = exec::simulate_into(&script, settings, &mut sinks);
    drop(stdout);
    let mut report = simulated?;
    if let Some(stuck) = &report.stuck {
        super::say_error(cli, stuck);
    }
    say_frozen(&report);
    deliver(
        &mut report,
        &script,
        true,
        &options.report,
        cli.color,
        !options.events,
    )
}

/// How far a long simulation has come.
fn say_time(now: u64) {
    let now = wq_trace::units::duration(now);
    // When even this fails there is nobody left to tell.
    let _ = writeln!(io::stderr(), "simulated {now} so far");
}

/// A whole replay that leaves items behind says which: nobody thawed them.
fn say_frozen(report: &Report) {
    if report.interrupted || report.stuck.is_some() {
        return;
    }
    for wq in report.workqueues.iter().filter(|wq| wq.inactive > 0) {
        let verb = if wq.inactive == 1 { "stays" } else { "stay" };
        let items = count(wq.inactive, "item");
        // When even this fails there is nobody left to tell.
        let _ = writeln!(io::stderr(), "{items} {verb} frozen on {}", wq.name);
    }
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
