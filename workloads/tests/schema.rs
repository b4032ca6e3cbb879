//! A report's JSON is what the published schema says.

#[path = "../../engine/trace/schema/check.rs"]
mod schema;

use std::path::Path;
use std::process::Command;

/// One item fails to meet what is expected, one meets it.
const SCRIPT: &str = r#"
name = "two"
cpus = 1
[[work]]
name = "short"
workqueue = "events"
body = ["burn 1ms"]
[[producer]]
name = "p"
works = ["short"]
count = 2
every = "5ms"
[[expect]]
work = "short"
executions = 2
[[expect]]
work = "short"
executions = 3
"#;

/// The report of a script, whatever its expectations came to.
fn report(args: &[&str], script: &Path) -> serde_json::Value {
    let place = script.parent().expect("a directory");
    let output = Command::new(env!("CARGO_BIN_EXE_wq-replay"))
        .args(args)
        .arg(script)
        .args(["--report", "json"])
        .env("WQ_RUNTIME_DIR", place)
        .output()
        .expect("wq-replay runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[test]
fn reports_are_as_published() {
    let place = tempfile::tempdir().expect("a directory");
    let script = place.path().join("two.toml");
    std::fs::write(&script, SCRIPT).expect("a script");
    for mode in ["simulate", "run"] {
        let report = report(&[mode], &script);
        schema::check("report", &report);
        assert_eq!(report["mode"], mode);
        let executions = report["works"][0]["executions"].as_array();
        assert_eq!(executions.map(Vec::len), Some(2), "{report:#}");
        let ok = report["expectations"].as_array().expect("a list").iter();
        let ok: Vec<_> = ok.map(|e| e["ok"] == true).collect();
        assert_eq!(ok, [true, false]);
    }
}
