//! The row of a worker, with the names of what it does.

use super::threads::Thread;
use crate::names::Names;
use crate::snapshot::{Snapshot, WorkerRow, WorkerState};

/// A worker, as tables show it.
#[derive(Clone, Debug, Default)]
pub struct Worker {
    /// The worker itself.
    pub row: WorkerRow,
    /// The number that its pool is shown by; `None` when it has none.
    pub pool: Option<u32>,
    /// The function it executes; empty when none.
    pub function: String,
    /// That item's workqueue; empty when none.
    pub workqueue: String,
    /// How long it has been in its state, in nanoseconds.
    pub for_ns: u64,
    /// How long its item has been running, in nanoseconds, where that is known.
    pub item_ns: Option<u64>,
    /// What its thread used of one CPU between the last two looks, where it was looked at.
    pub cpu_share: Option<f64>,
    /// The function of the kernel that its thread sleeps in; empty where it does not or nobody knows.
    pub asleep_in: String,
}

impl Worker {
    fn new(row: &WorkerRow, at: u64, names: &Names) -> Self {
        let executes = row.func.is_some();
        Self {
            row: row.clone(),
            pool: names.pool(row.pool),
            function: if executes {
                names.function(row.func).to_owned()
            } else {
                String::new()
            },
            workqueue: if row.wq.is_some() {
                names.workqueue(row.wq).to_owned()
            } else {
                String::new()
            },
            for_ns: at.saturating_sub(row.since),
            item_ns: (executes && row.started_at > 0).then(|| at.saturating_sub(row.started_at)),
            ..Self::default()
        }
    }

    /// Takes in what is known of its thread.
    pub(super) fn look(&mut self, thread: Option<&Thread>) {
        self.cpu_share = thread.and_then(|thread| thread.share);
        self.asleep_in = thread
            .and_then(|thread| thread.asleep_in.clone())
            .unwrap_or_default();
    }

    /// Where it stands when workers are ordered by pool and number; those without a pool come last.
    pub fn place(&self) -> i64 {
        (self.pool.map_or(1 << 32, i64::from) << 24) + i64::from(self.row.number).min((1 << 24) - 1)
    }

    /// Where its state stands when the working ones come first.
    pub fn state_rank(&self) -> i64 {
        match self.row.state {
            WorkerState::Running => 0,
            WorkerState::Sleeping => 1,
            WorkerState::Busy => 2,
            WorkerState::Managing => 3,
            WorkerState::Idle => 4,
        }
    }
}

/// The workers of a snapshot, in its order.
pub(super) fn rows(snapshot: &Snapshot, names: &Names) -> Vec<Worker> {
    let row = |row| Worker::new(row, snapshot.at, names);
    snapshot.workers.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_stand_by_pool_and_number() {
        let worker = |pool, number| Worker {
            pool,
            row: WorkerRow {
                number,
                ..WorkerRow::default()
            },
            ..Worker::default()
        };
        let places = [
            worker(Some(0), 1),
            worker(Some(2), 0),
            worker(Some(2), u32::MAX),
            worker(Some(3), 0),
            worker(Some(u32::MAX), 7),
            worker(None, 0),
        ]
        .map(|worker| worker.place());
        assert!(places.is_sorted(), "{places:?}");
    }
}
