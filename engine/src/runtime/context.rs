//! What a thread carries: its event rings, and the work function that it is in.

use crate::pool::{Effect, WorkerIx};
use crate::queue::WorkInner;
use crate::runtime::{EngineInner, Pool, Waiter};
use crate::sync::thread_local;
use crate::{os, pool};
use std::cell::RefCell;
use std::sync::{Arc, Weak};
use wq_trace::{Emitter, Event, FuncId, WqId};

pub(crate) type Effects = pool::Effects<Arc<Waiter>>;

/// `S`: everything here is this thread's alone.
#[derive(Default)]
pub(crate) struct Context {
    tid: u32,
    /// By the engine's uid. A thread rarely meets more than one engine.
    emitters: Vec<(u32, Emitter)>,
    current: Option<CurrentWork>,
    /// Kept for their capacity.
    pub(crate) fx: Effects,
    spare: Vec<Effect<Arc<Waiter>>>,
}

/// The execution that a worker thread is in.
#[derive(Clone)]
pub(crate) struct CurrentWork {
    pub(crate) engine: u32,
    pub(crate) pool: Arc<Pool>,
    pub(crate) worker: WorkerIx,
    pub(crate) func: FuncId,
    /// The workqueue that it runs for.
    pub(crate) wq: WqId,
    /// Weak: the execution alone decides when the item goes.
    pub(crate) work: Weak<WorkInner>,
    pub(crate) queued_at: u64,
    pub(crate) started_at: u64,
    /// Open `blocking` scopes.
    pub(crate) blocking: u32,
}

thread_local! {
    static CONTEXT: RefCell<Context> = RefCell::default();
}

/// Gives the thread's context to `f`, or a passing one when the thread is about to be gone.
/// `f` runs no user code and does not come back here.
pub(crate) fn with<R>(f: impl FnOnce(&mut Context) -> R) -> R {
    let mut f = Some(f);
    let ours = CONTEXT.try_with(|context| {
        let mut context = context.try_borrow_mut().ok()?;
        f.take().map(|f| f(&mut context))
    });
    match (ours, f) {
        (Ok(Some(result)), _) => result,
        (_, Some(f)) => f(&mut Context::default()),
        _ => unreachable!("f is called once"),
    }
}

/// The execution that this thread is in.
pub(crate) fn current() -> Option<CurrentWork> {
    with(|context| context.current.clone())
}

/// This thread's OS id.
pub(crate) fn thread_id() -> u32 {
    with(Context::thread_id)
}

impl Context {
    pub(crate) fn thread_id(&mut self) -> u32 {
        if self.tid == 0 {
            self.tid = os::thread_id();
        }
        self.tid
    }

    pub(crate) fn current_in(&self, engine: &EngineInner) -> Option<&CurrentWork> {
        self.current
            .as_ref()
            .filter(|current| current.engine == engine.uid)
    }

    pub(crate) fn set_current(&mut self, current: Option<CurrentWork>) {
        self.current = current;
    }

    pub(crate) fn current_mut(&mut self) -> Option<&mut CurrentWork> {
        self.current.as_mut()
    }

    /// Sees to it that events can be emitted without any further set-up.
    pub(crate) fn prepare(&mut self, engine: &EngineInner) {
        self.fx.recording = engine.tracing;
        if self
            .emitters
            .iter()
            .all(|(emitter, _)| *emitter != engine.uid)
        {
            // Those of engines that have ended only keep their segments mapped.
            self.emitters.retain(|(_, emitter)| !emitter.has_ended());
            // Anew: this may be the child of a fork, in which the thread has another id.
            self.tid = os::thread_id();
            let tid = self.tid;
            self.emitters
                .push((engine.uid, engine.segment.emitter(tid, &os::thread_name())));
        }
    }

    /// This thread emits no more for that engine.
    pub(crate) fn forget(&mut self, engine: &EngineInner) {
        self.emitters.retain(|(uid, _)| *uid != engine.uid);
    }

    /// Emits the events of `fx`, completed with what is the thread's.
    pub(crate) fn emit(&mut self, engine: &EngineInner) {
        if self.fx.events.is_empty() {
            return;
        }
        let mut events = std::mem::take(&mut self.fx.events);
        self.emit_all(engine, events.drain(..));
        self.fx.events = events;
    }

    pub(crate) fn emit_one(&mut self, engine: &EngineInner, event: Event) {
        self.emit_all(engine, std::iter::once(event));
    }

    fn emit_all(&mut self, engine: &EngineInner, events: impl Iterator<Item = Event>) {
        if !engine.tracing {
            return;
        }
        self.prepare(engine);
        let (tid, cpu) = (self.tid, os::current_cpu() as u16);
        let current = self.current_in(engine);
        let from = current.map_or(FuncId::NONE, |current| current.func);
        let emitter = self.emitters.iter_mut().find(|(uid, _)| *uid == engine.uid);
        let Some((_, emitter)) = emitter else { return };
        for event in events {
            emitter.emit(&Event {
                tid,
                cpu,
                from,
                ..event
            });
        }
    }

    /// The effects that are to be executed once the lock is dropped.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect<Arc<Waiter>>> {
        let spare = std::mem::take(&mut self.spare);
        std::mem::replace(&mut self.fx.effects, spare)
    }

    /// Gives the emptied vector back.
    pub(crate) fn keep(&mut self, effects: Vec<Effect<Arc<Waiter>>>) {
        self.spare = effects;
    }
}
