//! Where segments are and what their files are called.

use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How the names of segments end.
pub(crate) const ENDING: &str = ".wqseg";

/// Most bytes of an engine's name in a file name.
pub(crate) const NAME_MAX: usize = 32;

/// Engines of one name in a process.
pub(crate) const MOST_OF_A_NAME: u32 = 99;

/// The name of the `n`th engine of one name in a process: `demo`, `demo.2`, ...
pub(crate) fn numbered(name: &str, n: u32) -> String {
    if n < 2 {
        return name.to_owned();
    }
    let suffix = format!(".{n}");
    // ASCII by construction: any byte is a character's end.
    let kept = name.len().min(NAME_MAX - suffix.len());
    format!("{}{suffix}", &name[..kept])
}

/// The process id and engine name in `PID-NAME.wqseg`.
pub(crate) fn parse_file_name(file: &OsStr) -> Option<(u32, &str)> {
    let (pid, name) = file.to_str()?.strip_suffix(".wqseg")?.split_once('-')?;
    Some((pid.parse().ok()?, name))
}

/// Whether an engine that asked for the name `base` may have got `name`. It cannot be read off `name` alone: `.11` may
/// be a part of what was asked for, and a long name is cut for its number.
pub(crate) fn is_numbered(name: &str, base: &str) -> bool {
    (1..=MOST_OF_A_NAME).any(|n| name == numbered(base, n))
}

/// Where a segment of this user goes: `$WQ_RUNTIME_DIR`, else `$XDG_RUNTIME_DIR/wq`, else `/dev/shm/wq-UID`.
pub(crate) fn runtime_dir() -> PathBuf {
    if let Some(dir) = variable("WQ_RUNTIME_DIR") {
        return dir.into();
    }
    if let Some(dir) = variable("XDG_RUNTIME_DIR") {
        return Path::new(&dir).join("wq");
    }
    PathBuf::from(format!(
        "/dev/shm/wq-{}",
        rustix::process::geteuid().as_raw()
    ))
}

fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Where segments may be: of this user, or of everybody. An engine may have been started with another environment than
/// the tool, by a service manager say; but who sets `$WQ_RUNTIME_DIR` means that place and no other.
pub(crate) fn runtime_dirs(all_users: bool) -> Vec<PathBuf> {
    let mut dirs = vec![runtime_dir()];
    if variable("WQ_RUNTIME_DIR").is_some() {
        return dirs;
    }
    if let Some(dir) = variable("XDG_RUNTIME_DIR") {
        dirs.push(Path::new(&dir).join("wq"));
    }
    let shm = Path::new("/dev/shm");
    dirs.push(shm.join(format!("wq-{}", rustix::process::geteuid().as_raw())));
    if all_users {
        let entries = |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().flatten();
        let of_users = entries(shm).filter(|entry| {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix("wq-"));
            number.is_some_and(|number| number.parse::<u32>().is_ok())
        });
        dirs.extend(of_users.map(|entry| entry.path()));
        let sessions = entries(Path::new("/run/user"));
        dirs.extend(sessions.map(|entry| entry.path().join("wq")));
    }
    let mut seen = std::collections::HashSet::new();
    dirs.retain(|dir| seen.insert(dir.clone()));
    dirs
}

/// The user that a directory is for, where its name says so: `/dev/shm/wq-UID`, `/run/user/UID/wq`.
pub(crate) fn owner_by_name(dir: &Path) -> Option<u32> {
    let parent = dir.parent()?;
    if parent == Path::new("/dev/shm") {
        return dir.file_name()?.to_str()?.strip_prefix("wq-")?.parse().ok();
    }
    if parent.parent()? == Path::new("/run/user") {
        return parent.file_name()?.to_str()?.parse().ok();
    }
    None
}

/// How long the lock on a directory is waited for: its holder may have been stopped.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// The directory, open and locked: nobody else removes or names segments in it, in this process or another. So what
/// was listed is still called the same when it is removed.
#[derive(Debug)]
pub(crate) struct LockedDir {
    fd: OwnedFd,
}

impl LockedDir {
    fn new(fd: OwnedFd) -> Result<Self, ProblemCause> {
        let patience = Instant::now() + LOCK_WAIT;
        loop {
            match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) if Instant::now() < patience => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(Errno::INTR) => {}
                Err(error @ Errno::WOULDBLOCK) => return Err(io("lock the directory", error)),
                // A file system without locks is used as it is.
                Ok(()) | Err(_) => return Ok(Self { fd }),
            }
        }
    }
}

impl Deref for LockedDir {
    type Target = OwnedFd;

    fn deref(&self) -> &OwnedFd {
        &self.fd
    }
}

impl Drop for LockedDir {
    fn drop(&mut self) {
        // Closing would not do: a child forked meanwhile has the descriptor, too.
        let _ = rustix::fs::flock(&self.fd, FlockOperation::Unlock);
    }
}

/// Opens and locks the directory, making it if need be; refuses one that another user could play with.
pub(crate) fn open_dir(path: &Path) -> Result<LockedDir, ProblemCause> {
    match rustix::fs::mkdir(path, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(io("create the directory", error)),
    }
    LockedDir::new(open_existing_dir(path)?)
}

/// Opens and locks the directory, if it is there and this user's.
pub(crate) fn open_dir_if_there(path: &Path) -> Option<LockedDir> {
    LockedDir::new(open_existing_dir(path).ok()?).ok()
}

fn open_existing_dir(path: &Path) -> Result<OwnedFd, ProblemCause> {
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

/// What is wrong with the segment's directory or file.
#[derive(Debug, thiserror::Error)]
pub enum ProblemCause {
    /// The directory is a symbolic link or not a directory.
    #[error("is not a directory, or a symbolic link to one")]
    NotADirectory,
    /// The directory belongs to somebody else.
    #[error("belongs to user {0}, not to this one")]
    NotOurs(u32),
    /// A system call failed: which step, and how.
    #[error("cannot {step}: {error}")]
    Io {
        /// `create the directory`, `reserve 32768 bytes`, ...
        step: &'static str,
        /// The system's word.
        error: std::io::Error,
    },
    /// The segment is as large as it may be.
    #[error("the budget of {0} bytes is spent")]
    Spent(u64),
    /// The segment has as many chunks as it may have.
    #[error("its directory is full")]
    DirectoryFull,
    /// Too many engines of one name in this process.
    #[error("too many engines of this name in one process")]
    TooMany,
}

/// A failed system call.
pub(crate) fn io(step: &'static str, error: Errno) -> ProblemCause {
    ProblemCause::Io {
        step,
        error: error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_engines_are_numbered() {
        assert_eq!(numbered("demo", 1), "demo");
        assert_eq!(numbered("demo", 2), "demo.2");
        assert_eq!(numbered(&"x".repeat(32), 12).len(), 32);
    }

    #[test]
    fn a_numbered_name_is_known_by_what_was_asked_for() {
        assert!(is_numbered("demo", "demo") && is_numbered("demo.2", "demo"));
        assert!(!is_numbered("demo.1", "demo") && !is_numbered("demo.100", "demo"));
        assert!(!is_numbered("demo", "demo.2"));
        assert!(is_numbered("python3.11", "python3.11"));
        assert!(is_numbered("python3.11.2", "python3.11"));
        let long = "x".repeat(32);
        assert!(
            is_numbered(&numbered(&long, 2), &long) && is_numbered(&numbered(&long, 12), &long)
        );
    }

    #[test]
    fn a_directory_may_say_whose_it_is() {
        let owner = |dir| owner_by_name(Path::new(dir));
        assert_eq!(owner("/dev/shm/wq-1000"), Some(1000));
        assert_eq!(owner("/run/user/7/wq"), Some(7));
        for dir in ["/dev/shm/else", "/tmp/wq-1000", "/run/user/x/wq", "/", "wq"] {
            assert_eq!(owner(dir), None, "{dir}");
        }
    }

    #[test]
    fn file_names_are_read_back() {
        let parse = |name: &'static str| parse_file_name(OsStr::new(name));
        assert_eq!(parse("12-a-b.2.wqseg"), Some((12, "a-b.2")));
        assert_eq!(parse("12.wqseg"), None);
        assert_eq!(parse(".12-a.wqseg"), None);
        assert_eq!(parse("x-a.wqseg"), None);
    }
}
