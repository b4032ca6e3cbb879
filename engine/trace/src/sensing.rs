//! How an engine notices that a worker blocked: the tier it chose, how fast that answers on this machine, and what
//! limits it. What the engine writes and the snapshot holds.

/// Notes that an engine can show.
pub const SENSING_NOTES: usize = 8;
/// Most bytes of a note.
pub const SENSING_NOTE_BYTES: usize = 160;

/// How blocking is noticed. From an engine that says little of it, what is not known is empty or 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SensingInfo {
    /// The tier in use: `canary`, `tick`, `hints`.
    pub mode: String,
    /// Why it is that one, or what is limited in this engine; empty when there is nothing to say.
    pub reason: String,
    /// What was asked for: `auto`, or a tier; empty when not known.
    pub asked: String,
    /// What makes sensing slower or blind here, a line each: at most [`SENSING_NOTES`] of [`SENSING_NOTE_BYTES`].
    pub notes: Vec<String>,
    /// How fast it answers on this machine.
    pub reaction: Reaction,
    /// How many descriptors the engine keeps open at most, to look at a worker each; 0 when not known.
    pub descriptors: u32,
}

/// The time from a block to the next item's start, as a short test at the engine's start measured it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reaction {
    /// The engine does not say: it is of an earlier version.
    #[default]
    Unknown,
    /// Not measured: skipped, or not done yet.
    NotMeasured,
    /// Measured.
    Measured {
        /// The median, in nanoseconds.
        p50_ns: u64,
        /// One in a hundred took longer, in nanoseconds.
        p99_ns: u64,
        /// How often it was tried.
        rounds: u32,
    },
    /// It was tried, and nothing noticed the block in time.
    NoAnswer,
}

impl Reaction {
    /// The word in JSON and in the tools' tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NotMeasured => "not measured",
            Self::Measured { .. } => "measured",
            Self::NoAnswer => "no answer",
        }
    }

    /// How it stands in a segment: a number, and how many rounds.
    pub(crate) const fn numbers(self) -> (u32, u32) {
        match self {
            Self::Unknown => (0, 0),
            Self::NotMeasured => (1, 0),
            Self::Measured { rounds, .. } => (2, rounds),
            Self::NoAnswer => (3, 0),
        }
    }

    /// The one with these numbers; of a later version's it is not known what they mean.
    pub(crate) const fn from_numbers(kind: u32, rounds: u32, p50_ns: u64, p99_ns: u64) -> Self {
        match kind {
            1 => Self::NotMeasured,
            2 => Self::Measured {
                p50_ns,
                p99_ns,
                rounds,
            },
            3 => Self::NoAnswer,
            _ => Self::Unknown,
        }
    }
}

/// What a pool's canary did: of the pool's slot. All 0 where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CanaryGauges {
    /// Whether it is armed at this moment: items wait behind a worker that runs.
    pub armed: bool,
    /// How often it was armed.
    pub armings: u64,
    /// How often it found the running workers blocked and had another one woken.
    pub decisions: u64,
    /// How many of those were wrong: the worker had only been preempted.
    pub false_decisions: u64,
    /// Workers without a descriptor of their own: they are left to the tick.
    pub unwatched: u32,
}
