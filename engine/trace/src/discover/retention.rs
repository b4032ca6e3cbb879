//! Which segments of engines that are gone are kept, and how long.

use super::{Found, is_dot_name, list_in};
use crate::clock::monotonic_now;
use crate::place::{is_numbered, open_dir_if_there, parse_file_name, runtime_dirs};
use crate::process;
use crate::reader::Reader;
use crate::snapshot::Liveness;
use rustix::fd::OwnedFd;
use rustix::fs::AtFlags;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Crashed engines of one name whose segments are kept.
const KEPT: usize = 3;
/// How long they are kept.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
/// A file that is being built is left alone this long, whatever its process looks like from here.
const BUILDING: Duration = Duration::from_secs(10);

/// Removes what an engine that starts removes: segments of ended engines, of crashed ones of its own `name` all but the
/// newest three of the last day, and files that never became segments. Failures stay: the next engine tries again.
pub(crate) fn remove_leftovers(dir: &Path, name: &str) {
    let Some(fd) = open_dir_if_there(dir) else {
        return;
    };
    let found = list_in(dir);
    for ended in found.iter().filter(|found| found.state == Liveness::Ended) {
        remove(&fd, &ended.path);
    }
    // One moment for all: reading them takes time, and they are compared.
    let now = monotonic_now();
    let mut crashed: Vec<_> = found
        .iter()
        .filter(|found| found.state == Liveness::Dead && is_numbered(&found.name, name))
        .map(|found| (age(&found.path, now), &found.path))
        .collect();
    crashed.sort();
    for (index, (age, path)) in crashed.iter().enumerate() {
        if index >= KEPT || *age > KEPT_FOR {
            remove(&fd, path);
        }
    }
    for path in never_finished(dir) {
        remove(&fd, &path);
    }
}

/// Removes all segments of this user's engines that are gone, and returns them.
pub fn gc() -> Vec<PathBuf> {
    let mut removed = Vec::new();
    for dir in runtime_dirs(false) {
        let Some(fd) = open_dir_if_there(&dir) else {
            continue;
        };
        let gone = list_in(&dir)
            .into_iter()
            .filter(is_gone)
            .map(|found| found.path);
        removed.extend(
            gone.chain(never_finished(&dir))
                .filter(|path| remove(&fd, path)),
        );
    }
    removed
}

/// Whether an engine is gone; of a segment that cannot be read, whether its process is.
fn is_gone(found: &Found) -> bool {
    match found.state {
        Liveness::Ended | Liveness::Dead => true,
        Liveness::Live | Liveness::Recorded => false,
        Liveness::Unknown => {
            found.problem.is_some()
                && !process::exists(found.pid)
                && untouched_for(&found.path) > BUILDING
        }
    }
}

/// Files whose process was killed while it built them.
fn never_finished(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let stale = entries.filter(|entry| {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| is_dot_name(name)) else {
            return false;
        };
        parse_file_name(OsStr::new(&name[1..])).is_some_and(|(pid, _)| {
            !process::exists(pid) && untouched_for(&entry.path()) > BUILDING
        })
    });
    stale.map(|entry| entry.path()).collect()
}

/// How long before `now` a crashed engine gave its last sign of life.
fn age(path: &Path, now: u64) -> Duration {
    // A mapping's stores do not touch the file's own time: ask what stands in it. A stamp from the future is one from
    // before the last boot.
    let last = Reader::open(path)
        .ok()
        .and_then(|reader| Some(reader.snapshot().ok()?.at));
    match last.and_then(|last| now.checked_sub(last)) {
        Some(age) => Duration::from_nanos(age),
        None => untouched_for(path),
    }
}

/// How long ago a file was made or grew; zero when that cannot be told.
fn untouched_for(path: &Path) -> Duration {
    let modified = std::fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
    modified
        .ok()
        .and_then(|time| time.elapsed().ok())
        .unwrap_or_default()
}

/// Removes a file from the directory, whatever that is called by now.
fn remove(dir: &OwnedFd, path: &Path) -> bool {
    let Some(name) = path.file_name() else {
        return false;
    };
    rustix::fs::unlinkat(dir, name, AtFlags::empty()).is_ok()
}
