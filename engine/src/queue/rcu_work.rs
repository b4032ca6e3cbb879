//! Items that are queued once every reader of the moment has left.

use super::work::Func;
use super::workqueue::WqInner;
use super::{WorkInner, place, submit, wait};
use crate::runtime::lock;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// An item that is queued after a grace period: when every [`rcu::Guard`](crate::rcu::Guard) that was held at the call
/// is gone. It can neither be cancelled nor disabled. Kernel: `struct rcu_work`.
///
/// ```
/// use std::sync::{Arc, RwLock};
/// use wq_engine::{Engine, RcuWork, rcu};
///
/// let engine = Engine::builder().name("doc-rcu").build()?;
/// let free = RcuWork::named("free_old", |_| println!("no reader sees the old version any more"));
/// let reader = rcu::read_lock();
/// assert!(engine.system_wq().queue_rcu_work(&free));
/// assert!(!engine.system_wq().queue_rcu_work(&free), "it is pending");
/// drop(reader);
/// free.flush();
/// assert!(!free.pending());
/// # Ok::<(), wq_engine::Error>(())
/// ```
#[derive(Clone)]
pub struct RcuWork(pub(crate) Arc<WorkInner>);

impl RcuWork {
    /// As [`Work::new`](crate::Work::new). Kernel: `INIT_RCU_WORK()`.
    #[track_caller]
    pub fn new(func: impl Fn(&Self) + Send + Sync + 'static) -> Self {
        Self::named(&place(Location::caller()), func)
    }

    /// As [`Work::named`](crate::Work::named).
    pub fn named(name: &str, func: impl Fn(&Self) + Send + Sync + 'static) -> Self {
        let func = Func::Rcu(Box::new(func));
        Self(WorkInner::new(name.to_owned(), func))
    }

    /// Waits for the readers if the item waits for them, then as [`Work::flush`](crate::Work::flush). Returns whether
    /// there was anything to wait for.
    ///
    /// Not while the calling thread holds a guard: it would wait for itself. From any other thread; inside a work
    /// function the wait counts as sleeping. Kernel: `flush_rcu_work()`.
    pub fn flush(&self) -> bool {
        let was_pending = wait_for_readers(&self.0);
        wait::flush_work(&self.0) || was_pending
    }

    /// Whether the item waits for readers or is queued. Kernel: `work_pending()` of the item inside.
    pub fn pending(&self) -> bool {
        self.0.word().pending()
    }

    /// As [`Work::busy`](crate::Work::busy).
    pub fn busy(&self) -> u32 {
        wait::busy(&self.0)
    }
}

impl fmt::Debug for RcuWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Kernel: `queue_rcu_work()`.
pub(super) fn queue_rcu_work(wq: &Arc<WqInner>, work: &Arc<WorkInner>) -> bool {
    if work.word().depth() > 0 {
        warn_once!("rcu work {} was disabled, which it cannot be", work.name);
    }
    if !submit::claim(wq, work) {
        return false;
    }
    let waits = wq.engine.rcu.call(wq, work);
    if !waits {
        submit::let_go(wq, work);
    }
    waits
}

/// Waits until the item is queued, if it is not yet. Returns whether it was pending. Kernel: `rcu_barrier()`.
fn wait_for_readers(work: &Arc<WorkInner>) -> bool {
    loop {
        let engine = lock(&work.rcu).clone();
        if let Some(engine) = engine {
            if engine.segment.forked() {
                return false;
            }
            if let Some((wq, waiter)) = engine.rcu.waiter_for(work) {
                wait::wait_in_sight(&engine, wq, work, &waiter);
                return true;
            }
        }
        let word = work.word();
        if !word.pending() || word.queued() {
            return word.pending();
        }
        // In transit: it is about to be queued, or to wait.
        std::thread::yield_now();
    }
}
