//! What tests ask of a run besides its spans.

use crate::script::Run;
use wq_trace::{Counter, Snapshot, WaitPart};

/// A counter of a workqueue, over all its pwqs.
pub fn counted(snapshot: &Snapshot, name: &str, counter: Counter) -> u64 {
    let wq = snapshot.workqueues.iter().find(|wq| wq.name == name);
    let wq = wq.expect("the workqueue exists").id;
    let pwqs = snapshot.pwqs.iter().filter(|pwq| pwq.wq == wq);
    pwqs.map(|pwq| pwq.counters[counter as usize]).sum()
}

impl Run {
    pub fn counter(&self, wq: &str, counter: Counter) -> u64 {
        counted(&self.outcome.snapshot, wq, counter)
    }

    /// Why the items of a function waited, in milliseconds, reasons that did not occur left out.
    pub fn parts(&self, func: &str) -> Vec<(WaitPart, u64)> {
        let snapshot = &self.outcome.snapshot;
        let row = snapshot.functions.iter().find(|f| f.name == func);
        let id = row.expect("the function ran").id;
        let rows = snapshot.pwq_funcs.iter().filter(|row| row.func == id);
        let of =
            |part: WaitPart| -> u64 { rows.clone().map(|row| row.breakdown[part as usize]).sum() };
        let parts = WaitPart::ALL
            .iter()
            .map(|&part| (part, of(part) / 1_000_000));
        parts.filter(|(_, ms)| *ms > 0).collect()
    }

    /// What was reported, and when, in milliseconds.
    pub fn reports(&self) -> Vec<(u64, &str)> {
        let reports = self.outcome.reports.iter();
        reports
            .map(|(at, text)| (at / 1_000_000, text.as_str()))
            .collect()
    }
}
