//! An engine that is being recorded: its reader, a way through its events, and the recorder that takes both in.

use crate::reader::{Cursor, From, Loss, Next, ReadError, Reader};
use crate::recording::{Recorder, RecordingEnd};
use crate::snapshot::Liveness;
use std::io::{self, Write};

/// Between two states in a recording, in nanoseconds.
const BETWEEN_STATES: u64 = 1_000_000_000;
/// Events wait at most so long before they are written, in nanoseconds.
const BETWEEN_WRITES: u64 = 100_000_000;
/// Events taken in one go; the rest waits, so that its caller can see to other things meanwhile.
const AT_ONCE: usize = 200_000;

/// Readings of the last events: more than all rings hold, and an end if they still change.
const LAST_LOOKS: usize = 16;

/// A recording that is whole.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<W> {
    /// What it was written to.
    pub out: W,
    /// Events in it.
    pub events: u64,
    /// Events that were overwritten before they could be read.
    pub lost: u64,
    /// How it ends.
    pub end: RecordingEnd,
}

/// Why a recording cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The engine cannot be read.
    #[error("the engine cannot be read: {0}")]
    Read(#[from] ReadError),
    /// The recording cannot be written.
    #[error("the recording cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// Records an engine: its events from the oldest that is there, and its state once a second.
///
/// Rings overwrite: whoever holds it calls [`RecordingSession::poll`] often, every 2 ms or so.
#[derive(Debug)]
pub struct RecordingSession<W> {
    reader: Reader,
    cursor: Cursor,
    recorder: Recorder<W>,
    next_state: u64,
    next_write: u64,
    /// How the engine ended.
    end: Option<RecordingEnd>,
}

impl<W: Write> RecordingSession<W> {
    /// Begins to record.
    ///
    /// # Errors
    /// The recording cannot be written.
    pub fn new(reader: Reader, out: W) -> io::Result<Self> {
        let recorder = Recorder::new(out)?;
        let cursor = reader.cursor(From::Oldest);
        Ok(Self {
            reader,
            cursor,
            recorder,
            next_state: 0,
            next_write: 0,
            end: None,
        })
    }

    /// Takes in what is new. `now` is the time on the segment's clock, in nanoseconds, `u64::MAX` for all that is
    /// there. Returns true as long as there may be more to come.
    ///
    /// # Errors
    /// The engine cannot be read, or the recording not be written.
    pub fn poll(&mut self, now: u64) -> Result<bool, RecordingError> {
        if self.recorder.states() == 0 {
            // Before any event: what is cut off at once can be read, too.
            self.state()?;
        }
        self.events(now)?;
        if now >= self.next_state {
            self.state()?;
            self.next_state = now.saturating_add(BETWEEN_STATES);
        }
        if now >= self.next_write {
            self.recorder.flush()?;
            self.next_write = now.saturating_add(BETWEEN_WRITES);
        }
        Ok(self.end.is_none())
    }

    /// Returns true if there are more at once.
    fn events(&mut self, now: u64) -> io::Result<bool> {
        for _ in 0..AT_ONCE {
            match self.cursor.next(now) {
                Next::Record(event) => self.recorder.event(&event)?,
                Next::Lost(_) => {
                    for loss in self.cursor.losses() {
                        let ring = (loss.ring != Loss::NO_RING).then_some(loss.ring);
                        self.recorder.lost(loss.lost, ring, loss.until)?;
                    }
                }
                Next::Idle => return Ok(false),
                Next::WriterGone => {
                    self.end = Some(RecordingEnd::Gone);
                    return Ok(false);
                }
                Next::End => {
                    // What is recorded may be a recording.
                    let ended = self.reader.liveness().is_ok_and(|it| it == Liveness::Ended);
                    self.end = Some(match ended {
                        true => RecordingEnd::Ended,
                        false => RecordingEnd::Stopped,
                    });
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn state(&mut self) -> Result<(), RecordingError> {
        self.recorder.rings(self.cursor.by_ring())?;
        Ok(self.recorder.snapshot(&self.reader.snapshot()?)?)
    }

    /// What was written so far.
    pub fn recorder(&self) -> &Recorder<W> {
        &self.recorder
    }

    /// Ends the recording with the events up to now and the last state.
    ///
    /// # Errors
    /// As [`RecordingSession::poll`].
    pub fn finish(mut self) -> Result<Recorded<W>, RecordingError> {
        // Nothing older that might still come is waited for.
        for _ in 0..LAST_LOOKS {
            if !self.events(u64::MAX)? {
                break;
            }
        }
        self.state()?;
        let end = self.end.unwrap_or(RecordingEnd::Stopped);
        let (events, lost) = (self.recorder.events(), self.recorder.lost_events());
        let out = self.recorder.finish(end)?;
        Ok(Recorded {
            out,
            events,
            lost,
            end,
        })
    }
}
