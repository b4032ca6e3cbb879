//! Taking items back. Kernel: `work_grab_pending()` and the cancel functions over it.

use super::{WorkInner, submit, wait};
use crate::pool::ItemIx;
use crate::runtime::{Pool, TimerKey};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Kernel: `cancel_work()`, `cancel_delayed_work()`.
pub(crate) fn cancel(work: &Arc<WorkInner>) -> bool {
    let was_pending = grab(work);
    release(work);
    was_pending
}

/// Kernel: `cancel_work_sync()`, `cancel_delayed_work_sync()`.
pub(crate) fn cancel_sync(work: &Arc<WorkInner>) -> bool {
    let was_pending = grab(work);
    // While the depth is above 0 every queueing is refused, the item's own included.
    let disabled = work.word().deeper();
    if let Some(deeper) = disabled {
        work.set_word(deeper);
    }
    release(work);
    wait::wait_for_execution(work);
    if disabled.is_some() {
        grab(work);
        work.set_word(work.word().shallower().unwrap_or(work.word()));
        release(work);
    }
    was_pending
}

/// Makes the caller the owner of the item, which is then on no list and no timer. Returns whether it was pending.
fn grab(work: &Arc<WorkInner>) -> bool {
    loop {
        if TimerKey::take(work) {
            return true;
        }
        let before = work.claim();
        if !before.pending() {
            return false;
        }
        if let Some(pool) = before.queued().then(|| before.pool()).flatten()
            && take_off_list(work, pool)
        {
            return true;
        }
        // In transit: its owner is about to put it on a list or to let it go.
        std::thread::yield_now();
    }
}

fn take_off_list(work: &Arc<WorkInner>, uid: u32) -> bool {
    let Some(pool) = Pool::find(uid) else {
        return false;
    };
    let Some(engine) = pool.engine() else {
        return false;
    };
    let job = pool.transact(&engine, |core, now, fx| {
        is_on(work, uid).then(|| {
            let (job, _) = core.cancel(item_of(work), now, fx);
            work.set_word(work.word().off_list());
            job
        })
    });
    job.is_some()
}

/// Whether the item is on a list of this pool, whose lock the caller holds.
pub(crate) fn is_on(work: &WorkInner, pool: u32) -> bool {
    let word = work.word();
    word.queued() && word.pool() == Some(pool)
}

pub(crate) fn item_of(work: &WorkInner) -> ItemIx {
    ItemIx(work.item.load(Ordering::Relaxed))
}

/// The owner lets the item go: it is idle.
pub(crate) fn release(work: &WorkInner) {
    work.set_word(work.word().released());
}

/// An item on its timer is queued at once.
pub(crate) fn fire_now(work: &Arc<WorkInner>) {
    if let Some(entry) = TimerKey::take_entry(work) {
        submit::insert(&entry.wq, Some(entry.cpu), work);
    }
}
