//! Calls for help when no worker can be created, and the rescuers that answer them.
//!
//! Kernel: `pool_mayday_timeout()`, `send_mayday()`, `assign_rescuer_work()`, `rescuer_thread()`. A rescuer comes to a
//! pool for one pwq, takes that pwq's items off the worklist, and leaves as soon as the pool can help itself.

use super::effect::{Effect, Effects, Subject};
use super::execute::Start;
use super::list::ItemIx;
use super::pwq::PwqIx;
use super::state::{PoolState, Rescuer, Role, Worker, WorkerIx};
use crate::wq::PwqAddr;
use wq_trace::{Counter, Wake, What, WorkerSlot, WorkerState};

/// From the manager's start to the first call for help, in nanoseconds. Kernel: `MAYDAY_INITIAL_TIMEOUT`.
const MAYDAY_INITIAL_TIMEOUT: u64 = 10_000_000;
/// From one call for help to the next, in nanoseconds. Kernel: `MAYDAY_INTERVAL`.
const MAYDAY_INTERVAL: u64 = 100_000_000;
/// Items after which a rescuer turns to another pwq that waits. Kernel: `RESCUER_BATCH`.
const RESCUER_BATCH: u32 = 16;

/// What a rescuer must do next.
#[derive(Debug)]
pub(crate) enum Rescue<J> {
    /// Call the work function, then [`PoolState::complete`] and ask again.
    Run(Start<J>),
    /// Leave the pool: [`PoolState::detach_rescuer`].
    Leave {
        /// The pwq is to be put at the end of its workqueue's mayday list again.
        again: bool,
    },
}

impl<J, W> PoolState<J, W> {
    #[cold]
    pub(super) fn rescuer(&self, ix: WorkerIx) -> &Rescuer<W> {
        self.rescuers[ix.index()]
            .as_ref()
            .expect("the rescuer is here")
    }

    #[cold]
    pub(super) fn rescuer_mut(&mut self, ix: WorkerIx) -> &mut Rescuer<W> {
        self.rescuers[ix.index()]
            .as_mut()
            .expect("the rescuer is here")
    }

    /// Creating a worker has failed. The time counts from the manager's start: in user space a thread is created at
    /// once or not at all, so the timer is armed only here.
    pub(super) fn arm_mayday_timer(&mut self, now: u64, fx: &mut Effects<W>) {
        let due = self.managing_since + MAYDAY_INITIAL_TIMEOUT;
        self.set_mayday_timer(due.max(now), fx);
    }

    fn set_mayday_timer(&mut self, due: u64, fx: &mut Effects<W>) {
        self.mayday_due = Some(due);
        fx.push(Effect::Timer(due));
    }

    /// The manager still has no worker: calls for help for every item that waits.
    pub(super) fn mayday_timeout(&mut self, now: u64, fx: &mut Effects<W>) {
        self.mayday_due = None;
        if self.manager.is_none() {
            return;
        }
        if self.need_to_create_worker() {
            let waiting = self.items.iter(&self.worklist);
            let pwqs: Vec<PwqIx> = waiting.map(|ix| self.items.get(ix).pwq).collect();
            for pwq in pwqs {
                self.send_mayday(pwq, now, fx);
            }
        }
        self.set_mayday_timer(now + MAYDAY_INTERVAL, fx);
    }

    /// Kernel: `send_mayday()`.
    fn send_mayday(&mut self, pwq: PwqIx, now: u64, fx: &mut Effects<W>) {
        let pool = self.subject();
        let share = self.pwq_mut(pwq);
        if share.mayday || !share.spec.mem_reclaim {
            return;
        }
        share.set_mayday(true);
        share.slot.add(Counter::Mayday, 1);
        let wq = share.spec.wq;
        fx.emit(now, Subject { wq, ..pool }, What::Mayday);
        fx.push(Effect::Mayday(wq, self.addr(pwq)));
    }

    /// A rescuer comes to help its workqueue's pwq, unless that is gone, or has not called.
    pub(crate) fn attach_rescuer(
        &mut self,
        pwq: PwqAddr,
        slot: WorkerSlot,
        now: u64,
        fx: &mut Effects<W>,
    ) -> Result<WorkerIx, WorkerSlot> {
        if !self.has_pwq(pwq.ix, pwq.uid) || !self.pwq(pwq.ix).mayday {
            return Err(slot);
        }
        let share = self.pwq_mut(pwq.ix);
        share.set_mayday(false);
        let wq = share.spec.wq;
        slot.set_pool(self.id());
        slot.state(WorkerState::Busy, now);
        let free = self.rescuers.iter().position(Option::is_none);
        let index = free.unwrap_or_else(|| {
            self.rescuers.push(None);
            self.rescuers.len() - 1
        });
        self.rescuers[index] = Some(Rescuer {
            worker: Worker::new(slot, Role::Working, now),
            pwq,
            cursor: None,
            taken: 0,
        });
        let me = WorkerIx::rescuer(index);
        let subject = Subject {
            wq,
            ..self.worker_subject(me)
        };
        fx.emit(now, subject, What::Rescue);
        Ok(me)
    }

    /// The next step of a rescuer that has come, or has finished an item. `others_wait`: other pwqs of its workqueue
    /// have called for help.
    pub(crate) fn rescue(
        &mut self,
        me: WorkerIx,
        others_wait: bool,
        now: u64,
        fx: &mut Effects<W>,
    ) -> Rescue<J> {
        let mut scheduled = self.worker(me).scheduled;
        let next = if let Some(item) = self.items.pop_front(&mut scheduled) {
            self.worker_mut(me).scheduled = scheduled;
            Some(item)
        } else if others_wait && self.rescuer(me).taken > RESCUER_BATCH && self.needs_rescue(me) {
            let pwq = self.rescuer(me).pwq.ix;
            let share = self.pwq_mut(pwq);
            let again = !share.mayday;
            share.set_mayday(true);
            return Rescue::Leave { again };
        } else {
            self.take_for_rescue(me, others_wait, now)
        };
        let next = next.map(|item| Rescue::Run(self.start(me, item, now, fx)));
        self.settle(now);
        next.unwrap_or(Rescue::Leave { again: false })
    }

    /// Has the pwq active items that no worker can be created for?
    fn needs_rescue(&self, me: WorkerIx) -> bool {
        self.nr_active_of(me) > 0 && self.need_to_create_worker()
    }

    /// Should a rescuer take another item? While a manager is still at it, it goes on although the pool could do without
    /// it at this moment, unless it is wanted elsewhere.
    fn keep_rescuing(&self, me: WorkerIx, others_wait: bool) -> bool {
        let stays = self.manager.is_some() && !others_wait;
        self.nr_active_of(me) > 0 && (self.need_to_create_worker() || stays)
    }

    /// Active items of the pwq that `me` has come for; 0 also if that is gone.
    fn nr_active_of(&self, me: WorkerIx) -> usize {
        let PwqAddr { ix, uid, .. } = self.rescuer(me).pwq;
        if !self.has_pwq(ix, uid) {
            return 0;
        }
        self.pwq(ix).nr_active
    }

    /// The next item of its pwq. Kernel: `assign_rescuer_work()`.
    fn take_for_rescue(&mut self, me: WorkerIx, others_wait: bool, now: u64) -> Option<ItemIx> {
        if !self.keep_rescuing(me, others_wait) {
            return None;
        }
        let pwq = self.rescuer(me).pwq.ix;
        let mut at = self.rescuer(me).cursor.or(self.worklist.front());
        while let Some(item) = at {
            at = self.items.after(item);
            if self.items.get(item).pwq != pwq {
                continue;
            }
            self.unlink(item);
            if self.assign(item, me) {
                let rescuer = self.rescuer_mut(me);
                (rescuer.cursor, rescuer.taken) = (at, rescuer.taken + 1);
                self.last_progress = now;
                self.pwq_mut(pwq).slot.add(Counter::Rescued, 1);
                return Some(item);
            }
        }
        self.rescuer_mut(me).cursor = None;
        None
    }

    /// An item leaves the worklist: no rescuer goes on from it.
    pub(super) fn pass_cursors(&mut self, item: ItemIx) {
        if self.rescuers.is_empty() {
            return;
        }
        let after = self.items.after(item);
        for rescuer in self.rescuers.iter_mut().flatten() {
            if rescuer.cursor == Some(item) {
                rescuer.cursor = after;
            }
        }
    }

    /// The rescuer leaves, and the pool's own workers go on.
    pub(crate) fn detach_rescuer(
        &mut self,
        me: WorkerIx,
        now: u64,
        fx: &mut Effects<W>,
    ) -> WorkerSlot {
        let rescuer = self.rescuers[me.index()].take();
        let slot = rescuer.expect("the rescuer is here").worker.slot;
        slot.set_pool(wq_trace::PoolId::NONE);
        slot.state(WorkerState::Idle, now);
        self.kick(Wake::Rescue, now, fx);
        self.settle(now);
        slot
    }
}
