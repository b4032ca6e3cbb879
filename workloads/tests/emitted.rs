//! Every event that there is comes out of the simulator, and at rest its counters balance.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use wq_engine::sim::{End, simulate};
use wq_replay::{Script, load, parse};
use wq_trace::{Counter, What};

/// What the shipped scripts do not do: a drain that drops, a panic, a stall, a worker too many, a circle of
/// waits.
const REST: &str = r#"
name = "rest"
cpus = 1
[engine]
watchdog_thresh = "1s"
idle_timeout = "1s"
cpu_intensive_thresh = "0ms"
[[workqueue]]
name = "a"
[[workqueue]]
name = "one"
max_active = 1
[[work]]
name = "long"
workqueue = "a"
body = ["burn 3s"]
[[work]]
name = "short"
workqueue = "a"
body = ["burn 1ms"]
[[work]]
name = "sleeper"
workqueue = "a"
body = ["blocking 10ms"]
instances = 8
[[work]]
name = "bad"
workqueue = "a"
body = ["panic"]
[[work]]
name = "waits"
workqueue = "one"
body = ["queue held", "flush held"]
[[work]]
name = "held"
workqueue = "one"
body = ["burn 1ms"]
[[producer]]
name = "p0"
steps = ["queue long", "queue bad", "drain a"]
[[producer]]
name = "p1"
at = "1ms"
steps = ["queue short"]
[[producer]]
name = "p3"
at = "5s"
works = ["sleeper"]
count = 8
[[producer]]
name = "p2"
at = "10s"
steps = ["queue waits"]
"#;

/// The name of each event. A new one does not compile before it stands here, and in `EVENTS`.
fn name(what: &What) -> &'static str {
    match what {
        What::QueueWork { .. } => "queue_work",
        What::ActivateWork => "activate_work",
        What::ExecuteStart => "execute_start",
        What::ExecuteEnd => "execute_end",
        What::HoldWork { .. } => "hold_work",
        What::CancelWork { .. } => "cancel_work",
        What::DisableWork { .. } => "disable_work",
        What::EnableWork { .. } => "enable_work",
        What::DropWork { .. } => "drop_work",
        What::TimerArm { .. } => "timer_arm",
        What::WorkerCreate { .. } => "worker_create",
        What::WorkerDestroy { .. } => "worker_destroy",
        What::WorkerWake { .. } => "worker_wake",
        What::WorkerIdle { .. } => "worker_idle",
        What::WorkerSleep { .. } => "worker_sleep",
        What::WorkerResume { .. } => "worker_resume",
        What::ManagerStart => "manager_start",
        What::ManagerEnd => "manager_end",
        What::CpuIntensive { .. } => "cpu_intensive",
        What::Mayday => "mayday",
        What::Rescue => "rescue",
        What::FlushStart { .. } => "flush_start",
        What::FlushEnd { .. } => "flush_end",
        What::Stall { .. } => "stall",
        What::Panic => "panic",
        What::Alloc { .. } => "alloc",
        What::Destroy { .. } => "destroy",
        What::Freeze { .. } => "freeze",
        What::Thaw { .. } => "thaw",
        What::Attrs { .. } => "attrs",
        What::Deadlock { .. } => "deadlock",
        What::MaxActive { .. } => "max_active",
    }
}

/// All but the two that only threads emit: no step of a script takes a workqueue down (`destroy`) or changes the
/// attributes of one (`attrs`). Tests of the engine hold those.
const EVENTS: [&str; 30] = [
    "queue_work",
    "activate_work",
    "execute_start",
    "execute_end",
    "hold_work",
    "cancel_work",
    "disable_work",
    "enable_work",
    "drop_work",
    "timer_arm",
    "worker_create",
    "worker_destroy",
    "worker_wake",
    "worker_idle",
    "worker_sleep",
    "worker_resume",
    "manager_start",
    "manager_end",
    "cpu_intensive",
    "mayday",
    "rescue",
    "flush_start",
    "flush_end",
    "stall",
    "panic",
    "alloc",
    "freeze",
    "thaw",
    "deadlock",
    "max_active",
];

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut paths = Vec::new();
    for folder in [folder.join("waits"), folder] {
        let entries = std::fs::read_dir(folder).expect("the scripts");
        paths.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    paths.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    // A minute of many kinds, and nothing that the others do not have.
    paths.retain(|path| !path.ends_with("mixed.toml"));
    paths
}

/// Simulates it; the names of its events go into `seen`, and the counters must balance.
fn follow(script: &Script, seen: &mut BTreeSet<&'static str>) -> End {
    let mut note = |event: &wq_trace::Event| {
        seen.insert(name(&event.what));
    };
    let outcome = simulate(&script.program, &AtomicBool::new(false), &mut note).expect("it ends");
    for row in &outcome.snapshot.pwqs {
        let count = |counter: Counter| row.counters[counter as usize];
        let functions = outcome.snapshot.pwq_funcs.iter();
        let functions = functions.filter(|f| f.pwq == row.id);
        let there: u64 = functions
            .map(|f| u64::from(f.pending) + u64::from(f.inactive) + u64::from(f.running))
            .sum();
        assert_eq!(
            count(Counter::Queued),
            count(Counter::Completed) + count(Counter::Cancelled) + there,
            "{}: {row:?}",
            script.path.display()
        );
    }
    outcome.end
}

#[test]
fn the_simulator_emits_every_event_and_its_counters_balance() {
    let mut seen = BTreeSet::new();
    for path in scripts() {
        let script = load(&path).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(follow(&script, &mut seen), End::Done, "{}", path.display());
    }
    let rest = parse(REST, Path::new("rest.toml"), None);
    let rest = rest.unwrap_or_else(|errors| panic!("{errors}"));
    let end = follow(&rest, &mut seen);
    assert!(matches!(end, End::Stuck(_)), "a circle of waits: {end:?}");
    assert_eq!(seen, BTreeSet::from(EVENTS));
}
