//! Calls that meet on threads in ways that are rare: what is gone by then must harm nobody.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use wq_engine::{Engine, WorkqueueAttrs, WqFlags};

/// Generous: only a hang reaches it.
const LONG: Duration = Duration::from_secs(60);

fn engine(name: &str) -> Engine {
    let builder = Engine::builder().name(name).tracing(false);
    builder.build().expect("an engine starts")
}

/// Does `often` on another thread again and again while `meanwhile` runs. Neither panics, nor hangs.
fn side_by_side(
    often: impl Fn() + Send + Sync + 'static,
    meanwhile: impl FnOnce() + Send + 'static,
) {
    let (over, is_over) = mpsc::channel();
    thread::spawn(move || {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let again = || {
                while !stop.load(Ordering::Relaxed) {
                    often();
                }
            };
            scope.spawn(again);
            scope.spawn(again);
            meanwhile();
            stop.store(true, Ordering::Relaxed);
        });
        // Not sent if one of them panicked.
        let _ = over.send(());
    });
    assert_eq!(is_over.recv_timeout(LONG), Ok(()), "it hangs, or panics");
}

#[test]
fn the_last_of_a_destroyed_workqueue_goes_while_somebody_looks_at_all() {
    let engine = engine("races-gone");
    let all = engine.clone();
    side_by_side(
        move || all.thaw(),
        move || {
            for _ in 0..8000 {
                let wq = engine.alloc_workqueue("gone", WqFlags::PERCPU, 0).unwrap();
                wq.destroy();
            }
        },
    );
}

#[test]
fn congestion_is_asked_for_while_the_pools_are_replaced() {
    let engine = engine("races-attrs");
    let wq = engine
        .alloc_workqueue("asked", WqFlags::UNBOUND, 0)
        .unwrap();
    let asked = wq.clone();
    side_by_side(
        move || assert!(!asked.congested(None)),
        move || {
            for round in 0..1500 {
                let nice = round % 3;
                let attrs = WorkqueueAttrs {
                    nice,
                    ..WorkqueueAttrs::default()
                };
                wq.apply_attrs(&attrs).unwrap();
            }
        },
    );
}

/// Kilobytes of address space.
fn address_space() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let size = line.and_then(|line| line.split_whitespace().next());
    size.and_then(|size| size.parse().ok())
        .expect("it has a size")
}

#[test]
fn rescuers_that_ended_leave_nothing() {
    let engine = engine("races-rescuers");
    let flags = WqFlags::PERCPU | WqFlags::MEM_RECLAIM;
    let make = |count| {
        for _ in 0..count {
            engine.alloc_workqueue("rescued", flags, 0).unwrap();
        }
    };
    make(50);
    let before = address_space();
    make(1000);
    // A thread that nobody lets go keeps its stack of 2 MiB.
    let grown = address_space().saturating_sub(before);
    assert!(grown < 1_000_000, "{grown} KiB more");
}
