//! Worker creation that fails, calls for help, and rescuers. Also 4.2, 4.4 and guarantee 4.

use super::proc::{child, is_child, judge, threads};
use super::support::{Count, Held, LONG, engine, said_like, snapshot, until};
use crate::seen::counted;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::os::unix::process::CommandExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wq_engine::{Engine, Error, Work, Workqueue, WqFlags, blocking, current_is_workqueue_rescuer};
use wq_trace::{Counter, PoolId, WorkerState};

const KINDS: [(&str, WqFlags); 5] = [
    ("bound", WqFlags::PERCPU),
    ("high", WqFlags::HIGHPRI),
    ("hungry", WqFlags::CPU_INTENSIVE),
    ("unbound", WqFlags::UNBOUND),
    ("journal", WqFlags::ORDERED),
];

fn alloc(engine: &Engine, name: &str, flags: WqFlags) -> Result<Workqueue, Error> {
    let flags = flags | WqFlags::MEM_RECLAIM;
    if flags.contains(WqFlags::ORDERED) {
        engine.alloc_ordered_workqueue(name, flags - WqFlags::ORDERED)
    } else {
        engine.alloc_workqueue(name, flags, 0)
    }
}

/// Queues so many items that block; returns in which order, and whether by a rescuer, they were executed.
fn queue_some(wq: &Workqueue, items: usize) -> Arc<Mutex<Vec<(usize, bool)>>> {
    let ran = Arc::new(Mutex::new(Vec::new()));
    for item in 0..items {
        let ran = ran.clone();
        assert!(wq.spawn(move || {
            blocking(|| std::thread::sleep(Duration::from_millis(1)));
            ran.lock()
                .unwrap()
                .push((item, current_is_workqueue_rescuer()));
        }));
    }
    ran
}

#[test]
fn s4_8_items_of_every_kind_are_rescued_while_creation_fails_for_ever() {
    for (name, flags) in KINDS {
        let engine = engine("rescue");
        let wq = alloc(&engine, name, flags).unwrap();
        assert!(!current_is_workqueue_rescuer());
        engine.fail_worker_creation(true);
        let ran = queue_some(&wq, 40);
        wq.flush();
        let ran = ran.lock().unwrap();
        assert_eq!(ran.len(), 40, "{name}");
        assert!(ran.iter().all(|(_, rescuer)| *rescuer), "{name}");
        assert_eq!(
            counted(&snapshot(&engine), name, Counter::Rescued),
            40,
            "{name}"
        );
        assert!(
            counted(&snapshot(&engine), name, Counter::Mayday) >= 1,
            "{name}"
        );
        let order: Vec<usize> = ran.iter().map(|(item, _)| *item).collect();
        if flags.contains(WqFlags::ORDERED) {
            assert_eq!(order, (0..40).collect::<Vec<_>>());
        }
    }
}

#[test]
fn s4_2_items_of_others_wait_until_creation_works_again_which_is_noticed_at_once() {
    let engine = engine("wait");
    let reclaim = alloc(&engine, "reclaim", WqFlags::PERCPU).unwrap();
    let count = Count::default();
    let (plain, high) = (count.work(), count.work());
    engine.fail_worker_creation(true);
    assert!(engine.schedule_work(&plain));
    assert!(engine.system_highpri_wq().queue_work(&high));
    let ran = queue_some(&reclaim, 5);
    reclaim.flush();
    assert_eq!(ran.lock().unwrap().len(), 5);
    assert_eq!(count.get(), 0);
    assert!(plain.pending() && high.pending());
    assert!(plain.cancel(), "who waits for a worker can be cancelled");
    engine.fail_worker_creation(false);
    high.flush();
    assert_eq!(count.get(), 1);
    assert!(engine.schedule_work(&plain));
    plain.flush();
    assert_eq!(count.get(), 2);
}

const TOLD: &str = "s4_8::s4_2_a_failure_to_create_a_worker_is_told_once";

#[test]
fn s4_2_a_failure_to_create_a_worker_is_told_once() {
    if is_child(TOLD) {
        return creation_fails_twice();
    }
    judge(&child(TOLD).output().unwrap());
}

fn creation_fails_twice() {
    let engine = engine("told");
    engine.fail_worker_creation(true);
    let told = || said_like(&["Failed to create a worker thread: "]);
    let count = Count::default();
    let works = [count.work(), count.work()];
    assert!(engine.schedule_work(&works[0]));
    until(|| !told().is_empty());
    assert!(told()[0].contains("(kworker/0:1)"), "{:?}", told());
    assert!(engine.system_highpri_wq().queue_work(&works[1]));
    let managers = || {
        let workers = snapshot(&engine).workers.into_iter();
        let managing = workers.filter(|worker| worker.state == WorkerState::Managing);
        managing.count()
    };
    until(|| managers() == 2);
    engine.fail_worker_creation(false);
    until(|| count.get() == 2);
    assert_eq!(told().len(), 1);
}

#[test]
fn s4_4_a_worker_that_gets_free_goes_on_while_a_manager_fails() {
    let engine = engine("free");
    let wq = engine.system_wq();
    let running = Held::on(wq);
    engine.fail_worker_creation(true);
    let count = Count::default();
    let waits = count.work();
    assert!(wq.queue_work(&waits));
    running.let_go();
    waits.flush();
    assert_eq!(count.get(), 1, "by the worker that was there");
}

#[test]
fn s2_2_a_workqueue_that_needs_a_new_pool_cannot_be_made_without_a_worker() {
    let engine = engine("no-pool");
    engine.fail_worker_creation(true);
    let refused = engine.alloc_workqueue("nice", WqFlags::UNBOUND | WqFlags::HIGHPRI, 0);
    assert!(matches!(refused, Err(Error::Thread { .. })), "{refused:?}");
    engine.fail_worker_creation(false);
    assert!(
        engine
            .alloc_workqueue("nice", WqFlags::UNBOUND | WqFlags::HIGHPRI, 0)
            .is_ok()
    );
}

#[test]
fn s3_7_an_item_never_runs_twice_at_a_time_on_worker_and_rescuer() {
    let engine = engine("reentrance");
    let wq = alloc(&engine, "again", WqFlags::PERCPU).unwrap();
    let inside = Arc::new(Mutex::new(()));
    let ran = Count::default();
    let work = Work::named("again", {
        let (inside, ran) = (inside.clone(), ran.clone());
        move |_| {
            let alone = inside.try_lock().expect("nobody else is in it");
            blocking(|| std::thread::sleep(Duration::from_millis(2)));
            drop(alone);
            ran.add();
        }
    });
    let mut queued = 0;
    for round in 0..30 {
        engine.fail_worker_creation(round % 2 == 0);
        queued += usize::from(wq.queue_work(&work));
        queue_some(&wq, 2);
        queued += usize::from(wq.queue_work(&work));
    }
    wq.flush();
    assert_eq!(ran.get(), queued);
}

#[test]
fn s7_a_rescuer_is_named_after_its_workqueue_and_ends_with_it() {
    let engine = engine("names");
    let wq = alloc(&engine, "flush-dm-0-x", WqFlags::PERCPU).unwrap();
    let rows = || {
        let snapshot = snapshot(&engine);
        let mine = |row: &wq_trace::WorkerRow| row.name == "kworker/R-flush-dm-0-x";
        snapshot
            .workers
            .into_iter()
            .filter(mine)
            .collect::<Vec<_>>()
    };
    // The name is cut to 15 bytes for the system.
    until(|| threads("kworker/R-flush").len() == 1);
    let [row] = &rows()[..] else {
        panic!("one row for one rescuer");
    };
    assert_eq!((row.pool, row.state), (PoolId::NONE, WorkerState::Idle));
    let (open, gate) = std::sync::mpsc::channel::<()>();
    engine.fail_worker_creation(true);
    wq.spawn(move || {
        blocking(|| gate.recv_timeout(LONG)).expect("the test opens the gate");
    });
    until(|| rows().iter().any(|row| row.state == WorkerState::Sleeping));
    let [row] = &rows()[..] else {
        panic!("one row for one rescuer");
    };
    assert_ne!(row.pool, PoolId::NONE, "it is where it helps");
    assert_eq!(row.full_name(), "kworker/R-flush-dm-0-x+flush-dm-0-x");
    // The last handle goes while the rescuer executes the last item: the workqueue goes on the rescuer itself.
    drop(wq);
    open.send(()).unwrap();
    until(|| threads("kworker/R-flush").is_empty() && rows().is_empty());
}

#[test]
fn s2_2_destroy_ends_the_rescuer_though_a_handle_is_left() {
    let engine = engine("destroy");
    let wq = alloc(&engine, "takedown", WqFlags::PERCPU).unwrap();
    engine.fail_worker_creation(true);
    let ran = queue_some(&wq, 3);
    wq.destroy();
    assert_eq!(ran.lock().unwrap().len(), 3);
    until(|| threads("kworker/R-taked").is_empty());
}

#[test]
fn s4_8_5_a_rescuer_ends_with_the_engine_too() {
    let engine = engine("end");
    let wq = alloc(&engine, "left-over", WqFlags::UNBOUND).unwrap();
    engine.fail_worker_creation(true);
    let ran = queue_some(&wq, 3);
    engine.shutdown(LONG).expect("what is pending is executed");
    assert_eq!(ran.lock().unwrap().len(), 3);
    until(|| threads("kworker/R-left-").is_empty());
    assert!(!wq.spawn(|| {}), "the engine has ended");
}

const NPROC: &str = "s4_8::s4_8_real_a_process_that_may_have_no_more_threads";

/// Not injected: a process of another user that may have no more threads.
#[test]
fn s4_8_real_a_process_that_may_have_no_more_threads() {
    if is_child(NPROC) {
        return no_more_threads();
    }
    let mut command = child(NPROC);
    if rustix::process::getuid().is_root() {
        // Root may have as many as it likes.
        command.gid(65534).uid(65534);
    }
    match command.output() {
        Ok(output) => judge(&output),
        Err(error) => println!("skipped: the test cannot be started as another user: {error}"),
    }
}

fn no_more_threads() {
    let engine = engine("nproc");
    let wqs: Vec<_> = KINDS
        .into_iter()
        .map(|(name, flags)| (name, alloc(&engine, name, flags).unwrap()))
        .collect();
    let limit = getrlimit(Resource::Nproc);
    let current = Some(1);
    setrlimit(Resource::Nproc, Rlimit { current, ..limit }).unwrap();
    if std::thread::Builder::new().spawn(|| {}).is_ok() {
        println!("skipped: the limit of processes does not hold for this user");
        return;
    }
    let refused = alloc(&engine, "late", WqFlags::PERCPU);
    assert!(matches!(refused, Err(Error::Thread { .. })), "{refused:?}");
    let plain = Count::default();
    let waits = plain.work();
    assert!(engine.schedule_work(&waits));
    for (name, wq) in &wqs {
        let ran = queue_some(wq, 20);
        wq.flush();
        assert_eq!(ran.lock().unwrap().len(), 20, "{name}");
        assert_eq!(
            counted(&snapshot(&engine), name, Counter::Rescued),
            20,
            "{name}"
        );
    }
    assert_eq!(plain.get(), 0);
    setrlimit(Resource::Nproc, limit).unwrap();
    waits.flush();
    assert_eq!(plain.get(), 1, "the manager has tried again");
}

#[test]
fn s4_8_an_idle_rescuer_may_run_on_every_cpu_of_the_engine() {
    let engine = Engine::builder().build().unwrap();
    let _wq = engine
        .alloc_workqueue("reclaim", WqFlags::MEM_RECLAIM, 0)
        .unwrap();
    until(|| {
        let seen = super::support::snapshot(&engine);
        let mut workers = seen.workers.iter();
        let rescuer = workers.find(|worker| worker.kind == wq_trace::WorkerKind::Rescuer);
        let cpus = rescuer.and_then(|worker| worker.cpus.clone());
        cpus == Some(seen.meta.cpus.iter().copied().collect())
    });
}
