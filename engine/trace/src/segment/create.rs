//! The segment's file: its directory, its name, and its publication.

use super::config::{SegmentConfig, SegmentProblem};
use super::head;
use super::store::Store;
use crate::layout::{ClockKind, Geometry};
use crate::place::{ENDING, MOST_OF_A_NAME, ProblemCause, io, numbered, open_dir};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Makes a file with a complete head, and gives it its name.
pub(super) fn file(
    path: &Path,
    config: &SegmentConfig,
    now: u64,
) -> Result<(Store, PathBuf), SegmentProblem> {
    // Engines that start at once in one process would otherwise try the same names.
    static STARTING: Mutex<()> = Mutex::new(());
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    let at = |cause| SegmentProblem {
        path: path.to_owned(),
        cause,
    };
    let dir = open_dir(path).map_err(at)?;
    let name = config.file_name();
    let hidden = format!(".{}-{name}{ENDING}", std::process::id());
    let file = open_new(&dir, &hidden).map_err(at)?;
    let named = fill_and_name(config, now, file, &dir, &hidden, &name);
    let (store, name) = named.map_err(|cause| {
        // Best effort: what stays is removed by a later engine.
        let _ = rustix::fs::unlinkat(&*dir, hidden.as_str(), AtFlags::empty());
        at(cause)
    })?;
    Ok((store, path.join(name)))
}

fn fill_and_name(
    config: &SegmentConfig,
    now: u64,
    file: OwnedFd,
    dir: &OwnedFd,
    hidden: &str,
    base: &str,
) -> Result<(Store, String), ProblemCause> {
    let geometry = Geometry::for_pages(rustix::param::page_size());
    let store = Store::file(file, geometry, config.budget)
        .map_err(|error| io("reserve space for a segment", error))?;
    head::fill(store.head(), config, base, ClockKind::Monotonic, now);
    for n in 1..=MOST_OF_A_NAME {
        let name = numbered(base, n);
        head::set_name(store.head(), &name);
        head::publish(store.head());
        let visible = format!("{}-{name}{ENDING}", std::process::id());
        match rename_new(dir, hidden, &visible) {
            Ok(()) => return Ok((store, visible)),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(io("rename a segment", error)),
        }
    }
    Err(ProblemCause::TooMany)
}

/// Makes a file that was not there. One of that name is a leftover: of this process, or of one with the same number.
fn open_new(dir: &OwnedFd, name: &str) -> Result<OwnedFd, ProblemCause> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = || rustix::fs::openat(dir, name, flags, Mode::RUSR | Mode::WUSR);
    let opened = match open() {
        Err(Errno::EXIST) => {
            // Should it not be ours to remove, the second attempt says so.
            let _ = rustix::fs::unlinkat(dir, name, AtFlags::empty());
            open()
        }
        other => other,
    };
    opened.map_err(|error| io("create a segment", error))
}

/// Renames without replacing anything.
fn rename_new(dir: &OwnedFd, from: &str, to: &str) -> Result<(), Errno> {
    let dir = dir.as_fd();
    match rustix::fs::renameat_with(dir, from, dir, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => {}
        other => return other,
    }
    // A file system without that: a link refuses to replace, too.
    rustix::fs::linkat(dir, from, dir, to, AtFlags::empty())?;
    rustix::fs::unlinkat(dir, from, AtFlags::empty())
}
