//! The file: its head and its frames. Nothing else knows a number of them. All numbers are little-endian.
//!
//! ```text
//!   0 | magic: `wqrec\r\n\x1a`                    | 8 bytes   the head
//!   8 | major version | minor version             | 2 + 2
//!  12 | CRC-32C of the bytes 0 to 11              | 4
//!  16 | frame | frame | ...
//!
//!   0 | mark: 0x1a 'w' 'q' 0x04                   | 4         a frame
//!   4 | kind: see `Kind`                          | 2
//!   6 | 0                                         | 2
//!   8 | number: 0, 1, 2, ... in this file         | 4
//!  12 | bytes of the payload                      | 4
//!  16 | CRC-32C of the payload                    | 4
//!  20 | CRC-32C of the bytes 0 to 19              | 4
//!  24 | payload
//! ```
//! A frame's head is proven before its length is believed. Where none can be proven, the next mark that can be is
//! looked for. New kinds of frames, fields at the end of rows, tables and kinds of events raise the minor version, and
//! an older reader passes over them; anything else raises the major version.

use super::crc::crc32c;
use crate::event::Event;

/// `wqrec\r\n\x1a`: no text file begins with it, and a transfer as text breaks it.
pub(crate) const MAGIC: [u8; 8] = *b"wqrec\r\n\x1a";
/// The recording's version that this crate writes: (major, minor).
pub const RECORDING_VERSION: (u16, u16) = (1, 0);
/// Bytes of the head.
pub(crate) const HEAD: usize = 16;
/// Bytes of a frame before its payload.
pub(crate) const FRAME_HEAD: usize = 24;
/// What a frame begins with. No name that was cleaned contains it.
pub(crate) const MARK: [u8; 4] = [0x1a, b'w', b'q', 0x04];
/// Most bytes of a payload.
pub(crate) const MOST_PAYLOAD: usize = 32 << 20;
/// Most bytes of a batch of events.
pub(crate) const MOST_EVENTS: usize = 1 << 20;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Kind {
    /// Rows of the snapshot: all, or what changed. See `tables.rs`.
    Tables = 1,
    /// A piece of the stream of events. See `batch.rs`.
    Events,
    /// For each ring how many events were read from it and lost in it so far.
    Rings,
    /// The recording ends here, on purpose.
    End,
}

impl Kind {
    /// The kind with this number; `None` for one of a later version.
    pub(crate) fn from_number(number: u16) -> Option<Self> {
        let all = [Self::Tables, Self::Events, Self::Rings, Self::End];
        all.into_iter().find(|&kind| kind as u16 == number)
    }
}

/// The file's head.
pub(crate) fn head() -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(&MAGIC);
    head[8..10].copy_from_slice(&RECORDING_VERSION.0.to_le_bytes());
    head[10..12].copy_from_slice(&RECORDING_VERSION.1.to_le_bytes());
    let crc = crc32c(&head[..12]);
    head[12..].copy_from_slice(&crc.to_le_bytes());
    head
}

/// The version in a head; `None` when it is damaged.
pub(crate) fn version(head: &[u8; HEAD]) -> Option<(u16, u16)> {
    let half = |at| u16::from_le_bytes([head[at], head[at + 1]]);
    (crc32c(&head[..12]) == word(head, 12)).then(|| (half(8), half(10)))
}

/// A whole frame.
pub(crate) fn frame(kind: Kind, number: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(FRAME_HEAD + payload.len());
    frame.extend_from_slice(&MARK);
    frame.extend_from_slice(&(kind as u16).to_le_bytes());
    frame.extend_from_slice(&[0; 2]);
    frame.extend_from_slice(&number.to_le_bytes());
    frame.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    frame.extend_from_slice(&crc32c(payload).to_le_bytes());
    let crc = crc32c(&frame);
    frame.extend_from_slice(&crc.to_le_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    /// A [`Kind`], or one of a later version.
    pub(crate) kind: u16,
    pub(crate) number: u32,
    /// Bytes of the payload.
    pub(crate) len: u32,
    /// Its checksum.
    pub(crate) crc: u32,
}

impl FrameHead {
    /// What the bytes say, if they prove that they are a frame's head.
    pub(crate) fn proven(bytes: &[u8]) -> Option<Self> {
        let head: &[u8; FRAME_HEAD] = bytes.first_chunk()?;
        if head[..4] != MARK || crc32c(&head[..20]) != word(head, 20) {
            return None;
        }
        Some(Self {
            kind: u16::from_le_bytes([head[4], head[5]]),
            number: word(head, 8),
            len: word(head, 12),
            crc: word(head, 16),
        })
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |word| u32::from_le_bytes(*word))
}

/// Why a recording ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordingEnd {
    /// Its engine ended and said so.
    Ended,
    /// Its engine's process was gone without a word.
    Gone,
    /// Its engine went on; somebody stopped the recorder.
    Stopped,
}

impl RecordingEnd {
    /// All of them, in the order of their numbers in the file.
    const ALL: [Self; 3] = [Self::Ended, Self::Gone, Self::Stopped];

    /// Its number in the file.
    pub(crate) fn number(self) -> u8 {
        self as u8
    }

    /// The one with this number; of a later version's reasons it is only known that somebody stopped it.
    pub(crate) fn from_number(number: u8) -> Self {
        let known = Self::ALL.get(usize::from(number));
        known.copied().unwrap_or(Self::Stopped)
    }
}

/// A step of the stream of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// An event; `None` when this version does not know its kind.
    Event(Option<Event>),
    /// Some were lost at this place.
    Lost(Gap),
}

/// Events that were lost before they could be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// How many.
    pub(crate) lost: u64,
    /// The number of their ring, where that is known.
    pub(crate) ring: Option<u32>,
    /// The stamp of the next event of that ring, where that is known.
    pub(crate) until: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_proves_itself_and_no_damaged_one_does() {
        let whole = frame(Kind::Rings, 7, b"payload");
        let head = FrameHead {
            kind: 3,
            number: 7,
            len: 7,
            crc: crc32c(b"payload"),
        };
        assert_eq!(FrameHead::proven(&whole), Some(head));
        for bit in 0..FRAME_HEAD * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FrameHead::proven(&damaged), None, "bit {bit}");
        }
        assert_eq!(FrameHead::proven(&whole[..FRAME_HEAD - 1]), None);
    }

    #[test]
    fn the_head_tells_its_version() {
        assert_eq!(version(&head()), Some(RECORDING_VERSION));
        let mut damaged = head();
        damaged[10] ^= 1;
        assert_eq!(version(&damaged), None);
    }

    #[test]
    fn numbers_stay_what_they_are() {
        let kinds = [Kind::Tables, Kind::Events, Kind::Rings, Kind::End];
        assert_eq!(kinds.map(|kind| kind as u16), [1, 2, 3, 4]);
        assert_eq!(Kind::from_number(5), None);
        assert_eq!(RecordingEnd::ALL.map(RecordingEnd::number), [0, 1, 2]);
        assert_eq!(RecordingEnd::from_number(9), RecordingEnd::Stopped);
    }
}
