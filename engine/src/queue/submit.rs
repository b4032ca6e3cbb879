//! From the queueing call to the item on a pool's list.

use super::workqueue::{Job, PwqRef, WqInner};
use super::{WorkInner, cancel};
use crate::os;
use crate::pool::NewItem;
use crate::runtime::{EngineState, Pool, context};
use crate::wq::Word;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use wq_trace::{Drop, FuncId, REQ_CPU_LOCAL, What, WqCounter};

/// Kernel: `queue_work_on()`; `cpu` is an OS CPU number, `None` the calling thread's.
pub(crate) fn queue_work(wq: &Arc<WqInner>, cpu: Option<usize>, work: &Arc<WorkInner>) -> bool {
    claim(wq, work) && {
        insert(wq, cpu, work);
        true
    }
}

/// Kernel: `queue_delayed_work_on()`.
pub(crate) fn queue_delayed_work(
    wq: &Arc<WqInner>,
    cpu: Option<usize>,
    work: &Arc<WorkInner>,
    delay: Duration,
) -> bool {
    claim(wq, work) && {
        if delay.is_zero() {
            insert(wq, cpu, work);
        } else {
            wq.engine
                .timers
                .arm(wq, cpu.unwrap_or_else(os::current_cpu), work, delay);
        }
        true
    }
}

/// Makes the caller the owner of the item, or counts why not.
fn claim(wq: &WqInner, work: &Arc<WorkInner>) -> bool {
    if wq.engine.segment.forked() {
        return false;
    }
    if !wq.engine.accepts(work) {
        refuse(wq, work, Drop::Shutdown);
        return false;
    }
    let before = work.claim();
    if before.pending() {
        wq.slot.add(WqCounter::RefusedPending, 1);
        return false;
    }
    if before.depth() > 0 {
        work.set_word(before);
        wq.slot.add(WqCounter::RefusedDisabled, 1);
        return false;
    }
    true
}

/// Puts an item that the caller owns on the list of the right pool. Kernel: `__queue_work()`.
pub(crate) fn insert(wq: &Arc<WqInner>, cpu: Option<usize>, work: &Arc<WorkInner>) {
    if wq.orphaned.load(Ordering::Acquire) && !is_chained(wq) {
        cancel::release(work);
        refuse(wq, work, Drop::Destroying);
        return;
    }
    let target = wq.pwq_on(cpu.unwrap_or_else(os::current_cpu));
    let req_cpu = cpu.map_or(REQ_CPU_LOCAL, |cpu| cpu as i32);
    let func = function(wq, work);
    let job = Job {
        work: work.clone(),
        wq: wq.clone(),
    };
    let new = NewItem {
        job,
        work: work.id,
        func,
        req_cpu,
    };
    if let Some(new) = behind_itself(wq, target, work, new) {
        target.pool.transact(&wq.engine, |core, now, fx| {
            let queued = core.queue(target.ix, new, now, fx);
            publish(work, &target.pool, queued.item.0);
        });
    }
}

/// Non-reentrance: an item that still runs on another pool for the same workqueue is queued there, behind itself.
/// Hands the item back if that is not so. Kernel: the `last_pool` part of `__queue_work()`.
fn behind_itself(
    wq: &WqInner,
    target: &PwqRef,
    work: &Arc<WorkInner>,
    new: NewItem<Job>,
) -> Option<NewItem<Job>> {
    let last = work.word().pool().filter(|&last| last != target.pool.uid);
    let Some(pool) = last.and_then(Pool::find) else {
        return Some(new);
    };
    let Some(pwq) = wq.pwqs.iter().find(|pwq| pwq.pool.uid == pool.uid) else {
        return Some(new);
    };
    pool.transact(&wq.engine, |core, now, fx| {
        let worker = core.executing(work.id);
        if worker.and_then(|worker| core.current_pwq(worker)) != Some(pwq.ix) {
            return Some(new);
        }
        let queued = core.queue(pwq.ix, new, now, fx);
        publish(work, &pool, queued.item.0);
        None
    })
}

/// The item is on a list of `pool`, whose lock the caller holds.
fn publish(work: &WorkInner, pool: &Pool, item: u32) {
    work.item.store(item, Ordering::Relaxed);
    work.set_word(Word::on_list(pool.uid));
}

/// Whether the calling thread is a worker that executes an item of this workqueue. Kernel: `is_chained_work()`.
fn is_chained(wq: &WqInner) -> bool {
    context::with(|context| {
        context
            .current_in(&wq.engine)
            .is_some_and(|current| current.wq == wq.id())
    })
}

fn refuse(wq: &WqInner, work: &WorkInner, reason: Drop) {
    wq.slot.add(WqCounter::Dropped, 1);
    if wq.engine.state() == EngineState::Stopped {
        return;
    }
    let event = wq.event(os::now(), What::DropWork { reason });
    let event = wq_trace::Event {
        work: work.id,
        func: function(wq, work),
        ..event
    };
    context::with(|context| context.emit_one(&wq.engine, event));
}

/// The id of the item's function in this engine, looked up once per item and engine.
pub(crate) fn function(wq: &WqInner, work: &WorkInner) -> FuncId {
    let engine = u64::from(wq.engine.uid) << 32;
    let known = work.func_id.load(Ordering::Relaxed);
    if known & !0xffff_ffff == engine {
        return FuncId(known as u32);
    }
    let id = wq.engine.segment.function(&work.name);
    work.func_id
        .store(engine | u64::from(id.0), Ordering::Relaxed);
    id
}
