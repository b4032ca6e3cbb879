//! `export`: the events as a file for other people's tools, of what is in the rings, or of a window from now on.

mod flags;
mod progress;

pub use flags::Flags;

use crate::args::{Common, Events};
use crate::events::Choice;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::target::Target;
use flags::Format;
use progress::Progress;
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use wq_trace::export::{Exporter, Options, Wanted};
use wq_trace::{Cursor, Event, MERGE_DELAY_NS, Next, Snapshot};

/// How long to wait for the next event.
const PAUSE: Duration = Duration::from_millis(2);
/// How often the engine's state is looked at for what events do not tell.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
/// ... and at most, when events name what has no name yet.
const BETWEEN_NAMES: Duration = Duration::from_millis(20);

/// Writes the trace asked for.
pub fn run(common: &Common, flags: &Flags) -> Result<(), Failure> {
    if common.json {
        let text = "export writes no JSON: `wq-dump events --json` does";
        return Err(Failure::Input(text.into()));
    }
    let target = Target::open(common)?;
    let running = target.running();
    if flags.window.is_some() && !running {
        let text = "--for waits for new events, but this engine is not running: leave it out";
        return Err(Failure::Input(text.into()));
    }
    let interrupt = Interrupt::install().map_err(Failure::Signals)?;
    // The cursor first: what the snapshot names covers what the cursor then finds.
    let from_now = flags.window.is_some() && flags.since.is_none();
    let cursor = if from_now {
        target.cursor_from_now()
    } else {
        target.cursor()
    };
    let snapshot = target.snapshot()?;
    let until = until(flags, &snapshot, running);
    let options = Options {
        from: flags.since.map_or(0, |since| back(&snapshot, since)),
        complete: !from_now && snapshot.lost_no_ring == 0,
        from_now,
        counters: flags.events.is_empty(),
    };
    let out = open(flags)?;
    // What is too old still explains the rest, so that is left to the exporter.
    let which = Events {
        events: flags.events.clone(),
        workqueue: flags.workqueue.clone(),
        ..Events::default()
    };
    let mut choice = Choice::new(&which, 0);
    let wanted: Wanted<'_> = Box::new(|event, names| choice.takes(event, names));
    // A recording names in its earlier states what was gone by its end.
    let earlier = target.earlier()?;
    let first = earlier.first().unwrap_or(&snapshot);
    let mut exporter = Exporter::new(flags.format.into(), out, first, wanted, options)?;
    if !earlier.is_empty() {
        let later = earlier.iter().skip(1).chain([&snapshot]);
        later.for_each(|state| exporter.know(state));
    }
    let mut stream = Stream {
        target: &target,
        cursor,
        exporter,
        begun: snapshot.at,
        looked: Instant::now(),
        no_ring: 0,
        damaged: 0,
        snapshot,
        progress: Progress::new(flags.window),
    };
    stream.note_gaps()?;
    let interrupted = stream.run(until, &interrupt)?;
    stream.finish(flags.output.as_deref())?;
    if interrupted {
        return Err(Failure::Interrupted);
    }
    Ok(())
}

/// The stamp after which nothing is exported. A busy engine writes on and on: `now` is when we began.
fn until(flags: &Flags, snapshot: &Snapshot, running: bool) -> u64 {
    match flags.window {
        Some(window) => snapshot.at.saturating_add(ns(window)),
        None if running => snapshot.at,
        None => u64::MAX,
    }
}

fn back(snapshot: &Snapshot, since: Duration) -> u64 {
    snapshot.at.saturating_sub(ns(since))
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Where the trace goes. Nothing binary goes to a terminal.
fn open(flags: &Flags) -> Result<Box<dyn Write>, Failure> {
    let room = 256 * 1024;
    let path = flags
        .output
        .as_deref()
        .filter(|path| *path != Path::new("-"));
    let Some(path) = path else {
        let stdout = std::io::stdout();
        if flags.format == Format::Perfetto && stdout.is_terminal() {
            let text = "a Perfetto trace is binary and no use on a terminal: name a file with -o, or redirect the output";
            return Err(Failure::Input(text.into()));
        }
        return Ok(Box::new(BufWriter::with_capacity(room, stdout)));
    };
    let file = File::create(path).map_err(|error| Failure::File(path.into(), error))?;
    Ok(Box::new(BufWriter::with_capacity(room, file)))
}

/// Events on their way from the rings to the file.
struct Stream<'a> {
    target: &'a Target,
    cursor: Cursor,
    exporter: Exporter<'a, Box<dyn Write>>,
    /// The engine at the last look.
    snapshot: Snapshot,
    /// When we began, on the segment's clock.
    begun: u64,
    looked: Instant,
    /// Losses without a place that the exporter was told of.
    no_ring: u64,
    damaged: usize,
    progress: Progress,
}

impl Stream<'_> {
    /// Exports until that stamp. Returns whether it was interrupted before.
    fn run(&mut self, mut until: u64, stop: &Interrupt) -> Result<bool, Failure> {
        let started = Instant::now();
        let mut interrupted = false;
        loop {
            let now = self.begun.saturating_add(ns(started.elapsed()));
            if stop.requested() && !interrupted {
                interrupted = true;
                until = until.min(now);
            }
            // What was emitted until then has come up by now, or never will.
            let settled = now > until.saturating_add(2 * MERGE_DELAY_NS);
            match self.cursor.next(now) {
                Next::Record(event) if event.at > until => break,
                Next::Record(event) => self.event(&event)?,
                Next::Lost(_) => self.lost()?,
                Next::Idle if settled => break,
                Next::Idle => {
                    self.look(BETWEEN_LOOKS)?;
                    sleep(PAUSE);
                }
                Next::WriterGone | Next::End => break,
            }
            self.progress.show(started.elapsed());
        }
        Ok(interrupted)
    }

    fn event(&mut self, event: &Event) -> Result<(), Failure> {
        // What is older than the last look and has no name has none any more.
        if event.at > self.snapshot.at && !self.exporter.names().cover(event) {
            self.look(BETWEEN_NAMES)?;
        }
        self.progress.events += 1;
        Ok(self.exporter.event(event)?)
    }

    /// Of all losses that were met at once the last end counts: up to there something is missing.
    fn lost(&mut self) -> Result<(), Failure> {
        let losses = self.cursor.losses();
        let n = losses
            .iter()
            .fold(0_u64, |n, loss| n.saturating_add(loss.lost));
        let ends = losses.iter().map(|loss| loss.until.unwrap_or(u64::MAX));
        match ends.max() {
            Some(until) => Ok(self.exporter.lost(n, until)?),
            None => Ok(()),
        }
    }

    /// Looks at the engine's state, if the last look is so long ago.
    fn look(&mut self, between: Duration) -> Result<(), Failure> {
        if self.looked.elapsed() < between {
            return Ok(());
        }
        if let Ok(snapshot) = self.target.snapshot() {
            self.exporter.know(&snapshot);
            self.snapshot = snapshot;
        }
        self.looked = Instant::now();
        self.note_gaps()
    }

    /// Losses that have no place among the events: from there on anything may be missing.
    fn note_gaps(&mut self) -> Result<(), Failure> {
        let (no_ring, damaged) = (self.snapshot.lost_no_ring, self.cursor.damaged());
        let news = no_ring.saturating_sub(self.no_ring);
        if news > 0 || damaged > self.damaged {
            (self.no_ring, self.damaged) = (no_ring, damaged);
            self.exporter.lost(news, u64::MAX)?;
        }
        Ok(())
    }

    /// Ends the file, and says what it came to.
    fn finish(mut self, path: Option<&Path>) -> Result<(), Failure> {
        self.note_gaps()?;
        self.progress.end();
        let summary = self.exporter.finish(&self.snapshot)?;
        let lost = summary.lost;
        if let Some(path) = path {
            let (events, path) = (summary.events, path.display().to_string());
            let path = wq_trace::clean_text(&path, 4_096);
            eprintln!("wq-dump: {events} events, {lost} lost: {path}");
        } else if lost > 0 {
            eprintln!("wq-dump: {lost} events were lost before they could be read");
        }
        if summary.undrawn_waits > 0 {
            let n = summary.undrawn_waits;
            eprintln!("wq-dump: {n} waits are left out: too many at once");
        }
        Ok(())
    }
}
