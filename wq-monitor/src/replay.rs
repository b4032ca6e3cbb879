//! The seam to an engine in this process that replays a script.

use std::path::Path;

/// A script that is being replayed. Dropping it abandons the script and ends the engine.
pub trait Replay {
    /// The segment that the engine writes.
    fn segment(&self) -> &Path;

    /// How far it is, in a few words: `mixed 12 s of 60 s`.
    fn progress(&self) -> String;

    /// How it went, once it is over.
    fn finished(&self) -> Option<Result<String, String>>;
}

/// What the header says of it.
pub fn status(replay: &dyn Replay) -> String {
    match replay.finished() {
        None => replay.progress(),
        Some(Ok(report)) => format!("finished: {report}"),
        Some(Err(report)) => format!("failed: {report}"),
    }
}
