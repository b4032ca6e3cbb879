//! What the repository allows, as data.

/// Lines of a file.
pub const FILE_LINES: usize = 600;
/// Lines of a function.
pub const FUNCTION_LINES: usize = 100;

/// Functions that may be longer: one list of cases each, which reads better whole.
pub const LONG_FUNCTIONS: &[(&str, &str)] = &[];

/// The only files with `unsafe`.
pub const UNSAFE_FILES: &[&str] = &["engine/src/os/raw.rs", "engine/trace/src/segment/map.rs"];

/// What the top level holds, besides dotfiles and what git ignores.
pub const TOP_LEVEL: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "engine",
    "workloads",
    "wq-dump",
    "wq-monitor",
];

/// Of our packages, those that each one may depend on.
pub const PACKAGES: &[(&str, &str, &[&str])] = &[
    ("engine/trace", "wq-trace", &[]),
    ("engine", "wq-engine", &["wq-trace"]),
    ("workloads", "wq-replay", &["wq-engine", "wq-trace"]),
    ("wq-monitor", "wq-monitor", &["wq-trace", "wq-replay"]),
    ("wq-dump", "wq-dump", &["wq-trace"]),
];

/// A module and what it never imports.
pub struct Layer {
    /// The folder of the crate's sources.
    pub crate_at: &'static str,
    pub module: &'static str,
    /// Top-level modules of the same crate.
    pub never: &'static [&'static str],
}

const fn layer(
    crate_at: &'static str,
    module: &'static str,
    never: &'static [&'static str],
) -> Layer {
    Layer {
        crate_at,
        module,
        never,
    }
}

const ENGINE: &str = "engine/src";
const TRACE: &str = "engine/trace/src";
const MONITOR: &str = "wq-monitor/src";
const DUMP: &str = "wq-dump/src";
const REPLAY: &str = "workloads/src";

/// Everything in the engine that knows threads, clocks, locks or files.
const OUTER: &[&str] = &["os", "queue", "runtime", "sense", "sim", "worker"];

/// No import points back along the data's way.
pub const LAYERS: &[Layer] = &[
    // The pure centre.
    layer(ENGINE, "pool", OUTER),
    layer(ENGINE, "wq", OUTER),
    layer(ENGINE, "attrs", OUTER),
    layer(ENGINE, "error", OUTER),
    layer(ENGINE, "rcu", OUTER),
    // Locks and atomics are below everything.
    layer(
        ENGINE,
        "sync",
        &[
            "attrs", "os", "pool", "queue", "runtime", "sense", "sim", "worker", "wq",
        ],
    ),
    // Pure data below all of them.
    layer(
        ENGINE,
        "topology",
        &[
            "attrs", "os", "pool", "queue", "runtime", "sense", "sim", "worker", "wq",
        ],
    ),
    layer(
        ENGINE,
        "os",
        &[
            "attrs", "pool", "queue", "runtime", "sense", "sim", "worker", "wq",
        ],
    ),
    // Two ways to execute its effects, which know nothing of each other.
    layer(
        ENGINE,
        "sim",
        &["os", "queue", "runtime", "sense", "worker"],
    ),
    layer(ENGINE, "queue", &["sim"]),
    layer(ENGINE, "runtime", &["sim"]),
    layer(ENGINE, "sense", &["queue", "sim"]),
    layer(ENGINE, "worker", &["sim"]),
    // What writer, reader and tools agree on stands below all three.
    layer(
        TRACE,
        "ids",
        &[
            "discover", "event", "model", "reader", "ring", "segment", "snapshot",
        ],
    ),
    layer(
        TRACE,
        "stats",
        &["discover", "model", "reader", "ring", "segment", "snapshot"],
    ),
    layer(
        TRACE,
        "event",
        &["discover", "model", "reader", "ring", "segment", "snapshot"],
    ),
    layer(
        TRACE,
        "snapshot",
        &["discover", "model", "reader", "ring", "segment"],
    ),
    layer(
        TRACE,
        "settings",
        &[
            "discover", "event", "model", "reader", "ring", "segment", "snapshot",
        ],
    ),
    layer(
        TRACE,
        "sensing",
        &[
            "discover", "event", "layout", "model", "reader", "ring", "segment", "snapshot",
        ],
    ),
    layer(
        TRACE,
        "layout",
        &["discover", "model", "reader", "ring", "segment"],
    ),
    layer(
        TRACE,
        "record",
        &["discover", "model", "reader", "ring", "segment"],
    ),
    layer(
        TRACE,
        "ring",
        &["discover", "model", "reader", "segment", "snapshot"],
    ),
    layer(
        TRACE,
        "segment",
        &[
            "discover",
            "model",
            "reader",
            "recording",
            "session",
            "text",
        ],
    ),
    // The format of recordings and what writes it: data in, bytes out. What reads it is the reader's.
    layer(
        TRACE,
        "recording",
        &[
            "discover", "layout", "model", "reader", "ring", "segment", "session", "text",
        ],
    ),
    layer(TRACE, "reader", &["discover", "model", "session", "text"]),
    // A later source is a kernel that has neither: the model knows data only.
    layer(
        TRACE,
        "model",
        &[
            "discover",
            "layout",
            "process",
            "query",
            "reader",
            "record",
            "recording",
            "ring",
            "segment",
            "session",
            "start",
            "warn",
        ],
    ),
    // Warnings are told by the model alone, whatever it was made from.
    layer(
        TRACE,
        "warn",
        &[
            "clock",
            "discover",
            "explain",
            "export",
            "layout",
            "process",
            "reader",
            "record",
            "recording",
            "ring",
            "segment",
            "session",
            "start",
            "text",
        ],
    ),
    // What was is kept as it came, whoever told it.
    layer(
        TRACE,
        "past",
        &[
            "discover",
            "explain",
            "export",
            "layout",
            "process",
            "query",
            "reader",
            "record",
            "recording",
            "ring",
            "save",
            "segment",
            "session",
            "start",
            "text",
        ],
    ),
    // What is kept, as a file: data in, bytes out.
    layer(
        TRACE,
        "save",
        &[
            "clock", "discover", "layout", "model", "process", "query", "reader", "record", "ring",
            "segment", "session", "start", "text", "warn",
        ],
    ),
    // Questions to the model, and nothing else.
    layer(
        TRACE,
        "query",
        &[
            "discover",
            "explain",
            "export",
            "layout",
            "process",
            "reader",
            "record",
            "recording",
            "ring",
            "segment",
            "session",
            "start",
        ],
    ),
    layer(
        TRACE,
        "text",
        &["discover", "layout", "reader", "record", "ring", "segment"],
    ),
    // Neither do conclusions from events, nor the files that are made of them, know where events come from.
    layer(
        TRACE,
        "explain",
        &[
            "discover", "export", "layout", "process", "reader", "record", "ring", "segment",
            "start", "text",
        ],
    ),
    layer(
        TRACE,
        "export",
        &[
            "discover", "layout", "process", "reader", "record", "ring", "segment", "start",
        ],
    ),
    // Drawing is pure: a view sees the application's state and nothing that changes it.
    layer(
        MONITOR,
        "view",
        &[
            "clock", "headless", "replay", "run", "save", "source", "target", "term", "tui",
        ],
    ),
    layer(
        MONITOR,
        "app",
        &[
            "clock", "headless", "replay", "run", "save", "target", "term", "tui", "view",
        ],
    ),
    // Where in time the screen is, and what it tells and asks for: as pure as the application.
    layer(
        MONITOR,
        "time",
        &[
            "app", "clock", "headless", "input", "run", "save", "term", "tui", "view",
        ],
    ),
    layer(
        MONITOR,
        "moment",
        &["clock", "headless", "run", "save", "term", "tui", "view"],
    ),
    layer(
        MONITOR,
        "note",
        &["clock", "headless", "run", "save", "term", "tui", "view"],
    ),
    layer(
        MONITOR,
        "request",
        &["clock", "headless", "run", "save", "term", "tui", "view"],
    ),
    layer(
        MONITOR,
        "prompt",
        &[
            "act", "app", "details", "input", "lists", "paint", "source", "term", "tui", "typing",
            "view",
        ],
    ),
    layer(
        MONITOR,
        "finding",
        &["input", "run", "term", "tui", "typing", "view"],
    ),
    layer(
        MONITOR,
        "selection",
        &["input", "run", "term", "tui", "typing", "view"],
    ),
    layer(
        MONITOR,
        "chooser",
        &["input", "run", "term", "tui", "typing", "view"],
    ),
    // What is looked at stands below how it is looked at, and below drawing.
    layer(
        MONITOR,
        "paint",
        &[
            "act", "app", "details", "headless", "input", "lists", "run", "source", "target",
            "term", "tui", "view",
        ],
    ),
    layer(
        MONITOR,
        "details",
        &[
            "app", "headless", "input", "lists", "paint", "run", "source", "target", "term", "tui",
            "view",
        ],
    ),
    layer(
        MONITOR,
        "lists",
        &[
            "app", "headless", "input", "run", "source", "target", "term", "tui", "view",
        ],
    ),
    layer(
        MONITOR,
        "source",
        &["app", "headless", "run", "term", "tui", "view"],
    ),
    layer(
        DUMP,
        "table",
        &[
            "args", "config", "events", "export", "list", "state", "stats", "target",
        ],
    ),
    layer(
        DUMP,
        "target",
        &[
            "config", "events", "export", "list", "record", "state", "stats",
        ],
    ),
    layer(REPLAY, "script", &["cli", "exec", "report"]),
    layer(REPLAY, "report", &["cli", "exec"]),
];

/// Words that do not stand in these folders: the pure centre knows no thread, clock, lock or file, and neither does
/// the simulator.
pub const PURE: &[&str] = &[
    "engine/src/pool/",
    "engine/src/wq/",
    "engine/src/sim/",
    // All of the topology but the file that asks the machine.
    "engine/src/topology/affinity.rs",
    "engine/src/topology/attrs.rs",
    "engine/src/topology/mask.rs",
    "engine/src/topology/mod.rs",
    "engine/src/topology/places.rs",
    "engine/src/topology/pods.rs",
    "engine/src/topology/scope.rs",
    "engine/src/topology/spec.rs",
];
/// Words that a file of these may use all the same: a node's slots are counted by all pools that are on it.
pub const PURE_BUT: &[(&str, &str)] = &[("engine/src/wq/node.rs", "Mutex")];
pub const IMPURE: &[&str] = &[
    "File",
    "Instant",
    "Mutex",
    "RwLock",
    "SystemTime",
    "rustix",
    "std::fs",
    "std::thread",
];
