//! A CPU that leaves and comes back: its canary is there again, and notices again.

use super::support::{
    LONG, allowed, alone, child, is_child, said, snapshot, sums, threads_named, until,
    with_canaries,
};
use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use wq_engine::Engine;

const MOVED: &str = "moved::a_canary_comes_back_with_its_cpu";

#[test]
fn a_canary_comes_back_with_its_cpu() {
    if is_child(MOVED) {
        return a_cpu_leaves_and_returns();
    }
    let _alone = alone();
    print!("{}", said(&child(MOVED).output().unwrap()));
}

/// As `taskset -acp` does: all threads of this process may use these CPUs only.
fn taskset(cpus: &[usize]) {
    let mut set = CpuSet::new();
    cpus.iter().for_each(|&cpu| set.set(cpu));
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let tid = task.file_name().to_str().unwrap().parse().unwrap();
        // One that has just ended needs none.
        let _ = sched_setaffinity(Pid::from_raw(tid), &set);
    }
}

/// Threads whose names begin so may use this CPU only.
fn move_named(begin: &str, cpu: usize) {
    let mut set = CpuSet::new();
    set.set(cpu);
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if name.starts_with(begin) {
            let tid = task.file_name().to_str().unwrap().parse().unwrap();
            let _ = sched_setaffinity(Pid::from_raw(tid), &set);
        }
    }
}

/// The CPUs that the canary of this one may use.
fn canary_may_use(cpu: usize) -> Vec<usize> {
    let threads = threads_named(&format!("wq-canary/{cpu}"));
    assert_eq!(threads.len(), 1);
    let set = sched_getaffinity(Pid::from_raw(threads[0] as i32)).unwrap();
    let all = 0..CpuSet::MAX_CPU;
    all.filter(|&cpu| set.is_set(cpu)).collect()
}

/// On the workers of this CPU one item sleeps until the next one has come.
fn blocks_on(engine: &Engine, cpu: usize) {
    let (open, gate) = mpsc::channel();
    let wq = engine.system_percpu_wq();
    let first = wq_engine::Work::named("sleeps", {
        let gate = std::sync::Mutex::new(gate);
        move |_| gate.lock().unwrap().recv_timeout(LONG).expect("it comes")
    });
    let second = wq_engine::Work::named("opens", move |_| open.send(()).unwrap());
    assert!(wq.queue_work_on(cpu, &first));
    assert!(wq.queue_work_on(cpu, &second));
    first.flush();
    second.flush();
}

/// How often the canary of this CPU's normal workers was right.
fn decided(engine: &Engine, cpu: usize) -> u64 {
    let pools = snapshot(engine).pools.into_iter();
    let own = pools.filter(|pool| pool.cpu == Some(cpu as u16));
    own.map(|pool| pool.canary.decisions - pool.canary.false_decisions)
        .sum()
}

fn until_the_canary_decides(engine: &Engine, cpu: usize) {
    let (begun, before) = (Instant::now(), decided(engine, cpu));
    while decided(engine, cpu) == before {
        assert!(begun.elapsed() < LONG, "no canary decides");
        blocks_on(engine, cpu);
    }
}

fn a_cpu_leaves_and_returns() {
    let cpus = allowed();
    let &[home, other, ..] = &cpus[..] else {
        println!("skipped: there is one CPU only");
        return;
    };
    let builder = Engine::builder().name("moved").cpus([home, other]);
    let Some(engine) = with_canaries(builder.self_test(false)) else {
        return;
    };
    for cpu in [home, other] {
        until_the_canary_decides(&engine, cpu);
        assert_eq!(canary_may_use(cpu), [cpu]);
    }
    taskset(&[other]);
    let disassociated = |cpu| {
        let pools = snapshot(&engine).pools;
        // Those of BH workqueues have it always.
        let mut own = pools.iter().filter(|pool| !pool.is_bh());
        let own = own.find(|pool| pool.cpu == Some(cpu as u16));
        own.unwrap().flags & wq_trace::pool_flags::DISASSOCIATED != 0
    };
    until(|| {
        blocks_on(&engine, home);
        disassociated(home)
    });
    // Its workers are elsewhere and count no more; nothing gets stuck.
    for _ in 0..20 {
        blocks_on(&engine, home);
        blocks_on(&engine, other);
    }
    taskset(&cpus);
    until(|| {
        blocks_on(&engine, home);
        std::thread::sleep(Duration::from_millis(50));
        !disassociated(home)
    });
    // The other CPU never left, but its canary was let go everywhere.
    for cpu in [home, other] {
        assert_eq!(canary_may_use(cpu), [cpu]);
        until_the_canary_decides(&engine, cpu);
    }
    // Nobody leaves: a worker that finds itself elsewhere goes home, and takes its canary with it.
    move_named(&format!("kworker/{home}:"), other);
    move_named(&format!("wq-canary/{home}"), other);
    assert_eq!(canary_may_use(home), [other]);
    until(|| {
        blocks_on(&engine, home);
        canary_may_use(home) == [home]
    });
    until_the_canary_decides(&engine, home);
    let sums = sums(&engine);
    assert!(sums.false_decisions <= sums.decisions, "{sums:?}");
}
