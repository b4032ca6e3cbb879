//! What a lint sees: the model, and how much everything has grown in the last seconds.

use crate::ids::{FuncId, PoolId, PwqId, WqId};
use crate::model::{Model, Workqueue};
use crate::snapshot::{
    Histogram, PoolRow, PwqRow, Snapshot, WorkerRow, WorkerState, WorkqueueRow, wq_flags,
};
use crate::stats::{Breakdown, Counter, WqCounter};
use crate::value::Value;
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// How far back growth is counted, in nanoseconds; farther when nobody looked for longer.
pub(super) const WINDOW_NS: u64 = 10_000_000_000;
/// Between two points from which growth is counted, in nanoseconds.
const BETWEEN_NS: u64 = WINDOW_NS / 10;

/// What a workqueue did, or one function on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub counters: [u64; Counter::COUNT],
    pub own: [u64; WqCounter::COUNT],
    pub breakdown: Breakdown,
    pub long_waits: u64,
    /// Items that were held back: of what came on top, those that had been at its beginning.
    pub was_inactive: u64,
    pub completed: u64,
    pub cpu_ns: u64,
}

impl Default for Done {
    fn default() -> Self {
        Self {
            counters: [0; Counter::COUNT],
            own: [0; WqCounter::COUNT],
            breakdown: Breakdown::default(),
            long_waits: 0,
            was_inactive: 0,
            completed: 0,
            cpu_ns: 0,
        }
    }
}

impl Done {
    fn of(wq: &Workqueue) -> Self {
        Self {
            counters: wq.counters,
            own: wq.own,
            breakdown: wq.breakdown,
            was_inactive: wq.inactive,
            ..Self::default()
        }
    }

    pub fn counter(&self, counter: Counter) -> u64 {
        self.counters[counter as usize]
    }

    /// What came on top of `before`; what shrank is taken as unchanged.
    fn since(mut self, before: &Self) -> Self {
        take(&mut self.counters, &before.counters);
        take(&mut self.own, &before.own);
        take(&mut self.breakdown, &before.breakdown);
        self.long_waits = self.long_waits.saturating_sub(before.long_waits);
        self.was_inactive = before.was_inactive;
        self.completed = self.completed.saturating_sub(before.completed);
        self.cpu_ns = self.cpu_ns.saturating_sub(before.cpu_ns);
        self
    }
}

fn take<const N: usize>(from: &mut [u64; N], less: &[u64; N]) {
    for (from, less) in from.iter_mut().zip(less) {
        *from = from.saturating_sub(*less);
    }
}

/// How many values are at least `ns`: of a bucket only its upper end is known, so up to 1/16 less may count.
fn longer(histogram: &Histogram, ns: u64) -> u64 {
    let buckets = histogram.buckets.iter().rev();
    let long = buckets.take_while(|(upper, _)| *upper >= ns);
    long.fold(0, |sum, (_, count)| sum.saturating_add(*count))
}

/// All counters at one moment. What is not there had not done anything yet.
#[derive(Debug, Default)]
pub(super) struct Sample {
    at: u64,
    workqueues: HashMap<WqId, Done>,
    functions: HashMap<WqId, BTreeMap<FuncId, Done>>,
    lost: u64,
    events: u64,
}

impl Sample {
    /// `long_ns`: from when on a wait is long.
    pub fn of(model: &Model, snapshot: &Snapshot, long_ns: u64) -> Self {
        let used = |wq: &&Workqueue| {
            let mut counts = wq.counters.iter().chain(&wq.own);
            counts.any(|count| *count > 0)
        };
        let workqueues = model.workqueues().iter().filter(used);
        let mut sample = Self {
            at: snapshot.at,
            workqueues: workqueues.map(|wq| (wq.id, Done::of(wq))).collect(),
            functions: HashMap::new(),
            lost: model.lost_events(),
            events: model.totals().events,
        };
        let mut owners: HashMap<PwqId, WqId> = HashMap::new();
        for pwq in &snapshot.pwqs {
            owners.insert(pwq.id, pwq.wq);
            if let Some(wq) = sample.workqueues.get_mut(&pwq.wq) {
                wq.long_waits = wq.long_waits.saturating_add(longer(&pwq.wait, long_ns));
            }
        }
        for row in &snapshot.pwq_funcs {
            let Some(wq) = owners.get(&row.pwq) else {
                continue;
            };
            let of_wq = sample.functions.entry(*wq).or_default();
            let done = of_wq.entry(row.func).or_default();
            done.completed = done.completed.saturating_add(row.completed);
            done.cpu_ns = done.cpu_ns.saturating_add(row.cpu_ns);
            for (sum, part) in done.breakdown.iter_mut().zip(row.breakdown) {
                *sum = sum.saturating_add(part);
            }
        }
        sample
    }
}

/// What was seen at earlier looks.
#[derive(Debug, Default)]
pub(super) struct Memory {
    samples: VecDeque<Sample>,
}

impl Memory {
    /// From where growth is counted at this moment; `None` at the first look at an engine that has run for long.
    pub fn base(&mut self, snapshot: &Snapshot) -> Option<&Sample> {
        let started = snapshot.meta.started_at;
        if self.samples.is_empty() && snapshot.at.saturating_sub(started) <= WINDOW_NS {
            // All counters of a young engine began at 0 then.
            self.samples.push_back(Sample {
                at: started,
                ..Sample::default()
            });
        }
        let is_old = |sample: &Sample| sample.at.saturating_add(WINDOW_NS) <= snapshot.at;
        while self.samples.get(1).is_some_and(is_old) {
            self.samples.pop_front();
        }
        self.samples.front().filter(|base| base.at < snapshot.at)
    }

    /// Keeps the counters of this moment.
    pub fn keep(&mut self, now: Sample) {
        let due = |last: &Sample| now.at.saturating_sub(last.at) >= BETWEEN_NS;
        if self.samples.back().is_none_or(due) {
            self.samples.push_back(now);
        }
    }
}

/// One look.
pub(super) struct Scene<'a> {
    pub model: &'a Model,
    pub snapshot: &'a Snapshot,
    /// From where on the lint warns.
    pub threshold: u64,
    sample: &'a Sample,
    base: Option<&'a Sample>,
    rows: HashMap<WqId, &'a WorkqueueRow>,
    pools: HashMap<PoolId, &'a PoolRow>,
    pwqs: HashMap<WqId, Vec<&'a PwqRow>>,
    /// Items that wait, by workqueue and function: few lints ask.
    waiting: OnceCell<Waiting>,
}

type Waiting = HashMap<WqId, Vec<(FuncId, u64)>>;

impl<'a> Scene<'a> {
    pub fn new(
        model: &'a Model,
        snapshot: &'a Snapshot,
        sample: &'a Sample,
        base: Option<&'a Sample>,
    ) -> Self {
        let mut pwqs: HashMap<WqId, Vec<&PwqRow>> = HashMap::new();
        for pwq in &snapshot.pwqs {
            pwqs.entry(pwq.wq).or_default().push(pwq);
        }
        Self {
            model,
            snapshot,
            threshold: 0,
            sample,
            base,
            rows: snapshot.workqueues.iter().map(|wq| (wq.id, wq)).collect(),
            pools: snapshot.pools.iter().map(|pool| (pool.id, pool)).collect(),
            pwqs,
            waiting: OnceCell::new(),
        }
    }

    /// Nanoseconds on the segment's clock.
    pub fn now(&self) -> u64 {
        self.snapshot.at
    }

    /// Over how long growth is counted, in nanoseconds; 0 when nothing is known of it.
    pub fn span(&self) -> u64 {
        self.base.map_or(0, |base| self.now() - base.at)
    }

    /// So many per second over that time.
    pub fn per_second(&self, count: u64) -> f64 {
        count as f64 * 1e9 / self.span().max(1) as f64
    }

    /// Whether a count of that time reaches the threshold, which is for 10 s: where nobody looked for longer, as much of
    /// it as 10 s have on average. Once is once, however long ago.
    pub fn reaches(&self, count: u64) -> bool {
        match self.threshold {
            0 | 1 => count >= self.threshold,
            _ => self.reaches_over(count, self.span()),
        }
    }

    /// The same of what grew over so many nanoseconds.
    pub fn reaches_over(&self, count: u64, over: u64) -> bool {
        let in_window = u128::from(count) * u128::from(WINDOW_NS);
        in_window >= u128::from(self.threshold) * u128::from(over.max(WINDOW_NS))
    }

    /// What each workqueue that was ever used did in that time, in the order of their allocation.
    pub fn done(&self) -> impl Iterator<Item = (&'a Workqueue, Done)> {
        let workqueues = self.model.workqueues().iter();
        workqueues.filter_map(|wq| Some((wq, self.done_by(wq.id)?)))
    }

    /// What one of them did.
    pub fn done_by(&self, wq: WqId) -> Option<Done> {
        let nothing = Done::default();
        let before = self.base?.workqueues.get(&wq).unwrap_or(&nothing);
        Some(self.sample.workqueues.get(&wq)?.since(before))
    }

    /// What each function did on this workqueue in that time.
    pub fn functions_of(&self, wq: WqId) -> Vec<(FuncId, Done)> {
        let Some(base) = self.base else {
            return Vec::new();
        };
        let nothing = Done::default();
        let before = base.functions.get(&wq);
        let before = |func: &FuncId| before.and_then(|of| of.get(func)).unwrap_or(&nothing);
        let now = self.sample.functions.get(&wq).into_iter().flatten();
        now.map(|(func, done)| (*func, done.since(before(func))))
            .collect()
    }

    /// Events lost and events written in that time.
    pub fn events(&self) -> Option<(u64, u64)> {
        let base = self.base?;
        let lost = self.sample.lost.saturating_sub(base.lost);
        Some((lost, self.sample.events.saturating_sub(base.events)))
    }

    /// A workqueue's row in the snapshot.
    pub fn row(&self, wq: WqId) -> Option<&'a WorkqueueRow> {
        self.rows.get(&wq).copied()
    }

    pub fn pool(&self, pool: PoolId) -> Option<&'a PoolRow> {
        self.pools.get(&pool).copied()
    }

    /// The pwqs of a workqueue.
    pub fn pwqs(&self, wq: WqId) -> &[&'a PwqRow] {
        self.pwqs.get(&wq).map_or(&[], Vec::as_slice)
    }

    /// Workers that execute an item, sleeping or not.
    pub fn executing(&self) -> impl Iterator<Item = &'a WorkerRow> {
        let workers = self.snapshot.workers.iter();
        workers.filter(|w| matches!(w.state, WorkerState::Running | WorkerState::Sleeping))
    }

    /// Whether items of this workqueue count in the concurrency level of a CPU's pool: neither unbound, nor BH, nor said to
    /// be CPU intensive.
    pub fn is_managed(&self, wq: WqId) -> bool {
        const FREE: u32 = wq_flags::UNBOUND | wq_flags::BH | wq_flags::CPU_INTENSIVE;
        self.row(wq).is_some_and(|wq| wq.flags & FREE == 0)
    }

    pub fn function(&self, func: FuncId) -> &'a str {
        self.model.names().function(func)
    }

    pub fn workqueue(&self, wq: WqId) -> &'a str {
        self.model.names().workqueue(wq)
    }

    /// The functions of a workqueue that have most items waiting, most first.
    pub fn waiting(&self, wq: WqId) -> &[(FuncId, u64)] {
        let waiting = self.waiting.get_or_init(|| waiting(self.snapshot));
        waiting.get(&wq).map_or(&[], Vec::as_slice)
    }
}

fn waiting(snapshot: &Snapshot) -> Waiting {
    let owners: HashMap<PwqId, WqId> = snapshot.pwqs.iter().map(|pwq| (pwq.id, pwq.wq)).collect();
    let mut waiting: HashMap<WqId, HashMap<FuncId, u64>> = HashMap::new();
    for row in &snapshot.pwq_funcs {
        let items = u64::from(row.pending) + u64::from(row.inactive);
        if let Some(wq) = owners.get(&row.pwq).filter(|_| items > 0) {
            let of_wq = waiting.entry(*wq).or_default();
            *of_wq.entry(row.func).or_default() += items;
        }
    }
    let most_first = |of: HashMap<FuncId, u64>| {
        let mut of: Vec<_> = of.into_iter().collect();
        of.sort_unstable_by_key(|(func, items)| (std::cmp::Reverse(*items), *func));
        of
    };
    let waiting = waiting.into_iter();
    waiting.map(|(wq, of)| (wq, most_first(of))).collect()
}

/// A duration as evidence.
pub(super) fn ns(ns: u64) -> Value {
    Value::Big(ns)
}

/// The number in the middle of `sum / count`; 0 of nothing.
pub(super) fn mean(sum: u64, count: u64) -> u64 {
    sum.checked_div(count).unwrap_or(0)
}

/// `1 item`, `2 items`.
pub(super) fn many(count: u64, thing: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{s}")
}
