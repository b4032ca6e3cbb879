//! Reading slots while they change.
//!
//! Each slot is read three times. If its seqlock is even and alike before and after, the second reading is whole. And
//! counters that are written in the order queued, started, completed are taken from the readings in the reverse order:
//! completed from the first, started from the second, queued from the third. So no race shows more ends than starts.

use super::error::ReadError;
use super::head::Chunk;
use super::source::{Source, read_words};
use crate::layout::slot;
use std::sync::atomic::{Ordering, fence};

/// Words read in one go.
const PIECE: usize = 8192;
/// Attempts to see one slot whole.
const ATTEMPTS: u32 = 64;
/// Attempts beyond the first for all slots of a snapshot: bounds the time that a hostile file takes.
const RETRIES: u32 = 4096;

/// How slots stand in the file, and in memory.
#[derive(Clone, Copy, Debug)]
struct Shape {
    /// Words from one to the next in the file.
    stride: usize,
    /// Words that each is given: what an older file's slots lack is 0.
    width: usize,
}

/// One slot, read three times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot<'a> {
    pub(super) first: &'a [u64],
    pub(super) second: &'a [u64],
    pub(super) third: &'a [u64],
    /// Whether the seqlock says that the second reading is whole.
    pub(super) whole: bool,
}

impl Slot<'_> {
    /// Its identity; 0 when it is free.
    pub(super) fn id(&self) -> u32 {
        u32::try_from(self.second[slot::ID]).unwrap_or(0)
    }

    /// A word of the second reading.
    pub(super) fn word(&self, at: usize) -> u64 {
        self.second[at]
    }

    /// The two halves of a word of the second reading.
    pub(super) fn halves(&self, at: usize) -> (u32, u32) {
        (self.second[at] as u32, (self.second[at] >> 32) as u32)
    }

    fn judge(&mut self) {
        let seq = self.first[slot::SEQ];
        self.whole = seq & 1 == 0 && seq == self.third[slot::SEQ];
    }
}

/// Reads tables of a source; keeps count of what could not be seen whole.
#[derive(Debug)]
pub(super) struct Tables<'a> {
    source: &'a dyn Source,
    retries: u32,
    /// Slots that kept changing, or whose writer died in the middle.
    pub(super) torn: u64,
}

impl<'a> Tables<'a> {
    pub(super) fn new(source: &'a dyn Source) -> Self {
        Self {
            source,
            retries: RETRIES,
            torn: 0,
        }
    }

    /// Gives every slot in use of a chunk to `each`, at most `most` of them. One that is not whole is counted, and
    /// still given: what changes only with its identity can be used.
    pub(super) fn read(
        &mut self,
        chunk: &Chunk,
        most: usize,
        mut each: impl FnMut(&Slot<'_>),
    ) -> Result<(), ReadError> {
        let stride = chunk.stride;
        let shape = Shape {
            stride,
            width: stride.max(chunk.kind.stride()),
        };
        let slots = (chunk.len as usize / 8 / stride).min(most);
        let per_piece = (PIECE / shape.width).max(1);
        let mut start = 0;
        while start < slots {
            let count = per_piece.min(slots - start);
            let offset = chunk.offset + (start * stride * 8) as u64;
            self.read_piece(offset, count, shape, &mut each)?;
            start += count;
        }
        Ok(())
    }

    fn read_piece(
        &mut self,
        offset: u64,
        count: usize,
        shape: Shape,
        each: &mut impl FnMut(&Slot<'_>),
    ) -> Result<(), ReadError> {
        let Shape { stride, width } = shape;
        let mut readings = [vec![0; count * width], Vec::new(), Vec::new()];
        self.read_slots(offset, shape, &mut readings[0])?;
        let free = |slot: &[u64]| slot[slot::ID] == 0;
        if readings[0].chunks_exact(width).all(free) {
            return Ok(());
        }
        for reading in &mut readings[1..] {
            reading.resize(count * width, 0);
            self.read_slots(offset, shape, reading)?;
        }
        for index in 0..count {
            let words = index * width..(index + 1) * width;
            let [first, second, third] = &readings;
            let mut slot = Slot {
                first: &first[words.clone()],
                second: &second[words.clone()],
                third: &third[words.clone()],
                whole: false,
            };
            slot.judge();
            if slot.whole {
                if slot.id() != 0 {
                    each(&slot);
                }
            } else {
                self.insist(offset + (index * stride * 8) as u64, shape, each)?;
            }
        }
        Ok(())
    }

    /// Reads one slot again and again.
    fn insist(
        &mut self,
        offset: u64,
        shape: Shape,
        each: &mut impl FnMut(&Slot<'_>),
    ) -> Result<(), ReadError> {
        let width = shape.width;
        let mut readings = vec![0; 3 * width];
        let mut attempts = ATTEMPTS.min(self.retries);
        loop {
            for reading in readings.chunks_exact_mut(width) {
                self.read_slots(offset, shape, reading)?;
            }
            let (first, rest) = readings.split_at(width);
            let (second, third) = rest.split_at(width);
            let mut slot = Slot {
                first,
                second,
                third,
                whole: false,
            };
            slot.judge();
            if !slot.whole && attempts > 0 {
                attempts -= 1;
                self.retries -= 1;
                continue;
            }
            if slot.id() != 0 {
                self.torn += u64::from(!slot.whole);
                each(&slot);
            }
            return Ok(());
        }
    }

    /// One reading of slots, ordered before whatever is read after it.
    fn read_slots(&self, offset: u64, shape: Shape, slots: &mut [u64]) -> Result<(), ReadError> {
        let Shape { stride, width } = shape;
        // Those that are narrower in the file stand close together at first, and move apart from the last one on.
        let count = slots.len() / width;
        read_words(self.source, offset, &mut slots[..count * stride])?;
        if stride < width {
            for index in (0..count).rev() {
                slots.copy_within(index * stride..(index + 1) * stride, index * width);
                slots[index * width + stride..(index + 1) * width].fill(0);
            }
        }
        fence(Ordering::Acquire);
        Ok(())
    }
}
