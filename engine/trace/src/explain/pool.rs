//! A pool as its events tell it: who works, who is idle, who was woken; or that this is not known.

use super::clock::Clock;
use crate::event::{Event, What};
use crate::ids::WorkerId;
use crate::snapshot::{PoolRow, pool_flags};
use crate::stats::WaitPart;
use std::collections::HashMap;

/// How a pool's workers are managed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One running worker is enough.
    Managed,
    /// Every item gets a worker.
    Unmanaged,
    /// One worker for all.
    Bh,
}

impl Kind {
    pub(super) fn of(row: &PoolRow) -> Self {
        if row.is_bh() {
            Self::Bh
        } else if row.cpu.is_some() && row.flags & pool_flags::DISASSOCIATED == 0 {
            Self::Managed
        } else {
            Self::Unmanaged
        }
    }
}

/// Wake-ups that have to agree with what was counted after one did not.
const DOUBT: u32 = 16;

/// What a worker does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Role {
    Idle {
        woken: bool,
    },
    #[default]
    Preparing,
    Working,
}

#[derive(Clone, Copy, Debug, Default)]
struct Worker {
    role: Role,
    sleeping: bool,
    /// It executes an item that does not count.
    intensive: bool,
    rescuer: bool,
    /// The item whose function has returned, until the worker does something else.
    returned: u64,
}

impl Worker {
    fn counts(&self) -> bool {
        self.role == Role::Working && !self.sleeping && !self.intensive && !self.rescuer
    }
}

/// A pool. Numbers are `None` while they are not known.
#[derive(Debug)]
pub(super) struct Pool {
    kind: Option<Kind>,
    pub(super) clock: Clock,
    workers: HashMap<WorkerId, Worker>,
    nr_running: Option<u32>,
    /// The events have contradicted what was counted (perhaps its CPU has left, and nothing is managed any more): so
    /// many wake-ups have to agree with it before it is believed again.
    doubt: u32,
    nr_idle: Option<u32>,
    nr_woken: u32,
    manager: WorkerId,
    /// Items on the worklist that were seen to come.
    seen_pending: u32,
    /// Whether those are all.
    pending_known: bool,
}

impl Pool {
    /// `complete`: nothing of it can have happened before.
    pub(super) fn new(now: u64, complete: bool) -> Self {
        let known = complete.then_some(0);
        Self {
            kind: None,
            clock: Clock::new(now, WaitPart::Unknown),
            workers: HashMap::new(),
            nr_running: known,
            doubt: 0,
            nr_idle: known,
            nr_woken: 0,
            manager: WorkerId::NONE,
            seen_pending: 0,
            pending_known: complete,
        }
    }

    pub(super) fn set_kind(&mut self, kind: Kind) {
        if self.kind != Some(kind) {
            (self.kind, self.doubt) = (Some(kind), 0);
        }
    }

    /// nr_running, where it is known and means something.
    pub(super) fn nr_running(&self) -> Option<u32> {
        let believed = self.kind == Some(Kind::Managed) && self.doubt == 0;
        self.nr_running.filter(|_| believed)
    }

    /// Items on the worklist, where that is known.
    pub(super) fn pending(&self) -> Option<u32> {
        self.pending_known.then_some(self.seen_pending)
    }

    pub(super) fn is_rescuer(&self, worker: WorkerId) -> bool {
        self.workers.get(&worker).is_some_and(|w| w.rescuer)
    }

    pub(super) fn item_came(&mut self) {
        self.seen_pending = self.seen_pending.saturating_add(1);
    }

    /// An item that was seen to come has left. The worklist is a queue: once one that was seen to come was `taken` from
    /// its head, those that nobody saw come are gone.
    pub(super) fn item_left(&mut self, taken: bool) {
        self.seen_pending = self.seen_pending.saturating_sub(1);
        self.pending_known |= taken;
    }

    /// An item that nobody saw come was taken.
    pub(super) fn stranger_left(&mut self) {
        self.pending_known = false;
    }

    /// Takes in what `event` says of its worker. Returns the item whose execution by that worker is over now.
    pub(super) fn apply(&mut self, event: &Event, intensive: bool) -> Option<u64> {
        let id = event.worker;
        match event.what {
            What::WorkerCreate { .. } => {
                self.nr_idle = self.nr_idle.map(|n| n + 1);
                let role = Role::Idle { woken: false };
                self.workers.insert(
                    id,
                    Worker {
                        role,
                        ..Worker::default()
                    },
                );
                None
            }
            What::WorkerWake { .. } => {
                self.wake(id);
                None
            }
            What::ExecuteStart => {
                let over = self.moves(id, Role::Working);
                let worker = self.workers.entry(id).or_default();
                (worker.sleeping, worker.intensive) = (false, intensive);
                self.recount(id, !intensive);
                over
            }
            What::ExecuteEnd => {
                self.workers.entry(id).or_default().returned = event.work;
                None
            }
            What::WorkerSleep { nr_running } | What::WorkerResume { nr_running } => {
                let worker = self.workers.entry(id).or_default();
                worker.role = Role::Working;
                worker.sleeping = matches!(event.what, What::WorkerSleep { .. });
                (self.nr_running, self.doubt) = (Some(nr_running), 0);
                None
            }
            What::CpuIntensive { .. } => {
                let counted = self.workers.get(&id).map(Worker::counts);
                let worker = self.workers.entry(id).or_default();
                (worker.role, worker.intensive) = (Role::Working, true);
                self.uncount(counted);
                None
            }
            What::WorkerIdle { nr_idle } => {
                let over = self.moves(id, Role::Idle { woken: false });
                self.nr_idle = Some(nr_idle);
                over
            }
            What::ManagerStart => {
                let over = self.moves(id, Role::Preparing);
                self.manager = id;
                over
            }
            What::ManagerEnd => {
                self.manager = WorkerId::NONE;
                None
            }
            What::WorkerDestroy { .. } => {
                let over = self.moves(id, Role::Preparing);
                self.workers.remove(&id);
                over
            }
            What::Rescue => {
                let rescuer = Worker {
                    role: Role::Working,
                    rescuer: true,
                    ..Worker::default()
                };
                self.workers.insert(id, rescuer);
                None
            }
            _ => None,
        }
    }

    /// Where an item of the worklist waits from now on.
    pub(super) fn part(&self) -> WaitPart {
        let (Some(kind), Some(nr_idle)) = (self.kind, self.nr_idle) else {
            return match self.nr_running() {
                Some(1..) => WaitPart::Concurrency,
                _ => WaitPart::Unknown,
            };
        };
        match kind {
            Kind::Managed if self.nr_running().is_none() => WaitPart::Unknown,
            Kind::Managed if self.nr_running != Some(0) => WaitPart::Concurrency,
            _ if nr_idle > 0 && self.nr_woken > 0 => WaitPart::Runqueue,
            _ if nr_idle > 0 && self.manager.is_some() => WaitPart::NoWorker,
            _ if nr_idle > 0 => WaitPart::Unknown,
            Kind::Bh if self.workers.values().any(|w| w.role == Role::Working) => WaitPart::Bh,
            _ => WaitPart::NoWorker,
        }
    }

    /// Only idle workers are woken; of a managed pool, only while none runs.
    fn wake(&mut self, id: WorkerId) {
        self.doubt = match self.nr_running {
            Some(1..) if self.kind == Some(Kind::Managed) => DOUBT,
            _ => self.doubt.saturating_sub(1),
        };
        self.nr_running = Some(0);
        let worker = self.workers.entry(id).or_default();
        if worker.role != (Role::Idle { woken: true }) {
            worker.role = Role::Idle { woken: true };
            self.nr_woken += 1;
        }
    }

    /// A worker leaves what it did, and does `role`.
    fn moves(&mut self, id: WorkerId, role: Role) -> Option<u64> {
        let Some(&before) = self.workers.get(&id) else {
            // Was it idle? Did it count? Nobody knows.
            (self.nr_idle, self.nr_running) = (None, None);
            self.workers.insert(
                id,
                Worker {
                    role,
                    ..Worker::default()
                },
            );
            return None;
        };
        if let Role::Idle { woken } = before.role {
            self.nr_idle = self.nr_idle.and_then(|n| n.checked_sub(1));
            self.nr_woken -= u32::from(woken);
        }
        let worker = Worker {
            role,
            sleeping: false,
            intensive: false,
            returned: 0,
            ..before
        };
        self.workers.insert(id, worker);
        match (before.counts(), worker.counts()) {
            (true, false) => self.uncount(Some(true)),
            (false, true) => self.nr_running = self.nr_running.map(|n| n.saturating_add(1)),
            _ => {}
        }
        (before.returned != 0).then_some(before.returned)
    }

    /// After [`Self::moves`] made it count: whether what it executes does.
    fn recount(&mut self, id: WorkerId, counts: bool) {
        let rescuer = self.is_rescuer(id);
        if !counts && !rescuer {
            self.uncount(Some(true));
        }
    }

    /// One that counted, or of which that is not known, does not any more.
    fn uncount(&mut self, counted: Option<bool>) {
        self.nr_running = match counted {
            Some(true) => self.nr_running.and_then(|n| n.checked_sub(1)),
            Some(false) => self.nr_running,
            None => None,
        };
    }
}
