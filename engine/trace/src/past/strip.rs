//! How busy the engine was, stretch by stretch, and when events were lost: what a viewer finds the moment by that matters.

use super::Past;

impl Past {
    /// Executions begun per second in each of `cells` equal stretches from the oldest state to the newest. Between two
    /// states they are taken to be spread evenly. Empty when there are less than two states.
    pub fn strip(&self, cells: usize) -> Vec<f64> {
        let (Some(first), Some(last)) = (self.frames.front(), self.frames.back()) else {
            return Vec::new();
        };
        let (from, span) = (first.snapshot.at, last.snapshot.at - first.snapshot.at);
        if span == 0 || cells == 0 {
            return Vec::new();
        }
        let border =
            |cell: usize| self.begun_by(from as f64 + span as f64 * cell as f64 / cells as f64);
        let seconds = span as f64 / cells as f64 / 1e9;
        let rate = |cell| (border(cell + 1) - border(cell)).max(0.0) / seconds;
        (0..cells).map(rate).collect()
    }

    /// In which cells of such a strip events were lost: a loss is noticed by the state that comes after it.
    pub fn lossy(&self, cells: usize) -> Vec<bool> {
        let mut lossy = vec![false; cells];
        let frames = self.frames.iter();
        for (before, after) in frames.clone().zip(frames.skip(1)) {
            if after.lost > before.lost
                && let Some(cell) = lossy.get_mut(self.cell_of(after.snapshot.at, cells))
            {
                *cell = true;
            }
        }
        lossy
    }

    /// The cell of such a strip that a moment stands in.
    pub fn cell_of(&self, at: u64, cells: usize) -> usize {
        let (Some(first), Some(last)) = (self.frames.front(), self.frames.back()) else {
            return 0;
        };
        let span = (last.snapshot.at - first.snapshot.at).max(1) as f64;
        let place = at.saturating_sub(first.snapshot.at) as f64 / span * cells as f64;
        (place as usize).min(cells.saturating_sub(1))
    }

    /// Executions begun until then, as far as the states tell.
    fn begun_by(&self, at: f64) -> f64 {
        let next = self
            .frames
            .partition_point(|frame| (frame.snapshot.at as f64) < at);
        let Some(after) = self.frames.get(next) else {
            return self.frames.back().map_or(0.0, |frame| frame.begun as f64);
        };
        let Some(before) = next.checked_sub(1).map(|index| &self.frames[index]) else {
            return after.begun as f64;
        };
        let span = (after.snapshot.at - before.snapshot.at).max(1) as f64;
        let share = (at - before.snapshot.at as f64) / span;
        before.begun as f64 + (after.begun as f64 - before.begun as f64) * share
    }
}
