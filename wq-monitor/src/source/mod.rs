//! Where data come from, as the application sees it.

mod follow;
mod segment;
mod tape;
mod threads;

pub use follow::{Follower, Gone, Successor};
pub use segment::SegmentSource;
pub use tape::Tape;

use std::path::PathBuf;
use wq_trace::model::Threads;
use wq_trace::past::{Gap, Keep};
use wq_trace::{Event, Liveness, Snapshot};

/// What a source has to say since it was asked last.
#[derive(Debug)]
pub struct Update {
    /// The state, when it was asked for and could be read.
    pub snapshot: Option<Snapshot>,
    /// Earlier states of a recording, the oldest first: its history. Told once.
    pub earlier: Vec<Snapshot>,
    /// What the system says of the workers' threads, when it was asked for and may be known.
    pub threads: Option<Threads>,
    /// New events, each ring's in order.
    pub events: Vec<Event>,
    /// Where events are missing among the new ones: each gap with the index of the event that it stands before. What was
    /// overwritten before anybody looked is one, too, though it counts as no loss.
    pub gaps: Vec<(usize, Gap)>,
    /// Events that were overwritten before they could be read.
    pub lost: u64,
    /// Whether the engine is there.
    pub liveness: Liveness,
    /// Another engine than before, which all of this is of.
    pub successor: Option<Successor>,
    /// There is no engine now, but another one is looked for.
    pub waiting: bool,
    /// What went wrong, as a sentence.
    pub problem: Option<String>,
}

impl Default for Update {
    fn default() -> Self {
        Self {
            snapshot: None,
            earlier: Vec::new(),
            threads: None,
            events: Vec::new(),
            gaps: Vec::new(),
            lost: 0,
            liveness: Liveness::Live,
            successor: None,
            waiting: false,
            problem: None,
        }
    }
}

/// A live engine, a segment that was left behind, or whatever else knows of workqueues.
pub trait Source {
    /// New events, and the state if `snapshot` is set. `now` is the time on the segment's clock, in nanoseconds.
    fn poll(&mut self, now: u64, snapshot: bool) -> Update;

    /// How much of what it says is worth keeping for who wants to go back.
    fn keep(&self) -> Keep {
        Keep::default()
    }

    /// Whether to stay with what is there, also when it is gone and another engine has taken its place.
    fn stay(&mut self, stay: bool) {
        let _ = stay;
    }

    /// Whether states come with what the system says of the workers' threads, from now on. Sources that cannot know say nothing.
    fn look_at_threads(&mut self, _wanted: bool) {}

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
