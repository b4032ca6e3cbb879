//! Where a viewer is in the past.

use super::Past;

/// Where a viewer is in a [`Past`]: at its end, whatever comes, or at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Playhead {
    /// The stamp of the state that is shown; `None` at the end.
    at: Option<u64>,
}

/// States that a jump goes over.
pub const JUMP: isize = 10;

impl Playhead {
    /// Whether it moves on with what comes.
    pub fn is_at_end(&self) -> bool {
        self.at.is_none()
    }

    /// The state that is shown; `None` when there is none at all. One that has gone meanwhile gives way to the one
    /// before it, the oldest to the next.
    pub fn index(&self, past: &Past) -> Option<usize> {
        let last = past.len().checked_sub(1)?;
        Some(self.at.map_or(last, |at| past.index_at(at)))
    }

    /// Stays at what is shown now.
    pub fn hold(&mut self, past: &Past) {
        self.step(past, 0);
    }

    /// Goes so many states on, or back when negative, and no further than there are any. It stays there, also at the
    /// newest.
    pub fn step(&mut self, past: &Past, by: isize) {
        let Some(index) = self.index(past) else {
            return;
        };
        let index = index.saturating_add_signed(by).min(past.len() - 1);
        self.at = Some(past.frames[index].snapshot.at);
    }

    /// Goes [`JUMP`] times so many states.
    pub fn jump(&mut self, past: &Past, by: isize) {
        self.step(past, by.saturating_mul(JUMP));
    }

    /// Goes to the end and moves on with what comes.
    pub fn end(&mut self) {
        self.at = None;
    }
}
