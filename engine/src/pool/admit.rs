//! Items arrive at a pool, or are taken back.

use super::effect::{Effect, Effects, Subject};
use super::list::ItemIx;
use super::pwq::PwqIx;
use super::state::{Item, On, PoolState};
use wq_trace::{Breakdown, Counter, FuncId, Wake, Was, What, WqId};

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
        let active = share.inactive.is_empty() && self.take_slot(pwq);
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
        self.publish_pwq(pwq);
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
        if was == Was::Inactive {
            self.held_no_more(item.pwq);
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

    /// Takes an item off whatever list it is on.
    pub(super) fn unlink(&mut self, ix: ItemIx) {
        let (on, pwq) = {
            let item = self.items.get(ix);
            (item.on, item.pwq)
        };
        match on {
            On::Worklist => {
                self.pass_cursors(ix);
                self.items.unlink(&mut self.worklist, ix);
            }
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
