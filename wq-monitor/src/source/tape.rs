//! What is watched, on its way into a recording.

use std::fs::File;
use std::path::{Path, PathBuf};
use wq_trace::{Cursor, Event, Loss, Recorder, RecordingEnd, RecordingFileError, Snapshot};

/// Events wait at most so long before they are written, in nanoseconds.
const BETWEEN_WRITES: u64 = 100_000_000;

/// A recording that is being written.
#[derive(Debug)]
pub struct Tape {
    path: PathBuf,
    /// `None` once it cannot be written any more.
    recorder: Option<Recorder<File>>,
    /// Why it cannot.
    problem: Option<String>,
    /// How the engine ended, once it has.
    end: Option<RecordingEnd>,
    next_write: u64,
}

impl Tape {
    /// Begins a recording in a file that is new or empty.
    ///
    /// # Errors
    /// The file holds something, or cannot be written.
    pub fn create(path: &Path) -> Result<Self, RecordingFileError> {
        Ok(Self {
            path: path.to_owned(),
            recorder: Some(Recorder::create(path)?),
            problem: None,
            end: None,
            next_write: 0,
        })
    }

    /// Takes in an event.
    pub fn event(&mut self, event: &Event) {
        self.write(|recorder| recorder.event(event));
    }

    /// Takes in what was lost before the next event.
    pub fn losses(&mut self, losses: &[Loss]) {
        for &Loss { ring, lost, until } in losses {
            let ring = (ring != Loss::NO_RING).then_some(ring);
            self.write(|recorder| recorder.lost(lost, ring, until));
        }
    }

    /// Takes in what the rings came to.
    pub fn rings(&mut self, cursor: &Cursor) {
        self.write(|recorder| recorder.rings(cursor.by_ring()));
    }

    /// Takes in a state.
    pub fn snapshot(&mut self, snapshot: &Snapshot) {
        self.write(|recorder| recorder.snapshot(snapshot));
    }

    /// A round is over: what waits too long is written.
    pub fn round(&mut self, now: u64) {
        if now >= self.next_write {
            self.next_write = now.saturating_add(BETWEEN_WRITES);
            self.write(Recorder::flush);
        }
    }

    /// Notes how the engine ended.
    pub fn ended(&mut self, end: RecordingEnd) {
        self.end = Some(end);
    }

    /// Why nothing is recorded any more, as a sentence.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    fn write(&mut self, what: impl FnOnce(&mut Recorder<File>) -> std::io::Result<()>) {
        let Some(Err(error)) = self.recorder.as_mut().map(what) else {
            return;
        };
        self.stop(&error);
    }

    fn stop(&mut self, error: &std::io::Error) {
        tracing::error!(path = %self.path.display(), %error, "recording stopped");
        self.recorder = None;
        let path = self.path.display();
        self.problem = Some(format!("{path}: recording stopped: {error}"));
    }

    /// Ends the recording, and says what is in it.
    ///
    /// # Errors
    /// Why it could not be written, as a sentence.
    pub fn finish(mut self) -> Result<String, String> {
        if let Some(recorder) = self.recorder.take() {
            let (events, lost) = (recorder.events(), recorder.lost_events());
            let bytes = recorder.bytes();
            match recorder.finish(self.end.unwrap_or(RecordingEnd::Stopped)) {
                Ok(_) => {
                    let path = self.path.display();
                    return Ok(format!(
                        "recorded {events} events ({lost} lost) to {path}, {} KiB",
                        bytes.div_ceil(1024)
                    ));
                }
                Err(error) => self.stop(&error),
            }
        }
        Err(self.problem.unwrap_or_default())
    }
}
