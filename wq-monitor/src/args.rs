//! The command line of wq-monitor.

use crate::manual::EXIT;
use crate::paint::ascii;
use crate::paint::theme::Theme;
use clap::builder::TypedValueParser;
use clap::{Parser, ValueEnum};
use regex::Regex;
use std::path::PathBuf;
use std::time::Duration;
use wq_trace::query::{Kind, Query, QueryError};
use wq_trace::units::parse_duration;
use wq_trace::warn::{LINTS, Settings};

/// Watches a wq engine: its pools, kworkers and workqueues, what they cost and why items wait.
///
/// Without --pid, --engine or --file it watches the only live engine of this user (root: of all users).
#[derive(Parser, Clone, Debug)]
#[command(name = "wq-monitor", version, max_term_width = 100)]
#[command(after_help = after_help())]
pub struct Args {
    /// Show only workqueues whose name matches one of these (searched, not anchored)
    #[arg(value_name = "REGEX")]
    pub patterns: Vec<String>,

    /// Show only what this query finds (of what is printed: workqueues), as in 'wq:events* wait>5ms -fn~flush state:held'
    #[arg(long = "filter", value_name = "QUERY", value_parser = query, allow_hyphen_values = true)]
    pub query: Option<Query>,

    /// Watch the engine of this process
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,

    /// Watch the engine of this name
    #[arg(long, value_name = "NAME")]
    pub engine: Option<String>,

    /// Read this segment, live or left behind, or this recording
    #[arg(long, value_name = "PATH", conflicts_with_all = ["pid", "engine"])]
    pub file: Option<PathBuf>,

    /// Replay this workload script in an engine of its own, and watch it
    #[arg(long, value_name = "SCRIPT", conflicts_with_all = ["pid", "engine", "file"])]
    pub replay: Option<PathBuf>,

    /// When the engine is gone, or none is there yet, wait for one of that name and go on with it
    #[arg(long, conflicts_with_all = ["file", "replay", "record", "prometheus_once"])]
    pub follow: bool,

    /// Record all that is watched, events and states, to this file (new or empty); read it with --file
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,

    /// Seconds between two rounds; 0 prints once, as --plain unless --json is given
    #[arg(short, long, value_name = "SECS", default_value = "1", value_parser = interval(), allow_negative_numbers = true)]
    pub interval: Duration,

    /// Print the table of the kernel's wq_monitor.py instead of the screen
    #[arg(long, conflicts_with = "json")]
    pub plain: bool,

    /// Print one JSON object per workqueue and round, one a line
    #[arg(short, long)]
    pub json: bool,

    /// Print what is known now as Prometheus scrapes it, and end
    #[arg(long, conflicts_with_all = ["plain", "json"])]
    pub prometheus_once: bool,

    /// Watch for so long (30s, 500ms, 2m), report each warning that came, and end: with 1 if one did. Of a
    /// recording, so much of recorded time. With --json as JSON
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with_all = ["plain", "prometheus_once"])]
    pub check: Option<Duration>,

    /// With --check: only this warning ends it with 1 (may be repeated); others are reported all the same
    #[arg(long, value_name = "WARNING", requires = "check", value_parser = lints(), hide_possible_values = true)]
    pub deny: Vec<String>,

    /// Change a warning: NAME=off, NAME=on or NAME=THRESHOLD, NAME may be `all` (may be repeated); `list` prints all
    #[arg(long = "warn", value_name = "NAME=VALUE", value_parser = setting)]
    pub warn: Vec<String>,

    /// When to use colours; auto also honours NO_COLOR
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,

    /// The background to choose colours for; auto asks COLORFGBG and takes it for dark otherwise (T switches)
    #[arg(long, value_name = "BACKGROUND", default_value = "auto")]
    pub theme: ThemeChoice,

    /// Draw with ASCII alone; auto does where the locale is not UTF-8
    #[arg(long, value_name = "WHEN", default_value = "auto", num_args = 0..=1, require_equals = true,
          default_missing_value = "always")]
    pub ascii: ColorChoice,

    /// Write the tool's own log here; RUST_LOG chooses what (default: info)
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// Print a completion script for this shell
    #[arg(long, value_name = "SHELL", hide = true, exclusive = true)]
    pub completions: Option<clap_complete::Shell>,

    /// Print the manual page, as `man -l -` reads it
    #[arg(long, hide = true, exclusive = true)]
    pub man: bool,
}

/// When to use colours, or to do without other characters than ASCII.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorChoice {
    /// As the environment says.
    Auto,
    /// In any case.
    Always,
    /// Not at all.
    Never,
}

/// The background that colours are chosen for.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThemeChoice {
    /// What the terminal says, dark if it says nothing.
    Auto,
    /// Light text on a dark background.
    Dark,
    /// Dark text on a light background.
    Light,
}

/// What to print or show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The screen.
    Screen,
    /// The kernel script's table.
    Plain,
    /// JSON lines.
    Json,
    /// Prometheus' text format.
    Prometheus,
    /// A report of what went wrong meanwhile.
    Check,
}

impl Args {
    /// What was asked for.
    pub fn mode(&self) -> Mode {
        if self.check.is_some() {
            Mode::Check
        } else if self.prometheus_once {
            Mode::Prometheus
        } else if self.json {
            Mode::Json
        } else if self.plain || self.once() {
            Mode::Plain
        } else {
            Mode::Screen
        }
    }

    /// Whether one round is all.
    pub fn once(&self) -> bool {
        self.interval.is_zero() || self.prometheus_once
    }

    /// From where on there are warnings.
    pub fn warnings(&self) -> Settings {
        let mut settings = Settings::default();
        for text in self.warn.iter().filter(|text| *text != LIST) {
            // What is wrong was refused when it was parsed.
            let _ = settings.set(text);
        }
        settings
    }

    /// Whether the table of all warnings is asked for.
    pub fn lists_warnings(&self) -> bool {
        self.warn.iter().any(|text| text == LIST)
    }

    /// Whether to use colours, given the environment's `NO_COLOR` and `TERM`.
    pub fn colours(&self, no_color: Option<&str>, term: Option<&str>) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => no_color.is_none_or(str::is_empty) && term != Some("dumb"),
        }
    }

    /// The query; of what is printed each term must be about workqueues, the screen has lists of other things, too.
    ///
    /// # Errors
    /// The sentence to print when a term says nothing of workqueues.
    pub fn looked_for(&self) -> Result<Query, String> {
        let query = self.query.clone().unwrap_or_default();
        if self.mode() != Mode::Screen {
            let fits = query.fits(Kind::Workqueue);
            fits.map_err(|error| format!("bad --filter: {error}"))?;
        }
        Ok(query)
    }

    /// The theme, given the environment's `COLORFGBG`.
    pub fn theme(&self, colorfgbg: Option<&str>) -> Theme {
        match self.theme {
            ThemeChoice::Auto => Theme::of_terminal(colorfgbg),
            ThemeChoice::Dark => Theme::Dark,
            ThemeChoice::Light => Theme::Light,
        }
    }

    /// Whether to draw with ASCII alone, given the environment's variables.
    pub fn ascii(&self, variable: impl Fn(&str) -> Option<String>) -> bool {
        match self.ascii {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => !ascii::is_utf8(variable),
        }
    }

    /// The patterns joined with `|`, or nothing when there is none.
    ///
    /// # Errors
    /// The sentence to print when a pattern is not a regular expression.
    pub fn filter(&self) -> Result<Option<Regex>, String> {
        for pattern in &self.patterns {
            Regex::new(pattern).map_err(|error| format!("bad REGEX {pattern:?}: {error}"))?;
        }
        if self.patterns.is_empty() {
            return Ok(None);
        }
        let joined = self
            .patterns
            .iter()
            .map(|p| format!("(?:{p})"))
            .collect::<Vec<_>>();
        Regex::new(&joined.join("|"))
            .map(Some)
            .map_err(|error| format!("bad REGEX: {error}"))
    }
}

/// What stands below the flags.
fn after_help() -> String {
    let told: Vec<String> = EXIT
        .iter()
        .map(|(status, means)| format!("{status} {means}"))
        .collect();
    format!(
        "Exit status: {}.\nPress ? inside for the keys; `wq-monitor --man | man -l -` shows the manual, \
         --completions SHELL prints completions.",
        told.join(", ")
    )
}

/// The word for a table of all warnings.
const LIST: &str = "list";

/// A change to the warnings, or the word for a table of them.
fn setting(text: &str) -> Result<String, String> {
    if text != LIST {
        let set = Settings::default().set(text);
        set.map_err(|error| error.to_string())?;
    }
    Ok(text.to_owned())
}

/// The names of all warnings.
fn lints() -> impl TypedValueParser<Value = String> {
    clap::builder::PossibleValuesParser::new(LINTS.iter().map(|lint| lint.name))
}

/// `30s`, `500ms`, `1.5m`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a time such as 30s, 500ms or 2m, of 10ms to a day".to_owned();
    let duration = parse_duration(text).map_err(|_| wrong())?;
    let fits = (SHORTEST..=LONGEST).contains(&duration.as_secs_f64());
    fits.then_some(duration).ok_or_else(wrong)
}

/// A query about workqueues: those are what is printed.
fn query(text: &str) -> Result<Query, QueryError> {
    text.parse()
}

/// Shortest round: faster than this nobody can look.
const SHORTEST: f64 = 0.01;
/// Longest round: a day.
const LONGEST: f64 = 86_400.0;

/// Seconds as a decimal number, 0 or between [`SHORTEST`] and [`LONGEST`].
fn interval() -> impl TypedValueParser<Value = Duration> {
    clap::builder::StringValueParser::new().try_map(|text| {
        let seconds: f64 = text
            .parse()
            .map_err(|_| "not a number of seconds".to_string())?;
        if seconds == 0.0 || (SHORTEST..=LONGEST).contains(&seconds) {
            Ok(Duration::from_secs_f64(seconds.abs()))
        } else {
            Err(format!(
                "must be 0 or between {SHORTEST} and {LONGEST} seconds"
            ))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(words: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from(["wq-monitor"].iter().chain(words))
    }

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn interval_0_means_once_and_plain_unless_json() {
        assert_eq!(parse(&[]).unwrap().mode(), Mode::Screen);
        assert_eq!(parse(&["-i", "0"]).unwrap().mode(), Mode::Plain);
        assert_eq!(parse(&["-i", "0", "-j"]).unwrap().mode(), Mode::Json);
        assert_eq!(
            parse(&["-i", "0.5"]).unwrap().interval,
            Duration::from_millis(500)
        );
    }

    #[test]
    fn bad_intervals_are_refused() {
        for bad in ["-1", "nan", "inf", "1e99", "0.0001", "x", ""] {
            assert!(parse(&[&format!("--interval={bad}")]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wrong_query_is_refused_with_its_column() {
        let said = |text| parse(&["-j", "--filter", text]).unwrap_err().to_string();
        assert!(said("wq:a wiat>5ms").contains("column 6: no key `wiat`; did you mean `wait`?"));
        let looked_for = |words: &[&str]| parse(words).unwrap().looked_for();
        let printed = looked_for(&["-j", "--filter", "-tid:4"]).unwrap_err();
        assert!(printed.contains("bad --filter: column 1: tid says nothing of workqueues"));
        assert!(
            looked_for(&["--filter", "-tid:4"]).is_ok(),
            "the screen shows workers"
        );
        assert!(
            parse(&["-j", "--filter", "-wq:events*"])
                .unwrap()
                .query
                .is_some()
        );
    }

    #[test]
    fn a_check_takes_a_time_and_names_of_warnings() {
        let args = parse(&["--check", "1.5m", "--deny", "panics", "--deny", "refused"]).unwrap();
        assert_eq!(args.check, Some(Duration::from_secs(90)));
        assert_eq!((args.mode(), args.deny.len()), (Mode::Check, 2));
        for bad in ["0s", "5", "s", "-3s", "1e3s", "9ms", "25h", "nan s"] {
            assert!(parse(&[&format!("--check={bad}")]).is_err(), "{bad}");
        }
        let said = |args: &[&str]| parse(args).unwrap_err().to_string();
        assert!(said(&["--check", "1s", "--deny", "pancis"]).contains("panics"));
        assert!(said(&["--deny", "panics"]).contains("--check"));
        assert!(parse(&["--check", "1s", "--plain"]).is_err());
    }

    #[test]
    fn warnings_are_changed_and_what_is_wrong_is_refused() {
        let args = parse(&["--warn", "all=off", "--warn", "max-active=20ms"]).unwrap();
        let settings = args.warnings();
        let of = |name| settings.threshold(wq_trace::warn::find(name).unwrap());
        assert_eq!((of("max-active"), of("panics")), (Some(20_000_000), None));
        assert!(parse(&["--warn", "list"]).unwrap().lists_warnings());
        let error = parse(&["--warn", "max-activ=1s"]).unwrap_err();
        assert!(error.to_string().contains("did you mean max-active?"));
    }

    #[test]
    fn patterns_are_joined_and_searched() {
        let filter = parse(&["^events", "mm|fs"])
            .unwrap()
            .filter()
            .unwrap()
            .unwrap();
        assert!(filter.is_match("events_unbound") && filter.is_match("xfs"));
        assert!(!filter.is_match("my_events"));
        assert!(parse(&[]).unwrap().filter().unwrap().is_none());
    }

    #[test]
    fn a_pattern_that_only_closes_what_another_opens_is_refused() {
        assert!(
            parse(&["(a", "b)"])
                .unwrap()
                .filter()
                .unwrap_err()
                .contains("(a")
        );
    }

    #[test]
    fn themes_and_ascii_are_chosen_or_asked_of_the_environment() {
        let c = |_: &str| Some("C".to_owned());
        let auto = parse(&[]).unwrap();
        assert_eq!(auto.theme(Some("0;15")), Theme::Light);
        assert!(auto.ascii(c) && !auto.ascii(|_| None));
        let chosen = parse(&["--theme", "dark", "--ascii", "events"]).unwrap();
        assert_eq!(chosen.theme(Some("0;15")), Theme::Dark);
        assert!(chosen.ascii(|_| None) && chosen.patterns == ["events"]);
        assert!(!parse(&["--ascii=never"]).unwrap().ascii(c));
    }

    #[test]
    fn no_color_counts_only_for_auto() {
        let auto = parse(&[]).unwrap();
        assert!(auto.colours(None, Some("xterm")) && auto.colours(Some(""), None));
        assert!(!auto.colours(Some("1"), None) && !auto.colours(None, Some("dumb")));
        assert!(
            parse(&["--color", "always"])
                .unwrap()
                .colours(Some("1"), None)
        );
        assert!(!parse(&["--color", "never"]).unwrap().colours(None, None));
    }
}
