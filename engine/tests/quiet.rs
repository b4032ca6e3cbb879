//! An idle engine does nothing: none of its threads wakes up, and none is preempted, so none runs.

use std::time::{Duration, Instant};
use wq_engine::{Engine, Sensing, Work, WqFlags};
use wq_trace::Reader;

/// Generous: only a hang reaches it.
const LONG: Duration = Duration::from_secs(60);

/// How often each thread of this process but the calling one has left its CPU, by itself or not, by id.
fn switches() -> Vec<(String, u64)> {
    let me = std::fs::read_link("/proc/thread-self").unwrap();
    let mut all = Vec::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let lines = status.lines().map(|line| line.split_once(':'));
        let counts = lines
            .flatten()
            .filter(|(key, _)| key.ends_with("voluntary_ctxt_switches"));
        let count = counts
            .map(|(_, count)| count.trim().parse::<u64>().unwrap())
            .sum();
        let tid = task.file_name().into_string().unwrap();
        if !status.is_empty() && !me.ends_with(&tid) {
            all.push((tid, count));
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
    // Behind these others wait, on every CPU: somebody looks at them.
    for _ in 0..3 {
        let nap = |_: &Work| std::thread::sleep(Duration::from_millis(20));
        let naps: Vec<_> = (0..64).map(|_| Work::named("nap", nap)).collect();
        for (at, work) in naps.iter().enumerate() {
            assert!(engine.system_percpu_wq().queue_work_on(at, work));
        }
        for work in &naps {
            work.flush();
        }
    }
    if engine.sensing() == Sensing::Canary {
        let reader = Reader::in_memory(engine.segment());
        assert!(reader.snapshot().unwrap().canaries().armings > 0);
    }
    let begun = Instant::now();
    let mut before = switches();
    loop {
        std::thread::sleep(Duration::from_secs(3));
        let after = switches();
        if after == before {
            return;
        }
        assert!(begun.elapsed() < LONG, "{before:?} {after:?}");
        before = after;
    }
}
