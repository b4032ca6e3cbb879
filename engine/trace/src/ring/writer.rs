//! The writing side: one record at a time, wait-free.

use super::weak;
use crate::layout::{RECORD_WORDS, RING_HEAD, ring};
use crate::sync::{Ordering, fence};

/// The words of a ring that a writer can reach: its head, then its records.
pub trait Memory {
    /// Stores `value` in word `at`.
    fn store(&self, at: usize, value: u64, order: Ordering);
}

/// A ring's only writer.
#[derive(Debug)]
pub struct Writer<M, const WEAK: u8 = { weak::NONE }> {
    memory: M,
    /// Capacity - 1; the capacity is a power of two.
    mask: u64,
    /// The number of the next record. Kept here: nobody else writes, so nothing is ever read back.
    next: u64,
}

impl<M: Memory, const WEAK: u8> Writer<M, WEAK> {
    /// A writer that makes `memory` an empty ring of `capacity` records, a power of two.
    pub fn new(memory: M, capacity: u64) -> Self {
        debug_assert!(capacity.is_power_of_two());
        memory.store(ring::CAPACITY, capacity, Ordering::Release);
        Self {
            memory,
            mask: capacity - 1,
            next: 0,
        }
    }

    /// Gives the ring to a thread: the record numbers go on, the generation says how many threads had it before.
    pub fn hand_to(&mut self, tid: u32, generation: u32) {
        self.memory.store(ring::TID, tid.into(), Ordering::Relaxed);
        self.memory
            .store(ring::GENERATION, generation.into(), Ordering::Relaxed);
    }

    /// Writes one record over the oldest.
    #[inline]
    pub fn push(&mut self, record: &[u64; RECORD_WORDS]) {
        let (number, after) = (self.next, self.next + 1);
        self.memory.store(ring::RESERVED, after, Ordering::Relaxed);
        if WEAK != weak::RESERVE {
            fence(Ordering::Release);
        }
        let at = RING_HEAD + (number & self.mask) as usize * RECORD_WORDS;
        for (word, &value) in record.iter().enumerate() {
            self.memory.store(at + word, value, Ordering::Relaxed);
        }
        let publish = if WEAK == weak::PUBLISH {
            Ordering::Relaxed
        } else {
            Ordering::Release
        };
        self.memory.store(ring::WRITTEN, after, publish);
        self.next = after;
    }
}
