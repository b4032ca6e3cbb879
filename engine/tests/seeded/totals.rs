//! Counters, gauges and sums of the engine against a recount from the events.

use super::facts::Facts;
use super::judge::Judge;
use std::collections::{BTreeMap, HashMap};
use wq_engine::sim::Outcome;
use wq_trace::{Counter, Event, FuncId, Hold, PwqRow, Wake, Was, What, WqCounter, WqId};

/// What the events say.
#[derive(Debug, Default)]
pub struct Counts {
    of_wq: HashMap<WqId, BTreeMap<Counter, u64>>,
    armed: HashMap<WqId, u64>,
    disarmed: HashMap<WqId, u64>,
    dropped: HashMap<WqId, u64>,
    cm_wakeups: u64,
    /// Sum of the waits of what started.
    waits: HashMap<(WqId, FuncId), u64>,
    running: HashMap<WqId, u64>,
    max_running: HashMap<WqId, u64>,
    /// Executions by work id: starts and ends.
    executions: HashMap<u64, Vec<(u64, Option<u64>)>>,
}

impl Counts {
    pub fn waited(&mut self, wq: WqId, func: FuncId, wait: u64) {
        *self.waits.entry((wq, func)).or_default() += wait;
    }

    fn add(&mut self, wq: WqId, counter: Counter) {
        *self
            .of_wq
            .entry(wq)
            .or_default()
            .entry(counter)
            .or_default() += 1;
    }

    pub fn see(&mut self, event: &Event, facts: &Facts) {
        let wq = event.wq;
        let one = |map: &mut HashMap<WqId, u64>| *map.entry(wq).or_default() += 1;
        match event.what {
            What::QueueWork { .. } => self.add(wq, Counter::Queued),
            What::ActivateWork => self.add(wq, Counter::Activated),
            What::HoldWork { reason } => self.add(
                wq,
                match reason {
                    Hold::MaxActive => Counter::HeldMaxActive,
                    Hold::Node => Counter::HeldNode,
                    Hold::Ordered => Counter::HeldOrdered,
                    Hold::Plugged => Counter::HeldPlugged,
                    Hold::Frozen => Counter::HeldFrozen,
                },
            ),
            What::CancelWork { was: Was::Timer } => one(&mut self.disarmed),
            What::CancelWork { was: Was::Idle } => {}
            What::CancelWork { .. } => self.add(wq, Counter::Cancelled),
            What::DropWork { .. } => one(&mut self.dropped),
            What::TimerArm { .. } => one(&mut self.armed),
            What::Panic => self.add(wq, Counter::Panics),
            What::CpuIntensive { .. } => self.add(wq, Counter::CpuIntensive),
            What::Mayday => self.add(wq, Counter::Mayday),
            What::WorkerWake { reason } => {
                self.cm_wakeups += u64::from(matches!(reason, Wake::Sleep | Wake::Hog));
            }
            What::ExecuteStart => self.starts(event, facts),
            What::ExecuteEnd => {
                self.add(wq, Counter::Completed);
                *self.running.entry(wq).or_default() -= 1;
                let all = self.executions.entry(event.work).or_default();
                if let Some(last) = all.last_mut() {
                    last.1 = Some(event.at);
                }
            }
            _ => {}
        }
    }

    fn starts(&mut self, event: &Event, facts: &Facts) {
        self.add(event.wq, Counter::Started);
        if facts.rescuers.contains(&event.worker) {
            self.add(event.wq, Counter::Rescued);
        }
        let running = self.running.entry(event.wq).or_default();
        *running += 1;
        let most = self.max_running.entry(event.wq).or_default();
        *most = (*most).max(*running);
        let all = self.executions.entry(event.work).or_default();
        all.push((event.at, None));
    }
}

/// Counters that a recount from the events gives.
const RECOUNTED: [Counter; 13] = [
    Counter::Queued,
    Counter::Started,
    Counter::Completed,
    Counter::Activated,
    Counter::HeldMaxActive,
    Counter::HeldNode,
    Counter::HeldOrdered,
    Counter::HeldPlugged,
    Counter::HeldFrozen,
    Counter::Cancelled,
    Counter::Panics,
    Counter::CpuIntensive,
    Counter::Mayday,
];

impl Judge<'_> {
    /// The engine's totals, once everything has ended.
    pub fn totals(&mut self, outcome: &Outcome) {
        let counts = std::mem::take(&mut self.counts);
        for (id, wq) in &self.facts.wqs {
            let rows = outcome.snapshot.pwqs.iter().filter(|row| row.wq == *id);
            let rows: Vec<_> = rows.collect();
            let sum = |counter: Counter| -> u64 {
                rows.iter().map(|r| r.counters[counter as usize]).sum()
            };
            for counter in RECOUNTED {
                let told = sum(counter);
                let counted = counts.of_wq.get(id).and_then(|all| all.get(&counter));
                let counted = counted.copied().unwrap_or(0);
                let name = &wq.name;
                let text = || {
                    format!(
                        "{name}: {} is {told}, the events say {counted}",
                        counter.name()
                    )
                };
                self.faults.extend((told != counted).then(text));
            }
            // What comes to a rescuer because it executes the same item is not counted as rescued.
            let (told, of_wq) = (sum(Counter::Rescued), counts.of_wq.get(id));
            let most = of_wq.and_then(|all| all.get(&Counter::Rescued));
            let name = &wq.name;
            let text = || format!("{name}: {told} rescued, rescuers executed {most:?}");
            let too_many = told > most.copied().unwrap_or(0);
            self.faults.extend(too_many.then(text));
            self.waits(*id, &rows, &counts, outcome);
        }
        self.balance(outcome);
        self.workqueue_counters(&counts, outcome);
        self.records(&counts, outcome);
        let pwqs = outcome.snapshot.pwqs.iter();
        let told: u64 = pwqs.map(|r| r.counters[Counter::CmWakeup as usize]).sum();
        let counted = counts.cm_wakeups;
        self.hold(told == counted, || {
            format!("cm_wakeup is {told}, the events say {counted}")
        });
    }

    /// The parts of the waits add up to the waits, which are those of the events.
    fn waits(&mut self, wq: WqId, rows: &[&PwqRow], counts: &Counts, outcome: &Outcome) {
        let mut parts: HashMap<FuncId, u64> = HashMap::new();
        for row in &outcome.snapshot.pwq_funcs {
            if rows.iter().any(|pwq| pwq.id == row.pwq) {
                *parts.entry(row.func).or_default() += row.breakdown.iter().sum::<u64>();
            }
        }
        let of_wq = counts.waits.iter().filter(|((id, _), _)| *id == wq);
        let mut waits: HashMap<FuncId, u64> = of_wq.map(|((_, f), wait)| (*f, *wait)).collect();
        parts.retain(|_, sum| *sum > 0);
        waits.retain(|_, sum| *sum > 0);
        self.hold(parts == waits, || {
            format!("parts {parts:?}, waits {waits:?}")
        });
        let told: u64 = rows.iter().map(|row| row.wait.sum).sum();
        let counted: u64 = waits.values().sum();
        self.hold(told == counted, || {
            format!("waits sum to {told}, in the events to {counted}")
        });
    }

    /// At rest: queued = completed + cancelled + pending + inactive + running, and nothing is left of the last three.
    fn balance(&mut self, outcome: &Outcome) {
        let snapshot = &outcome.snapshot;
        for row in &snapshot.pwqs {
            let at = |counter: Counter| row.counters[counter as usize];
            let funcs = snapshot.pwq_funcs.iter().filter(|f| f.pwq == row.id);
            let gauges = funcs.map(|f| u64::from(f.pending + f.inactive + f.running));
            let there: u64 = gauges.sum();
            let right =
                at(Counter::Queued) == at(Counter::Completed) + at(Counter::Cancelled) + there;
            self.hold(right, || format!("queued does not add up: {row:?}"));
            let rest = row.nr_active + row.nr_inactive + row.nr_in_flight;
            self.hold(rest == 0 && there == 0, || format!("not at rest: {row:?}"));
        }
        for row in &snapshot.pools {
            self.hold(row.nr_running + row.nr_pending == 0, || {
                format!("not at rest: {row:?}")
            });
        }
    }

    fn workqueue_counters(&mut self, counts: &Counts, outcome: &Outcome) {
        for row in &outcome.snapshot.workqueues {
            let told = |counter: WqCounter| row.counters[counter as usize];
            let of = |map: &HashMap<WqId, u64>| map.get(&row.id).copied().unwrap_or(0);
            let refused = outcome
                .items
                .iter()
                .filter(|item| item.workqueue == row.name);
            let refused: u64 = refused.map(|item| item.refused).sum();
            let both = told(WqCounter::RefusedPending) + told(WqCounter::RefusedDisabled);
            let right = told(WqCounter::Armed) == of(&counts.armed)
                && told(WqCounter::Dropped) == of(&counts.dropped)
                // A flush that queues at once what is on its timer disarms it too.
                && told(WqCounter::Disarmed) >= of(&counts.disarmed)
                && both == refused;
            self.hold(right, || format!("{refused} refused, {counts:?}: {row:?}"));
        }
    }

    /// The outcome's record of each item, and of most executions at once.
    fn records(&mut self, counts: &Counts, outcome: &Outcome) {
        for (index, item) in outcome.items.iter().enumerate() {
            let seen = counts.executions.get(&(index as u64 + 1));
            let seen = seen.map_or(&[][..], Vec::as_slice);
            let told = item.executions.iter();
            let told: Vec<_> = told.map(|e| (e.started_ns, e.finished_ns)).collect();
            let all = seen.len() as u64;
            let right = told == seen && item.started == all && item.completed == all;
            self.hold(right, || format!("{item:?}, the events say {seen:?}"));
        }
        for (wq, most) in &outcome.max_running {
            let seen = counts.max_running.get(wq).copied().unwrap_or(0);
            self.hold(seen == *most, || format!("{wq:?}: {most} ran, not {seen}"));
        }
    }
}
