//! A segment as a source: a live engine's, or one that was left behind.

use super::{Source, Update};
use std::path::Path;
use wq_trace::{Cursor, From, Liveness, Next, OpenError, Reader};

/// Events taken in one go; the rest waits, so that keys are answered meanwhile.
const AT_ONCE: usize = 200_000;

/// Reads a segment.
#[derive(Debug)]
pub struct SegmentSource {
    reader: Reader,
    /// `None` when nobody wants events.
    cursor: Option<Cursor>,
    /// Whether everything that was there at first has been read.
    caught_up: bool,
    /// Whether the last state of an engine that is gone was read.
    done: bool,
    liveness: Liveness,
}

impl SegmentSource {
    /// Opens a segment; with `events`, from the oldest one that is there.
    ///
    /// # Errors
    /// When it is no segment that can be read.
    pub fn open(path: &Path, events: bool) -> Result<Self, OpenError> {
        Ok(Self::over(Reader::open(path)?, events))
    }

    /// Reads through `reader`.
    pub fn over(reader: Reader, events: bool) -> Self {
        let cursor = events.then(|| reader.cursor(From::Oldest));
        Self {
            reader,
            cursor,
            caught_up: false,
            done: false,
            liveness: Liveness::Unknown,
        }
    }

    /// Takes in the events that are there, up to a bound.
    fn events(&mut self, now: u64, update: &mut Update) {
        let Some(cursor) = &mut self.cursor else {
            return;
        };
        while update.events.len() < AT_ONCE {
            match cursor.next(now) {
                Next::Record(event) => update.events.push(event),
                // What was overwritten before anybody looked is history, not loss.
                Next::Lost(n) if self.caught_up => update.lost = update.lost.saturating_add(n),
                Next::Lost(_) => {}
                Next::Idle => {
                    self.caught_up = true;
                    return;
                }
                Next::WriterGone | Next::End => {
                    self.cursor = None;
                    return;
                }
            }
        }
    }
}

impl Source for SegmentSource {
    fn poll(&mut self, now: u64, snapshot: bool) -> Update {
        let mut update = Update {
            liveness: self.liveness,
            ..Update::default()
        };
        if self.done {
            return update;
        }
        self.events(now, &mut update);
        if !snapshot {
            return update;
        }
        match self.reader.liveness() {
            Ok(liveness) => self.liveness = liveness,
            Err(error) => update.problem = Some(self.sentence(&error)),
        }
        update.liveness = self.liveness;
        match self.reader.snapshot() {
            Ok(snapshot) => update.snapshot = Some(snapshot),
            Err(error) => update.problem = Some(self.sentence(&error)),
        }
        let gone = matches!(self.liveness, Liveness::Ended | Liveness::Dead);
        self.done = gone && self.cursor.is_none() && update.problem.is_none();
        update
    }
}

impl SegmentSource {
    fn sentence(&self, error: &wq_trace::ReadError) -> String {
        match self.reader.path() {
            Some(path) => format!("{}: {error}", path.display()),
            None => error.to_string(),
        }
    }
}
