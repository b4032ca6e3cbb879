//! The timers of delayed work and of the pools: one thread, two ordered maps.

use super::{Core, EngineInner, Pool, lock};
use crate::os;
use crate::queue::submit::For;
use crate::queue::{WorkInner, WqInner, cancel, submit};
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::worker;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use wq_trace::{FuncId, What, WqCounter};

/// The timers of an engine.
#[derive(Default)]
pub(crate) struct Timers {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// By expiry on the engine's clock, then in the order of arming.
    armed: BTreeMap<(u64, u64), Entry>,
    /// The same timers by function, for the next expiry of each.
    by_func: BTreeSet<(FuncId, u64, u64)>,
    /// When pools want their timers called, with their uids. One that has changed its mind is called in vain.
    pools: BTreeSet<(u64, u32)>,
    next: u64,
    stopped: bool,
}

/// What is due next.
enum Due {
    Entry((u64, u64)),
    Pool(u32),
}

/// An armed timer.
pub(crate) struct Entry {
    pub(crate) work: Arc<WorkInner>,
    pub(crate) wq: Arc<WqInner>,
    pub(crate) to: For,
    func: FuncId,
}

/// Where an item's timer is.
pub(crate) struct TimerKey {
    engine: Arc<EngineInner>,
    key: (u64, u64),
    /// `None`: later than time can say.
    expires: Option<Instant>,
}

impl Timers {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an item, which the caller owns, after `delay`. Returns false if the engine has ended.
    pub(crate) fn arm(
        &self,
        wq: &Arc<WqInner>,
        to: For,
        work: &Arc<WorkInner>,
        delay: Duration,
    ) -> bool {
        let now = os::now();
        let delay_ns = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        let expires = os::instant().checked_add(delay);
        let func = submit::function(wq, work);
        let entry = Entry {
            work: work.clone(),
            wq: wq.clone(),
            to,
            func,
        };
        // The item's own lock comes first and covers both places, so that nobody finds the timer in one only.
        let mut place = lock(&work.timer);
        let mut state = self.lock();
        if state.stopped {
            return false;
        }
        submit::emit(
            wq,
            work,
            What::TimerArm {
                delay_us: delay_ns / 1000,
            },
        );
        wq.slot.add(WqCounter::Armed, 1);
        let key = (now.saturating_add(delay_ns), state.next);
        state.next += 1;
        state.insert(key, entry);
        let first = matches!(state.next_due(), Some((_, Due::Entry(first))) if first == key);
        drop(state);
        *place = Some(TimerKey {
            engine: wq.engine.clone(),
            key,
            expires,
        });
        drop(place);
        if first {
            self.changed.notify_one();
        }
        true
    }

    /// Calls the pool's timer at `due`. Kernel: `mod_timer()` of a pool's timers.
    pub(crate) fn wake_pool(&self, pool: u32, due: u64) {
        let mut state = self.lock();
        let earliest = state.next_due().is_none_or(|(first, _)| due < first);
        state.pools.insert((due, pool));
        drop(state);
        if earliest {
            self.changed.notify_one();
        }
    }

    /// Takes all timers off. Their items are idle again.
    pub(crate) fn cancel_all(&self) {
        let armed: Vec<Entry> = {
            let mut state = self.lock();
            state.by_func.clear();
            std::mem::take(&mut state.armed).into_values().collect()
        };
        for entry in &armed {
            *lock(&entry.work.timer) = None;
            entry.wq.slot.add(WqCounter::Disarmed, 1);
            self.lock().show(&entry.wq.engine, entry.func, -1);
            cancel::tell_off_timer(&entry.wq, &entry.work);
            cancel::release(&entry.work);
        }
        // Now that every item is free, what users do when theirs are dropped cannot wait for another of these.
        for entry in armed {
            worker::quietly(|| drop(entry));
        }
    }

    /// Ends the timer thread and takes all timers off; none is armed after that.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_one();
        self.cancel_all();
    }

    /// The timer thread's life.
    pub(crate) fn run(&self) {
        let mut state = self.lock();
        while !state.stopped {
            let now = os::now();
            match state.next_due() {
                None => {
                    state = self
                        .changed
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                Some((due, _)) if due > now => {
                    let left = Duration::from_nanos(due - now);
                    let woken = self.changed.wait_timeout(state, left);
                    state = woken.unwrap_or_else(PoisonError::into_inner).0;
                }
                Some((due, Due::Pool(pool))) => {
                    state.pools.remove(&(due, pool));
                    drop(state);
                    call_pool(pool);
                    state = self.lock();
                }
                Some((_, Due::Entry(first))) => {
                    let Some(entry) = state.remove(first) else {
                        continue;
                    };
                    drop(state);
                    fire(entry);
                    state = self.lock();
                }
            }
        }
    }
}

/// A timer has fired. The item may have come and gone before this returns: its last user value is dropped here then.
fn fire(entry: Entry) {
    *lock(&entry.work.timer) = None;
    submit::insert(&entry.wq, entry.to, &entry.work);
    worker::quietly(|| drop(entry));
}

/// A pool's timer has fired.
fn call_pool(uid: u32) {
    let pool = Pool::find(uid);
    if let Some((pool, engine)) = pool.and_then(|pool| Some((pool.clone(), pool.engine()?))) {
        pool.transact(&engine, Core::timer);
    }
}

impl State {
    /// When the timer thread has something to do next, and what.
    fn next_due(&self) -> Option<(u64, Due)> {
        let entry = self.armed.first_key_value();
        let entry = entry.map(|(key, _)| (key.0, Due::Entry(*key)));
        let pool = self.pools.first();
        let pool = pool.map(|&(due, pool)| (due, Due::Pool(pool)));
        entry.into_iter().chain(pool).min_by_key(|(due, _)| *due)
    }

    /// Writes how many timers of a function are armed and when the next one fires.
    fn show(&self, engine: &EngineInner, func: FuncId, change: i32) {
        let next = self
            .by_func
            .range((func, 0, 0)..)
            .next()
            .filter(|(other, ..)| *other == func);
        engine
            .segment
            .armed(func, change, next.map_or(0, |(_, expiry, _)| *expiry));
    }

    fn insert(&mut self, key: (u64, u64), entry: Entry) {
        self.by_func.insert((entry.func, key.0, key.1));
        self.show(&entry.wq.engine, entry.func, 1);
        self.armed.insert(key, entry);
    }

    fn remove(&mut self, key: (u64, u64)) -> Option<Entry> {
        let entry = self.armed.remove(&key)?;
        self.by_func.remove(&(entry.func, key.0, key.1));
        self.show(&entry.wq.engine, entry.func, -1);
        Some(entry)
    }
}

impl TimerKey {
    pub(crate) fn expires(&self) -> Option<Instant> {
        self.expires
    }

    /// Whether the item's timer belongs to an engine that a fork left behind: it can neither fire nor be taken off.
    pub(crate) fn is_left_behind(work: &WorkInner) -> bool {
        lock(&work.timer)
            .as_ref()
            .is_some_and(|key| key.engine.segment.forked())
    }

    /// Takes the item off its timer. The caller owns it if that succeeds.
    pub(crate) fn take(work: &WorkInner) -> Option<Entry> {
        let mut place = lock(&work.timer);
        let key = place.as_ref()?;
        let entry = key.engine.timers.lock().remove(key.key)?;
        *place = None;
        entry.wq.slot.add(WqCounter::Disarmed, 1);
        Some(entry)
    }
}
