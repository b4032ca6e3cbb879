//! `--check`: watches for a while, reports each warning that came, and says by its exit status whether one did.

use crate::args::Args;
use crate::clock::monotonic;
use crate::headless::{self, READING};
use crate::json;
use crate::source::{Source, Update};
use crate::target::Failure;
use crate::term::Signals;
use crate::watched::Watched;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::time::Duration;
use wq_trace::warn::{self, Warning};
use wq_trace::{Fields, From, Liveness, Reader, UpTo, Value, units};

/// Between two looks, in nanoseconds.
const BETWEEN_LOOKS: u64 = 250_000_000;
/// Between two lines of progress, in nanoseconds.
const BETWEEN_LINES: u64 = 1_000_000_000;
/// Most states of a recording that are looked at.
const MOST_STATES: usize = 100_000;

/// Why a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The time that was asked for is over.
    Time,
    /// The engine ended, or what was left behind or recorded of it.
    Engine,
    /// The engine was killed.
    Killed,
    /// A signal came, with this exit status.
    Signal(u8),
}

/// A check that is over.
#[derive(Debug)]
struct Checked {
    watched: Watched,
    /// From the first look to the last, on the segment's clock.
    span: (u64, u64),
    end: End,
}

/// Checks an engine that lives, or what one left behind, and prints the report. Gives back the exit status.
///
/// # Errors
/// The engine cannot be read, or was killed meanwhile although it was asked for by its pid.
pub fn run(
    args: &Args,
    mut source: impl Source,
    signals: &Signals,
    out: impl Write,
) -> Result<u8, Failure> {
    let checked = watch(args, &mut source, signals);
    let recorded = source.finish().map_err(Failure::usage);
    let checked = checked?;
    headless::say(recorded?.as_deref());
    report(args, &checked, out)
}

/// The same of a recording: so much of its time, from its first state on.
///
/// # Errors
/// It cannot be read, or nothing is in it.
pub fn recorded(args: &Args, reader: &Reader, out: impl Write) -> Result<u8, Failure> {
    let mut watched = Watched::new(args);
    let states = reader.latest(MOST_STATES);
    let states = states.map_err(|error| Failure::usage(error.to_string()))?;
    let Some(first) = states.first().map(|state| state.at) else {
        return Err(Failure::usage("the recording holds no state"));
    };
    let until = first.saturating_add(length(args));
    let mut events = UpTo::new(reader.cursor(From::Oldest));
    let mut end = End::Engine;
    for state in states {
        if state.at > until {
            end = End::Time;
            break;
        }
        let mut update = Update::default();
        update.lost = events.each(state.at, |event| update.events.push(*event));
        update.snapshot = Some(state);
        watched.take(&update);
    }
    let span = (first, watched.model.at());
    report(args, &Checked { watched, span, end }, out)
}

/// How long to watch, in nanoseconds.
fn length(args: &Args) -> u64 {
    let length = args.check.unwrap_or_default().as_nanos();
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn watch(args: &Args, source: &mut impl Source, signals: &Signals) -> Result<Checked, Failure> {
    let mut watched = Watched::new(args);
    let progress = io::stderr().is_terminal();
    let start = monotonic();
    let until = start.saturating_add(length(args));
    let (mut next_look, mut next_line, mut first) = (start, start, None);
    let end = loop {
        let now = monotonic();
        let last = now >= until || signals.exit_status().is_some();
        let look = now >= next_look || last;
        let update = source.poll(now, look);
        watched.take(&update);
        if look {
            next_look = now.saturating_add(BETWEEN_LOOKS);
            let Some(state) = &update.snapshot else {
                let problem = update.problem;
                let problem = problem.unwrap_or_else(|| "the engine cannot be read".to_owned());
                return Err(Failure::usage(problem));
            };
            first.get_or_insert(state.at);
        }
        match (signals.exit_status(), update.liveness) {
            (Some(status), _) => break End::Signal(status),
            (None, Liveness::Dead) if look => break End::Killed,
            (None, Liveness::Ended | Liveness::Recorded) if look => break End::Engine,
            _ if last => break End::Time,
            _ => {}
        }
        if progress && now >= next_line {
            next_line = now.saturating_add(BETWEEN_LINES);
            line(&watched, now - start, until - start);
        }
        std::thread::sleep(Duration::from_nanos(READING));
    };
    if progress {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
    let span = (first.unwrap_or_default(), watched.model.at());
    Ok(Checked { watched, span, end })
}

/// How far the check is, on a line of its own that the next one overwrites.
fn line(watched: &Watched, done: u64, all: u64) {
    let (done, all) = (units::duration(done), units::duration(all));
    let count = warnings(watched.warnings.fired().len());
    let _ = write!(io::stderr(), "\r\x1b[Kchecking: {done} of {all}, {count}");
}

/// `no warnings`, `1 warning`, `2 warnings`.
fn warnings(count: usize) -> String {
    match count {
        0 => "no warnings".to_owned(),
        1 => "1 warning".to_owned(),
        n => format!("{n} warnings"),
    }
}

/// Prints what was found. Gives back the exit status.
fn report(args: &Args, checked: &Checked, mut out: impl Write) -> Result<u8, Failure> {
    let text = match args.json {
        true => json::object(&checked.fields(args)),
        false => checked.text(args),
    };
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            return Err(Failure::usage(format!("standard output: {error}")));
        }
        _ => {}
    }
    match checked.end {
        End::Signal(status) => Ok(status),
        End::Killed if args.pid.is_some() => {
            let pid = args.pid.unwrap_or_default();
            Err(Failure::gone(format!("engine {pid} was killed")))
        }
        _ => Ok(u8::from(!checked.passed(args))),
    }
}

impl Checked {
    fn fired(&self) -> &[Warning] {
        self.watched.warnings.fired()
    }

    /// Nothing that is denied came.
    fn passed(&self, args: &Args) -> bool {
        !self.fired().iter().any(|it| is_denied(args, it))
    }

    /// What looks wrong but could be looked at only once, because the engine is gone.
    fn suspected(&self) -> Vec<Warning> {
        match self.end {
            End::Engine | End::Killed => self.watched.warnings.suspected(),
            End::Time | End::Signal(_) => Vec::new(),
        }
    }

    /// Why it ended, for people and in JSON.
    fn end(&self) -> (&'static str, &'static str) {
        match self.end {
            End::Time => ("", "time"),
            End::Engine => (" until its end", "ended"),
            End::Killed => (" until it was killed", "killed"),
            End::Signal(_) => (" until interrupted", "interrupted"),
        }
    }

    fn text(&self, args: &Args) -> String {
        let settings = self.watched.warnings.settings();
        let meta = self.watched.model.snapshot().map(|state| &state.meta);
        let (name, pid) = meta.map_or(("", 0), |meta| (&meta.name, meta.pid));
        let span = units::duration(self.span.1.saturating_sub(self.span.0));
        let count = warnings(self.fired().len());
        let mut text = format!(
            "{name} (pid {pid}), checked for {span}{}: {count}\n",
            self.end().0
        );
        for warning in self.fired() {
            let after = units::duration(warning.since.saturating_sub(self.span.0));
            text += &warning.paragraph(settings);
            text += &format!("    since      {after} after the check began\n");
            if !is_denied(args, warning) {
                text += "    denied     no: it does not fail the check\n";
            }
        }
        text += &warn::suspicions(&self.suspected(), settings);
        text
    }

    fn fields(&self, args: &Args) -> Fields {
        let meta = self.watched.model.snapshot().map(|state| &state.meta);
        let (name, pid) = meta.map_or(("", 0), |meta| (&meta.name, meta.pid));
        let fired = self.fired().iter().map(|warning| {
            let mut fields = warning.fields();
            fields.push(("lasted_ns", Value::Big(warning.lasted_ns())));
            fields.push(("denied", Value::Bool(is_denied(args, warning))));
            Value::Object(fields)
        });
        let suspected = self.suspected();
        let suspected = suspected
            .iter()
            .map(|warning| Value::Object(warning.fields()));
        vec![
            ("name", Value::str(name)),
            ("pid", Value::Num(pid.into())),
            ("passed", Value::Bool(self.passed(args))),
            ("end", Value::str(self.end().1)),
            ("from_ns", Value::Big(self.span.0)),
            ("to_ns", Value::Big(self.span.1)),
            ("warnings", Value::List(fired.collect())),
            ("suspected", Value::List(suspected.collect())),
        ]
    }
}

/// Whether a warning fails the check: each does, unless some are named.
fn is_denied(args: &Args, warning: &Warning) -> bool {
    args.deny.is_empty() || args.deny.iter().any(|name| name == warning.lint)
}
