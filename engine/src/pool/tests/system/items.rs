//! The rules for items: queueing, active slots, taking back, waiting.

use super::model::{Flush, Fx, Item, Model, Queued, Run};
use std::collections::{BTreeSet, VecDeque};
use wq_trace::Breakdown;

/// Flushes of a workqueue that can be told apart; later ones share what is free next.
const FLUSHES: usize = 15;

impl Item {
    pub(super) fn new() -> Self {
        Self {
            pending: false,
            depth: 0,
            pool: None,
            queued: None,
            wqs: BTreeSet::new(),
            queueings: 0,
            starts: 0,
            returns: 0,
            cancels: 0,
        }
    }
}

/// Whether queueing changed anything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Claimed {
    Queued,
    Pending,
    Disabled,
    /// The workqueue drains; the caller is told that it was queued.
    Dropped,
}

impl Fx {
    fn may_be_late(&self) -> bool {
        matches!(
            self,
            Self::CreateWorker(_)
                | Self::Mayday(_)
                | Self::Flushed(_)
                | Self::Activate(_)
                | Self::Released(_)
        )
    }
}

impl Model {
    /// The end of a step of one pool: what it said is done, or left to be done.
    pub(super) fn commit(&mut self, fx: Vec<Fx>) {
        let now = |fx: &Fx| !fx.may_be_late();
        if self.late {
            let (now, left): (VecDeque<Fx>, VecDeque<Fx>) = fx.into_iter().partition(now);
            self.fx.extend(now);
            if !left.is_empty() {
                self.left.push(left);
            }
            return;
        }
        for fx in fx {
            self.execute(fx);
        }
    }

    /// Who has to do something does it; whatever follows is not late.
    pub(super) fn catch_up(&mut self, who: usize) {
        let late = std::mem::replace(&mut self.late, false);
        if let Some(fx) = self.left[who].pop_front() {
            self.execute(fx);
        }
        if self.left[who].is_empty() {
            self.left.remove(who);
        }
        self.late = late;
    }

    fn execute(&mut self, fx: Fx) {
        self.fx.push(fx);
        match fx {
            Fx::CreateWorker(pool) => self.create(pool),
            Fx::Flushed(wq) => self.flushed(wq),
            Fx::Activate(pwq) => self.use_reserved(pwq),
            Fx::Released(pwq) => self.released(pwq),
            Fx::Mayday(pwq) => {
                let wq = self.pwqs[pwq].wq;
                self.wqs[wq].maydays.push_back(pwq);
            }
            _ => {}
        }
    }

    /// Queueing on the workqueue for a CPU; `chained`: by what the workqueue executes.
    pub(super) fn queue(&mut self, item: usize, wq: usize, cpu: usize, chained: bool) -> Claimed {
        if self.items[item].pending {
            return Claimed::Pending;
        }
        if self.items[item].depth > 0 {
            return Claimed::Disabled;
        }
        if self.wqs[wq].drainers > 0 && !chained {
            return Claimed::Dropped;
        }
        let pwq = self.behind_itself(item, wq, cpu);
        let pool = self.pwqs[pwq].pool;
        let state = &mut self.items[item];
        state.pending = true;
        let before = state.pool.replace(pool);
        state.queueings += 1;
        self.queueings += 1;
        state.wqs.insert(wq);
        state.queued = Some(Queued {
            pwq,
            before,
            at: self.now,
            seq: self.queueings,
            waiters: Vec::new(),
            parts: Breakdown::default(),
            suspect: 0,
        });
        self.seen.entry((pwq, item)).or_default().queued += 1;
        let mut fx = Vec::new();
        // Nobody jumps the queue. The item itself is in flight already, but holds no slot.
        self.pwqs[pwq].inactive.push(item);
        if self.pwqs[pwq].inactive.len() == 1 && self.take_slot(pwq) {
            self.activate_first(pwq);
            self.kick(pool, &mut fx);
        }
        self.commit(fx);
        Claimed::Queued
    }

    /// The pwq of the CPU; but if the item still runs on another pool for this workqueue, it goes there.
    fn behind_itself(&self, item: usize, wq: usize, cpu: usize) -> usize {
        let chosen = self.wqs[wq].table[cpu];
        let Some(last) = self.items[item].pool else {
            return chosen;
        };
        if self.wqs[wq].spec.ordered || last == self.pwqs[chosen].pool {
            return chosen;
        }
        let runner = self.runner(last, item);
        let run = runner.and_then(|w| self.worker(last, w).run.as_ref());
        match run {
            Some(run) if self.pwqs[run.pwq].wq == wq => run.pwq,
            _ => chosen,
        }
    }

    /// A slot for the first held item of a pwq; none, and an unbound workqueue's pwq waits for one.
    pub(super) fn take_slot(&mut self, pwq: usize) -> bool {
        let wq = self.pwqs[pwq].wq;
        if !self.wqs[wq].spec.unbound {
            return self.active(pwq) < self.max(wq);
        }
        let node = self.node_of(pwq);
        if self.pwqs[pwq].plugged || self.wqs[wq].waiting[node].contains(&pwq) {
            return false;
        }
        if self.node_nr(wq, node) < self.node_max(wq, node) {
            return true;
        }
        self.wqs[wq].waiting[node].push(pwq);
        false
    }

    /// The first held item goes to the end of the worklist.
    pub(super) fn activate_first(&mut self, pwq: usize) {
        let item = self.pwqs[pwq].inactive.remove(0);
        let pool = &mut self.pools[self.pwqs[pwq].pool];
        if pool.worklist.is_empty() {
            pool.progress = self.now;
        }
        pool.worklist.push(item);
    }

    /// Something of the pwq is over: the queueing of an item that held a slot, or none.
    pub(super) fn over(&mut self, pwq: usize, what: (usize, u64), slot: bool, fx: &mut Vec<Fx>) {
        let wq = self.pwqs[pwq].wq;
        if slot && !self.wqs[wq].spec.unbound {
            if !self.pwqs[pwq].inactive.is_empty() && self.take_slot(pwq) {
                self.activate_first(pwq);
            }
        } else if slot {
            let pool = self.pwqs[pwq].pool;
            while let Some(next) = self.reserve(wq, self.node_of(pwq)) {
                if self.pwqs[next].pool != pool {
                    fx.push(Fx::Activate(next));
                    break;
                }
                self.activate_reserved(next);
            }
        }
        let mine = |wait: &(usize, u64)| self.in_flight(pwq).contains(wait);
        if let Some(oldest) = self.wqs[wq].flushes.front()
            && oldest.awaits.contains(&what)
            && !oldest.awaits.iter().any(mine)
        {
            fx.push(Fx::Flushed(wq));
        }
        self.release_if_done(pwq, fx);
    }

    pub(super) fn release_if_done(&mut self, pwq: usize, fx: &mut Vec<Fx>) {
        if self.pwqs[pwq].retired && self.in_flight(pwq).is_empty() {
            self.pwqs[pwq].gone = true;
            fx.push(Fx::Released(pwq));
        }
    }

    /// Sets a free slot aside for who has waited longest.
    pub(super) fn reserve(&mut self, wq: usize, node: usize) -> Option<usize> {
        let free = self.node_nr(wq, node) < self.node_max(wq, node);
        if !free || self.wqs[wq].waiting[node].is_empty() {
            return None;
        }
        let pwq = self.wqs[wq].waiting[node].remove(0);
        self.reserved.push(pwq);
        Some(pwq)
    }

    /// The slot goes to the first held item, if there is still one. While there are more, the pwq waits at the end.
    fn activate_reserved(&mut self, pwq: usize) {
        let place = self.reserved.iter().position(|&other| other == pwq);
        self.reserved
            .remove(place.expect("a slot was set aside for it"));
        if self.pwqs[pwq].inactive.is_empty() {
            return;
        }
        self.activate_first(pwq);
        if !self.pwqs[pwq].inactive.is_empty() {
            let (wq, node) = (self.pwqs[pwq].wq, self.node_of(pwq));
            let waiting = &mut self.wqs[wq].waiting[node];
            if !waiting.contains(&pwq) {
                waiting.push(pwq);
            }
        }
    }

    /// A slot that was set aside comes to the pwq, or, if that holds nothing any more, to the next that does.
    pub(super) fn use_reserved(&mut self, pwq: usize) {
        let (wq, node) = (self.pwqs[pwq].wq, self.node_of(pwq));
        let mut next = Some(pwq);
        while let Some(pwq) = next {
            let mut fx = Vec::new();
            self.activate_reserved(pwq);
            // Another may have come back while this one was on its way.
            next = self.reserve(wq, node);
            self.kick(self.pwqs[pwq].pool, &mut fx);
            self.commit(fx);
        }
    }

    /// Takes a pending item off its list. Returns whether it was pending.
    pub(super) fn grab(&mut self, item: usize) -> bool {
        let Some(queued) = self.items[item].queued.take() else {
            return false;
        };
        self.items[item].cancels += 1;
        self.items[item].pending = false;
        // Nothing came of it: what runs, runs where it ran before.
        if queued.before.is_some() {
            self.items[item].pool = queued.before;
        }
        let what = (item, self.items[item].queueings);
        let (pwq, pool) = (queued.pwq, self.pwqs[queued.pwq].pool);
        let held = self.pwqs[pwq].inactive.contains(&item);
        self.pwqs[pwq].inactive.retain(|&i| i != item);
        self.pools[pool].worklist.retain(|&i| i != item);
        for me in self.workers_of(pool) {
            let scheduled = &mut self.worker_mut(pool, me).scheduled;
            scheduled.retain(|&i| i != item);
        }
        let mut fx: Vec<Fx> = queued.waiters.into_iter().map(Fx::Complete).collect();
        if held && self.pwqs[pwq].inactive.is_empty() {
            let wq = &mut self.wqs[self.pwqs[pwq].wq];
            wq.waiting.iter_mut().for_each(|w| w.retain(|&w| w != pwq));
        }
        self.over(pwq, what, !held, &mut fx);
        self.kick(pool, &mut fx);
        self.commit(fx);
        true
    }

    /// Waits for the last queueing of an item; with `running` only for what runs. Returns whether there is something
    /// to wait for.
    pub(super) fn wait_for(&mut self, item: usize, waiter: u32, running: bool) -> bool {
        if let Some(queued) = self.items[item].queued.as_mut().filter(|_| !running) {
            queued.waiters.push(waiter);
            return true;
        }
        let Some(pool) = self.items[item].pool else {
            return false;
        };
        let Some(runner) = self.runner(pool, item) else {
            return false;
        };
        let run: Option<&mut Run> = self.worker_mut(pool, runner).run.as_mut();
        run.expect("it executes").waiters.push(waiter);
        true
    }

    /// Everything of a workqueue that is in flight now.
    pub(super) fn all_of(&self, wq: usize) -> Vec<(usize, u64)> {
        let pwqs = self.wqs[wq].pwqs.iter();
        pwqs.flat_map(|&pwq| self.in_flight(pwq)).collect()
    }

    /// Waits for all that is in flight. Returns whether there is something to wait for.
    pub(super) fn flush(&mut self, wq: usize, waiter: u32) -> bool {
        if self.wqs[wq].flushes.len() == FLUSHES {
            self.wqs[wq].overflow.push(waiter);
            return true;
        }
        let awaits = self.all_of(wq);
        if awaits.is_empty() && self.wqs[wq].flushes.is_empty() {
            return false;
        }
        self.add_flush(wq, vec![waiter], awaits);
        if self.wqs[wq].flushes.len() == 1 {
            self.count_reports(wq);
        }
        true
    }

    fn add_flush(&mut self, wq: usize, waiters: Vec<u32>, awaits: Vec<(usize, u64)>) {
        self.wqs[wq].flushes.push_back(Flush {
            waiters,
            awaits,
            reports: 0,
        });
    }

    /// The oldest flush waits for so many pwqs.
    fn count_reports(&mut self, wq: usize) {
        let oldest = &self.wqs[wq].flushes[0];
        let awaited = |pwq: &&usize| {
            let in_flight = self.in_flight(**pwq);
            in_flight.iter().any(|what| oldest.awaits.contains(what))
        };
        let reports = self.wqs[wq].pwqs.iter().filter(awaited).count();
        self.wqs[wq].flushes[0].reports = reports;
    }

    /// A pwq has nothing of the oldest flush in flight any more.
    fn flushed(&mut self, wq: usize) {
        self.wqs[wq].flushes[0].reports -= 1;
        while self.wqs[wq].flushes.front().is_some_and(|f| f.reports == 0) {
            let done = self.wqs[wq].flushes.pop_front().expect("there is one");
            self.fx.extend(done.waiters.into_iter().map(Fx::Complete));
            let overflow = std::mem::take(&mut self.wqs[wq].overflow);
            if !overflow.is_empty() {
                let awaits = self.all_of(wq);
                self.add_flush(wq, overflow, awaits);
            }
            if !self.wqs[wq].flushes.is_empty() {
                self.count_reports(wq);
            }
        }
    }
}
