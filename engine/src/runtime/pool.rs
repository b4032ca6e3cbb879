//! A worker pool on threads: the pure state behind its lock, and the threads to wake.

use super::context::{self, Effects};
use super::{EngineInner, Waiter};
use crate::os;
use crate::pool::{Effect, PoolState, PwqSpec, WorkerIx};
use crate::queue::{Job, PwqRef};
use crate::sense::Board;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::thread::Thread;
use crate::sync::{Mutex, MutexGuard};
use crate::topology::PoolAttrs;
use crate::worker;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, Weak};
use wq_trace::Wake;

/// The pure state as threads use it.
pub(crate) type Core = PoolState<Job, Arc<Waiter>>;

/// A pool. Kernel: `struct worker_pool`.
pub(crate) struct Pool {
    /// I: unique in the process, since a static item may meet two engines.
    pub(crate) uid: u32,
    /// I: the CPUs that its workers may use.
    pub(crate) cpus: Vec<usize>,
    /// I: the CPU whose concurrency it manages; `None`: unbound.
    pub(crate) own_cpu: Option<usize>,
    /// Whether that CPU has left. Changed under the engine's attach lock; the state behind the pool's own lock follows.
    pub(super) left: AtomicBool,
    /// When somebody looked last whether it is back.
    pub(super) looked_at: AtomicU64,
    /// I: what an unbound pool is known by.
    pub(crate) attrs: Option<PoolAttrs>,
    /// I: what a canary knows of it, if its concurrency is managed.
    pub(crate) board: Option<Box<Board>>,
    /// I
    pub(crate) nice: i32,
    /// I
    engine: Weak<EngineInner>,
    state: Mutex<Locked>,
}

/// All `L`.
struct Locked {
    core: Core,
    /// By worker index.
    threads: Vec<Option<Thread>>,
}

/// All pools of the process by uid, for items that ask where they were last.
///
/// No thread of the engine runs another while it holds this, so a model checker need not see it.
static POOLS: std::sync::RwLock<Option<HashMap<u32, Weak<Pool>>>> = std::sync::RwLock::new(None);

impl Pool {
    /// A pool whose workers may use these CPUs.
    pub(crate) fn new(
        engine: Weak<EngineInner>,
        core: Core,
        cpus: Vec<usize>,
        attrs: Option<PoolAttrs>,
        board: Option<Box<Board>>,
    ) -> Arc<Self> {
        let (uid, nice) = (core.spec.uid, core.spec.nice);
        let own_cpu = core.spec.cpu.map(usize::from);
        let state = Mutex::new(Locked {
            core,
            threads: Vec::new(),
        });
        let pool = Arc::new(Self {
            uid,
            cpus,
            own_cpu,
            left: AtomicBool::new(false),
            looked_at: AtomicU64::new(0),
            attrs,
            board,
            nice,
            engine,
            state,
        });
        let mut pools = POOLS.write().unwrap_or_else(PoisonError::into_inner);
        pools
            .get_or_insert_default()
            .insert(uid, Arc::downgrade(&pool));
        pool
    }

    /// The uid for the next pool.
    pub(crate) fn next_uid() -> u32 {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// The pool with this uid, if it still exists.
    pub(crate) fn find(uid: u32) -> Option<Arc<Self>> {
        let pools = POOLS.read().unwrap_or_else(PoisonError::into_inner);
        pools.as_ref()?.get(&uid)?.upgrade()
    }

    /// Whether it is one of this engine's.
    pub(crate) fn engine_is(&self, engine: &EngineInner) -> bool {
        std::ptr::eq(self.engine.as_ptr(), engine)
    }

    /// The engine, unless it is gone.
    pub(crate) fn engine(&self) -> Option<Arc<EngineInner>> {
        self.engine.upgrade()
    }

    /// One or more transitions under the lock, their events emitted before it is dropped and their effects executed
    /// after.
    pub(crate) fn transact<R>(
        &self,
        engine: &EngineInner,
        f: impl FnOnce(&mut Core, u64, &mut Effects) -> R,
    ) -> R {
        self.transact_at(engine, os::now(), f)
    }

    /// [`Pool::transact`] with a stamp that was taken already.
    pub(crate) fn transact_at<R>(
        &self,
        engine: &EngineInner,
        stamp: u64,
        f: impl FnOnce(&mut Core, u64, &mut Effects) -> R,
    ) -> R {
        let board = self.board.as_deref();
        let (result, wanted, calls, left) = context::with(|context| {
            context.prepare(engine);
            let mut locked = self.lock();
            let now = locked.core.not_before_last(stamp);
            let result = f(&mut locked.core, now, &mut context.fx);
            let calls = board.is_some_and(|board| board.tell(&mut locked.core));
            let canary = board.map(Board::gauges).unwrap_or_default();
            locked.core.publish(canary);
            let wanted = engine.services_wanted(&locked.core);
            context.emit(engine);
            // Most transitions have none.
            let left = (!context.fx.effects.is_empty()).then(|| {
                let effects = context.take_effects();
                let threads = locked.threads_to_wake(&effects);
                (effects, threads)
            });
            drop(locked);
            (result, wanted, calls, left)
        });
        if calls && let Some(board) = board {
            board.arm();
        }
        engine.arm(wanted);
        if let Some((effects, threads)) = left {
            self.execute(engine, effects, &threads);
        }
        result
    }

    /// The pool's canary looks again, if it is to look and has gone to sleep.
    pub(crate) fn recall(&self, engine: &EngineInner) {
        if let Some(board) = &self.board
            && board.is_missed()
        {
            self.transact(engine, |_, _, _| board.repeat());
        }
    }

    pub(super) fn set_cpu_intensive_thresh(&self, ns: u64) {
        self.lock().core.set_cpu_intensive_thresh(ns);
    }

    /// Links a workqueue to this pool.
    pub(crate) fn link(self: &Arc<Self>, engine: &EngineInner, spec: PwqSpec) -> PwqRef {
        let uid = spec.uid;
        PwqRef {
            pool: self.clone(),
            ix: self.transact(engine, |core, now, _| core.add_pwq(spec, now)),
            uid,
        }
    }

    /// The handle by which `worker` is woken.
    pub(crate) fn set_thread(&self, worker: WorkerIx, thread: Thread) {
        let mut locked = self.lock();
        let index = worker.0 as usize;
        if locked.threads.len() <= index {
            locked.threads.resize(index + 1, None);
        }
        locked.threads[index] = Some(thread);
    }

    /// Lets go of everything that is queued and not running, takes nothing more, and lets the workers leave.
    pub(crate) fn end(&self, engine: &EngineInner) {
        let jobs = self.transact(engine, |core, now, fx| {
            let queued = core.queued_items().into_iter();
            let jobs: Vec<Job> = queued.map(|item| core.cancel(item, now, fx).0).collect();
            for job in &jobs {
                job.work.release(job.work.word());
            }
            core.die(now);
            jobs
        });
        // All of them: idle ones leave, and a manager that waits to try again gives up.
        for thread in self.lock().threads.iter().flatten() {
            thread.unpark();
        }
        // Users' values go without the lock, and their panics do not stop the end.
        for job in jobs {
            worker::quietly(|| drop(job));
        }
    }

    /// If a manager waits to try again, it does so now.
    pub(super) fn hurry_manager(&self) {
        let locked = self.lock();
        let manager = locked.core.manager();
        let thread = manager.and_then(|ix| locked.threads.get(ix.0 as usize)?.clone());
        drop(locked);
        if let Some(thread) = thread {
            thread.unpark();
        }
    }

    fn execute(
        &self,
        engine: &EngineInner,
        mut effects: Vec<Effect<Arc<Waiter>>>,
        threads: &Threads,
    ) {
        for thread in threads.first.iter().chain(&threads.more) {
            thread.unpark();
        }
        for effect in effects.drain(..) {
            match effect {
                Effect::Wake(_) | Effect::PullBack(_) => {}
                Effect::Complete(waiter) => waiter.complete(),
                Effect::PwqFlushed(wq) => engine.pwq_flushed(wq),
                Effect::ActivateIn(reserved) => engine.activate_in(reserved, Wake::Fill),
                Effect::PwqReleased { wq, uid } => engine.pwq_released(wq, uid),
                Effect::CreateWorker => engine.keeper.make_worker(self.uid),
                Effect::Report(report) => engine.report(report),
                Effect::Mayday(wq, pwq) => engine.mayday(wq, pwq),
                Effect::Timer(due) => engine.timers.wake_pool(self.uid, due),
            }
        }
        context::with(|context| context.keep(effects));
    }

    fn lock(&self) -> MutexGuard<'_, Locked> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the state without changing it.
    pub(crate) fn look<R>(&self, f: impl FnOnce(&Core) -> R) -> R {
        f(&self.lock().core)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut pools = POOLS.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(pools) = pools.as_mut() {
            pools.remove(&self.uid);
        }
    }
}

impl Locked {
    /// The threads that the effects wake, in their pods if they are to start there: they widen their affinity
    /// themselves once they have taken the lock. A transition wakes one at most, so this is a `Vec` in rare cases only.
    fn threads_to_wake(&self, effects: &[Effect<Arc<Waiter>>]) -> Threads {
        let mut threads = Threads::default();
        for effect in effects {
            match effect {
                Effect::Wake(worker) => {
                    let thread = self.threads.get(worker.0 as usize).and_then(Option::as_ref);
                    thread.inspect(|thread| threads.push((*thread).clone()));
                }
                Effect::PullBack(worker) => self.pull_back(*worker),
                _ => {}
            }
        }
        threads
    }

    /// Best effort: a worker that cannot be moved starts where it is. Nothing is said about it: a subscriber may queue
    /// work, and this is under the lock.
    fn pull_back(&self, worker: WorkerIx) {
        if let Some(home) = self.core.home() {
            let _ = os::pin_thread(self.core.tid(worker), home);
        }
    }
}

/// Usually no or one thread.
#[derive(Default)]
struct Threads {
    first: Option<Thread>,
    more: Vec<Thread>,
}

impl Threads {
    fn push(&mut self, thread: Thread) {
        match self.first {
            None => self.first = Some(thread),
            Some(_) => self.more.push(thread),
        }
    }
}
