//! Which engines there are: the segments in the places where engines put them.

mod find;
mod retention;

pub use find::{FindError, find};
pub use retention::gc;
pub(crate) use retention::remove_leftovers;

use crate::clean::clean_text;
use crate::place::{ENDING, owner_by_name, parse_file_name, runtime_dirs};
use crate::process;
use crate::reader::{OpenError, Reader};
use crate::snapshot::Liveness;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

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
    found.map(|found| doubted(found, dir)).collect()
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
