//! The list of workqueues: how fast each goes, what it holds, how long and why its items wait.

use super::{Column, Key, List};
use regex::Regex;
use wq_trace::Counter;
use wq_trace::model::{Model, Workqueue};

/// What a column of it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each has its help sentence in the table below")]
pub enum Col {
    Name,
    Started,
    Pending,
    Inactive,
    Running,
    WaitP50,
    WaitP99,
    Why,
    RunP50,
    RunP99,
    Limit,
    Activity,
}

/// The workqueues whose names pass the filter.
#[derive(Debug)]
pub struct Workqueues<'a> {
    /// The rows, those that executed most first: the order of rows that are otherwise equal.
    pub rows: Vec<&'a Workqueue>,
    /// Where their history is.
    pub model: &'a Model,
}

impl<'a> Workqueues<'a> {
    /// Those of `model` whose name matches `filter`, if there is one.
    pub fn new(model: &'a Model, filter: Option<&Regex>) -> Self {
        let passes = |wq: &&Workqueue| filter.is_none_or(|filter| filter.is_match(&wq.name));
        let mut rows: Vec<_> = model.workqueues().iter().filter(passes).collect();
        rows.sort_by_key(|wq| std::cmp::Reverse(wq.counter(Counter::Started)));
        Self { rows, model }
    }
}

impl List for Workqueues<'_> {
    type Column = Col;
    const SORT: Col = Col::Started;
    #[rustfmt::skip]
    const COLUMNS: &'static [Column<Col>] = &[
        Column::words(Col::Name, "WORKQUEUE", 16, 0, "Its name").growing(),
        Column::number(Col::Started, "STARTED/s", 10, 0, "Executions begun per second, over the last round"),
        Column::number(Col::Pending, "PEND", 6, 1, "Items on worklists that no worker has taken"),
        Column::number(Col::Inactive, "HELD", 6, 4, "Items on inactive lists: held back by max_active, order or freezing"),
        Column::number(Col::Running, "RUN", 5, 5, "Items executing, asleep in their function or not"),
        Column::number(Col::WaitP50, "WAIT p50", 9, 6, "Half of the items waited at most this, queue_work to execute_start, since the start"),
        Column::number(Col::WaitP99, "WAIT p99", 9, 2, "99 of 100 items waited at most this"),
        Column::words(Col::Why, "WHY IT WAITS", 27, 3, "All waiting so far: parts as a bar, the largest by name and share; sorts by the sum of the waits").largest_first(),
        Column::number(Col::RunP50, "RUN p50", 9, 7, "Half of the executions took at most this, wall time"),
        Column::number(Col::RunP99, "RUN p99", 9, 8, "99 of 100 executions took at most this"),
        Column::number(Col::Limit, "LIMIT", 6, 9, "max_active: items that may be active at once, per CPU when bound"),
        Column::words(Col::Activity, "ACTIVITY", 8, 10, "Executions begun per second, newest on the right; sorts by executions so far").growing().largest_first(),
    ];

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn key(&self, row: usize, column: Col) -> Key<'_> {
        let wq = self.rows[row];
        match column {
            Col::Name => Key::Word(&wq.name),
            Col::Started => Key::Number(wq.rates.started),
            Col::Pending => wq.pending.into(),
            Col::Inactive => wq.inactive.into(),
            Col::Running => wq.running.into(),
            Col::WaitP50 => wq.wait.p50.into(),
            Col::WaitP99 => wq.wait.p99.into(),
            Col::Why => wq.wait.sum.into(),
            Col::RunP50 => wq.run.p50.into(),
            Col::RunP99 => wq.run.p99.into(),
            Col::Limit => u64::from(wq.max_active).into(),
            Col::Activity => wq.counter(Counter::Started).into(),
        }
    }
}
