//! The engine on real threads, through its public API.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use wq_engine::{BUSY_RUNNING, DelayedWork, Engine, Sensing, Work, WqFlags, blocking};

/// Generous: only a hang reaches it.
const LONG: Duration = Duration::from_secs(60);

fn engine(name: &str) -> Engine {
    Engine::builder()
        .name(name)
        .cpus([0])
        .build()
        .expect("an engine starts")
}

fn counting(counter: &Arc<AtomicUsize>) -> Work {
    let counter = counter.clone();
    Work::named("count", move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    })
}

#[test]
fn an_item_runs_once_for_each_successful_queueing() {
    let engine = engine("once");
    let ran = Arc::new(AtomicUsize::new(0));
    let work = counting(&ran);
    let mut queued = 0;
    for _ in 0..10_000 {
        queued += usize::from(engine.schedule_work(&work));
    }
    work.flush();
    assert_eq!(ran.load(Ordering::SeqCst), queued);
    assert!(!work.pending());
    assert!(!work.flush(), "there is nothing to wait for");
}

#[test]
fn a_flush_of_a_workqueue_waits_for_everything_before_it() {
    let engine = Engine::builder().name("flush").build().unwrap();
    for flags in [
        WqFlags::PERCPU,
        WqFlags::UNBOUND,
        WqFlags::HIGHPRI,
        WqFlags::CPU_INTENSIVE,
    ] {
        let wq = engine.alloc_workqueue("flushed", flags, 0).unwrap();
        let ran = Arc::new(AtomicUsize::new(0));
        for round in 1..20 {
            for _ in 0..100 {
                assert!(wq.queue_work(&counting(&ran)));
            }
            wq.flush();
            assert_eq!(ran.load(Ordering::SeqCst), round * 100, "{flags:?}");
        }
    }
}

#[test]
fn max_active_holds_items_back_and_lets_all_run() {
    let engine = engine("max-active");
    let wq = engine
        .alloc_workqueue("narrow", WqFlags::UNBOUND, 2)
        .unwrap();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let works: Vec<_> = (0..40)
        .map(|_| {
            let (now, most) = (now.clone(), most.clone());
            Work::named("narrow", move |_| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(1));
                now.fetch_sub(1, Ordering::SeqCst);
            })
        })
        .collect();
    for work in &works {
        assert!(wq.queue_work(work));
    }
    wq.flush();
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[test]
fn an_ordered_workqueue_keeps_the_order() {
    let engine = Engine::builder().name("ordered").build().unwrap();
    let wq = engine
        .alloc_ordered_workqueue("journal", WqFlags::empty())
        .unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    for n in 0..500 {
        let seen = seen.clone();
        assert!(wq.spawn(move || seen.lock().unwrap().push(n)));
    }
    wq.flush();
    assert_eq!(*seen.lock().unwrap(), (0..500).collect::<Vec<_>>());
}

/// One worker per CPU runs at a time, but a worker that says it sleeps lets the next one run.
#[test]
fn a_blocked_worker_is_replaced() {
    for sensing in [Sensing::Hints, Sensing::Tick] {
        let engine = Engine::builder()
            .name("blocked")
            .cpus([0])
            .sensing(sensing)
            .build()
            .unwrap();
        let (open, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let blocked = Work::named("blocked", move |_| {
            let wait = || gate.lock().unwrap().recv_timeout(LONG);
            let woken = if sensing == Sensing::Hints {
                blocking(wait)
            } else {
                wait()
            };
            woken.expect("another item opens the gate");
        });
        let opens = Work::named("opens", move |_| open.send(()).unwrap());
        assert!(engine.schedule_work(&blocked));
        assert!(engine.schedule_work(&opens));
        blocked.flush();
        opens.flush();
    }
}

#[test]
fn an_item_may_flush_another_of_its_own_pool() {
    let engine = engine("own-pool");
    let wq = engine.system_wq().clone();
    let ran = Arc::new(AtomicUsize::new(0));
    let inner = counting(&ran);
    let outer = Work::named("outer", move |_| {
        assert!(wq.queue_work(&inner));
        inner.flush();
    });
    assert!(engine.schedule_work(&outer));
    outer.flush();
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}

#[test]
fn a_queued_item_can_be_cancelled_and_a_running_one_waited_for() {
    let engine = engine("cancel");
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let holds = Work::named("holds", move |_| {
        let _ = gate.lock().unwrap().recv_timeout(LONG);
    });
    let ran = Arc::new(AtomicUsize::new(0));
    let behind = counting(&ran);
    let wq = engine
        .alloc_ordered_workqueue("line", WqFlags::empty())
        .unwrap();
    assert!(wq.queue_work(&holds));
    assert!(wq.queue_work(&behind));
    while holds.busy() != BUSY_RUNNING {
        std::thread::yield_now();
    }
    assert!(behind.cancel());
    assert!(!behind.cancel());
    assert!(!holds.cancel(), "it runs; it is not pending");
    open.send(()).unwrap();
    assert!(!holds.cancel_sync());
    assert_eq!(holds.busy(), 0);
    wq.flush();
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    assert!(
        wq.queue_work(&behind),
        "a cancelled item can be queued again"
    );
    behind.flush();
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}

#[test]
fn cancel_sync_ends_an_item_that_queues_itself() {
    let engine = engine("requeue");
    let wq = engine.system_wq().clone();
    let rounds = Arc::new(AtomicUsize::new(0));
    let counted = rounds.clone();
    let storm = Work::named("storm", move |work| {
        counted.fetch_add(1, Ordering::SeqCst);
        wq.queue_work(work);
    });
    assert!(engine.schedule_work(&storm));
    while rounds.load(Ordering::SeqCst) < 1000 {
        std::thread::yield_now();
    }
    storm.cancel_sync();
    let after = rounds.load(Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(rounds.load(Ordering::SeqCst), after);
}

#[test]
fn a_delayed_item_is_queued_by_its_timer_or_by_a_flush() {
    let engine = engine("delayed");
    let ran = Arc::new(AtomicUsize::new(0));
    let counted = ran.clone();
    let later = DelayedWork::named("later", move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let wq = engine.system_wq();
    assert!(wq.queue_delayed_work(&later, Duration::from_millis(1)));
    while ran.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    assert!(wq.queue_delayed_work(&later, LONG * 60));
    assert!(
        !wq.queue_delayed_work(&later, Duration::ZERO),
        "it is pending on its timer"
    );
    assert!(later.expires().is_some());
    later.flush();
    assert_eq!(ran.load(Ordering::SeqCst), 2);
    assert!(wq.queue_delayed_work(&later, LONG * 60));
    assert!(later.cancel());
    assert!(!later.pending());
}

#[test]
fn a_panic_is_the_items_own() {
    let engine = engine("panic");
    let panics = Work::named("panics", |_| panic!("on purpose"));
    assert!(engine.schedule_work(&panics));
    panics.flush();
    let ran = Arc::new(AtomicUsize::new(0));
    let next = counting(&ran);
    assert!(engine.schedule_work(&next));
    next.flush();
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}

#[test]
fn shutdown_runs_what_is_pending_and_refuses_the_rest() {
    let engine = engine("shutdown");
    let ran = Arc::new(AtomicUsize::new(0));
    let wq = engine.alloc_workqueue("last", WqFlags::empty(), 1).unwrap();
    for _ in 0..100 {
        assert!(wq.queue_work(&counting(&ran)));
    }
    engine.shutdown(LONG).unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 100);
    assert!(!wq.queue_work(&counting(&ran)));
    assert!(engine.alloc_workqueue("late", WqFlags::empty(), 0).is_err());
}

#[test]
fn shutdown_gives_up_on_an_item_that_does_not_end() {
    let engine = engine("stuck");
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let stuck = Work::named("stuck", move |_| {
        let _ = gate.lock().unwrap().recv_timeout(LONG);
    });
    assert!(engine.schedule_work(&stuck));
    let error = engine.shutdown(Duration::from_millis(20)).unwrap_err();
    assert!(error.to_string().contains("events"), "{error}");
    drop(open);
}

#[test]
fn dropping_the_engine_on_its_own_worker_does_not_hang() {
    let engine = engine("own-drop");
    let wq = engine.system_wq().clone();
    let (done, gone) = mpsc::channel();
    assert!(wq.spawn(move || {
        drop(engine);
        done.send(()).unwrap();
    }));
    gone.recv_timeout(LONG).expect("the drop returns");
}

#[test]
fn an_armed_item_runs_although_the_last_handles_are_gone() {
    let engine = engine("handles");
    let (ran, waits) = mpsc::channel();
    let wq = engine
        .alloc_workqueue("passing", WqFlags::empty(), 0)
        .unwrap();
    let later = DelayedWork::named("later", move |_| ran.send(()).unwrap());
    assert!(wq.queue_delayed_work(&later, Duration::from_millis(5)));
    drop((wq, later));
    waits.recv_timeout(LONG).expect("it runs");
}

#[test]
fn a_delay_beyond_all_time_can_be_cancelled() {
    let engine = engine("for-ever");
    let never = DelayedWork::named("never", |_| {});
    assert!(engine.schedule_delayed_work(&never, Duration::MAX));
    assert!(never.pending());
    assert!(never.cancel());
    engine.shutdown(Duration::MAX).unwrap();
}

/// What a closure owns may do anything when it is dropped: this panics.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("on purpose");
        }
    }
}

#[test]
fn panics_of_items_that_were_never_started_do_not_stop_the_end() {
    let engine = engine("bombs");
    let (open, gate) = mpsc::channel::<()>();
    let line = engine
        .alloc_ordered_workqueue("line", WqFlags::empty())
        .unwrap();
    assert!(line.spawn(move || {
        let _ = gate.recv_timeout(LONG);
    }));
    for _ in 0..3 {
        let bomb = Bomb;
        assert!(line.spawn(move || drop(bomb)));
    }
    assert!(engine.shutdown(Duration::from_millis(20)).is_err());
    drop(open);
}

/// The worker goes on.
#[test]
fn a_panic_while_an_item_is_dropped_is_the_items_own() {
    let engine = engine("bomb");
    for _ in 0..10 {
        let bomb = Bomb;
        assert!(engine.system_wq().spawn(move || {
            let _ = &bomb;
        }));
    }
    let ran = Arc::new(AtomicUsize::new(0));
    let work = counting(&ran);
    assert!(engine.schedule_work(&work));
    work.flush();
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}

/// Engines end while another thread queues, cancels and flushes: nothing hangs and nothing panics.
#[test]
fn an_engine_may_end_under_its_users() {
    for round in 0..30 {
        let engine = engine("ending");
        let wq = engine
            .alloc_workqueue("busy", WqFlags::empty(), 1 + round % 3)
            .unwrap();
        let ran = Arc::new(AtomicUsize::new(0));
        let works: Vec<Work> = (0..64).map(|_| counting(&ran)).collect();
        let later = DelayedWork::named("later", |_| {});
        let user = std::thread::spawn(move || {
            for _ in 0..20 {
                for work in &works {
                    wq.queue_work(work);
                }
                wq.queue_delayed_work(&later, Duration::from_micros(50));
                for work in works.iter().step_by(3) {
                    work.cancel();
                }
                later.flush();
                works[1].flush();
                works[2].cancel_sync();
            }
            wq.flush();
            works.iter().all(|work| work.busy() == 0)
        });
        std::thread::sleep(Duration::from_micros(200 * round as u64));
        drop(engine);
        assert!(user.join().unwrap(), "every item is idle in the end");
    }
}
