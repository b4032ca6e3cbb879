//! The frames of a recording, one after the other. What is damaged is passed over and counted.

use super::error::ReadError;
use super::source::Source;
use crate::recording::{FRAME_HEAD, FrameHead, HEAD, MARK, MOST_PAYLOAD, crc32c};
use std::io;

/// Bytes looked through in one go for the next frame.
const WINDOW: usize = 64 << 10;
/// Without a frame in so many bytes the rest is given up: a file can be made long without having anything in it.
const LONGEST_GAP: u64 = 64 << 20;

/// What of a recording cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordingDamage {
    /// Bytes that belong to no whole frame.
    pub bytes: u64,
    /// How many places they are at.
    pub places: u64,
}

/// A way through the frames.
#[derive(Debug)]
pub(super) struct Frames {
    at: u64,
    end: u64,
    damage: RecordingDamage,
    /// Where the last damaged place ends.
    damaged_to: u64,
}

impl Frames {
    /// Begins with the first frame of a file of `end` bytes.
    pub(super) fn new(end: u64) -> Self {
        Self {
            at: HEAD as u64,
            end,
            damage: RecordingDamage::default(),
            damaged_to: 0,
        }
    }

    /// What could not be read up to here.
    pub(super) fn damage(&self) -> RecordingDamage {
        self.damage
    }

    /// The next whole frame, its payload in `payload`; `None` at the end.
    ///
    /// # Errors
    /// The source cannot be read.
    pub(super) fn next(
        &mut self,
        source: &dyn Source,
        payload: &mut Vec<u8>,
    ) -> Result<Option<FrameHead>, ReadError> {
        while self.at < self.end {
            let mut bytes = [0; FRAME_HEAD];
            let count = read_some(source, self.at, &mut bytes)?;
            let next = match FrameHead::proven(&bytes[..count]) {
                Some(head) => match self.payload(source, &head, payload)? {
                    Ok(next) => {
                        self.at = next;
                        return Ok(Some(head));
                    }
                    Err(next) => next,
                },
                None => self.find(source)?,
            };
            self.pass_over(next);
        }
        Ok(None)
    }

    /// Reads the payload of the frame at `at`. Gives back where the next frame begins, as an error if this one is
    /// damaged.
    fn payload(
        &self,
        source: &dyn Source,
        head: &FrameHead,
        payload: &mut Vec<u8>,
    ) -> Result<Result<u64, u64>, ReadError> {
        let start = self.at + FRAME_HEAD as u64;
        let next = start.saturating_add(head.len.into());
        if next > self.end {
            return Ok(Err(self.end));
        }
        let len = head.len as usize;
        if len > MOST_PAYLOAD {
            return Ok(Err(next));
        }
        payload.resize(len, 0);
        let whole = read_some(source, start, payload)? == len && crc32c(payload) == head.crc;
        Ok(if whole { Ok(next) } else { Err(next) })
    }

    /// Where the next proven head of a frame is, behind `at`; the end if there is none.
    fn find(&self, source: &dyn Source) -> Result<u64, ReadError> {
        let mut window = vec![0; WINDOW];
        let mut start = self.at + 1;
        let stop = self.end.min(self.at.saturating_add(LONGEST_GAP));
        while start < stop {
            let count = read_some(source, start, &mut window)?;
            let mut place = 0;
            while let Some(mark) = find_mark(&window[place..count]) {
                place += mark;
                if FrameHead::proven(&window[place..count]).is_some() {
                    return Ok(start + place as u64);
                }
                place += 1;
            }
            if count < WINDOW {
                break;
            }
            // A head may lie across the border.
            start += (WINDOW - FRAME_HEAD) as u64;
        }
        Ok(self.end)
    }

    fn pass_over(&mut self, next: u64) {
        self.damage.bytes += next - self.at;
        self.damage.places += u64::from(self.damaged_to != self.at);
        self.damaged_to = next;
        self.at = next;
    }
}

fn find_mark(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|&byte| byte == MARK[0]) {
        from += at;
        if bytes[from..].starts_with(&MARK) {
            return Some(from);
        }
        from += 1;
    }
    None
}

/// Reads as many bytes as there are.
fn read_some(source: &dyn Source, offset: u64, bytes: &mut [u8]) -> Result<usize, ReadError> {
    let mut done = 0;
    while done < bytes.len() {
        let at = offset + done as u64;
        match source.read_at(at, &mut bytes[done..]) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ReadError::Io { offset: at, error }),
        }
    }
    Ok(done)
}
