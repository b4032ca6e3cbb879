//! The list of pools: concurrency level against workers and backlog.

use super::{Column, Key, List};
use wq_trace::model::{Model, Pool};

/// What a column of it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each has its help sentence in the table below")]
pub enum Col {
    Number,
    Kind,
    Nice,
    Level,
    Running,
    Workers,
    Idle,
    Pending,
    Held,
    Started,
    Wakeups,
    Canary,
    Decided,
    False,
    Manager,
    Progress,
    History,
}

/// The pools by number.
#[derive(Debug)]
pub struct Pools<'a> {
    /// The rows.
    pub rows: &'a [Pool],
    /// Where their history is.
    pub model: &'a Model,
}

impl<'a> Pools<'a> {
    /// All pools of `model`.
    pub fn new(model: &'a Model) -> Self {
        Self {
            rows: model.pools(),
            model,
        }
    }
}

impl List for Pools<'_> {
    type Column = Col;
    const SORT: Col = Col::Number;
    #[rustfmt::skip]
    const COLUMNS: &'static [Column<Col>] = &[
        Column::number(Col::Number, "POOL", 5, 0, "Its number: 4c+2 normal and 4c+3 highpri pool of CPU c, then the unbound ones").smallest_first(),
        Column::words(Col::Kind, "SERVES", 14, 1, "A CPU, or (unbound) whichever CPU is free"),
        Column::number(Col::Nice, "NICE", 5, 9, "Nice level of its workers; ! means that the system did not permit it").smallest_first(),
        Column::words(Col::Level, "CONCURRENCY  │BACKLOG", 22, 0, "One cell a worker (or their share): those that count as running; busy ones that do not (asleep, CPU-intensive, between items); idle ones; then the backlog, a cell each time it doubles; sorts by busy workers and backlog").largest_first(),
        Column::number(Col::Running, "RUN", 5, 2, "nr_running: workers that run a managed item and are not known to sleep"),
        Column::number(Col::Workers, "WORK", 5, 3, "Workers"),
        Column::number(Col::Idle, "IDLE", 5, 6, "Idle workers"),
        Column::number(Col::Pending, "PEND", 6, 2, "Backlog: items on the worklist that no worker has taken"),
        Column::number(Col::Held, "HELD", 6, 8, "Items for this pool on inactive lists: held back by max_active, order or freezing"),
        Column::number(Col::Started, "STARTED/s", 10, 5, "Executions begun per second, over the last round"),
        Column::number(Col::Wakeups, "WAKE/s", 7, 7, "Workers woken per second because another one blocked"),
        Column::words(Col::Canary, "CANARY", 7, 12, "Whether items wait behind a running worker now, so that the canary is armed; sorts by how often it was").largest_first(),
        Column::number(Col::Decided, "DECIDED", 8, 12, "How often the canary found the running workers blocked, and had another one woken"),
        Column::number(Col::False, "FALSE", 6, 12, "How many of those decisions were wrong: the worker had only been preempted"),
        Column::words(Col::Manager, "MANAGER", 12, 11, "The worker that creates workers at this moment"),
        Column::number(Col::Progress, "PROGRESS", 9, 4, "How long ago the pool last made progress; red while items wait and nothing moved for 10 s"),
        Column::words(Col::History, "BUSY", 7, 10, "Workers that execute something, newest on the right; sorts by executions so far").growing().largest_first(),
    ];

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn key(&self, row: usize, column: Col) -> Key<'_> {
        let pool = &self.rows[row];
        let of = |number: u32| Key::from(u64::from(number));
        match column {
            Col::Number => of(pool.row.number),
            Col::Kind => match pool.row.cpu {
                Some(cpu) => {
                    Key::Number(f64::from(cpu) + if pool.row.nice < 0 { 0.5 } else { 0.0 })
                }
                None => Key::Number(f64::from(u32::from(u16::MAX) + 1)),
            },
            Col::Nice => Key::Number(pool.row.nice.into()),
            Col::Level => (u64::from(pool.busy) + u64::from(pool.row.nr_pending)).into(),
            Col::Running => of(pool.row.nr_running),
            Col::Workers => of(pool.row.nr_workers),
            Col::Idle => of(pool.row.nr_idle),
            Col::Pending => of(pool.row.nr_pending),
            Col::Held => pool.inactive.into(),
            Col::Started => Key::Number(pool.rates.started),
            Col::Wakeups => Key::Number(pool.wakeups_per_s),
            Col::Canary => pool.row.canary.armings.into(),
            Col::Decided => pool.row.canary.decisions.into(),
            Col::False => pool.row.canary.false_decisions.into(),
            Col::Manager => of(pool.row.manager.0),
            Col::Progress => self
                .model
                .at()
                .saturating_sub(pool.row.last_progress)
                .into(),
            Col::History => pool.counters[wq_trace::Counter::Started as usize].into(),
        }
    }
}
