//! Read-side critical sections. Kernel: `rcu_read_lock()` and `rcu_read_unlock()`.
//!
//! A reader that holds a [`Guard`] goes on seeing what it found; who has unlinked something waits for the readers of
//! the moment before it is taken apart: a [`RcuWork`](crate::RcuWork) is queued only when they all have left. One
//! collector serves all engines of the process.

use crossbeam_epoch::{Collector, LocalHandle};
use std::marker::PhantomData;
use std::sync::LazyLock;

/// A private one: who uses crossbeam-epoch for other things neither delays nor is delayed.
static COLLECTOR: LazyLock<Collector> = LazyLock::new(Collector::new);

thread_local! {
    static READER: LocalHandle = register();
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
/// costs one atomic operation. Kernel: `rcu_read_lock()`.
pub fn read_lock() -> Guard {
    let pinned = READER.try_with(LocalHandle::pin);
    Guard {
        // A thread that is about to be gone has lost its own.
        _pinned: pinned.unwrap_or_else(|_| register().pin()),
        _not_send: PhantomData,
    }
}

/// A participant: a reader, or one who waits for readers.
pub(crate) fn register() -> LocalHandle {
    COLLECTOR.register()
}
