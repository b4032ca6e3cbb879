//! Why a segment or a recording cannot be opened or read.

use std::io;
use std::path::PathBuf;

/// Why a segment cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such file.
    #[error("{path}: there is no such file", path = .path.display())]
    NotThere {
        /// The file.
        path: PathBuf,
    },
    /// This user may not read it.
    #[error("{path}: not permitted (it belongs to another user)", path = .path.display())]
    NotPermitted {
        /// The file.
        path: PathBuf,
    },
    /// Its engine is just being built, or was killed while it was.
    #[error("{path}: not ready yet, its engine is starting", path = .path.display())]
    NotReady {
        /// The file.
        path: PathBuf,
    },
    /// Another version of the format.
    #[error(
        "{path}: format version {}.{}, but this program reads version {}.x: use the program of the engine's release",
        .found.0, .found.1, .readable,
        path = .path.display()
    )]
    WrongVersion {
        /// The file.
        path: PathBuf,
        /// Its version: (major, minor).
        found: (u16, u16),
        /// The major version that can be read.
        readable: u16,
    },
    /// Something else than a segment or a recording.
    #[error("{path}: not a segment or a recording: it {why}", path = .path.display())]
    NotASegment {
        /// The file.
        path: PathBuf,
        /// `is a directory`, `does not begin like one`, ...
        why: &'static str,
    },
    /// It ends too early, or contradicts itself, or cannot be read.
    #[error("{path}: {error}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What was met.
        error: ReadError,
    },
    /// It cannot be opened.
    #[error("{path}: {error}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        error: io::Error,
    },
}

/// Why a segment cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It ends before what it says it holds.
    #[error("truncated at byte {offset}")]
    Truncated {
        /// The first byte that is missing.
        offset: u64,
    },
    /// It says something that no engine writes.
    #[error("damaged at byte {offset}: {what}")]
    Damaged {
        /// Where that stands.
        offset: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It cannot be read.
    #[error("cannot be read at byte {offset}: {error}")]
    Io {
        /// Where.
        offset: u64,
        /// The system's word.
        error: io::Error,
    },
}
