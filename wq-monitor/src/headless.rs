//! Rounds on standard output: `--plain` and `--json`.

use crate::args::{Args, Mode};
use crate::clock::monotonic;
use crate::source::Source;
use crate::target::Failure;
use crate::term::Signals;
use crate::{json, plain};
use regex::Regex;
use std::io::{self, ErrorKind, Write};
use std::time::Duration;
use wq_trace::Liveness;
use wq_trace::model::{Limits, Model};

/// Prints rounds until the engine is gone, a signal comes or nobody reads. Gives back the exit status.
///
/// # Errors
/// The engine cannot be read, or was killed meanwhile although it was asked for by its pid.
pub fn run(
    args: &Args,
    filter: Option<&Regex>,
    mut source: impl Source,
    signals: &Signals,
    mut out: impl Write,
) -> Result<u8, Failure> {
    // Nothing here shows history or producers.
    let mut model = Model::new(Limits {
        history: 1,
        producers: 0,
    });
    let mut next = monotonic();
    loop {
        let update = source.poll(monotonic(), true);
        let Some(snapshot) = &update.snapshot else {
            let problem = update
                .problem
                .unwrap_or_else(|| "the engine cannot be read".to_owned());
            return Err(Failure::usage(problem));
        };
        model.apply_snapshot(snapshot);
        let text = match args.mode() {
            Mode::Json => json::round(&model, filter),
            Mode::Plain | Mode::Screen => plain::round(&model, filter),
        };
        match print(&mut out, &text) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(0),
            Err(error) => return Err(Failure::usage(format!("standard output: {error}"))),
        }
        match update.liveness {
            Liveness::Dead if args.pid.is_some() => {
                return Err(Failure::gone(format!(
                    "engine {} was killed",
                    snapshot.meta.pid
                )));
            }
            Liveness::Dead | Liveness::Ended => return Ok(0),
            Liveness::Live | Liveness::Unknown if args.once() => return Ok(0),
            Liveness::Live | Liveness::Unknown => {}
        }
        next += u64::try_from(args.interval.as_nanos()).unwrap_or(u64::MAX);
        if let Some(code) = wait(next, signals) {
            return Ok(code);
        }
        // After a stop (or a suspended machine) the rounds that were missed are left out.
        next = next.max(monotonic());
    }
}

fn print(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Sleeps until `until`, on the monotonic clock; a signal ends it with its exit status.
fn wait(until: u64, signals: &Signals) -> Option<u8> {
    loop {
        if let Some(code) = signals.exit_status() {
            return Some(code);
        }
        let left = until.saturating_sub(monotonic());
        if left == 0 {
            return None;
        }
        std::thread::sleep(Duration::from_nanos(left.min(50_000_000)));
    }
}
