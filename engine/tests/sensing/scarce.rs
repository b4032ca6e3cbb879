//! Workers that leave, that cannot be made, and that there is no descriptor for.

use super::support::{
    Inside, LONG, a_blocked_worker_is_replaced, alone, at_rest, burn, canaries, canary_thread,
    child, cpu_time, is_child, normal_pool, on_one_cpu, said, sums, until, until_a_canary_decides,
    with_canaries,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::sync::{Arc, RwLock, mpsc};
use std::time::{Duration, Instant};
use wq_engine::Engine;

/// How many files of threads this process has open.
fn looked_at() -> usize {
    let all = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let links = all.filter_map(|fd| std::fs::read_link(fd.path()).ok());
    links.filter(|path| path.ends_with("stat")).count()
}

/// Queues so many items that sleep until all of them do.
fn sleep_together(engine: &Engine, items: usize) {
    let door = Arc::new(RwLock::new(()));
    let shut = door.write().unwrap();
    let inside = Inside::default();
    for _ in 0..items {
        let (door, inside) = (door.clone(), inside.clone());
        engine.system_wq().spawn(move || {
            inside.enter();
            drop(door.read());
        });
    }
    until(|| inside.now() == items);
    drop(shut);
    engine.system_wq().flush();
}

/// Workers are surplus as soon as they idle, and leave while the canary looks at those that work.
#[test]
fn workers_leave_while_the_canary_is_awake() {
    let _alone = alone();
    let builder = on_one_cpu("leave").idle_timeout(Duration::from_millis(1));
    let Some(engine) = with_canaries(builder) else {
        return;
    };
    let short = || {
        for _ in 0..50 {
            engine
                .system_wq()
                .spawn(|| burn(Duration::from_micros(100)));
        }
    };
    until_a_canary_decides(&engine, || {
        for _ in 0..10 {
            short();
            sleep_together(&engine, 8);
            short();
        }
        engine.system_wq().flush();
    });
    // A surplus that nobody asks for anything stays at most as long as the pool's timer takes.
    until(|| {
        let pool = normal_pool(&engine);
        pool.nr_workers <= 3 && pool.nr_workers == pool.nr_idle
    });
    let pool = normal_pool(&engine);
    assert!(!pool.canary.armed && pool.canary.unwatched == 0, "{pool:?}");
    // Of two pools; the tick lets go of its own a moment later.
    until(|| looked_at() <= 8);
    let decided = sums(&engine);
    assert!(decided.false_decisions <= decided.decisions);
    drop(engine);
    until(|| looked_at() == 0);
}

/// Nobody idles and nobody can be made: there is nobody whom the canary could wake, so it does not look.
#[test]
fn the_canary_rests_while_no_worker_can_be_made() {
    let _alone = alone();
    let Some(engine) = canaries("no-creator") else {
        return;
    };
    until_a_canary_decides(&engine, || a_blocked_worker_is_replaced(&engine));
    at_rest(&engine);
    engine.fail_worker_creation(true);
    let workers = normal_pool(&engine).nr_workers as usize;
    let (open, gate) = mpsc::channel::<()>();
    let gate = Arc::new(std::sync::Mutex::new(gate));
    let inside = Inside::default();
    for _ in 0..workers + 3 {
        let (gate, inside) = (gate.clone(), inside.clone());
        engine.system_wq().spawn(move || {
            inside.enter();
            let opened = gate.lock().unwrap().recv_timeout(LONG);
            opened.expect("the test opens");
        });
    }
    // The last idle one does not take an item before it has made another.
    until(|| inside.now() == workers - 1 && !normal_pool(&engine).canary.armed);
    let canary = canary_thread();
    let (begun, before) = (Instant::now(), cpu_time(canary));
    std::thread::sleep(Duration::from_millis(1500));
    let used = Duration::from_nanos(cpu_time(canary) - before);
    assert!(used < begun.elapsed() / 10, "{used:?}");
    assert_eq!(inside.now(), workers - 1);
    engine.fail_worker_creation(false);
    until(|| inside.now() == workers + 3);
    for _ in 0..workers + 3 {
        open.send(()).unwrap();
    }
    engine.system_wq().flush();
    until_a_canary_decides(&engine, || a_blocked_worker_is_replaced(&engine));
}

const FEW: &str = "scarce::workers_without_a_descriptor_are_left_to_the_tick";

#[test]
fn workers_without_a_descriptor_are_left_to_the_tick() {
    if is_child(FEW) {
        return most_cannot_be_watched();
    }
    let _alone = alone();
    print!("{}", said(&child(FEW).output().unwrap()));
}

fn most_cannot_be_watched() {
    const ITEMS: usize = 40;
    const LIMIT: u64 = 32;
    let limit = getrlimit(Resource::Nofile);
    let current = Some(LIMIT);
    setrlimit(Resource::Nofile, Rlimit { current, ..limit }).unwrap();
    let Some(engine) = canaries("few") else {
        return;
    };
    assert_eq!(sums(&engine).unwatched, 0);
    let door = Arc::new(RwLock::new(()));
    let shut = door.write().unwrap();
    let inside = Inside::default();
    for _ in 0..ITEMS {
        let (door, inside) = (door.clone(), inside.clone());
        engine.system_wq().spawn(move || {
            inside.enter();
            drop(door.read());
        });
    }
    until(|| inside.now() == ITEMS);
    let unwatched = sums(&engine).unwatched;
    assert!(unwatched >= ITEMS as u64 - LIMIT / 2, "{unwatched}");
    assert!(looked_at() <= LIMIT as usize / 2 + 2);
    drop(shut);
    engine.system_wq().flush();
    assert_eq!(getrlimit(Resource::Nofile).current, current, "as it was");
}
