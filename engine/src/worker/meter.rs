//! CPU time per execution, without a system call per execution.

use crate::os;

/// Executions longer than this are measured; shorter ones are charged by wall time.
const MEASURED_FROM_NS: u64 = 100_000;
/// The clock is read at least once in this much busy time, so that what is charged cannot drift from it.
const READ_EVERY_NS: u64 = 1_000_000;

/// A worker's CPU clock.
#[derive(Debug)]
pub(super) struct CpuMeter {
    /// The thread's CPU time when it was read last.
    read: u64,
    /// Charged by wall time since then.
    charged: u64,
}

impl CpuMeter {
    pub(super) fn new() -> Self {
        Self {
            read: os::thread_cpu_ns(),
            charged: 0,
        }
    }

    /// The CPU time, in nanoseconds, of the calling worker's execution between two stamps.
    pub(super) fn charge(&mut self, started: u64, ended: u64) -> u64 {
        let wall = ended.saturating_sub(started);
        if wall < MEASURED_FROM_NS && self.charged + wall < READ_EVERY_NS {
            self.charged += wall;
            return wall;
        }
        let before = self.read + self.charged;
        *self = Self::new();
        self.read.saturating_sub(before).min(wall)
    }
}
