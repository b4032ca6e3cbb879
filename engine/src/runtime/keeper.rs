//! The keeper: a thread that makes the workers that nobody else can make, and looks for pools that make no progress.
//!
//! BH pools get their worker when the first item comes. The thread that queues it is the user's, whose nice level and
//! policy a new thread would inherit; so the keeper makes it. It sleeps for as long as nothing waits anywhere.

use super::{EngineInner, EngineState, Pool, lock};
use crate::os;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::Thread;
use std::time::Duration;

/// Pause after a worker could not be created. Kernel: `CREATE_COOLDOWN`.
const RETRY: Duration = Duration::from_secs(1);

/// The shared part: how the keeper is asked.
#[derive(Default)]
pub(crate) struct Keeper {
    /// Pools are looked at once they may have stalled.
    armed: AtomicBool,
    stopped: AtomicBool,
    /// Pools, by uid, that want their first worker.
    wanted: Mutex<Vec<u32>>,
    thread: OnceLock<Thread>,
}

impl Keeper {
    /// Items wait: some pool may stall. One load when it is armed already.
    pub(crate) fn arm(&self) {
        if !self.armed.load(Ordering::Relaxed) && !self.armed.swap(true, Ordering::AcqRel) {
            self.wake();
        }
    }

    /// This pool wants its first worker.
    pub(crate) fn make_worker(&self, pool: u32) {
        lock(&self.wanted).push(pool);
        self.wake();
    }

    /// The thread to wake. Whoever asked before this found nobody: it looks once more.
    pub(crate) fn is_run_by(&self, thread: Thread) {
        self.thread.get_or_init(|| thread).unpark();
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// The keeper's life.
    pub(crate) fn run(&self, engine: &EngineInner) {
        // When to look for stalls.
        let mut look_at = None;
        while !self.stopped.load(Ordering::Acquire) {
            let failed = !self.make_workers(engine);
            if self.armed.load(Ordering::Acquire) {
                look_at = self.next_look(engine, look_at);
            }
            let until_look =
                look_at.map(|at: u64| Duration::from_nanos(at.saturating_sub(os::now())));
            let until_retry = failed.then_some(RETRY);
            match until_look.into_iter().chain(until_retry).min() {
                Some(pause) => std::thread::park_timeout(pause),
                None => std::thread::park(),
            }
        }
    }

    /// Looks for stalls if it is time. Returns when it is time again; never, and disarmed, if nothing waits.
    fn next_look(&self, engine: &EngineInner, look_at: Option<u64>) -> Option<u64> {
        let now = os::now();
        // What waits since now can have stalled after the threshold only.
        let at = look_at.unwrap_or(now.saturating_add(engine.watchdog_thresh));
        if at > now {
            return Some(at);
        }
        let next = engine.look_for_stalls();
        if next.is_some() {
            return next;
        }
        // Disarm, then look once more: who armed in between saw the keeper armed.
        self.armed.store(false, Ordering::SeqCst);
        let next = engine.look_for_stalls();
        if next.is_some() {
            self.armed.store(true, Ordering::Release);
        }
        next
    }

    /// Returns whether all wanted workers were made.
    fn make_workers(&self, engine: &EngineInner) -> bool {
        let wanted = std::mem::take(&mut *lock(&self.wanted));
        let missing: Vec<u32> = wanted
            .into_iter()
            .filter(|&pool| Pool::find(pool).is_some_and(|pool| !engine.make_first_worker(&pool)))
            .collect();
        let made = missing.is_empty();
        lock(&self.wanted).extend(missing);
        made
    }
}

impl EngineInner {
    /// Makes the worker of a BH pool. Returns whether there is nothing more to try.
    fn make_first_worker(&self, pool: &Arc<Pool>) -> bool {
        if self.state() == EngineState::Stopped {
            return true;
        }
        match self.create_worker(pool) {
            Ok(()) => true,
            Err(error) => {
                self.say_create_failure(pool, &error);
                false
            }
        }
    }
}
