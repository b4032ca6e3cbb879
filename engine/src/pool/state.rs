//! What a pool consists of. Kernel: `struct worker_pool`, `struct worker`.

use super::bh::Bh;
use super::effect::{Effect, Effects, Subject};
use super::list::{ItemIx, Items, List};
use super::notice::Counted;
use super::pwq::{Pwq, PwqIx, PwqSpec};
use super::wait::{Cause, WaitClock, WaitMark};
use crate::topology::CpuMask;
use crate::wq::PwqAddr;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use wq_trace::{
    Breakdown, CanaryGauges, FuncId, PoolGauges, PoolId, PoolSlot, PwqFuncSlot, Segment, Wake,
    What, WorkerId, WorkerSlot, WorkerState, WqId,
};

/// How long workers idle before surplus ones leave, in nanoseconds. Kernel: `IDLE_WORKER_TIMEOUT`.
pub(crate) const IDLE_WORKER_TIMEOUT: u64 = 300_000_000_000;

/// Index of a worker in its pool, and the number in its name: the lowest that is free. A rescuer that has come to help
/// takes no number away from the pool: its index is among the pool's rescuers, which the highest bit tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WorkerIx(pub(crate) u32);

impl WorkerIx {
    const RESCUER: u32 = 1 << 31;

    pub(super) fn rescuer(index: usize) -> Self {
        Self(index as u32 | Self::RESCUER)
    }

    /// Is it a rescuer? Kernel: `current_is_workqueue_rescuer()`.
    pub(crate) fn is_rescuer(self) -> bool {
        self.0 & Self::RESCUER != 0
    }

    /// Its place among the pool's workers, or among its rescuers.
    pub(super) fn index(self) -> usize {
        (self.0 & !Self::RESCUER) as usize
    }
}

/// What a pool is made from.
#[derive(Clone, Debug)]
pub(crate) struct PoolSpec {
    /// Unique among all pools that an item may meet, never 0: the pool in a state word.
    pub(crate) uid: u32,
    /// The number shown.
    pub(crate) number: u32,
    /// OS number of the CPU; `None`: unbound.
    pub(crate) cpu: Option<u16>,
    pub(crate) nice: i32,
    /// Serves BH workqueues: one worker, which takes items in queueing order.
    pub(crate) bh: bool,
}

impl PoolSpec {
    /// The name of this pool's worker `number`. Kernel: `format_worker_id()`.
    pub(crate) fn worker_name(&self, number: u32) -> String {
        match self.cpu {
            Some(cpu) if self.bh && self.nice < 0 => format!("kworker/{cpu}:bhH"),
            Some(cpu) if self.bh => format!("kworker/{cpu}:bh"),
            Some(cpu) if self.nice < 0 => format!("kworker/{cpu}:{number}H"),
            Some(cpu) => format!("kworker/{cpu}:{number}"),
            None => format!("kworker/u{}:{number}", self.number),
        }
    }
}

/// See the module. `J` is what a queued item hands to its execution, `W` who waits for one. All fields are `L`.
#[derive(Debug)]
pub(crate) struct PoolState<J, W> {
    /// I
    pub(crate) spec: PoolSpec,
    /// Whether the number of running workers is managed. A pool that is unbound, or whose CPU has left, starts a worker
    /// for every item. Kernel: not `POOL_DISASSOCIATED`.
    pub(super) managed: bool,
    /// Of a BH pool.
    pub(super) bh: Bh,
    /// I: CPU time in nanoseconds after which an execution leaves concurrency management; 0: never.
    pub(super) hog_thresh: u64,
    /// I
    pub(super) segment: Segment,
    pub(super) slot: PoolSlot,
    /// Managed workers that run an item and are not known to sleep.
    pub(super) nr_running: u32,
    /// Which ones they are.
    pub(super) counted: Counted,
    /// Active items that no worker has taken, in order.
    pub(super) worklist: List,
    pub(super) items: Items<Item<J, W>>,
    pub(super) workers: Vec<Option<Worker<W>>>,
    /// Rescuers that help here at this moment. Not counted in `nr_workers`.
    pub(super) rescuers: Vec<Option<Rescuer<W>>>,
    pub(super) nr_workers: u32,
    /// Last in, first out: the warmest worker is at the end.
    pub(super) idle: Vec<WorkerIx>,
    /// Idle workers that are on their way to a CPU.
    pub(super) nr_woken: u32,
    /// Who executes which work.
    pub(super) busy: HashMap<u64, WorkerIx, BuildHasherDefault<IdHasher>>,
    pub(super) manager: Option<WorkerIx>,
    /// Since when the manager manages.
    pub(super) managing_since: u64,
    /// When somebody has to look whether rescuers are to be called. Kernel: `mayday_timer`.
    pub(super) mayday_due: Option<u64>,
    /// When somebody has to look for workers that idle for too long. Kernel: `idle_timer`.
    pub(super) idle_due: Option<u64>,
    /// How long a worker that is one too many idles before it leaves. Kernel: `IDLE_WORKER_TIMEOUT`.
    pub(super) idle_timeout: u64,
    pub(super) pwqs: Vec<Option<Pwq>>,
    pub(super) last_progress: u64,
    /// When it was last found stalled. Kernel: `wq_watchdog_touched`.
    pub(super) stall_said: u64,
    last_transition: u64,
    pub(super) wait: WaitClock,
    /// Until when at least one of the workers that do not count in nr_running any more truly ran.
    pub(super) ran_until: u64,
    /// Rows of the workers that have left.
    pub(super) gone: Vec<WorkerSlot>,
    /// Workers leave instead of going idle.
    pub(super) dying: bool,
    /// I: the CPUs where workers start, of a pool whose workers may go on elsewhere.
    pub(super) home: Option<CpuMask>,
    pub(super) max_workers: u32,
    pub(super) max_nr_running: u32,
    pub(super) cm_wakeups: u64,
}

/// A queued item.
#[derive(Debug)]
pub(super) struct Item<J, W> {
    pub(super) job: J,
    pub(super) work: u64,
    pub(super) func: FuncId,
    pub(super) pwq: PwqIx,
    pub(super) color: u8,
    /// The how-manieth of its pwq it is.
    pub(super) arrival: u64,
    pub(super) on: On,
    pub(super) queued_at: u64,
    /// When it became active; meaningless before.
    pub(super) active_at: u64,
    /// Since when it waits for the pool; `None` while its own earlier execution is in the way. While it is held, the
    /// pwq's hold clock when it was held back.
    pub(super) mark: Option<WaitMark>,
    /// The parts of its wait that are over.
    pub(super) parts: Breakdown,
    /// Who waits for its execution.
    pub(super) waiters: Vec<W>,
}

/// The list that an item is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// Its pwq's inactive list.
    Inactive,
    /// The pool's worklist.
    Worklist,
    /// This worker's own list: the worker executes the same item at this moment.
    Scheduled(WorkerIx),
}

/// A worker.
#[derive(Debug)]
pub(super) struct Worker<W> {
    /// I
    pub(super) id: WorkerId,
    pub(super) slot: WorkerSlot,
    /// OS thread id; 0 until the thread has started.
    pub(super) tid: u32,
    pub(super) role: Role,
    /// When it went idle last.
    pub(super) last_active: u64,
    /// Its CPU came back: it does not count before its next cycle. Kernel: `WORKER_REBOUND`.
    pub(super) rebound: bool,
    /// The workqueue whose name is the worker's description.
    pub(super) described: WqId,
    /// Noticed to sleep inside its work function, and by whom.
    pub(super) sleeping: Option<Informant>,
    pub(super) current: Option<Current<W>>,
    /// Items that only this worker may execute.
    pub(super) scheduled: List,
    /// The CPU that it was on when it went idle, where that is of interest.
    pub(super) last_cpu: Option<usize>,
    /// It was pulled back into the pod and has not run since.
    pub(super) pulled_back: bool,
}

/// A workqueue's rescuer, at work for one of its pwqs.
#[derive(Debug)]
pub(super) struct Rescuer<W> {
    pub(super) worker: Worker<W>,
    /// Whose items it takes.
    pub(super) pwq: PwqAddr,
    /// No item of its pwq stands before this one on the worklist. Kernel: `mayday_cursor`.
    pub(super) cursor: Option<ItemIx>,
    /// Items that it has taken since it came.
    pub(super) taken: u32,
}

/// Who tells that a worker sleeps. A hint is the truth; what was noticed from outside may be late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Informant {
    /// The worker itself: `blocking(..)` and the engine's own waits.
    Hint,
    /// Somebody who looked: a canary, or the tick.
    Look,
}

/// What a worker is at. It is idle, or the manager, or on its way to or in the execution loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// On the idle list; `woken` if it is on its way to a CPU.
    Idle { woken: bool },
    /// Not counted in nr_running. Kernel: `WORKER_PREP`.
    Preparing,
    /// Creates workers. Kernel: `POOL_MANAGER_ACTIVE`.
    Managing,
    /// In the execution loop. A rescuer is from beginning to end.
    Working,
    /// Told to leave, and no longer one of the pool's workers. Kernel: `WORKER_DIE`.
    Dying,
}

impl<W> Worker<W> {
    pub(super) fn new(slot: WorkerSlot, role: Role, now: u64) -> Self {
        Self {
            id: slot.id(),
            slot,
            tid: 0,
            role,
            last_active: now,
            rebound: false,
            described: WqId::NONE,
            sleeping: None,
            current: None,
            scheduled: List::default(),
            last_cpu: None,
            pulled_back: false,
        }
    }
}

/// The execution that a worker is in.
#[derive(Debug)]
pub(super) struct Current<W> {
    pub(super) work: u64,
    pub(super) func: FuncId,
    pub(super) pwq: PwqIx,
    pub(super) color: u8,
    pub(super) started_at: u64,
    /// Does not count in nr_running. Kernel: `WORKER_CPU_INTENSIVE`.
    pub(super) cpu_intensive: bool,
    /// The same work, queued again on this pool.
    pub(super) requeued: Option<ItemIx>,
    pub(super) waiters: Vec<W>,
}

/// Work ids are consecutive numbers: they need spreading, not a keyed hash.
#[derive(Default, Debug)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0 ^ n)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    }
}

impl<J, W> PoolState<J, W> {
    /// A pool without workers.
    pub(crate) fn new(spec: PoolSpec, segment: &Segment, slot: PoolSlot, now: u64) -> Self {
        Self {
            managed: spec.cpu.is_some() && !spec.bh,
            bh: Bh::default(),
            hog_thresh: 0,
            spec,
            segment: segment.clone(),
            slot,
            nr_running: 0,
            counted: Counted::default(),
            worklist: List::default(),
            items: Items::default(),
            workers: Vec::new(),
            rescuers: Vec::new(),
            nr_workers: 0,
            idle: Vec::new(),
            nr_woken: 0,
            busy: HashMap::default(),
            manager: None,
            managing_since: 0,
            mayday_due: None,
            idle_due: None,
            idle_timeout: IDLE_WORKER_TIMEOUT,
            pwqs: Vec::new(),
            last_progress: now,
            stall_said: 0,
            last_transition: now,
            wait: WaitClock::new(now, Cause::Unknown),
            ran_until: 0,
            gone: Vec::new(),
            dying: false,
            home: None,
            max_workers: 0,
            max_nr_running: 0,
            cm_wakeups: 0,
        }
    }

    pub(crate) fn id(&self) -> PoolId {
        self.slot.id()
    }

    /// Tells the tools which CPUs it has.
    pub(crate) fn tell_attrs(&self, attrs: &wq_trace::PoolAttrs) {
        self.slot.set_attrs(attrs);
    }

    /// Links a workqueue to this pool.
    pub(crate) fn add_pwq(&mut self, spec: PwqSpec, now: u64) -> PwqIx {
        let slot = self.segment.pwq(spec.wq, self.id());
        let pwq = Pwq::new(spec, slot, now);
        pwq.publish(0);
        let free = self.pwqs.iter().position(Option::is_none);
        let index = free.unwrap_or_else(|| {
            self.pwqs.push(None);
            self.pwqs.len() - 1
        });
        self.pwqs[index] = Some(pwq);
        self.slot.set_refcnt(self.nr_pwqs() as u32);
        PwqIx(index as u32)
    }

    /// Unlinks a workqueue that has nothing in flight here.
    pub(crate) fn remove_pwq(&mut self, ix: PwqIx) {
        let pwq = self.pwqs[ix.0 as usize].take().expect("the pwq is linked");
        debug_assert_eq!(pwq.in_flight(), 0, "a released pwq has nothing in flight");
        pwq.retire();
        self.slot.set_refcnt(self.nr_pwqs() as u32);
    }

    /// How many workqueues use the pool, a workqueue counting once for each of its pwqs. Kernel: `pool->refcnt`.
    pub(crate) fn nr_pwqs(&self) -> usize {
        self.pwqs.iter().flatten().count()
    }

    /// Where others find this pwq.
    pub(crate) fn addr(&self, ix: PwqIx) -> PwqAddr {
        PwqAddr {
            pool: self.spec.uid,
            ix,
            uid: self.pwq(ix).spec.uid,
        }
    }

    /// Whether the pwq with this uid is still at this index.
    pub(crate) fn has_pwq(&self, ix: PwqIx, uid: u64) -> bool {
        let pwq = self.pwqs.get(ix.0 as usize).and_then(Option::as_ref);
        pwq.is_some_and(|pwq| pwq.spec.uid == uid)
    }

    pub(crate) fn pwq(&self, ix: PwqIx) -> &Pwq {
        self.pwqs[ix.0 as usize]
            .as_ref()
            .expect("the pwq is linked")
    }

    /// Items queued on this pwq from now on get this flush colour.
    pub(crate) fn set_work_color(&mut self, ix: PwqIx, color: u8) {
        self.pwq_mut(ix).spec.work_color = color;
    }

    /// If items of this colour are in flight on the pwq, it will report ([`Effect::PwqFlushed`]) when the last is gone.
    pub(crate) fn arm_flush(&mut self, ix: PwqIx, color: u8) -> bool {
        let pwq = self.pwq_mut(ix);
        pwq.flush_color = (pwq.nr_in_flight[usize::from(color)] > 0).then_some(color);
        pwq.flush_color.is_some()
    }

    pub(super) fn pwq_mut(&mut self, ix: PwqIx) -> &mut Pwq {
        self.pwqs[ix.0 as usize]
            .as_mut()
            .expect("the pwq is linked")
    }

    /// The figures of one function on one pwq.
    pub(super) fn figures(&mut self, ix: PwqIx, func: FuncId) -> &PwqFuncSlot {
        let pwq = self.pwqs[ix.0 as usize]
            .as_mut()
            .expect("the pwq is linked");
        pwq.func(&self.segment, func)
    }

    #[inline]
    pub(super) fn worker(&self, ix: WorkerIx) -> &Worker<W> {
        if ix.is_rescuer() {
            return &self.rescuer(ix).worker;
        }
        self.workers[ix.index()]
            .as_ref()
            .expect("the worker exists")
    }

    #[inline]
    pub(super) fn worker_mut(&mut self, ix: WorkerIx) -> &mut Worker<W> {
        if ix.is_rescuer() {
            return &mut self.rescuer_mut(ix).worker;
        }
        self.workers[ix.index()]
            .as_mut()
            .expect("the worker exists")
    }

    /// The worker that executes `work` at this moment. Kernel: `find_worker_executing_work()`.
    pub(crate) fn executing(&self, work: u64) -> Option<WorkerIx> {
        self.busy.get(&work).copied()
    }

    /// The pwq on which `work` runs at this moment, if it does so for this workqueue.
    pub(crate) fn runs_for(&self, work: u64, wq: WqId) -> Option<PwqIx> {
        let pwq = self.current_pwq(self.executing(work)?)?;
        (self.pwq(pwq).spec.wq == wq).then_some(pwq)
    }

    /// The pwq of what `worker` executes.
    pub(crate) fn current_pwq(&self, worker: WorkerIx) -> Option<PwqIx> {
        self.worker(worker)
            .current
            .as_ref()
            .map(|current| current.pwq)
    }

    pub(super) fn subject(&self) -> Subject {
        Subject {
            pool: self.id(),
            ..Subject::default()
        }
    }

    pub(super) fn worker_subject(&self, ix: WorkerIx) -> Subject {
        Subject {
            worker: self.worker(ix).id,
            ..self.subject()
        }
    }

    /// Wakes the most recently idled worker if one is needed. Returns whether one was woken that was not before.
    /// Kernel: `kick_pool()`.
    pub(super) fn kick(&mut self, reason: Wake, now: u64, fx: &mut Effects<W>) -> bool {
        if !self.need_more_worker() {
            return false;
        }
        let Some(&first) = self.idle.last() else {
            self.ask_for_bh_worker(fx);
            return false;
        };
        let worker = self.worker_mut(first);
        if worker.role == (Role::Idle { woken: true }) {
            return false;
        }
        worker.role = Role::Idle { woken: true };
        self.nr_woken += 1;
        fx.emit(now, self.worker_subject(first), What::WorkerWake { reason });
        if self.is_astray(first) {
            self.pull_back(first, fx);
        }
        fx.push(Effect::Wake(first));
        true
    }

    /// Takes a worker out of or into the count of running workers, by whether it counts now. `ran_until`: one that
    /// does not count any more ran until then.
    #[inline]
    pub(super) fn count_running(&mut self, ix: WorkerIx, was: bool, is: bool, ran_until: u64) {
        match (was, is) {
            (true, false) => {
                self.nr_running -= 1;
                self.counted.remove(ix);
                self.ran_until = self.ran_until.max(ran_until);
            }
            (false, true) => {
                self.nr_running += 1;
                self.counted.insert(ix);
            }
            _ => {}
        }
        self.max_nr_running = self.max_nr_running.max(self.nr_running);
    }

    /// Does this worker count in nr_running? Kernel: none of `WORKER_NOT_RUNNING`, and not asleep.
    pub(super) fn counts(&self, ix: WorkerIx) -> bool {
        let worker = self.worker(ix);
        self.managed
            && !ix.is_rescuer()
            && !worker.rebound
            && worker.role == Role::Working
            && worker.sleeping.is_none()
            && !worker
                .current
                .as_ref()
                .is_some_and(|current| current.cpu_intensive)
    }

    /// `stamp`, or the pool's last transition if that was later: stamps are taken before the lock is.
    pub(crate) fn not_before_last(&self, stamp: u64) -> u64 {
        stamp.max(self.last_transition)
    }

    /// Ends every transition: from `now` on the items on the worklist wait for what the pool is in now.
    pub(super) fn settle(&mut self, now: u64) {
        self.last_transition = now;
        let cause = self.cause();
        self.wait.turn(now, cause);
        self.check();
    }

    fn cause(&self) -> Cause {
        if self.nr_running > 0 {
            return Cause::Concurrency;
        }
        match self.idle.len() {
            0 if self.bh_worker_is_busy() => Cause::Bh,
            0 => Cause::NoWorker,
            _ if self.nr_woken > 0 => Cause::Runqueue,
            // It has made a worker and has not begun to work itself.
            _ if self.manager.is_some() => Cause::NoWorker,
            _ => Cause::Unknown,
        }
    }

    /// Writes what the tools see of the pool; once before the lock is dropped.
    pub(crate) fn publish(&mut self, canary: CanaryGauges) {
        let manager = self.manager.map_or(WorkerId::NONE, |ix| self.worker(ix).id);
        self.slot.update(&PoolGauges {
            nr_running: self.nr_running,
            nr_workers: self.nr_workers,
            nr_idle: self.idle.len() as u32,
            nr_pending: self.worklist.len(),
            manager,
            last_progress: self.last_progress,
            flags: self.flags(),
            max_workers: self.max_workers,
            max_nr_running: self.max_nr_running,
            cm_wakeups: self.cm_wakeups,
            canary,
        });
    }

    /// Kernel: `POOL_BH` 1, `POOL_MANAGER_ACTIVE` 2, `POOL_DISASSOCIATED` 4.
    pub(super) fn flags(&self) -> u32 {
        u32::from(self.spec.bh)
            | u32::from(self.manager.is_some()) << 1
            | u32::from(!self.managed) << 2
    }

    pub(super) fn show_state(&self, ix: WorkerIx, now: u64) {
        let worker = self.worker(ix);
        let state = match worker.role {
            Role::Idle { .. } | Role::Dying => WorkerState::Idle,
            Role::Preparing => WorkerState::Busy,
            Role::Managing => WorkerState::Managing,
            Role::Working if worker.current.is_none() => WorkerState::Busy,
            Role::Working if worker.sleeping.is_some() => WorkerState::Sleeping,
            Role::Working => WorkerState::Running,
        };
        worker.slot.state(state, now);
    }
}
