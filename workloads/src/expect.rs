//! Expectations: what a script says must come out, held against a report.

use crate::report::{Execution, ItemReport, Mode, Quantiles, Report};
use crate::units;
use serde::Serialize;
use std::fmt;

/// What an expectation is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A work, all its instances (`w0`) or one (`w0#3`).
    Work(String),
    /// A workqueue by the name it is shown with.
    Workqueue(String),
    /// A pool by its id.
    Pool(u32),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Work(name) | Self::Workqueue(name) => f.write_str(name),
            Self::Pool(id) => write!(f, "pool {id}"),
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// End of the last execution, from the script's start.
    Finish,
    /// Executions that began.
    Started,
    /// Executions that ended.
    Executions,
    /// Items that completed.
    Completed,
    /// Queueings refused because the item was pending or disabled.
    Refused,
    /// Most executions at one time.
    MaxRunning,
    /// Median wait.
    P50Wait,
    /// 90th percentile of the wait.
    P90Wait,
    /// 99th percentile of the wait.
    P99Wait,
    /// Longest wait.
    MaxWait,
    /// A warning of `wq_trace::warn`.
    Warning,
}

impl Measure {
    const NAMES: [(&'static str, Self); 11] = [
        ("finish", Self::Finish),
        ("started", Self::Started),
        ("executions", Self::Executions),
        ("completed", Self::Completed),
        ("refused", Self::Refused),
        ("max_running", Self::MaxRunning),
        ("p50_wait", Self::P50Wait),
        ("p90_wait", Self::P90Wait),
        ("p99_wait", Self::P99Wait),
        ("max_wait", Self::MaxWait),
        ("warning", Self::Warning),
    ];

    /// The measure that a script calls `name`.
    pub fn named(name: &str) -> Option<Self> {
        let mut names = Self::NAMES.into_iter();
        names.find(|(n, _)| *n == name).map(|(_, m)| m)
    }

    /// Its word in a script.
    pub fn name(self) -> &'static str {
        let mut names = Self::NAMES.into_iter();
        names.find(|(_, m)| *m == self).map_or("", |(n, _)| n)
    }

    /// A time in nanoseconds; otherwise a count.
    pub fn is_time(self) -> bool {
        match self {
            Self::Finish | Self::P50Wait | Self::P90Wait | Self::P99Wait | Self::MaxWait => true,
            Self::Started
            | Self::Executions
            | Self::Completed
            | Self::Refused
            | Self::MaxRunning
            | Self::Warning => false,
        }
    }

    fn shown(self, value: u64) -> String {
        if self.is_time() {
            units::exact_duration(value)
        } else {
            value.to_string()
        }
    }
}

/// How the measured value must stand to the expected one; nanoseconds or a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The value, give or take the tolerance.
    Exactly(u64, u64),
    /// Not more.
    AtMost(u64),
    /// Not less.
    AtLeast(u64),
    /// This warning is given, or none at all.
    Warns(Option<&'static str>),
}

/// The word for no warning.
pub(crate) const NO_WARNING: &str = "none";

impl Relation {
    fn holds(self, seen: u64) -> bool {
        match self {
            Self::Exactly(value, tolerance) => seen.abs_diff(value) <= tolerance,
            Self::AtMost(value) => seen <= value,
            Self::AtLeast(value) => seen >= value,
            // It is no number.
            Self::Warns(_) => false,
        }
    }
}

/// One thing that must come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What it is about.
    pub subject: Subject,
    /// What is measured of it.
    pub measure: Measure,
    /// The value.
    pub relation: Relation,
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value| self.measure.shown(value);
        write!(f, "{} {} ", self.subject, self.measure.name())?;
        match self.relation {
            Relation::Exactly(value, 0) => f.write_str(&shown(value)),
            Relation::Exactly(value, tolerance) => {
                write!(f, "{} ± {}", shown(value), shown(tolerance))
            }
            Relation::AtMost(value) => write!(f, "<= {}", shown(value)),
            Relation::AtLeast(value) => write!(f, ">= {}", shown(value)),
            Relation::Warns(lint) => f.write_str(lint.unwrap_or(NO_WARNING)),
        }
    }
}

/// An expectation held against a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The expectation in words.
    pub text: String,
    /// It came out.
    pub ok: bool,
    /// What came out instead, or too.
    pub seen: String,
}

/// Holds all expectations against a report (whose own `expectations` are not looked at).
///
/// Simulated: all of them. On threads times are asserted only with `times`, order and counts always.
pub fn evaluate(expectations: &[Expectation], report: &Report, times: bool) -> Vec<Outcome> {
    let with_times = times || report.mode == Mode::Simulate;
    let asserted = |e: &&Expectation| with_times || !e.measure.is_time();
    let each = expectations.iter().filter(asserted);
    let mut outcomes: Vec<Outcome> = each.map(|e| outcome(e, report)).collect();
    if report.mode == Mode::Run {
        outcomes.extend(order(expectations, report));
    }
    outcomes
}

fn outcome(expectation: &Expectation, report: &Report) -> Outcome {
    if let Relation::Warns(lint) = expectation.relation {
        return warned(expectation, lint, report);
    }
    let seen = measure(&expectation.subject, expectation.measure, report);
    Outcome {
        text: expectation.to_string(),
        ok: seen.is_some_and(|value| expectation.relation.holds(value)),
        seen: seen.map_or_else(
            || "nothing".to_owned(),
            |value| expectation.measure.shown(value),
        ),
    }
}

/// Whether this warning was given of the subject, or none. What is wrong is told with what was said.
fn warned(expectation: &Expectation, lint: Option<&str>, report: &Report) -> Outcome {
    let warnings = report.warnings.iter();
    let given: Vec<_> = warnings
        .filter(|warning| warning.concerns(&expectation.subject))
        .collect();
    let ok = match lint {
        Some(lint) => given.iter().any(|warning| warning.lint == lint),
        None => given.is_empty(),
    };
    let mut said: Vec<String> = given
        .iter()
        .map(|warning| match ok {
            true => warning.lint.to_owned(),
            false => format!("{}: {}", warning.lint, warning.sentence),
        })
        .collect();
    said.sort_unstable();
    said.dedup();
    let seen = match said.is_empty() {
        true => NO_WARNING.to_owned(),
        false => said.join(if ok { ", " } else { "; " }),
    };
    let text = expectation.to_string();
    Outcome { text, ok, seen }
}

/// The order of finishes: who is expected to end earlier ends no later; equal times in any order.
fn order(expectations: &[Expectation], report: &Report) -> Option<Outcome> {
    let mut expected: Vec<(u64, &Subject)> = expectations
        .iter()
        .filter_map(|e| match (e.measure, e.relation) {
            (Measure::Finish, Relation::Exactly(at, _)) => Some((at, &e.subject)),
            _ => None,
        })
        .collect();
    if expected.is_empty() {
        return None;
    }
    expected.sort_by_key(|(at, _)| *at);
    let mut text = "order of finishes:".to_owned();
    let mut seen_at: Vec<(&Subject, Option<u64>)> = Vec::new();
    let mut ok = true;
    let (mut group, mut latest_before, mut latest) = (None, 0, 0);
    for (at, subject) in expected {
        if group.is_some_and(|g| g != at) {
            text.push_str(" <");
            latest_before = latest;
        }
        group = Some(at);
        text.push_str(&format!(" {subject}"));
        let seen = measure(subject, Measure::Finish, report);
        seen_at.push((subject, seen));
        let Some(seen) = seen else {
            ok = false;
            continue;
        };
        ok &= seen >= latest_before;
        latest = latest.max(seen);
    }
    // Two times that are told apart must not read the same.
    let shown = match ok {
        true => wq_trace::units::duration,
        false => units::exact_duration,
    };
    let seen = seen_at.iter().map(|(subject, at)| {
        let at = at.map_or_else(|| "never".to_owned(), shown);
        format!("{subject} {at}")
    });
    let seen = seen.collect::<Vec<_>>().join(", ");
    Some(Outcome { text, ok, seen })
}

/// What the report says of a subject; `None`: nothing.
fn measure(subject: &Subject, measure: Measure, report: &Report) -> Option<u64> {
    match subject {
        Subject::Work(name) => of_items(&items_of_work(report, name), measure),
        Subject::Workqueue(name) => of_workqueue(report, name, measure),
        Subject::Pool(id) => {
            let pool = report.pools.iter().find(|p| p.id == *id)?;
            (measure == Measure::MaxRunning).then_some(pool.max_nr_running)
        }
    }
}

fn items_of_work<'r>(report: &'r Report, name: &str) -> Vec<&'r ItemReport> {
    let matches = |item: &&ItemReport| item.name == name || item.work() == name;
    report.works.iter().filter(matches).collect()
}

fn of_items(items: &[&ItemReport], measure: Measure) -> Option<u64> {
    if items.is_empty() {
        return None;
    }
    let sum = |count: fn(&ItemReport) -> u64| Some(items.iter().map(|i| count(i)).sum());
    let executions = || items.iter().flat_map(|i| i.executions.iter());
    let waits = || {
        let mut waits: Vec<u64> = executions().map(Execution::wait_ns).collect();
        (!waits.is_empty()).then(|| Quantiles::of(&mut waits))
    };
    match measure {
        Measure::Finish => items.iter().filter_map(|i| i.totals.last_finished_ns).max(),
        Measure::Started => sum(|i| i.totals.started),
        Measure::Executions | Measure::Completed => sum(|i| i.totals.completed),
        Measure::Refused => sum(|i| i.totals.refused),
        Measure::MaxRunning => Some(most_at_once(executions())),
        Measure::P50Wait => waits().map(|w| w.p50),
        Measure::P90Wait => waits().map(|w| w.p90),
        Measure::P99Wait => waits().map(|w| w.p99),
        Measure::MaxWait => waits().map(|w| w.max),
        Measure::Warning => None,
    }
}

fn of_workqueue(report: &Report, name: &str, measure: Measure) -> Option<u64> {
    let wq = report.workqueues.iter().find(|w| w.name == name)?;
    let waited = |value: u64| (wq.started > 0).then_some(value);
    match measure {
        Measure::Finish => {
            let items = report.works.iter().filter(|i| i.workqueue == name);
            of_items(&items.collect::<Vec<_>>(), Measure::Finish)
        }
        Measure::Started => Some(wq.started),
        Measure::Executions | Measure::Completed => Some(wq.completed),
        Measure::Refused => Some(wq.refused),
        Measure::MaxRunning => Some(wq.max_running),
        Measure::P50Wait => waited(wq.wait_ns.p50),
        Measure::P90Wait => waited(wq.wait_ns.p90),
        Measure::P99Wait => waited(wq.wait_ns.p99),
        Measure::MaxWait => waited(wq.wait_ns.max),
        Measure::Warning => None,
    }
}

/// Most executions at one time; one that ends when another starts does not overlap it.
fn most_at_once<'r>(executions: impl Iterator<Item = &'r Execution>) -> u64 {
    let mut edges: Vec<(u64, bool)> = executions
        .flat_map(|e| [(e.started_ns, true), (e.finished_ns, false)])
        .collect();
    edges.sort_unstable();
    // Executions without length overlap nothing, but each did run.
    let (mut now, mut most) = (0_i64, i64::from(!edges.is_empty()));
    for (_, start) in edges {
        now += if start { 1 } else { -1 };
        most = most.max(now);
    }
    most.unsigned_abs()
}

#[cfg(test)]
mod tests;
