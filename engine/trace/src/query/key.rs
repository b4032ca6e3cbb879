//! The keys of a query, what each compares with, and of which rows it says something: the keys of the column tables,
//! and short ones that mean the nearest thing on every kind of row.

use crate::model::columns::{self, Cell, Column};
use crate::stats::WaitPart;
use std::sync::LazyLock;

/// What a value is, and so what it can be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A name or a word: `:` pattern, `~` regular expression, `=` exactly.
    Word,
    /// `:yes` or `:no`.
    Flag,
    /// How many, or which one: `>` `>=` `<` `<=` `=`, and `:` with a pattern of digits.
    Number,
    /// Per second: `>` `>=` `<` `<=` `=`.
    Rate,
    /// A duration with its unit: `>` `>=` `<` `<=` `=`.
    Time,
    /// Percent: `>` `>=` `<` `<=` `=`.
    Share,
}

/// Kinds of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A workqueue.
    Workqueue,
    /// A worker pool.
    Pool,
    /// A worker.
    Worker,
    /// A work function.
    Function,
    /// Who queues what where.
    Producer,
    /// An event.
    Event,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Workqueue,
        Self::Pool,
        Self::Worker,
        Self::Function,
        Self::Producer,
        Self::Event,
    ];

    /// What several of them are called.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Workqueue => "workqueues",
            Self::Pool => "pools",
            Self::Worker => "workers",
            Self::Function => "functions",
            Self::Producer => "producers",
            Self::Event => "events",
        }
    }
}

/// A key of the language.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it compares with.
    pub class: Class,
    /// The rows that it says something of.
    pub of: Vec<Kind>,
    /// What it says, as one sentence.
    pub help: &'static str,
}

use Kind::{Event, Function, Pool, Producer, Worker, Workqueue};

/// Name, class, rows, help.
type Short = (&'static str, Class, &'static [Kind], &'static str);

/// Those that no table has, and those that mean something on more rows than tables have them for.
#[rustfmt::skip]
const SHORT: &[Short] = &[
    ("name", Class::Word, &Kind::ALL, "Its name; of a producer and of an event also those of the function and workqueue."),
    ("wq", Class::Word, &Kind::ALL, "A workqueue: its own name, or that of the event, or one that the pool, worker, function or producer serves."),
    ("fn", Class::Word, &Kind::ALL, "A work function: its own name, or that of the event, or one that was queued or runs there."),
    ("worker", Class::Word, &[Workqueue, Pool, Worker, Function, Event], "A worker: its own name, or that of the event, or one of the pool, or one that executes an item of it now."),
    ("from", Class::Word, &[Producer, Event], "Who queues: a function, or a thread as name-tid."),
    ("state", Class::Word, &[Workqueue, Pool, Worker, Function], "held, pending, running, sleeping, idle; of workers also busy, managing; of functions also armed."),
    ("kind", Class::Word, &[Workqueue, Pool, Worker], "percpu, unbound, ordered, bh; of pools what they serve; of workers normal, rescuer, bh."),
    ("pool", Class::Number, &[Workqueue, Pool, Worker, Function, Event], "Number of a pool: its own, or that of the event, or one that has had items of it."),
    ("cpu", Class::Number, &[Workqueue, Pool, Worker, Function, Event], "CPU of such a pool; of an event that of the thread."),
    ("for", Class::Time, &[Worker], "How long it has been in its state."),
    ("wait", Class::Time, &[Workqueue, Pool, Function], "How long items wait: of workqueues the 99th percentile, of pools and functions the mean."),
    ("run", Class::Time, &[Workqueue, Worker, Function], "How long items run: of workqueues the 99th percentile, of functions the longest, of workers the item at hand."),
    ("rate", Class::Rate, &[Workqueue, Pool, Function, Producer], "Executions begun per second; of producers items queued per second."),
    ("events", Class::Rate, &[Workqueue, Pool, Function, Producer], "The same as rate."),
    ("why", Class::Word, &[Workqueue, Pool, Function], "What explains most of the wait: concurrency, no_worker, inactive_max_active, ..."),
    ("event", Class::Word, &[Event], "The step, as wq-dump events names it: queue_work, execute_start, ..."),
    ("thread", Class::Word, &[Event], "The thread that took the step, as name-tid."),
    ("queued", Class::Number, &[Producer], "Items queued."),
    ("wait_p90", Class::Time, &[Workqueue], "9 of 10 items waited no longer than this."),
    ("wait_max", Class::Time, &[Workqueue], "The longest wait."),
    ("run_p90", Class::Time, &[Workqueue], "9 of 10 executions took no longer than this."),
    ("run_max", Class::Time, &[Workqueue], "The longest execution."),
];

/// All keys: the short ones, the parts of a wait in percent of it, then those of the columns.
static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let mut keys = Vec::new();
    for &(name, class, of, help) in SHORT {
        add(&mut keys, name, class, of, help);
    }
    let waits = [Workqueue, Pool, Function];
    for part in WaitPart::ALL {
        add(&mut keys, part.name(), Class::Share, &waits, part.help());
    }
    table(&mut keys, columns::WORKQUEUES, Workqueue);
    table(&mut keys, columns::POOLS, Pool);
    table(&mut keys, columns::FUNCTIONS, Function);
    table(&mut keys, columns::WORKERS, Worker);
    table(&mut keys, columns::PRODUCERS, Producer);
    keys
});

fn add(keys: &mut Vec<Key>, name: &'static str, class: Class, of: &[Kind], help: &'static str) {
    match keys.iter_mut().find(|key| key.name == name) {
        Some(key) => key.of.extend(of),
        None => keys.push(Key {
            name,
            class,
            of: of.to_vec(),
            help,
        }),
    }
}

fn table<R: Default>(keys: &mut Vec<Key>, table: &'static [Column<R>], kind: Kind) {
    for column in table {
        let known = keys
            .iter()
            .any(|key| key.name == column.key && key.of.contains(&kind));
        if !known {
            add(keys, column.key, class_of(column), &[kind], column.help);
        }
    }
}

/// What a column's cells are; where an empty row has none, its unit tells.
fn class_of<R: Default>(column: &Column<R>) -> Class {
    match (column.cell)(&R::default()) {
        Cell::Text(_) => Class::Word,
        Cell::Flag(_) => Class::Flag,
        Cell::Rate(_) => Class::Rate,
        Cell::Ns(_) | Cell::Us(_) => Class::Time,
        Cell::Number(_) | Cell::Count(_) => Class::Number,
        Cell::Share(_) => Class::Share,
        Cell::None if column.unit.is_empty() => Class::Word,
        Cell::None if column.unit == "ns" => Class::Time,
        Cell::None => Class::Number,
    }
}

/// All keys, in the order in which they are offered: short ones first.
pub fn keys() -> &'static [Key] {
    &KEYS
}

/// The key of this name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    keys().iter().find(|key| key.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_one_class_whatever_the_row() {
        fn agree<R: Default>(table: &'static [Column<R>], but: &[&str]) {
            for column in table.iter().filter(|column| !but.contains(&column.key)) {
                let key = find(column.key).expect("a key for each column");
                assert_eq!(key.class, class_of(column), "{}", column.key);
            }
        }
        agree(columns::WORKQUEUES, &[]);
        agree(columns::POOLS, &[]);
        agree(columns::FUNCTIONS, &[]);
        agree(columns::WORKERS, &[]);
        agree(columns::PRODUCERS, &[]);
    }

    #[test]
    fn names_are_told_once_and_can_be_written_without_quotes() {
        let mut names: Vec<_> = keys().iter().map(|key| key.name).collect();
        for name in &names {
            assert!(
                name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()),
                "{name}"
            );
        }
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        for key in keys() {
            assert!(
                !key.of.is_empty() && key.help.ends_with(['.']),
                "{}",
                key.name
            );
        }
    }
}
