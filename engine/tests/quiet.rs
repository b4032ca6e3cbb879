//! An idle engine does nothing: none of its threads wakes up.

use std::time::{Duration, Instant};
use wq_engine::{Engine, Work, WqFlags};

/// Generous: only a hang reaches it.
const LONG: Duration = Duration::from_secs(60);

/// How often each thread of this process but the calling one has gone to sleep, by id.
fn sleeps() -> Vec<(String, u64)> {
    let me = std::fs::read_link("/proc/thread-self").unwrap();
    let mut all = Vec::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let count = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        let tid = task.file_name().into_string().unwrap();
        if let Some(count) = count.filter(|_| !me.ends_with(&tid)) {
            all.push((tid, count.trim().parse().unwrap()));
        }
    }
    all
}

/// This test is alone in its process, so that all threads but its own are the engine's.
#[test]
fn an_idle_engine_wakes_nobody_up() {
    let engine = Engine::builder().name("quiet").build().unwrap();
    let wide = engine.alloc_workqueue("wide", WqFlags::UNBOUND, 0).unwrap();
    for wq in [engine.system_wq(), engine.system_bh_wq(), &wide] {
        let work = Work::named("some", |_| std::thread::sleep(Duration::from_millis(20)));
        assert!(wq.queue_work(&work));
        work.flush();
    }
    let begun = Instant::now();
    let mut before = sleeps();
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let after = sleeps();
        if after == before {
            return;
        }
        assert!(begun.elapsed() < LONG, "{before:?} {after:?}");
        before = after;
    }
}
