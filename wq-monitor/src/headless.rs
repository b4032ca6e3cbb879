//! Rounds on standard output: `--plain`, `--json` and `--prometheus-once`.

use crate::args::{Args, Mode};
use crate::clock::monotonic;
use crate::filter::Filter;
use crate::source::{Source, Update};
use crate::target::Failure;
use crate::term::Signals;
use crate::watched::Watched;
use crate::{json, plain, prometheus};
use std::io::{self, ErrorKind, Write};
use std::time::Duration;
use wq_trace::Liveness;

/// Prints rounds until the engine is gone, a signal comes or nobody reads, and ends the recording if one is made. Gives
/// back the exit status.
///
/// # Errors
/// The engine cannot be read, or was killed meanwhile although it was asked for by its pid; or it cannot be recorded.
pub fn run(
    args: &Args,
    filter: &Filter,
    mut source: impl Source,
    signals: &Signals,
    out: impl Write,
) -> Result<u8, Failure> {
    let code = rounds(args, filter, &mut source, signals, out);
    let recorded = source.finish().map_err(Failure::usage);
    // What went wrong first is the reason.
    let (code, recorded) = (code?, recorded?);
    say(recorded.as_deref());
    Ok(code)
}

/// Says something on standard error, such as what was recorded, if there is anything to say; when even that fails there is nobody left to tell.
pub fn say(sentence: Option<&str>) {
    if let Some(sentence) = sentence {
        let _ = writeln!(io::stderr(), "wq-monitor: {sentence}");
    }
}

fn rounds(
    args: &Args,
    filter: &Filter,
    source: &mut impl Source,
    signals: &Signals,
    mut out: impl Write,
) -> Result<u8, Failure> {
    let mut watched = Watched::new(args);
    let mut next = monotonic();
    let mut waiting = false;
    loop {
        let update = source.poll(monotonic(), true);
        if update.successor.is_some() {
            watched = Watched::new(args);
        }
        news(args, &update, &mut waiting);
        let Some(snapshot) = &update.snapshot else {
            if update.waiting && update.problem.is_none() {
                next = monotonic();
                match wait(next + LOOKING, signals, WATCHING, || ()) {
                    Some(code) => return Ok(code),
                    None => continue,
                }
            }
            let problem = update
                .problem
                .unwrap_or_else(|| "the engine cannot be read".to_owned());
            return Err(Failure::usage(problem));
        };
        if let (Some(_), Some(problem)) = (&args.record, &update.problem) {
            return Err(Failure::usage(problem.clone()));
        }
        watched.take(&update);
        let (model, warnings) = (&watched.model, &watched.warnings);
        let text = match args.mode() {
            Mode::Json => json::round(model, warnings.active(), filter),
            Mode::Prometheus => prometheus::page(model, warnings, update.liveness, filter),
            Mode::Plain | Mode::Screen | Mode::Check => plain::round(model, filter),
        };
        match print(&mut out, &text) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(0),
            Err(error) => return Err(Failure::usage(format!("standard output: {error}"))),
        }
        if args.mode() == Mode::Plain {
            // Beside the table, which stays what the kernel's script prints.
            watched.news().iter().for_each(|line| say(Some(line)));
        }
        match update.liveness {
            _ if update.waiting => {}
            Liveness::Dead if args.pid.is_some() => {
                return Err(Failure::gone(format!(
                    "engine {} was killed",
                    snapshot.meta.pid
                )));
            }
            Liveness::Dead | Liveness::Ended | Liveness::Recorded => return Ok(0),
            Liveness::Live | Liveness::Unknown if args.once() => return Ok(0),
            Liveness::Live | Liveness::Unknown => {}
        }
        next += u64::try_from(args.interval.as_nanos()).unwrap_or(u64::MAX);
        let step = match args.record {
            Some(_) => RECORDING,
            None if reads_events(args) => READING,
            None => WATCHING,
        };
        let read = || {
            if step != WATCHING {
                watched.take(&source.poll(monotonic(), false));
            }
        };
        if let Some(code) = wait(next, signals, step, read) {
            return Ok(code);
        }
        // After a stop (or a suspended machine) the rounds that were missed are left out.
        next = next.max(monotonic());
    }
}

/// Says which engine is followed, and when one is waited for.
fn news(args: &Args, update: &Update, waiting: &mut bool) {
    if let Some(successor) = &update.successor {
        say(Some(&successor.sentence()));
    }
    let begins = update.waiting && !*waiting;
    *waiting = update.waiting;
    if begins && update.snapshot.is_some() {
        say(Some("the engine is gone; waiting for another one"));
    } else if begins {
        let name = args.engine.as_ref();
        let name = name.map_or_else(String::new, |name| format!(" named {name}"));
        say(Some(&format!("waiting for an engine{name}")));
    }
}

fn print(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Whether events are read: for who records them, and for the warnings that need them.
pub fn reads_events(args: &Args) -> bool {
    args.record.is_some() || args.warnings().any()
}

/// A signal is noticed that late at most, in nanoseconds.
const WATCHING: u64 = 50_000_000;
/// An engine that is waited for is looked for so often.
const LOOKING: u64 = 200_000_000;
/// Events are read so often, before they are overwritten.
pub const READING: u64 = 10_000_000;
/// While events are recorded they are read so often, before they are overwritten.
const RECORDING: u64 = 2_000_000;

/// Sleeps until `until`, on the monotonic clock, at most `step` at a time, and does `meanwhile` in between; a signal ends
/// it with its exit status.
pub fn wait(until: u64, signals: &Signals, step: u64, mut meanwhile: impl FnMut()) -> Option<u8> {
    loop {
        meanwhile();
        if let Some(code) = signals.exit_status() {
            return Some(code);
        }
        let left = until.saturating_sub(monotonic());
        if left == 0 {
            return None;
        }
        std::thread::sleep(Duration::from_nanos(left.min(step)));
    }
}
