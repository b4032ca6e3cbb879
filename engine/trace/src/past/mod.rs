//! What was: whole states and the last events of an engine in bounded memory, so that a viewer can go back.
//!
//! States are kept as they come for two minutes ([`Keep::whole`]), of older ones one each five seconds, for an hour.
//! When they would take more than [`Keep::bytes`], or be more than [`Keep::states`], the oldest go earlier; the newest
//! one always stays. Events are kept for ten seconds.
//!
//! A place is told by the stamp of its state ([`Playhead`]), not by its index: indices move as states go.

mod size;
#[cfg(test)]
mod tests;

use crate::event::Event;
use crate::model::{Limits, Model};
use crate::snapshot::Snapshot;
use std::collections::VecDeque;

/// Nanoseconds per second.
const S: u64 = 1_000_000_000;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// States no older than this are all kept, in nanoseconds.
    pub whole: u64,
    /// Of older ones, one in each stretch of this length, in nanoseconds.
    pub coarse: u64,
    /// Nothing older than this, in nanoseconds.
    pub oldest: u64,
    /// States at most.
    pub states: usize,
    /// Memory for states at most, in bytes as [`Past::bytes`] estimates them.
    pub bytes: usize,
    /// Events no older than this, in nanoseconds.
    pub events_for: u64,
    /// Events at most.
    pub events: usize,
}

/// Two minutes whole, an hour each 5 s: 816 states of one a second. At most 64 MiB of states and 22 MiB of events.
impl Default for Keep {
    fn default() -> Self {
        Self {
            whole: 120 * S,
            coarse: 5 * S,
            oldest: 3_600 * S,
            states: 2_000,
            bytes: 64 << 20,
            events_for: 10 * S,
            events: 1 << 18,
        }
    }
}

/// One state.
#[derive(Debug)]
struct Frame {
    snapshot: Snapshot,
    bytes: usize,
    /// Events lost until then.
    lost: u64,
}

/// The past of one engine, live or recorded.
#[derive(Debug)]
pub struct Past {
    keep: Keep,
    frames: VecDeque<Frame>,
    /// So many of the oldest frames are one for each coarse stretch.
    thinned: usize,
    bytes: usize,
    events: VecDeque<Event>,
    /// The newest stamp of all.
    newest: u64,
    lost: u64,
}

impl Past {
    /// Nothing yet.
    pub fn new(keep: Keep) -> Self {
        Self {
            keep,
            frames: VecDeque::new(),
            thinned: 0,
            bytes: 0,
            events: VecDeque::new(),
            newest: 0,
            lost: 0,
        }
    }

    /// Takes in a later state. One with the stamp of the last takes its place; an earlier one is left out.
    pub fn snapshot(&mut self, snapshot: &Snapshot) {
        match self.frames.back().map(|last| last.snapshot.at) {
            Some(last) if snapshot.at < last => return,
            Some(last) if snapshot.at == last => self.drop_newest(),
            _ => {}
        }
        // A copy has no spare room.
        let snapshot = snapshot.clone();
        let bytes = size::of(&snapshot);
        self.bytes += bytes;
        self.newest = self.newest.max(snapshot.at);
        self.frames.push_back(Frame {
            snapshot,
            bytes,
            lost: self.lost,
        });
        self.thin();
        self.bound();
        self.trim_events();
    }

    /// Takes in an event. Events of different rings may come in any order.
    pub fn event(&mut self, event: &Event) {
        self.newest = self.newest.max(event.at);
        if self.events.len() >= self.keep.events {
            self.events.pop_front();
        }
        if self.keep.events > 0 {
            self.events.push_back(*event);
        }
    }

    /// Takes note of `n` events that were lost.
    pub fn lost(&mut self, n: u64) {
        self.lost = self.lost.saturating_add(n);
    }

    /// How many states there are.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The states, oldest first.
    pub fn states(&self) -> impl DoubleEndedIterator<Item = &Snapshot> + ExactSizeIterator {
        self.frames.iter().map(|frame| &frame.snapshot)
    }

    /// The events that are kept, in the order in which they came.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Event> + ExactSizeIterator {
        self.events.iter()
    }

    /// Memory that the states take, in bytes: their size on the heap and 16 bytes for each block, which is what
    /// allocators add. Events take the room of an [`Event`] each besides.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The newest state that is no later than `at`, else the oldest one.
    pub fn index_at(&self, at: u64) -> usize {
        let later = self.frames.partition_point(|frame| frame.snapshot.at <= at);
        later.saturating_sub(1)
    }

    /// The model as it was at a state: folded from that one and those before it, as many as `limits` has history for,
    /// and from the events until then that are still kept.
    ///
    /// Producers and their rates are known for the last seconds only, history has a point for each state that is kept.
    pub fn at(&self, index: usize, limits: Limits) -> Option<Model> {
        let frame = self.frames.get(index)?;
        let first = (index + 1).saturating_sub(limits.history.max(2));
        let mut model = Model::new(limits);
        for earlier in self.frames.range(first..index) {
            model.apply_snapshot(&earlier.snapshot);
        }
        let until = frame.snapshot.at;
        let newest = index + 1 == self.frames.len();
        for event in self
            .events
            .iter()
            .filter(|event| newest || event.at <= until)
        {
            model.apply_event(event);
        }
        model.apply_snapshot(&frame.snapshot);
        model.apply_lost(if newest { self.lost } else { frame.lost });
        Some(model)
    }

    fn drop_newest(&mut self) {
        if let Some(frame) = self.frames.pop_back() {
            self.bytes -= frame.bytes;
            self.thinned = self.thinned.min(self.frames.len());
        }
    }

    fn drop_at(&mut self, index: usize) {
        if let Some(frame) = self.frames.remove(index) {
            self.bytes -= frame.bytes;
        }
    }

    /// Leaves one state in each coarse stretch of what is no longer kept whole.
    fn thin(&mut self) {
        let whole = self.newest.saturating_sub(self.keep.whole);
        let coarse = self.keep.coarse.max(1);
        let stretch = |frame: &Frame| frame.snapshot.at / coarse;
        // The newest stays whatever its age.
        while self.thinned + 1 < self.frames.len() && self.frames[self.thinned].snapshot.at < whole
        {
            let at = self.thinned;
            let doubled = at > 0 && stretch(&self.frames[at]) == stretch(&self.frames[at - 1]);
            if doubled {
                self.drop_at(at);
            } else {
                self.thinned += 1;
            }
        }
    }

    /// The oldest go: those that are too old, then those that are too many or take too much.
    fn bound(&mut self) {
        let oldest = self.newest.saturating_sub(self.keep.oldest);
        while self.frames.len() > 1 {
            let too_old = self.frames[0].snapshot.at < oldest;
            if !too_old && self.frames.len() <= self.keep.states && self.bytes <= self.keep.bytes {
                return;
            }
            self.drop_at(0);
            self.thinned = self.thinned.saturating_sub(1);
        }
    }

    fn trim_events(&mut self) {
        let stale = self.newest.saturating_sub(self.keep.events_for);
        while self.events.front().is_some_and(|event| event.at < stale) {
            self.events.pop_front();
        }
    }
}

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
