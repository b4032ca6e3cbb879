//! Emptying workqueues, and taking them down. Kernel: `drain_workqueue()`, `destroy_workqueue()`.

use super::workqueue::WqInner;
use super::{WorkInner, cancel, submit, wait};
use crate::runtime::{context, lock};
use crate::sync::atomic::Ordering;
use crate::wq::{Emptiness, Gate, drain_is_slow, was_empty};
use std::sync::Arc;
use wq_trace::Drop;

/// Kernel: `drain_workqueue()`.
pub(crate) fn drain(wq: &Arc<WqInner>) {
    if wq.engine.segment.forked() {
        return;
    }
    wq.gate.fetch_add(Gate::DRAINER, Ordering::AcqRel);
    let mut flushes = 0;
    loop {
        wait::flush_workqueue(wq, None);
        if was_empty(&look(wq), &look(wq)) {
            break;
        }
        flushes += 1;
        if drain_is_slow(flushes) {
            tracing::warn!(
                "workqueue {}: drain_workqueue() isn't complete after {flushes} tries",
                wq.spec.name
            );
        }
    }
    wq.gate.fetch_sub(Gate::DRAINER, Ordering::AcqRel);
}

/// Kernel: `destroy_workqueue()`.
pub(crate) fn destroy(wq: &Arc<WqInner>) {
    if wq.engine.segment.forked() {
        return;
    }
    wq.gate.fetch_or(Gate::DESTROYING, Ordering::AcqRel);
    drain(wq);
    wq.stop_rescuer();
    wq.tell_gone();
}

/// See [`Emptiness`].
fn look(wq: &WqInner) -> Emptiness {
    let control = lock(&wq.control);
    let seen = control.pwqs.iter().filter_map(|pwq| {
        pwq.pool.look(|core| {
            let share = core.has_pwq(pwq.ix, pwq.uid).then(|| core.pwq(pwq.ix))?;
            Some((share.in_flight() == 0).then_some((pwq.uid, share.arrivals)))
        })
    });
    seen.collect()
}

/// An item that the caller owns is not let in: it is idle again. Its queueing call has succeeded all the same.
pub(crate) fn drop_work(wq: &WqInner, work: &WorkInner, reason: Drop) {
    submit::tell_dropped(wq, work, reason);
    cancel::release(work);
    if wq.engine.said.drop.first() {
        tracing::warn!(
            "workqueue: cannot queue {} on wq {}",
            work.name,
            wq.spec.name
        );
    }
}

/// Whether the calling thread executes an item of this workqueue. Kernel: `is_chained_work()`.
pub(crate) fn is_chained(wq: &WqInner) -> bool {
    context::with(|context| {
        let current = context.current_in(&wq.engine);
        current.is_some_and(|current| current.wq == wq.id())
    })
}
