//! What a forked child may call although locks were held when it was forked: the parent's other threads are not there
//! to let them go.

use super::{context, lock};
use crate::{Engine, Error, WorkqueueAttrs, WqFlags, blocking, set_worker_desc};
use fork::{Fork, fork, waitpid_nohang};
use rustix::process::{Pid, Signal, kill_process};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Generous: only a hang reaches it.
const LONG: Duration = Duration::from_secs(60);

/// Runs `f` in a forked child, and waits until it is over. Locks of the calling thread stay locked there.
pub(super) fn in_a_child(f: impl FnOnce()) {
    match fork().unwrap() {
        Fork::Child => {
            let went_well = catch_unwind(AssertUnwindSafe(f)).is_ok();
            std::process::exit(i32::from(!went_well));
        }
        Fork::Parent(child) => assert_eq!(end_of(child), 0, "wait status"),
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
            kill_process(Pid::from_raw(child).unwrap(), Signal::KILL).unwrap();
            panic!("the child hangs");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn in_a_child_no_call_waits_for_a_lock_that_was_held_at_the_fork() {
    let engine = Engine::builder().name("frozen-locks").build().unwrap();
    let wq = engine.alloc_workqueue("w", WqFlags::UNBOUND, 4).unwrap();
    let config = engine.inner().configure();
    let unbound = lock(&engine.inner().unbound);
    let workqueues = lock(&engine.inner().workqueues);
    let control = lock(&wq.inner().control);
    let pool = control.pwqs[0].pool.clone();
    pool.look(|_| {
        in_a_child(|| {
            wq.set_max_active(2);
            wq.set_min_active(2);
            assert_eq!((wq.max_active(), wq.attrs()), (0, None));
            let applied = wq.apply_attrs(&WorkqueueAttrs::default());
            assert!(matches!(applied, Err(Error::ShutDown { .. })));
            assert!(!wq.congested(0));
            wq.flush();
            wq.drain();
            wq.destroy();
            assert!(engine.freeze().is_empty());
            engine.thaw();
            engine.fail_worker_creation(true);
            engine.fail_worker_creation(false);
            assert_eq!(engine.show_all_workqueues(), "");
            assert_eq!(engine.show_one_workqueue(&wq), "");
            assert_eq!(engine.show_freezable_workqueues(), "");
            let late = engine.alloc_workqueue("late", WqFlags::UNBOUND, 0);
            assert!(matches!(late, Err(Error::ShutDown { .. })));
            engine.shutdown(LONG).unwrap();
        });
    });
    drop((control, workqueues, unbound, config));
    assert_eq!(wq.max_active(), 4, "the child has changed nothing");
    engine.shutdown(LONG).unwrap();
}

#[test]
fn in_a_child_a_work_function_tells_its_pool_nothing() {
    let engine = Engine::builder().name("forked-work").build().unwrap();
    let (done, is_done) = mpsc::channel();
    assert!(engine.system_wq().spawn(move || {
        let pool = context::current().unwrap().pool;
        pool.look(|_| {
            in_a_child(|| {
                set_worker_desc("nobody reads it");
                assert_eq!(blocking(|| 1), 1);
            });
        });
        done.send(()).unwrap();
    }));
    is_done.recv_timeout(2 * LONG).expect("the child ends well");
    engine.shutdown(LONG).unwrap();
}
