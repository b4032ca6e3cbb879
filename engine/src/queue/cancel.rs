//! Taking items back. Kernel: `work_grab_pending()` and the cancel functions over it.

use super::{Job, WorkInner, WqInner, submit, wait};
use crate::os;
use crate::pool::{ItemIx, Subject};
use crate::runtime::{Pool, TimerKey, context};
use crate::sync::atomic::Ordering;
use crate::sync::thread;
use std::sync::Arc;
use wq_trace::{Was, What};

/// What [`own`] took.
pub(super) struct Grabbed {
    pub(super) was: Was,
    /// What was queued goes last, when the item is free again: a user's value may cancel it while it is dropped.
    _job: Option<Job>,
}

impl Grabbed {
    fn was_pending(&self) -> bool {
        self.was != Was::Idle
    }
}

/// Kernel: `cancel_work()`, `cancel_delayed_work()`.
pub(crate) fn cancel(work: &Arc<WorkInner>) -> bool {
    let Some(grabbed) = own(work) else {
        return false;
    };
    release(work);
    tell_idle(work, grabbed.was);
    grabbed.was_pending()
}

/// Kernel: `cancel_work_sync()`, `cancel_delayed_work_sync()`.
pub(crate) fn cancel_sync(work: &Arc<WorkInner>) -> bool {
    let Some(grabbed) = own(work) else {
        return false;
    };
    // While the depth is above 0 every queueing is refused, the item's own included.
    let disabled = work.word().deeper();
    if let Some(deeper) = disabled {
        work.set_word(deeper);
    }
    release(work);
    tell_idle(work, grabbed.was);
    wait::wait_for_execution(work);
    if disabled.is_some() && grab(work).is_some() {
        work.set_word(work.word().shallower().unwrap_or(work.word()));
        release(work);
    }
    grabbed.was_pending()
}

/// Kernel: `disable_work()`, `disable_delayed_work()`.
pub(crate) fn disable(work: &Arc<WorkInner>) -> bool {
    let Some(grabbed) = own(work) else {
        return false;
    };
    match work.word().deeper() {
        Some(deeper) => work.set_word(deeper),
        None => warn_once!("work disable count overflowed"),
    }
    let depth = work.word().depth();
    tell(work, What::DisableWork { depth });
    release(work);
    grabbed.was_pending()
}

/// Kernel: `disable_work_sync()`, `disable_delayed_work_sync()`.
pub(crate) fn disable_sync(work: &Arc<WorkInner>) -> bool {
    let was_pending = disable(work);
    if !is_left_behind(work) {
        wait::wait_for_execution(work);
    }
    was_pending
}

/// Kernel: `enable_work()`, `enable_delayed_work()`.
pub(crate) fn enable(work: &Arc<WorkInner>) -> bool {
    let Some((_grabbed, enabled)) = enable_owned(work) else {
        return false;
    };
    release(work);
    enabled
}

/// As [`enable`], but the caller owns the item afterwards, and lets what was taken off a list go after the item.
pub(super) fn enable_owned(work: &Arc<WorkInner>) -> Option<(Grabbed, bool)> {
    let grabbed = own(work)?;
    match work.word().shallower() {
        Some(shallower) => work.set_word(shallower),
        None => warn_once!("work disable count underflowed"),
    }
    let depth = work.word().depth();
    tell(work, What::EnableWork { depth });
    Some((grabbed, depth == 0))
}

/// Makes the caller the owner of the item, which is then on no list and no timer. `None` if nobody can: it waits for
/// readers, or belongs to an engine that was left behind by a fork.
pub(super) fn own(work: &Arc<WorkInner>) -> Option<Grabbed> {
    (!is_left_behind(work)).then(|| grab(work)).flatten()
}

/// Whether the item belongs to an engine that a fork left behind: its threads are not in this process, and its locks
/// may be held for ever.
fn is_left_behind(work: &WorkInner) -> bool {
    let engine = work
        .word()
        .pool()
        .and_then(Pool::find)
        .and_then(|pool| pool.engine());
    match engine {
        Some(engine) => engine.segment.forked(),
        None => TimerKey::is_left_behind(work),
    }
}

/// Kernel: `work_grab_pending()`.
fn grab(work: &Arc<WorkInner>) -> Option<Grabbed> {
    let nothing_queued = |was| Some(Grabbed { was, _job: None });
    loop {
        if let Some(entry) = TimerKey::take(work) {
            tell_off_timer(&entry.wq, work);
            return nothing_queued(Was::Timer);
        }
        let before = work.claim();
        if !before.pending() {
            return nothing_queued(Was::Idle);
        }
        if let Some(pool) = before.queued().then(|| before.pool()).flatten() {
            match take_off_list(work, pool) {
                Taken::From(was, job) => {
                    let _job = Some(job);
                    return Some(Grabbed { was, _job });
                }
                Taken::NotThere => {}
                Taken::Forked => return None,
            }
        } else if work.is_rcu() {
            return None;
        }
        // In transit: its owner is about to put it on a list or to let it go.
        thread::yield_now();
    }
}

enum Taken {
    From(Was, Job),
    NotThere,
    Forked,
}

fn take_off_list(work: &Arc<WorkInner>, uid: u32) -> Taken {
    let pool = Pool::find(uid);
    let Some((pool, engine)) = pool.and_then(|pool| Some((pool.clone(), pool.engine()?))) else {
        return Taken::NotThere;
    };
    if engine.segment.forked() {
        return Taken::Forked;
    }
    let taken = pool.transact(&engine, |core, now, fx| {
        is_on(work, uid).then(|| {
            let taken = core.cancel(item_of(work), now, fx);
            let before = work.before.load(Ordering::Relaxed);
            work.set_word(work.word().taken_back((before != 0).then_some(before)));
            taken
        })
    });
    taken.map_or(Taken::NotThere, |(job, was)| Taken::From(was, job))
}

/// An item was taken off its timer, before it fired.
pub(crate) fn tell_off_timer(wq: &WqInner, work: &WorkInner) {
    submit::emit(wq, work, What::CancelWork { was: Was::Timer });
}

/// An item that was idle is known to the engine that it was on last, if any.
fn tell_idle(work: &WorkInner, was: Was) {
    if was == Was::Idle {
        tell(work, What::CancelWork { was });
    }
}

/// Emits an event about this item in the engine that it was on last, if any.
fn tell(work: &WorkInner, what: What) {
    let pool = work.word().pool().and_then(Pool::find);
    let Some(engine) = pool.and_then(|pool| pool.engine()) else {
        return;
    };
    let subject = Subject {
        work: work.id,
        func: submit::function_in(&engine, work),
        ..Subject::default()
    };
    let event = subject.event(os::now(), what);
    context::with(|context| context.emit_one(&engine, event));
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
    work.release(work.word());
}

/// An item on its timer is queued at once; one whose timer fires at this moment is waited for until it is queued.
pub(crate) fn fire_now(work: &Arc<WorkInner>) {
    if is_left_behind(work) {
        return;
    }
    loop {
        if let Some(entry) = TimerKey::take(work) {
            submit::insert(&entry.wq, entry.to, work);
            return;
        }
        let word = work.word();
        if !word.pending() || word.queued() {
            return;
        }
        thread::yield_now();
    }
}
