//! Which engines there are: the segments in the places where engines put them.

mod find;
mod retention;

pub use find::{FindError, find};
pub use retention::gc;
pub(crate) use retention::remove_leftovers;

use crate::clean::clean_text;
use crate::clock::monotonic_now;
use crate::place::{ENDING, owner_by_name, parse_file_name, runtime_dirs};
use crate::process;
use crate::reader::{OpenError, Reader};
use crate::snapshot::Liveness;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What was told so short a time ago says that the engine is there.
const HEARD_NS: u64 = 2_000_000_000;

/// A segment's file, and the engine that it is of.
#[derive(Clone, Debug)]
pub struct Found {
    /// The engine's process, in its own pid namespace.
    pub pid: u32,
    /// The engine's name.
    pub name: String,
    /// The executable; empty when the segment cannot be read.
    pub exe: String,
    /// Whether the engine is there.
    pub state: Liveness,
    /// The file.
    pub path: PathBuf,
    /// Format version (major, minor); zeros when it is not known.
    pub version: (u16, u16),
    /// Why the segment cannot be read, if it cannot.
    pub problem: Option<String>,
}

/// The segments of this user, or of everybody as far as they may be read: live ones first, then by pid and name.
pub fn list(all_users: bool) -> Vec<Found> {
    let dirs = runtime_dirs(all_users);
    let mut found: Vec<_> = dirs.iter().flat_map(|dir| list_in(dir)).collect();
    found.sort_by_key(|found| (found.state != Liveness::Live, found.pid, found.name.clone()));
    found
}

/// Directories of segments that belong to other users, which this user may not read; none for root.
pub fn other_users() -> usize {
    let dirs = runtime_dirs(true);
    let there = dirs.iter().filter(|dir| dir.is_dir() && !is_trusted(dir));
    there.count()
}

/// The segments in a directory; none in one that another user could have planted.
fn list_in(dir: &Path) -> Vec<Found> {
    if !is_trusted(dir) {
        return Vec::new();
    }
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let found = entries.filter_map(|entry| look_at(&entry.path()));
    found.map(|found| heard(doubted(found, dir))).collect()
}

/// An engine of another pid namespace, whose process cannot be asked for here: it is there if it told of something just
/// now. One that is idle tells of nothing, and wakes nobody up to do so; then it stays unknown.
fn heard(found: Found) -> Found {
    if found.state != Liveness::Unknown || found.problem.is_some() {
        return found;
    }
    let sign = Reader::open(&found.path).ok();
    let sign = sign.and_then(|reader| reader.last_sign().ok());
    let age = sign.and_then(|sign| monotonic_now().checked_sub(sign));
    match age {
        Some(..=HEARD_NS) => Found {
            state: Liveness::Live,
            ..found
        },
        _ => found,
    }
}

/// Whether a directory is this user's; root reads everybody's, if it is theirs.
fn is_trusted(dir: &Path) -> bool {
    let me = rustix::process::geteuid();
    let is_theirs = |uid: u32| owner_by_name(dir).is_none_or(|owner| uid == owner || uid == 0);
    std::fs::symlink_metadata(dir).is_ok_and(|metadata| {
        let uid = metadata.uid();
        metadata.is_dir() && (uid == me.as_raw() || me.is_root() && is_theirs(uid))
    })
}

/// What a file says of a process is worth nothing if somebody else wrote it: then it is not known whether that engine is
/// there, and why is said.
fn doubted(found: Found, dir: &Path) -> Found {
    let uid = |path: &Path| std::fs::symlink_metadata(path).ok().map(|file| file.uid());
    let (Some(owner), Some(of_dir)) = (uid(&found.path), uid(dir)) else {
        return found;
    };
    let me = rustix::process::geteuid().as_raw();
    // Root may write for anybody, and a service that began as root goes on as somebody else.
    if owner == 0 || found.problem.is_some() {
        return found;
    }
    let whose = if owner != of_dir && owner != me {
        format!("its directory to user {of_dir}")
    } else if found.state == Liveness::Live && !process::is_of(found.pid, owner) {
        format!("process {} to another one", found.pid)
    } else {
        return found;
    };
    let path = found.path.display();
    Found {
        state: Liveness::Unknown,
        problem: Some(format!("{path}: it belongs to user {owner}, but {whose}")),
        ..found
    }
}

/// A file that is called like a segment.
fn look_at(path: &Path) -> Option<Found> {
    let (pid, name) = parse_file_name(path.file_name()?)?;
    let unreadable = |version, problem: String| Found {
        pid,
        name: clean_text(name, 255),
        exe: String::new(),
        state: Liveness::Unknown,
        path: path.to_owned(),
        version,
        problem: Some(problem),
    };
    let reader = match Reader::open(path) {
        Ok(reader) => reader,
        // Removed since the directory was read.
        Err(OpenError::NotThere { .. }) => return None,
        Err(error) => {
            let version = match error {
                OpenError::WrongVersion { found, .. } => found,
                _ => (0, 0),
            };
            return Some(unreadable(version, error.to_string()));
        }
    };
    let read = reader
        .meta()
        .and_then(|meta| Ok((meta, reader.liveness()?)));
    Some(match read {
        Ok((meta, state)) => Found {
            pid: meta.pid,
            name: meta.name,
            exe: meta.exe,
            state,
            path: path.to_owned(),
            version: meta.version,
            problem: None,
        },
        Err(error) => unreadable((0, 0), error.to_string()),
    })
}

/// Whether a file is called like a segment that was being built.
fn is_dot_name(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(ENDING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::head;
    use crate::segment::{Segment, SegmentConfig};

    /// A segment of another pid namespace that was last heard of so long ago.
    fn foreign(dir: &Path, name: &str, age: u64) {
        let temp = tempfile::tempdir().unwrap();
        let config = SegmentConfig {
            dir: Some(temp.path().into()),
            ..SegmentConfig::default()
        };
        let sign = monotonic_now().saturating_sub(age).max(1);
        let (segment, problem) = Segment::create(&config, sign);
        assert!(problem.is_none(), "{problem:?}");
        let mut bytes = std::fs::read(segment.path().unwrap()).unwrap();
        let mut put = |word: usize, value: u64| {
            bytes[word * 8..][..8].copy_from_slice(&value.to_le_bytes());
        };
        put(head::PID_NS, 1);
        put(head::HEARTBEAT, sign);
        std::fs::write(dir.join(format!("7-{name}.wqseg")), bytes).unwrap();
    }

    #[test]
    fn an_engine_of_another_pid_namespace_is_live_when_it_was_heard_of() {
        let temp = tempfile::tempdir().unwrap();
        let minute = 60_000_000_000;
        foreign(temp.path(), "busy", 0);
        foreign(temp.path(), "idle", minute);
        let mut found = list_in(temp.path());
        found.sort_by(|a, b| a.path.cmp(&b.path));
        let states: Vec<_> = found.iter().map(|found| found.state).collect();
        assert_eq!(states, [Liveness::Live, Liveness::Unknown]);
        assert!(found.iter().all(|found| found.problem.is_none()));
    }
}
