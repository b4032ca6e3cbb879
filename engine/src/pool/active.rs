//! Active slots: which queued items may be taken by workers, and which are held back.
//! Kernel: `pwq_tryinc_nr_active()`, `pwq_dec_nr_active()`, `pwq_dec_nr_in_flight()`, `unplug_oldest_pwq()`.
//!
//! A bound pwq counts its active items itself. The pwqs of an unbound workqueue share a count per NUMA node
//! ([`crate::wq::NodeActive`]), so a slot that one gives back may be for a pwq of another pool: it is reserved for that
//! one, and [`Effect::ActivateIn`] brings it there once this pool's lock is dropped.

use super::effect::{Effect, Effects, Subject};
use super::list::ItemIx;
use super::pwq::{PwqIx, held_counter};
use super::state::{On, PoolState};
use crate::wq::Reserved;
use wq_trace::{Counter, Wake, What};

impl<J, W> PoolState<J, W> {
    /// Writes what the tools see of a pwq.
    pub(super) fn publish_pwq(&self, ix: PwqIx) {
        let share = self.pwq(ix);
        let first = share.inactive.front();
        share.publish(first.map_or(0, |first| self.items.get(first).queued_at));
    }

    /// Takes an active slot for an item of a pwq that holds none back; without one, the pwq waits for it.
    pub(super) fn take_slot(&mut self, pwq: PwqIx) -> bool {
        let share = self.pwq(pwq);
        match &share.spec.limit.node {
            None => share.has_slot(),
            Some(_) if share.spec.limit.plugged => false,
            Some(node) => node.take(self.addr(pwq)),
        }
    }

    /// An item gives back its slot and its colour, and the next held item may go on.
    /// Kernel: `pwq_dec_nr_in_flight()`.
    pub(super) fn release(
        &mut self,
        pwq: PwqIx,
        color: u8,
        was_active: bool,
        now: u64,
        fx: &mut Effects<W>,
    ) {
        if was_active {
            self.pwq_mut(pwq).nr_active -= 1;
            self.give_slot_back(pwq, now, fx);
        }
        let share = self.pwq_mut(pwq);
        let in_flight = &mut share.nr_in_flight[usize::from(color)];
        *in_flight -= 1;
        if *in_flight == 0 && share.flush_color == Some(color) {
            share.flush_color = None;
            fx.push(Effect::PwqFlushed(share.spec.wq));
        }
        self.publish_pwq(pwq);
        self.drop_if_done(pwq, fx);
    }

    fn give_slot_back(&mut self, pwq: PwqIx, now: u64, fx: &mut Effects<W>) {
        let Some(node) = &self.pwq(pwq).spec.limit.node else {
            self.fill_bound(pwq, now, fx, 1);
            return;
        };
        let mut next = node.release();
        while let Some(reserved) = next {
            if reserved.pwq.pool != self.spec.uid {
                fx.push(Effect::ActivateIn(reserved));
                return;
            }
            next = self.use_reserved(reserved, now, fx);
        }
    }

    /// A slot was reserved for a pwq of this pool: its first held item becomes active. If it holds none any more, the
    /// slot is given back. Who may go on besides, in this pool or another, is returned.
    pub(crate) fn activate_reserved(
        &mut self,
        reserved: Reserved,
        reason: Wake,
        now: u64,
        fx: &mut Effects<W>,
    ) -> Option<Reserved> {
        let next = self.use_reserved(reserved, now, fx);
        self.kick(reason, now, fx);
        self.settle(now);
        next
    }

    fn use_reserved(
        &mut self,
        Reserved { node, pwq }: Reserved,
        now: u64,
        fx: &mut Effects<W>,
    ) -> Option<Reserved> {
        let held = self.has_pwq(pwq.ix, pwq.uid) && !self.pwq(pwq.ix).inactive.is_empty();
        if !held {
            return node.release();
        }
        self.activate_first_held(pwq.ix, now, fx);
        self.publish_pwq(pwq.ix);
        let share = self.pwq(pwq.ix);
        if share.inactive.is_empty() {
            return None;
        }
        // A slot that came back while this one was on its way found nobody waiting.
        node.wait(pwq);
        node.reserve()
    }

    /// Activates held items of a bound pwq while it has slots, at most so many.
    fn fill_bound(&mut self, pwq: PwqIx, now: u64, fx: &mut Effects<W>, most: usize) {
        for _ in 0..most {
            let share = self.pwq(pwq);
            if share.inactive.is_empty() || !share.has_slot() {
                return;
            }
            self.activate_first_held(pwq, now, fx);
        }
    }

    /// The workqueue's limit has changed. A bound pwq activates what it may now; for an unbound one the caller has
    /// told the nodes, and reserves what became free.
    /// Kernel: `wq_adjust_max_active()`.
    pub(crate) fn set_limit(
        &mut self,
        pwq: PwqIx,
        max_active: usize,
        frozen: bool,
        reason: Wake,
        now: u64,
        fx: &mut Effects<W>,
    ) {
        let share = self.pwq_mut(pwq);
        share.spec.limit.max_active = max_active;
        share.spec.limit.frozen = frozen;
        share.hold.turn(now, share.spec.hold_reason());
        if share.spec.limit.node.is_none() {
            self.fill_bound(pwq, now, fx, usize::MAX);
            self.publish_pwq(pwq);
            self.kick(reason, now, fx);
        }
        self.settle(now);
    }

    /// All older pwqs of its ordered workqueue are gone: its items may become active.
    /// Kernel: `unplug_oldest_pwq()`.
    pub(crate) fn unplug(&mut self, pwq: PwqIx, now: u64, fx: &mut Effects<W>) {
        let share = self.pwq_mut(pwq);
        if !std::mem::take(&mut share.spec.limit.plugged) {
            return;
        }
        share.slot.set_plugged(false);
        share.hold.turn(now, share.spec.hold_reason());
        if !share.inactive.is_empty() && self.take_slot(pwq) {
            self.activate_first_held(pwq, now, fx);
            let share = self.pwq(pwq);
            if let Some(node) = share.spec.limit.node.as_ref()
                && !share.inactive.is_empty()
            {
                node.wait(self.addr(pwq));
            }
            self.publish_pwq(pwq);
            self.kick(Wake::Fill, now, fx);
        }
        self.settle(now);
    }

    /// Its workqueue has replaced the pwq, which goes once nothing is in flight on it. Kernel: `put_pwq()`.
    pub(crate) fn retire_pwq(&mut self, pwq: PwqIx, now: u64, fx: &mut Effects<W>) {
        self.pwq_mut(pwq).retired = true;
        self.drop_if_done(pwq, fx);
        self.settle(now);
    }

    fn drop_if_done(&mut self, ix: PwqIx, fx: &mut Effects<W>) {
        let pwq = self.pwq(ix);
        if pwq.retired && pwq.in_flight() == 0 {
            let (wq, uid) = (pwq.spec.wq, pwq.spec.uid);
            self.remove_pwq(ix);
            fx.push(Effect::PwqReleased { wq, uid });
        }
    }

    fn activate_first_held(&mut self, pwq: PwqIx, now: u64, fx: &mut Effects<W>) {
        let share = self.pwq_mut(pwq);
        let mut inactive = share.inactive;
        let first = inactive.front().expect("the pwq holds an item");
        self.items.unlink(&mut inactive, first);
        let share = self.pwqs[pwq.0 as usize]
            .as_mut()
            .expect("the pwq is linked");
        share.inactive = inactive;
        let item = self.items.get_mut(first);
        if let Some(mark) = item.mark.take() {
            share.hold.account(&mark, now, &mut item.parts);
        }
        let func = item.func;
        self.figures(pwq, func).inactive(-1);
        self.activate(first, now, fx);
    }

    /// An item that has an active slot goes to the end of the worklist.
    pub(super) fn activate(&mut self, ix: ItemIx, now: u64, fx: &mut Effects<W>) {
        let (pwq, work, func) = {
            let item = self.items.get(ix);
            (item.pwq, item.work, item.func)
        };
        fx.emit(now, self.item_subject(pwq, work, func), What::ActivateWork);
        if self.worklist.is_empty() {
            self.last_progress = now;
        }
        let own_run = self.executing(work).is_some();
        let mark = self.wait.mark(now);
        let item = self.items.get_mut(ix);
        item.on = On::Worklist;
        item.active_at = now;
        item.mark = (!own_run).then_some(mark);
        self.items.push_back(&mut self.worklist, ix);
        let share = self.pwq_mut(pwq);
        share.nr_active += 1;
        share.slot.add(Counter::Activated, 1);
        self.figures(pwq, func).pending(1);
    }

    /// An item without an active slot waits on its pwq.
    pub(super) fn hold(&mut self, ix: ItemIx, subject: Subject, now: u64, fx: &mut Effects<W>) {
        let item = self.items.get_mut(ix);
        let (pwq, func) = (item.pwq, item.func);
        let mut inactive = self.pwq(pwq).inactive;
        self.items.push_back(&mut inactive, ix);
        let share = self.pwq_mut(pwq);
        share.inactive = inactive;
        let reason = share.spec.hold_reason();
        share.hold.turn(now, reason);
        share.slot.add(held_counter(reason), 1);
        let mark = share.hold.mark(now);
        self.items.get_mut(ix).mark = Some(mark);
        self.figures(pwq, func).inactive(1);
        fx.emit(now, subject, What::HoldWork { reason });
    }

    /// A held item was taken back: a pwq that holds nothing waits for no slot.
    pub(super) fn held_no_more(&self, pwq: PwqIx) {
        let share = self.pwq(pwq);
        if let Some(node) = share.spec.limit.node.as_ref()
            && share.inactive.is_empty()
        {
            node.forget(self.addr(pwq));
        }
    }
}
