//! Does a pool make progress? Kernel: `wq_watchdog_timer_fn()`.
//!
//! Progress is an item that comes onto an empty worklist, or a worker that takes one. So a pool that keeps starting
//! items is fine however long each of them takes.

use super::effect::Effects;
use super::state::PoolState;
use wq_trace::What;

impl<J, W> PoolState<J, W> {
    /// When the pool is to be looked at: once it has made no progress for `thresh` nanoseconds, or that long after it
    /// was last found stalled. `None` while nothing waits.
    pub(crate) fn stall_due(&self, thresh: u64) -> Option<u64> {
        let reference = self.last_progress.max(self.stall_said);
        self.need_watchdog()
            .then(|| reference.saturating_add(thresh))
    }

    /// If the pool is due and still makes no progress: for how many seconds.
    pub(crate) fn stalled(&mut self, thresh: u64, now: u64, fx: &mut Effects<W>) -> Option<u64> {
        self.stall_due(thresh).filter(|&due| due <= now)?;
        self.stall_said = now;
        let seconds = self.hung_seconds(now);
        fx.emit(now, self.subject(), What::Stall { seconds });
        Some(seconds)
    }

    /// Seconds since the last progress, 0 while nothing waits.
    pub(crate) fn hung_seconds(&self, now: u64) -> u64 {
        match self.need_watchdog() {
            true => now.saturating_sub(self.last_progress) / 1_000_000_000,
            false => 0,
        }
    }
}
