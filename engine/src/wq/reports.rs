//! What an engine says about work functions that misbehave, and how often. Kernel: `wq_cpu_intensive_report()`.

use crate::pool::Report;
use std::collections::{HashMap, HashSet};
use wq_trace::{FuncId, WqId};

/// Functions whose hogging is counted; later ones are not reported. Kernel: `WCI_MAX_ENTS`.
const MAX_FUNCS: usize = 128;

/// The names behind the ids.
pub(crate) trait Names {
    /// A work function's.
    fn function(&self, func: FuncId) -> String;
    /// A workqueue's.
    fn workqueue(&self, wq: WqId) -> String;
}

/// Something that is to be said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    report: Report,
    times: u64,
    thresh_us: u64,
}

impl Said {
    /// In words.
    pub(crate) fn text(&self, names: &impl Names) -> String {
        let Self {
            times, thresh_us, ..
        } = self;
        match self.report {
            Report::Hog(func) => format!(
                "workqueue: {} hogged CPU for >{thresh_us}us {times} times, consider switching to WQ_UNBOUND",
                names.function(func)
            ),
            Report::BhSlept(func, wq) => format!(
                "workqueue: {} slept on BH workqueue {}, whose items must not sleep: everything behind it waits",
                names.function(func),
                names.workqueue(wq)
            ),
        }
    }
}

/// What was reported so far.
#[derive(Debug)]
pub(crate) struct Reports {
    /// I: nanoseconds.
    hog_thresh: u64,
    /// I: see [`is_worth_saying`].
    warn_at: u64,
    hogs: HashMap<FuncId, u64>,
    slept: HashSet<FuncId>,
}

impl Reports {
    /// `hog_thresh` as in the pools, in nanoseconds; `warn_at`: how often a function must have hogged its CPU before
    /// that is said the first time, 0: never.
    pub(crate) fn new(hog_thresh: u64, warn_at: u64) -> Self {
        Self {
            hog_thresh,
            warn_at,
            hogs: HashMap::new(),
            slept: HashSet::new(),
        }
    }

    /// Counts the report. Returns what is to be said, if anything.
    pub(crate) fn count(&mut self, report: Report) -> Option<Said> {
        let times = match report {
            Report::Hog(func) => self
                .count_hog(func)
                .filter(|&count| is_worth_saying(count, self.warn_at))?,
            Report::BhSlept(func, _) => self.slept.insert(func).then_some(1)?,
        };
        let thresh_us = self.hog_thresh / 1000;
        Some(Said {
            report,
            times,
            thresh_us,
        })
    }

    fn count_hog(&mut self, func: FuncId) -> Option<u64> {
        if self.hogs.len() >= MAX_FUNCS && !self.hogs.contains_key(&func) {
            return None;
        }
        let count = self.hogs.entry(func).or_default();
        *count += 1;
        Some(*count)
    }
}

/// Said at `warn_at` times and then ever more rarely: 4, 5, 7, 11, 19, 35, ...
fn is_worth_saying(count: u64, warn_at: u64) -> bool {
    warn_at > 0 && count >= warn_at && (count + 1 - warn_at).is_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Numbers;

    impl Names for Numbers {
        fn function(&self, func: FuncId) -> String {
            format!("f{}", func.0)
        }

        fn workqueue(&self, wq: WqId) -> String {
            format!("q{}", wq.0)
        }
    }

    fn said(reports: &mut Reports, func: u32, times: u64) -> Vec<u64> {
        let hog = |_: &u64| reports.count(Report::Hog(FuncId(func))).is_some();
        (1..=times).filter(hog).collect()
    }

    #[test]
    fn s4_7_hogs_are_reported_ever_more_rarely() {
        let mut reports = Reports::new(10_000_000, 4);
        let rhythm = [4, 5, 7, 11, 19, 35, 67, 131];
        assert_eq!(said(&mut reports, 1, 200), rhythm);
        assert_eq!(said(&mut reports, 2, 5), [4, 5], "each function by itself");
        assert_eq!(said(&mut Reports::new(1, 1), 1, 9), [1, 2, 4, 8]);
        assert_eq!(said(&mut Reports::new(1, 0), 1, 100), [0; 0], "off");
    }

    #[test]
    fn s4_7_a_report_names_function_threshold_and_count() {
        let mut reports = Reports::new(10_000_000, 4);
        said(&mut reports, 7, 3);
        let said = reports.count(Report::Hog(FuncId(7))).unwrap();
        assert_eq!(
            said.text(&Numbers),
            "workqueue: f7 hogged CPU for >10000us 4 times, consider switching to WQ_UNBOUND"
        );
    }

    #[test]
    fn s4_7_at_most_128_functions_are_counted() {
        let mut reports = Reports::new(1, 1);
        for func in 1..=MAX_FUNCS as u32 {
            assert_eq!(said(&mut reports, func, 1), [1]);
        }
        assert_eq!(said(&mut reports, 1000, 10), [0; 0]);
        assert_eq!(said(&mut reports, 5, 1), [1], "its second time");
    }

    #[test]
    fn s4_11_a_function_that_sleeps_on_a_bh_workqueue_is_reported_once() {
        let mut reports = Reports::new(0, 0);
        let mut slept = |func| reports.count(Report::BhSlept(FuncId(func), WqId(3)));
        let text = slept(1).unwrap().text(&Numbers);
        assert!(text.contains("f1 slept on BH workqueue q3"), "{text}");
        assert!(slept(1).is_none());
        assert!(slept(2).is_some());
    }
}
