//! `mixed.toml`, replayed by `wq-replay` for some seconds: CPU time of that process.

use crate::modes::{Mode, compare};
use crate::tools::{self, Tool};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../workloads/scripts/mixed.toml"
);
/// Of a second, as `/proc/PID/stat` counts.
const TICKS: f64 = 100.0;

pub fn measure(quick: bool) {
    let (rounds, seconds) = if quick { (1, 3) } else { (11, 10) };
    let Some(replay) = tools::binary("wq-replay") else {
        return;
    };
    let dir = tempfile::tempdir().expect("a directory");
    let script = dir.path().join("mixed.toml");
    fs::write(&script, cut(seconds)).expect("it can be written");
    compare("s", rounds, |mode| run(&replay, &script, dir.path(), mode));
}

/// The script without its expectations, for so many seconds instead of a minute.
fn cut(seconds: u32) -> String {
    let text = fs::read_to_string(SCRIPT).expect("the script");
    let text = text.split("[[expect]]").next().unwrap_or_default();
    text.replace("60s", &format!("{seconds}s"))
        .replace("58s", &format!("{}s", seconds - 2))
}

/// CPU seconds of one replay, without those of the watcher.
fn run(replay: &Path, script: &Path, dir: &Path, mode: Mode) -> Option<f64> {
    let mut command = Command::new(replay);
    let command = command
        .arg("run")
        .arg(script)
        .env("WQ_RUNTIME_DIR", dir)
        .env("WQ_TRACING", if mode.tracing { "1" } else { "0" });
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut process = Tool(quiet.spawn().expect("it starts"));
    let pid = process.0.id();
    let _watching = match mode.watcher {
        Some(watcher) => Some(watcher.start(&segment(dir, &mut process)?)?),
        None => None,
    };
    // What has ended and was not waited for still tells its CPU time.
    loop {
        let (state, seconds) = cpu_time(pid)?;
        if state == 'Z' {
            return Some(seconds);
        }
        sleep(Duration::from_millis(50));
    }
}

/// The segment, once it has come up.
fn segment(dir: &Path, process: &mut Tool) -> Option<PathBuf> {
    let path = dir.join(format!("{}-mixed.wqseg", process.0.id()));
    while !path.exists() {
        if process.0.try_wait().ok()?.is_some() {
            return None;
        }
        sleep(Duration::from_millis(1));
    }
    Some(path)
}

/// State and CPU time of a process. Source: proc_pid_stat(5), fields 3, 14 and 15.
fn cpu_time(pid: u32) -> Option<(char, f64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    let state = fields.first()?.chars().next()?;
    Some((state, (ticks(11)? + ticks(12)?) / TICKS))
}
