//! The clocks that the tool reads; everything else takes the time as an argument.

use rustix::time::{ClockId, clock_gettime};

/// CLOCK_MONOTONIC, the segment's clock, in nanoseconds.
pub fn monotonic() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or_default()
}

/// CPU time of this thread: that of the monitor, without an engine that may live in the same process.
#[derive(Debug)]
pub struct OwnCpu {
    used: u64,
    at: u64,
}

impl OwnCpu {
    /// Counts from now on.
    pub fn start() -> Self {
        Self {
            used: nanoseconds(ClockId::ThreadCPUTime),
            at: monotonic(),
        }
    }

    /// The share of one CPU used since the last call.
    pub fn share(&mut self) -> f64 {
        let now = Self::start();
        let used = now.used.saturating_sub(self.used) as f64;
        let share = used / now.at.saturating_sub(self.at).max(1) as f64;
        *self = now;
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_never_uses_more_than_one_cpu() {
        let mut own = OwnCpu::start();
        let until = monotonic() + 5_000_000;
        while monotonic() < until {}
        let share = own.share();
        assert!(share > 0.0 && share < 1.5, "{share}");
    }
}
