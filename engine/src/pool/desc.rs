//! What a worker says that it is at.

use super::state::{PoolState, WorkerIx};
use wq_trace::WqId;

impl<J, W> PoolState<J, W> {
    /// Describes what `me` is at, until its next execution begins. Kernel: `set_worker_desc()`.
    pub(crate) fn set_worker_desc(&mut self, me: WorkerIx, desc: &str) {
        let worker = self.worker_mut(me);
        worker.described = WqId::NONE;
        worker.slot.desc(desc);
    }
}
