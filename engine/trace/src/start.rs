//! An engine's start: leftovers of earlier ones go, its own segment comes.

use crate::discover::remove_leftovers;
use crate::place::runtime_dir;
use crate::segment::{Segment, SegmentConfig, SegmentProblem};

impl Segment {
    /// Makes the segment of an engine that starts at `now`, in nanoseconds of `CLOCK_MONOTONIC`. Without a file it works
    /// on the heap, and the problem says why, for the engine to tell once. Segments of earlier engines that nobody needs
    /// any more are removed.
    pub fn create(config: &SegmentConfig, now: u64) -> (Self, Option<SegmentProblem>) {
        let dir = config.dir.clone().unwrap_or_else(runtime_dir);
        remove_leftovers(&dir, &config.file_name());
        Self::create_in(&dir, config, now)
    }
}
