//! The segment's file: its directory, its name, and its publication.

use super::config::{ProblemCause, SegmentConfig, SegmentProblem, numbered};
use super::head;
use super::store::Store;
use crate::layout::{ClockKind, Geometry};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How the names of segments end.
pub(crate) const CANDIDATE_ENDING: &str = ".wqseg";

/// Engines of one name in a process.
const MOST_OF_A_NAME: u32 = 99;

/// Where a segment of this user goes: `$WQ_RUNTIME_DIR`, else `$XDG_RUNTIME_DIR/wq`, else `/dev/shm/wq-UID`.
pub(crate) fn runtime_dir() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(dir) = variable("WQ_RUNTIME_DIR") {
        return dir.into();
    }
    if let Some(dir) = variable("XDG_RUNTIME_DIR") {
        return Path::new(&dir).join("wq");
    }
    PathBuf::from(format!(
        "/dev/shm/wq-{}",
        rustix::process::getuid().as_raw()
    ))
}

/// Makes a file with a complete head, and gives it its name.
pub(super) fn file(config: &SegmentConfig, now: u64) -> Result<(Store, PathBuf), SegmentProblem> {
    // Engines that start at once in one process would otherwise try the same names.
    static STARTING: Mutex<()> = Mutex::new(());
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    let path = config.dir.clone().unwrap_or_else(runtime_dir);
    let at = |cause| SegmentProblem {
        path: path.clone(),
        cause,
    };
    let dir = open_dir(&path).map_err(at)?;
    let name = config.file_name();
    let hidden = format!(".{}-{name}{CANDIDATE_ENDING}", std::process::id());
    let file = open_new(&dir, &hidden).map_err(at)?;
    let named = fill_and_name(config, now, file, &dir, &hidden, &name);
    let (store, name) = named.map_err(|cause| {
        // Best effort: what stays is removed by a later engine.
        let _ = rustix::fs::unlinkat(&dir, hidden.as_str(), AtFlags::empty());
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
    let store = Store::file(file, Geometry::FILE, config.budget)
        .map_err(|error| io("reserve space for a segment", error))?;
    head::fill(store.head(), config, base, ClockKind::Monotonic, now);
    for n in 1..=MOST_OF_A_NAME {
        let name = numbered(base, n);
        head::set_name(store.head(), &name);
        head::publish(store.head());
        let visible = format!("{}-{name}{CANDIDATE_ENDING}", std::process::id());
        match rename_new(dir, hidden, &visible) {
            Ok(()) => return Ok((store, visible)),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(io("rename a segment", error)),
        }
    }
    Err(ProblemCause::TooMany)
}

fn io(step: &'static str, error: Errno) -> ProblemCause {
    ProblemCause::Io {
        step,
        error: error.into(),
    }
}

/// Opens the directory, making it if need be; refuses one that another user could play with.
pub(crate) fn open_dir(path: &Path) -> Result<OwnedFd, ProblemCause> {
    match rustix::fs::mkdir(path, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(io("create the directory", error)),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| match error {
        Errno::NOTDIR | Errno::LOOP => ProblemCause::NotADirectory,
        error => io("open the directory", error),
    })?;
    let stat = rustix::fs::fstat(&dir).map_err(|error| io("look at the directory", error))?;
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(ProblemCause::NotOurs(stat.st_uid));
    }
    Ok(dir)
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
