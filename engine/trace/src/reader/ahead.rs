//! The place in one ring: what was read ahead and waits to be given out, and the gaps in it.

use super::head::{Chunk, Head};
use super::source::{Source, read_words};
use super::{ReadError, ring_room};
use crate::event::Event;
use crate::layout::{RECORD_WORDS, ring};
use crate::record::{Record, decode};
use crate::ring::{Batch, View, collect, weak};
use std::collections::VecDeque;

/// Records read from a ring in one go.
pub(super) const BATCH: usize = 512;
/// Attempts to overtake a writer that laps the reading.
const CHASES: u64 = 8;
/// Room for events that is kept when none wait any more.
const KEPT: usize = 8 * BATCH;

/// The place in one ring.
#[derive(Debug)]
pub(super) struct RingCursor {
    offset: u64,
    /// Records that its chunk has room for.
    room: u64,
    /// Records that it holds; 0 until that is known.
    capacity: u64,
    /// The number of the next record to read.
    position: u64,
    /// Whether the last look left something behind.
    pub(super) more: bool,
    /// Read and not yet given out, the oldest first.
    ready: VecDeque<Event>,
    /// Where something is missing between them, or after them.
    gaps: VecDeque<Gap>,
    /// Events that have been given out.
    taken: u64,
    /// Those, and the ones of kinds that this version does not know.
    pub(super) seen: u64,
    /// Overwritten before they could be read; those of gaps that are yet to come do not count.
    pub(super) lost: u64,
    /// Of those, the ones that [`super::Cursor::losses`] has told of.
    pub(super) told: u64,
    /// Of those, the ones that were gone before the ring could be read at all, since it is older than its cursor.
    pub(super) early: u64,
    /// Whether what the next reading misses is of that kind.
    is_older: bool,
    pub(super) damaged: bool,
}

/// Records that were overwritten before they could be read.
#[derive(Debug)]
struct Gap {
    /// Events of the ring that come before it.
    after: u64,
    lost: u64,
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

impl RingCursor {
    /// A place at the ring's beginning, or behind all that is written when only news is wanted; `is_older` if others
    /// may have written to the ring before there was a cursor.
    pub(super) fn open(
        source: &dyn Source,
        chunk: &Chunk,
        only_news: bool,
        is_older: bool,
    ) -> Self {
        let mut written = [0];
        let at = chunk.offset + ring::WRITTEN as u64 * 8;
        let read = read_words(source, at, &mut written);
        Self {
            offset: chunk.offset,
            room: ring_room(chunk),
            capacity: 0,
            position: if only_news { written[0] } else { 0 },
            more: false,
            ready: VecDeque::new(),
            gaps: VecDeque::new(),
            taken: 0,
            seen: 0,
            lost: 0,
            told: 0,
            early: 0,
            is_older: is_older && !only_news,
            damaged: read.is_err(),
        }
    }

    /// The stamp of the oldest event that waits.
    pub(super) fn front(&self) -> Option<u64> {
        self.ready.front().map(|event| event.at)
    }

    /// How many events wait.
    pub(super) fn waiting(&self) -> usize {
        self.ready.len()
    }

    /// Gives out the oldest event.
    pub(super) fn take(&mut self) -> Option<Event> {
        let event = self.ready.pop_front()?;
        self.taken += 1;
        self.seen += 1;
        if self.ready.is_empty() && self.ready.capacity() > KEPT {
            self.ready = VecDeque::new();
        }
        Some(event)
    }

    /// How many were lost where the place now is: all before them has been given out, nothing after them. Each gap is
    /// told of once.
    pub(super) fn pass_gap(&mut self) -> u64 {
        let mut lost = 0_u64;
        while let Some(gap) = self.gaps.front()
            && gap.after == self.taken
        {
            lost = lost.saturating_add(gap.lost);
            self.gaps.pop_front();
        }
        self.lost = self.lost.saturating_add(lost);
        lost
    }

    /// Reads all that is there, as long as no more than `most` events wait; returns how many were of unknown kinds.
    pub(super) fn fill(
        &mut self,
        source: &dyn Source,
        head: &Head,
        buffer: &mut [u64],
        most: usize,
    ) -> u64 {
        let mut unknown = 0;
        // A writer that is faster than this must not hold it for ever.
        let mut batches = 2 * self.room / BATCH as u64 + CHASES;
        while batches > 0 && self.ready.len() + BATCH <= most {
            let Some(batch) = self.read(source, buffer) else {
                break;
            };
            unknown += self.take_in(&batch, head, buffer);
            if !self.more {
                break;
            }
            batches -= 1;
        }
        self.is_older = false;
        unknown
    }

    /// Adds what was read to what waits.
    fn take_in(&mut self, batch: &Batch, head: &Head, buffer: &[u64]) -> u64 {
        if batch.lost > 0 {
            self.note_gap(batch.lost);
        }
        if std::mem::take(&mut self.is_older) {
            self.early = batch.lost;
        }
        let before = self.ready.len();
        let records = buffer[batch.skip * RECORD_WORDS..].as_chunks().0;
        let records: &[Record] = &records[..batch.count];
        self.ready.extend(records.iter().filter_map(|record| {
            let mut record = *record;
            record[0] = head.nanoseconds(record[0]);
            decode(&record)
        }));
        let unknown = (batch.count - (self.ready.len() - before)) as u64;
        self.seen += unknown;
        unknown
    }

    fn note_gap(&mut self, lost: u64) {
        let after = self.taken + self.ready.len() as u64;
        match self.gaps.back_mut() {
            Some(gap) if gap.after == after => gap.lost = gap.lost.saturating_add(lost),
            _ => self.gaps.push_back(Gap { after, lost }),
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
