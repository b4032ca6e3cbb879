//! What a lint is, and what it finds.

use super::scene::Scene;
use crate::ids::{FuncId, PoolId, WorkerId, WqId};
use crate::units;
use crate::value::Fields;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// It costs time.
    Warning,
    /// Something does not go on, or is wrong.
    Problem,
}

impl Level {
    /// The word in JSON and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// What a threshold is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds; written with a unit: `250ms`.
    Time,
    /// Things: `32`.
    Count,
    /// Things per second: `500/s` or `500`.
    Rate,
    /// Hundredths: `90%` or `90`.
    Percent,
}

impl Unit {
    /// A threshold as people read and write it.
    pub fn shown(self, threshold: u64) -> String {
        match self {
            Self::Time => units::duration(threshold),
            Self::Count => threshold.to_string(),
            Self::Rate => format!("{threshold}/s"),
            Self::Percent => format!("{threshold}%"),
        }
    }
}

/// What a warning is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A workqueue.
    Workqueue(WqId),
    /// A worker pool.
    Pool(PoolId),
    /// A worker.
    Worker(WorkerId),
    /// A work function.
    Function(FuncId),
    /// The engine as a whole, or its reader.
    Engine,
}

impl Subject {
    /// The word in JSON: `workqueue`, `pool`, ...
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Workqueue(_) => "workqueue",
            Self::Pool(_) => "pool",
            Self::Worker(_) => "worker",
            Self::Function(_) => "function",
            Self::Engine => "engine",
        }
    }
}

/// One kind of warning.
#[derive(Clone, Copy, Debug)]
pub struct Lint {
    /// Its name: `self-requeue`.
    pub name: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What it warns of, as one sentence.
    pub help: &'static str,
    /// From where on it warns, unless the settings say something else.
    pub threshold: u64,
    /// What the threshold is counted in.
    pub unit: Unit,
    /// What the threshold is of, as one sentence.
    pub threshold_help: &'static str,
    /// How long it must look wrong before it is told, in nanoseconds, and in two looks at least. What is known for sure is
    /// told at once.
    pub holds_ns: u64,
    /// What to do.
    pub remedy: &'static str,
    pub(super) check: fn(&Scene<'_>) -> Vec<Finding>,
}

/// How sure a lint is. All is well with what it does not mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is wrong.
    Warn,
    /// It looks wrong: look again.
    Recheck,
}

/// Something wrong, or suspicious.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub verdict: Verdict,
    pub subject: Subject,
    /// What else is concerned.
    pub also: Vec<Subject>,
    pub sentence: String,
    pub evidence: Fields,
}

impl Finding {
    pub fn warn(subject: Subject, sentence: String) -> Self {
        Self {
            verdict: Verdict::Warn,
            subject,
            also: Vec::new(),
            sentence,
            evidence: Vec::new(),
        }
    }

    pub fn recheck(subject: Subject, sentence: String) -> Self {
        Self {
            verdict: Verdict::Recheck,
            ..Self::warn(subject, sentence)
        }
    }

    pub fn also(mut self, also: impl IntoIterator<Item = Subject>) -> Self {
        self.also.extend(also);
        self
    }

    pub fn evidence(mut self, evidence: Fields) -> Self {
        self.evidence = evidence;
        self
    }
}
