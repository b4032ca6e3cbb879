//! How fast counters grow between two snapshots.

/// Steps per second between the last two snapshots.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Items queued.
    pub queued: f64,
    /// Executions begun.
    pub started: f64,
    /// Executions ended.
    pub completed: f64,
    /// CPU time of the executions that ended, as a share of one CPU.
    pub cpu: f64,
}

/// The counters that [`Rates`] are made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flow {
    pub queued: u64,
    pub started: u64,
    pub completed: u64,
    pub cpu_ns: u64,
}

/// The time between two snapshots; turns growth into rates and counts what shrank.
#[derive(Debug)]
pub(super) struct Span {
    /// Nanoseconds; never 0.
    pub ns: u64,
    /// Counters that were smaller than before, and were taken as unchanged.
    pub clamped: u64,
}

impl Span {
    /// A counter's growth per second.
    pub(super) fn rate(&mut self, now: u64, before: u64) -> f64 {
        let Some(grown) = now.checked_sub(before) else {
            // Sums shrink when a pwq is released, as in the kernel.
            self.clamped += 1;
            return 0.0;
        };
        grown as f64 * 1e9 / self.ns as f64
    }

    pub(super) fn rates(&mut self, now: Flow, before: Flow) -> Rates {
        Rates {
            queued: self.rate(now.queued, before.queued),
            started: self.rate(now.started, before.started),
            completed: self.rate(now.completed, before.completed),
            cpu: self.rate(now.cpu_ns, before.cpu_ns) / 1e9,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_per_second() {
        let mut span = Span {
            ns: 500_000_000,
            clamped: 0,
        };
        let now = Flow {
            queued: 30,
            started: 20,
            completed: 10,
            cpu_ns: 250_000_000,
        };
        let before = Flow {
            queued: 10,
            started: 10,
            completed: 10,
            cpu_ns: 0,
        };
        let rates = span.rates(now, before);
        assert_eq!(
            rates,
            Rates {
                queued: 40.0,
                started: 20.0,
                completed: 0.0,
                cpu: 0.5,
            }
        );
        assert_eq!(span.clamped, 0);
    }

    #[test]
    fn what_shrinks_is_clamped_and_counted() {
        let mut span = Span { ns: 1, clamped: 0 };
        assert_eq!(span.rate(3, 5), 0.0);
        assert_eq!(span.clamped, 1);
    }
}
