//! Where data come from, as the application sees it.

mod segment;
mod tape;

pub use segment::SegmentSource;
pub use tape::Tape;

use std::path::PathBuf;
use wq_trace::{Event, Liveness, Snapshot};

/// What a source has to say since it was asked last.
#[derive(Debug)]
pub struct Update {
    /// The state, when it was asked for and could be read.
    pub snapshot: Option<Snapshot>,
    /// Earlier states of a recording, the oldest first: its history.
    pub earlier: Vec<Snapshot>,
    /// New events, each ring's in order.
    pub events: Vec<Event>,
    /// Events that were overwritten before they could be read.
    pub lost: u64,
    /// Whether the engine is there.
    pub liveness: Liveness,
    /// What went wrong, as a sentence.
    pub problem: Option<String>,
}

impl Default for Update {
    fn default() -> Self {
        Self {
            snapshot: None,
            earlier: Vec::new(),
            events: Vec::new(),
            lost: 0,
            liveness: Liveness::Live,
            problem: None,
        }
    }
}

/// A live engine, a segment that was left behind, or whatever else knows of workqueues.
pub trait Source {
    /// New events, and the state if `snapshot` is set. `now` is the time on the segment's clock, in nanoseconds.
    fn poll(&mut self, now: u64, snapshot: bool) -> Update;

    /// Nobody will ask any more. Gives back what there is to tell of a recording that was made, as a sentence.
    ///
    /// # Errors
    /// Why the recording is not whole, as a sentence.
    fn finish(&mut self) -> Result<Option<String>, String> {
        Ok(None)
    }
}

/// What is known of an engine at this moment, for who has to choose one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Whose it is.
    pub user: String,
    /// How long it has been running, in nanoseconds.
    pub up: Option<u64>,
    /// Events that it writes a second; known from the second look on.
    pub events_per_s: Option<u64>,
    /// Whether it is there.
    pub liveness: Option<Liveness>,
}

/// An engine that could be watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Engine {
    /// Its process.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Its executable.
    pub exe: String,
    /// Its segment.
    pub path: PathBuf,
    /// What is known of it besides.
    pub about: About,
}
