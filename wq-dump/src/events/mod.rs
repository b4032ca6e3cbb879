//! `events`: what is in the rings at this moment, merged by time; with `--follow` also what is emitted from then on.

mod choice;
mod loss;

use crate::args::{Common, Events};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::target::Target;
pub use choice::Choice;
use loss::{Gap, Totals};
use std::thread::sleep;
use std::time::{Duration, Instant};
use wq_trace::{Cursor, Event, MERGE_DELAY_NS, Names, Next, Snapshot, Value, text};

/// How long to wait for the next event: a ring that is written a million times a second laps in four times that.
const PAUSE: Duration = Duration::from_millis(1);
/// ... and when following an engine that has said nothing for so long: its watcher should cost next to nothing.
const QUIET_PAUSE: Duration = Duration::from_millis(5);
const QUIET_NS: u64 = 1_000_000_000;

/// Prints the events of the engine asked for, and what was lost of them.
pub fn run(common: &Common, flags: &Events, output: &mut Output) -> Result<(), Failure> {
    let target = Target::open(common)?;
    let interrupt = Interrupt::install().map_err(Failure::Signals)?;
    // The cursor first: what the snapshot names covers what the cursor then finds.
    let cursor = target.cursor();
    let snapshot = target.snapshot()?;
    if !common.json {
        output.text(text::HEADER)?;
        output.text("\n")?;
        output.text(&target.headline(&snapshot))?;
    }
    let running = target.running();
    let mut stream = Stream {
        choice: Choice::new(flags, snapshot.at),
        names: target.names(&snapshot),
        snapshot,
        target: &target,
        cursor,
        json: common.json,
        output,
        gaps: Vec::new(),
        totals: Totals::default(),
    };
    let end = stream.print(flags.follow && running, running, &interrupt)?;
    stream.finish()?;
    match end {
        End::Interrupted => Err(Failure::Interrupted),
        End::Killed if running && flags.follow && common.pid.is_some() => {
            let meta = &stream.snapshot.meta;
            let text = format!("engine {} of process {} was killed", meta.name, meta.pid);
            Err(Failure::Target(text))
        }
        End::Done | End::Killed => Ok(()),
    }
}

/// Why there is nothing more to print.
enum End {
    /// All is printed that was asked for.
    Done,
    /// The engine's process went without a word.
    Killed,
    Interrupted,
}

/// Events on their way from the rings to the output.
struct Stream<'a> {
    target: &'a Target,
    cursor: Cursor,
    /// The engine when names were last looked up.
    snapshot: Snapshot,
    names: Names,
    choice: Choice<'a>,
    json: bool,
    output: &'a mut Output,
    /// Losses that are older than what has been printed so far.
    gaps: Vec<Gap>,
    totals: Totals,
}

impl Stream<'_> {
    /// Prints until the end. A busy engine writes on and on: who does not follow it takes the beginning as `now`, who
    /// is interrupted that moment.
    fn print(&mut self, follow: bool, running: bool, stop: &Interrupt) -> Result<End, Failure> {
        let (begun, started) = (self.snapshot.at, Instant::now());
        let (mut interrupted, mut news) = (false, begun);
        let mut until = match (follow, running) {
            (false, true) => begun,
            (true, _) | (_, false) => u64::MAX,
        };
        loop {
            let passed = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            let now = begun.saturating_add(passed);
            if stop.requested() && !interrupted {
                interrupted = true;
                until = until.min(now);
            }
            let ended = if interrupted {
                End::Interrupted
            } else {
                End::Done
            };
            // What was emitted until then has come up by now, or never will.
            let settled = now > until.saturating_add(2 * MERGE_DELAY_NS);
            match self.cursor.next(now) {
                Next::Record(event) if event.at > until => return Ok(ended),
                Next::Record(event) => {
                    news = now;
                    self.event(&event)?;
                }
                Next::Lost(_) => self.lost(),
                Next::Idle if settled => return Ok(ended),
                Next::Idle => {
                    // Whoever reads the pipe gets all that there is before we wait.
                    self.output.finish()?;
                    let quiet = follow && now > news.saturating_add(QUIET_NS);
                    sleep(if quiet { QUIET_PAUSE } else { PAUSE });
                }
                Next::End => return Ok(ended),
                Next::WriterGone if interrupted => return Ok(ended),
                Next::WriterGone => return Ok(End::Killed),
            }
        }
    }

    fn event(&mut self, event: &Event) -> Result<(), Failure> {
        // What is older than the last look and has no name has none any more.
        if event.at > self.snapshot.at && !self.names.cover(event) {
            self.look_up();
        }
        self.gaps_before(event.at)?;
        if !self.choice.takes(event, &self.names) {
            return Ok(());
        }
        self.totals.printed += 1;
        if self.json {
            let object = Value::Object(text::object(event, &self.names));
            self.output.json_line(&object)
        } else {
            let mut line = text::line(event, &self.names);
            line.push('\n');
            self.output.text(&line)
        }
    }

    /// Takes the names of what is there by now.
    fn look_up(&mut self) {
        if let Ok(snapshot) = self.target.snapshot() {
            self.names.update(&snapshot);
            self.snapshot = snapshot;
        }
    }

    /// Notes what was lost, with the thread that it is of. What is older than anything asked for is no loss here.
    fn lost(&mut self) {
        // A ring may have changed hands, or be new.
        self.look_up();
        for loss in self.cursor.losses() {
            if loss.until.is_none_or(|until| self.choice.is_recent(until)) {
                let gap = Gap::new(&loss, &self.snapshot, &self.names);
                self.totals.overwritten = self.totals.overwritten.saturating_add(gap.lost);
                self.gaps.push(gap);
            }
        }
    }

    /// Prints the gaps that end before `at`: each stands before the first event after it.
    fn gaps_before(&mut self, at: u64) -> Result<(), Failure> {
        if self.gaps.is_empty() {
            return Ok(());
        }
        let is_due = |gap: &Gap| gap.until.is_none_or(|until| until <= at);
        let (due, rest) = std::mem::take(&mut self.gaps).into_iter().partition(is_due);
        self.gaps = rest;
        let due: Vec<Gap> = due;
        for gap in due {
            if self.json {
                self.output.json_line(&gap.json())?;
            } else {
                self.output.text(&gap.text())?;
            }
        }
        Ok(())
    }

    /// Prints what it all came to.
    fn finish(&mut self) -> Result<(), Failure> {
        self.gaps_before(u64::MAX)?;
        if let Ok(snapshot) = self.target.snapshot() {
            self.snapshot = snapshot;
        }
        self.totals.close(&self.cursor, &self.snapshot);
        if self.json {
            self.output.json_line(&self.totals.json())?;
        } else {
            self.output.text(&self.totals.text())?;
        }
        self.output.finish()
    }
}
