//! Work functions: their bodies, step by step.

use super::cpus::ThreadIx;
use super::machine::{Alarm, Kind, Machine, Next};
use super::program::{Draw, Step};
use super::{Execution, KEPT_EXECUTIONS};
use crate::pool::{Done, Start, WorkerIx};
use std::collections::VecDeque;
use wq_trace::FuncId;

/// An execution that a worker is in.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) item: usize,
    pub(super) func: FuncId,
    /// The next step of the body.
    at: usize,
    /// Where a step that takes several turns is.
    pub(super) turn: usize,
    burnt: u64,
    /// CPU time since the start or the last wake-up, up to the present burn.
    pub(super) used: u64,
    /// When the present burn began.
    pub(super) burns_since: Option<u64>,
    holds: Option<usize>,
    pub(super) panicked: bool,
    returned_at: u64,
    /// Index of its record, unless too many are kept already.
    record: Option<usize>,
}

/// A mutex of the script, first in, first out.
#[derive(Debug, Default)]
pub(super) struct Lock {
    holder: Option<ThreadIx>,
    waiting: VecDeque<ThreadIx>,
}

/// How a step of a body leaves its thread.
pub(super) enum Went {
    /// On to the next step at once.
    On,
    /// The same step again, at once.
    Again,
    /// The thread burns or has blocked; then the next step.
    Off,
    /// The thread has blocked; then the same step again.
    OffAgain,
}

impl Machine<'_> {
    /// The worker is about to call the work function.
    pub(super) fn begin(&mut self, thread: ThreadIx, pool: usize, start: &Start<usize>) {
        let item = start.job;
        self.items[item].begins(pool);
        let worker = self.threads[thread.0].name.clone();
        let wq = &mut self.wqs[self.items[item].wq];
        wq.running += 1;
        wq.max_running = wq.max_running.max(wq.running);
        let record = &mut self.items[item].record;
        record.started += 1;
        let kept = record.executions.len();
        let keep = kept < KEPT_EXECUTIONS;
        if keep {
            record.executions.push(Execution {
                queued_ns: start.queued_at,
                started_ns: start.at,
                finished_ns: None,
                worker,
            });
        }
        let frame = Frame {
            item,
            func: start.func,
            at: 0,
            turn: 0,
            burnt: 0,
            used: 0,
            burns_since: None,
            holds: None,
            panicked: false,
            returned_at: 0,
            record: keep.then_some(kept),
        };
        if let Kind::Worker {
            next, frame: place, ..
        } = &mut self.threads[thread.0].kind
        {
            *next = Next::Body;
            *place = Some(frame);
        }
    }

    pub(super) fn frame(&mut self, thread: ThreadIx) -> &mut Frame {
        match &mut self.threads[thread.0].kind {
            Kind::Worker {
                frame: Some(frame), ..
            } => frame,
            _ => unreachable!("only a worker in an execution runs a body"),
        }
    }

    /// Runs steps of the body. Returns whether the thread keeps the CPU and goes on.
    pub(super) fn body(&mut self, thread: ThreadIx) -> bool {
        let program = self.program;
        self.burn_is_over(thread);
        loop {
            let frame = self.frame(thread);
            if let Some(lock) = frame.holds.take() {
                self.unlock(lock);
            }
            let frame = self.frame(thread);
            let (item, at) = (frame.item, frame.at);
            let body = &program.works[self.items[item].record.work].body;
            let Some(step) = body.get(at).filter(|_| !self.frame(thread).panicked) else {
                return self.returns(thread);
            };
            let went = self.body_step(thread, item, step);
            if matches!(went, Went::On | Went::Off) {
                let frame = self.frame(thread);
                (frame.at, frame.turn) = (at + 1, 0);
            }
            if matches!(went, Went::Off | Went::OffAgain) {
                return false;
            }
        }
    }

    fn body_step(&mut self, thread: ThreadIx, item: usize, step: &Step) -> Went {
        match step {
            Step::Burn(time) => self.burn(thread, item, *time),
            Step::Sleep(time) | Step::Blocking(time) => {
                let time = self.draw(item, *time);
                self.block(thread);
                self.alarm(time, Alarm::Wake(thread));
                Went::Off
            }
            Step::Lock(lock, time) => self.lock(thread, item, *lock, *time),
            Step::Yield => self.yields(thread),
            Step::Panic => {
                self.frame(thread).panicked = true;
                Went::On
            }
            Step::Requeue => {
                self.queue_item(thread, item, None);
                Went::On
            }
            Step::RequeueDelayed(time) => {
                let time = self.draw(item, *time);
                self.queue_delayed(thread, item, time);
                Went::On
            }
            // The checker lets these into producers only.
            Step::Wait(_) | Step::FailCreate(_) | Step::CpuDown(_) | Step::CpuUp(_) => Went::On,
            other => {
                let turn = self.frame(thread).turn;
                let stream = Some(item);
                match self.queueing_step(thread, other, turn, stream) {
                    super::queueing::Turn::Done => Went::On,
                    super::queueing::Turn::Next => {
                        self.frame(thread).turn += 1;
                        Went::Again
                    }
                    super::queueing::Turn::Blocked => {
                        self.block(thread);
                        self.frame(thread).turn += 1;
                        Went::OffAgain
                    }
                }
            }
        }
    }

    /// The next value of the item's stream of draws.
    fn draw(&mut self, item: usize, time: Draw) -> u64 {
        time.next(&mut self.items[item].rng).as_nanos() as u64
    }

    fn burn(&mut self, thread: ThreadIx, item: usize, time: Draw) -> Went {
        let time = self.draw(item, time);
        if time == 0 {
            return Went::On;
        }
        self.frame(thread).burnt += time;
        self.burn_begins(thread, time);
        let cpu = self.threads[thread.0].cpu;
        self.cpus.burn(cpu, self.now + time);
        Went::Off
    }

    fn lock(&mut self, thread: ThreadIx, item: usize, lock: usize, time: Draw) -> Went {
        let state = &mut self.locks[lock];
        if state.holder.is_some_and(|holder| holder != thread) {
            state.waiting.push_back(thread);
            self.block(thread);
            return Went::OffAgain;
        }
        state.holder = Some(thread);
        self.frame(thread).holds = Some(lock);
        self.burn(thread, item, time)
    }

    /// The first who waits gets the mutex.
    fn unlock(&mut self, lock: usize) {
        let next = self.locks[lock].waiting.pop_front();
        self.locks[lock].holder = next;
        if let Some(next) = next {
            self.wake(next);
        }
    }

    fn yields(&mut self, thread: ThreadIx) -> Went {
        if self.gives_way(thread) {
            Went::Off
        } else {
            Went::On
        }
    }

    /// To the tail of its CPU's queue if another thread waits for the CPU. Returns whether it went.
    fn gives_way(&mut self, thread: ThreadIx) -> bool {
        let (cpu, nice) = (self.threads[thread.0].cpu, self.threads[thread.0].nice);
        let waits = self.cpus.others_wait(cpu);
        if waits {
            self.cpus.leave(cpu);
            self.cpus.enqueue(cpu, thread, nice);
        }
        waits
    }

    /// The work function returns, and its worker gives way once; that of a BH pool has its own budget for that.
    fn returns(&mut self, thread: ThreadIx) -> bool {
        let now = self.now;
        let frame = self.frame(thread);
        frame.returned_at = now;
        let (item, record) = (frame.item, frame.record);
        let done = done(frame);
        self.wqs[self.items[item].wq].running -= 1;
        let record_of = &mut self.items[item].record;
        record_of.completed += 1;
        record_of.last_finished_ns = Some(now);
        if let Some(execution) = record.and_then(|record| record_of.executions.get_mut(record)) {
            execution.finished_ns = Some(now);
        }
        let Kind::Worker { pool, ix, next, .. } = &mut self.threads[thread.0].kind else {
            return false;
        };
        *next = Next::Complete;
        let (pool, ix) = (*pool, *ix);
        self.transact(thread, pool, |core, now, fx| {
            core.execute_end(ix, &done, now, fx);
        });
        self.pools[pool].core.spec.bh || !self.gives_way(thread)
    }

    /// The execution is booked.
    pub(super) fn complete(&mut self, thread: ThreadIx, pool: usize, ix: WorkerIx) {
        let done = done(self.frame(thread));
        if let Kind::Worker { next, frame, .. } = &mut self.threads[thread.0].kind {
            *next = Next::Step;
            *frame = None;
        }
        self.transact(thread, pool, |core, now, fx| {
            core.complete(ix, done, now, fx);
        });
    }
}

fn done(frame: &Frame) -> Done {
    Done {
        at: frame.returned_at,
        cpu_ns: frame.burnt,
        panicked: frame.panicked,
    }
}
