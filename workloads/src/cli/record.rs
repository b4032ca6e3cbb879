//! `--record`: what a replay's engine does, into a file.

use super::{Cli, CliError};
use crate::exec;
use crate::style::Style;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use wq_trace::{Reader, RecordingError, RecordingFileError, RecordingSession, create_recording};

impl From<RecordingFileError> for CliError {
    fn from(error: RecordingFileError) -> Self {
        Self::Input(error.to_string())
    }
}

/// A recording of a replay's engine.
#[derive(Debug)]
pub(super) struct Taping {
    path: PathBuf,
    session: RecordingSession<File>,
    /// Why it cannot go on. The replay does.
    failed: Option<RecordingError>,
}

impl Taping {
    /// Begins to record. `file` is open already, so that a replay never runs for a recording that cannot be made.
    pub(super) fn start(path: &Path, file: File, reader: Reader) -> Result<Self, CliError> {
        let session = RecordingSession::new(reader, file).map_err(|source| CliError::Io {
            what: format!("cannot record to {}", path.display()),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            session,
            failed: None,
        })
    }

    /// Takes in what is new.
    pub(super) fn poll(&mut self) {
        if self.failed.is_none() {
            self.failed = self.session.poll(exec::now()).err();
        }
    }

    /// Takes in the rest, and says what was recorded.
    pub(super) fn finish(mut self, cli: &Cli) -> Result<(), CliError> {
        let path = self.path.display();
        let failed = |error| CliError::Input(format!("{path}: {error}"));
        if let Some(error) = self.failed.take() {
            return Err(failed(error));
        }
        let end = self.session.finish().map_err(failed)?;
        let events = end.events;
        let mut stderr = io::stderr().lock();
        let style = Style::for_stream(cli.color, &stderr);
        let lost = format!("{} lost", end.lost);
        let lost = match end.lost {
            0 => lost,
            _ => style.bad(&lost).to_string(),
        };
        // When even this fails there is nobody left to tell.
        let _ = writeln!(stderr, "recorded {events} events ({lost}) to {path}");
        Ok(())
    }
}

/// The file to record to, if one is asked for.
pub(super) fn file(path: Option<&Path>) -> Result<Option<(&Path, File)>, CliError> {
    path.map(|path| Ok((path, create_recording(path)?)))
        .transpose()
}
