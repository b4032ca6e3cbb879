//! The end of an engine.

use super::{EngineInner, EngineState, context, lock};
use crate::error::Error;
use crate::os;
use crate::queue::{WqInner, wait};
use crate::sync::atomic::Ordering;
use crate::sync::thread;
use std::sync::Arc;
use std::time::Duration;

impl EngineInner {
    /// See [`crate::Engine::shutdown`].
    pub(super) fn shutdown(&self, timeout: Duration) -> Result<(), Error> {
        if self.segment.forked() {
            return Ok(());
        }
        let begun = os::instant();
        // None: later than time can say.
        let deadline = begun.checked_add(timeout);
        self.advance(EngineState::Draining);
        // After that nobody freezes again, and what is held back can be executed.
        self.set_frozen(false);
        self.timers.cancel_all();
        self.rcu.cancel_all();
        let mut busy = self.busy_workqueues();
        while !busy.is_empty() && deadline.is_none_or(|deadline| os::instant() < deadline) {
            for wq in &busy {
                wait::flush_workqueue(wq, deadline);
            }
            busy = self.busy_workqueues();
        }
        let names: Vec<&str> = busy.iter().map(|wq| wq.spec.name.as_str()).collect();
        let result = match names.len() {
            0 => Ok(()),
            count => Err(Error::Busy {
                busy: count,
                names: names.join(", "),
                waited_ms: (os::instant() - begun).as_millis(),
            }),
        };
        self.end(result.is_ok());
        result
    }

    fn busy_workqueues(&self) -> Vec<Arc<WqInner>> {
        self.all_workqueues()
            .into_iter()
            .filter(|wq| !wq.is_idle())
            .collect()
    }

    /// Lets go of everything that was not started, and ends all threads.
    ///
    /// After a shutdown there is nothing left to do: items that it did not see the end of are not waited for again.
    pub(super) fn stop(&self) {
        if self.state() != EngineState::Stopped {
            self.end(true);
        }
    }

    /// As [`EngineInner::stop`]; running items are waited for if `reap`.
    fn end(&self, reap: bool) {
        if self.segment.forked() {
            return;
        }
        self.advance(EngineState::Stopped);
        self.timers.stop();
        self.rcu.stop();
        self.tick.stop();
        self.stop_canaries();
        self.keeper.stop();
        for pool in self.pools() {
            pool.end(self);
        }
        for wq in self.all_workqueues() {
            wq.stop_rescuer();
        }
        context::with(|context| context.forget(self));
        if reap {
            self.join();
        }
        self.thread_has_gone(0);
        self.say_shortage();
    }

    /// Waits for all threads, unless it is one of them that calls. A manager may add one meanwhile.
    fn join(&self) {
        let me = thread::current().id();
        loop {
            let threads = std::mem::take(&mut *lock(&self.threads));
            if threads.is_empty() || threads.iter().any(|thread| thread.thread().id() == me) {
                return;
            }
            for thread in threads {
                // What a user's code did to its worker, the worker has said.
                let _ = thread.join();
            }
        }
    }

    /// So many threads have ended; with the last one of a stopped engine ends its segment.
    pub(super) fn thread_has_gone(&self, count: usize) {
        let left = self.running_threads.fetch_sub(count, Ordering::AcqRel) - count;
        if left == 0 && self.state() == EngineState::Stopped {
            self.segment.mark_ended(os::now());
        }
    }
}
