//! Which lints are on, and from where on they warn.

use super::lint::{Lint, Unit};
use super::table::{LINTS, find};
use crate::units::parse_duration;
use crate::words::nearest;
use std::collections::BTreeMap;

/// Changes to the lints' thresholds; the default changes none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// By the lint's name; `None`: off.
    changed: BTreeMap<&'static str, Option<u64>>,
}

/// Why a setting cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// It is not of the form `NAME=VALUE`.
    #[error("{0:?}: a setting is NAME=off or NAME=THRESHOLD")]
    Form(String),
    /// There is no such lint.
    #[error("unknown warning {name:?} (there are {all}){near}", all = names(), near = meant(.name))]
    Name {
        /// What was written.
        name: String,
    },
    /// The threshold cannot be read.
    #[error("{lint}: {value:?} is no threshold: `off`, or {right}")]
    Threshold {
        /// The lint.
        lint: &'static str,
        /// What was written.
        value: String,
        /// What would be right.
        right: &'static str,
    },
}

impl Settings {
    /// Takes a change: `NAME=off`, `NAME=on` or `NAME=THRESHOLD`; `all=off` and `all=on` are for every lint.
    ///
    /// # Errors
    /// What would be right instead.
    pub fn set(&mut self, text: &str) -> Result<(), SettingsError> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| SettingsError::Form(text.to_owned()))?;
        let (name, value) = (name.trim(), value.trim());
        match (name, value) {
            (ALL, "on") => {
                self.changed.clear();
                return Ok(());
            }
            (ALL, "off") => {
                self.changed = LINTS.iter().map(|lint| (lint.name, None)).collect();
                return Ok(());
            }
            _ => {}
        }
        let lint = known(name)?;
        match value {
            "off" => self.changed.insert(lint.name, None),
            "on" => self.changed.remove(lint.name).flatten().map(Some),
            _ => self
                .changed
                .insert(lint.name, Some(threshold(lint, value)?)),
        };
        Ok(())
    }

    /// From where on a lint warns; `None`: it is off.
    pub fn threshold(&self, lint: &Lint) -> Option<u64> {
        let changed = self.changed.get(lint.name).copied();
        changed.unwrap_or(Some(lint.threshold))
    }

    /// Whether any lint is on.
    pub fn any(&self) -> bool {
        LINTS.iter().any(|lint| self.threshold(lint).is_some())
    }
}

/// The name that stands for every lint.
const ALL: &str = "all";

/// The lint of that name.
///
/// # Errors
/// There is none; the message says which there are.
pub(super) fn known(name: &str) -> Result<&'static Lint, SettingsError> {
    let name = name.to_owned();
    find(&name).ok_or(SettingsError::Name { name })
}

fn names() -> String {
    LINTS.iter().map(|l| l.name).collect::<Vec<_>>().join(", ")
}

fn meant(name: &str) -> String {
    let near = nearest(name, LINTS.iter().map(|l| l.name));
    near.map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

fn threshold(lint: &'static Lint, text: &str) -> Result<u64, SettingsError> {
    let number = |text: &str| text.trim_end().parse::<u64>().ok();
    let (read, right) = match lint.unit {
        Unit::Time => (time(text), "a time such as 250ms"),
        Unit::Count => (number(text), "a whole number"),
        Unit::Rate => (
            number(text.strip_suffix("/s").unwrap_or(text)),
            "a rate such as 500/s",
        ),
        Unit::Percent => (
            number(text.strip_suffix('%').unwrap_or(text)).filter(|n| *n <= 100),
            "a share from 1% to 100%",
        ),
    };
    // A threshold of nothing would warn of everything.
    let read = read.filter(|n| *n > 0);
    read.ok_or_else(|| SettingsError::Threshold {
        lint: lint.name,
        value: text.to_owned(),
        right,
    })
}

/// `250ms`, `1.5s` in nanoseconds; of what is longer than 30 years, nothing.
fn time(text: &str) -> Option<u64> {
    let ns = parse_duration(text).ok()?.as_nanos();
    u64::try_from(ns).ok().filter(|ns| *ns < 1 << 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Result<Settings, String> {
        let mut settings = Settings::default();
        let done = settings.set(text);
        done.map(|()| settings).map_err(|error| error.to_string())
    }

    fn of(text: &str, name: &str) -> Option<u64> {
        let settings = set(text).expect("is right");
        settings.threshold(find(name).expect("there is one"))
    }

    #[test]
    fn thresholds_change_and_lints_go_off_and_on() {
        assert_eq!(of("max-active=1.5s", "max-active"), Some(1_500_000_000));
        assert_eq!(of("max-active = 40 ms", "max-active"), Some(40_000_000));
        assert_eq!(of("max-active=1min", "max-active"), Some(60_000_000_000));
        assert_eq!(of("self-requeue=20/s", "self-requeue"), Some(20));
        assert_eq!(of("refused=50%", "refused"), Some(50));
        assert_eq!(of("cpu-hog=2", "cpu-hog"), Some(2));
        assert_eq!(of("cpu-hog=off", "cpu-hog"), None);
        assert_eq!(of("cpu-hog=off", "refused"), Some(90));
        let mut settings = set("cpu-hog=off").expect("is right");
        settings.set("cpu-hog=on").expect("is right");
        assert_eq!(settings, Settings::default());
        settings.set("all=off").expect("is right");
        assert!(!settings.any());
        settings.set("refused=40%").expect("is right");
        assert!(settings.any() && settings.threshold(find("panics").expect("it is")).is_none());
        settings.set("all=on").expect("is right");
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn what_is_wrong_is_told_with_what_is_right() {
        let wrong = |text: &str| set(text).expect_err("is wrong");
        assert!(wrong("cpu-hgo=3").ends_with("; did you mean cpu-hog?"));
        assert!(wrong("zzzzz=3").contains("(there are self-requeue, cpu-hog,"));
        assert_eq!(
            wrong("cpu-hog"),
            "\"cpu-hog\": a setting is NAME=off or NAME=THRESHOLD"
        );
        assert_eq!(
            wrong("max-active=soon"),
            "max-active: \"soon\" is no threshold: `off`, or a time such as 250ms"
        );
        for text in [
            "max-active=3",
            "max-active=",
            "max-active=0s",
            "max-active=1e9s",
            "max-active=99999999999999999999m",
            "refused=101%",
            "refused=0",
            "cpu-hog=-1",
            "cpu-hog=99999999999999999999",
            "self-requeue=a/s",
        ] {
            wrong(text);
        }
    }
}
