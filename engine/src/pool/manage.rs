//! Workers come to be, idle and leave. Kernel: `create_worker()`, `manage_workers()`, `worker_enter_idle()`.

use super::effect::Effects;
use super::execute::Step;
use super::list::ItemIx;
use super::state::{Informant, PoolState, Role, Worker, WorkerIx};
use wq_trace::{Wake, What, WorkerId, WorkerSlot, WorkerState};

/// Pause after a worker could not be created, in nanoseconds. Kernel: `CREATE_COOLDOWN`.
const CREATE_COOLDOWN: u64 = 1_000_000_000;

impl<J, W> PoolState<J, W> {
    /// A row for a worker with this number, idle since `now`.
    pub(crate) fn worker_row(&self, ix: WorkerIx, now: u64) -> WorkerSlot {
        let name = self.spec.worker_name(ix.0);
        if self.spec.bh {
            self.segment.bh_worker(self.id(), &name, now)
        } else {
            self.segment.worker(self.id(), ix.0, &name, now)
        }
    }

    /// The number for the next worker: the lowest that is free.
    pub(crate) fn next_worker(&self) -> WorkerIx {
        let free = self.workers.iter().position(Option::is_none);
        WorkerIx(free.unwrap_or(self.workers.len()) as u32)
    }

    /// A worker exists. It goes onto the idle list without being woken, unlike in the kernel.
    pub(crate) fn created(
        &mut self,
        ix: WorkerIx,
        slot: WorkerSlot,
        now: u64,
        fx: &mut Effects<W>,
    ) {
        let index = ix.index();
        if self.workers.len() <= index {
            self.workers.resize_with(index + 1, || None);
        }
        debug_assert!(self.workers[index].is_none(), "a worker's number is free");
        self.workers[index] = Some(Worker::new(slot, Role::Idle { woken: false }, now));
        self.nr_workers += 1;
        self.max_workers = self.max_workers.max(self.nr_workers);
        self.idle.push(ix);
        self.show_state(ix, now);
        let nr_workers = self.nr_workers;
        fx.emit(
            now,
            self.worker_subject(ix),
            What::WorkerCreate { nr_workers },
        );
        self.arm_idle_timer(now, fx);
        if self.spec.bh {
            // Items wait for it already, and nobody else could take them.
            self.kick(Wake::Queue, now, fx);
        }
        self.settle(now);
    }

    /// `me` becomes the manager. Kernel: `manage_workers()`.
    pub(super) fn manage(&mut self, me: WorkerIx, now: u64, fx: &mut Effects<W>) -> Step<J> {
        self.worker_mut(me).role = Role::Managing;
        (self.manager, self.managing_since) = (Some(me), now);
        self.show_state(me, now);
        fx.emit(now, self.worker_subject(me), What::ManagerStart);
        Step::Create
    }

    /// `me` has seen to it that there is an idle worker, or that none is needed any more.
    pub(crate) fn manage_end(&mut self, me: WorkerIx, now: u64, fx: &mut Effects<W>) {
        debug_assert_eq!(self.manager, Some(me), "the manager stops managing");
        self.manager = None;
        self.mayday_due = None;
        self.worker_mut(me).role = Role::Preparing;
        self.show_state(me, now);
        fx.emit(now, self.worker_subject(me), What::ManagerEnd);
        self.settle(now);
    }

    /// The manager `me` could not create a worker: it tries again after a pause, unless none is missing any more.
    /// Rescuers are called meanwhile. Kernel: `maybe_create_worker()`.
    pub(crate) fn create_failed(&mut self, me: WorkerIx, now: u64, fx: &mut Effects<W>) -> Step<J> {
        if self.dying || !self.need_to_create_worker() {
            return self.manage_no_more(me, now, fx);
        }
        if self.mayday_due.is_none() {
            self.arm_mayday_timer(now, fx);
        }
        self.settle(now);
        Step::Cooldown(now + CREATE_COOLDOWN)
    }

    /// The manager's pause is over, or there is news.
    pub(crate) fn cooled_down(&mut self, me: WorkerIx, now: u64, fx: &mut Effects<W>) -> Step<J> {
        if self.dying || !self.need_to_create_worker() {
            return self.manage_no_more(me, now, fx);
        }
        Step::Create
    }

    fn manage_no_more(&mut self, me: WorkerIx, now: u64, fx: &mut Effects<W>) -> Step<J> {
        self.manage_end(me, now, fx);
        let step = self.next(me, now, fx);
        self.settle(now);
        step
    }

    /// The manager, if it manages. Kernel: `pool->manager`.
    pub(crate) fn manager(&self) -> Option<WorkerIx> {
        self.manager
    }

    pub(super) fn enter_idle(&mut self, me: WorkerIx, now: u64, fx: &mut Effects<W>) -> Step<J> {
        let worker = self.worker_mut(me);
        (worker.role, worker.last_active) = (Role::Idle { woken: false }, now);
        self.idle.push(me);
        self.show_state(me, now);
        let nr_idle = self.idle.len() as u32;
        fx.emit(now, self.worker_subject(me), What::WorkerIdle { nr_idle });
        self.arm_idle_timer(now, fx);
        Step::Park
    }

    pub(super) fn leave_idle(&mut self, me: WorkerIx, now: u64) {
        let place = self.idle.iter().rposition(|&ix| ix == me);
        self.idle
            .remove(place.expect("an idle worker is on the idle list"));
        if self.worker(me).role == (Role::Idle { woken: true }) {
            self.nr_woken -= 1;
        }
        self.worker_mut(me).role = Role::Preparing;
        self.show_state(me, now);
    }

    /// `me`, which is on no list, is one of the pool's workers no more. Kernel: `set_worker_dying()`.
    pub(super) fn leave(&mut self, me: WorkerIx, now: u64, fx: &mut Effects<W>) -> Step<J> {
        self.worker_mut(me).role = Role::Dying;
        self.nr_workers -= 1;
        let nr_workers = self.nr_workers;
        fx.emit(
            now,
            self.worker_subject(me),
            What::WorkerDestroy { nr_workers },
        );
        self.show_state(me, now);
        Step::Die
    }

    /// `me`, told to leave, is gone, and its number is free. At the end of the engine its row stays, idle, so that what
    /// is left of the engine tells its workers' names.
    pub(crate) fn destroyed(&mut self, me: WorkerIx, now: u64) {
        let worker = self.workers[me.index()].take();
        debug_assert!(
            worker
                .as_ref()
                .is_some_and(|worker| worker.role == Role::Dying),
            "who leaves was told to"
        );
        if let Some(worker) = worker.filter(|_| self.dying) {
            worker.slot.state(WorkerState::Idle, now);
            self.gone.push(worker.slot);
        }
        self.settle(now);
    }

    /// From now on items are refused, and workers leave instead of going idle.
    pub(crate) fn die(&mut self, now: u64) {
        self.dying = true;
        self.settle(now);
    }

    /// Every item that is queued and not running.
    pub(crate) fn queued_items(&self) -> Vec<ItemIx> {
        self.items.all().collect()
    }
}

/// Of the workers that were noticed to sleep, about so many are looked at in a round.
const NOTICED_PER_ROUND: usize = 16;

/// A worker that somebody should look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watched {
    pub(crate) ix: WorkerIx,
    pub(crate) id: WorkerId,
    pub(crate) tid: u32,
    /// Which execution it is in.
    pub(crate) started_at: u64,
    /// Whether it sleeps matters.
    pub(crate) may_sleep: bool,
    /// How much of its CPU it uses matters.
    pub(crate) may_hog: bool,
}

impl<J, W> PoolState<J, W> {
    /// The workers that run and would not be missed if they blocked, and those that were noticed to sleep, if items
    /// wait for them; those that may be hogs; and BH workers, which must not sleep. With `sleeps` false nobody is
    /// looked at for sleeping. Of those that were noticed it is a few at a time, others in each `round`: there may be a
    /// thousand, and one that runs again says so itself when its item ends.
    pub(crate) fn watched(&self, sleeps: bool, round: u64) -> Vec<Watched> {
        let sleeps = sleeps && (self.spec.bh || self.managed && !self.worklist.is_empty());
        if !sleeps && !self.need_ticking() {
            return Vec::new();
        }
        let parts = self.workers.len().div_ceil(NOTICED_PER_ROUND).max(1) as u64;
        let watched = |(index, worker): (usize, &Option<Worker<W>>)| {
            let is_due = || index as u64 % parts == round % parts;
            let ix = WorkerIx(index as u32);
            let worker = worker.as_ref()?;
            let current = worker.current.as_ref()?;
            let noticed = worker.sleeping == Some(Informant::Look) && is_due();
            let awake = self.counts(ix) || self.spec.bh && worker.sleeping.is_none();
            let may_sleep = sleeps && (noticed || awake);
            let may_hog = self.may_hog(ix);
            (may_sleep || may_hog).then_some(Watched {
                ix,
                id: worker.id,
                tid: worker.tid,
                started_at: current.started_at,
                may_sleep,
                may_hog,
            })
        };
        self.workers
            .iter()
            .enumerate()
            .filter_map(watched)
            .collect()
    }

    /// Whether a watched worker is still in the execution that was looked at.
    pub(crate) fn still(&self, watched: &Watched) -> bool {
        let worker = self
            .workers
            .get(watched.ix.index())
            .and_then(Option::as_ref);
        worker.is_some_and(|worker| {
            worker.id == watched.id
                && worker
                    .current
                    .as_ref()
                    .is_some_and(|c| c.started_at == watched.started_at)
        })
    }

    /// Whether a worker got the nice level that it asked for.
    pub(crate) fn set_nice_granted(&self, granted: bool) {
        self.slot.set_nice_granted(granted);
    }

    /// The worker's thread has started.
    pub(crate) fn set_tid(&mut self, worker: WorkerIx, tid: u32) {
        let worker = self.worker_mut(worker);
        worker.tid = tid;
        worker.slot.set_tid(tid);
    }

    /// The OS id of the worker's thread; 0 until it has started.
    pub(crate) fn tid(&self, worker: WorkerIx) -> u32 {
        self.worker(worker).tid
    }
}
