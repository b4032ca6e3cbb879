//! Steps: the words of bodies and producers, declared once with their arguments and where they may stand.

use super::ast::MAX_ACTIVE;
use super::duration;
use super::errors::{At, Diagnostics, did_you_mean, quoted};
use super::names::{Names, check_name};
use std::ops::Range;
use wq_engine::sim::{Draw, ItemRef, Step, WqRef};

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a work's `body`.
    Body,
    /// In a producer's `steps`.
    Producer,
}

/// What an argument means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arg {
    Time,
    Item,
    Cpu,
    Workqueue,
    /// A workqueue whose `max_active` can change.
    Limited,
    Count,
    /// A CPU that may leave: not the only one.
    OtherCpu,
    Switch,
    Lock,
}

impl Arg {
    /// How the usage line shows it.
    fn shown(self) -> &'static str {
        match self {
            Self::Time => "DURATION",
            Self::Item => "WORK",
            Self::Cpu | Self::OtherCpu => "CPU",
            Self::Workqueue | Self::Limited => "WORKQUEUE",
            Self::Count => "NUMBER",
            Self::Switch => "on|off",
            Self::Lock => "NAME",
        }
    }
}

/// One word of the language.
#[derive(Debug)]
struct Verb {
    name: &'static str,
    args: &'static [Arg],
    /// The only place where it may stand; `None`: both.
    only: Option<Place>,
    build: fn(&mut Values) -> Option<Step>,
}

impl Verb {
    fn usage(&self) -> String {
        let args: Vec<&str> = self.args.iter().map(|a| a.shown()).collect();
        [&[self.name], args.as_slice()].concat().join(" ")
    }
}

/// The checked arguments of one step, in the order of its [`Verb::args`].
#[derive(Debug, Default)]
struct Values(std::collections::VecDeque<Value>);

#[derive(Debug)]
enum Value {
    Time(Draw),
    Item(ItemRef),
    Index(usize),
    Workqueue(WqRef),
    Switch(bool),
}

impl Values {
    fn time(&mut self) -> Option<Draw> {
        match self.0.pop_front() {
            Some(Value::Time(draw)) => Some(draw),
            _ => None,
        }
    }

    fn item(&mut self) -> Option<ItemRef> {
        match self.0.pop_front() {
            Some(Value::Item(item)) => Some(item),
            _ => None,
        }
    }

    fn index(&mut self) -> Option<usize> {
        match self.0.pop_front() {
            Some(Value::Index(index)) => Some(index),
            _ => None,
        }
    }

    fn switch(&mut self) -> Option<bool> {
        match self.0.pop_front() {
            Some(Value::Switch(on)) => Some(on),
            _ => None,
        }
    }

    fn workqueue(&mut self) -> Option<WqRef> {
        match self.0.pop_front() {
            Some(Value::Workqueue(wq)) => Some(wq),
            _ => None,
        }
    }
}

const fn verb(
    name: &'static str,
    args: &'static [Arg],
    only: Option<Place>,
    build: fn(&mut Values) -> Option<Step>,
) -> Verb {
    Verb {
        name,
        args,
        only,
        build,
    }
}

/// All steps of the language.
static VERBS: [Verb; 27] = {
    use Arg::{Count, Cpu, Item, Limited, Lock, OtherCpu, Switch, Time, Workqueue};
    let body = Some(Place::Body);
    let producer = Some(Place::Producer);
    [
        verb("burn", &[Time], body, |v| Some(Step::Burn(v.time()?))),
        verb("sleep", &[Time], body, |v| Some(Step::Sleep(v.time()?))),
        verb("blocking", &[Time], body, |v| {
            Some(Step::Blocking(v.time()?))
        }),
        verb("lock", &[Lock, Time], body, |v| {
            Some(Step::Lock(v.index()?, v.time()?))
        }),
        verb("yield", &[], body, |_| Some(Step::Yield)),
        verb("requeue", &[], body, |_| Some(Step::Requeue)),
        verb("requeue_delayed", &[Time], body, |v| {
            Some(Step::RequeueDelayed(v.time()?))
        }),
        verb("panic", &[], body, |_| Some(Step::Panic)),
        verb("queue", &[Item], None, |v| Some(Step::Queue(v.item()?))),
        verb("queue_on", &[Cpu, Item], None, |v| {
            Some(Step::QueueOn(v.index()?, v.item()?))
        }),
        verb("queue_delayed", &[Item, Time], None, |v| {
            Some(Step::QueueDelayed(v.item()?, v.time()?))
        }),
        verb("mod_delayed", &[Item, Time], None, |v| {
            Some(Step::ModDelayed(v.item()?, v.time()?))
        }),
        verb("queue_rcu", &[Item], None, |v| {
            Some(Step::QueueRcu(v.item()?))
        }),
        verb("flush", &[Item], None, |v| Some(Step::Flush(v.item()?))),
        verb("flush_wq", &[Workqueue], None, |v| {
            Some(Step::FlushWq(v.workqueue()?))
        }),
        verb("cancel", &[Item], None, |v| Some(Step::Cancel(v.item()?))),
        verb("cancel_sync", &[Item], None, |v| {
            Some(Step::CancelSync(v.item()?))
        }),
        verb("disable", &[Item], None, |v| Some(Step::Disable(v.item()?))),
        verb("enable", &[Item], None, |v| Some(Step::Enable(v.item()?))),
        verb("wait", &[Time], producer, |v| Some(Step::Wait(v.time()?))),
        verb("freeze", &[], producer, |_| Some(Step::Freeze)),
        verb("thaw", &[], producer, |_| Some(Step::Thaw)),
        verb("drain", &[Workqueue], producer, |v| {
            Some(Step::Drain(v.workqueue()?))
        }),
        verb("set_max_active", &[Limited, Count], producer, |v| {
            Some(Step::SetMaxActive(v.workqueue()?, v.index()?))
        }),
        verb("fail_create", &[Switch], producer, |v| {
            Some(Step::FailCreate(v.switch()?))
        }),
        verb("cpu_down", &[OtherCpu], producer, |v| {
            Some(Step::CpuDown(v.index()?))
        }),
        verb("cpu_up", &[Cpu], producer, |v| {
            Some(Step::CpuUp(v.index()?))
        }),
    ]
};

/// Parses one step; `None` after an error was noted.
pub(super) fn parse(
    text: &At<String>,
    place: Place,
    field: &str,
    names: &mut Names,
    errors: &mut Diagnostics<'_>,
) -> Option<Step> {
    let words: Vec<At<String>> = split(&text.value)
        .into_iter()
        .map(|range| {
            let span = errors.inside(&text.span, &text.value, &range);
            At::new(text.value[range].to_owned(), span)
        })
        .collect();
    let Some((word, args)) = words.split_first() else {
        errors.error(&text.span, field, "an empty step; leave it out");
        return None;
    };
    let verb = find(word, place, field, errors)?;
    if args.len() != verb.args.len() {
        let message = format!(
            "`{}` takes {}, not {}: write `{}`",
            verb.name,
            crate::units::count(verb.args.len() as u64, "argument"),
            args.len(),
            verb.usage()
        );
        errors.error(&word.span, field, message);
        return None;
    }
    let values: Vec<Option<Value>> = verb
        .args
        .iter()
        .zip(args)
        .map(|(kind, arg)| argument(*kind, arg, field, names, errors))
        .collect();
    let values: Option<std::collections::VecDeque<Value>> = values.into_iter().collect();
    (verb.build)(&mut Values(values?))
}

/// The verb that `word` names, if it may stand here.
fn find(
    word: &At<String>,
    place: Place,
    field: &str,
    errors: &mut Diagnostics<'_>,
) -> Option<&'static Verb> {
    let name = word.value.as_str();
    let message = match VERBS.iter().find(|v| v.name == name) {
        Some(verb) if verb.only.is_none_or(|only| only == place) => return Some(verb),
        Some(_) if place == Place::Body => {
            format!("`{name}` stands only in a producer's `steps`, not in a body")
        }
        Some(_) => format!("`{name}` stands only in a work's `body`, not in a producer's `steps`"),
        None => {
            let here = VERBS.iter().filter(|v| v.only.is_none_or(|o| o == place));
            let here: Vec<&str> = here.map(|v| v.name).collect();
            format!(
                "unknown step {} (steps: {}){}",
                quoted(name),
                here.join(", "),
                did_you_mean(name, here.iter().copied())
            )
        }
    };
    errors.error(&word.span, field, message);
    None
}

fn argument(
    kind: Arg,
    arg: &At<String>,
    field: &str,
    names: &mut Names,
    errors: &mut Diagnostics<'_>,
) -> Option<Value> {
    match kind {
        Arg::Item => names.item(arg, field, errors).map(Value::Item),
        Arg::Workqueue => names.workqueue(arg, field, errors).map(Value::Workqueue),
        Arg::Lock => {
            check_name(arg, super::LONGEST_NAME, field, errors);
            Some(Value::Index(names.lock(&arg.value)))
        }
        Arg::Time => match duration::draw(&arg.value) {
            Ok(draw) => Some(Value::Time(draw)),
            Err(message) => {
                errors.error(&arg.span, field, message);
                None
            }
        },
        Arg::Limited => limited(arg, field, names, errors).map(Value::Workqueue),
        Arg::Cpu => cpu(arg, field, names, errors).map(Value::Index),
        Arg::OtherCpu => {
            if names.cpus == 1 {
                let message = "the only CPU cannot leave";
                errors.error(&arg.span, field, message);
                return None;
            }
            cpu(arg, field, names, errors).map(Value::Index)
        }
        Arg::Count => match arg.value.parse() {
            Ok(n) if (1..=MAX_ACTIVE).contains(&n) => Some(Value::Index(n as usize)),
            _ => {
                let message = format!(
                    "expected a whole number from 1 to {MAX_ACTIVE}, found {}",
                    quoted(&arg.value)
                );
                errors.error(&arg.span, field, message);
                None
            }
        },
        Arg::Switch => match arg.value.as_str() {
            "on" => Some(Value::Switch(true)),
            "off" => Some(Value::Switch(false)),
            other => {
                let message = format!("expected `on` or `off`, found {}", quoted(other));
                errors.error(&arg.span, field, message);
                None
            }
        },
    }
}

fn cpu(
    arg: &At<String>,
    field: &str,
    names: &Names,
    errors: &mut Diagnostics<'_>,
) -> Option<usize> {
    let Ok(n) = arg.value.parse() else {
        let message = format!("expected a CPU number, found {}", quoted(&arg.value));
        errors.error(&arg.span, field, message);
        return None;
    };
    names.cpu(&At::new(n, arg.span.clone()), field, errors)
}

/// A workqueue whose `max_active` can change.
fn limited(
    arg: &At<String>,
    field: &str,
    names: &Names,
    errors: &mut Diagnostics<'_>,
) -> Option<WqRef> {
    let wq = names.workqueue(arg, field, errors)?;
    let Some(kind) = names.fixed_limit(&wq) else {
        return Some(wq);
    };
    let name = quoted(&arg.value);
    let message = format!("{name} is {kind}: its max_active cannot change");
    errors.error(&arg.span, field, message);
    None
}

/// The words of a step: split at spaces, but not inside parentheses (`uniform(1ms, 5ms)` is one word).
pub(super) fn split(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut depth = 0_usize;
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let gap = c.is_whitespace() && depth == 0;
        match (gap, start) {
            (true, Some(s)) => {
                words.push(s..i);
                start = None;
            }
            (false, None) => start = Some(i),
            _ => {}
        }
    }
    words.extend(start.map(|s| s..text.len()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_split_at_spaces_outside_parentheses() {
        let words = |text: &str| -> Vec<String> {
            split(text)
                .into_iter()
                .map(|r| text[r].to_owned())
                .collect()
        };
        assert_eq!(words("burn 5ms"), ["burn", "5ms"]);
        assert_eq!(
            words("  sleep  uniform(1ms, 5ms) "),
            ["sleep", "uniform(1ms, 5ms)"]
        );
        assert_eq!(words("a) b"), ["a)", "b"]);
        assert_eq!(words(" \t"), Vec::<String>::new());
    }

    #[test]
    fn words_are_declared_once() {
        let mut all: Vec<&str> = VERBS.iter().map(|v| v.name).collect();
        all.sort_unstable();
        let before = all.len();
        all.dedup();
        assert_eq!(all.len(), before);
    }
}
