//! Items arrive at a pool, become active, or are taken back.

use super::effect::{Effect, Effects, Subject};
use super::list::ItemIx;
use super::pwq::PwqIx;
use super::state::{Item, On, PoolState};
use wq_trace::{Breakdown, Counter, FuncId, Hold, WaitPart, Wake, Was, What, WqId};

/// An item to be queued.
#[derive(Debug)]
pub(crate) struct NewItem<J> {
    pub(crate) job: J,
    pub(crate) work: u64,
    pub(crate) func: FuncId,
    /// As in the event: the CPU asked for, or `REQ_CPU_LOCAL`.
    pub(crate) req_cpu: i32,
}

/// Where a queued item is, until it starts or is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Queued {
    pub(crate) item: ItemIx,
}

impl<J, W> PoolState<J, W> {
    /// Puts an item on `pwq`, active if it has a slot. A pool whose workers leave hands it back.
    /// Kernel: `__queue_work()` from the pool's lock on.
    pub(crate) fn queue(
        &mut self,
        pwq: PwqIx,
        new: NewItem<J>,
        now: u64,
        fx: &mut Effects<W>,
    ) -> Result<Queued, NewItem<J>> {
        if self.dying {
            return Err(new);
        }
        let NewItem {
            job,
            work,
            func,
            req_cpu,
        } = new;
        let cpu = self.spec.cpu.map_or(-1, i32::from);
        let subject = self.item_subject(pwq, work, func);
        fx.emit(now, subject, What::QueueWork { req_cpu, cpu });

        let share = self.pwq_mut(pwq);
        let (color, arrival) = (share.spec.work_color, share.arrivals);
        share.nr_in_flight[usize::from(color)] += 1;
        share.arrivals += 1;
        share.slot.add(Counter::Queued, 1);
        // Kernel: nobody jumps the queue of those that wait already.
        let active = share.inactive.is_empty() && share.has_slot();
        self.figures(pwq, func).on_queued();
        let item = self.items.insert(Item {
            job,
            work,
            func,
            pwq,
            color,
            arrival,
            on: On::Inactive,
            queued_at: now,
            active_at: now,
            mark: None,
            parts: Breakdown::default(),
            waiters: Vec::new(),
        });
        if let Some(runner) = self.executing(work) {
            let current = self
                .worker_mut(runner)
                .current
                .as_mut()
                .expect("a busy worker");
            current.requeued = Some(item);
        }
        if active {
            self.activate(item, now, fx);
            self.kick(Wake::Queue, now, fx);
        } else {
            self.hold(item, subject, now, fx);
        }
        self.pwq(pwq).publish();
        self.settle(now);
        Ok(Queued { item })
    }

    /// Takes an item off its list. Returns its job and where it was.
    /// Kernel: `try_to_grab_pending()` for a queued item.
    pub(crate) fn cancel(&mut self, ix: ItemIx, now: u64, fx: &mut Effects<W>) -> (J, Was) {
        let on = self.items.get(ix).on;
        self.unlink(ix);
        let item = self.items.remove(ix);
        if let Some(runner) = self.executing(item.work) {
            let current = self
                .worker_mut(runner)
                .current
                .as_mut()
                .expect("a busy worker");
            current.requeued = None;
        }
        let subject = self.item_subject(item.pwq, item.work, item.func);
        let was = if on == On::Inactive {
            Was::Inactive
        } else {
            Was::Pending
        };
        fx.emit(now, subject, What::CancelWork { was });
        self.pwq_mut(item.pwq).slot.add(Counter::Cancelled, 1);
        let func = self.figures(item.pwq, item.func);
        match was {
            Was::Inactive => func.inactive(-1),
            _ => func.pending(-1),
        }
        for waiter in item.waiters {
            fx.push(Effect::Complete(waiter));
        }
        self.release(item.pwq, item.color, was != Was::Inactive, now, fx);
        self.kick(Wake::Fill, now, fx);
        self.settle(now);
        (item.job, was)
    }

    /// `waiter` is completed when the execution of this queued item ends, or when it is cancelled.
    /// Returns the item's workqueue. Kernel: `insert_wq_barrier()`; here the barrier is part of its target.
    pub(crate) fn wait_for_item(&mut self, ix: ItemIx, waiter: W) -> WqId {
        let item = self.items.get_mut(ix);
        item.waiters.push(waiter);
        let pwq = item.pwq;
        self.pwq(pwq).spec.wq
    }

    /// What an event about this item is about.
    pub(super) fn item_subject(&self, pwq: PwqIx, work: u64, func: FuncId) -> Subject {
        Subject {
            wq: self.pwq(pwq).spec.wq,
            work,
            func,
            ..self.subject()
        }
    }

    /// An item gives back its slot and its colour, and the next held item of its pwq may go on.
    /// Kernel: `pwq_dec_nr_in_flight()`.
    pub(super) fn release(
        &mut self,
        pwq: PwqIx,
        color: u8,
        was_active: bool,
        now: u64,
        fx: &mut Effects<W>,
    ) {
        let share = self.pwq_mut(pwq);
        if was_active {
            share.nr_active -= 1;
        }
        self.activate_first_inactive(pwq, now, fx);
        let share = self.pwq_mut(pwq);
        let in_flight = &mut share.nr_in_flight[usize::from(color)];
        *in_flight -= 1;
        if *in_flight == 0 && share.flush_color == Some(color) {
            share.flush_color = None;
            fx.push(Effect::PwqFlushed(share.spec.wq));
        }
        share.publish();
    }

    fn activate_first_inactive(&mut self, pwq: PwqIx, now: u64, fx: &mut Effects<W>) {
        let share = self.pwq_mut(pwq);
        if !share.has_slot() {
            return;
        }
        let Some(first) = share.inactive.front() else {
            return;
        };
        let mut inactive = share.inactive;
        self.items.unlink(&mut inactive, first);
        self.pwq_mut(pwq).inactive = inactive;
        let part = held_part(self.pwq(pwq).hold_reason());
        let item = self.items.get_mut(first);
        item.parts[part as usize] = now - item.queued_at;
        let func = item.func;
        self.figures(pwq, func).inactive(-1);
        self.activate(first, now, fx);
    }

    /// Gives an item an active slot and puts it at the end of the worklist.
    fn activate(&mut self, ix: ItemIx, now: u64, fx: &mut Effects<W>) {
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

    fn hold(&mut self, ix: ItemIx, subject: Subject, now: u64, fx: &mut Effects<W>) {
        let pwq = self.items.get(ix).pwq;
        let func = self.items.get(ix).func;
        let mut inactive = self.pwq(pwq).inactive;
        self.items.push_back(&mut inactive, ix);
        let share = self.pwq_mut(pwq);
        share.inactive = inactive;
        share.slot.add(share.held_counter(), 1);
        let reason = share.hold_reason();
        self.figures(pwq, func).inactive(1);
        fx.emit(now, subject, What::HoldWork { reason });
    }

    /// Takes an item off whatever list it is on.
    pub(super) fn unlink(&mut self, ix: ItemIx) {
        let (on, pwq) = {
            let item = self.items.get(ix);
            (item.on, item.pwq)
        };
        match on {
            On::Worklist => self.items.unlink(&mut self.worklist, ix),
            On::Inactive => {
                let mut list = self.pwq(pwq).inactive;
                self.items.unlink(&mut list, ix);
                self.pwq_mut(pwq).inactive = list;
            }
            On::Scheduled(worker) => {
                let mut list = self.worker(worker).scheduled;
                self.items.unlink(&mut list, ix);
                self.worker_mut(worker).scheduled = list;
            }
        }
    }
}

/// The part of the wait that being held for this reason is.
fn held_part(reason: Hold) -> WaitPart {
    match reason {
        Hold::MaxActive => WaitPart::InactiveMaxActive,
        Hold::Node => WaitPart::InactiveNode,
        Hold::Ordered => WaitPart::InactiveOrdered,
        Hold::Plugged => WaitPart::InactivePlugged,
        Hold::Frozen => WaitPart::InactiveFrozen,
    }
}
