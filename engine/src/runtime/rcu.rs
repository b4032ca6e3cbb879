//! Items that wait for readers: one thread, which does something only while there are any.
//!
//! Items that come together make a batch. A batch puts a marker into the collector, sealed with the epoch of that
//! moment; the collector hands the marker back two epochs later, when every reader from before has left. Nobody tells
//! when a reader leaves, so while a batch waits the thread tries to move the epoch on, at first at once and then with
//! growing pauses.

use super::{EngineInner, Waiter, lock};
use crate::queue::submit::{self, For};
use crate::queue::{WorkInner, WqInner};
use crate::{rcu, worker};
use crossbeam_epoch::LocalHandle;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wq_trace::WqId;

/// The first pause between two looks at the readers, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(2));

/// Epochs that a marker has to grow old.
const GRACE: usize = 2;

/// An engine's items that wait for readers.
#[derive(Default)]
pub(crate) struct Rcu {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Items that are in no batch yet.
    arrived: Vec<Entry>,
    /// Oldest first; they end in this order.
    batches: VecDeque<Batch>,
    stopped: bool,
}

/// An item that waits.
struct Entry {
    work: Arc<WorkInner>,
    wq: Arc<WqInner>,
    /// Who flushes it.
    waiters: Vec<Arc<Waiter>>,
}

/// Items that wait for the same readers.
struct Batch {
    entries: Vec<Entry>,
    /// Its marker came back.
    over: Arc<AtomicBool>,
}

impl Rcu {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Queues an item, which the caller owns, once the readers of this moment have left. Returns false if the engine
    /// has ended. Kernel: `call_rcu_hurry()`.
    pub(crate) fn call(&self, wq: &Arc<WqInner>, work: &Arc<WorkInner>) -> bool {
        let entry = Entry {
            work: work.clone(),
            wq: wq.clone(),
            waiters: Vec::new(),
        };
        // The item's own lock comes first and covers both places, so that nobody finds it in one only.
        let mut place = lock(&work.rcu);
        let mut state = self.lock();
        if state.stopped {
            return false;
        }
        state.arrived.push(entry);
        drop(state);
        *place = Some(wq.engine.clone());
        drop(place);
        self.changed.notify_one();
        true
    }

    /// A wait for an item to be queued or let go, and the workqueue that it is for; `None` if it waits for no reader.
    pub(crate) fn waiter_for(&self, work: &WorkInner) -> Option<(WqId, Arc<Waiter>)> {
        let mut state = self.lock();
        let entry = state
            .entries()
            .find(|entry| std::ptr::eq(Arc::as_ptr(&entry.work), work))?;
        let waiter = Waiter::new();
        entry.waiters.push(waiter.clone());
        Some((entry.wq.id(), waiter))
    }

    /// Lets go of all items.
    pub(crate) fn cancel_all(&self) {
        let entries = self.lock().take_all();
        for entry in &entries {
            *lock(&entry.work.rcu) = None;
            submit::let_go(&entry.wq, &entry.work);
        }
        // Now that every item is free, what users do when theirs are dropped cannot wait for another of these.
        entries.into_iter().for_each(Entry::end);
    }

    /// Ends the thread and lets go of all items; none waits after that.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_one();
        self.cancel_all();
    }

    /// The thread's life.
    pub(crate) fn run(&self) {
        let me = rcu::register();
        let mut pause = PAUSES.0;
        let mut state = self.lock();
        while !state.stopped {
            if state.is_empty() {
                state = wait(self.changed.wait(state));
                continue;
            }
            if let Some(batch) = Batch::begin(&me, std::mem::take(&mut state.arrived)) {
                state.batches.push_back(batch);
                pause = PAUSES.0;
            }
            drop(state);
            (0..GRACE).for_each(|_| me.pin().flush());
            state = self.lock();
            let over = state.take_over();
            if over.is_empty() {
                state = wait(self.changed.wait_timeout(state, pause)).0;
                pause = (pause * 2).min(PAUSES.1);
                continue;
            }
            drop(state);
            over.into_iter().for_each(Entry::queue);
            state = self.lock();
        }
    }
}

fn wait<T>(woken: Result<T, PoisonError<T>>) -> T {
    woken.unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn is_empty(&self) -> bool {
        self.arrived.is_empty() && self.batches.is_empty()
    }

    fn entries(&mut self) -> impl Iterator<Item = &mut Entry> {
        let batches = self.batches.iter_mut();
        batches
            .flat_map(|batch| &mut batch.entries)
            .chain(&mut self.arrived)
    }

    fn take_all(&mut self) -> Vec<Entry> {
        let batches = self.batches.drain(..);
        let entries = batches.flat_map(|batch| batch.entries);
        entries.chain(self.arrived.drain(..)).collect()
    }

    /// The items whose readers have left, in the order in which they came.
    fn take_over(&mut self) -> Vec<Entry> {
        let mut over = Vec::new();
        while let Some(batch) = self.batches.front_mut()
            && batch.over.load(Ordering::Acquire)
        {
            over.append(&mut batch.entries);
            self.batches.pop_front();
        }
        over
    }
}

impl Batch {
    /// A grace period for these items begins now.
    fn begin(me: &LocalHandle, entries: Vec<Entry>) -> Option<Self> {
        if entries.is_empty() {
            return None;
        }
        let over = Arc::new(AtomicBool::new(false));
        let marker = over.clone();
        let guard = me.pin();
        // Any thread may run this, a reader too: it does nothing else.
        guard.defer(move || marker.store(true, Ordering::Release));
        guard.flush();
        Some(Self { entries, over })
    }
}

impl Entry {
    /// The readers have left. Kernel: `rcu_work_rcufn()`.
    fn queue(self) {
        *lock(&self.work.rcu) = None;
        submit::insert(&self.wq, For::asked(None), &self.work);
        self.end();
    }

    /// Tells who waits. The item may have come and gone: its last user value is dropped here then.
    fn end(self) {
        for waiter in &self.waiters {
            waiter.complete();
        }
        worker::quietly(|| drop(self));
    }
}

impl EngineInner {
    /// The thread for items that wait for readers.
    pub(super) fn start_rcu(&self) -> std::io::Result<()> {
        self.spawn("wq-rcu", |engine| engine.rcu.run()).map(|_| ())
    }
}
