//! The wait for one event under loom, with each step left out once: then the model must fail. Run by `cargo loom-engine`.

use super::{Waiter, weak};
use crate::sync::checked::fails;
use loom::sync::atomic::AtomicU64;
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// One waits, another completes: the wait ends, and sees what was done before.
fn one_waits<const WEAK: u8>() {
    loom::model(|| {
        let shared = Arc::new((Waiter::<WEAK>::default(), AtomicU64::new(0)));
        let other = thread::spawn({
            let shared = shared.clone();
            move || {
                shared.1.store(1, Ordering::Relaxed);
                shared.0.complete();
            }
        });
        shared.0.wait();
        assert_eq!(shared.1.load(Ordering::Relaxed), 1);
        other.join().unwrap();
    });
}

#[test]
fn loom_waiter_is_woken() {
    one_waits::<{ weak::NONE }>();
}

#[test]
fn loom_waiter_that_is_told_too_early() {
    assert!(fails(one_waits::<{ weak::TOLD_FIRST }>));
}

#[test]
fn loom_waiter_that_is_not_told() {
    assert!(fails(one_waits::<{ weak::NOT_TOLD }>));
}

#[test]
fn loom_waiter_that_does_not_look() {
    assert!(fails(one_waits::<{ weak::NO_LOOK }>));
}
