//! Executions that hog their CPU leave concurrency management, so that others can start. Kernel: `wq_worker_tick()`.

use super::effect::{Effect, Effects, Report, Subject};
use super::state::{PoolState, WorkerIx};
use wq_trace::{Counter, Wake, What};

impl<J, W> PoolState<J, W> {
    /// CPU time in nanoseconds after which an execution leaves concurrency management; 0: never.
    /// Kernel: `wq_cpu_intensive_thresh_us`.
    pub(crate) fn set_cpu_intensive_thresh(&mut self, ns: u64) {
        self.hog_thresh = ns;
    }

    /// How much CPU time after `used` nanoseconds what `me` executes becomes a hog; `None` if it cannot.
    pub(crate) fn hog_after(&self, me: WorkerIx, used: u64) -> Option<u64> {
        self.may_hog(me)
            .then(|| self.hog_thresh.saturating_sub(used))
    }

    /// What `me` executes has used so many nanoseconds of its CPU since it began, or was woken last.
    pub(crate) fn has_used(&mut self, me: WorkerIx, cpu_ns: u64, now: u64, fx: &mut Effects<W>) {
        if !self.may_hog(me) || cpu_ns < self.hog_thresh {
            return;
        }
        let worker_id = self.worker(me).id;
        let current = self.worker_mut(me).current.as_mut().expect("it executes");
        current.cpu_intensive = true;
        let (pwq, work, func) = (current.pwq, current.work, current.func);
        self.count_running(me, true, false, now);
        let subject = Subject {
            worker: worker_id,
            ..self.item_subject(pwq, work, func)
        };
        let cpu_us = cpu_ns / 1000;
        fx.emit(now, subject, What::CpuIntensive { cpu_us });
        fx.push(Effect::Report(Report::Hog(func)));
        self.pwq_mut(pwq).slot.add(Counter::CpuIntensive, 1);
        if self.kick(Wake::Hog, now, fx) {
            self.cm_wakeups += 1;
            self.pwq_mut(pwq).slot.add(Counter::CmWakeup, 1);
        }
        self.settle(now);
    }
}
