//! A way through the events of all rings, in the order of their stamps.
//!
//! Rings overwrite, so what they hold is read at once, whenever the rings are looked at, and waits here until it is its
//! turn. A cursor that is asked at least every few milliseconds loses only what comes faster than it is taken, and that
//! only when so much of it waits as [`MOST_AHEAD`] allows.

use super::Reader;
use super::ahead::{BATCH, RingCursor};
use super::head::Head;
use super::recorded::{Replay, Step};
use crate::event::Event;
use crate::layout::{Kind, RECORD_WORDS};
use crate::snapshot::Liveness;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// How long an event of a live engine is held back, so that older ones of other rings can come first.
pub const MERGE_DELAY_NS: u64 = 20_000_000;
/// Events of one ring that a cursor reads ahead at most; what is written beyond them may be overwritten, and is then
/// counted as lost. An event takes 64 bytes.
pub const MOST_AHEAD: usize = 1 << 17;
/// ... and of all rings together; 512 of each ring are read ahead in any case, since they cannot be merged without.
pub const MOST_AHEAD_IN_ALL: usize = 1 << 19;
/// The rings are looked at again after this time: less than the fastest writer needs to fill one.
const POLL_NS: u64 = 1_000_000;
/// While something waits to be given out, its writer is looked at again after this time.
const ALIVE_NS: u64 = 20_000_000;
/// Losses of a recording that are kept for who asks for them one by one.
const MOST_LOSSES: usize = 1024;
/// Looks at the rings of an engine that is gone: enough for the largest ring, and an end with a file that still changes.
const LAST_LOOKS: usize = 256;

/// Where a cursor begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// With the oldest event that is still there; those before it count as lost.
    Oldest,
    /// With what is emitted from now on.
    Now,
}

/// What a cursor has next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// An event.
    Record(Event),
    /// Nothing yet: ask again later.
    Idle,
    /// So many events were overwritten before they could be read, in one ring or in several.
    Lost(u64),
    /// All is read, and the engine's process is gone without a word.
    WriterGone,
    /// All is read, and the engine has ended; or a recording of it has.
    End,
}

/// Events of one ring that were overwritten before they could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Which ring: [`crate::RingRow::index`].
    pub ring: u32,
    /// How many.
    pub lost: u64,
    /// The stamp of the first event after them, in nanoseconds on the segment's clock; `None` when there is none yet.
    pub until: Option<u64>,
}

impl Loss {
    /// The ring of events that were lost with a damaged part of a recording: it may be any.
    pub const NO_RING: u32 = u32::MAX;
}

/// Reads the events of all rings, new ones included, and merges them by stamp; or those of a recording, in its order.
#[derive(Debug)]
pub struct Cursor {
    reader: Reader,
    /// The way through a recording, which has no rings.
    replay: Option<Replay>,
    /// What was lost in it, and [`Cursor::losses`] has not told of yet.
    replayed: Vec<Loss>,
    /// The head when the rings were last looked at.
    head: Option<Head>,
    /// Room for one batch of records.
    buffer: Vec<u64>,
    rings: Vec<RingCursor>,
    /// Directory entries looked at.
    entries: usize,
    /// The rings that have an event, by its stamp.
    heads: BinaryHeap<Reverse<(u64, usize)>>,
    /// Events of all rings that wait to be given out.
    waiting: usize,
    /// When all rings were last looked at.
    polled_at: Option<u64>,
    /// When its writer was last seen alive, after such a look.
    alive_at: Option<u64>,
    /// How the writer ended, once that is known and all that it wrote has been looked at.
    gone: Option<Next>,
    /// Lost and not yet reported.
    unreported: u64,
    last_at: u64,
    seen: u64,
    lost: u64,
    /// Of a recording: what was lost before its first event.
    early: u64,
    /// Missed, and told by [`Cursor::take_missed`].
    missed: u64,
    late: u64,
    unknown: u64,
}

impl Cursor {
    pub(super) fn new(reader: Reader, from: From) -> Self {
        let replay = reader.recorded.clone().map(|recording| match from {
            From::Oldest => Replay::new(recording),
            From::Now => Replay::at_end(recording),
        });
        let mut cursor = Self {
            reader,
            replay,
            replayed: Vec::new(),
            head: None,
            buffer: vec![0; BATCH * RECORD_WORDS],
            rings: Vec::new(),
            entries: 0,
            heads: BinaryHeap::new(),
            waiting: 0,
            polled_at: None,
            alive_at: None,
            gone: None,
            unreported: 0,
            last_at: 0,
            seen: 0,
            lost: 0,
            early: 0,
            missed: 0,
            late: 0,
            unknown: 0,
        };
        if from == From::Now
            && cursor.replay.is_none()
            && let Ok(head) = Head::read(&*cursor.reader.source)
        {
            cursor.find_rings(&head, From::Now);
        }
        cursor
    }

    /// The next event, or why there is none. `now` is the time on the segment's clock (`CLOCK_MONOTONIC`); for a
    /// simulator's segment `u64::MAX`: everything at once. A recording gives everything at once, whatever `now` is.
    pub fn next(&mut self, now: u64) -> Next {
        if self.replay.is_some() {
            return self.replay();
        }
        let looked = self.gone.is_none() && self.is_due(now);
        if looked {
            self.poll(now);
        }
        if let Some(next) = self.give(now) {
            return next;
        }
        let waits = !self.heads.is_empty() && self.gone.is_none();
        if !looked {
            if waits && self.alive_at.is_some() {
                return Next::Idle;
            }
            self.poll(now);
            if let Some(next) = self.give(now) {
                return next;
            }
        } else if waits && self.was_alive(now) {
            return Next::Idle;
        }
        if self.gone.is_none() {
            self.gone = match self.reader.liveness() {
                Ok(Liveness::Live | Liveness::Unknown) => {
                    self.alive_at = Some(now);
                    return Next::Idle;
                }
                Ok(Liveness::Ended | Liveness::Recorded) => Some(Next::End),
                Ok(Liveness::Dead) | Err(_) => Some(Next::WriterGone),
            };
        }
        for _ in 0..LAST_LOOKS {
            // What it wrote between the look at its rings and its end, and what stands behind many unknown events.
            self.poll(now);
            if let Some(next) = self.give(now) {
                return next;
            }
            if !self.rings.iter().any(|ring| ring.more) {
                break;
            }
        }
        self.gone.unwrap_or(Next::Idle)
    }

    /// The next event of a recording.
    fn replay(&mut self) -> Next {
        while let Some(replay) = &mut self.replay {
            match replay.next(&*self.reader.source) {
                Step::Event(event) => {
                    self.given(event.at);
                    return Next::Record(event);
                }
                Step::Unknown => {
                    self.seen += 1;
                    self.unknown += 1;
                }
                Step::Lost(loss) => {
                    self.lost = self.lost.saturating_add(loss.lost);
                    if self.seen == 0 {
                        self.early = self.lost;
                    }
                    self.note(loss);
                    return Next::Lost(loss.lost);
                }
                Step::Over(end) => return end,
            }
        }
        Next::End
    }

    /// Keeps a loss for who asks; nobody may.
    fn note(&mut self, loss: Loss) {
        if self.replayed.len() < MOST_LOSSES {
            self.replayed.push(loss);
        } else if let Some(last) = self.replayed.last_mut() {
            last.lost = last.lost.saturating_add(loss.lost);
        }
    }

    /// Counts an event that is given out.
    fn given(&mut self, at: u64) {
        self.seen += 1;
        self.late += u64::from(at < self.last_at);
        self.last_at = self.last_at.max(at);
    }

    /// Whether it is time to look at the rings again. Who asks for everything at once has no time, and looks when all is
    /// given out.
    fn is_due(&self, now: u64) -> bool {
        let due = |at: u64| now >= at.saturating_add(POLL_NS);
        now != u64::MAX && self.polled_at.is_some_and(due)
    }

    /// Whether the writer was seen alive so short a time ago that another look is not worth its cost.
    fn was_alive(&self, now: u64) -> bool {
        let recent = |at: u64| now < at.saturating_add(ALIVE_NS);
        self.alive_at.is_some_and(recent)
    }

    /// Events given out, or skipped because this version does not know them.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Events that were overwritten before they could be read (of a recording: or that its damage cost). Those that
    /// found no ring at all are [`crate::Snapshot::lost_no_ring`].
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Of the lost ones, those that a cursor from [`From::Oldest`] on found overwritten when it first looked at a ring
    /// that was there before it (of a recording: those before its first event). They are history that nobody kept; all
    /// others came while the cursor read, and it was too slow for them.
    pub fn lost_before(&self) -> u64 {
        let rings = self.rings.iter().map(|ring| ring.early);
        rings.fold(self.early, u64::saturating_add)
    }

    /// How many were lost since this was last asked because they came faster than they were read: all but those of
    /// [`Cursor::lost_before`].
    pub fn take_missed(&mut self) -> u64 {
        let missed = self.lost.saturating_sub(self.lost_before());
        missed.saturating_sub(std::mem::replace(&mut self.missed, missed))
    }

    /// Seen and lost events of each ring, in the order of [`crate::RingRow::index`]; of a recording, as its recorder saw
    /// them until its end.
    pub fn by_ring(&self) -> impl Iterator<Item = (u64, u64)> {
        let recorded = self
            .replay
            .iter()
            .flat_map(|replay| replay.recording().rings());
        let read = self.rings.iter().map(|ring| (ring.seen, ring.lost));
        read.chain(recorded.copied())
    }

    /// What was lost since this was last asked, ring by ring: the parts of [`Next::Lost`].
    pub fn losses(&mut self) -> Vec<Loss> {
        let mut losses = std::mem::take(&mut self.replayed);
        for (index, ring) in self.rings.iter_mut().enumerate() {
            let lost = ring.lost - std::mem::replace(&mut ring.told, ring.lost);
            if lost > 0 {
                losses.push(Loss {
                    ring: index as u32,
                    lost,
                    until: ring.front(),
                });
            }
        }
        losses
    }

    /// Events given out after a younger one.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Events of a kind that this version does not know.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Rings that contradicted themselves and are not read any more.
    pub fn damaged(&self) -> usize {
        self.rings.iter().filter(|ring| ring.damaged).count()
    }

    /// What can be given out without another look at the rings.
    fn give(&mut self, now: u64) -> Option<Next> {
        if self.unreported > 0 {
            return Some(Next::Lost(std::mem::take(&mut self.unreported)));
        }
        let &Reverse((at, index)) = self.heads.peek()?;
        let looked = self.polled_at?.min(now);
        let old_enough = at.saturating_add(MERGE_DELAY_NS) <= looked || now == u64::MAX;
        // With an event of every ring at hand, nothing older than the oldest can come.
        let complete = self.heads.len() == self.rings.len();
        if !(old_enough || complete || self.gone.is_some()) {
            return None;
        }
        self.take(index).map(Next::Record)
    }

    /// The oldest event of a ring, which is the oldest of all.
    fn take(&mut self, index: usize) -> Option<Event> {
        let event = self.rings[index].take()?;
        self.waiting -= 1;
        self.given(event.at);
        if self.rings[index].waiting() == 0 && self.rings[index].more {
            self.fill(index);
        }
        self.pass_gap(index);
        let mut top = self.heads.peek_mut()?;
        match self.rings[index].front() {
            Some(at) => *top = Reverse((at, index)),
            None => {
                PeekMut::pop(top);
            }
        }
        Some(event)
    }

    /// Reports what was lost before the next event of a ring.
    fn pass_gap(&mut self, index: usize) {
        let lost = self.rings[index].pass_gap();
        self.lost = self.lost.saturating_add(lost);
        self.unreported = self.unreported.saturating_add(lost);
    }

    /// Looks for new rings, and reads what all of them hold.
    fn poll(&mut self, now: u64) {
        let Ok(head) = Head::read(&*self.reader.source) else {
            return;
        };
        // A ring that comes up after the cursor was made was empty then.
        self.find_rings(&head, From::Oldest);
        self.head = Some(head);
        for index in 0..self.rings.len() {
            let had_none = self.rings[index].waiting() == 0;
            self.fill(index);
            self.pass_gap(index);
            if had_none && let Some(at) = self.rings[index].front() {
                self.heads.push(Reverse((at, index)));
            }
        }
        self.polled_at = Some(now);
    }

    fn find_rings(&mut self, head: &Head, from: From) {
        let source = &*self.reader.source;
        let Ok((chunks, entries)) = head.chunks(source, self.entries) else {
            return;
        };
        let is_older = self.polled_at.is_none();
        for chunk in chunks.iter().filter(|chunk| chunk.kind == Kind::Ring) {
            let ring = RingCursor::open(source, chunk, from == From::Now, is_older);
            self.rings.push(ring);
        }
        self.entries = entries.max(self.entries);
    }

    /// Reads a ring's next events, within the bounds.
    fn fill(&mut self, index: usize) {
        let Some(head) = &self.head else {
            return;
        };
        let ring = &mut self.rings[index];
        let before = ring.waiting();
        let left = MOST_AHEAD_IN_ALL.saturating_sub(self.waiting);
        let most = (before + left).clamp(BATCH, MOST_AHEAD);
        let source = &*self.reader.source;
        let unknown = ring.fill(source, head, &mut self.buffer, most);
        self.waiting += ring.waiting() - before;
        self.seen += unknown;
        self.unknown += unknown;
    }
}
