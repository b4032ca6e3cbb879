//! Drains, rescuers and timers: what happens to them, to the pure centre and to the model.

use super::world::{Op, World};
use crate::wq::Gate;

/// A drain that goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drain {
    wq: usize,
    /// Who waits for its present flush.
    waiter: Option<u32>,
}

impl World {
    pub(super) fn drain_op(&mut self, op: Op) {
        match op {
            Op::Drain(wq) => {
                let wq = wq % self.model.wqs.len();
                self.real.wqs[wq].gate.0 += Gate::DRAINER;
                self.model.wqs[wq].drainers += 1;
                let waiter = self.flush_wq(wq);
                self.drains.push(Drain { wq, waiter });
            }
            Op::DrainOn(n) => {
                let goes_on = |drain: &Drain| drain.waiter.is_none_or(|w| !self.open.contains(&w));
                let all = 0..self.drains.len();
                let ready: Vec<usize> = all.filter(|&at| goes_on(&self.drains[at])).collect();
                if !ready.is_empty() {
                    self.drain_on(ready[n % ready.len()]);
                }
            }
            _ => unreachable!("not about a drain"),
        }
    }

    /// The drain is over if nothing is in flight; otherwise it flushes again.
    fn drain_on(&mut self, at: usize) {
        let wq = self.drains[at].wq;
        let pwqs = &self.real.wqs[wq].pwqs;
        let empty = pwqs.iter().all(|pwq| {
            let core = &self.real.pools[pwq.pool].core;
            !core.has_pwq(pwq.ix, pwq.uid) || core.pwq(pwq.ix).in_flight() == 0
        });
        assert_eq!(empty, self.model.all_of(wq).is_empty(), "{wq} is empty");
        if empty {
            self.drains.remove(at);
            self.real.wqs[wq].gate.0 -= Gate::DRAINER;
            self.model.wqs[wq].drainers -= 1;
        } else {
            self.drains[at].waiter = self.flush_wq(wq);
        }
    }
}

impl World {
    /// Rescuers that could go on: those that are called, and those at a pool that do not execute.
    pub(super) fn ready_rescuers(&self) -> Vec<usize> {
        let ready = |&wq: &usize| match self.rescuers[wq] {
            Some((pool, me)) => self.model.worker(pool, me).run.is_none(),
            None => !self.model.wqs[wq].maydays.is_empty(),
        };
        (0..self.rescuers.len()).filter(ready).collect()
    }

    pub(super) fn rescuer(&mut self, n: usize) {
        let ready = self.ready_rescuers();
        let Some(&wq) = ready.get(n % ready.len().max(1)) else {
            return;
        };
        let Some((pool, me)) = self.rescuers[wq] else {
            self.rescuers[wq] = self.real.answer(wq);
            assert_eq!(self.rescuers[wq], self.model.answer(wq), "who is rescued");
            return;
        };
        let step = self.real.rescue(wq, pool, me);
        let stepped = step.map(|step| self.went(pool, me, step));
        if stepped.is_none() {
            self.rescuers[wq] = None;
        }
        assert_eq!(stepped, self.model.rescue(wq, pool, me));
    }
}

impl World {
    /// Time passes until a pool's timer is due.
    pub(super) fn timer(&mut self, n: usize) {
        let pools = self.model.pools.iter();
        let due = pools.map(|pool| [pool.mayday_due, pool.idle_due].into_iter().flatten().min());
        let due = due.enumerate().filter_map(|(pool, due)| Some((pool, due?)));
        let due: Vec<(usize, u64)> = due.collect();
        let none = (n % self.model.pools.len(), 0);
        let (pool, due) = *due.get(n % due.len().max(1)).unwrap_or(&none);
        let time = due.saturating_sub(self.model.now);
        self.real.now += time;
        self.model.pass(time);
        self.real.transact(pool, super::real::Core::timer);
        self.model.timer(pool);
    }
}
