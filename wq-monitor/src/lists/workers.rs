//! The list of workers: who runs what, and since when.

use super::{Column, Key, List};
use std::collections::HashMap;
use wq_trace::model::Model;
use wq_trace::{PoolId, WorkerRow, WorkerState};

/// What a column of it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each has its help sentence in the table below")]
pub enum Col {
    Name,
    Tid,
    Pool,
    State,
    For,
    Function,
    Workqueue,
    Executed,
}

/// The workers that exist.
#[derive(Debug)]
pub struct Workers<'a> {
    /// The rows.
    pub rows: &'a [WorkerRow],
    /// Where names are, and the time.
    pub model: &'a Model,
    numbers: HashMap<PoolId, u32>,
}

impl<'a> Workers<'a> {
    /// All workers of `model`.
    pub fn new(model: &'a Model) -> Self {
        let rows = model
            .snapshot()
            .map_or(&[][..], |snapshot| &snapshot.workers);
        let numbers = model
            .pools()
            .iter()
            .map(|pool| (pool.row.id, pool.row.number))
            .collect();
        Self {
            rows,
            model,
            numbers,
        }
    }

    /// The number shown for a worker's pool.
    pub fn pool_number(&self, worker: &WorkerRow) -> Option<u32> {
        self.numbers.get(&worker.pool).copied()
    }

    /// Nanoseconds that a worker has been at it.
    pub fn since(&self, worker: &WorkerRow) -> u64 {
        self.model.at().saturating_sub(worker.since)
    }
}

impl List for Workers<'_> {
    type Column = Col;
    const SORT: Col = Col::Name;
    #[rustfmt::skip]
    const COLUMNS: &'static [Column<Col>] = &[
        Column::words(Col::Name, "WORKER", 27, 0, "Its kworker name: CPU or u-pool, number, H for highpri; +workqueue while it executes, -workqueue of its last item; sorts by pool and number").growing(),
        Column::number(Col::Tid, "TID", 8, 6, "OS thread id"),
        Column::number(Col::Pool, "POOL", 5, 5, "Number of its pool").smallest_first(),
        Column::words(Col::State, "STATE", 9, 0, "running, sleeping (noticed to block inside its item), busy (between items), managing (creates workers), idle; sorts the working ones first"),
        Column::number(Col::For, "FOR", 9, 1, "How long it has been in that state"),
        Column::words(Col::Function, "FUNCTION", 16, 2, "The function it executes").growing(),
        Column::words(Col::Workqueue, "WORKQUEUE", 12, 4, "That item's workqueue").growing(),
        Column::number(Col::Executed, "EXECUTED", 9, 3, "Items it has executed"),
    ];

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn key(&self, row: usize, column: Col) -> Key<'_> {
        let worker = &self.rows[row];
        let names = self.model.names();
        match column {
            Col::Name => {
                let pool = self.pool_number(worker).map_or(f64::MAX, f64::from);
                // Worker numbers stay below the segment's cap of 8192 workers.
                Key::Number(pool * 65_536.0 + f64::from(worker.number))
            }
            Col::Tid => u64::from(worker.tid).into(),
            Col::Pool => Key::Number(self.pool_number(worker).map_or(f64::MAX, f64::from)),
            Col::State => Key::Number(match worker.state {
                WorkerState::Running => 0.0,
                WorkerState::Sleeping => 1.0,
                WorkerState::Busy => 2.0,
                WorkerState::Managing => 3.0,
                WorkerState::Idle => 4.0,
            }),
            Col::For => self.since(worker).into(),
            Col::Function if worker.func.is_some() => Key::Word(names.function(worker.func)),
            Col::Workqueue if worker.wq.is_some() => Key::Word(names.workqueue(worker.wq)),
            Col::Function | Col::Workqueue => Key::Word("~"),
            Col::Executed => worker.executed.into(),
        }
    }
}
