//! What an engine asks of its segment, and why it may get none.

use std::ffi::OsStr;
use std::path::PathBuf;

/// What an engine asks of its segment.
#[derive(Clone, Debug)]
pub struct SegmentConfig {
    /// The engine's name; the executable's when empty.
    pub name: String,
    /// Where the file goes; when `None`, where the tools look: see [`crate::runtime_dirs`].
    pub dir: Option<PathBuf>,
    /// Bytes that the file may have.
    pub budget: u64,
    /// Bytes of one ring, a power of two; other sizes are rounded down.
    pub ring_bytes: u64,
    /// Whether events are recorded. Counters and states always are.
    pub tracing: bool,
    /// OS numbers of the CPUs that the engine uses.
    pub cpus: Vec<u16>,
    /// How blocking is noticed.
    pub sensing: String,
}

impl Default for SegmentConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            dir: None,
            budget: 48 << 20,
            ring_bytes: 256 << 10,
            tracing: true,
            cpus: Vec::new(),
            sensing: String::new(),
        }
    }
}

/// Most bytes of an engine's name in a file name.
const NAME_MAX: usize = 32;

impl SegmentConfig {
    /// The name as it stands in the file name: one to 32 letters, digits, `_`, `.` and `-`.
    pub(crate) fn file_name(&self) -> String {
        let exe = || std::env::current_exe().ok();
        let name = match self.name.as_str() {
            "" => exe().and_then(|exe| Some(exe.file_name()?.to_string_lossy().into_owned())),
            name => Some(name.to_owned()),
        };
        let name = name.unwrap_or_default();
        let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let name: String = name
            .chars()
            .map(|c| if fits(c) { c } else { '_' })
            .take(NAME_MAX)
            .collect();
        if name.is_empty() {
            "_".to_owned()
        } else {
            name
        }
    }

    /// Records of a ring: a power of two.
    pub(crate) fn ring_records(&self) -> u64 {
        let records = (self.ring_bytes / 64).clamp(2, 1 << 20);
        1 << records.ilog2()
    }
}

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

/// Why an engine runs without a segment that tools could see.
#[derive(Debug, thiserror::Error)]
#[error("this engine cannot be watched: {path}: {cause}", path = .path.display())]
pub struct SegmentProblem {
    /// The directory or file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub cause: ProblemCause,
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
    /// Too many engines of one name in this process.
    #[error("too many engines of this name in one process")]
    TooMany,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> String {
        SegmentConfig {
            name: name.into(),
            ..SegmentConfig::default()
        }
        .file_name()
    }

    #[test]
    fn file_names_are_plain() {
        assert_eq!(named("my demo/ü"), "my_demo__");
        assert_eq!(named(&"x".repeat(40)).len(), 32);
        assert!(!named("").is_empty());
        assert_eq!(numbered("demo", 1), "demo");
        assert_eq!(numbered("demo", 2), "demo.2");
        assert_eq!(numbered(&"x".repeat(32), 12).len(), 32);
    }

    #[test]
    fn file_names_are_read_back() {
        let parse = |name: &'static str| parse_file_name(OsStr::new(name));
        assert_eq!(parse("12-a-b.2.wqseg"), Some((12, "a-b.2")));
        assert_eq!(parse("12.wqseg"), None);
        assert_eq!(parse(".12-a.wqseg"), None);
        assert_eq!(parse("x-a.wqseg"), None);
    }

    #[test]
    fn rings_are_powers_of_two() {
        let records = |ring_bytes| {
            SegmentConfig {
                ring_bytes,
                ..SegmentConfig::default()
            }
            .ring_records()
        };
        assert_eq!(records(256 << 10), 4096);
        assert_eq!(records(100_000), 1024);
        assert_eq!(records(0), 2);
    }
}
