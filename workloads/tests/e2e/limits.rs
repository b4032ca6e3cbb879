//! A machine that gives no more threads: the engine goes on with the workers that it has, and says so once.

use crate::place::Place;
use serde_json::Value;
use std::fs::{Permissions, copy, create_dir, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// A user id that nobody has, so that no other thread counts towards its limit.
const NOBODY_ELSE: &str = "--reuid=61734";
/// Threads of a replay on one CPU with one producer, before any worker blocks, its canary among them.
const THREADS: u32 = 11;

const SCRIPT: &str = r#"
name = "no threads"
cpus = 1
[[workqueue]]
name = "q0"
[[work]]
name = "sleeper"
workqueue = "q0"
body = ["blocking 50ms"]
instances = 6
[[producer]]
name = "p0"
works = ["sleeper"]
count = 6
[[expect]]
work = "sleeper"
completed = 6
"#;

#[test]
fn without_more_threads_everything_runs_on_those_there_are() {
    let place = Place::new();
    let everybody = Permissions::from_mode(0o755);
    let binary = place.path("wq-replay");
    let script = place.path("script.toml");
    let runtime = place.path("nobody");
    copy(env!("CARGO_BIN_EXE_wq-replay"), &binary).expect("a copy that anybody may run");
    write(&script, SCRIPT).expect("a script");
    create_dir(&runtime).expect("a directory");
    set_permissions(&runtime, Permissions::from_mode(0o777)).expect("for anybody");
    set_permissions(place.path("."), everybody).expect("a place that anybody may enter");
    let output = Command::new("prlimit")
        .args([
            &format!("--nproc={THREADS}"),
            "setpriv",
            NOBODY_ELSE,
            "--regid=61734",
        ])
        .args(["--clear-groups", "--inh-caps=-all", "--bounding-set=-all"])
        .args([&binary, Path::new("run"), &script])
        .args(["--report", "json"])
        .env("WQ_RUNTIME_DIR", runtime.join("run"))
        .output();
    let output = match output {
        Ok(output) if output.status.code() != Some(127) => output,
        _ => {
            eprintln!("skipped: there is no prlimit or setpriv here to become another user with");
            return;
        }
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    if ["prlimit:", "setpriv:"]
        .iter()
        .any(|tool| stderr.contains(tool))
    {
        eprintln!("skipped: not permitted to become another user: {stderr}");
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert_eq!(
        stderr.matches("Failed to create a worker thread").count(),
        1,
        "{stderr}"
    );
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["workqueues"][0]["completed"], 6);
    assert_ne!(report["workqueues"][0]["breakdown_ns"]["no_worker"], 0);
}
