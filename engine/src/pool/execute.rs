//! A worker takes items, blocks, resumes and finishes. Kernel: `worker_thread()`, `process_one_work()`,
//! `wq_worker_sleeping()`, `wq_worker_running()`.

use super::effect::{Effect, Effects, Subject};
use super::list::ItemIx;
use super::pwq::PwqIx;
use super::state::{Current, Informant, Item, On, PoolState, Role, WorkerIx};
use wq_trace::{Breakdown, Counter, FuncId, WaitPart, Wake, What, WqId};

/// What a worker must do next.
#[derive(Debug)]
pub(crate) enum Step<J> {
    /// Wait until it is woken.
    Park,
    /// Try to create a worker, then say how it went: [`PoolState::created`] and [`PoolState::manage_end`], and step
    /// again; or [`PoolState::create_failed`].
    Create,
    /// Creating a worker has failed: wait until then, unless there is news, then [`PoolState::cooled_down`].
    Cooldown(u64),
    /// Call the work function, then [`PoolState::complete`] and step again.
    Run(Start<J>),
    /// Let others have the CPU, then step again.
    Yield,
    /// Leave.
    Die,
}

/// An execution that begins.
#[derive(Debug)]
pub(crate) struct Start<J> {
    pub(crate) job: J,
    pub(crate) func: FuncId,
    pub(crate) queued_at: u64,
    pub(crate) at: u64,
}

/// How an execution went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    /// When the function returned.
    pub(crate) at: u64,
    /// CPU time that it took.
    pub(crate) cpu_ns: u64,
    pub(crate) panicked: bool,
}

impl<J, W> PoolState<J, W> {
    /// The next step of a worker that was woken, has created a worker, or has finished an item.
    pub(crate) fn step(&mut self, me: WorkerIx, now: u64, fx: &mut Effects<W>) -> Step<J> {
        if self.worker(me).role == (Role::Idle { woken: false }) && !self.dying {
            return Step::Park;
        }
        if matches!(self.worker(me).role, Role::Idle { .. }) {
            self.leave_idle(me, now);
        }
        let step = self.next(me, now, fx);
        self.settle(now);
        step
    }

    pub(super) fn next(&mut self, me: WorkerIx, now: u64, fx: &mut Effects<W>) -> Step<J> {
        if self.worker(me).role != Role::Working {
            if self.worker(me).role == Role::Dying {
                return Step::Die;
            }
            if self.dying {
                return self.leave(me, now, fx);
            }
            if !self.need_more_worker() {
                return self.enter_idle(me, now, fx);
            }
            if !self.may_start_working() && self.manager.is_none() {
                return self.manage(me, now, fx);
            }
            self.worker_mut(me).rebound = false;
            self.set_role(me, Role::Working, now);
            self.bh.begin(now);
        }
        self.work(me, now, fx)
    }

    /// The execution loop up to its next item.
    fn work(&mut self, me: WorkerIx, now: u64, fx: &mut Effects<W>) -> Step<J> {
        let mut scheduled = self.worker(me).scheduled;
        if let Some(item) = self.items.pop_front(&mut scheduled) {
            self.worker_mut(me).scheduled = scheduled;
            return Step::Run(self.start(me, item, now, fx));
        }
        while self.keep_working() && self.begins_round(now) {
            let Some(item) = self.worklist.front() else {
                break;
            };
            self.unlink(item);
            if self.assign(item, me) {
                self.last_progress = now;
                return Step::Run(self.start(me, item, now, fx));
            }
        }
        self.set_role(me, Role::Preparing, now);
        if self.dying {
            return self.leave(me, now, fx);
        }
        let step = self.enter_idle(me, now, fx);
        // Only a BH worker leaves items behind.
        if self.spec.bh && self.kick(Wake::Chain, now, fx) {
            return Step::Yield;
        }
        step
    }

    /// Whether `me` may execute the item. If another worker executes the same work, the item goes to that worker.
    /// Kernel: `assign_work()`.
    pub(super) fn assign(&mut self, ix: ItemIx, me: WorkerIx) -> bool {
        let Some(other) = self.executing(self.items.get(ix).work) else {
            return true;
        };
        debug_assert_ne!(other, me, "a worker takes items after it has finished one");
        let mut scheduled = self.worker(other).scheduled;
        self.items.push_back(&mut scheduled, ix);
        self.worker_mut(other).scheduled = scheduled;
        self.items.get_mut(ix).on = On::Scheduled(other);
        false
    }

    /// Begins the execution of an item that is off all lists.
    pub(super) fn start(
        &mut self,
        me: WorkerIx,
        ix: ItemIx,
        now: u64,
        fx: &mut Effects<W>,
    ) -> Start<J> {
        let item = self.items.get_mut(ix);
        match &item.mark {
            Some(mark) => self.wait.account(mark, now, &mut item.parts),
            None => item.parts[WaitPart::SelfRun as usize] += now - item.active_at,
        }
        let Item {
            job,
            work,
            func,
            pwq,
            color,
            queued_at,
            parts,
            waiters,
            ..
        } = self.items.remove(ix);
        debug_assert_eq!(
            parts.iter().sum::<u64>(),
            now - queued_at,
            "the parts are the wait"
        );
        let share = self.pwq_mut(pwq);
        share.slot.add(Counter::Started, 1);
        share.slot.record_wait(now - queued_at);
        share.run_begins();
        let (wq, cpu_intensive) = (share.spec.wq, share.spec.cpu_intensive);
        let shown = (wq, share.slot.id());
        self.publish_pwq(pwq);
        self.describe(me, pwq);
        let worker = self.worker(me);
        worker.slot.execute(work, func, shown, now);
        let worker_id = worker.id;
        self.on_started(pwq, func, &parts);
        let was = self.counts(me);
        self.worker_mut(me).current = Some(Current {
            work,
            func,
            pwq,
            color,
            started_at: now,
            cpu_intensive,
            requeued: None,
            waiters,
        });
        let is = self.counts(me);
        self.count_running(me, was, is, now);
        self.busy.insert(work, me);
        // Kernel: this chains execution for workers that are not managed, or do not count from here on.
        self.kick(Wake::Chain, now, fx);
        let subject = Subject {
            worker: worker_id,
            ..self.item_subject(pwq, work, func)
        };
        fx.emit(now, subject, What::ExecuteStart);
        Start {
            job,
            func,
            queued_at,
            at: now,
        }
    }

    /// A worker's description is the name of the workqueue whose items it executes.
    fn describe(&mut self, me: WorkerIx, pwq: PwqIx) {
        let spec = &self.pwqs[pwq.0 as usize]
            .as_ref()
            .expect("the pwq is linked")
            .spec;
        let worker = if me.is_rescuer() {
            let rescuer = self.rescuers[me.index()].as_mut();
            rescuer.map(|rescuer| &mut rescuer.worker)
        } else {
            self.workers[me.index()].as_mut()
        };
        let worker = worker.expect("the worker exists");
        if worker.described != spec.wq {
            worker.described = spec.wq;
            worker.slot.desc(&spec.wq_name);
        }
    }

    fn on_started(&mut self, pwq: PwqIx, func: FuncId, parts: &Breakdown) {
        let figures = self.figures(pwq, func);
        figures.pending(-1);
        figures.running(1);
        figures.on_started(parts);
    }

    /// The work function has returned: the event, and the latest moment to notice that the worker runs.
    /// Kernel: `trace_workqueue_execute_end()`.
    pub(crate) fn execute_end(&mut self, me: WorkerIx, done: &Done, now: u64, fx: &mut Effects<W>) {
        self.running(me, Informant::Hint, now, fx);
        let Some(current) = &self.worker(me).current else {
            return;
        };
        let subject = self.item_subject(current.pwq, current.work, current.func);
        let subject = Subject {
            worker: self.worker(me).id,
            ..subject
        };
        if done.panicked {
            fx.emit(done.at, subject, What::Panic);
        }
        fx.emit(done.at, subject, What::ExecuteEnd);
    }

    /// The execution of `me` is over: books it, completes who waited for it, and lets the next held item go on.
    pub(crate) fn complete(&mut self, me: WorkerIx, done: Done, now: u64, fx: &mut Effects<W>) {
        let was = self.counts(me);
        let worker = self.worker_mut(me);
        let current = worker.current.take().expect("a busy worker");
        worker.slot.finish(now);
        let is = self.counts(me);
        self.count_running(me, was, is, now);
        self.busy.remove(&current.work);
        let run_ns = done.at - current.started_at;
        let share = self.pwq_mut(current.pwq);
        share.running -= 1;
        share.slot.record_run(run_ns);
        share.slot.add(Counter::CpuTime, done.cpu_ns);
        if done.panicked {
            share.slot.add(Counter::Panics, 1);
        }
        share.slot.add(Counter::Completed, 1);
        let figures = self.figures(current.pwq, current.func);
        figures.running(-1);
        figures.on_completed(run_ns, done.cpu_ns);
        for waiter in current.waiters {
            fx.push(Effect::Complete(waiter));
        }
        if let Some(next) = current.requeued {
            self.own_run_is_over(next, now);
        }
        self.release(current.pwq, current.color, true, now, fx);
        self.settle(now);
    }

    /// The same work was queued again while it ran: from now on it waits for the pool.
    ///
    /// Somebody ran up to now, so no block is dated before it: the marks taken here stay right.
    fn own_run_is_over(&mut self, ix: ItemIx, now: u64) {
        self.wait.cut(now);
        let mark = self.wait.mark(now);
        let item = self.items.get_mut(ix);
        if item.on != On::Inactive {
            item.parts[WaitPart::SelfRun as usize] += now - item.active_at;
            item.mark = Some(mark);
        }
    }

    /// `waiter` is completed when what `me` executes ends. Returns the workqueue of that.
    pub(crate) fn wait_for_worker(&mut self, me: WorkerIx, waiter: W) -> WqId {
        let current = self.worker_mut(me).current.as_mut().expect("a busy worker");
        current.waiters.push(waiter);
        let pwq = current.pwq;
        self.pwq(pwq).spec.wq
    }

    /// `by` says that `me` sleeps inside its work function, since `from` if that can be told.
    /// Kernel: `wq_worker_sleeping()`.
    pub(crate) fn sleeping(
        &mut self,
        me: WorkerIx,
        by: Informant,
        from: Option<u64>,
        now: u64,
        fx: &mut Effects<W>,
    ) {
        let worker = self.worker_mut(me);
        if worker.current.is_none() {
            return;
        }
        if worker.sleeping.is_some() {
            if by == Informant::Hint {
                worker.sleeping = Some(by);
            }
            return;
        }
        let was = self.counts(me);
        self.worker_mut(me).sleeping = Some(by);
        self.count_running(me, was, false, from.unwrap_or(now));
        self.sleep_changed(me, now, fx);
        self.bh_slept(me, fx);
        if was {
            if self.nr_running == 0 {
                self.date_block(now);
            }
            if self.kick(Wake::Sleep, now, fx) {
                self.cm_wakeups += 1;
                let pwq = self.current_pwq(me).expect("a sleeping worker executes");
                self.pwq_mut(pwq).slot.add(Counter::CmWakeup, 1);
            }
        }
        self.settle(now);
    }

    /// `by` says that `me` runs. Nothing happens if it was not noticed to sleep, and a worker's own word that it
    /// sleeps is not overruled. Kernel: `wq_worker_running()`.
    pub(crate) fn running(&mut self, me: WorkerIx, by: Informant, now: u64, fx: &mut Effects<W>) {
        match self.worker(me).sleeping {
            None => return,
            Some(Informant::Hint) if by != Informant::Hint => return,
            Some(_) => {}
        }
        self.worker_mut(me).sleeping = None;
        let is = self.counts(me);
        self.count_running(me, false, is, now);
        self.sleep_changed(me, now, fx);
        self.settle(now);
    }

    fn sleep_changed(&mut self, me: WorkerIx, now: u64, fx: &mut Effects<W>) {
        let nr_running = self.nr_running;
        let worker = self.worker(me);
        let current = worker
            .current
            .as_ref()
            .expect("it sleeps inside a work function");
        let subject = Subject {
            func: current.func,
            work: current.work,
            wq: self.pwq(current.pwq).spec.wq,
            ..self.worker_subject(me)
        };
        let what = if worker.sleeping.is_some() {
            What::WorkerSleep { nr_running }
        } else {
            What::WorkerResume { nr_running }
        };
        fx.emit(now, subject, what);
        self.show_state(me, now);
    }

    /// The last running worker was noticed to be blocked: since when, for the items that waited behind it?
    fn date_block(&mut self, now: u64) {
        let from = std::mem::take(&mut self.ran_until);
        let Some(correction) = self.wait.split_sensing(now, from) else {
            return;
        };
        let mut at = self.worklist.back();
        while let Some(ix) = at {
            let item = self.items.get_mut(ix);
            // Earlier items took their marks before the interval was opened.
            if item.active_at < correction.opened {
                break;
            }
            if let Some(mark) = &mut item.mark {
                correction.apply(mark);
            }
            at = self.items.before(ix);
        }
    }

    fn set_role(&mut self, me: WorkerIx, role: Role, now: u64) {
        let was = self.counts(me);
        self.worker_mut(me).role = role;
        let is = self.counts(me);
        self.count_running(me, was, is, now);
        self.show_state(me, now);
    }
}
