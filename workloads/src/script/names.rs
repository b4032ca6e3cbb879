//! The names a script declares, and how a reference to one is resolved.

use super::ast::File;
use super::errors::{At, Diagnostics, did_you_mean, quoted};
use std::collections::HashMap;
use wq_engine::sim::{ItemRef, WqRef};

/// The system workqueues of the language, by the names that they are shown with.
pub(super) const SYSTEM_WORKQUEUES: [&str; 10] = [
    "events",
    "events_highpri",
    "events_long",
    "events_unbound",
    "events_dfl_long",
    "events_freezable",
    "events_power_efficient",
    "events_freezable_pwr_efficient",
    "events_bh",
    "events_bh_highpri",
];

/// What can be referred to.
#[derive(Debug)]
pub(super) struct Names {
    workqueues: Declared,
    works: Declared,
    /// Instances of the works, in file order.
    instances: Vec<u64>,
    /// Why each workqueue's `max_active` cannot change, in file order.
    fixed_limits: Vec<Option<&'static str>>,
    /// Mutexes in the order of their first use.
    locks: Declared,
    /// CPUs: an index is below it.
    pub cpus: usize,
}

/// Names in the order of their declaration, and the index of each.
#[derive(Debug, Default)]
struct Declared {
    names: Vec<String>,
    index: HashMap<String, usize>,
}

impl Declared {
    fn of<'n>(names: impl Iterator<Item = &'n Option<At<String>>>) -> Self {
        let mut all = Self::default();
        for name in names {
            all.add(name.as_ref().map_or("", |n| n.value.as_str()));
        }
        all
    }

    /// Adds a name; one that is there already keeps its first index.
    fn add(&mut self, name: &str) {
        let index = self.names.len();
        self.index.entry(name.to_owned()).or_insert(index);
        self.names.push(name.to_owned());
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.names.iter().map(String::as_str)
    }
}

impl Names {
    /// Everything that `file` declares, right or wrong, so that one bad declaration is not reported at each use too.
    pub fn of(file: &File, cpus: usize) -> Self {
        Self {
            workqueues: Declared::of(file.workqueues.iter().map(|w| &w.name)),
            works: Declared::of(file.works.iter().map(|w| &w.name)),
            instances: file.works.iter().map(|w| w.instances).collect(),
            fixed_limits: file.workqueues.iter().map(fixed_limit).collect(),
            locks: Declared::default(),
            cpus,
        }
    }

    /// The names of all mutexes that were used.
    pub fn into_locks(self) -> Vec<String> {
        self.locks.names
    }

    /// A workqueue by name: the script's own, or a system one.
    pub fn workqueue(
        &self,
        name: &At<String>,
        field: &str,
        errors: &mut Diagnostics<'_>,
    ) -> Option<WqRef> {
        if let Some(i) = self.workqueues.find(&name.value) {
            return Some(WqRef::Own(i));
        }
        let word = name.value.as_str();
        if SYSTEM_WORKQUEUES.contains(&word) {
            return Some(WqRef::System(name.value.clone()));
        }
        errors.error_with(&name.span, field, || {
            let own = self.workqueues.iter();
            format!(
                "unknown workqueue {} ({}; system workqueues: {}){}",
                quoted(word),
                known("workqueues", own.clone()),
                SYSTEM_WORKQUEUES.join(", "),
                did_you_mean(word, own.chain(SYSTEM_WORKQUEUES))
            )
        });
        None
    }

    /// What a workqueue is if its `max_active` cannot change: `ordered` or `bh`.
    pub fn fixed_limit(&self, wq: &WqRef) -> Option<&'static str> {
        match wq {
            WqRef::Own(index) => self.fixed_limits[*index],
            WqRef::System(name) => name.starts_with("events_bh").then_some("bh"),
        }
    }

    /// The index of the work that `w0` or `w0#3` names, if there is one.
    pub fn work_of(&self, item: &str) -> Option<usize> {
        let base = item.split_once('#').map_or(item, |(base, _)| base);
        self.works.find(base)
    }

    /// A work or one of its instances: `w0`, `w0#3`.
    pub fn item(
        &self,
        name: &At<String>,
        field: &str,
        errors: &mut Diagnostics<'_>,
    ) -> Option<ItemRef> {
        let (base, number) = match name.value.split_once('#') {
            Some((base, number)) => (base, Some(number)),
            None => (name.value.as_str(), None),
        };
        let Some(work) = self.works.find(base) else {
            errors.error_with(&name.span, field, || {
                let works = self.works.iter();
                format!(
                    "unknown work {} ({}){}",
                    quoted(base),
                    known("works", works.clone()),
                    did_you_mean(base, works)
                )
            });
            return None;
        };
        let Some(number) = number else {
            return Some(ItemRef {
                work,
                instance: None,
            });
        };
        let instances = self.instances[work];
        match number.parse::<usize>() {
            Ok(n) if (n as u64) < instances => Some(ItemRef {
                work,
                instance: Some(n),
            }),
            _ => {
                let last = instances - 1;
                let message = format!(
                    "no instance {} of `{base}`: there are `{base}#0` to `{base}#{last}`",
                    quoted(number)
                );
                errors.error(&name.span, field, message);
                None
            }
        }
    }

    /// A work as a whole, as a producer's list names it.
    pub fn work(
        &self,
        name: &At<String>,
        field: &str,
        errors: &mut Diagnostics<'_>,
    ) -> Option<usize> {
        let item = self.item(name, field, errors)?;
        if item.instance.is_some() {
            let message = "a producer takes a work's instances in turn: name the work without `#`, or queue one instance with `steps`";
            errors.error(&name.span, field, message);
            return None;
        }
        Some(item.work)
    }

    /// A CPU index.
    pub fn cpu(&self, cpu: &At<u64>, field: &str, errors: &mut Diagnostics<'_>) -> Option<usize> {
        match usize::try_from(cpu.value) {
            Ok(n) if n < self.cpus => Some(n),
            _ => {
                let message = format!(
                    "CPU {} is out of range: {} in use, so 0 to {}",
                    cpu.value,
                    crate::units::count(self.cpus as u64, "CPU"),
                    self.cpus - 1
                );
                errors.error(&cpu.span, field, message);
                None
            }
        }
    }

    /// The index of a mutex, new or known.
    pub fn lock(&mut self, name: &str) -> usize {
        self.locks.find(name).unwrap_or_else(|| {
            self.locks.add(name);
            self.locks.names.len() - 1
        })
    }
}

fn fixed_limit(wq: &super::ast::Workqueue) -> Option<&'static str> {
    let kinds = ["ordered", "bh"].into_iter();
    let mut kinds = kinds.filter(|kind| wq.flags.iter().any(|flag| flag.value == *kind));
    kinds.next()
}

/// The declared names for a message: `works: w0, w1`, shortened when many.
fn known<'n>(what: &str, names: impl Iterator<Item = &'n str> + Clone) -> String {
    const SHOWN: usize = 8;
    let count = names.clone().count();
    if count == 0 {
        return format!("no {what} are declared");
    }
    let mut list: Vec<String> = names
        .take(SHOWN)
        .map(|n| quoted(n).trim_matches('`').to_owned())
        .collect();
    if count > SHOWN {
        list.push(format!("{} more", count - SHOWN));
    }
    format!("{what}: {}", list.join(", "))
}

/// Checks a declared name: 1 to `longest` bytes, without spaces, control characters, `#` and backquotes.
pub(super) fn check_name(
    name: &At<String>,
    longest: usize,
    field: &str,
    errors: &mut Diagnostics<'_>,
) {
    let bad = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || super::errors::is_format_control(c)
            || matches!(c, '#' | '`')
    };
    if name.value.is_empty() {
        errors.error(&name.span, field, "a name cannot be empty");
    } else if name.value.len() > longest {
        let message = format!(
            "{} is too long: a name has at most {longest} bytes",
            quoted(&name.value)
        );
        errors.error(&name.span, field, message);
    } else if name.value.contains(bad) {
        let message = format!(
            "{}: a name has no spaces, control characters, `#` or backquotes",
            quoted(&name.value)
        );
        errors.error(&name.span, field, message);
    }
}
