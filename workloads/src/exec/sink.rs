//! Where a simulation's events go: text, a recording.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use wq_trace::{
    Event, Names, Reader, Recorder, RecordingEnd, RecordingFileError, Segment, Snapshot, text,
};

/// Takes in what happens in a simulation.
pub trait EventSink {
    /// Takes in an event. `segment` holds the state at this moment.
    ///
    /// # Errors
    /// It cannot be written.
    fn add(&mut self, event: &Event, segment: &Segment) -> io::Result<()>;

    /// That was all; `snapshot` is the state at the end.
    ///
    /// # Errors
    /// What is left cannot be written.
    fn end(&mut self, snapshot: &Snapshot) -> io::Result<()>;
}

fn state(segment: &Segment) -> io::Result<Snapshot> {
    Reader::in_memory(segment)
        .snapshot()
        .map_err(io::Error::other)
}

/// Events kept before they are written: names are looked up once for so many.
const TOGETHER: usize = 1 << 15;

/// Event text on its way out.
pub struct EventText<'a> {
    out: &'a mut dyn Write,
    names: Names,
    events: Vec<Event>,
    begun: bool,
}

impl<'a> EventText<'a> {
    /// Writes to `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            names: Names::default(),
            events: Vec::new(),
            begun: false,
        }
    }

    fn write(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        if !self.begun {
            self.begun = true;
            writeln!(self.out, "{}", text::HEADER)?;
        }
        self.names.update(snapshot);
        for event in self.events.drain(..) {
            writeln!(self.out, "{}", text::line(&event, &self.names))?;
        }
        Ok(())
    }
}

/// Keeps where it goes out of `Debug`.
impl std::fmt::Debug for EventText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventText").finish_non_exhaustive()
    }
}

impl EventSink for EventText<'_> {
    fn add(&mut self, event: &Event, segment: &Segment) -> io::Result<()> {
        self.events.push(*event);
        if self.events.len() < TOGETHER {
            return Ok(());
        }
        self.write(&state(segment)?)
    }

    fn end(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        self.write(snapshot)?;
        self.out.flush()
    }
}

/// Between two states in a recording: so much virtual time, in nanoseconds, ...
const BETWEEN_STATES: u64 = 1_000_000_000;
/// ... and so many events, since virtual time costs nothing.
const EVENTS_BETWEEN_STATES: u64 = 1_000;

/// A recording of a simulation.
#[derive(Debug)]
pub struct SimRecording {
    path: PathBuf,
    /// `None` once it has ended.
    recorder: Option<Recorder<File>>,
    next_state: u64,
    events: u64,
}

impl SimRecording {
    /// Begins a recording in a file that is new or empty.
    ///
    /// # Errors
    /// The file holds something, or cannot be written.
    pub fn create(path: &Path) -> Result<Self, RecordingFileError> {
        Ok(Self {
            path: path.to_owned(),
            recorder: Some(Recorder::create(path)?),
            next_state: 0,
            events: 0,
        })
    }

    fn write(&self, done: io::Result<()>) -> io::Result<()> {
        done.map_err(|error| io::Error::other(format!("{}: {error}", self.path.display())))
    }
}

impl EventSink for SimRecording {
    fn add(&mut self, event: &Event, segment: &Segment) -> io::Result<()> {
        let Some(recorder) = &mut self.recorder else {
            return Ok(());
        };
        let mut done = recorder.event(event);
        self.events += 1;
        let due = event.at >= self.next_state && self.events >= EVENTS_BETWEEN_STATES;
        if done.is_ok() && (due || recorder.states() == 0) {
            let mut snapshot = state(segment)?;
            snapshot.at = event.at;
            done = recorder.snapshot(&snapshot);
            self.next_state = event.at.saturating_add(BETWEEN_STATES);
            self.events = 0;
        }
        self.write(done)
    }

    fn end(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        let Some(mut recorder) = self.recorder.take() else {
            return Ok(());
        };
        let done = recorder
            .snapshot(snapshot)
            .and_then(|()| recorder.finish(RecordingEnd::Ended));
        self.write(done.map(drop))
    }
}
