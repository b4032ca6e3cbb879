//! After a fork the child's engine is dead, and the parent's does not notice. Alone in its process: only its own engine's
//! threads may hold locks at the fork.

use fork::{Fork, fork, waitpid_nohang};
use rustix::process::{Pid, Signal, kill_process};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use wq_engine::{
    BUSY_RUNNING, DelayedWork, Engine, Error, RcuWork, Work, Workqueue, WorkqueueAttrs, WqFlags,
    rcu,
};
use wq_trace::{Counter, From, Next, Reader};

/// Generous: only a hang reaches it.
const LONG: Duration = Duration::from_secs(60);
/// A timer that does not fire.
const NEVER: Duration = Duration::from_secs(3600);

/// What the parent had in hand when it forked.
struct Hand {
    engine: Engine,
    line: Workqueue,
    running: Work,
    pending: Work,
    armed: DelayedWork,
    waiting: RcuWork,
    ran: Arc<AtomicUsize>,
}

#[test]
fn the_childs_engine_is_dead_and_the_parents_goes_on() {
    let engine = Engine::builder().name("forks").cpus([0]).build().unwrap();
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let running = Work::named("running", move |_| {
        let _ = gate.lock().unwrap().recv_timeout(LONG);
    });
    let ran = Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    let pending = Work::named("pending", move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let line = engine
        .alloc_ordered_workqueue("line", WqFlags::MEM_RECLAIM)
        .unwrap();
    assert!(line.queue_work(&running) && line.queue_work(&pending));
    while running.busy() != BUSY_RUNNING {
        std::thread::yield_now();
    }
    let armed = DelayedWork::named("armed", |_| {});
    assert!(engine.schedule_delayed_work(&armed, NEVER));
    let waiting = RcuWork::named("waiting", |_| {});
    let reader = rcu::read_lock();
    assert!(engine.system_wq().queue_rcu_work(&waiting));
    let hand = Hand {
        engine,
        line: line.clone(),
        running,
        pending,
        armed,
        waiting,
        ran,
    };
    at_rest();
    let before = events(&hand.engine);
    match fork().unwrap() {
        Fork::Child => {
            let went_well = catch_unwind(AssertUnwindSafe(|| in_the_child(hand))).is_ok();
            // With everything that is done when a process ends in order.
            std::process::exit(i32::from(!went_well));
        }
        Fork::Parent(child) => assert_eq!(end_of(child), 0, "wait status"),
    }
    assert_eq!(line.max_active(), 1);
    assert_eq!(events(&hand.engine), before, "the child has told nothing");
    let path = hand.engine.segment_path().expect("a segment");
    let meta = Reader::open(path).unwrap().snapshot().unwrap().meta;
    assert_eq!(meta.ended_at, None, "the child's end is not the engine's");
    assert!(hand.armed.cancel() && hand.pending.pending());
    open.send(()).unwrap();
    drop(reader);
    hand.waiting.flush();
    line.flush();
    assert_eq!(hand.ran.load(Ordering::SeqCst), 1);
    hand.engine.shutdown(LONG).unwrap();
}

fn in_the_child(hand: Hand) {
    let Hand {
        engine,
        line,
        running,
        pending,
        armed,
        waiting,
        ran,
    } = hand;
    let idle = Work::named("idle", |_| panic!("nobody executes it"));
    let wq = engine.system_wq();
    for work in [&idle, &pending, &running] {
        assert!(!engine.schedule_work(work) && !wq.queue_work_on(0, work));
        assert!(!work.flush() && !work.cancel() && !work.cancel_sync());
    }
    assert!(!idle.pending());
    let later = DelayedWork::named("later", |_| {});
    for work in [&later, &armed] {
        assert!(!wq.queue_delayed_work(work, NEVER) && !wq.mod_delayed_work(work, NEVER));
        assert!(!work.flush() && !work.cancel() && !work.cancel_sync());
    }
    assert!(!wq.queue_rcu_work(&waiting) && !waiting.flush());
    assert!(!wq.spawn(|| panic!("nobody executes it")));
    let none = engine.alloc_workqueue("late", WqFlags::PERCPU, 0);
    assert!(matches!(none, Err(Error::ShutDown { .. })));
    wq.flush();
    wq.drain();
    wq.destroy();
    assert!(!wq.congested(0));
    nothing_can_be_changed(&engine, &line);
    drop(line);
    engine.shutdown(NEVER).unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    // An engine of its own is alive.
    let own = Engine::builder().name("child").cpus([0]).build().unwrap();
    let (tell, told) = mpsc::channel();
    assert!(own.system_wq().spawn(move || tell.send(()).unwrap()));
    told.recv_timeout(LONG).unwrap();
    own.shutdown(LONG).unwrap();
    drop((idle, pending, running, later, armed, waiting));
    drop(engine);
}

/// Nor asked: what the answers stand in may be locked for ever.
fn nothing_can_be_changed(engine: &Engine, wq: &Workqueue) {
    wq.set_max_active(2);
    wq.set_min_active(2);
    assert_eq!((wq.max_active(), wq.attrs()), (0, None));
    let applied = wq.apply_attrs(&WorkqueueAttrs::default());
    assert!(matches!(applied, Err(Error::ShutDown { .. })));
    assert!(engine.freeze().is_empty());
    engine.thaw();
    engine.fail_worker_creation(true);
    engine.fail_worker_creation(false);
    assert_eq!(engine.show_all_workqueues(), "");
    assert_eq!(engine.show_one_workqueue(wq), "");
    assert_eq!(engine.show_freezable_workqueues(), "");
}

/// Waits until every other thread of this process sleeps, and so holds no lock.
fn at_rest() {
    let me = rustix::thread::gettid().as_raw_nonzero().get().to_string();
    let asleep = |tid: &str| {
        let stat = std::fs::read_to_string(format!("/proc/self/task/{tid}/stat"));
        stat.is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|s| s.starts_with('S')))
    };
    let all_sleep = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let mut tids = tasks.map(|task| task.unwrap().file_name().into_string().unwrap());
        tids.all(|tid| tid == me || asleep(&tid))
    };
    let begun = Instant::now();
    while !all_sleep() {
        assert!(begun.elapsed() < LONG, "the threads go to sleep");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The child's wait status, once it has ended.
fn end_of(child: i32) -> i32 {
    let begun = Instant::now();
    loop {
        if let Some(status) = waitpid_nohang(child).unwrap() {
            return status;
        }
        if begun.elapsed() > LONG {
            let child = Pid::from_raw(child).unwrap();
            kill_process(child, Signal::KILL).unwrap();
            panic!("the child hangs");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// How many events there are, and how many items were ever queued.
fn events(engine: &Engine) -> (usize, u64) {
    let reader = Reader::in_memory(engine.segment());
    let mut cursor = reader.cursor(From::Oldest);
    let mut count = 0;
    while let Next::Record(_) = cursor.next(u64::MAX) {
        count += 1;
    }
    let pwqs = reader.snapshot().unwrap().pwqs.into_iter();
    (
        count,
        pwqs.map(|pwq| pwq.counters[Counter::Queued as usize]).sum(),
    )
}
