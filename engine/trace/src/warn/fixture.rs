//! A bench for lints: an engine at rest, to which a test does something between two looks.

use super::{Settings, Warning, Warnings};
use crate::event::{Event, REQ_CPU_LOCAL, What};
use crate::fixture;
use crate::ids::{FuncId, PoolId, PwqId, WorkerId, WqId};
use crate::model::{Limits, Model};
use crate::snapshot::{Snapshot, WorkerRow, WorkerState};
use crate::stats::{Counter, WaitPart};

/// A second in nanoseconds.
pub const S: u64 = 1_000_000_000;
/// A millisecond in nanoseconds.
pub const MS: u64 = 1_000_000;

/// The workqueues of [`fixture::snapshot`]: `mixed` (1) per CPU, `journal` (2) ordered with a rescuer; the functions
/// `flush_cache` (2) and `write_back` (3); the pools 1 and 2 of CPUs 0 and 1, and 3, which is unbound.
pub struct Bench {
    pub snapshot: Snapshot,
    pub model: Model,
    pub warnings: Warnings,
}

impl Bench {
    pub fn new() -> Self {
        Self::of(at_rest(), Settings::default())
    }

    /// Nobody has looked at it for long, and then something happened.
    pub fn old() -> Self {
        let mut snapshot = at_rest();
        snapshot.at += 3_600 * S;
        snapshot.pwqs[0].counters[Counter::Panics as usize] = 5;
        Self::of(snapshot, Settings::default())
    }

    pub fn with(setting: &str) -> Self {
        let mut settings = Settings::default();
        settings.set(setting).expect("a setting");
        Self::of(at_rest(), settings)
    }

    fn of(snapshot: Snapshot, settings: Settings) -> Self {
        let mut bench = Self {
            snapshot,
            model: Model::new(Limits::default()),
            warnings: Warnings::new(settings),
        };
        bench.look(0);
        bench
    }

    /// So much later somebody looks.
    pub fn look(&mut self, ns: u64) {
        self.snapshot.at += ns;
        self.model.apply_snapshot(&self.snapshot);
        self.warnings.look(&self.model);
    }

    /// Looks four times a second for so long, each time after `change`.
    pub fn looks(&mut self, ns: u64, mut change: impl FnMut(&mut Self)) {
        for _ in 0..ns / (250 * MS) {
            change(self);
            self.look(250 * MS);
        }
    }

    /// A counter of `mixed` grows.
    pub fn count(&mut self, counter: Counter, by: u64) {
        self.snapshot.pwqs[0].counters[counter as usize] += by;
    }

    /// Items of `flush_cache` on `mixed` started after so long a wait each, for that reason.
    pub fn waited(&mut self, items: u64, ns: u64, part: WaitPart) {
        self.count(Counter::Started, items);
        let row = &mut self.snapshot.pwq_funcs[0];
        row.started += items;
        row.breakdown[part as usize] += items * ns;
        let wait = &mut self.snapshot.pwqs[0].wait;
        wait.sum += items * ns;
        wait.max = wait.max.max(ns);
        match wait.buckets.iter_mut().find(|(upper, _)| *upper == ns) {
            Some((_, count)) => *count += items,
            None => wait.buckets.push((ns, items)),
        }
        wait.buckets.sort_unstable();
    }

    /// A worker of pool `pool` executes `write_back` of workqueue `wq` since now.
    pub fn worker(&mut self, pool: u32, wq: u32, state: WorkerState) -> &mut WorkerRow {
        let id = self.snapshot.workers.len() as u32 + 1;
        self.snapshot.workers.push(WorkerRow {
            id: WorkerId(id),
            pool: PoolId(pool),
            name: format!("kworker/0:{id}"),
            tid: 5_000 + id,
            state,
            since: self.snapshot.at,
            started_at: self.snapshot.at,
            work: u64::from(id),
            func: FuncId(3),
            wq: WqId(wq),
            ..WorkerRow::default()
        });
        self.snapshot.workers.last_mut().expect("it is there")
    }

    /// `write_back` or thread 7 queues `write_back` on `mixed` so often.
    pub fn queued(&mut self, by: Option<FuncId>, items: u64) {
        self.queued_on(WqId(1), by, items);
    }

    /// The same on that workqueue.
    pub fn queued_on(&mut self, wq: WqId, by: Option<FuncId>, items: u64) {
        for n in 0..items {
            self.model.apply_event(&Event {
                at: self.snapshot.at + n,
                tid: 7,
                func: FuncId(3),
                wq,
                from: by.unwrap_or(FuncId::NONE),
                ..fixture::event(What::QueueWork {
                    req_cpu: REQ_CPU_LOCAL,
                    cpu: 0,
                })
            });
        }
    }

    pub fn fired(&self) -> Vec<&'static str> {
        self.warnings.fired().iter().map(|w| w.lint).collect()
    }

    pub fn active(&self) -> Vec<&'static str> {
        self.warnings.active().iter().map(|w| w.lint).collect()
    }

    /// The only warning there is, of that lint.
    #[track_caller]
    pub fn only(&self, lint: &str) -> &Warning {
        assert_eq!(self.fired(), [lint]);
        &self.warnings.fired()[0]
    }
}

/// A young engine in which nothing runs or waits.
fn at_rest() -> Snapshot {
    let mut snapshot = fixture::snapshot();
    snapshot.at = snapshot.meta.started_at + S;
    for wq in &mut snapshot.workqueues {
        wq.counters = Default::default();
        wq.effective_max_active = wq.max_active;
    }
    for pool in &mut snapshot.pools {
        (pool.nr_running, pool.nr_pending, pool.nr_idle) = (0, 0, pool.nr_workers);
    }
    for pwq in &mut snapshot.pwqs {
        (pwq.nr_active, pwq.nr_inactive, pwq.nr_in_flight) = (0, 0, 0);
        pwq.counters = [0; Counter::COUNT];
        pwq.wait = Default::default();
        pwq.run = Default::default();
    }
    for row in &mut snapshot.pwq_funcs {
        *row = crate::snapshot::PwqFuncRow {
            pwq: PwqId(row.pwq.0),
            func: row.func,
            ..Default::default()
        };
    }
    snapshot.workers.clear();
    snapshot
}
