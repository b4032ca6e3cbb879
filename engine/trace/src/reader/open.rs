//! From a file to what can be read: a segment or a recording, or why it is neither.

use super::error::{OpenError, ReadError};
use super::head::Head;
use super::recorded::Recording;
use super::source::{Source, read_words};
use crate::layout::VERSION;
use crate::recording;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens for reading what may be planted: no link, no pipe that waits, no device.
pub(super) fn open_file(path: &Path) -> Result<File, OpenError> {
    let owned = || path.to_owned();
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|error| match error.kind() {
        ErrorKind::NotFound => OpenError::NotThere { path: owned() },
        ErrorKind::PermissionDenied => OpenError::NotPermitted { path: owned() },
        _ if error.raw_os_error() == Some(libc::ELOOP) => OpenError::NotASegment {
            path: owned(),
            why: "is a symbolic link",
        },
        _ => OpenError::Io {
            path: owned(),
            error,
        },
    })?;
    let metadata = file.metadata().map_err(|error| OpenError::Io {
        path: owned(),
        error,
    })?;
    if !metadata.is_file() {
        let why = "is no regular file";
        return Err(OpenError::NotASegment { path: owned(), why });
    }
    Ok(file)
}

/// Why a source is not opened, before the path is known.
pub(super) enum Refusal {
    NotReady,
    NotASegment(&'static str),
    WrongVersion { found: (u16, u16), readable: u16 },
    Read(ReadError),
}

impl Refusal {
    pub(super) fn at(self, path: &Path) -> OpenError {
        let path = path.to_owned();
        match self {
            Self::NotReady => OpenError::NotReady { path },
            Self::NotASegment(why) => OpenError::NotASegment { path, why },
            Self::WrongVersion { found, readable } => OpenError::WrongVersion {
                path,
                found,
                readable,
            },
            Self::Read(error) => OpenError::Read { path, error },
        }
    }
}

/// Whether this can be read: its beginning, its version, its directory. A recording is read.
pub(super) fn check(source: &dyn Source) -> Result<Option<Recording>, Refusal> {
    let mut magic = [0];
    match read_words(source, 0, &mut magic) {
        Err(ReadError::Truncated { offset: 0 }) => return Err(Refusal::NotReady),
        Err(ReadError::Truncated { .. }) => return Err(Refusal::NotASegment("is too short")),
        Err(error) => return Err(Refusal::Read(error)),
        Ok(()) if magic[0].to_le_bytes() == recording::MAGIC => {
            return open_recording(source).map(Some);
        }
        Ok(()) => {}
    }
    let head = match Head::read(source) {
        Ok(head) => head,
        Err(_) if magic[0] != crate::layout::MAGIC => {
            return Err(Refusal::NotASegment("does not begin like one"));
        }
        Err(error) => return Err(Refusal::Read(error)),
    };
    match (head.has_magic(), head.version()) {
        (false, None) if magic[0] == 0 => Err(Refusal::NotReady),
        (false, _) => Err(Refusal::NotASegment("does not begin like one")),
        (true, None) => Err(Refusal::NotReady),
        (true, Some(found)) if found.0 != VERSION.0 => Err(Refusal::WrongVersion {
            found,
            readable: VERSION.0,
        }),
        (true, Some(_)) => head.chunks(source, 0).map(|_| None).map_err(Refusal::Read),
    }
}

/// Reads what begins like a recording.
fn open_recording(source: &dyn Source) -> Result<Recording, Refusal> {
    let mut words = [0; recording::HEAD / 8];
    read_words(source, 0, &mut words).map_err(Refusal::Read)?;
    let mut head = [0; recording::HEAD];
    for (bytes, word) in head.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    let Some(found) = recording::version(&head) else {
        return Err(Refusal::Read(ReadError::Damaged {
            offset: 8,
            what: "a recording's head",
        }));
    };
    let readable = recording::RECORDING_VERSION.0;
    if found.0 != readable {
        return Err(Refusal::WrongVersion { found, readable });
    }
    Recording::read(source, found).map_err(Refusal::Read)
}
