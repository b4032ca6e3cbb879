//! Work functions on threads: the steps of a body, with real CPU time and real sleeps.

use super::handle::Handle;
use super::shared::{Shared, lock, now};
use crate::report::Execution;
use rustix::time::{ClockId, clock_gettime};
use std::sync::atomic::Ordering;
use std::time::Duration;
use wq_engine::blocking;
use wq_engine::sim::{Draw, Step};

/// One execution of an item.
pub(super) fn execute(shared: &Shared, index: usize) {
    let item = &shared.items[index];
    shared.begins(item);
    let panics = run(shared, index);
    let (queued_at, started_at) = wq_engine::current_stamps().unwrap_or_default();
    let since_start = |stamp: u64| stamp.saturating_sub(shared.started_at);
    let worker = std::thread::current().name().unwrap_or_default().to_owned();
    shared.ends(
        item,
        Execution {
            queued_ns: since_start(queued_at),
            started_ns: since_start(started_at),
            finished_ns: since_start(now()),
            worker,
        },
    );
    if panics {
        // The panic that the script asks for; the hook, which would print it, has nothing to tell.
        std::panic::resume_unwind(Box::new("the script's `panic` step"));
    }
}

/// Runs the steps of the body. Returns whether one of them was `panic`, which ends it.
fn run(shared: &Shared, index: usize) -> bool {
    let body = &shared.program.works[shared.items[index].work].body;
    for step in body {
        if step == &Step::Panic {
            return true;
        }
        body_step(shared, index, step);
    }
    false
}

fn body_step(shared: &Shared, index: usize, step: &Step) {
    let item = &shared.items[index];
    let draw = |time: &Draw| time.next(&mut lock(&item.rng));
    match step {
        Step::Burn(time) => burn(draw(time)),
        Step::Sleep(time) => std::thread::sleep(draw(time)),
        Step::Blocking(time) => {
            let time = draw(time);
            blocking(|| std::thread::sleep(time));
        }
        Step::Lock(mutex, time) => {
            let time = draw(time);
            let held = lock(&shared.locks[*mutex]);
            burn(time);
            drop(held);
        }
        Step::Yield => std::thread::yield_now(),
        Step::Requeue => shared.queue(index, None, Duration::ZERO),
        Step::RequeueDelayed(time) => shared.queue(index, None, draw(time)),
        other => queueing_step(shared, other, &draw),
    }
}

/// A step that queues, flushes or cancels.
pub(super) fn queueing_step(shared: &Shared, step: &Step, draw: &dyn Fn(&Draw) -> Duration) {
    match step {
        Step::Queue(item) => shared.queue(shared.next_instance(*item), None, Duration::ZERO),
        Step::QueueOn(cpu, item) => {
            shared.queue(shared.next_instance(*item), Some(*cpu), Duration::ZERO);
        }
        Step::QueueDelayed(item, time) => {
            shared.queue(shared.next_instance(*item), None, draw(time));
        }
        Step::ModDelayed(item, time) => {
            shared.modify(shared.next_instance(*item), draw(time));
        }
        Step::QueueRcu(item) => shared.queue(shared.next_instance(*item), None, Duration::ZERO),
        Step::Flush(item) => shared.each(*item, Handle::flush),
        Step::Disable(item) => shared.each(*item, Handle::disable),
        Step::Enable(item) => shared.each(*item, Handle::enable),
        Step::FlushWq(wq) => {
            if let Some(wq) = shared.workqueue(wq) {
                wq.flush();
            }
        }
        Step::Drain(wq) => {
            if let Some(wq) = shared.workqueue(wq) {
                wq.drain();
            }
        }
        Step::Cancel(item) => shared.each(*item, |handle| handle.cancel(false)),
        Step::CancelSync(item) => shared.each(*item, |handle| handle.cancel(true)),
        Step::FailCreate(fails) => {
            shared.creation_fails.store(*fails, Ordering::Release);
            shared.engine.fail_worker_creation(*fails);
        }
        Step::SetMaxActive(wq, max_active) => {
            if let Some(wq) = shared.workqueue(wq) {
                wq.set_max_active(*max_active);
            }
        }
        Step::Freeze => {
            shared.frozen.store(true, Ordering::Release);
            shared.engine.freeze();
        }
        Step::Thaw => {
            shared.engine.thaw();
            shared.frozen.store(false, Ordering::Release);
        }
        Step::CpuDown(cpu) => {
            let cpu = shared.cpu(*cpu);
            lock(&shared.hotplug).down(cpu, shared.engine.cpus());
        }
        Step::CpuUp(cpu) => lock(&shared.hotplug).up(shared.cpu(*cpu)),
        // The checker lets the other steps into bodies only, or into producers only.
        _ => {}
    }
}

/// Uses this much CPU time of the calling thread.
fn burn(time: Duration) {
    let cpu = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let until = cpu() + time;
    while cpu() < until {
        for _ in 0..64 {
            std::hint::spin_loop();
        }
    }
}
