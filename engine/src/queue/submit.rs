//! From the queueing call to the item on a pool's list.

use super::links::PwqRef;
use super::workqueue::{Job, WqInner};
use super::{WorkInner, WorkItem, cancel, drain};
use crate::attrs::WqFlags;
use crate::os;
use crate::pool::{NewItem, PwqIx};
use crate::runtime::{Core, Effects, EngineInner, EngineState, Pool, context};
use crate::sync::atomic::Ordering;
use crate::wq::{Gate, Word};
use std::sync::Arc;
use std::time::Duration;
use wq_trace::{Drop, Event, FuncId, REQ_CPU_LOCAL, What, WqCounter};

/// The CPU that an item is queued for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct For {
    /// The OS CPU that the caller named.
    asked: Option<usize>,
    /// The OS CPU that it goes to: that one, or the caller's.
    pub(crate) cpu: usize,
}

impl For {
    pub(crate) fn asked(asked: Option<usize>) -> Self {
        Self {
            asked,
            cpu: asked.unwrap_or_else(os::current_cpu),
        }
    }

    /// As it stands in the event.
    fn req_cpu(self) -> i32 {
        self.asked.map_or(REQ_CPU_LOCAL, |cpu| cpu as i32)
    }
}

/// Kernel: `queue_work_on()`; `cpu` is an OS CPU number, `None` the calling thread's.
pub(crate) fn queue_work(wq: &Arc<WqInner>, cpu: Option<usize>, work: &Arc<WorkInner>) -> bool {
    !is_field(work) && claim(wq, work) && insert(wq, For::asked(cpu), work)
}

/// Whether it is a field of an object, which is said.
fn is_field(work: &WorkInner) -> bool {
    if work.is_embedded() {
        warn_once!(
            "work {} is a field: its object is to be queued, not it",
            work.name
        );
    }
    work.is_embedded()
}

/// Enabled and, if that ended the last disabling, queued in one step: nobody else queues the item in between.
/// Kernel: `enable_and_queue_work()`, which takes two.
pub(super) fn enable_and_queue(wq: &Arc<WqInner>, work: &Arc<WorkInner>) -> bool {
    let Some((_grabbed, enabled)) = cancel::enable_owned(work) else {
        return false;
    };
    if !enabled || is_field(work) {
        cancel::release(work);
    } else if wq.engine.segment.forked() || !wq.engine.accepts(work) {
        let_go(wq, work);
    } else {
        insert(wq, For::asked(None), work);
    }
    enabled
}

/// Kernel: `queue_delayed_work_on()`.
pub(crate) fn queue_delayed_work(
    wq: &Arc<WqInner>,
    cpu: Option<usize>,
    work: &Arc<WorkInner>,
    delay: Duration,
) -> bool {
    claim(wq, work) && insert_after(wq, For::asked(cpu), work, delay)
}

/// [`insert`] after `delay`; at once, without a timer, if that is zero. Kernel: `__queue_delayed_work()`.
pub(super) fn insert_after(
    wq: &Arc<WqInner>,
    to: For,
    work: &Arc<WorkInner>,
    delay: Duration,
) -> bool {
    if delay.is_zero() {
        return insert(wq, to, work);
    }
    let armed = wq.engine.timers.arm(wq, to, work, delay);
    if !armed {
        let_go(wq, work);
    }
    armed
}

/// Makes the caller the owner of the item, or counts why not.
pub(super) fn claim(wq: &WqInner, work: &Arc<WorkInner>) -> bool {
    if wq.engine.segment.forked() {
        return false;
    }
    if !wq.engine.accepts(work) {
        refused_by_shutdown(wq, work);
        return false;
    }
    let before = work.claim();
    if before.pending() {
        wq.slot.add(WqCounter::RefusedPending, 1);
        return false;
    }
    if before.depth() > 0 {
        work.release(before);
        wq.slot.add(WqCounter::RefusedDisabled, 1);
        return false;
    }
    true
}

/// Puts an item that the caller owns on the list of the right pool, or drops it if the workqueue is being emptied.
/// Returns false, and lets the item go, if the engine has ended meanwhile. Kernel: `__queue_work()`.
pub(crate) fn insert(wq: &Arc<WqInner>, to: For, work: &Arc<WorkInner>) -> bool {
    insert_carrying(wq, to, work, None)
}

/// [`insert`], with the object that the item is a field of.
pub(super) fn insert_carrying(
    wq: &Arc<WqInner>,
    to: For,
    work: &Arc<WorkInner>,
    carried: Option<Arc<dyn WorkItem>>,
) -> bool {
    let job = Job {
        work: work.clone(),
        wq: wq.clone(),
        carried,
    };
    let mut new = Some(NewItem {
        job,
        work: work.id,
        func: function(wq, work),
        req_cpu: to.req_cpu(),
    });
    loop {
        match Entry::of(wq, work).go_to(to, &mut new) {
            Placed::Queued => return true,
            Placed::Ended => {
                let_go(wq, work);
                return false;
            }
            Placed::Dropped(reason) => {
                drain::drop_work(wq, work, reason);
                return true;
            }
            // The pwq was replaced and is gone, and there is another by now; or the gate or the engine has moved.
            Placed::NotYet => {}
        }
    }
}

/// How an attempt to place an item went.
enum Placed {
    Queued,
    /// The engine has ended.
    Ended,
    /// The workqueue is being emptied.
    Dropped(Drop),
    /// It has to go somewhere else, or to be tried again.
    NotYet,
}

/// What is to be queued, until it is. It stays in its place on the way, since moving it costs.
type ToQueue = Option<NewItem<Job>>;

/// An item at the gate of its workqueue.
struct Entry<'a> {
    wq: &'a WqInner,
    work: &'a WorkInner,
    /// The gate as its owner found it, and what that means for this owner.
    gate: Gate,
    refused: Option<Drop>,
    /// The engine's life, likewise: one that is shutting down may have begun to after the item was claimed.
    state: EngineState,
    ended: bool,
}

impl<'a> Entry<'a> {
    fn of(wq: &'a WqInner, work: &'a Arc<WorkInner>) -> Self {
        let (gate, state) = (wq.gate(), wq.engine.state());
        let chained = gate != Gate::default() && drain::is_chained(wq);
        Self {
            wq,
            work,
            gate,
            refused: gate.refuses(chained),
            state,
            ended: !wq.engine.accepts(work),
        }
    }

    /// Queues the item where it belongs.
    fn go_to(&self, to: For, new: &mut ToQueue) -> Placed {
        let target = self.wq.pwq_on(to.cpu);
        if let Some(last) = self.last_elsewhere(&target) {
            let placed = self.behind_itself(&last, new);
            if !matches!(placed, Placed::NotYet) {
                return placed;
            }
        }
        self.on(&target, new)
    }

    /// The pool that the item was on last, if that is another one, where it may still run.
    fn last_elsewhere(&self, target: &PwqRef) -> Option<Arc<Pool>> {
        let last = self.work.word().pool()?;
        // An ordered workqueue runs one item at a time anyway, and its newest pwq must be used.
        if last == target.pool.uid || self.wq.spec.flags.contains(WqFlags::ORDERED) {
            return None;
        }
        Pool::find(last).filter(|pool| pool.engine_is(&self.wq.engine))
    }

    /// Queues the item on `target`, if that is still there.
    fn on(&self, target: &PwqRef, new: &mut ToQueue) -> Placed {
        let pool = &target.pool;
        pool.transact(&self.wq.engine, |core, now, fx| {
            if !core.has_pwq(target.ix, target.uid) {
                return Placed::NotYet;
            }
            self.place(pool, target.ix, new, (core, now, fx))
        })
    }

    /// Non-reentrance: an item that still runs on another pool for the same workqueue is queued there, behind itself.
    /// Kernel: the `last_pool` part of `__queue_work()`.
    fn behind_itself(&self, pool: &Pool, new: &mut ToQueue) -> Placed {
        pool.transact(&self.wq.engine, |core, now, fx| {
            let Some(pwq) = core.runs_for(self.work.id, self.wq.id()) else {
                return Placed::NotYet;
            };
            self.place(pool, pwq, new, (core, now, fx))
        })
    }

    /// Queues the item on a pwq of `pool`, whose lock the caller holds, unless the gate has moved. Who closes a gate, or
    /// ends the engine, looks at the pool under this lock afterwards: what still came in is seen.
    fn place(
        &self,
        pool: &Pool,
        pwq: PwqIx,
        new: &mut ToQueue,
        (core, now, fx): (&mut Core, u64, &mut Effects),
    ) -> Placed {
        if self.wq.gate() != self.gate || self.wq.engine.state() != self.state {
            return Placed::NotYet;
        }
        if self.ended {
            return Placed::Ended;
        }
        if let Some(reason) = self.refused {
            return Placed::Dropped(reason);
        }
        let to_queue = new.take().expect("it is queued once");
        match core.queue(pwq, to_queue, now, fx) {
            Ok(queued) => {
                publish(self.work, pool, queued.item.0);
                Placed::Queued
            }
            Err(back) => {
                // Let go of without the lock: it may be a user's value.
                *new = Some(back);
                Placed::Ended
            }
        }
    }
}

/// The item is on a list of `pool`, whose lock the caller holds.
fn publish(work: &WorkInner, pool: &Pool, item: u32) {
    work.item.store(item, Ordering::Relaxed);
    let before = work.word().pool().unwrap_or(0);
    work.before.store(before, Ordering::Relaxed);
    work.set_word(Word::on_list(pool.uid));
}

/// An item that the caller owns cannot be queued any more.
pub(crate) fn let_go(wq: &WqInner, work: &WorkInner) {
    cancel::release(work);
    refused_by_shutdown(wq, work);
}

pub(super) fn refused_by_shutdown(wq: &WqInner, work: &WorkInner) {
    if wq.engine.state() == EngineState::Stopped {
        // Nobody is told any more.
        wq.slot.add(WqCounter::Dropped, 1);
    } else {
        tell_dropped(wq, work, Drop::Shutdown);
    }
}

/// A queueing call returned true, and the item will not run for it: counted and told.
pub(super) fn tell_dropped(wq: &WqInner, work: &WorkInner, reason: Drop) {
    wq.slot.add(WqCounter::Dropped, 1);
    emit(wq, work, What::DropWork { reason });
}

/// Emits an event about this item on this workqueue.
pub(crate) fn emit(wq: &WqInner, work: &WorkInner, what: What) {
    let event = wq.event(os::now(), what);
    let event = Event {
        work: work.id,
        func: function(wq, work),
        ..event
    };
    context::with(|context| context.emit_one(&wq.engine, event));
}

/// The id of the item's function in this engine, looked up once per item and engine.
pub(crate) fn function(wq: &WqInner, work: &WorkInner) -> FuncId {
    function_in(&wq.engine, work)
}

/// See [`function`].
pub(super) fn function_in(engine: &EngineInner, work: &WorkInner) -> FuncId {
    let uid = u64::from(engine.uid) << 32;
    let known = work.func_id.load(Ordering::Relaxed);
    if known & !0xffff_ffff == uid {
        return FuncId(known as u32);
    }
    let id = engine.segment.function(&work.name);
    work.func_id.store(uid | u64::from(id.0), Ordering::Relaxed);
    id
}
