//! A piece of a segment's memory and how words, pairs and names are stored in it.

use super::map::Region;
use crate::ring::Memory;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// A stretch of a region; cheap to clone, keeps the region alive.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    region: Arc<Region>,
    base: usize,
}

impl Words {
    pub(crate) fn new(region: Region) -> Self {
        Self {
            region: Arc::new(region),
            base: 0,
        }
    }

    /// The stretch that begins `words` words further on.
    pub(crate) fn from(&self, words: usize) -> Self {
        Self {
            region: Arc::clone(&self.region),
            base: self.base + words,
        }
    }

    /// Words from here to the region's end.
    pub(crate) fn len(&self) -> usize {
        self.region.len() - self.base
    }

    #[inline]
    fn word(&self, at: usize) -> &AtomicU64 {
        &self.region[self.base + at]
    }

    #[inline]
    pub(crate) fn get(&self, at: usize) -> u64 {
        u64::from_le(self.word(at).load(Ordering::Relaxed))
    }

    /// Stores a word on its own: whoever sees it sees all that was stored before.
    #[inline]
    pub(crate) fn set(&self, at: usize, value: u64) {
        self.word(at).store(value.to_le(), Ordering::Release);
    }

    /// Stores a word whose order does not matter, or is seen to by [`Words::exclusively`].
    #[inline]
    pub(crate) fn put(&self, at: usize, value: u64) {
        self.word(at).store(value.to_le(), Ordering::Relaxed);
    }

    /// Adds for a single writer: no locked instruction.
    #[inline]
    pub(crate) fn bump(&self, at: usize, n: u64) {
        self.set(at, self.get(at).wrapping_add(n));
    }

    /// Raises a word to `value`, for a single writer.
    #[inline]
    pub(crate) fn raise(&self, at: usize, value: u64) {
        if value > self.get(at) {
            self.put(at, value);
        }
    }

    /// Adds a signed number for a single writer, stopping at 0.
    #[inline]
    pub(crate) fn shift(&self, at: usize, delta: i32) {
        self.put(at, self.get(at).saturating_add_signed(delta.into()));
    }

    /// Adds, whoever else does.
    #[inline]
    pub(crate) fn add_shared(&self, at: usize, n: u64) {
        if cfg!(target_endian = "little") {
            self.word(at).fetch_add(n, Ordering::Relaxed);
        } else {
            let add = |word| Some(u64::from_le(word).wrapping_add(n).to_le());
            let order = Ordering::Relaxed;
            // The closure never refuses.
            let _ = self.word(at).fetch_update(order, order, add);
        }
    }

    /// Changes several words of which a reader sees all or none (a seqlock; `seq` is its word). For a single writer.
    #[inline]
    pub(crate) fn exclusively(&self, seq: usize, change: impl FnOnce(&Self)) {
        // A writer that died in the middle, or a hostile word, may have left it odd; it is ours now.
        let before = self.get(seq) & !1;
        self.put(seq, before.wrapping_add(1));
        fence(Ordering::Release);
        change(self);
        self.set(seq, before.wrapping_add(2));
    }

    /// Whether exactly this text stands in `words` words.
    pub(crate) fn is_text(&self, at: usize, words: usize, text: &str) -> bool {
        let bytes = text.as_bytes();
        bytes.len() < words * 8 && (0..words).all(|word| self.get(at + word) == packed(bytes, word))
    }

    /// Stores text in `words` words, zero-padded. It has been cleaned and cut to fit with a zero at the end.
    pub(crate) fn put_text(&self, at: usize, words: usize, text: &str) {
        let bytes = text.as_bytes();
        debug_assert!(bytes.len() < words * 8);
        for word in 0..words {
            self.put(at + word, packed(bytes, word));
        }
    }
}

impl Memory for Words {
    #[inline]
    fn store(&self, at: usize, value: u64, order: Ordering) {
        self.word(at).store(value.to_le(), order);
    }
}

/// The eight bytes that go to the `word`th word, zero-padded.
fn packed(bytes: &[u8], word: usize) -> u64 {
    let rest = bytes.get(word * 8..).unwrap_or_default();
    let mut value = [0; 8];
    for (to, from) in value.iter_mut().zip(rest) {
        *to = *from;
    }
    u64::from_le_bytes(value)
}

/// Two halves as one word.
#[inline]
pub(crate) fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}
