//! What a transition of a pool wants done by others: events to emit and effects to execute, in order.

use super::WorkerIx;
use crate::wq::{PwqAddr, Reserved};
use wq_trace::{Event, FuncId, PoolId, What, WorkerId, WqId};

/// Something that needs a thread, a wait, or another lock than the pool's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Effect<W> {
    /// Wake this worker of the pool.
    Wake(WorkerIx),
    /// This idle worker, about to be woken, is to start in the pool's pod: it was elsewhere. Best effort.
    PullBack(WorkerIx),
    /// This waiter's item is done.
    Complete(W),
    /// A pwq of this workqueue has nothing of the flushed colour in flight any more.
    PwqFlushed(WqId),
    /// No worker can be created for the items of this pwq: the workqueue's rescuer is called.
    Mayday(WqId, PwqAddr),
    /// The pool wants [`super::PoolState::timer`] called then.
    Timer(u64),
    /// A pwq of another pool may activate its first held item ([`super::PoolState::activate_reserved`]).
    ActivateIn(Reserved),
    /// A pwq of this workqueue, retired before, is gone.
    PwqReleased { wq: WqId, uid: u64 },
    /// The pool's first worker is wanted.
    CreateWorker,
    /// Somebody should know this.
    Report(Report),
}

/// What an engine reports about a work function, if it has not done so often enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// It hogged its CPU once more.
    Hog(FuncId),
    /// It slept although it was queued on this BH workqueue.
    BhSlept(FuncId, WqId),
}

/// The outcome of one or more transitions.
///
/// Events are to be emitted **before** the pool's lock is dropped (after that an item may already have run and be
/// gone); effects are to be executed **after**, in order.
#[derive(Debug)]
#[must_use]
pub(crate) struct Effects<W> {
    pub(crate) events: Vec<Event>,
    pub(crate) effects: Vec<Effect<W>>,
    /// Whether anybody wants the events.
    pub(crate) recording: bool,
}

impl<W> Default for Effects<W> {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            effects: Vec::new(),
            recording: true,
        }
    }
}

/// What an event is about; the rest is known to whoever emits it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Subject {
    pub(crate) wq: WqId,
    pub(crate) pool: PoolId,
    pub(crate) worker: WorkerId,
    pub(crate) func: FuncId,
    pub(crate) work: u64,
}

impl Subject {
    /// The event of this subject. `cpu`, `tid` and `from` are the emitting thread's to fill in.
    pub(crate) fn event(self, at: u64, what: What) -> Event {
        Event {
            at,
            cpu: 0,
            tid: 0,
            wq: self.wq,
            pool: self.pool,
            worker: self.worker,
            func: self.func,
            from: FuncId::NONE,
            work: self.work,
            what,
        }
    }
}

impl<W> Effects<W> {
    pub(crate) fn emit(&mut self, at: u64, subject: Subject, what: What) {
        if self.recording {
            self.events.push(subject.event(at, what));
        }
    }

    pub(crate) fn push(&mut self, effect: Effect<W>) {
        self.effects.push(effect);
    }
}
