//! All lints: help, documentation and completions are made from this table.

use super::lint::Lint;
use super::{cpu, limits, lost, queueing, waits, workers};

pub(super) use super::waits::LONG_WAIT;

/// All lints.
pub static LINTS: &[&Lint] = &[
    &cpu::SELF_REQUEUE,
    &cpu::CPU_HOG,
    &limits::MAX_ACTIVE,
    &limits::ORDERED_BOTTLENECK,
    &workers::SLEEPER_PILEUP,
    &workers::RESCUER,
    &waits::RECLAIM_FLUSH,
    &workers::STALLED_POOL,
    &waits::LONG_WAIT,
    &cpu::OFF_SCOPE,
    &queueing::BACKLOG,
    &queueing::REFUSED,
    &waits::FLUSH_DEADLOCK,
    &lost::PANICS,
    &lost::EVENTS_LOST,
];

/// The lint of that name.
pub fn find(name: &str) -> Option<&'static Lint> {
    LINTS.iter().copied().find(|lint| lint.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the lints are tested.
    const FILES: [&str; 6] = [
        include_str!("cpu.rs"),
        include_str!("limits.rs"),
        include_str!("lost.rs"),
        include_str!("queueing.rs"),
        include_str!("waits.rs"),
        include_str!("workers.rs"),
    ];

    #[test]
    fn every_lint_says_what_it_is_and_has_both_tests() {
        for (place, lint) in LINTS.iter().enumerate() {
            let name = lint.name;
            assert!(
                name.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
                "{name}"
            );
            assert!(
                LINTS[..place].iter().all(|other| other.name != name),
                "{name} is there twice"
            );
            for text in [lint.help, lint.threshold_help, lint.remedy] {
                assert!(text.len() > 20 && text.ends_with('.'), "{name}: {text}");
            }
            assert!(lint.threshold > 0, "{name}");
            for does in ["fires", "does_not_fire"] {
                let test = format!("fn {}_{does}", name.replace('-', "_"));
                let tests = FILES.iter().filter(|file| file.contains(&test));
                assert_eq!(tests.count(), 1, "no {test}");
            }
            assert!(std::ptr::eq(find(name).expect("it is there"), *lint));
        }
        assert!(find("nothing").is_none());
    }

    /// The table of the README, a row for each lint.
    #[test]
    fn the_readme_lists_every_lint() {
        let row = |lint: &&Lint| {
            let (name, level) = (lint.name, lint.level.word());
            let threshold = lint.unit.shown(lint.threshold);
            let (help, of) = (lint.help, lint.threshold_help);
            format!("| `{name}` | {level} | {help} | {threshold} | {of} |")
        };
        let rows: Vec<String> = LINTS.iter().map(row).collect();
        let readme = include_str!("README.md");
        let written: Vec<&str> = readme.lines().filter(|l| l.starts_with("| `")).collect();
        assert_eq!(written, rows, "write these:\n{}", rows.join("\n"));
    }

    #[test]
    fn a_default_can_be_written_as_a_setting() {
        for lint in LINTS {
            let mut settings = super::super::Settings::default();
            let written = format!("{}={}", lint.name, lint.unit.shown(lint.threshold));
            settings.set(&written).expect("is right");
            assert_eq!(settings.threshold(lint), Some(lint.threshold), "{written}");
        }
    }
}
