//! A warning in words, for tools that print text.

use super::frame::Warning;
use super::lint::Lint;
use super::settings::Settings;
use super::table::find;
use crate::units;
use crate::value::{Fields, Value};

impl Warning {
    /// The numbers that it rests on: `workqueue q0, held 12, oldest 1.2 s`.
    pub fn evidence_text(&self) -> String {
        said(&self.evidence)
    }

    /// How long it was found so, in nanoseconds: from when it began to look wrong to when it was found last.
    pub fn lasted_ns(&self) -> u64 {
        self.last.saturating_sub(self.since)
    }

    /// From where on it is told, and of what that is the limit: `500 ms: How long ...`. Empty for a lint that there is not.
    pub fn threshold_text(&self, settings: &Settings) -> String {
        find(self.lint).map_or_else(String::new, |lint| lint.threshold_text(settings))
    }

    /// All of it over several lines, indented: how it is told in a report.
    pub fn paragraph(&self, settings: &Settings) -> String {
        let lasted = units::duration(self.lasted_ns());
        let (lint, level) = (self.lint, self.level.word());
        format!(
            "{lint} ({level}, for {lasted}): {}\n    evidence   {}\n    to do      {}\n    threshold  {}\n",
            self.sentence,
            self.evidence_text(),
            self.remedy,
            self.threshold_text(settings)
        )
    }
}

impl Lint {
    /// From where on it warns, and of what that is the limit: `500 ms: How long ...`.
    pub fn threshold_text(&self, settings: &Settings) -> String {
        let from = settings.threshold(self);
        let from = from.map_or_else(|| "off".to_owned(), |threshold| self.unit.shown(threshold));
        format!("{from}: {}", self.threshold_help)
    }
}

/// What looked wrong when nobody could look again, as a report tells it; nothing if nothing did.
pub fn suspicions(suspected: &[Warning], settings: &Settings) -> String {
    if suspected.is_empty() {
        return String::new();
    }
    let paragraphs = suspected.iter().map(|warning| warning.paragraph(settings));
    "looked wrong at the last look, but nobody could look again:\n".to_owned()
        + &paragraphs.collect::<String>()
}

fn said(fields: &Fields) -> String {
    let fields = fields.iter().map(|(key, value)| {
        let name = key.strip_suffix("_ns").unwrap_or(key).replace('_', " ");
        format!("{name} {}", text(key, value))
    });
    fields.collect::<Vec<_>>().join(", ")
}

/// A value as people read it: times with their units, lists with blanks.
fn text(key: &str, value: &Value) -> String {
    match value {
        Value::Big(ns) if key.ends_with("_ns") => units::duration(*ns),
        Value::Float(x) => units::rate(*x),
        Value::List(values) => {
            let values = values.iter().map(|value| text(key, value));
            values.collect::<Vec<_>>().join(" ")
        }
        Value::Object(fields) => said(fields),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, S};
    use crate::stats::Counter;

    #[test]
    fn a_warning_in_words_has_units_and_says_what_to_do() {
        let mut bench = Bench::with("panics=2");
        bench.count(Counter::Panics, 2);
        bench.look(S);
        let warning = bench.only("panics");
        let settings = bench.warnings.settings();
        assert_eq!(
            warning.evidence_text(),
            "workqueue mixed, panics 2, completed 0, window 2.0 s"
        );
        assert_eq!(
            warning.threshold_text(settings),
            "2: How many executions of a workqueue end in a panic within 10 s."
        );
        let text = warning.paragraph(settings);
        assert!(text.starts_with("panics (warning, for 0 ns): 2 executions of `mixed`"));
        assert!(text.contains("to do      The panic's message"), "{text}");
        assert_eq!(text.lines().count(), 4);
    }
}
