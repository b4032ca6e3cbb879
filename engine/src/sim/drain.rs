//! Draining workqueues on virtual threads: what `queue/drain.rs` does.

use super::cpus::ThreadIx;
use super::machine::{Kind, Machine};
use super::program::WqRef;
use super::queueing::Turn;
use crate::wq::Gate;
use wq_trace::{Drop, What, WqCounter};

impl Machine<'_> {
    /// Each turn flushes; the one that finds the workqueue empty is the last. Kernel: `drain_workqueue()`.
    pub(super) fn drain(&mut self, thread: ThreadIx, wq: &WqRef, turn: usize) -> Turn {
        let index = self.wq_index(wq);
        if turn == 0 {
            self.wqs[index].gate.0 += Gate::DRAINER;
        } else if self.is_empty(index) {
            self.wqs[index].gate.0 -= Gate::DRAINER;
            return Turn::Done;
        }
        if self.flush_wq(thread, wq) {
            Turn::Blocked
        } else {
            Turn::Next
        }
    }

    fn is_empty(&self, wq: usize) -> bool {
        let pwqs = self.wqs[wq].pwqs.iter();
        let mut pwqs = pwqs.filter(|pwq| pwq.is_there(&self.pools));
        pwqs.all(|pwq| self.pools[pwq.pool].core.pwq(pwq.ix).in_flight() == 0)
    }

    /// Why the item, which `actor` owns, must not be queued on its workqueue.
    pub(super) fn refused(&self, actor: ThreadIx, item: usize) -> Option<Drop> {
        let wq = self.items[item].wq;
        let is_chained = match &self.threads[actor.0].kind {
            Kind::Worker {
                frame: Some(frame), ..
            } => self.items[frame.item].wq == wq,
            _ => false,
        };
        self.wqs[wq].gate.refuses(is_chained)
    }

    /// An item that is owned is not let in: it is idle again.
    pub(super) fn drop_work(&mut self, actor: ThreadIx, item: usize, reason: Drop) {
        let wq = self.items[item].wq;
        self.wqs[wq].slot.add(WqCounter::Dropped, 1);
        self.actor = actor;
        let event = self.subject(item);
        self.emit(event.event(self.now, What::DropWork { reason }));
        self.release(item);
    }
}
