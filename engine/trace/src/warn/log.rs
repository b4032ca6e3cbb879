//! The warnings of now and of earlier looks: for who looks back, and for what ended a moment ago.

use super::frame::{Warning, Warnings};
use super::settings::Settings;
use crate::model::Model;
use std::collections::VecDeque;

/// Changes kept; with more, the oldest are forgotten.
const MOST_LOOKS: usize = 1_200;
/// Warnings kept in all of them together.
const MOST_WARNINGS: usize = 20_000;
/// For how long what ended is still told, in nanoseconds.
const ENDED_NS: u64 = 60_000_000_000;

/// What was wrong from one look on.
#[derive(Debug)]
struct Look {
    at: u64,
    active: Vec<Warning>,
}

/// Warnings, and what they were at earlier looks, within bounds.
#[derive(Debug, Default)]
pub struct WarningLog {
    warnings: Warnings,
    /// The oldest first; a look that found the same as the one before is not among them.
    looks: VecDeque<Look>,
    /// Warnings in all of them.
    kept: usize,
}

impl WarningLog {
    /// Nothing has been looked at yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            warnings: Warnings::new(settings),
            ..Self::default()
        }
    }

    /// Looks at the model, as [`Warnings::look`] does, and remembers what it found.
    pub fn look(&mut self, model: &Model) {
        self.warnings.look(model);
        let at = model.at();
        let active = self.warnings.active();
        let same = |last: &Look| last.at >= at || last.active == active;
        if self.looks.back().is_some_and(same) {
            return;
        }
        self.kept += active.len();
        let active = active.to_vec();
        self.looks.push_back(Look { at, active });
        while self.looks.len() > MOST_LOOKS || self.looks.len() > 1 && self.kept > MOST_WARNINGS {
            let oldest = self.looks.pop_front();
            self.kept -= oldest.map_or(0, |look| look.active.len());
        }
    }

    /// The warnings of now, and all that ever fired.
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }

    /// What was wrong at the last look that was not later than `at`, the worst first; nothing when that look is forgotten
    /// or never was.
    pub fn active_at(&self, at: u64) -> &[Warning] {
        let later = self.looks.partition_point(|look| look.at <= at);
        let look = later.checked_sub(1).and_then(|place| self.looks.get(place));
        look.map_or(&[], |look| &look.active)
    }

    /// What was wrong within the last minute before `at` and is not any more, the newest first.
    pub fn ended_at(&self, at: u64) -> Vec<&Warning> {
        let active = self.active_at(at);
        let since = at.saturating_sub(ENDED_NS);
        let later = self.looks.partition_point(|look| look.at <= at);
        let looks = self.looks.range(..later).rev();
        let mut ended: Vec<&Warning> = Vec::new();
        for warning in looks
            .take_while(|look| look.at >= since)
            .flat_map(|look| &look.active)
        {
            let same =
                |other: &Warning| (other.lint, other.subject) == (warning.lint, warning.subject);
            if !active.iter().any(same) && !ended.iter().any(|other| same(other)) {
                ended.push(warning);
            }
        }
        ended.sort_by_key(|warning| std::cmp::Reverse(warning.last));
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, S};
    use super::*;
    use crate::stats::Counter;

    fn lints(warnings: &[Warning]) -> Vec<&'static str> {
        warnings.iter().map(|warning| warning.lint).collect()
    }

    #[test]
    fn what_was_wrong_is_remembered_by_its_time_and_told_for_a_minute() {
        let mut bench = Bench::new();
        let mut log = WarningLog::default();
        let mut look = |bench: &mut Bench, ns| {
            bench.look(ns);
            log.look(&bench.model);
            bench.snapshot.at
        };
        let before = look(&mut bench, S);
        bench.count(Counter::Panics, 1);
        let panicked = look(&mut bench, S);
        for _ in 0..20 {
            look(&mut bench, S);
        }
        let after = look(&mut bench, S);
        assert_eq!(lints(log.active_at(before)), [""; 0]);
        assert_eq!(lints(log.active_at(panicked)), ["panics"]);
        assert_eq!(lints(log.active_at(panicked + S / 2)), ["panics"]);
        assert_eq!(lints(log.active_at(after)), [""; 0]);
        assert_eq!(lints(log.active_at(0)), [""; 0]);
        assert!(log.ended_at(panicked).is_empty());
        let ended: Vec<_> = log.ended_at(after).iter().map(|w| w.lint).collect();
        assert_eq!(ended, ["panics"]);
        assert!(log.ended_at(after + 100 * S).is_empty());
        assert_eq!(log.warnings().fired().len(), 1);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut bench = Bench::new();
        let mut log = WarningLog::default();
        for _ in 0..2 * MOST_LOOKS {
            bench.count(Counter::Panics, 1);
            bench.look(S);
            log.look(&bench.model);
        }
        assert_eq!(log.looks.len(), MOST_LOOKS);
        let kept: usize = log.looks.iter().map(|look| look.active.len()).sum();
        assert_eq!(log.kept, kept);
    }
}
