//! A rescuer thread's life. Kernel: `rescuer_thread()`.

use super::meter::CpuMeter;
use super::{begin, execute};
use crate::os;
use crate::pool::{Rescue, WorkerIx};
use crate::queue::Job;
use crate::runtime::{Core, EngineInner, Mayday, Pool, Rescuer, context};
use crate::wq::PwqAddr;
use std::sync::Arc;
use wq_trace::WorkerSlot;

/// Kernel: `RESCUER_NICE_LEVEL`.
const NICE: i32 = -20;

/// It sleeps until a pwq of its workqueue calls, goes there, and helps; it ends once it was told to and nobody calls.
pub(crate) fn run(engine: &Arc<EngineInner>, rescuer: &Rescuer, mut slot: WorkerSlot) {
    slot.set_tid(context::thread_id());
    show_cpus(&slot);
    // A wish: it helps as well without.
    let _ = os::set_nice(NICE);
    let mut meter = CpuMeter::new();
    while let Some(mayday) = rescuer.next() {
        slot = rescue(engine, rescuer, mayday, slot, &mut meter);
    }
    drop(slot);
    context::with(|context| context.forget(engine));
    engine.let_thread_go();
}

/// Helps a pwq until its pool can help itself.
fn rescue(
    engine: &Arc<EngineInner>,
    rescuer: &Rescuer,
    mayday: Mayday,
    slot: WorkerSlot,
    meter: &mut CpuMeter,
) -> WorkerSlot {
    let pool = &mayday.pwq.pool;
    let (me, mut next) = match attach(engine, rescuer, &mayday, slot) {
        Ok(attached) => attached,
        Err(slot) => return slot,
    };
    let again = loop {
        match next {
            Rescue::Run(start) => {
                next = execute(engine, pool, me, None, start, meter, |core, now, fx| {
                    started(pool, core.rescue(me, rescuer.others_wait(), now, fx))
                });
            }
            Rescue::Leave { again } => break again,
        }
    };
    let slot = pool.transact(engine, |core, now, fx| core.detach_rescuer(me, now, fx));
    engine.unpin();
    show_cpus(&slot);
    if again {
        rescuer.call(mayday);
    }
    slot
}

/// Goes to the pool that called.
fn attach(
    engine: &EngineInner,
    rescuer: &Rescuer,
    mayday: &Mayday,
    slot: WorkerSlot,
) -> Result<(WorkerIx, Rescue<Job>), WorkerSlot> {
    let pool = &mayday.pwq.pool;
    let pwq = PwqAddr {
        pool: pool.uid,
        ix: mayday.pwq.ix,
        uid: mayday.pwq.uid,
    };
    let tid = context::thread_id();
    let _attach = engine.attach_lock();
    engine.pin_for(pool);
    show_cpus(&slot);
    pool.transact(engine, |core: &mut Core, now, fx| {
        let me = core.attach_rescuer(pwq, slot, now, fx)?;
        core.set_tid(me, tid);
        let next = core.rescue(me, rescuer.others_wait(), now, fx);
        Ok((me, started(pool, next)))
    })
}

/// An execution begins: under the pool's lock, the item becomes free to be queued again.
fn started(pool: &Pool, next: Rescue<Job>) -> Rescue<Job> {
    if let Rescue::Run(start) = &next {
        begin(pool, start);
    }
    next
}

/// Shows where the calling rescuer may run now.
fn show_cpus(slot: &WorkerSlot) {
    if let Ok(cpus) = os::allowed_cpus() {
        slot.set_cpus(&cpus.into_iter().map(|cpu| cpu as u16).collect());
    }
}
