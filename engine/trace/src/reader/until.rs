//! The events of an engine that is gone, taken up to one state of it after the other.

use super::cursor::{Cursor, Next};
use crate::event::Event;

/// A way through what is left of an engine: a recording, or the segment of one that ended.
#[derive(Debug)]
pub struct UpTo {
    cursor: Cursor,
    /// The first event that is younger than the last state.
    ahead: Option<Event>,
}

impl UpTo {
    /// From where the cursor is.
    pub fn new(cursor: Cursor) -> Self {
        Self {
            cursor,
            ahead: None,
        }
    }

    /// Gives out the events that are no younger than `at`, in nanoseconds on the segment's clock. Returns how many were
    /// missed among them: see [`Cursor::take_missed`].
    pub fn each(&mut self, at: u64, mut give: impl FnMut(&Event)) -> u64 {
        loop {
            let ahead = self.ahead.take().map(Next::Record);
            match ahead.unwrap_or_else(|| self.cursor.next(u64::MAX)) {
                Next::Record(event) if event.at > at => {
                    self.ahead = Some(event);
                    break;
                }
                Next::Record(event) => give(&event),
                Next::Lost(_) => {}
                Next::Idle | Next::WriterGone | Next::End => break,
            }
        }
        self.cursor.take_missed()
    }
}
