//! Waiting for items and workqueues. Kernel: `__flush_work()`, `__flush_workqueue()`.

use super::visible::{Subject, Visible};
use super::workqueue::WqInner;
use super::{BUSY_PENDING, BUSY_RUNNING, WorkInner, cancel, dependency, submit, waits};
use crate::runtime::{EngineInner, Pool, Waiter, lock};
use crate::sense;
use crate::wq::Begin;
use crate::wq::deadlock::Deed;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use wq_trace::{FlushTarget, FuncId, WqId};

/// Waits for the last queued instance. Returns whether there was one.
pub(crate) fn flush_work(work: &Arc<WorkInner>) -> bool {
    wait_for(work, true)
}

/// Waits for a running execution.
pub(crate) fn wait_for_execution(work: &Arc<WorkInner>) -> bool {
    wait_for(work, false)
}

fn wait_for(work: &Arc<WorkInner>, queued_too: bool) -> bool {
    let Some(pool) = work.word().pool().and_then(Pool::find) else {
        return false;
    };
    let Some(engine) = pool.engine() else {
        return false;
    };
    if engine.segment.forked() {
        return false;
    }
    let waiter = Waiter::new();
    let wq = pool.transact(&engine, |core, _, _| {
        if queued_too && cancel::is_on(work, pool.uid) {
            return Some(core.wait_for_item(cancel::item_of(work), waiter.clone()));
        }
        let worker = core.executing(work.id)?;
        Some(core.wait_for_worker(worker, waiter.clone()))
    });
    let Some(wq) = wq else { return false };
    let func = FuncId(work.func_id.load(Ordering::Relaxed) as u32);
    let subject = Subject {
        work: work.id,
        wq,
        func,
        kind: FlushTarget::Work,
    };
    let deed = if queued_too {
        dependency::check(&engine, wq, Some(work));
        Deed::Flush
    } else {
        Deed::CancelSync
    };
    let wq = engine.find_workqueue(wq);
    let target = waits::Target::Work(work.clone(), pool, wq, deed);
    wait(&Visible::begin(&engine, subject), &waiter, target);
    true
}

/// Waits until all that was queued before is over, or until `deadline`. Returns whether it is over.
pub(crate) fn flush_workqueue(wq: &Arc<WqInner>, deadline: Option<Instant>) -> bool {
    if wq.engine.segment.forked() {
        return true;
    }
    let waiter = Waiter::new();
    let begin = lock(&wq.control).begin_flush(&wq.engine, waiter.clone());
    if !matches!(begin, Begin::Waiting) {
        return true;
    }
    let subject = Subject {
        work: 0,
        wq: wq.id(),
        func: FuncId::NONE,
        kind: FlushTarget::Workqueue,
    };
    let Some(deadline) = deadline else {
        dependency::check(&wq.engine, wq.id(), None);
        let visible = Visible::begin(&wq.engine, subject);
        wait(&visible, &waiter, waits::Target::Workqueue(wq.clone()));
        return true;
    };
    let visible = Visible::begin(&wq.engine, subject);
    let is_over = sense::blocking(|| waiter.wait_until(deadline));
    visible.end();
    is_over
}

/// Waits, however long it takes. A worker that waits counts as sleeping.
fn wait(visible: &Arc<Visible>, waiter: &Arc<Waiter>, target: waits::Target) {
    let in_wait = waits::enter(visible, waiter, target);
    sense::blocking(|| waiter.wait());
    drop(in_wait);
    visible.end();
}

/// [`BUSY_PENDING`] and [`BUSY_RUNNING`].
pub(crate) fn busy(work: &WorkInner) -> u32 {
    let word = work.word();
    let pool = word.pool().and_then(Pool::find);
    let pool = pool.filter(|pool| pool.engine().is_some_and(|engine| !engine.segment.forked()));
    let running = pool.is_some_and(|pool| pool.look(|core| core.executing(work.id).is_some()));
    (u32::from(word.pending()) * BUSY_PENDING) | (u32::from(running) * BUSY_RUNNING)
}

/// Waits for `waiter`, who waits until an item of `wq` is queued.
pub(super) fn wait_in_sight(
    engine: &Arc<EngineInner>,
    wq: WqId,
    work: &WorkInner,
    waiter: &Waiter,
) {
    let subject = Subject {
        work: work.id,
        wq,
        func: submit::function_in(engine, work),
        kind: FlushTarget::Work,
    };
    let visible = Visible::begin(engine, subject);
    sense::blocking(|| waiter.wait());
    visible.end();
}
