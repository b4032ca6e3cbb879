//! The window that is kept, written to a file of its own.

use crate::request::{Kind, Request};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use wq_trace::export::Format;
use wq_trace::past::Past;
use wq_trace::save::{Saved, recording, trace};
use wq_trace::units;

/// Writes files while the screen goes on: a second of writing would be a second of events lost.
#[derive(Debug, Default)]
pub struct Writer {
    job: Option<JoinHandle<Result<String, String>>>,
}

impl Writer {
    /// Begins to write what `past` keeps to a new file in the current folder.
    ///
    /// # Errors
    /// Why it cannot, as a sentence.
    pub fn start(&mut self, past: &Past, request: Request) -> Result<(), String> {
        if self.job.is_some() {
            return Err("the last file is not written yet".to_owned());
        }
        let past = past.kept();
        let job = std::thread::Builder::new()
            .name("wq-monitor-save".to_owned())
            .spawn(move || write(&past, &request, Path::new("")));
        self.job = Some(job.map_err(|error| format!("no thread to write with: {error}"))?);
        Ok(())
    }

    /// How it went, once it is over.
    pub fn done(&mut self) -> Option<Result<String, String>> {
        self.job
            .as_ref()
            .is_some_and(JoinHandle::is_finished)
            .then(|| self.finish())?
    }

    /// Waits until it is over. Gives back how it went, if there was anything to write.
    pub fn finish(&mut self) -> Option<Result<String, String>> {
        let job = self.job.take()?;
        Some(
            job.join()
                .unwrap_or_else(|_| Err("writing the file failed".to_owned())),
        )
    }
}

/// Names that are tried before giving up.
const NAMES: u32 = 1_000;

/// Writes what `past` keeps to a new file in `folder` (the current one if it has no name), and says where and what.
///
/// # Errors
/// Why there is no such file, as a sentence.
pub fn write(past: &Past, request: &Request, folder: &Path) -> Result<String, String> {
    let (path, file) = create(request, folder)
        .map_err(|error| format!("cannot write to {}: {error}", named(folder)))?;
    let out = BufWriter::with_capacity(256 << 10, file);
    let saved = match request.kind {
        Kind::Recording => recording(past, out, request.end),
        Kind::Perfetto => trace(past, Format::Perfetto, out),
    };
    match saved {
        Ok(saved) => Ok(said(&path, &saved)),
        Err(error) => {
            // Half a file would pass for a whole one. When that fails too, the first reason is the one to tell.
            let _ = std::fs::remove_file(&path);
            Err(format!("{} cannot be written: {error}", path.display()))
        }
    }
}

/// A new file: one that is there is never written over.
fn create(request: &Request, folder: &Path) -> io::Result<(PathBuf, File)> {
    let mut number = 1;
    loop {
        let more = match number {
            1 => String::new(),
            n => format!("-{n}"),
        };
        let name = format!("{}{more}.{}", request.stem, request.kind.ending());
        let path = folder.join(name);
        let mut options = OpenOptions::new();
        match options.write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < NAMES => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// The folder in words; the current one has no name.
fn named(folder: &Path) -> String {
    match folder.as_os_str().is_empty() {
        true => "this folder".to_owned(),
        false => folder.display().to_string(),
    }
}

fn said(path: &Path, saved: &Saved) -> String {
    let states = if saved.states == 1 { "state" } else { "states" };
    let lost = match saved.lost {
        0 => String::new(),
        lost => format!(", {} lost", units::count(lost)),
    };
    format!(
        "wrote {}: {} {states}, {} events of {}{lost}",
        path.display(),
        saved.states,
        units::count(saved.events as u64),
        units::duration(saved.length),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use wq_trace::past::Keep;
    use wq_trace::{Reader, RecordingEnd, Snapshot};

    fn request(kind: Kind) -> Request {
        Request {
            kind,
            stem: "wq-mixed-7".to_owned(),
            end: RecordingEnd::Stopped,
        }
    }

    #[test]
    fn nothing_is_overwritten_and_what_is_written_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut past = Past::new(Keep::default());
        past.snapshot(&Snapshot {
            at: 5,
            ..Snapshot::default()
        });
        let write = |kind| write(&past, &request(kind), folder.path());
        let first = write(Kind::Recording).unwrap();
        assert!(
            first.contains("wq-mixed-7.wqrec: 1 state, 0 events"),
            "{first}"
        );
        let second = write(Kind::Recording).unwrap();
        assert!(second.contains("wq-mixed-7-2.wqrec"), "{second}");
        assert!(
            write(Kind::Perfetto)
                .unwrap()
                .contains("wq-mixed-7.pftrace")
        );
        let read = Reader::open(&folder.path().join("wq-mixed-7-2.wqrec")).unwrap();
        assert_eq!(read.snapshot().unwrap().at, 5);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_not_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = Past::new(Keep::default());
        let error = write(&nothing, &request(Kind::Recording), folder.path()).unwrap_err();
        assert!(error.contains("nothing was read yet"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let nowhere = folder.path().join("gone");
        let error = write(&nothing, &request(Kind::Perfetto), &nowhere).unwrap_err();
        assert!(
            error.contains("cannot write to") && error.contains("gone"),
            "{error}"
        );
    }
}
