//! Waiting for readers costs nothing while nobody waits. Alone in its process: it looks for the engine's threads.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wq_engine::{Engine, RcuWork, rcu};

/// Generous: only a hang reaches it.
const LONG: Duration = Duration::from_secs(60);

/// The thread of this process with this name, which it gives itself when it starts.
fn thread(name: &str) -> PathBuf {
    let begun = Instant::now();
    loop {
        let tasks = fs::read_dir("/proc/self/task").expect("a process has threads");
        let mut tasks = tasks.map(|task| task.expect("an entry").path());
        let named = |task: &PathBuf| {
            fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
        };
        if let Some(task) = tasks.find(named) {
            return task;
        }
        assert!(begun.elapsed() < LONG, "no thread {name}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// How often it has left its CPU, and whether it sleeps.
fn switches(task: &Path) -> (u64, bool) {
    let status = fs::read_to_string(task.join("status")).expect("it is alive");
    let counts = status.lines().filter(|line| line.contains("ctxt_switches"));
    let counts = counts.map(|line| line.rsplit('\t').next().unwrap().parse::<u64>().unwrap());
    (counts.sum(), status.contains("State:\tS"))
}

/// What it is once it rests.
fn settled(task: &Path) -> u64 {
    loop {
        let (before, _) = switches(task);
        std::thread::sleep(Duration::from_millis(50));
        if switches(task) == (before, true) {
            return before;
        }
    }
}

#[test]
fn s6_nothing_wakes_up_while_no_item_waits_for_readers() {
    let engine = Engine::builder().name("rcu-idle").build().unwrap();
    let work = RcuWork::named("freed", |_| {});
    let pump = thread("wq-rcu");
    for _ in 0..2 {
        let before = settled(&pump);
        // Readers alone are nobody's business.
        for _ in 0..10_000 {
            drop(rcu::read_lock());
        }
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(switches(&pump), (before, true));
        let section = rcu::read_lock();
        assert!(engine.system_wq().queue_rcu_work(&work));
        std::thread::sleep(Duration::from_millis(50));
        drop(section);
        work.flush();
        assert!(switches(&pump).0 > before, "it is the one who looks");
    }
}
