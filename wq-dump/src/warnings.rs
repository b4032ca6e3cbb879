//! `warnings`: what the lints say of an engine, after a look at it for a while; of one that is gone, at all it left.

use crate::args::{Common, Warnings as Flags};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::target::Target;
use std::thread::sleep;
use std::time::{Duration, Instant};
use wq_trace::warn::{self, Settings, Warning, Warnings};
use wq_trace::{Cursor, Limits, Model, Next, Snapshot, UpTo, Value, units};

/// Between two looks at the state.
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);
/// Between two readings of the events: rings overwrite.
const PAUSE: Duration = Duration::from_millis(2);

/// Looks at the engine asked for, and prints what is wrong with it.
pub fn run(common: &Common, flags: &Flags, output: &mut Output) -> Result<(), Failure> {
    let mut settings = Settings::default();
    for change in &flags.warn {
        let set = settings.set(change);
        set.map_err(|error| Failure::Input(format!("--warn {error}")))?;
    }
    let target = Target::open(common)?;
    let mut looked = Looked::new(settings);
    let mut interrupted = false;
    if target.running() {
        let stop = Interrupt::install().map_err(Failure::Signals)?;
        interrupted = live(&target, flags.duration, &mut looked, &stop)?;
    } else {
        looked.over = true;
        past(&target, &mut looked)?;
    }
    match common.json {
        true => output.json(&looked.json())?,
        false => output.text(&looked.text(&target))?,
    }
    output.finish()?;
    match interrupted {
        true => Err(Failure::Interrupted),
        false => Ok(()),
    }
}

/// Looks at an engine that runs until the time is over or it ends. Returns true if it was interrupted.
fn live(
    target: &Target,
    duration: Duration,
    looked: &mut Looked,
    stop: &Interrupt,
) -> Result<bool, Failure> {
    let mut cursor = target.cursor();
    let (begun, mut next_look) = (Instant::now(), Instant::now());
    let first = target.snapshot()?;
    let begun_at = first.at;
    loop {
        let passed = begun.elapsed();
        let gone = !target.running();
        let last = passed >= duration || stop.requested() || gone;
        let now = begun_at.saturating_add(u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX));
        looked.events(&mut cursor, if gone { u64::MAX } else { now });
        if last || Instant::now() >= next_look {
            next_look = Instant::now() + BETWEEN_LOOKS;
            looked.look(&target.snapshot()?);
        }
        if last {
            looked.over = gone;
            return Ok(stop.requested());
        }
        sleep(PAUSE);
    }
}

/// Looks at each state that is left, with the events before it.
fn past(target: &Target, looked: &mut Looked) -> Result<(), Failure> {
    let mut events = UpTo::new(target.cursor());
    let mut states = target.earlier()?;
    states.push(target.snapshot()?);
    for state in &states {
        let model = &mut looked.model;
        let missed = events.each(state.at, |event| model.apply_event(event));
        model.apply_lost(missed);
        looked.look(state);
    }
    Ok(())
}

/// What was seen of an engine.
struct Looked {
    model: Model,
    warnings: Warnings,
    /// When the first look was, on the segment's clock.
    from: Option<u64>,
    /// Whether nobody can look again.
    over: bool,
}

impl Looked {
    fn new(settings: Settings) -> Self {
        let limits = Limits {
            history: 1,
            ..Limits::default()
        };
        Self {
            model: Model::new(limits),
            warnings: Warnings::new(settings),
            from: None,
            over: false,
        }
    }

    fn look(&mut self, snapshot: &Snapshot) {
        self.from.get_or_insert(snapshot.at);
        self.model.apply_snapshot(snapshot);
        self.warnings.look(&self.model);
    }

    /// Takes in the events that are there.
    fn events(&mut self, cursor: &mut Cursor, now: u64) {
        loop {
            match cursor.next(now) {
                Next::Record(event) => self.model.apply_event(&event),
                Next::Lost(_) => {}
                Next::Idle | Next::WriterGone | Next::End => break,
            }
        }
        self.model.apply_lost(cursor.take_missed());
    }

    /// What looked wrong at the last look, when there will be no other.
    fn suspected(&self) -> Vec<Warning> {
        match self.over {
            true => self.warnings.suspected(),
            false => Vec::new(),
        }
    }

    fn span(&self) -> u64 {
        let now = self.model.at();
        now.saturating_sub(self.from.unwrap_or(now))
    }

    fn text(&self, target: &Target) -> String {
        let headline = self.model.snapshot().map(|state| target.headline(state));
        headline.unwrap_or_default() + &self.found()
    }

    fn found(&self) -> String {
        let settings = self.warnings.settings();
        let mut text = String::new();
        for warning in self.warnings.fired() {
            text += &warning.paragraph(settings);
        }
        text += &warn::suspicions(&self.suspected(), settings);
        if text.is_empty() {
            text = match self.span() {
                0 => "no warnings in one look\n".to_owned(),
                span => format!("no warnings in {}\n", units::duration(span)),
            };
        }
        text
    }

    /// `{name,pid,from_ns,to_ns,warnings,suspected}`.
    fn json(&self) -> Value {
        let meta = self.model.snapshot().map(|state| &state.meta);
        let (name, pid) = meta.map_or(("", 0), |meta| (&meta.name, meta.pid));
        let list = |warnings: &[Warning]| {
            let fields = warnings.iter().map(|warning| {
                let mut fields = warning.fields();
                fields.push(("lasted_ns", Value::Big(warning.lasted_ns())));
                Value::Object(fields)
            });
            Value::List(fields.collect())
        };
        Value::Object(vec![
            ("name", Value::str(name)),
            ("pid", Value::Num(pid.into())),
            ("from_ns", Value::Big(self.from.unwrap_or_default())),
            ("to_ns", Value::Big(self.model.at())),
            ("warnings", list(self.warnings.fired())),
            ("suspected", list(&self.suspected())),
        ])
    }
}

/// An engine in trouble that was looked at so often, a second apart.
#[cfg(test)]
fn looked(looks: u64, change: &str) -> Looked {
    let mut settings = Settings::default();
    settings.set(change).expect("a setting");
    let mut looked = Looked::new(settings);
    let mut snapshot = crate::fixture::in_trouble();
    for _ in 0..looks {
        looked.look(&snapshot);
        snapshot.at += 1_000_000_000;
    }
    looked
}

/// What is printed of it as JSON, while it runs or when it is gone.
#[cfg(test)]
pub fn made_up(over: bool) -> Value {
    let mut looked = self::looked(4, "all=on");
    looked.over = over;
    looked.json()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_what_to_do() {
        let looked = super::looked(4, "all=on");
        let text = looked.found();
        assert!(text.contains("stalled-pool (problem, for "), "{text}");
        assert!(text.contains("    to do      "), "{text}");
        assert!(!looked.warnings.fired().is_empty());
    }

    #[test]
    fn what_is_off_is_not_told() {
        assert_eq!(looked(4, "all=off").found(), "no warnings in 3.0 s\n");
        assert_eq!(looked(1, "all=off").found(), "no warnings in one look\n");
    }

    #[test]
    fn one_look_suspects_where_there_will_be_no_other() {
        let mut looked = super::looked(1, "all=on");
        assert!(looked.suspected().is_empty());
        looked.over = true;
        let text = looked.found();
        let fired = !looked.warnings.fired().is_empty();
        assert!(
            fired || text.starts_with("looked wrong at the last look"),
            "{text}"
        );
    }
}
