//! The one segment that a tool was asked for.

use super::{Found, list, look_at};
use crate::place::{ENDING, runtime_dirs};
use crate::process;
use crate::snapshot::Liveness;
use std::fmt;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Why no single segment was found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// No engine runs.
    #[error("no live engine in {}{}", Dirs(.looked_in), Dead(.dead))]
    NoneLive {
        /// The directories.
        looked_in: Vec<PathBuf>,
        /// Engines that are gone and left their segment.
        dead: Vec<Found>,
    },
    /// Several engines run.
    #[error("several live engines, name one with --pid or --engine:{}", Lines(.candidates))]
    Several {
        /// The engines.
        candidates: Vec<Found>,
    },
    /// None of the engines has that name.
    #[error("no live engine is named {name}{}", Lines(.candidates))]
    NoneNamed {
        /// The name.
        name: String,
        /// The engines that there are.
        candidates: Vec<Found>,
    },
    /// There is no such process.
    #[error("there is no process {pid}")]
    NoProcess {
        /// Its id.
        pid: u32,
    },
    /// The process has no engine, or one without a segment.
    #[error("process {pid} has no engine that can be watched")]
    NoEngine {
        /// Its id.
        pid: u32,
    },
    /// The process is another user's.
    #[error("not permitted to look at process {pid}: it belongs to another user")]
    NotPermitted {
        /// Its id.
        pid: u32,
    },
}

/// The segment to read: `file` itself; else that of process `pid`; else the only live one of this user (for root: of
/// all); `engine` chooses by name where there are several.
///
/// # Errors
/// Says what there is to choose from.
pub fn find(
    pid: Option<u32>,
    engine: Option<&str>,
    file: Option<&Path>,
) -> Result<PathBuf, FindError> {
    if let Some(file) = file {
        return Ok(file.to_owned());
    }
    let candidates = match pid {
        Some(pid) => of_process(pid)?,
        None => live(engine)?,
    };
    choose(candidates, engine)
}

/// The only one of that name.
fn choose(candidates: Vec<Found>, engine: Option<&str>) -> Result<PathBuf, FindError> {
    let (mut fit, others): (Vec<_>, Vec<_>) = candidates
        .into_iter()
        .partition(|found| engine.is_none_or(|name| found.name == name));
    match (fit.len(), engine) {
        (1, _) => Ok(fit.swap_remove(0).path),
        (0, Some(name)) => {
            let name = name.to_owned();
            Err(FindError::NoneNamed {
                name,
                candidates: others,
            })
        }
        _ => Err(FindError::Several { candidates: fit }),
    }
}

/// The live engines; those of which it cannot be told only when there is no other.
fn live(engine: Option<&str>) -> Result<Vec<Found>, FindError> {
    let all_users = rustix::process::geteuid().is_root();
    let (live, rest): (Vec<_>, Vec<_>) = list(all_users)
        .into_iter()
        .partition(|found| found.state == Liveness::Live);
    if !live.is_empty() {
        return Ok(live);
    }
    let (perhaps, dead): (Vec<_>, Vec<_>) = rest
        .into_iter()
        .partition(|found| found.state == Liveness::Unknown && found.problem.is_none());
    match (perhaps.is_empty(), engine) {
        (false, _) => Ok(perhaps),
        (true, Some(name)) => {
            let name = name.to_owned();
            Err(FindError::NoneNamed {
                name,
                candidates: Vec::new(),
            })
        }
        (true, None) => Err(FindError::NoneLive {
            looked_in: runtime_dirs(false),
            dead,
        }),
    }
}

/// The segments that a process has mapped: wherever its engines put them. Of ended engines only when there is no other.
fn of_process(pid: u32) -> Result<Vec<Found>, FindError> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"));
    let maps = maps.map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => FindError::NotPermitted { pid },
        _ if process::exists(pid) => FindError::NoEngine { pid },
        _ => FindError::NoProcess { pid },
    })?;
    let root = PathBuf::from(format!("/proc/{pid}/root"));
    let found: Vec<_> = mapped_segments(&maps)
        .into_iter()
        .filter_map(|path| look_at(&seen_from_here(&root, path)))
        .collect();
    let (ended, running): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|found| found.state == Liveness::Ended);
    let found = if running.is_empty() { ended } else { running };
    if found.is_empty() {
        return Err(FindError::NoEngine { pid });
    }
    Ok(found)
}

/// Where the file is that a process with this `root` calls `path`. It may see other file systems than we do, and we may
/// have another file of that name.
fn seen_from_here(root: &Path, path: &Path) -> PathBuf {
    let inside = root.join(path.strip_prefix("/").unwrap_or(path));
    let identity = |path: &Path| {
        let file = std::fs::symlink_metadata(path).ok()?;
        Some((file.dev(), file.ino()))
    };
    match identity(&inside) {
        Some(file) if identity(path) != Some(file) => inside,
        _ => path.to_owned(),
    }
}

/// The segments in a maps file: `START-END PERMS OFFSET DEVICE INODE PATH`.
fn mapped_segments(maps: &str) -> Vec<&Path> {
    let mut paths: Vec<_> = maps
        .lines()
        .filter_map(|line| line.find('/').map(|start| &line[start..]))
        .filter(|path| path.ends_with(ENDING))
        .map(Path::new)
        .collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// Engines, one a line.
struct Lines<'a>(&'a [Found]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for found in self.0 {
            let Found { pid, name, exe, .. } = found;
            write!(f, "\n  --pid {pid} --engine {name}  {exe}")?;
        }
        Ok(())
    }
}

/// Engines that are gone, as a way out.
struct Dead<'a>(&'a [Found]);

impl fmt::Display for Dead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, "; engines that are gone can be read with --file:")?;
        self.0
            .iter()
            .try_for_each(|found| write!(f, "\n  {}", found.path.display()))
    }
}

/// Directories in a row.
struct Dirs<'a>(&'a [PathBuf]);

impl fmt::Display for Dirs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, dir) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{}", dir.display())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pid: u32, name: &str) -> Found {
        Found {
            pid,
            name: name.into(),
            exe: "/bin/x".into(),
            state: Liveness::Live,
            path: PathBuf::from(format!("/r/{pid}-{name}.wqseg")),
            version: (1, 0),
            problem: None,
        }
    }

    #[test]
    fn the_only_one_or_the_named_one() {
        let two = || vec![found(1, "a"), found(1, "b")];
        assert_eq!(
            choose(vec![found(1, "a")], None).unwrap(),
            Path::new("/r/1-a.wqseg")
        );
        assert_eq!(choose(two(), Some("b")).unwrap(), Path::new("/r/1-b.wqseg"));
        let several = choose(two(), None).unwrap_err().to_string();
        assert!(several.contains("--pid 1 --engine b  /bin/x"), "{several}");
        let none = choose(two(), Some("c")).unwrap_err().to_string();
        assert!(
            none.contains("named c") && none.contains("--engine a"),
            "{none}"
        );
    }

    #[test]
    fn paths_in_maps() {
        let maps = "\
7f00-7f10 rw-s 00000000 00:19 5 /dev/shm/wq-0/7-my demo.wqseg
7f20-7f30 rw-s 00008000 00:19 5 /dev/shm/wq-0/7-my demo.wqseg
7f40-7f50 r-xp 00000000 08:01 9 /usr/lib/libc.so.6
7f60-7f70 rw-s 00000000 00:19 6 /dev/shm/wq-0/7-old.wqseg (deleted)
7f80-7f90 rw-p 00000000 00:00 0 [heap]
";
        assert_eq!(
            mapped_segments(maps),
            [Path::new("/dev/shm/wq-0/7-my demo.wqseg")]
        );
    }

    #[test]
    fn a_process_in_another_root_has_its_own_files() {
        let temp = tempfile::tempdir().unwrap();
        let here = temp.path().join("7-demo.wqseg");
        std::fs::write(&here, "ours").unwrap();
        assert_eq!(seen_from_here(Path::new("/proc/self/root"), &here), here);
        let root = temp.path().join("root");
        assert_eq!(seen_from_here(&root, &here), here, "nothing to be seen");
        let inside = root.join(here.strip_prefix("/").unwrap());
        std::fs::create_dir_all(inside.parent().unwrap()).unwrap();
        std::fs::write(&inside, "theirs").unwrap();
        assert_eq!(seen_from_here(&root, &here), inside);
    }

    #[test]
    fn a_process_without_an_engine() {
        assert!(matches!(
            of_process(u32::MAX),
            Err(FindError::NoProcess { .. })
        ));
        assert_eq!(
            find(None, None, Some(Path::new("/x"))).unwrap(),
            Path::new("/x")
        );
    }
}
