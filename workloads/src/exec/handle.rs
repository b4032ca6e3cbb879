//! A work item on threads, of the kind that its script needs.

use super::shared::lock;
use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;
use wq_engine::sim::{ProducerAction, Program, Step};
use wq_engine::{DelayedWork, RcuWork, Workqueue};

/// The engine's item.
pub(super) enum Handle {
    /// An item that can be delayed; a delay of zero is none. With how often it was disabled and not enabled again.
    Delayed(DelayedWork, Mutex<u64>),
    /// One that waits for readers whenever it is queued. The checker keeps other steps away from it.
    Rcu(RcuWork),
}

/// The works whose items steps queue with `queue_rcu`.
pub(super) fn waiting_for_readers(program: &Program) -> HashSet<usize> {
    let bodies = program.works.iter().map(|work| work.body.as_slice());
    let calls = program
        .producers
        .iter()
        .map(|producer| match &producer.action {
            ProducerAction::Steps(steps) => steps.as_slice(),
            ProducerAction::Works(_) => &[],
        });
    let steps = bodies.chain(calls).flatten();
    let queued = steps.filter_map(|step| match step {
        Step::QueueRcu(item) => Some(item.work),
        _ => None,
    });
    queued.collect()
}

impl Handle {
    /// An item that is shown as `name`; its executions call `func`.
    pub(super) fn named(
        name: &str,
        waits_for_readers: bool,
        func: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        if waits_for_readers {
            Self::Rcu(RcuWork::named(name, move |_| func()))
        } else {
            let delayed = DelayedWork::named(name, move |_| func());
            Self::Delayed(delayed, Mutex::default())
        }
    }

    /// Queues it after `delay`, or when the readers have left. `cpu` is an OS CPU number. Returns false if it was
    /// refused.
    pub(super) fn queue(&self, wq: &Workqueue, cpu: Option<usize>, delay: Duration) -> bool {
        match (self, cpu) {
            (Self::Rcu(rcu), _) => wq.queue_rcu_work(rcu),
            (Self::Delayed(delayed, _), Some(cpu)) => wq.queue_delayed_work_on(cpu, delayed, delay),
            (Self::Delayed(delayed, _), None) => wq.queue_delayed_work(delayed, delay),
        }
    }

    /// Moves its timer. Returns false if it was refused.
    pub(super) fn modify(&self, wq: &Workqueue, delay: Duration) -> bool {
        let Self::Delayed(delayed, depth) = self else {
            return false;
        };
        // What the call returns does not tell whether it was refused: the depth does, which stays as it is meanwhile.
        let depth = lock(depth);
        wq.mod_delayed_work(delayed, delay) || *depth == 0
    }

    pub(super) fn disable(&self) {
        if let Self::Delayed(delayed, depth) = self {
            *lock(depth) += 1;
            delayed.disable();
        }
    }

    pub(super) fn enable(&self) {
        if let Self::Delayed(delayed, depth) = self {
            let mut depth = lock(depth);
            *depth = depth.saturating_sub(1);
            delayed.enable();
        }
    }

    /// Takes it back; waits for a running execution if `sync`.
    pub(super) fn cancel(&self, sync: bool) {
        match self {
            Self::Delayed(delayed, _) if sync => delayed.cancel_sync(),
            Self::Delayed(delayed, _) => delayed.cancel(),
            Self::Rcu(_) => false,
        };
    }

    pub(super) fn flush(&self) {
        match self {
            Self::Delayed(delayed, _) => delayed.flush(),
            Self::Rcu(rcu) => rcu.flush(),
        };
    }

    pub(super) fn pending(&self) -> bool {
        match self {
            Self::Delayed(delayed, _) => delayed.pending(),
            Self::Rcu(rcu) => rcu.pending(),
        }
    }

    /// Queued, on a timer or waiting for readers, and not executing.
    pub(super) fn only_waits(&self) -> bool {
        let busy = match self {
            Self::Delayed(delayed, _) => delayed.busy(),
            Self::Rcu(rcu) => rcu.busy(),
        };
        busy == 1
    }

    pub(super) fn is_idle(&self) -> bool {
        match self {
            Self::Delayed(delayed, _) => delayed.busy() == 0,
            Self::Rcu(rcu) => rcu.busy() == 0,
        }
    }
}
