//! What threads share and wait by: the standard library's, or a model checker's stand-ins.
//!
//! The engine takes its locks, atomics and threads from here and nowhere else, so that the code that runs is the code
//! that is checked. An ordinary build gets exactly the standard library's types. With `--cfg shuttle` everything is
//! shuttle's, which decides who runs next, together with a clock that only it moves ([`shuttled`]): whole engines run
//! under it (`tests/shuttle.rs`). With `--cfg loom_engine` the parts that [`checked`] serves are loom's, which tries every
//! interleaving and every reordering of a few steps; the rest of the engine does not run then.
//!
//! Counters that only number things are the standard library's in every build: no decision depends on them.

#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, RwLock, atomic},
    thread, thread_local,
};

#[cfg(shuttle)]
pub(crate) mod shuttled;

#[cfg(shuttle)]
pub(crate) use {
    shuttle::sync::{RwLock, atomic},
    shuttle::thread_local,
    shuttled::{Condvar, Mutex, MutexGuard, thread},
};

/// For what is small enough that loom can try everything.
pub(crate) mod checked {
    #[cfg(not(loom_engine))]
    pub(crate) use super::{
        Condvar, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering, fence},
    };

    #[cfg(loom_engine)]
    pub(crate) use loom::sync::{
        Condvar, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering, fence},
    };

    /// Whether a model finds a fault; on a thread of its own, since a failed model leaves loom's state behind.
    #[cfg(all(test, loom_engine))]
    pub(crate) fn fails(model: fn()) -> bool {
        std::thread::spawn(model).join().is_err()
    }
}

/// A static that all engines of the process share. Under shuttle it is one schedule's.
#[cfg(not(shuttle))]
macro_rules! shared {
    ($(#[$attr:meta])* static $NAME:ident: $Type:ty = $init:expr;) => {
        $(#[$attr])*
        static $NAME: $Type = $init;
    };
}

#[cfg(shuttle)]
macro_rules! shared {
    ($(#[$attr:meta])* static $NAME:ident: $Type:ty = $init:expr;) => {
        shuttle::lazy_static! {
            $(#[$attr])*
            static ref $NAME: $Type = $init;
        }
    };
}

pub(crate) use shared;
