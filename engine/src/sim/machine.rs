//! The machine: time, threads, and the four phases of an instant.

use super::body::Frame;
use super::cpus::{Cpus, ThreadIx};
use super::producer::Producer;
use super::queueing::SimItem;
use super::waits::Flushing;
use super::watch::Watch;
use super::wqs::SimWq;
use super::{End, Outcome, Program, SimError};
use crate::pool::{Effect, Effects, Informant, PoolState, Step, WorkerIx};
use crate::topology::{Affinity, PoolAttrs};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use wq_trace::{CanaryGauges, Emitter, Event, FuncId, Reader, Segment, Wake};

/// Most steps at one instant. Tests, whose builds are slow, do not need as many to see that time stands still.
const STEPS_MAX: u64 = if cfg!(test) { 50_000 } else { 50_000_000 };

/// The pure pool as the simulator uses it: a job is an item's index, a waiter is a thread.
pub(super) type Core = PoolState<usize, ThreadIx>;
pub(super) type Fx = Effects<ThreadIx>;

/// See the module.
pub(super) struct Machine<'a> {
    pub(super) program: &'a Program,
    pub(super) observer: &'a mut dyn FnMut(&Event, &Segment),
    pub(super) segment: Segment,
    pub(super) affinity: Affinity,
    pub(super) pwq_uids: u64,
    pub(super) now: u64,
    pub(super) cpus: Cpus,
    pub(super) threads: Vec<Thread>,
    pub(super) pools: Vec<SimPool>,
    pub(super) wqs: Vec<SimWq>,
    pub(super) items: Vec<SimItem>,
    pub(super) producers: Vec<Producer>,
    pub(super) locks: Vec<super::body::Lock>,
    /// By due time, then in the order of arming.
    pub(super) alarms: BTreeMap<(u64, u64), Alarm>,
    pub(super) armed: u64,
    /// The thread that queues delayed items.
    pub(super) timer: ThreadIx,
    /// On whose behalf events are emitted.
    pub(super) actor: ThreadIx,
    /// The next instance of each work, for steps that take them in turn.
    pub(super) turns: Vec<usize>,
    pub(super) watch: Watch,
    /// How many of the workqueues are the system's; they come first.
    pub(super) system_wqs: usize,
    /// Deadlocks found so far.
    pub(super) deadlocks: u32,
    steps: u64,
    /// Worker creation is made to fail.
    pub(super) creation_fails: bool,
    /// Since when only timers of pools are left to ring.
    pub(super) quiet_since: Option<u64>,
}

/// What happens when its time has come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Alarm {
    /// A sleeping thread becomes runnable.
    Wake(ThreadIx),
    /// A delayed item is queued for this CPU.
    Queue { item: usize, cpu: usize },
    /// A worker's burn that began then makes it a hog.
    Hog { thread: ThreadIx, since: u64 },
}

/// A pool.
pub(super) struct SimPool {
    pub(super) core: Core,
    pub(super) cpus: Vec<usize>,
    /// What an unbound pool is known by.
    pub(super) attrs: Option<PoolAttrs>,
    /// By worker index.
    pub(super) threads: Vec<ThreadIx>,
    /// When its manager, this thread, tries again to create a worker.
    pub(super) retry: Option<(u64, ThreadIx)>,
}

/// A thread.
pub(super) struct Thread {
    pub(super) tid: u32,
    pub(super) name: String,
    pub(super) nice: i32,
    /// The CPU that it is on, was on last, or counts as being on.
    pub(super) cpu: usize,
    pub(super) kind: Kind,
    /// Waits in a work function, or a producer's step: for its name in a report of a standstill.
    pub(super) blocked: bool,
    pub(super) flushing: Option<Flushing>,
    /// How much is left of a burn whose CPU has left.
    pub(super) owes: u64,
    /// Keeps the thread's row in the segment.
    pub(super) _emitter: Emitter,
}

/// What a thread is.
pub(super) enum Kind {
    Worker {
        pool: usize,
        ix: WorkerIx,
        next: Next,
        /// The execution it is in.
        frame: Option<Frame>,
    },
    /// The rescuer of a workqueue, by its index, at no pool.
    Rescuer(usize),
    Producer(usize),
    Timer,
}

/// What a worker does when it gets the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Look for work.
    Step,
    /// Go on in the work function.
    Body,
    /// Try again to create a worker.
    Retry,
    /// Book the execution, whose function has returned.
    Complete,
}

impl Machine<'_> {
    pub(super) fn over<'a>(
        program: &'a Program,
        observer: &'a mut dyn FnMut(&Event, &Segment),
        segment: Segment,
        affinity: Affinity,
    ) -> Machine<'a> {
        Machine {
            program,
            observer,
            segment,
            affinity,
            pwq_uids: 0,
            now: 0,
            cpus: Cpus::new(program.cpus),
            threads: Vec::new(),
            pools: Vec::new(),
            wqs: Vec::new(),
            items: Vec::new(),
            producers: Vec::new(),
            locks: program
                .locks
                .iter()
                .map(|_| super::body::Lock::default())
                .collect(),
            alarms: BTreeMap::new(),
            armed: 0,
            timer: ThreadIx(0),
            actor: ThreadIx(0),
            turns: Vec::new(),
            watch: Watch::new(&program.engine),
            system_wqs: 0,
            deadlocks: 0,
            steps: 0,
            creation_fails: false,
            quiet_since: None,
        }
    }

    /// Runs until nothing is left to happen.
    pub(super) fn run(&mut self, interrupted: &AtomicBool) -> Result<End, SimError> {
        loop {
            while self.alarms_ring()
                | self.pool_timers_ring()
                | self.arrivals()
                | self.burns_end()
                | self.idle_cpus_pick()
            {
                if self.too_many_steps() {
                    return Err(SimError::Endless {
                        at_ns: self.now,
                        limit: STEPS_MAX,
                    });
                }
                if interrupted.load(Ordering::Relaxed) {
                    return Ok(End::Interrupted);
                }
            }
            self.look_for_stalls();
            let Some(next) = self.next_instant() else {
                break;
            };
            let next = self.watch.looks_at.map_or(next, |at| at.min(next));
            (self.now, self.steps) = (next, 0);
        }
        Ok(self.standstill())
    }

    /// Phase 1: sleeps and timers that end, oldest armed first.
    fn alarms_ring(&mut self) -> bool {
        let mut any = false;
        while let Some(entry) = self
            .alarms
            .first_entry()
            .filter(|entry| entry.key().0 <= self.now)
        {
            any = true;
            match entry.remove() {
                Alarm::Wake(thread) => self.wake(thread),
                Alarm::Queue { item, cpu } => self.timer_fires(item, cpu),
                Alarm::Hog { thread, since } => self.hog_alarm(thread, since),
            }
        }
        any
    }

    /// Phase 3: each CPU whose burn ended continues its thread, lowest first.
    fn burns_end(&mut self) -> bool {
        let mut any = false;
        for cpu in 0..self.cpus.count() {
            if let Some(thread) = self.cpus.burnt_out(cpu, self.now) {
                any = true;
                self.advance(thread);
            }
        }
        any
    }

    /// Phase 4: idle CPUs pick, lowest first.
    fn idle_cpus_pick(&mut self) -> bool {
        let mut any = false;
        for cpu in 0..self.cpus.count() {
            while let Some(thread) = self.cpus.pick(cpu) {
                any = true;
                self.threads[thread.0].cpu = cpu;
                self.resumes(thread);
                self.advance(thread);
            }
        }
        any
    }

    pub(super) fn count_step(&mut self) {
        self.steps += 1;
    }

    pub(super) fn too_many_steps(&self) -> bool {
        self.steps > STEPS_MAX
    }

    /// A thread that slept in its work function counts as running again once it has the CPU.
    fn resumes(&mut self, thread: ThreadIx) {
        self.threads[thread.0].blocked = false;
        if let Kind::Worker { pool, ix, .. } = self.threads[thread.0].kind {
            self.transact(thread, pool, |core, now, fx| {
                core.running(ix, Informant::Hint, now, fx);
            });
            self.wait_is_over(thread);
        }
    }

    /// The thread, which has its CPU, goes on until it burns, blocks or gives way.
    fn advance(&mut self, thread: ThreadIx) {
        loop {
            self.count_step();
            let owes = std::mem::take(&mut self.threads[thread.0].owes);
            if owes > 0 {
                let cpu = self.threads[thread.0].cpu;
                self.burn_begins(thread, owes);
                self.cpus.burn(cpu, self.now + owes);
                return;
            }
            if let Kind::Rescuer(wq) = self.threads[thread.0].kind
                && !self.answer(thread, wq)
            {
                return;
            }
            let Kind::Worker { pool, ix, next, .. } = self.threads[thread.0].kind else {
                return;
            };
            let stays = match next {
                Next::Step => self.step(thread, pool, ix),
                Next::Retry => {
                    let step =
                        self.transact(thread, pool, |core, now, fx| core.cooled_down(ix, now, fx));
                    self.act(thread, pool, ix, step)
                }
                Next::Body => self.body(thread),
                Next::Complete => {
                    self.complete(thread, pool, ix);
                    true
                }
            };
            if !stays || self.too_many_steps() {
                return;
            }
        }
    }

    /// One step of the worker loop. Returns whether the thread keeps the CPU and goes on.
    fn step(&mut self, thread: ThreadIx, pool: usize, ix: WorkerIx) -> bool {
        if ix.is_rescuer() {
            self.rescue(thread, pool, ix);
            return true;
        }
        let step = self.transact(thread, pool, |core, now, fx| core.step(ix, now, fx));
        self.act(thread, pool, ix, step)
    }

    /// Does what the pool wants of a worker. Returns whether the thread keeps the CPU and goes on.
    fn act(&mut self, thread: ThreadIx, pool: usize, ix: WorkerIx, step: Step<usize>) -> bool {
        if let Kind::Worker { next, .. } = &mut self.threads[thread.0].kind {
            *next = Next::Step;
        }
        match step {
            Step::Park | Step::Yield => {
                let cpu = self.threads[thread.0].cpu;
                self.pools[pool].core.idles_on(ix, cpu);
                self.cpus.leave(cpu);
                false
            }
            Step::Die => {
                self.cpus.leave(self.threads[thread.0].cpu);
                self.transact(thread, pool, |core, now, _| core.destroyed(ix, now));
                false
            }
            Step::Create if self.creation_fails => {
                let step = self.transact(thread, pool, |core, now, fx| {
                    core.create_failed(ix, now, fx)
                });
                self.act(thread, pool, ix, step)
            }
            Step::Cooldown(until) => {
                self.cools_down(thread, pool, until);
                false
            }
            Step::Create => {
                self.create_worker(pool, Some(thread));
                self.transact(thread, pool, |core, now, fx| core.manage_end(ix, now, fx));
                true
            }
            Step::Run(start) => {
                self.begin(thread, pool, &start);
                true
            }
        }
    }

    /// Transitions of a pool by `actor`, and what follows from them.
    pub(super) fn transact<R>(
        &mut self,
        actor: ThreadIx,
        pool: usize,
        f: impl FnOnce(&mut Core, u64, &mut Fx) -> R,
    ) -> R {
        self.actor = actor;
        let mut fx = Fx::default();
        let core = &mut self.pools[pool].core;
        let result = f(core, self.now, &mut fx);
        core.publish(CanaryGauges::default());
        if core.need_watchdog() {
            self.watch.arm(self.now);
        }
        for event in fx.events {
            self.emit(event);
        }
        for effect in fx.effects {
            match effect {
                Effect::Wake(worker) => {
                    let thread = self.pools[pool].threads[worker.0 as usize];
                    self.wake(thread);
                }
                // Every wake-up looks for a CPU in the pod first.
                Effect::PullBack(_) => {}
                Effect::Complete(waiter) => self.wake(waiter),
                Effect::PwqFlushed(wq) => self.pwq_flushed(wq),
                Effect::Mayday(wq, pwq) => self.mayday(pool, wq, pwq),
                // The pool itself says when.
                Effect::Timer(_) => {}
                Effect::CreateWorker => self.create_worker(pool, Some(actor)),
                Effect::Report(report) => self.report(report),
                Effect::ActivateIn(reserved) => self.activate_in(reserved, Wake::Fill),
                Effect::PwqReleased { wq, uid } => self.pwq_released(wq, uid),
            }
        }
        result
    }

    /// Completes an event with what is known of its actor, and shows it.
    pub(super) fn emit(&mut self, mut event: Event) {
        let actor = &self.threads[self.actor.0];
        event.tid = actor.tid;
        event.cpu = actor.cpu as u16;
        event.from = match &actor.kind {
            Kind::Worker {
                frame: Some(frame), ..
            } => frame.func,
            _ => FuncId::NONE,
        };
        (self.observer)(&event, &self.segment);
    }

    /// The thread becomes runnable; a producer, which uses no CPU, goes on by itself.
    pub(super) fn wake(&mut self, thread: ThreadIx) {
        let nice = self.threads[thread.0].nice;
        let (allowed, home) = match self.threads[thread.0].kind {
            Kind::Worker { pool, .. } => {
                let pool = &self.pools[pool];
                (pool.cpus.as_slice(), pool.core.home())
            }
            // Every CPU.
            Kind::Rescuer(_) => (&[][..], None),
            Kind::Producer(index) => {
                self.threads[thread.0].blocked = false;
                self.producers[index].unblocked(self.now);
                return;
            }
            Kind::Timer => return,
        };
        let cpu = self.cpus.place(allowed, home);
        self.cpus.enqueue(cpu, thread, nice);
    }

    /// `thread` blocks: it leaves its CPU and, in a work function, counts as sleeping.
    pub(super) fn block(&mut self, thread: ThreadIx) {
        self.threads[thread.0].blocked = true;
        if let Kind::Worker { pool, ix, .. } = self.threads[thread.0].kind {
            self.cpus.leave(self.threads[thread.0].cpu);
            // The clock of CPU hogs restarts at every wake-up.
            self.frame(thread).used = 0;
            self.transact(thread, pool, |core, now, fx| {
                core.sleeping(ix, Informant::Hint, None, now, fx);
            });
        }
    }

    /// `alarm` rings after `delay`. Returns the key to take it back.
    pub(super) fn alarm(&mut self, delay: u64, alarm: Alarm) -> (u64, u64) {
        let key = (self.now.saturating_add(delay), self.armed);
        self.armed += 1;
        self.alarms.insert(key, alarm);
        key
    }

    pub(super) fn outcome(mut self, end: End) -> Result<Outcome, SimError> {
        for pool in &mut self.pools {
            pool.core.publish(CanaryGauges::default());
        }
        // Read before the pools and workqueues, and with them their rows, go.
        let snapshot = Reader::in_memory(&self.segment).snapshot()?;
        let max_running = self
            .wqs
            .iter()
            .map(|wq| (wq.slot.id(), wq.max_running))
            .collect();
        let items = self.items.into_iter().map(|item| item.record).collect();
        Ok(Outcome {
            duration_ns: self.now,
            items,
            max_running,
            end,
            reports: self.watch.said,
            snapshot,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Draw, ItemRef, Pace, ProducerAction, ProducerSpec, WorkSpec, WorkqueueSpec, WqRef, simulate,
    };
    use super::*;
    use crate::attrs::WqFlags;
    use crate::sim::program::Step;
    use std::time::Duration;

    const AT: Duration = Duration::from_millis(3);

    /// Two items with this body on a workqueue with these flags, queued at 3 ms.
    fn program(flags: WqFlags, body: &[Step]) -> Program {
        let work = |name: &str| WorkSpec {
            name: name.to_owned(),
            workqueue: WqRef::Own(0),
            body: body.to_vec(),
            instances: 1,
        };
        Program {
            cpus: 1,
            workqueues: vec![WorkqueueSpec {
                name: "q0".to_owned(),
                flags,
                max_active: 0,
                affinity: None,
            }],
            works: vec![work("w0"), work("w1")],
            producers: vec![ProducerSpec {
                name: "p0".to_owned(),
                action: ProducerAction::Works(vec![0, 1]),
                cpu: None,
                on_cpu: false,
                at: Draw::Fixed(AT),
                pace: Pace::BackToBack,
                count: Some(2),
                duration: None,
            }],
            ..Program::default()
        }
    }

    fn is_endless(program: &Program) -> bool {
        let end = simulate(program, &AtomicBool::new(false), &mut |_| {});
        matches!(
            end,
            Err(SimError::Endless {
                at_ns: 3_000_000,
                limit: STEPS_MAX
            })
        )
    }

    #[test]
    fn time_that_stands_still_is_an_error() {
        let other = |work| {
            Step::Queue(ItemRef {
                work,
                instance: None,
            })
        };
        let requeue = program(WqFlags::PERCPU, &[Step::Requeue]);
        assert!(is_endless(&requeue));
        let each_other = program(WqFlags::PERCPU, &[other(0), other(1)]);
        assert!(is_endless(&each_other));
        // Two workers that give way to each other.
        let give_way = program(WqFlags::UNBOUND, &[Step::Requeue, Step::Yield]);
        assert!(is_endless(&give_way));
        let pause = Step::Sleep(Draw::Fixed(Duration::ZERO));
        assert!(is_endless(&program(
            WqFlags::PERCPU,
            &[pause, Step::Requeue]
        )));
        let mut producer = program(WqFlags::PERCPU, &[]);
        producer.producers[0].pace = Pace::Every(Draw::Fixed(Duration::ZERO));
        producer.producers[0].count = None;
        assert!(is_endless(&producer));
        let mut steps = program(WqFlags::PERCPU, &[]);
        steps.producers[0].action = ProducerAction::Steps(vec![other(0)]);
        steps.producers[0].count = None;
        assert!(is_endless(&steps));
    }
}
