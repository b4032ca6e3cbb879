//! CPUs that leave and come back: what `taskset -acp` does to a process.

use super::proc::{all_threads, child, is_child, judge};
use super::support::{Count, LONG, said_like, snapshot, steps, until};
use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_getcpu, sched_setaffinity};
use std::sync::mpsc;
use std::time::Duration;
use wq_engine::{Engine, Sensing, Topology, Work, WqFlags};
use wq_trace::{REQ_CPU_LOCAL, What, WorkerState};

/// Kernel: `POOL_DISASSOCIATED`.
const DISASSOCIATED: u32 = 4;

fn allowed() -> Vec<usize> {
    let set = sched_getaffinity(None).unwrap();
    (0..CpuSet::MAX_CPU)
        .filter(|&cpu| set.is_set(cpu))
        .collect()
}

/// As `taskset -acp`: every thread of the process, pinned or not.
fn taskset(cpus: &[usize]) {
    let mut set = CpuSet::new();
    cpus.iter().for_each(|&cpu| set.set(cpu));
    for tid in all_threads() {
        // One that has ended meanwhile needs none.
        let _ = sched_setaffinity(Pid::from_raw(tid as i32), &set);
    }
}

/// The CPU on which an item that is queued for `cpu` runs.
fn runs_on(engine: &Engine, flags: WqFlags, cpu: usize) -> usize {
    let (tell, told) = mpsc::channel();
    let wq = if flags.contains(WqFlags::UNBOUND) {
        engine.system_unbound_wq()
    } else {
        engine.system_wq()
    };
    let work = Work::named("where", move |_| tell.send(sched_getcpu()).unwrap());
    assert!(wq.queue_work_on(cpu, &work));
    told.recv_timeout(LONG).expect("the item runs")
}

fn has_left(engine: &Engine, cpu: usize) -> bool {
    let snapshot = snapshot(engine);
    let number = 4 * cpu as u32 + 2;
    let pool = snapshot.pools.iter().find(|pool| pool.number == number);
    pool.expect("the CPU has a pool").flags & DISASSOCIATED != 0
}

/// Waits until every worker idles where it belongs: the next item is executed by one that leaves its park.
fn at_rest(engine: &Engine) {
    until(|| {
        let snapshot = snapshot(engine);
        let mut workers = snapshot.workers.iter();
        // One that has told its thread id has gone to its CPU.
        workers.all(|worker| worker.state == WorkerState::Idle && worker.tid != 0)
    });
}

const LEAVES: &str =
    "s4_9::s4_9_items_run_elsewhere_when_their_cpu_leaves_and_at_home_when_it_is_back";

#[test]
fn s4_9_items_run_elsewhere_when_their_cpu_leaves_and_at_home_when_it_is_back() {
    if is_child(LEAVES) {
        return a_cpu_leaves();
    }
    judge(&child(LEAVES).output().unwrap());
}

fn a_cpu_leaves() {
    let cpus = allowed();
    let &[home, other, ..] = &cpus[..] else {
        println!("skipped: there is one CPU only");
        return;
    };
    let builder = Engine::builder().name("hotplug").cpus([home, other]);
    let engine = builder.sensing(Sensing::Hints).build().unwrap();
    assert_eq!(runs_on(&engine, WqFlags::empty(), home), home);
    assert!(!has_left(&engine, home));
    at_rest(&engine);
    taskset(&[other]);
    assert_eq!(runs_on(&engine, WqFlags::empty(), home), other);
    assert!(has_left(&engine, home) && !has_left(&engine, other));
    assert_eq!(runs_on(&engine, WqFlags::UNBOUND, home), other);
    // The pool runs items side by side now, also those that burn.
    let (open, gate) = mpsc::channel::<()>();
    let waits = Work::named("waits", {
        let gate = std::sync::Mutex::new(gate);
        move |_| gate.lock().unwrap().recv_timeout(LONG).unwrap()
    });
    let opens = Work::named("opens", move |_| open.send(()).unwrap());
    assert!(engine.schedule_work_on(home, &waits));
    assert!(engine.schedule_work_on(home, &opens));
    waits.flush();
    taskset(&cpus);
    // Looked for once a second, by who works there.
    until(|| {
        std::thread::sleep(Duration::from_millis(20));
        runs_on(&engine, WqFlags::empty(), home);
        !has_left(&engine, home)
    });
    for _ in 0..20 {
        assert_eq!(runs_on(&engine, WqFlags::empty(), home), home);
    }
}

const EACH: &str = "s4_9::s2_3_a_cpu_that_left_is_on_no_node_and_not_among_each_cpu";

#[test]
fn s2_3_a_cpu_that_left_is_on_no_node_and_not_among_each_cpu() {
    if is_child(EACH) {
        return calls_after_a_cpu_left();
    }
    judge(&child(EACH).output().unwrap());
}

fn calls_after_a_cpu_left() {
    let &[home, other, ..] = &allowed()[..] else {
        println!("skipped: there is one CPU only");
        return;
    };
    let topology = Topology::from_spec("2n1l1c1t").unwrap();
    let builder = Engine::builder().name("each-online").cpus([home, other]);
    let builder = builder.topology(topology.renumbered(&[home, other]));
    let engine = builder.sensing(Sensing::Hints).build().unwrap();
    let ran = Count::default();
    let run_on_each = |times| {
        let counted = ran.clone();
        engine.schedule_on_each_cpu(move |_| counted.add()).unwrap();
        assert_eq!(ran.get(), times);
    };
    run_on_each(2);
    at_rest(&engine);
    taskset(&[other]);
    assert_eq!(runs_on(&engine, WqFlags::empty(), home), other);
    assert!(has_left(&engine, home));
    run_on_each(3);
    let near = Work::named("near", |_| {});
    for node in [0, 1] {
        assert!(engine.system_unbound_wq().queue_work_node(node, &near));
        near.flush();
    }
    let asked = steps(&engine, "near").into_iter();
    let asked = asked.filter_map(|what| match what {
        What::QueueWork { req_cpu, .. } => Some(req_cpu),
        _ => None,
    });
    let expected = [REQ_CPU_LOCAL, other as i32];
    assert_eq!(asked.collect::<Vec<_>>(), expected);
}

const FAILS: &str = "s4_9::s4_9_without_a_worker_for_its_pod_a_workqueue_goes_on_with_what_it_has";

#[test]
fn s4_9_without_a_worker_for_its_pod_a_workqueue_goes_on_with_what_it_has() {
    if is_child(FAILS) {
        return a_pod_gets_no_worker();
    }
    judge(&child(FAILS).output().unwrap());
}

fn a_pod_gets_no_worker() {
    let cpus = allowed();
    let &[home, other, ..] = &cpus[..] else {
        println!("skipped: there is one CPU only");
        return;
    };
    // A cache and so a pod for each of the two.
    let topology = Topology::from_spec("1n2l1c1t").unwrap();
    let builder = Engine::builder().name("no-pod").cpus([home, other]);
    let builder = builder.topology(topology.renumbered(&[home, other]));
    super::support::listen();
    let engine = builder.sensing(Sensing::Hints).build().unwrap();
    assert_eq!(runs_on(&engine, WqFlags::empty(), home), home);
    at_rest(&engine);
    taskset(&[other]);
    assert_eq!(runs_on(&engine, WqFlags::empty(), home), other);
    assert!(has_left(&engine, home));
    engine.fail_worker_creation(true);
    taskset(&cpus);
    let told = || {
        let text = "allocation failed while updating CPU pod affinity of \"events_unbound\"";
        said_like(&[text]).len()
    };
    until(|| {
        std::thread::sleep(Duration::from_millis(20));
        runs_on(&engine, WqFlags::empty(), home);
        told() > 0
    });
    assert!(!has_left(&engine, home));
    engine.fail_worker_creation(false);
    runs_on(&engine, WqFlags::UNBOUND, home);
    runs_on(&engine, WqFlags::UNBOUND, other);
}

const MOVED: &str = "s4_9::s4_9_a_worker_that_somebody_moved_goes_back_while_its_cpu_is_there";

#[test]
fn s4_9_a_worker_that_somebody_moved_goes_back_while_its_cpu_is_there() {
    if is_child(MOVED) {
        return a_worker_is_moved();
    }
    judge(&child(MOVED).output().unwrap());
}

fn a_worker_is_moved() {
    let &[home, other, ..] = &allowed()[..] else {
        println!("skipped: there is one CPU only");
        return;
    };
    let builder = Engine::builder().name("moved").cpus([home, other]);
    let engine = builder.sensing(Sensing::Hints).build().unwrap();
    assert_eq!(runs_on(&engine, WqFlags::empty(), home), home);
    at_rest(&engine);
    let mut set = CpuSet::new();
    set.set(other);
    for tid in super::proc::threads(&format!("kworker/{home}:")) {
        sched_setaffinity(Pid::from_raw(tid as i32), &set).unwrap();
    }
    assert_eq!(runs_on(&engine, WqFlags::empty(), home), home);
    assert!(!has_left(&engine, home));
}

const MANY: &str = "s4_9::s4_9_nothing_is_lost_while_cpus_come_and_go_and_creation_fails";

#[test]
fn s4_9_nothing_is_lost_while_cpus_come_and_go_and_creation_fails() {
    if is_child(MANY) {
        return cpus_come_and_go();
    }
    judge(&child(MANY).output().unwrap());
}

fn cpus_come_and_go() {
    let cpus = allowed();
    let &[home, other, ..] = &cpus[..] else {
        println!("skipped: there is one CPU only");
        return;
    };
    let builder = Engine::builder().name("come-and-go").cpus([home, other]);
    let engine = builder
        .idle_timeout(Duration::from_millis(1))
        .build()
        .unwrap();
    let reclaim = WqFlags::MEM_RECLAIM;
    let wqs = [
        engine.alloc_workqueue("bound", reclaim, 0).unwrap(),
        engine
            .alloc_workqueue("free", reclaim | WqFlags::UNBOUND, 0)
            .unwrap(),
        engine.alloc_ordered_workqueue("one", reclaim).unwrap(),
        engine
            .alloc_workqueue("plain", WqFlags::HIGHPRI, 3)
            .unwrap(),
    ];
    let ran = Count::default();
    let mut queued = 0;
    for round in 0..60 {
        engine.fail_worker_creation(round % 3 == 1);
        match round % 4 {
            0 => taskset(&cpus),
            1 => taskset(&[other]),
            2 => taskset(&cpus),
            _ => taskset(&[home]),
        }
        for (index, wq) in wqs.iter().enumerate() {
            for item in 0..10 {
                let (ran, sleeps) = (ran.clone(), item % 2 == 0);
                let work = Work::named("passing", move |_| {
                    if sleeps {
                        std::thread::sleep(Duration::from_micros(300));
                    }
                    ran.add();
                });
                let cpu = [home, other][(round + item + index) % 2];
                queued += usize::from(wq.queue_work_on(cpu, &work));
            }
        }
        if round % 10 == 9 {
            wqs[0].flush();
        }
    }
    engine.fail_worker_creation(false);
    wqs.iter().for_each(wq_engine::Workqueue::flush);
    assert_eq!(ran.get(), queued);
    assert_eq!(queued, 60 * 4 * 10);
}
