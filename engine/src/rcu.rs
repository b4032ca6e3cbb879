//! Read-side critical sections. Kernel: `rcu_read_lock()` and `rcu_read_unlock()`.
//!
//! A reader that holds a [`Guard`] goes on seeing what it found; who has unlinked something waits for the readers of
//! the moment before it is taken apart: a [`RcuWork`](crate::RcuWork) is queued only when they all have left. One
//! collector serves all engines of the process.
//!
//! ```
//! use std::sync::atomic::{AtomicPtr, Ordering};
//! use wq_engine::{Engine, RcuWork, rcu};
//!
//! static CONFIG: AtomicPtr<&str> = AtomicPtr::new(std::ptr::null_mut());
//!
//! let engine = Engine::builder().name("doc-rcu-module").build()?;
//! let reader = std::thread::spawn(|| {
//!     let _section = rcu::read_lock();
//!     // What is found here stays whole until the section ends.
//!     CONFIG.load(Ordering::Acquire).is_null()
//! });
//! let take_apart = RcuWork::named("free_config", |_| println!("nobody reads the old one any more"));
//! CONFIG.swap(std::ptr::null_mut(), Ordering::AcqRel);
//! assert!(engine.system_wq().queue_rcu_work(&take_apart));
//! take_apart.flush();
//! assert!(reader.join().is_ok());
//! # Ok::<(), wq_engine::Error>(())
//! ```

use crossbeam_epoch::{Collector, LocalHandle};
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::LazyLock;

/// A private one: who uses crossbeam-epoch for other things neither delays nor is delayed.
static COLLECTOR: LazyLock<Collector> = LazyLock::new(Collector::new);

thread_local! {
    static READER: LocalHandle = register();
    /// How many sections are open.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// A read-side critical section; it ends when the guard is dropped. It stays on its thread, and sections may be nested.
#[derive(Debug)]
#[must_use = "the section ends when the guard is dropped"]
pub struct Guard {
    _pinned: crossbeam_epoch::Guard,
    /// A section is its thread's own.
    _not_send: PhantomData<*const ()>,
}

/// Begins a read-side critical section. It delays every item that is given to
/// [`Workqueue::queue_rcu_work`](crate::Workqueue::queue_rcu_work) meanwhile, so it should be short. From any thread;
/// costs one atomic operation. It may sleep, and may be held across calls of this crate, except for a wait for an item
/// that itself waits for readers. Kernel: `rcu_read_lock()`.
///
/// A work function that returns with a section open, or ends one that it has not begun, is reported as a bug.
pub fn read_lock() -> Guard {
    DEPTH.set(DEPTH.get() + 1);
    let pinned = READER.try_with(LocalHandle::pin);
    Guard {
        // A thread that is about to be gone has lost its own.
        _pinned: pinned.unwrap_or_else(|_| register().pin()),
        _not_send: PhantomData,
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// How many sections are open on the calling thread. Kernel: `rcu_preempt_depth()`.
pub(crate) fn depth() -> u32 {
    DEPTH.get()
}

/// A participant: a reader, or one who waits for readers.
pub(crate) fn register() -> LocalHandle {
    COLLECTOR.register()
}
