//! A way through the events of all rings, in the order of their stamps.

use super::head::{Chunk, Head};
use super::recorded::{Replay, Step};
use super::source::{Source, read_words};
use super::{ReadError, Reader, ring_room};
use crate::event::Event;
use crate::layout::{Kind, RECORD_WORDS, ring};
use crate::record::{Record, decode};
use crate::ring::{Batch, View, collect, weak};
use crate::snapshot::Liveness;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// How long an event of a live engine is held back, so that older ones of other rings can come first.
pub const MERGE_DELAY_NS: u64 = 20_000_000;
/// While there is something to give out later, rings without news are looked at again after this time.
const POLL_NS: u64 = 1_000_000;
/// Records read from a ring in one go.
const BATCH: usize = 512;
/// Attempts to overtake a writer that laps the reading.
const CHASES: usize = 8;
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
    late: u64,
    unknown: u64,
}

/// The place in one ring.
#[derive(Debug)]
struct RingCursor {
    offset: u64,
    /// Records that its chunk has room for.
    room: u64,
    /// Records that it holds; 0 until that is known.
    capacity: u64,
    position: u64,
    /// Whether there was more than one batch.
    more: bool,
    ready: VecDeque<Event>,
    seen: u64,
    lost: u64,
    /// Of those, the ones that [`Cursor::losses`] has told of.
    told: u64,
    damaged: bool,
}

/// A ring in a source.
struct RingView<'a> {
    source: &'a dyn Source,
    offset: u64,
}

impl View for RingView<'_> {
    type Error = ReadError;

    fn copy(&self, at: usize, words: &mut [u64]) -> Result<(), ReadError> {
        read_words(self.source, self.offset + at as u64 * 8, words)
    }
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
            polled_at: None,
            alive_at: None,
            gone: None,
            unreported: 0,
            last_at: 0,
            seen: 0,
            lost: 0,
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
        if let Some(next) = self.give(now) {
            return next;
        }
        if self.heads.peek().is_some() && self.gone.is_none() && self.is_recent(now) {
            return Next::Idle;
        }
        self.poll(now);
        if let Some(next) = self.give(now) {
            return next;
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

    /// Whether the writer was seen alive, with all rings looked at, so short a time ago that neither is worth the cost.
    fn is_recent(&self, now: u64) -> bool {
        let recent = |at: u64| now < at.saturating_add(POLL_NS);
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
                    until: ring.ready.front().map(|event| event.at),
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
        self.heads.pop();
        let event = self.rings[index].ready.pop_front()?;
        self.rings[index].seen += 1;
        self.given(at);
        if self.rings[index].ready.is_empty() && self.rings[index].more {
            self.fill(index);
        }
        self.offer(index);
        Some(Next::Record(event))
    }

    /// Puts a ring among those that have an event, if it has.
    fn offer(&mut self, index: usize) {
        if let Some(event) = self.rings[index].ready.front() {
            self.heads.push(Reverse((event.at, index)));
        }
    }

    /// Looks for new rings, and for events in those that had none.
    fn poll(&mut self, now: u64) {
        let Ok(head) = Head::read(&*self.reader.source) else {
            return;
        };
        // A ring that comes up after the cursor was made was empty then.
        self.find_rings(&head, From::Oldest);
        self.head = Some(head);
        for index in 0..self.rings.len() {
            if self.rings[index].ready.is_empty() {
                self.fill(index);
                self.offer(index);
            }
        }
        self.polled_at = Some(now);
    }

    fn find_rings(&mut self, head: &Head, from: From) {
        let source = &*self.reader.source;
        let Ok((chunks, entries)) = head.chunks(source, self.entries) else {
            return;
        };
        for chunk in chunks.iter().filter(|chunk| chunk.kind == Kind::Ring) {
            let ring = RingCursor::open(source, chunk, from);
            self.rings.push(ring);
        }
        self.entries = entries.max(self.entries);
    }

    /// Reads a ring's next events.
    fn fill(&mut self, index: usize) {
        let Some(head) = &self.head else {
            return;
        };
        let ring = &mut self.rings[index];
        for _ in 0..CHASES {
            let Some(batch) = ring.read(&*self.reader.source, &mut self.buffer) else {
                return;
            };
            self.lost = self.lost.saturating_add(batch.lost);
            self.unreported = self.unreported.saturating_add(batch.lost);
            let records = self.buffer.chunks_exact(RECORD_WORDS);
            for words in records.skip(batch.skip).take(batch.count) {
                let mut record: Record = [0; RECORD_WORDS];
                record.copy_from_slice(words);
                record[0] = head.nanoseconds(record[0]);
                match decode(&record) {
                    Some(event) => ring.ready.push_back(event),
                    None => {
                        ring.seen += 1;
                        self.seen += 1;
                        self.unknown += 1;
                    }
                }
            }
            if !ring.ready.is_empty() || !ring.more {
                return;
            }
        }
    }
}

impl RingCursor {
    fn open(source: &dyn Source, chunk: &Chunk, from: From) -> Self {
        let mut written = [0];
        let at = chunk.offset + ring::WRITTEN as u64 * 8;
        let read = read_words(source, at, &mut written);
        Self {
            offset: chunk.offset,
            room: ring_room(chunk),
            capacity: 0,
            position: if from == From::Now { written[0] } else { 0 },
            more: false,
            ready: VecDeque::new(),
            seen: 0,
            lost: 0,
            told: 0,
            damaged: read.is_err(),
        }
    }

    /// Reads what is next into `buffer`; `None` when there is nothing, now or for ever.
    fn read(&mut self, source: &dyn Source, buffer: &mut [u64]) -> Option<Batch> {
        if self.damaged || !self.is_set_up(source) {
            return None;
        }
        let view = RingView {
            source,
            offset: self.offset,
        };
        let read = collect::<_, { weak::NONE }>(&view, self.capacity, self.position, buffer);
        let Ok(batch) = read else {
            self.damaged = true;
            return None;
        };
        self.damaged = batch.damaged;
        self.position = batch.next;
        self.more = !batch.damaged && batch.next < batch.written;
        self.lost = self.lost.saturating_add(batch.lost);
        Some(batch)
    }

    /// Whether its writer has said how many records it holds; until then it is empty.
    fn is_set_up(&mut self, source: &dyn Source) -> bool {
        if self.capacity == 0 {
            let mut capacity = [0];
            let at = self.offset + ring::CAPACITY as u64 * 8;
            if read_words(source, at, &mut capacity).is_ok() {
                self.damaged = capacity[0] > self.room;
                self.capacity = capacity[0].min(self.room);
            }
        }
        self.capacity != 0 && !self.damaged
    }
}
