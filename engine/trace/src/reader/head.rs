//! The head and the directory, read and validated.

use super::error::ReadError;
use super::source::{Source, read_words};
use crate::clean::{clean_name, clean_text};
use crate::layout::{
    self, CPUS, ClockKind, HEAD, Kind, NAME_WORDS, RECORD_WORDS, RING_HEAD, SHORT_WORDS,
    TEXT_WORDS, entry, head,
};
use crate::settings::{Scope, Settings};
use crate::snapshot::Meta;
use std::sync::atomic::{Ordering, fence};

/// Entries that a directory may have.
const MOST_CHUNKS: u64 = 1 << 16;
/// Bytes that all tables may have together: readers look at all of them.
const MOST_TABLE_BYTES: u64 = 256 << 20;
/// Attempts to see a description whole.
const ATTEMPTS: usize = 16;

/// The head, as words of this machine.
#[derive(Clone, Debug)]
pub(super) struct Head {
    words: [u64; HEAD],
}

/// A chunk that this version knows how to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) kind: Kind,
    /// In bytes.
    pub(super) offset: u64,
    /// In bytes.
    pub(super) len: u64,
    /// Words from one slot to the next.
    pub(super) stride: usize,
}

impl Head {
    /// Reads the head; what it means is judged by the methods.
    pub(super) fn read(source: &dyn Source) -> Result<Self, ReadError> {
        let mut words = [0; HEAD];
        for _ in 0..ATTEMPTS {
            // On its own, since the words of one reading come in no order.
            let before = sensing_seq(source)?;
            fence(Ordering::Acquire);
            read_words(source, 0, &mut words)?;
            fence(Ordering::Acquire);
            if before & 1 == 0 && sensing_seq(source)? == before {
                break;
            }
        }
        Ok(Self { words })
    }

    pub(super) fn word(&self, at: usize) -> u64 {
        self.words[at]
    }

    /// Whether it begins like a segment.
    pub(super) fn has_magic(&self) -> bool {
        self.words[head::MAGIC] == layout::MAGIC
    }

    /// Major and minor version; `None` before it is published.
    pub(super) fn version(&self) -> Option<(u16, u16)> {
        let version = self.words[head::VERSION];
        (version != 0).then_some(((version >> 16) as u16, version as u16))
    }

    /// Which clock the stamps are of; an unknown one cannot be asked for its time, like a simulator's.
    pub(super) fn clock(&self) -> ClockKind {
        if self.words[head::CLOCK_KIND] == ClockKind::Monotonic as u64 {
            ClockKind::Monotonic
        } else {
            ClockKind::Virtual
        }
    }

    /// A record's stamp in nanoseconds.
    pub(super) fn nanoseconds(&self, stamp: u64) -> u64 {
        let since = u128::from(stamp.saturating_sub(self.words[head::CLOCK_BASE]));
        let shift = self.words[head::CLOCK_SHIFT].min(63);
        let ns = (since * u128::from(self.words[head::CLOCK_MULT])) >> shift;
        u64::try_from(ns).unwrap_or(u64::MAX)
    }

    /// What is known of the engine.
    pub(super) fn meta(&self) -> Meta {
        let w = &self.words;
        let sentence = |at| clean_text(&text(&w[at..at + TEXT_WORDS]), TEXT_WORDS * 8);
        let short = text(&w[head::SENSING..head::SENSING + SHORT_WORDS]);
        Meta {
            pid: w[head::PID] as u32,
            name: name(&w[head::NAME..head::NAME + NAME_WORDS]),
            exe: sentence(head::EXE),
            path: None,
            version: self.version().unwrap_or_default(),
            started_at: w[head::STARTED_AT],
            started_wall: w[head::STARTED_WALL],
            ended_at: Some(w[head::ENDED_AT]).filter(|&at| at != 0),
            sensing: clean_text(&short, SHORT_WORDS * 8),
            sensing_reason: sentence(head::REASON),
            cpus: set_bits(&w[head::CPU_SET..head::CPU_SET + CPUS / 64]),
            tracing: w[head::TRACING] == 1,
        }
    }

    /// The settings that are one number each.
    pub(super) fn settings(&self) -> Settings {
        let word = |at| self.words[at];
        let says = word(head::SETTINGS);
        let number = |bit, at| (says & bit != 0).then(|| word(at));
        let scope = Scope::from_number((says >> 8) as u8);
        Settings {
            default_scope: scope.filter(|_| says & layout::SAYS_SCOPE != 0),
            power_efficient: (says & layout::SAYS_POWER != 0).then_some(says >> 16 & 1 == 1),
            cpu_intensive_thresh_ns: number(layout::SAYS_CPU_INTENSIVE, head::CPU_INTENSIVE_NS),
            watchdog_thresh_ns: number(layout::SAYS_WATCHDOG, head::WATCHDOG_NS),
            idle_timeout_ns: number(layout::SAYS_IDLE, head::IDLE_NS),
            ..Settings::default()
        }
    }

    /// The directory from its entry `first` on, and how many entries there are; unknown kinds are left out. The entries
    /// before `first` are judged, too: together they must not tell of more than the file holds.
    pub(super) fn chunks(
        &self,
        source: &dyn Source,
        first: usize,
    ) -> Result<(Vec<Chunk>, usize), ReadError> {
        let count = self.words[head::CHUNKS];
        if count > self.words[head::DIRECTORY].min(MOST_CHUNKS) {
            let offset = head::CHUNKS as u64 * 8;
            let what = "more chunks than the directory holds";
            return Err(ReadError::Damaged { offset, what });
        }
        let count = count as usize;
        if count <= first {
            return Ok((Vec::new(), count));
        }
        let len = source
            .len()
            .map_err(|error| ReadError::Io { offset: 0, error })?;
        let mut entries = vec![0; count * entry::END];
        read_words(source, entry_offset(0), &mut entries)?;
        let mut chunks = Vec::new();
        let mut before = 0;
        for (index, entry) in entries.chunks_exact(entry::END).enumerate() {
            if index == first {
                before = chunks.len();
            }
            chunks.extend(check_entry(entry, entry_offset(index), len)?);
        }
        check_together(&chunks).map_err(|what| ReadError::Damaged {
            offset: entry_offset(0),
            what,
        })?;
        Ok((chunks.split_off(before), count))
    }
}

/// What is wrong with these chunks, each of which is fine: an entry costs a hostile file little, and its reader as much
/// as the chunk that it shares with others.
fn check_together(chunks: &[Chunk]) -> Result<(), &'static str> {
    let is_ring = |chunk: &&Chunk| chunk.kind == Kind::Ring;
    let tables = chunks.iter().filter(|chunk| !is_ring(chunk));
    let bytes = tables.fold(0_u64, |sum, chunk| sum.saturating_add(chunk.len));
    if bytes > MOST_TABLE_BYTES {
        return Err("the tables are too large");
    }
    if chunks.iter().filter(is_ring).count() > Kind::Ring.cap() {
        return Err("too many rings");
    }
    let mut places: Vec<_> = chunks.iter().map(|c| (c.offset, c.len)).collect();
    places.sort_unstable();
    let overlap = |pair: &[(u64, u64)]| pair[1].0 - pair[0].0 < pair[0].1;
    if places.windows(2).any(overlap) {
        return Err("two chunks at one place");
    }
    Ok(())
}

fn sensing_seq(source: &dyn Source) -> Result<u64, ReadError> {
    word(source, head::SENSING_SEQ)
}

/// A word of the head as it is now.
pub(super) fn word(source: &dyn Source, at: usize) -> Result<u64, ReadError> {
    let mut word = [0];
    read_words(source, at as u64 * 8, &mut word)?;
    Ok(word[0])
}

fn entry_offset(index: usize) -> u64 {
    (HEAD + index * entry::END) as u64 * 8
}

/// A directory entry that stands at `at` in a file of `len` bytes.
fn check_entry(words: &[u64], at: u64, len: u64) -> Result<Option<Chunk>, ReadError> {
    let damaged = |what| Err(ReadError::Damaged { offset: at, what });
    let (offset, bytes) = (words[entry::OFFSET], words[entry::LEN]);
    let Some(kind) = Kind::from_number(words[entry::KIND]) else {
        return Ok(None);
    };
    if !offset.is_multiple_of(8) || !bytes.is_multiple_of(8) || offset < HEAD as u64 * 8 {
        return damaged("a chunk at an odd place");
    }
    match offset.checked_add(bytes) {
        None => return damaged("a chunk beyond all files"),
        Some(end) if end > len => return Err(ReadError::Truncated { offset: len }),
        Some(_) => {}
    }
    let stride = words[entry::STRIDE_WORDS];
    let fits = if kind == Kind::Ring {
        stride == RECORD_WORDS as u64 && bytes >= RING_HEAD as u64 * 8
    } else {
        (kind.least_stride() as u64..=1 << 12).contains(&stride)
    };
    if !fits {
        return damaged("slots of an odd size");
    }
    Ok(Some(Chunk {
        kind,
        offset,
        len: bytes,
        stride: stride as usize,
    }))
}

/// The numbers of the bits that are set.
fn set_bits(words: &[u64]) -> Vec<u16> {
    let mut bits = Vec::new();
    for (index, &word) in words.iter().enumerate() {
        let mut rest = word;
        while rest != 0 {
            bits.push((index * 64) as u16 + rest.trailing_zeros() as u16);
            rest &= rest - 1;
        }
    }
    bits
}

/// Zero-padded text, whatever it holds.
pub(super) fn text(words: &[u64]) -> String {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let end = bytes
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// A name, fit for a terminal.
pub(super) fn name(words: &[u64]) -> String {
    clean_name(&text(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    /// A head that is described anew while it is first read: its text is copied before, its sequence word after.
    #[derive(Debug, Default)]
    struct Changing {
        changed: AtomicBool,
    }

    impl Source for Changing {
        fn read_at(&self, offset: u64, bytes: &mut [u8]) -> std::io::Result<usize> {
            let is_whole = bytes.len() == HEAD * 8;
            let before = self.changed.fetch_or(is_whole, Ordering::Relaxed);
            let mut words = [0_u64; HEAD];
            words[head::SENSING] = u64::from_le_bytes(if before {
                *b"hints\0\0\0"
            } else {
                *b"tick\0\0\0\0"
            });
            words[head::SENSING_SEQ] = if before || is_whole { 2 } else { 0 };
            let all: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            bytes.copy_from_slice(&all[offset as usize..][..bytes.len()]);
            Ok(bytes.len())
        }

        fn len(&self) -> std::io::Result<u64> {
            Ok(HEAD as u64 * 8)
        }
    }

    #[test]
    fn a_description_is_seen_whole() {
        let head = Head::read(&Changing::default()).unwrap();
        assert_eq!(head.meta().sensing, "hints");
    }
}
