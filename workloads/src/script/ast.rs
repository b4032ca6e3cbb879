//! A script as written: its tables with the place of every value, before names and numbers are checked against each other.

use super::duration;
use super::errors::{At, Diagnostics};
use super::table::{Keys, Scalar, Table};
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeTable;
use wq_engine::sim::{Draw, Pace};

/// Largest `max_active`. Kernel: `WQ_MAX_ACTIVE`.
pub(super) const MAX_ACTIVE: u64 = 2048;
/// Most CPUs, as a number of the file.
const MOST_CPUS: u64 = super::MOST_CPUS as u64;
/// Most instances of one work.
const MOST_INSTANCES: u64 = 100_000;

/// A whole script.
#[derive(Debug, Default)]
pub(super) struct File {
    pub name: Option<At<String>>,
    pub cpus: Option<At<u64>>,
    pub seed: Option<At<u64>>,
    pub topology: Option<At<String>>,
    pub engine: Engine,
    pub workqueues: Vec<Workqueue>,
    pub works: Vec<Work>,
    pub producers: Vec<Producer>,
    pub expects: Vec<Expect>,
}

/// `[engine]`.
#[derive(Debug, Default)]
pub(super) struct Engine {
    pub sensing: Option<At<String>>,
    pub cpu_intensive_thresh: Option<At<Duration>>,
    pub idle_timeout: Option<At<Duration>>,
    pub watchdog_thresh: Option<At<Duration>>,
    pub power_efficient: Option<At<bool>>,
    pub default_affinity_scope: Option<At<String>>,
}

/// `[[workqueue]]`.
#[derive(Debug)]
pub(super) struct Workqueue {
    pub path: String,
    pub name: Option<At<String>>,
    pub flags: Vec<At<String>>,
    pub max_active: Option<At<u64>>,
    pub affinity: Option<Affinity>,
}

/// `affinity = {..}` of a workqueue.
#[derive(Debug)]
pub(super) struct Affinity {
    pub span: Range<usize>,
    pub scope: Option<At<String>>,
    pub strict: bool,
}

/// `[[work]]`.
#[derive(Debug)]
pub(super) struct Work {
    pub path: String,
    pub name: Option<At<String>>,
    pub workqueue: Option<At<String>>,
    pub body: Vec<At<String>>,
    pub instances: u64,
}

/// `[[producer]]`.
#[derive(Debug)]
pub(super) struct Producer {
    pub path: String,
    pub span: Range<usize>,
    pub name: Option<At<String>>,
    pub works: Option<Vec<At<String>>>,
    pub steps: Option<Vec<At<String>>>,
    pub cpu: Option<At<u64>>,
    pub on_cpu: Option<At<bool>>,
    pub at: Draw,
    pub pace: Pace,
    pub count: Option<u64>,
    pub duration: Option<Duration>,
}

/// `[[expect]]`.
#[derive(Debug)]
pub(super) struct Expect {
    pub path: String,
    pub span: Range<usize>,
    pub work: Option<At<String>>,
    pub workqueue: Option<At<String>>,
    pub pool: Option<At<u64>>,
    pub tolerance: Option<At<Scalar>>,
    /// The measures with their values, in the order of [`MEASURES`].
    pub measures: Vec<(&'static str, At<Scalar>)>,
}

/// The keys of `[[expect]]` that say what is measured; the table in `check_expect` gives each its meaning.
pub(super) const MEASURES: [&str; 11] = [
    "finish",
    "started",
    "executions",
    "completed",
    "refused",
    "max_running",
    "p50_wait",
    "p90_wait",
    "p99_wait",
    "max_wait",
    "warning",
];

const FILE_KEYS: Keys = Keys {
    known: &[
        "name",
        "cpus",
        "seed",
        "topology",
        "engine",
        "workqueue",
        "work",
        "producer",
        "expect",
    ],
    later: &[],
};
const ENGINE_KEYS: Keys = Keys {
    known: &[
        "sensing",
        "cpu_intensive_thresh",
        "idle_timeout",
        "watchdog_thresh",
        "power_efficient",
        "default_affinity_scope",
    ],
    later: &[],
};
const WORKQUEUE_KEYS: Keys = Keys {
    known: &["name", "flags", "max_active", "affinity"],
    later: &[],
};
const AFFINITY_KEYS: Keys = Keys {
    known: &["scope", "strict"],
    later: &[],
};
const WORK_KEYS: Keys = Keys {
    known: &["name", "workqueue", "body", "instances"],
    later: &[],
};
const PRODUCER_KEYS: Keys = Keys {
    known: &[
        "name", "works", "steps", "cpu", "on_cpu", "at", "every", "rate", "poisson", "count", "for",
    ],
    later: &[],
};
const EXPECT_KEYS: Keys = Keys {
    known: &[
        "work",
        "workqueue",
        "pool",
        "finish",
        "started",
        "executions",
        "completed",
        "refused",
        "max_running",
        "p50_wait",
        "p90_wait",
        "p99_wait",
        "max_wait",
        "warning",
        "tolerance",
    ],
    later: &[],
};

/// Reads the whole file; what is wrong goes to `errors`.
pub(super) fn read<'a>(root: &Spanned<DeTable<'a>>, errors: &mut Diagnostics<'a>) -> File {
    let mut top = Table::open(root.get_ref(), String::new(), 0..0, FILE_KEYS, errors);
    let mut file = File {
        name: top.string("name", "the script's name"),
        cpus: top.integer("cpus", (1, MOST_CPUS)),
        seed: top.integer("seed", (0, u64::MAX)),
        topology: top.string("topology", "a topology, such as \"1n2l4c2t\""),
        ..File::default()
    };
    let engine = top.table("engine", "a table, [engine]");
    let workqueues = top.tables("workqueue");
    let works = top.tables("work");
    let producers = top.tables("producer");
    let expects = top.tables("expect");
    if let Some((span, map)) = engine {
        file.engine = read_engine(Table::open(map, "engine".into(), span, ENGINE_KEYS, errors));
    }
    for (path, span, map) in workqueues {
        let table = Table::open(map, path, span, WORKQUEUE_KEYS, errors);
        file.workqueues.push(read_workqueue(table));
    }
    for (path, span, map) in works {
        let table = Table::open(map, path, span, WORK_KEYS, errors);
        file.works.push(read_work(table));
    }
    for (path, span, map) in producers {
        let table = Table::open(map, path, span, PRODUCER_KEYS, errors);
        file.producers.push(read_producer(table));
    }
    for (path, span, map) in expects {
        let table = Table::open(map, path, span, EXPECT_KEYS, errors);
        file.expects.push(read_expect(table));
    }
    file
}

fn read_engine(mut table: Table<'_, '_, '_>) -> Engine {
    Engine {
        sensing: table.string("sensing", "how blocking is noticed, such as \"tick\""),
        cpu_intensive_thresh: fixed(&mut table, "cpu_intensive_thresh"),
        idle_timeout: fixed(&mut table, "idle_timeout"),
        watchdog_thresh: fixed(&mut table, "watchdog_thresh"),
        power_efficient: table.boolean("power_efficient"),
        default_affinity_scope: table
            .string("default_affinity_scope", "a scope, such as \"cache\""),
    }
}

fn read_workqueue(mut table: Table<'_, '_, '_>) -> Workqueue {
    let affinity = read_affinity(&mut table);
    Workqueue {
        affinity,
        path: table.path().to_owned(),
        name: table.required_string("name", "the workqueue's name, a string"),
        flags: table
            .strings("flags", "an array of flags, such as [\"percpu\"]")
            .unwrap_or_default(),
        max_active: table.integer("max_active", (0, MAX_ACTIVE)),
    }
}

fn read_affinity(table: &mut Table<'_, '_, '_>) -> Option<Affinity> {
    let (span, map) = table.table("affinity", "a table, such as { scope = \"cache\" }")?;
    let path = table.field("affinity");
    let keys = AFFINITY_KEYS;
    let mut table = Table::open(map, path, span.clone(), keys, table.errors());
    Some(Affinity {
        span,
        scope: table.required_string("scope", "which CPUs share workers, such as \"cache\""),
        strict: table.boolean("strict").is_some_and(|s| s.value),
    })
}

fn read_work(mut table: Table<'_, '_, '_>) -> Work {
    Work {
        path: table.path().to_owned(),
        name: table.required_string("name", "the work's name, a string"),
        workqueue: table.required_string("workqueue", "the name of a workqueue"),
        body: table
            .strings("body", "an array of steps, such as [\"burn 5ms\"]")
            .unwrap_or_default(),
        instances: table
            .integer("instances", (1, MOST_INSTANCES))
            .map_or(1, |n| n.value),
    }
}

fn read_producer(mut table: Table<'_, '_, '_>) -> Producer {
    let pace = read_pace(&mut table);
    let mut count = table.integer("count", (1, u64::MAX)).map(|n| n.value);
    let duration = fixed(&mut table, "for");
    if count.is_none() && duration.is_none() {
        count = Some(1);
    }
    let at = drawn(&mut table, "at");
    Producer {
        path: table.path().to_owned(),
        span: table.span(),
        name: table.required_string("name", "the producer's name, a string"),
        works: table.strings("works", "an array of work names, such as [\"w0\"]"),
        steps: table.strings("steps", "an array of steps, such as [\"queue w0\"]"),
        cpu: table.integer("cpu", (0, MOST_CPUS - 1)),
        on_cpu: table.boolean("on_cpu"),
        at: at.map_or(Draw::Fixed(Duration::ZERO), |at| at.value),
        pace,
        count,
        duration: duration.map(|d| d.value),
    }
}

/// `every`, `rate` or `poisson`; none: back to back.
fn read_pace(table: &mut Table<'_, '_, '_>) -> Pace {
    let every = drawn(table, "every");
    let rate = parsed(table, "rate", "a rate, such as \"1000/s\"", duration::rate);
    let poisson = parsed(
        table,
        "poisson",
        "a rate, such as \"1000/s\"",
        duration::rate,
    );
    let mut given: Vec<(&str, Range<usize>)> = Vec::new();
    given.extend(every.as_ref().map(|e| ("every", e.span.clone())));
    given.extend(rate.as_ref().map(|r| ("rate", r.span.clone())));
    given.extend(poisson.as_ref().map(|p| ("poisson", p.span.clone())));
    given.sort_by_key(|(_, span)| span.start);
    if let [(first, _), (second, span), ..] = given.as_slice() {
        let message =
            format!("both `{first}` and `{second}` say the pace; keep one of every, rate, poisson");
        let field = table.field(second);
        table.errors().error(span, &field, message);
    }
    if let Some(every) = every {
        if duration::is_zero(&every.value) {
            let field = table.field("every");
            let message = "a period is longer than 0; leave `every` out for back to back";
            table.errors().error(&every.span, &field, message);
        }
        return Pace::Every(every.value);
    }
    if let Some(rate) = rate {
        return Pace::Every(Draw::Fixed(Duration::from_secs_f64(1.0 / rate.value)));
    }
    poisson.map_or(Pace::BackToBack, |rate| Pace::Poisson(rate.value))
}

fn read_expect(mut table: Table<'_, '_, '_>) -> Expect {
    const VALUE: &str = "a value such as 3, \"20ms\", \"<= 5ms\" or \">= 3\"";
    let mut measures = Vec::new();
    for key in MEASURES {
        if let Some(value) = table.number_or_string(key, VALUE) {
            measures.push((key, value));
        }
    }
    Expect {
        path: table.path().to_owned(),
        span: table.span(),
        work: table.string("work", "the name of a work"),
        workqueue: table.string("workqueue", "the name of a workqueue"),
        pool: table.integer("pool", (0, u64::from(u32::MAX))),
        tolerance: table.number_or_string("tolerance", "a duration (\"2ms\") or a whole number"),
        measures,
    }
}

/// A fixed duration.
fn fixed(table: &mut Table<'_, '_, '_>, key: &str) -> Option<At<Duration>> {
    parsed(
        table,
        key,
        "a duration in quotes, such as \"5ms\"",
        duration::fixed,
    )
}

/// A duration that may be drawn.
fn drawn(table: &mut Table<'_, '_, '_>, key: &str) -> Option<At<Draw>> {
    parsed(
        table,
        key,
        "a duration in quotes, such as \"5ms\"",
        duration::draw,
    )
}

fn parsed<T>(
    table: &mut Table<'_, '_, '_>,
    key: &str,
    expected: &str,
    parse: fn(&str) -> Result<T, String>,
) -> Option<At<T>> {
    let text = table.string(key, expected)?;
    match parse(&text.value) {
        Ok(value) => Some(At::new(value, text.span)),
        Err(message) => {
            let field = table.field(key);
            table.errors().error(&text.span, &field, message);
            None
        }
    }
}
