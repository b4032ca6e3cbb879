//! Wake affinity: a worker of a pool that is not strict may run anywhere, but starts in the pool's pod.
//! Kernel: the second half of `kick_pool()`.

use super::effect::{Effect, Effects};
use super::state::{PoolState, WorkerIx};
use crate::topology::{CpuMask, PoolAttrs};
use wq_trace::Counter;

impl<J, W> PoolState<J, W> {
    /// The pool's workers start where these attributes say; `None`: they run on the pool's CPU. For a pool without
    /// workers.
    pub(crate) fn with_attrs(mut self, attrs: Option<&PoolAttrs>) -> Self {
        let can_stray = attrs.filter(|attrs| !attrs.allowed().is_subset(attrs.pod()));
        self.home = can_stray.map(|attrs| attrs.pod().clone());
        self
    }

    /// The CPUs where workers start; `None`: they never run anywhere else. Only if there are some is
    /// [`PoolState::idles_on`] to be told where workers go idle.
    pub(crate) fn home(&self) -> Option<&CpuMask> {
        self.home.as_ref()
    }

    /// `me`, which is idle now, is on this CPU.
    pub(crate) fn idles_on(&mut self, me: WorkerIx, cpu: usize) {
        self.worker_mut(me).last_cpu = Some(cpu);
    }

    /// Has whoever woke `me` seen to it that it starts in the pod? True once for each time.
    pub(crate) fn take_pulled_back(&mut self, me: WorkerIx) -> bool {
        std::mem::take(&mut self.worker_mut(me).pulled_back)
    }

    /// `ix`, about to be woken for the first item of the worklist, is to start in the pod.
    pub(super) fn pull_back(&mut self, ix: WorkerIx, fx: &mut Effects<W>) {
        let first = self.worklist.front().expect("a kick needs an item");
        let pwq = self.items.get(first).pwq;
        self.pwq_mut(pwq).slot.add(Counter::Repatriated, 1);
        let worker = self.worker_mut(ix);
        worker.pulled_back = true;
        worker.last_cpu = None;
        fx.push(Effect::PullBack(ix));
    }
}
