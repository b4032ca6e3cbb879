//! How an engine notices that a worker blocked: the tier it chose, how fast that answers on this machine, and what
//! limits it. What the engine writes and the snapshot holds.

use crate::units;

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
    /// How many descriptors the process keeps open at most, to look at a worker each; 0 when not known.
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
    /// The word in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NotMeasured => "not_measured",
            Self::Measured { .. } => "measured",
            Self::NoAnswer => "no_answer",
        }
    }

    /// What people read: `5.1 us p50, 9.8 us p99 of 40`, `not measured`, `no answer`, `unknown`.
    pub fn text(self) -> String {
        match self {
            Self::Measured {
                p50_ns,
                p99_ns,
                rounds,
            } => {
                let [p50, p99] = [p50_ns, p99_ns].map(units::duration);
                format!("{p50} p50, {p99} p99 of {rounds}")
            }
            other => other.word().replace('_', " "),
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

/// What all canaries of an engine did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CanarySums {
    /// Pools that can have one: the normal and highpri ones of each CPU.
    pub pools: u64,
    /// Of those, pools whose canary is armed at this moment.
    pub armed: u64,
    /// See [`CanaryGauges::armings`].
    pub armings: u64,
    /// See [`CanaryGauges::decisions`].
    pub decisions: u64,
    /// See [`CanaryGauges::false_decisions`].
    pub false_decisions: u64,
    /// See [`CanaryGauges::unwatched`].
    pub unwatched: u64,
}

impl CanarySums {
    /// Takes a pool in; `can` says whether it can have a canary.
    pub(crate) fn add(&mut self, canary: &CanaryGauges, can: bool) {
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        add(&mut self.pools, can.into());
        add(&mut self.armed, (can && canary.armed).into());
        add(&mut self.armings, canary.armings);
        add(&mut self.decisions, canary.decisions);
        add(&mut self.false_decisions, canary.false_decisions);
        add(&mut self.unwatched, canary.unwatched.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reactions_read_as_people_write_them() {
        let measured = Reaction::Measured {
            p50_ns: 5_100,
            p99_ns: 9_800,
            rounds: 40,
        };
        assert_eq!(measured.text(), "5.1 us p50, 9.8 us p99 of 40");
        let others = [Reaction::NotMeasured, Reaction::NoAnswer, Reaction::Unknown];
        assert_eq!(
            others.map(Reaction::text),
            ["not measured", "no answer", "unknown"]
        );
        let wild = Reaction::Measured {
            p50_ns: u64::MAX,
            p99_ns: 0,
            rounds: u32::MAX,
        };
        assert!(wild.text().ends_with("0 ns p99 of 4294967295"));
    }

    #[test]
    fn sums_stop_at_the_largest_number() {
        let wild = CanaryGauges {
            armed: true,
            armings: u64::MAX,
            decisions: u64::MAX,
            false_decisions: u64::MAX,
            unwatched: u32::MAX,
        };
        let mut sums = CanarySums::default();
        sums.add(&wild, true);
        sums.add(&wild, false);
        assert_eq!((sums.pools, sums.armed, sums.armings), (1, 1, u64::MAX));
        assert_eq!(sums.unwatched, 2 * u64::from(u32::MAX));
    }
}
