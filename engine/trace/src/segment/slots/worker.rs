//! A worker's slot.

use super::{Segment, Slot};
use crate::clean::clean_name;
use crate::cpus::CpuSet;
use crate::ids::{FuncId, PoolId, PwqId, WorkerId, WqId};
use crate::layout::{Kind, NAME_WORDS, Topic, slot, worker};
use crate::segment::words::pair;
use crate::snapshot::{WorkerKind, WorkerState};

/// A worker in the segment. Freed when dropped. All but [`WorkerSlot::desc`] is called under the pool's lock.
#[derive(Debug)]
pub struct WorkerSlot {
    slot: Slot,
}

impl Segment {
    /// A worker, idle since `now`. Beyond the cap it works as well, but no tool sees it.
    pub fn worker(&self, pool: PoolId, number: u32, name: &str, now: u64) -> WorkerSlot {
        self.worker_of(WorkerKind::Normal, WqId::NONE, (pool, number), name, now)
    }

    /// A workqueue's rescuer, of no pool at first: named `kworker/R-` and the workqueue's name.
    pub fn rescuer(&self, wq: WqId, name: &str, now: u64) -> WorkerSlot {
        self.worker_of(WorkerKind::Rescuer, wq, (PoolId::NONE, 0), name, now)
    }

    /// The one worker of a BH pool.
    pub fn bh_worker(&self, pool: PoolId, name: &str, now: u64) -> WorkerSlot {
        self.worker_of(WorkerKind::Bh, WqId::NONE, (pool, 0), name, now)
    }

    fn worker_of(
        &self,
        kind: WorkerKind,
        rescues: WqId,
        (pool, number): (PoolId, u32),
        name: &str,
        now: u64,
    ) -> WorkerSlot {
        let name = clean_name(name);
        let slot = Slot::new(self, Kind::Worker, None, |words| {
            words.put(worker::POOL_NUMBER, pair(pool.0, number));
            words.put_text(worker::NAME, NAME_WORDS, &name);
            words.put(worker::SINCE, now);
            words.put(worker::KIND_WQ, pair(kind as u32, rescues.0));
        });
        WorkerSlot { slot }
    }
}

impl WorkerSlot {
    /// Its identity.
    pub fn id(&self) -> WorkerId {
        WorkerId(self.slot.id())
    }

    /// It joined another pool, as a rescuer does to help it, or left it for none.
    pub fn set_pool(&self, pool: PoolId) {
        if let Some(words) = self.slot.words() {
            words.exclusively(slot::SEQ, |words| {
                let number = (words.get(worker::POOL_NUMBER) >> 32) as u32;
                words.put(worker::POOL_NUMBER, pair(pool.0, number));
            });
        }
    }

    /// The CPUs that its thread may run on now. Takes the segment's books.
    pub fn set_cpus(&self, cpus: &CpuSet) {
        self.slot
            .lists(|books, id| books.set_cpus(Topic::WorkerCpus, id, cpus));
    }

    /// Its thread has started.
    pub fn set_tid(&self, tid: u32) {
        if let Some(words) = self.slot.words() {
            words.exclusively(slot::SEQ, |words| {
                let state = words.get(worker::TID_STATE) >> 32;
                words.put(worker::TID_STATE, pair(tid, state as u32));
            });
        }
    }

    /// It does something else since `since`.
    #[inline]
    pub fn state(&self, state: WorkerState, since: u64) {
        if let Some(words) = self.slot.words() {
            words.exclusively(slot::SEQ, |words| {
                let tid = words.get(worker::TID_STATE) as u32;
                words.put(worker::TID_STATE, pair(tid, state as u32));
                words.put(worker::SINCE, since);
            });
        }
    }

    /// It executes an item from `at` on: state [`WorkerState::Running`].
    #[inline]
    pub fn execute(&self, work: u64, func: FuncId, (wq, pwq): (WqId, PwqId), at: u64) {
        if let Some(words) = self.slot.words() {
            words.exclusively(slot::SEQ, |words| {
                let tid = words.get(worker::TID_STATE) as u32;
                words.put(worker::TID_STATE, pair(tid, WorkerState::Running as u32));
                words.put(worker::SINCE, at);
                words.put(worker::WORK, work);
                words.put(worker::FUNC_WQ, pair(func.0, wq.0));
                words.put(worker::PWQ, pwq.0.into());
                words.put(worker::STARTED_AT, at);
            });
        }
    }

    /// It has executed the item: state [`WorkerState::Busy`] from `at` on.
    #[inline]
    pub fn finish(&self, at: u64) {
        if let Some(words) = self.slot.words() {
            words.exclusively(slot::SEQ, |words| {
                let tid = words.get(worker::TID_STATE) as u32;
                words.put(worker::TID_STATE, pair(tid, WorkerState::Busy as u32));
                words.put(worker::SINCE, at);
                words.put(worker::WORK, 0);
                words.put(worker::FUNC_WQ, 0);
                words.put(worker::PWQ, 0);
                words.put(worker::STARTED_AT, 0);
                words.bump(worker::EXECUTED, 1);
            });
        }
    }

    /// Its description. Only the worker's own thread calls this; no lock needed. Cheap when it is the same as before.
    pub fn desc(&self, desc: &str) {
        if let Some(words) = self.slot.words() {
            if words.is_text(worker::DESC, NAME_WORDS, desc) {
                return;
            }
            let desc = clean_name(desc);
            words.exclusively(worker::DESC_SEQ, |words| {
                words.put_text(worker::DESC, NAME_WORDS, &desc);
            });
        }
    }

    /// The worker is gone.
    pub fn free(self) {}
}
