//! The reading side: copies records that may be overwritten meanwhile, and then says which of them were not.

use super::weak;
use crate::layout::{RECORD_WORDS, RING_HEAD, ring};
use crate::sync::{Ordering, fence};

/// The words of a ring that a reader can copy.
pub trait View {
    /// Why a copy failed.
    type Error;
    /// Copies words from `at` on. No order between the words, nor with what else is read: the fences are ours.
    ///
    /// # Errors
    /// Only when the words cannot be read at all.
    fn copy(&self, at: usize, words: &mut [u64]) -> Result<(), Self::Error>;
}

/// What [`collect`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Records between the position asked for and the first one given that are overwritten.
    pub lost: u64,
    /// Where the given records begin in the buffer.
    pub skip: usize,
    /// How many are given.
    pub count: usize,
    /// The position after them.
    pub next: u64,
    /// Records published when the ring was looked at.
    pub written: u64,
    /// Whether the counts contradict the position: not what a writer does.
    pub damaged: bool,
}

/// Reads records from `position` on into `buffer`, as many as fit whole; `capacity` is the ring's.
///
/// # Errors
/// Those of the view.
pub fn collect<V: View, const WEAK: u8>(
    view: &V,
    capacity: u64,
    position: u64,
    buffer: &mut [u64],
) -> Result<Batch, V::Error> {
    let written = word(view, ring::WRITTEN)?;
    if WEAK != weak::ACQUIRE {
        fence(Ordering::Acquire);
    }
    if written <= position || capacity == 0 {
        let damaged = written < position;
        return Ok(Batch {
            next: position,
            written,
            damaged,
            ..Batch::default()
        });
    }
    let first = position.max(written.saturating_sub(capacity));
    let room = (buffer.len() / RECORD_WORDS) as u64;
    let count = (written - first).min(room);
    copy_records(view, capacity, first, count, buffer)?;
    if WEAK != weak::RECHECK {
        fence(Ordering::Acquire);
    }
    let reserved = word(view, ring::RESERVED)?;
    // Record n shares its place with n + capacity: whatever is that far behind an announced one may be half of each.
    let intact = reserved
        .saturating_sub(capacity)
        .clamp(first, first + count);
    Ok(Batch {
        lost: intact - position,
        skip: (intact - first) as usize,
        count: (first + count - intact) as usize,
        next: first + count,
        written,
        damaged: reserved < written,
    })
}

fn word<V: View>(view: &V, at: usize) -> Result<u64, V::Error> {
    let mut word = [0];
    view.copy(at, &mut word)?;
    Ok(word[0])
}

/// Copies `count` records, at most a ring full, in one piece or in two where they wrap.
fn copy_records<V: View>(
    view: &V,
    capacity: u64,
    first: u64,
    count: u64,
    buffer: &mut [u64],
) -> Result<(), V::Error> {
    let start = first % capacity;
    let before_wrap = count.min(capacity - start);
    let place = |index: u64| RING_HEAD + index as usize * RECORD_WORDS;
    let (front, back) = buffer.split_at_mut(before_wrap as usize * RECORD_WORDS);
    view.copy(place(start), front)?;
    let rest = (count - before_wrap) as usize * RECORD_WORDS;
    if rest > 0 {
        view.copy(place(0), &mut back[..rest])?;
    }
    Ok(())
}
