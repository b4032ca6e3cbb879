//! What `--prometheus-once` prints: read back here, and by promtool where it is installed.

#[path = "common/writer.rs"]
mod writer;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use writer::Writer;

fn page(dir: &Path, name: &str, more: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_wq-monitor"))
        .args(["--prometheus-once", "--engine", name])
        .args(more)
        .env("WQ_RUNTIME_DIR", dir)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.len()),
        (Some(0), 0),
        "{output:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

type Labels = BTreeMap<String, String>;

#[derive(Default)]
struct Parsed {
    /// Family to type.
    types: HashMap<String, String>,
    samples: Vec<(String, Labels, f64)>,
}

/// Reads a page, and asserts what holds of every one.
fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut seen = HashSet::new();
    let (mut helped, mut family) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            assert!(!help.is_empty(), "{line}");
            helped = name.to_owned();
        } else if let Some(of) = line.strip_prefix("# TYPE ") {
            let (name, kind) = of.split_once(' ').unwrap();
            assert_eq!(helped, name, "help comes before the type");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(
                parsed
                    .types
                    .insert(name.to_owned(), kind.to_owned())
                    .is_none(),
                "twice: {line}"
            );
            family = name.to_owned();
        } else {
            let (name, labels, value) = sample(line);
            let ends = ["_bucket", "_sum", "_count"];
            let base = ends.iter().find_map(|end| name.strip_suffix(end));
            let is_histogram = parsed.types[&family] == "histogram";
            assert_eq!(
                if is_histogram { base.unwrap() } else { &name },
                family,
                "{line}"
            );
            assert!(
                seen.insert(line.rsplit_once(' ').unwrap().0.to_owned()),
                "twice: {line}"
            );
            assert!(
                labels.contains_key("engine") && labels.contains_key("pid"),
                "{line}"
            );
            parsed.samples.push((name, labels, value));
        }
    }
    parsed
}

/// `name{a="b",..} value`; none of the names in these tests has what must be escaped.
fn sample(line: &str) -> (String, Labels, f64) {
    let (name, rest) = line.split_once('{').unwrap();
    let (labels, value) = rest.rsplit_once("} ").unwrap();
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.trim_matches('"').to_owned())
    };
    (
        name.to_owned(),
        labels.split(',').map(pair).collect(),
        value.parse().unwrap(),
    )
}

impl Parsed {
    fn of(&self, name: &str, workqueue: &str) -> Vec<(&Labels, f64)> {
        let of = |labels: &Labels| labels.get("workqueue").is_some_and(|wq| wq == workqueue);
        let all = self
            .samples
            .iter()
            .filter(|(n, labels, _)| n == name && of(labels));
        all.map(|(_, labels, value)| (labels, *value)).collect()
    }

    fn one(&self, name: &str, workqueue: &str) -> f64 {
        let all = self.of(name, workqueue);
        assert_eq!(all.len(), 1, "{name}");
        all[0].1
    }
}

#[test]
fn a_page_says_what_json_says() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(dir.path(), "scraped");
    (0..10).for_each(|_| writer.step());
    let parsed = parse(&page(dir.path(), "scraped", &[]));
    let output = Command::new(env!("CARGO_BIN_EXE_wq-monitor"))
        .args(["-i", "0", "-j", "--engine", "scraped"])
        .env("WQ_RUNTIME_DIR", dir.path())
        .output()
        .unwrap();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let wq = row["name"].as_str().unwrap();
        let number = |key: &str| row[key].as_f64().unwrap();
        assert_eq!(
            parsed.one("wq_workqueue_started_total", wq),
            number("started")
        );
        assert_eq!(parsed.one("wq_workqueue_pending", wq), number("pending"));
        assert_eq!(
            parsed.one("wq_workqueue_cpu_time_seconds_total", wq),
            number("cpu_time") / 1e6
        );
        let parts: f64 = parsed
            .of("wq_workqueue_wait_part_seconds_total", wq)
            .iter()
            .map(|(_, s)| s)
            .sum();
        let waited = row["wait_ns"]["sum"].as_f64().unwrap() / 1e9;
        assert!((parts - waited).abs() < 1e-9, "{parts} {waited}");
        for name in ["wq_workqueue_wait_seconds", "wq_workqueue_run_seconds"] {
            let buckets = parsed.of(&format!("{name}_bucket"), wq);
            assert!(buckets.is_sorted_by(|a, b| a.1 <= b.1), "{buckets:?}");
            let last = buckets.last().unwrap();
            assert_eq!((last.0["le"].as_str(), last.1), ("+Inf", number("started")));
            assert_eq!(parsed.one(&format!("{name}_count"), wq), number("started"));
        }
    }
    for family in [
        "wq_engine_up",
        "wq_pool_workers",
        "wq_pool_cm_wakeups_total",
        "wq_function_run_seconds_total",
    ] {
        assert!(
            parsed.samples.iter().any(|(name, ..)| name == family),
            "{family}"
        );
    }
}

#[test]
fn a_filter_leaves_workqueues_out() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(dir.path(), "few");
    writer.step();
    let parsed = parse(&page(dir.path(), "few", &["--filter", "wq:events"]));
    assert_eq!(parsed.of("wq_workqueue_started_total", "events").len(), 1);
    assert!(
        parsed
            .of("wq_workqueue_started_total", "journal")
            .is_empty()
    );
}

/// Prometheus' own reader; `PROMTOOL` names it where it is not in the path.
#[test]
fn promtool_finds_nothing_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(dir.path(), "linted");
    (0..10).for_each(|_| writer.step());
    let text = page(dir.path(), "linted", &[]);
    let promtool = std::env::var("PROMTOOL").unwrap_or_else(|_| "promtool".to_owned());
    let child = Command::new(&promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            eprintln!("skipped: {promtool}: {error} (Debian: apt-get install prometheus)");
            return;
        }
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.is_empty(), "{said}");
}
