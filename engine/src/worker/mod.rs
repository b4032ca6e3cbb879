//! A worker thread's life. Kernel: `worker_thread()`.

mod meter;
pub(crate) mod rescuer;

use crate::os;
use crate::pool::{Done, Start, Step, WorkerIx};
use crate::queue::{Job, Work, WorkInner, WorkItem};
use crate::rcu;
use crate::runtime::{Core, CurrentWork, Effects, EngineInner, Pool, context};
use crate::sense::Slot;
use crate::sync::thread;
use meter::CpuMeter;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Woken, it takes items while it may, then idles; the last idle one creates another before it starts.
pub(crate) fn run(engine: &Arc<EngineInner>, pool: &Arc<Pool>, me: WorkerIx) {
    let watched = settle_in(engine, pool, me);
    let slot = pool.board.as_ref().and_then(|board| board.slot(me));
    let mut meter = CpuMeter::new();
    let next = |core: &mut Core, now, fx: &mut Effects| next(pool, core, me, now, fx);
    let mut step = pool.transact(engine, next);
    loop {
        step = match step {
            Step::Park => {
                thread::park();
                engine.mind_cpu(pool);
                let (step, pulled_back) = pool.transact(engine, |core, now, fx| {
                    let pulled_back = core.take_pulled_back(me);
                    (next(core, now, fx), pulled_back)
                });
                if pulled_back {
                    engine.widen(pool);
                }
                step
            }
            Step::Yield => {
                thread::yield_now();
                pool.transact(engine, next)
            }
            Step::Create => {
                let created = engine.try_create_worker(pool);
                pool.transact(engine, |core, now, fx| {
                    if !created {
                        let step = core.create_failed(me, now, fx);
                        return noted(pool, core, me, step);
                    }
                    core.manage_end(me, now, fx);
                    next(core, now, fx)
                })
            }
            Step::Cooldown(until) => {
                let left = until.saturating_sub(os::now());
                thread::park_timeout(Duration::from_nanos(left));
                pool.transact(engine, |core, now, fx| {
                    let step = core.cooled_down(me, now, fx);
                    noted(pool, core, me, step)
                })
            }
            Step::Run(start) => {
                let step = execute(engine, pool, me, slot, start, &mut meter, next);
                if pool.has_left() {
                    engine.mind_cpu(pool);
                }
                step
            }
            Step::Die => break,
        };
    }
    if let Some(board) = &pool.board {
        board.part(me, watched);
    }
    pool.transact(engine, |core, now, fx| {
        take_word(pool, core, me, now, fx);
        core.destroyed(me, now);
    });
    context::with(|context| context.forget(engine));
    engine.let_thread_go();
}

/// Pins and ranks the calling thread as its pool wants it, and shows it to the pool's canary. Returns whether that can
/// watch it.
fn settle_in(engine: &EngineInner, pool: &Pool, me: WorkerIx) -> bool {
    let _attach = engine.attach_lock();
    engine.pin_for(pool);
    // Also 0: a thread begins with the nice level of its creator, who may be a user's thread or another pool's worker.
    let granted = os::set_nice(pool.nice).is_ok();
    let tid = context::thread_id();
    let watched = pool.board.as_ref().is_some_and(|board| board.join(me, tid));
    pool.transact(engine, |core, _, _| {
        core.set_tid(me, tid);
        core.set_nice_granted(granted);
    });
    watched
}

/// The worker's next step.
fn next(pool: &Pool, core: &mut Core, me: WorkerIx, now: u64, fx: &mut Effects) -> Step<Job> {
    take_word(pool, core, me, now, fx);
    let step = core.step(me, now, fx);
    noted(pool, core, me, step)
}

/// Whoever comes by takes the canary's word, also a worker that leaves.
fn take_word(pool: &Pool, core: &mut Core, me: WorkerIx, now: u64, fx: &mut Effects) {
    if let Some(board) = &pool.board {
        board.take_word(core, me, now, fx);
    }
}

/// If an execution begins, the item becomes free to be queued again under the pool's lock; if the worker goes idle, it
/// notes where, if its pool wants to know.
fn noted(pool: &Pool, core: &mut Core, me: WorkerIx, step: Step<Job>) -> Step<Job> {
    match &step {
        Step::Run(start) => begin(pool, start),
        Step::Park if core.home().is_some() => core.idles_on(me, os::current_cpu()),
        _ => {}
    }
    step
}

/// An execution begins, and the pool's lock is held.
fn begin(pool: &Pool, start: &Start<Job>) {
    start.job.work.begin(pool.uid);
}

/// Calls the work function, books the execution, and returns what `next` says. `slot` is where the pool's canary sees the
/// worker. Kernel: `process_one_work()`.
fn execute<R>(
    engine: &Arc<EngineInner>,
    pool: &Arc<Pool>,
    me: WorkerIx,
    slot: Option<&Slot>,
    start: Start<Job>,
    meter: &mut CpuMeter,
    next: impl FnOnce(&mut Core, u64, &mut Effects) -> R,
) -> R {
    let Start {
        job: Job { work, wq, carried },
        func,
        queued_at,
        at,
    } = start;
    // Made in its place: moving it costs.
    let current = || CurrentWork {
        engine: engine.uid,
        pool: pool.clone(),
        worker: me,
        func,
        wq: wq.id(),
        work: Arc::downgrade(&work),
        queued_at,
        started_at: at,
        blocking: 0,
    };
    context::with(|context| context.set_current(Some(current())));
    if let Some(slot) = slot {
        slot.enter(at);
    }
    let panicked = call(work, carried);
    if let Some(slot) = slot {
        slot.leave();
    }
    let ended = os::now();
    context::with(|context| context.set_current(None));
    let cpu_ns = meter.charge(at, ended);
    let step = pool.transact_at(engine, ended, |core, now, fx| {
        let done = Done {
            at: now,
            cpu_ns,
            panicked,
        };
        core.execute_end(me, &done, now, fx);
        core.complete(me, done, now, fx);
        next(core, now, fx)
    });
    // The last of a workqueue takes locks when it goes.
    drop(wq);
    step
}

/// Calls the work function and lets go of the item. What the user's values do when they are dropped is still part of
/// the execution. Returns whether anything panicked.
fn call(work: Arc<WorkInner>, carried: Option<Arc<dyn WorkItem>>) -> bool {
    let work = Work(work);
    let sections = rcu::depth();
    let called = quietly(|| match carried {
        Some(object) => object.run(),
        None => work.call(),
    });
    if !called {
        tracing::error!("work function {} panicked", work.0.name);
    }
    if rcu::depth() != sections {
        tell_leak(&work.0.name, sections);
    }
    let dropped = quietly(|| drop(work));
    if !dropped {
        tracing::error!("dropping a work item panicked");
    }
    !(called && dropped)
}

/// The work function has left a read-side section open, for which every grace period waits, or ended another's.
#[cold]
fn tell_leak(workfn: &str, before: u32) {
    let (comm, tid, after) = (os::thread_name(), context::thread_id(), rcu::depth());
    tracing::error!(
        "BUG: workqueue leaked atomic, lock or RCU: {comm}[{tid}] RCU={before}->{after} workfn={workfn}"
    );
}

/// Runs user code whose panics end here. Returns whether it went well.
pub(crate) fn quietly(user: impl FnOnce()) -> bool {
    let Err(payload) = catch_unwind(AssertUnwindSafe(user)) else {
        return true;
    };
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // A payload whose drop panics: whatever that panic carries is left alone.
        std::mem::forget(again);
    }
    false
}

#[cfg(all(test, loom_engine))]
mod park_loom;
