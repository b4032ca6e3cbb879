//! The text exposition format: families with their help and type, samples with escaped labels.

use std::fmt::Write;

/// Names and values that tell samples apart.
pub(super) type Labels = Vec<(&'static str, String)>;

/// What a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A page that is being written. A family without samples is left out.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
    /// The labels that every sample begins with.
    common: String,
    /// The head of the family whose first sample has not come yet.
    head: String,
}

impl Page {
    pub(super) fn new(common: &[(&str, &str)]) -> Self {
        let common: Vec<_> = common
            .iter()
            .map(|(name, value)| label(name, value))
            .collect();
        Self {
            text: String::new(),
            common: common.join(","),
            head: String::new(),
        }
    }

    /// Begins a family.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.head = format!("# HELP {name} {help}\n# TYPE {name} {}\n", kind.word());
    }

    /// Adds a sample to the family that was begun last.
    pub(super) fn sample(&mut self, name: &str, labels: &Labels, value: f64) {
        self.text.push_str(&std::mem::take(&mut self.head));
        let own = labels.iter().map(|(name, value)| label(name, value));
        let common = Some(self.common.clone()).filter(|common| !common.is_empty());
        let labels: Vec<_> = common.into_iter().chain(own).collect();
        // Writing to a String does not fail.
        let _ = match labels.as_slice() {
            [] => writeln!(self.text, "{name} {value}"),
            labels => writeln!(self.text, "{name}{{{}}} {value}", labels.join(",")),
        };
    }

    pub(super) fn text(self) -> String {
        self.text
    }
}

fn label(name: &str, value: &str) -> String {
    let value = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("{name}=\"{value}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_label_or_a_line_is_escaped() {
        let mut page = Page::new(&[("engine", "a\"b")]);
        page.family("empty", Kind::Gauge, "Nothing comes.");
        page.family("x_total", Kind::Counter, "One\nline \\.");
        page.sample("x_total", &vec![("workqueue", "c\\d\ne".to_owned())], 5.0);
        page.sample("x_total", &Labels::new(), 0.000_000_001);
        let expected = "# HELP x_total One\\nline \\\\.\n# TYPE x_total counter\n\
            x_total{engine=\"a\\\"b\",workqueue=\"c\\\\d\\ne\"} 5\nx_total{engine=\"a\\\"b\"} 0.000000001\n";
        assert_eq!(page.text(), expected);
    }
}
