//! An engine that has worked and has nothing to do: does any of its threads get a CPU?

use crate::options::Options;
use crate::{proc, rig, table};
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;
use wq_engine::{Engine, Work, WqFlags};

/// Until the tick has noticed that nobody needs it.
const SETTLE: Duration = Duration::from_secs(2);

pub fn measure(options: &Options) {
    let engine = rig::engine(options.tier());
    warm_up(&engine);
    thread::sleep(SETTLE);
    let seconds = options.amount(10, 2);
    let before = switches();
    thread::sleep(Duration::from_secs(seconds as u64));
    let after = switches();
    let tier = rig::tier_name(options.tier(), &engine);
    let moved = |(tid, (name, count)): (&u32, &(String, u64))| {
        let earlier = before.get(tid).map_or(0, |(_, count)| *count);
        (*count != earlier).then(|| format!("{name} {}", count - earlier))
    };
    let moved: Vec<String> = after.iter().filter_map(moved).collect();
    let total = |all: &BTreeMap<u32, (String, u64)>| all.values().map(|one| one.1).sum::<u64>();
    let what = format!(
        "{tier}: context switches of {} threads in {seconds} s",
        after.len()
    );
    let more = total(&after) as i64 - total(&before) as i64;
    let list = if moved.is_empty() {
        "none moved".to_owned()
    } else {
        moved.join(", ")
    };
    let threads = if before.keys().eq(after.keys()) {
        "the same threads"
    } else {
        "threads came or went"
    };
    table::fact(&what, &format!("{more:>9}      {list}; {threads}"));
}

/// Blocks, replacements, timers, and a CPU hog.
fn warm_up(engine: &Engine) {
    let wq = engine
        .alloc_workqueue("warm", WqFlags::PERCPU, 0)
        .expect("a workqueue");
    let sleeps = |_| Work::named("sleeps", |_| thread::sleep(Duration::from_millis(2)));
    let works: Vec<Work> = (0..200).map(sleeps).collect();
    for (work, &cpu) in works.iter().zip(rig::cpus().iter().cycle()) {
        wq.queue_work_on(cpu, work);
    }
    wq.spawn(|| rig::burn(30_000));
    wq.flush();
}

/// Of each other thread: its name, and how often it was switched away from.
fn switches() -> BTreeMap<u32, (String, u64)> {
    let tasks = proc::other_tasks().into_iter();
    tasks
        .filter_map(|task| Some((task.tid, (task.name, proc::switches(task.tid)?))))
        .collect()
}
