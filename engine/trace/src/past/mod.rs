//! What was: whole states and the last events of an engine in bounded memory, so that a viewer can go back.
//!
//! States are kept as they come for two minutes ([`Keep::whole`]), of older ones one each five seconds, for an hour.
//! When they would take more than [`Keep::bytes`], or be more than [`Keep::states`], the oldest go earlier; the newest
//! one always stays. Of events the last quarter of a million are kept, for an hour, with the places where some were lost.
//!
//! A place is told by the stamp of its state ([`Playhead`]), not by its index: indices move as states go.

mod playhead;
mod size;
mod strip;
#[cfg(test)]
mod tests;
mod window;

pub use playhead::{JUMP, Playhead};
pub use window::Gap;

use crate::event::Event;
use crate::model::{AHEAD_NS, Limits, Model};
use crate::snapshot::Snapshot;
use crate::stats::Counter;
use std::collections::VecDeque;
use std::sync::Arc;
use window::Window;

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

/// Two minutes whole, an hour each 5 s: 816 states of one a second. At most 64 MiB of states and 22 MiB of events, twice
/// that while they are held.
impl Default for Keep {
    fn default() -> Self {
        Self {
            whole: 120 * S,
            coarse: 5 * S,
            oldest: 3_600 * S,
            states: 2_000,
            bytes: 64 << 20,
            events_for: 3_600 * S,
            events: 1 << 18,
        }
    }
}

impl Keep {
    /// For what is over and has `states` states, `length` nanoseconds from the first to the last: all of them where
    /// there is room, else the newest whole and of the others one in each stretch, however old they are; and the last
    /// half million events, 44 MiB, whenever they were.
    pub fn ended(states: u64, length: u64) -> Self {
        let default = Self::default();
        // A quarter of the room is for the newest.
        let quarter = default.states as u64 / 4;
        let all = states <= default.states as u64;
        let whole = u128::from(length) * u128::from(quarter) / u128::from(states.max(1));
        Self {
            whole: if all { u64::MAX } else { whole as u64 },
            coarse: length / (2 * quarter) + 1,
            oldest: u64::MAX,
            events_for: u64::MAX,
            events: 1 << 19,
            ..default
        }
    }
}

/// One state.
#[derive(Clone, Debug)]
struct Frame {
    /// Shared with whoever writes it to a file meanwhile.
    snapshot: Arc<Snapshot>,
    bytes: usize,
    /// Events lost until then.
    lost: u64,
    /// Executions begun until then.
    begun: u64,
}

/// Events that are held, and the newest state of then.
#[derive(Debug)]
struct Held {
    window: Window,
    until: u64,
}

/// The past of one engine, live or recorded.
#[derive(Debug)]
pub struct Past {
    keep: Keep,
    frames: VecDeque<Frame>,
    /// So many of the oldest frames are one for each coarse stretch.
    thinned: usize,
    bytes: usize,
    window: Window,
    /// The events as they were when they were held.
    held: Option<Box<Held>>,
    /// The newest stamp of a state. Events have no say: one wrong stamp would make all that is kept too old.
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
            window: Window::default(),
            held: None,
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
        let started = snapshot.pwqs.iter();
        let started = started.map(|pwq| pwq.counters[Counter::Started as usize]);
        let begun = started.fold(0, u64::saturating_add);
        self.bytes += bytes;
        self.newest = self.newest.max(snapshot.at);
        self.frames.push_back(Frame {
            snapshot: Arc::new(snapshot),
            bytes,
            lost: self.lost,
            begun,
        });
        self.thin();
        self.bound();
        let stale = self.newest.saturating_sub(self.keep.events_for);
        self.window
            .trim(stale, self.newest.saturating_add(AHEAD_NS));
    }

    /// Takes in an event. Events of different rings may come in any order.
    pub fn event(&mut self, event: &Event) {
        self.window.event(event, &self.keep);
    }

    /// Says that `lost` events are missing before the next one: in which ring, as [`crate::RingRow::index`] counts, and
    /// the stamp of that ring's next event, where that is known. [`Past::lost`] counts them, if they are to be counted:
    /// those that were overwritten before anybody looked are not.
    pub fn gap(&mut self, lost: u64, ring: Option<u32>, until: Option<u64>) {
        self.window.gap(Gap { lost, ring, until });
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
        self.frames.iter().map(|frame| &*frame.snapshot)
    }

    /// The events that are kept, in the order in which they came; while they are held, those that were there then.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Event> + ExactSizeIterator {
        self.window().events().iter()
    }

    /// Where events are missing among [`Past::events`]: each gap with the index of the event that it stands before, in
    /// order. Nothing may be concluded across one.
    pub fn gaps(&self) -> impl DoubleEndedIterator<Item = (usize, Gap)> {
        self.window().gaps()
    }

    /// What came, or was lost, before the first of [`Past::events`]; `None` when they begin with all that there was.
    pub fn before(&self) -> Option<Gap> {
        self.window().before()
    }

    /// Keeps the events as they are now for who looks at them, while others come. Again: nothing new.
    pub fn hold(&mut self) {
        if self.held.is_none() {
            let until = self.frames.back().map_or(0, |frame| frame.snapshot.at);
            let window = self.window.clone();
            self.held = Some(Box::new(Held { window, until }));
        }
    }

    /// The stamp of the state that was the newest when the events were held; `None` while they are not.
    pub fn held_until(&self) -> Option<u64> {
        self.held.as_ref().map(|held| held.until)
    }

    /// Shows the events that came since [`Past::hold`].
    pub fn release(&mut self) {
        self.held = None;
    }

    /// The same for another thread, as it is now or as it is held, while this one goes on. The states are shared.
    pub fn kept(&self) -> Self {
        let until = self.held_until().unwrap_or(u64::MAX);
        let frames = self.frames.iter();
        let frames = frames.take_while(|frame| frame.snapshot.at <= until);
        let frames: VecDeque<_> = frames.cloned().collect();
        Self {
            keep: self.keep,
            thinned: self.thinned.min(frames.len()),
            bytes: frames.iter().map(|frame| frame.bytes).sum(),
            frames,
            window: self.window().clone(),
            held: None,
            newest: self.newest,
            lost: self.lost,
        }
    }

    fn window(&self) -> &Window {
        self.held.as_ref().map_or(&self.window, |held| &held.window)
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
    /// and from those of [`Past::events`] until then.
    ///
    /// Producers and their rates are known for the last seconds only, history has a point for each state that is kept.
    pub fn at(&self, index: usize, limits: Limits) -> Option<Model> {
        let frame = self.frames.get(index)?;
        let first = (index + 1).saturating_sub(limits.history.max(2));
        let mut model = Model::new(limits);
        for earlier in self.frames.range(first..index) {
            // Of what was before, only its points of history are asked for.
            model.pass_snapshot(&earlier.snapshot);
        }
        let until = frame.snapshot.at;
        let newest = index + 1 == self.frames.len();
        let latest = until.saturating_add(if newest { AHEAD_NS } else { 0 });
        self.events()
            .filter(|event| event.at <= latest)
            .for_each(|event| model.apply_event(event));
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
}
