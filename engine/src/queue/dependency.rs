//! A work function that must make progress without memory waits for one that need not. Kernel:
//! `check_flush_dependency()`.

use super::WorkInner;
use crate::runtime::{EngineInner, context};
use wq_trace::WqId;

/// The calling thread is about to wait for `work`, or for all, on `target`: warns, once per engine, if it is in a work
/// function of a MEM_RECLAIM workqueue and `target` is none.
pub(crate) fn check(engine: &EngineInner, target: WqId, work: Option<&WorkInner>) {
    let Some(current) = context::current() else {
        return;
    };
    let flusher = current.pool.engine();
    let flusher = flusher.and_then(|engine| engine.find_workqueue(current.wq));
    let (Some(flusher), Some(target)) = (flusher, engine.find_workqueue(target)) else {
        return;
    };
    if flusher.spec.flags.may_wait_for(target.spec.flags) || !engine.said.flush_dependency.first() {
        return;
    }
    let running = current.work.upgrade();
    tracing::warn!(
        "workqueue: WQ_MEM_RECLAIM {}:{} is flushing !WQ_MEM_RECLAIM {}:{}",
        flusher.spec.name,
        running.as_ref().map_or("?", |work| &work.name),
        target.spec.name,
        work.map_or("(all)", |work| &work.name)
    );
}
