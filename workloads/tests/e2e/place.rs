//! A place where engines and tools meet, the tools themselves, and what they left.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Far beyond what anything here takes, also on a busy machine: only a hang takes longer.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A runtime directory that no other test knows.
pub struct Place {
    dir: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a directory"),
        }
    }

    /// A file or folder in the place's own folder, which is not the one that engines use.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Where the engines put their segments.
    pub fn runtime_dir(&self) -> PathBuf {
        self.path("run")
    }

    /// `wq-replay` with these arguments.
    pub fn replay(&self, args: &[&str]) -> Command {
        self.command(Path::new(env!("CARGO_BIN_EXE_wq-replay")), args)
    }

    /// One of the other binaries; `None`, and the reason on standard error, when it was not built.
    pub fn tool(&self, name: &str, args: &[&str]) -> Option<Command> {
        let path = Path::new(env!("CARGO_BIN_EXE_wq-replay")).with_file_name(name);
        if !path.exists() {
            eprintln!(
                "skipped: {} is not built (it is with --workspace)",
                path.display()
            );
            return None;
        }
        Some(self.command(&path, args))
    }

    fn command(&self, binary: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(binary);
        command
            .args(args)
            .stdin(Stdio::null())
            .env("WQ_RUNTIME_DIR", self.runtime_dir())
            .env_remove("XDG_RUNTIME_DIR")
            .env_remove("RUST_LOG")
            .env_remove("NO_COLOR")
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        command
    }

    /// Replays a script to its end and gives the report. `code`: which exit statuses are right.
    #[track_caller]
    pub fn report(&self, script: &str, codes: &[i32]) -> Value {
        let run = finished(&mut self.replay(&["run", script, "--report", "json"]));
        assert!(codes.contains(&run.code()), "{script}: {run:?}");
        run.json()
    }

    /// The only segment that is there.
    #[track_caller]
    pub fn segment(&self) -> PathBuf {
        let entries = std::fs::read_dir(self.runtime_dir()).expect("an engine was here");
        let mut paths: Vec<_> = entries
            .map(|entry| entry.expect("readable").path())
            .collect();
        assert_eq!(paths.len(), 1, "{paths:?}");
        paths.swap_remove(0)
    }

    /// A script of these lines.
    pub fn script(&self, text: &str) -> String {
        let path = self.path("script.toml");
        std::fs::write(&path, text).expect("written");
        text_of(&path)
    }
}

/// A path as an argument.
pub fn text_of(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

/// A script that stands beside these tests.
pub fn own_script(name: &str) -> String {
    text_of(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/e2e")
            .join(name),
    )
}

/// What a process left.
#[derive(Debug)]
pub struct Run {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a process to its end.
#[track_caller]
pub fn finished(command: &mut Command) -> Run {
    command.output().expect("it runs").into()
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            status: output.status,
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Run {
    /// Exit status; a signal is a failure.
    #[track_caller]
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("{self:?}"))
    }

    /// Standard output of a run that went well and had nothing to complain about.
    #[track_caller]
    pub fn good(&self) -> &str {
        assert_eq!((self.code(), &*self.stderr), (0, ""), "{self:?}");
        &self.stdout
    }

    /// Standard error of a run that ended so, without a panic and without results.
    #[track_caller]
    pub fn bad(&self, code: i32) -> &str {
        assert_eq!((self.code(), &*self.stdout), (code, ""), "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        assert!(
            !self.stderr.contains('\u{1b}'),
            "colour in a pipe: {self:?}"
        );
        &self.stderr
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Standard output as JSON lines.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

/// A process that is killed when it goes out of sight.
pub struct Running(pub Child);

impl Running {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("it runs"))
    }

    pub fn pid(&self) -> String {
        self.0.id().to_string()
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, signal).expect("it is there");
    }

    /// Its end, in time.
    #[track_caller]
    pub fn end(&mut self) -> ExitStatus {
        eventually("the process ends", || {
            self.0.try_wait().expect("it is ours")
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks again and again until there is an answer.
#[track_caller]
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The rows of a table in a JSON document.
#[track_caller]
pub fn rows<'a>(document: &'a Value, table: &str) -> &'a [Value] {
    let rows = document[table].as_array();
    rows.unwrap_or_else(|| panic!("no {table} in {document}"))
}

/// The row of that name.
#[track_caller]
pub fn named<'a>(document: &'a Value, table: &str, name: &str) -> &'a Value {
    let row = rows(document, table).iter().find(|row| row["name"] == name);
    row.unwrap_or_else(|| panic!("no {name} in {document}"))
}

/// A whole number that must be there.
#[track_caller]
pub fn number(row: &Value, key: &str) -> u64 {
    row[key]
        .as_u64()
        .unwrap_or_else(|| panic!("no {key} in {row}"))
}

/// The parts of a wait, added up.
#[track_caller]
pub fn parts(row: &Value) -> u64 {
    let parts = row["breakdown_ns"].as_object().expect("parts");
    assert_eq!(parts.len(), 12, "{row}");
    parts
        .values()
        .map(|part| part.as_u64().expect("whole"))
        .sum()
}
