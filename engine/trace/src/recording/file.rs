//! The file that a recording is written to.

use super::Recorder;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Why a recording cannot be written to a file.
#[derive(Debug, thiserror::Error)]
pub enum RecordingFileError {
    /// There is something in it already.
    #[error("{path}: not empty, and a recording overwrites nothing: name another file, or remove it", path = .path.display())]
    NotEmpty {
        /// The file.
        path: PathBuf,
    },
    /// Another recorder writes to it.
    #[error("{path}: another recorder is writing to it", path = .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be opened for writing.
    #[error("{path}: cannot be recorded to: {error}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        error: io::Error,
    },
}

/// Opens a file for a [`crate::Recorder`]: a new one (0600), or one that is empty. It is only ever appended to.
///
/// # Errors
/// It is not empty, in use, or cannot be opened.
pub fn create_recording(path: &Path) -> Result<File, RecordingFileError> {
    let failed = |error| RecordingFileError::Io {
        path: path.to_owned(),
        error,
    };
    let opened = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path);
    let file = opened.map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    // A device, such as /dev/null, may be written to by as many as like.
    if metadata.is_file() {
        let path = path.to_owned();
        // Where files cannot be locked, two recorders are left to notice each other by the file's size.
        if flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
            return Err(RecordingFileError::InUse { path });
        }
        if file.metadata().map_err(failed)?.len() > 0 {
            return Err(RecordingFileError::NotEmpty { path });
        }
    }
    Ok(file)
}

impl Recorder<File> {
    /// Begins a recording in a file that is new or empty ([`create_recording`]).
    ///
    /// # Errors
    /// The file holds something, is in use, or cannot be written.
    pub fn create(path: &Path) -> Result<Self, RecordingFileError> {
        Self::new(create_recording(path)?).map_err(|error| RecordingFileError::Io {
            path: path.to_owned(),
            error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.wqrec");
        let mut file = create_recording(&path).unwrap();
        let error = create_recording(&path).unwrap_err();
        assert!(matches!(error, RecordingFileError::InUse { .. }), "{error}");
        file.write_all(b"x").unwrap();
        drop(file);
        let error = create_recording(&path).unwrap_err();
        assert!(error.to_string().contains("not empty"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"x");
        std::fs::write(&path, "").unwrap();
        assert!(create_recording(&path).is_ok(), "as mktemp leaves it");
    }

    #[test]
    fn other_files_say_why_not() {
        let folder = tempfile::tempdir().unwrap();
        let error = create_recording(folder.path()).unwrap_err();
        assert!(matches!(error, RecordingFileError::Io { .. }), "{error}");
        let nowhere = folder.path().join("no/such/folder");
        let error = create_recording(&nowhere).unwrap_err().to_string();
        assert!(error.contains("no/such/folder"), "{error}");
    }
}
