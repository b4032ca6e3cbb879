//! Items with a timer in front of them.

use super::item::item_methods;
use super::submit::For;
use super::work::Func;
use super::workqueue::WqInner;
use super::{WorkInner, cancel, place, submit, wait};
use crate::runtime::{TimerKey, lock};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wq_trace::{Was, WqCounter};

/// A [`Work`](crate::Work) with a timer in front of it. It is pending from the moment when its timer is armed.
/// One thread serves all timers of an engine; they are as exact as the system's. Kernel: `struct delayed_work`.
///
/// ```
/// use std::time::Duration;
/// use wq_engine::{DelayedWork, Engine};
/// let engine = Engine::builder().name("doc-delayed").build()?;
/// let later = DelayedWork::named("later", |_| println!("a little later"));
/// assert!(engine.system_wq().queue_delayed_work(&later, Duration::from_millis(5)));
/// assert!(!engine.system_wq().queue_delayed_work(&later, Duration::ZERO), "it is pending");
/// later.flush();
/// # Ok::<(), wq_engine::Error>(())
/// ```
#[derive(Clone)]
pub struct DelayedWork(pub(crate) Arc<WorkInner>);

item_methods!(DelayedWork);

impl DelayedWork {
    /// As [`Work::new`](crate::Work::new). Kernel: `INIT_DELAYED_WORK()`.
    #[track_caller]
    pub fn new(func: impl Fn(&Self) + Send + Sync + 'static) -> Self {
        Self::named(&place(Location::caller()), func)
    }

    /// As [`Work::named`](crate::Work::named).
    pub fn named(name: &str, func: impl Fn(&Self) + Send + Sync + 'static) -> Self {
        let func = Func::Delayed(Box::new(func));
        Self(WorkInner::new(name.to_owned(), func))
    }

    /// Queues the item at once if it is on its timer, on the workqueue and for the CPU of its arming, then waits as
    /// [`Work::flush`](crate::Work::flush). Kernel: `flush_delayed_work()`.
    pub fn flush(&self) -> bool {
        cancel::fire_now(&self.0);
        wait::flush_work(&self.0)
    }

    /// When the timer fires; `None` if the item is not on it, or if that is later than time can say. Advisory: it may
    /// have changed already. Kernel: `timer.expires`.
    pub fn expires(&self) -> Option<Instant> {
        lock(&self.0.timer).as_ref().and_then(TimerKey::expires)
    }
}

impl fmt::Debug for DelayedWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Kernel: `mod_delayed_work_on()`. Returns whether the item was pending.
pub(super) fn mod_delayed_work(
    wq: &Arc<WqInner>,
    cpu: Option<usize>,
    work: &Arc<WorkInner>,
    delay: Duration,
) -> bool {
    if wq.engine.segment.forked() {
        return false;
    }
    if !wq.engine.accepts(work) {
        submit::refused_by_shutdown(wq, work);
        return false;
    }
    let Some(grabbed) = cancel::own(work) else {
        return false;
    };
    if work.word().depth() > 0 {
        cancel::release(work);
        wq.slot.add(WqCounter::RefusedDisabled, 1);
        return false;
    }
    submit::insert_after(wq, For::asked(cpu), work, delay);
    grabbed.was != Was::Idle
}
