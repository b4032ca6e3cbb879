//! What a replay came to: the report's data, and its JSON with the keys that scripts rely on.

mod text;

pub(crate) use text::Table;
pub use text::text;

use crate::expect::{Outcome, Subject};
use serde::Serialize;
use serde::ser::Serializer;
use wq_trace::WaitPart;

/// Executions kept of one item; later ones are only counted.
pub const KEPT_EXECUTIONS: usize = 10_000;

/// Where the script ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// On threads.
    Run,
    /// In the simulator.
    Simulate,
}

/// The whole report. Times count from the script's start, in nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The script's name.
    pub script: String,
    /// Where it ran.
    pub mode: Mode,
    /// How blocking was noticed.
    pub sensing: String,
    /// CPUs used.
    pub cpus: usize,
    /// From the script's start to its end.
    pub duration_ns: u64,
    /// Events lost to full rings.
    pub lost_events: u64,
    /// Every workqueue that was used.
    pub workqueues: Vec<WorkqueueReport>,
    /// Every item.
    pub works: Vec<ItemReport>,
    /// Every pool that did something.
    pub pools: Vec<PoolReport>,
    /// The script's expectations.
    pub expectations: Vec<Outcome>,
    /// What the engine's watcher warned of, if the script expects something of it.
    #[serde(skip)]
    pub warnings: Vec<WarningSeen>,
    /// It was ended before its end: what is here is partial.
    #[serde(skip)]
    pub interrupted: bool,
    /// Threads of a simulation wait for ever: which, in a sentence.
    #[serde(skip)]
    pub stuck: Option<String>,
}

/// A warning that was given while the script ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WarningSeen {
    /// Name of the lint.
    pub lint: &'static str,
    /// What it said last.
    pub sentence: String,
    /// The works that it is about or concerns, ...
    pub works: Vec<String>,
    /// ... the workqueues, ...
    pub workqueues: Vec<String>,
    /// ... and the pools, by their ids.
    pub pools: Vec<u32>,
}

impl WarningSeen {
    /// Whether it is about this, or concerns it.
    pub fn concerns(&self, subject: &Subject) -> bool {
        match subject {
            // Instances share their work's function.
            Subject::Work(name) => {
                let work = name.split_once('#').map_or(name.as_str(), |(work, _)| work);
                self.works.iter().any(|it| it == work)
            }
            Subject::Workqueue(name) => self.workqueues.contains(name),
            Subject::Pool(id) => self.pools.contains(id),
        }
    }
}

/// One workqueue.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct WorkqueueReport {
    /// Its name.
    pub name: String,
    /// Items queued.
    pub queued: u64,
    /// Executions begun.
    pub started: u64,
    /// Items completed.
    pub completed: u64,
    /// Items taken off by a cancel.
    pub cancelled: u64,
    /// Queueings refused: pending.
    pub refused: u64,
    /// Items on worklists at the end.
    #[serde(skip)]
    pub pending: u64,
    /// Items held on inactive lists at the end.
    #[serde(skip)]
    pub inactive: u64,
    /// Most executions at one time.
    pub max_running: u64,
    /// Waits, from queueing to the start.
    pub wait_ns: Quantiles,
    /// Execution times.
    pub run_ns: Quantiles,
    /// What the waits were spent on; sums to `wait_ns.sum`.
    pub breakdown_ns: Breakdown,
}

/// Percentiles, maximum and sum, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    /// Median.
    pub p50: u64,
    /// 90th percentile.
    pub p90: u64,
    /// 99th percentile.
    pub p99: u64,
    /// Largest.
    pub max: u64,
    /// All together.
    pub sum: u64,
}

impl Quantiles {
    /// Of these values, exactly (nearest rank); it sorts them. No values: zeros.
    pub fn of(values: &mut [u64]) -> Self {
        values.sort_unstable();
        let Some(&max) = values.last() else {
            return Self::default();
        };
        let rank = |percent: usize| {
            let above = (values.len() * percent).div_ceil(100);
            values[above.max(1) - 1]
        };
        Self {
            p50: rank(50),
            p90: rank(90),
            p99: rank(99),
            max,
            sum: values.iter().fold(0, |sum, v| sum.saturating_add(*v)),
        }
    }
}

/// What waits were spent on: nanoseconds of each [`WaitPart`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breakdown(pub wq_trace::Breakdown);

impl Breakdown {
    /// Every part with its nanoseconds.
    pub fn parts(&self) -> impl Iterator<Item = (WaitPart, u64)> + '_ {
        WaitPart::ALL.iter().copied().zip(self.0)
    }

    /// All parts together, in nanoseconds: the wait.
    pub fn sum(&self) -> u64 {
        wq_trace::model::sum(&self.0)
    }
}

impl Serialize for Breakdown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.parts().map(|(part, nanos)| (part.name(), nanos)))
    }
}

/// One item (`w0`, or `w0#3` of several instances).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ItemReport {
    /// Its name.
    pub name: String,
    /// The workqueue that it is queued on.
    pub workqueue: String,
    /// The first [`KEPT_EXECUTIONS`] executions that ended.
    pub executions: Vec<Execution>,
    /// All of them, counted.
    #[serde(skip)]
    pub totals: ItemTotals,
}

/// What an item did altogether.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemTotals {
    /// Queueings that were refused: pending.
    pub refused: u64,
    /// Executions begun.
    pub started: u64,
    /// Executions ended.
    pub completed: u64,
    /// End of the last execution.
    pub last_finished_ns: Option<u64>,
}

/// One execution of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Execution {
    /// When it was queued.
    pub queued_ns: u64,
    /// When it began.
    pub started_ns: u64,
    /// When it ended (execute_end).
    pub finished_ns: u64,
    /// The worker that ran it.
    pub worker: String,
}

impl Execution {
    /// From queueing to the start.
    pub fn wait_ns(&self) -> u64 {
        self.started_ns.saturating_sub(self.queued_ns)
    }

    /// From the start to the end.
    pub fn run_ns(&self) -> u64 {
        self.finished_ns.saturating_sub(self.started_ns)
    }
}

impl ItemReport {
    /// The name of its work, which its instances share: `w0` of `w0#3`.
    pub fn work(&self) -> &str {
        self.name
            .split_once('#')
            .map_or(&self.name, |(work, _)| work)
    }

    /// Notes one execution that ended: counted always, kept while there is room.
    pub fn add(&mut self, execution: Execution) {
        self.totals.completed += 1;
        self.totals.last_finished_ns = self
            .totals
            .last_finished_ns
            .max(Some(execution.finished_ns));
        if self.executions.len() < KEPT_EXECUTIONS {
            self.executions.push(execution);
        }
    }
}

/// One worker pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PoolReport {
    /// Its id.
    pub id: u32,
    /// Its CPU; -1: unbound.
    pub cpu: i32,
    /// Most workers at one time.
    pub max_workers: u64,
    /// Highest concurrency level.
    pub max_nr_running: u64,
    /// Workers woken because another one blocked.
    pub cm_wakeups: u64,
}

impl Report {
    /// Whether every expectation came out.
    pub fn ok(&self) -> bool {
        self.expectations.iter().all(|e| e.ok)
    }

    /// The report as JSON, one object with a newline at its end.
    ///
    /// # Errors
    /// Never for a report that was built; serde's signature asks for it.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
}

#[cfg(test)]
pub(crate) mod tests;
