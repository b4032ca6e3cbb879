//! The other binaries: those that watch, and the one that replays scripts.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Who reads beside the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watcher {
    /// `wq-dump events --follow --json`: every event, a look each 10 ms.
    Follower,
    /// `wq-monitor --json -i 0.02`: all states, each 20 ms.
    Monitor,
}

/// A process that ends with its handle.
#[derive(Debug)]
pub struct Tool(pub Child);

impl Drop for Tool {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A binary of the same build; `None`, and why, when it is not there.
pub fn binary(name: &str) -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    // This one stands in `deps/`.
    let path = own.parent()?.parent()?.join(name);
    if path.exists() {
        return Some(path);
    }
    println!(
        "  (skipped: {} is not there; cargo build --release makes it)",
        path.display()
    );
    None
}

impl Watcher {
    /// Starts to watch a segment, and gives it time to come up.
    pub fn start(self, segment: &Path) -> Option<Tool> {
        let (name, args): (_, &[&str]) = match self {
            Self::Follower => ("wq-dump", &["events", "--follow", "--json", "--file"]),
            Self::Monitor => ("wq-monitor", &["--json", "-i", "0.02", "--file"]),
        };
        let mut command = Command::new(binary(name)?);
        let command = command.args(args).arg(segment);
        let quiet = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let tool = Tool(quiet.spawn().expect("it starts"));
        std::thread::sleep(Duration::from_millis(100));
        Some(tool)
    }
}
