//! What the command line asks for, done.

use crate::app::App;
use crate::args::{Args, Mode};
use crate::check;
use crate::filter::Filter;
use crate::headless;
use crate::lookout::Lookout;
use crate::manual;
use crate::paint::style::Palette;
use crate::replay::{Embedded, UntilOver};
use crate::save::Writer;
use crate::source::{Engine, Follower, Source, Tape};
use crate::target::{self, Failure, Target};
use crate::term::{self, Signals};
use crate::tui::{self, Session};
use clap::CommandFactory;
use regex::Regex;
use std::cell::Cell;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use wq_trace::model::{Limits, Model};
use wq_trace::past::Keep;
use wq_trace::warn::LINTS;

/// Does it. Gives back the exit status.
///
/// # Errors
/// The sentence to print and the exit status.
pub fn run(args: &Args) -> Result<u8, Failure> {
    if let Some(shell) = args.completions {
        clap_complete::generate(shell, &mut Args::command(), "wq-monitor", &mut io::stdout());
        return Ok(0);
    }
    if args.man {
        // Nobody reading it is no error.
        let _ = manual::write(&mut io::stdout());
        return Ok(0);
    }
    if args.lists_warnings() {
        return list_warnings(args);
    }
    if let Some(path) = &args.log {
        log_to(path)?;
    }
    let filter = args.filter().map_err(Failure::usage)?;
    args.looked_for().map_err(Failure::usage)?;
    let screen = args.mode() == Mode::Screen;
    if screen && !term::is_terminal() {
        let advice = "not a terminal: use --plain or --json (with -i 0 for one round)";
        return Err(Failure::usage(advice));
    }
    if args.follow && args.once() {
        let advice =
            "--follow goes on for ever, but -i 0 ends after one round: leave one of them out";
        return Err(Failure::usage(advice));
    }
    let signals = Signals::catch().map_err(|error| Failure::usage(format!("signals: {error}")))?;
    if let Some(script) = &args.replay {
        return replay(args, filter, script, signals);
    }
    let target = target::find(args, screen)?;
    match target {
        Target::Segment(path) => {
            let events = screen || headless::reads_events(args);
            let source = target::open(&path, events, args.file.is_none())?;
            if args.follow {
                let source = Follower::of(&path, source, screen);
                return look_at(args, filter, source, signals);
            }
            if args.check.is_some() && source.is_recording() {
                return check::recorded(args, source.reader(), io::stdout().lock());
            }
            let source = source.recorded(tape(args)?);
            look_at(args, filter, source, signals)
        }
        Target::ToCome(name) => {
            let source = Follower::new(name, screen);
            look_at(args, filter, source, signals)
        }
        Target::Choice(engines) => watch(
            args,
            filter,
            Watched {
                engines,
                tape: tape(args)?,
                ..Watched::default()
            },
            signals,
        ),
    }
}

/// Shows what a source says, or prints it.
fn look_at(
    args: &Args,
    filter: Option<Regex>,
    source: impl Source + 'static,
    signals: Signals,
) -> Result<u8, Failure> {
    if args.mode() != Mode::Screen {
        return print(args, filter, source, &signals);
    }
    let watched = Watched {
        source: Some(Box::new(source)),
        ..Watched::default()
    };
    watch(args, filter, watched, signals)
}

/// Prints rounds, or checks.
fn print(
    args: &Args,
    filter: Option<Regex>,
    source: impl Source,
    signals: &Signals,
) -> Result<u8, Failure> {
    let out = io::stdout().lock();
    match args.mode() {
        Mode::Check => check::run(args, source, signals, out),
        _ => headless::run(args, &printed(args, filter), source, signals, out),
    }
}

/// Prints a table of all warnings, with the thresholds that hold.
fn list_warnings(args: &Args) -> Result<u8, Failure> {
    let settings = args.warnings();
    let mut text = String::new();
    for lint in LINTS {
        let (name, level) = (lint.name, lint.level.word());
        text += &format!("{name} ({level})\n    {}\n", lint.help);
        text += &format!("    from {}\n", lint.threshold_text(&settings));
    }
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::usage(format!("standard output: {error}")))
        }
        _ => Ok(0),
    }
}

/// What is printed of all that is read.
fn printed(args: &Args, names: Option<Regex>) -> Filter {
    Filter {
        names,
        query: args.query.clone().unwrap_or_default(),
    }
}

/// The recording that is asked for.
fn tape(args: &Args) -> Result<Option<Tape>, Failure> {
    let tape = args.record.as_deref().map(Tape::create).transpose();
    tape.map_err(|error| Failure::usage(error.to_string()))
}

/// Replays a script in an engine of our own, and watches that.
fn replay(
    args: &Args,
    filter: Option<Regex>,
    script: &Path,
    signals: Signals,
) -> Result<u8, Failure> {
    let screen = args.mode() == Mode::Screen;
    let tape = tape(args)?;
    let replay = Embedded::start(script)?;
    let source = replay.source(screen || headless::reads_events(args));
    let source = source.ok_or_else(|| Failure::gone("the replay has ended"))?;
    let source = source.recorded(tape);
    if screen {
        let source: Option<Box<dyn Source>> = Some(Box::new(source));
        let watched = Watched {
            source,
            replay: Some(replay),
            ..Watched::default()
        };
        return watch(args, filter, watched, signals);
    }
    // One round is of the whole script, not of its first moment.
    let once = args.once() && args.check.is_none();
    while once && !replay.is_over() && signals.exit_status().is_none() {
        std::thread::sleep(UNTIL_OVER);
    }
    let source = UntilOver {
        replay: &replay,
        source,
    };
    print(args, filter, source, &signals)
}

/// Between two looks whether a script is over.
const UNTIL_OVER: Duration = Duration::from_millis(20);

/// What the screen shows.
#[derive(Default)]
struct Watched {
    source: Option<Box<dyn Source>>,
    /// To choose from, if there is no source yet.
    engines: Vec<Engine>,
    /// What the chosen one is recorded on.
    tape: Option<Tape>,
    replay: Option<Embedded>,
}

/// Shows the screen.
fn watch(
    args: &Args,
    filter: Option<Regex>,
    watched: Watched,
    signals: Signals,
) -> Result<u8, Failure> {
    let Watched {
        source,
        engines,
        tape,
        replay,
    } = watched;
    let tape = Cell::new(tape);
    let variable = |name: &str| std::env::var(name).ok();
    let colours = args.colours(variable("NO_COLOR").as_deref(), variable("TERM").as_deref());
    let keep = source.as_ref().map_or_else(Keep::default, |it| it.keep());
    let session = Session {
        source,
        open: &|engine: &Engine| match target::open(&engine.path, true, true) {
            Ok(source) if args.follow => Ok(Box::new(Follower::of(&engine.path, source, true))),
            Ok(source) => Ok(Box::new(source.recorded(tape.take()))),
            Err(failure) => Err(failure.message),
        },
        lookout: Lookout::default(),
        replay,
        interval: args.interval,
        palette: Palette::new(colours).in_ascii(args.ascii(variable)),
        signals,
        writer: Writer::default(),
    };
    let app = App::new(Model::new(Limits::default()), filter, engines).keeping(keep);
    let app = app.looking_for(args.query.clone().unwrap_or_default());
    let mut app = app.warning_by(args.warnings());
    app.link.wanted = args.engine.clone();
    app.ui.theme = args.theme(variable("COLORFGBG").as_deref());
    tui::run(app, session).map_err(|error| Failure::usage(error.to_string()))
}

/// Sends the tool's own log to a file: never onto the screen.
fn log_to(path: &Path) -> Result<(), Failure> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = file.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(std::sync::Mutex::new(file))
        .try_init()
        .map_err(|error| Failure::usage(format!("log: {error}")))
}
