//! Waiting for items and workqueues. Kernel: `__flush_work()`, `__flush_workqueue()`.

use super::workqueue::WqInner;
use super::{BUSY_PENDING, BUSY_RUNNING, WorkInner, cancel, submit};
use crate::os;
use crate::runtime::{EngineInner, Pool, Waiter, context, lock};
use crate::sense;
use crate::wq::Begin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use wq_trace::{Event, FlushTarget, FuncId, PoolId, What, WorkerId, WqId};

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
    let target = Target {
        work: work.id,
        wq,
        func,
        kind: FlushTarget::Work,
    };
    shown(&engine, &target, || waiter.wait());
    true
}

/// Waits until all that was queued before is over, or until `deadline`. Returns whether it is over.
pub(crate) fn flush_workqueue(wq: &Arc<WqInner>, deadline: Option<Instant>) -> bool {
    if wq.engine.segment.forked() {
        return true;
    }
    let waiter = Waiter::new();
    let begin = lock(&wq.control).begin_flush(&wq.engine, waiter.clone());
    if matches!(begin, Begin::Waiting) {
        let target = Target {
            work: 0,
            wq: wq.id(),
            func: FuncId::NONE,
            kind: FlushTarget::Workqueue,
        };
        return shown(&wq.engine, &target, || match deadline {
            None => {
                waiter.wait();
                true
            }
            Some(deadline) => waiter.wait_until(deadline),
        });
    }
    true
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
    let target = Target {
        work: work.id,
        wq,
        func: submit::function_in(engine, work),
        kind: FlushTarget::Work,
    };
    shown(engine, &target, || waiter.wait());
}

struct Target {
    work: u64,
    wq: WqId,
    func: FuncId,
    kind: FlushTarget,
}

/// Waits by `wait`, visibly: events, a row in the segment, and a worker that waits counts as sleeping.
fn shown<R>(engine: &Arc<EngineInner>, target: &Target, wait: impl FnOnce() -> R) -> R {
    let begun = os::now();
    let row = engine.segment.flush(&wq_trace::FlushRow {
        tid: context::thread_id(),
        work: target.work,
        wq: target.wq,
        func: target.func,
        since: begun,
        ..wq_trace::FlushRow::default()
    });
    emit(
        engine,
        target,
        begun,
        What::FlushStart {
            target: target.kind,
        },
    );
    let result = sense::blocking(wait);
    emit(
        engine,
        target,
        os::now(),
        What::FlushEnd {
            target: target.kind,
        },
    );
    drop(row);
    result
}

fn emit(engine: &EngineInner, target: &Target, at: u64, what: What) {
    let event = Event {
        at,
        cpu: 0,
        tid: 0,
        wq: target.wq,
        pool: PoolId::NONE,
        worker: WorkerId::NONE,
        func: target.func,
        from: FuncId::NONE,
        work: target.work,
        what,
    };
    context::with(|context| context.emit_one(engine, event));
}
