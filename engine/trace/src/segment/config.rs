//! What an engine asks of its segment, and why it may get none.

use crate::place::{NAME_MAX, ProblemCause};
use std::path::PathBuf;

/// What an engine asks of its segment.
#[derive(Clone, Debug)]
pub struct SegmentConfig {
    /// The engine's name; the executable's when empty.
    pub name: String,
    /// Where the file goes; when `None`, `$WQ_RUNTIME_DIR`, else `$XDG_RUNTIME_DIR/wq`, else
    /// `/dev/shm/wq-UID`: where the tools look.
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

/// Why an engine runs without a segment that tools could see.
#[derive(Debug, thiserror::Error)]
#[error("this engine cannot be watched: {path}: {cause}", path = .path.display())]
pub struct SegmentProblem {
    /// The directory or file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub cause: ProblemCause,
}

/// Why some of an engine cannot be watched: its segment could not grow. The engine works on; events and rows that find
/// no room are counted.
#[derive(Debug, thiserror::Error)]
#[error("no room for more in {path}: {cause}; some events and rows will not be shown", path = .path.display())]
pub struct Shortage {
    /// The file.
    pub path: PathBuf,
    /// What is in the way.
    pub cause: ProblemCause,
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
