//! A block of any kind is noticed, and what waits starts; where nothing waits the canary stays asleep.

use super::support::{
    Inside, LONG, a_blocked_worker_is_replaced, alone, at_rest, canaries, canary_thread, is_asleep,
    sums, switches, until, until_a_canary_decides,
};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock, mpsc};
use std::time::{Duration, Instant};
use wq_engine::Engine;

/// An item that does the first, and one behind it that does the second, which ends the first.
fn blocks_until(
    engine: &Engine,
    first: impl FnOnce() + Send + 'static,
    second: impl FnOnce() + Send + 'static,
) {
    engine.system_wq().spawn(first);
    engine.system_wq().spawn(second);
    engine.system_wq().flush();
}

#[test]
fn a_read_of_a_pipe_is_noticed() {
    let _alone = alone();
    let Some(engine) = canaries("pipe") else {
        return;
    };
    until_a_canary_decides(&engine, || {
        let (mut from, mut to) = std::io::pipe().unwrap();
        blocks_until(
            &engine,
            move || from.read_exact(&mut [0]).unwrap(),
            move || to.write_all(&[0]).unwrap(),
        );
    });
}

#[test]
fn a_lock_that_somebody_holds_is_noticed() {
    let _alone = alone();
    let Some(engine) = canaries("mutex") else {
        return;
    };
    until_a_canary_decides(&engine, || {
        let lock = Arc::new(Mutex::new(()));
        let (tell, told) = mpsc::channel();
        let held = lock.lock().unwrap();
        let wants = lock.clone();
        engine.system_wq().spawn(move || drop(wants.lock()));
        engine.system_wq().spawn(move || tell.send(()).unwrap());
        told.recv_timeout(LONG).expect("the other item starts");
        drop(held);
        engine.system_wq().flush();
    });
}

/// One that naps again and again: it is awake now and then while the canary looks.
#[test]
fn a_sleep_is_noticed() {
    let _alone = alone();
    let Some(engine) = canaries("sleep") else {
        return;
    };
    until_a_canary_decides(&engine, || {
        let ran = Arc::new(AtomicBool::new(false));
        let runs = ran.clone();
        let begun = Instant::now();
        blocks_until(
            &engine,
            move || {
                while !ran.load(Ordering::SeqCst) && begun.elapsed() < LONG {
                    std::thread::sleep(Duration::from_micros(200));
                }
                assert!(ran.load(Ordering::SeqCst));
            },
            move || runs.store(true, Ordering::SeqCst),
        );
    });
}

#[test]
fn a_park_is_noticed() {
    let _alone = alone();
    let Some(engine) = canaries("futex") else {
        return;
    };
    until_a_canary_decides(&engine, || {
        let (tell, told) = mpsc::channel();
        let ran = Arc::new(AtomicBool::new(false));
        let runs = ran.clone();
        blocks_until(
            &engine,
            move || {
                tell.send(std::thread::current()).unwrap();
                while !ran.load(Ordering::SeqCst) {
                    std::thread::park();
                }
            },
            move || {
                runs.store(true, Ordering::SeqCst);
                told.recv().unwrap().unpark();
            },
        );
    });
}

/// Waiting for a disk cannot be interrupted: another state of the thread.
#[test]
fn a_wait_for_the_disk_is_noticed() {
    let _alone = alone();
    let Some(engine) = canaries("fsync") else {
        return;
    };
    let ran = Arc::new(AtomicBool::new(false));
    let runs = ran.clone();
    let mut file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let begun = Instant::now();
    blocks_until(
        &engine,
        move || {
            let page = vec![7; 1 << 16];
            while !ran.load(Ordering::SeqCst) {
                file.write_all(&page).unwrap();
                file.sync_all().unwrap();
                assert!(begun.elapsed() < LONG, "the other item does not start");
            }
        },
        move || runs.store(true, Ordering::SeqCst),
    );
}

/// Each waits for the one behind it; the last one lets the last but one go.
#[test]
fn a_chain_of_sleepers_is_noticed_one_by_one() {
    const LINKS: usize = 50;
    let _alone = alone();
    let Some(engine) = canaries("chain") else {
        return;
    };
    until_a_canary_decides(&engine, || {
        // Whom this one lets go.
        let mut before: Option<mpsc::Sender<()>> = None;
        for at in 1..=LINKS {
            let (open, gate) = mpsc::channel();
            let opens = before.replace(open);
            engine.system_wq().spawn(move || {
                if at < LINKS {
                    gate.recv_timeout(LONG).expect("the next one comes");
                }
                if let Some(open) = opens {
                    open.send(()).expect("the one before waits");
                }
            });
        }
        engine.system_wq().flush();
    });
    at_rest(&engine);
    assert_eq!(sums(&engine).armed, 0);
}

/// All of them are inside at once, while one CPU has room for one.
#[test]
fn many_sleepers_sleep_at_once() {
    const SLEEPERS: usize = 50;
    let _alone = alone();
    let Some(engine) = canaries("many") else {
        return;
    };
    until_a_canary_decides(&engine, || {
        let door = Arc::new(RwLock::new(()));
        let shut = door.write().unwrap();
        let inside = Inside::default();
        for _ in 0..SLEEPERS {
            let (inside, door) = (inside.clone(), door.clone());
            engine.system_wq().spawn(move || {
                inside.enter();
                drop(door.read());
            });
        }
        until(|| inside.now() == SLEEPERS);
        drop(shut);
        engine.system_wq().flush();
    });
}

#[test]
fn a_block_behind_which_nothing_waits_leaves_the_canary_asleep() {
    let _alone = alone();
    let Some(engine) = canaries("asleep") else {
        return;
    };
    until_a_canary_decides(&engine, || a_blocked_worker_is_replaced(&engine));
    at_rest(&engine);
    let canary = canary_thread();
    let mut before = 0;
    until(|| {
        std::thread::sleep(Duration::from_millis(20));
        let same = std::mem::replace(&mut before, switches(canary)) == before;
        same && is_asleep(canary)
    });
    let armings = sums(&engine).armings;
    for _ in 0..20 {
        engine
            .system_wq()
            .spawn(|| std::thread::sleep(Duration::from_millis(2)));
        at_rest(&engine);
    }
    assert_eq!(sums(&engine).armings, armings);
    assert_eq!(switches(canary), before, "the canary woke up");
}
