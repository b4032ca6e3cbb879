//! Where a reader's bytes come from: a file, a segment of this process, or any bytes.

use super::error::ReadError;
use crate::segment::Segment;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes that can be read from any place, while somebody else may be changing them.
pub trait Source: std::fmt::Debug + Send + Sync {
    /// Reads from `offset` on; fewer bytes than asked for, or 0, at the end.
    ///
    /// # Errors
    /// What reading itself can meet.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize>;

    /// How many bytes there are now.
    ///
    /// # Errors
    /// What asking can meet.
    fn len(&self) -> io::Result<u64>;

    /// Whether there are none.
    ///
    /// # Errors
    /// Those of [`Source::len`].
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

impl Source for File {
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        FileExt::read_at(self, bytes, offset)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl Source for Vec<u8> {
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.get(start..).unwrap_or_default();
        let count = rest.len().min(bytes.len());
        bytes[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(Vec::len(self) as u64)
    }
}

/// A segment of this process, read without a file.
#[derive(Clone, Debug)]
pub struct MemorySource {
    segment: Segment,
}

impl Segment {
    /// The segment's bytes, as a file would hold them.
    pub fn source(&self) -> MemorySource {
        MemorySource {
            segment: self.clone(),
        }
    }
}

impl Source for MemorySource {
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let Some((words, remaining)) = self.segment.at(offset) else {
            return Ok(0);
        };
        // `words` begin with the one that holds `offset`; the first bytes of it may not be wanted.
        let skip = (offset % 8) as usize;
        let count = bytes.len().min(remaining as usize - skip);
        if skip == 0 && count.is_multiple_of(8) {
            for (index, bytes) in bytes[..count].as_chunks_mut().0.iter_mut().enumerate() {
                *bytes = words.get(index).to_le_bytes();
            }
            return Ok(count);
        }
        let mut word = [0; 8];
        for (index, byte) in bytes[..count].iter_mut().enumerate() {
            let at = skip + index;
            if index == 0 || at.is_multiple_of(8) {
                word = words.get(at / 8).to_le_bytes();
            }
            *byte = word[at % 8];
        }
        Ok(count)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.segment.len())
    }
}

/// Words that are read without allocating.
const FEW: usize = 8;

/// Reads whole words, or says where the bytes ended.
pub(super) fn read_words(
    source: &dyn Source,
    offset: u64,
    words: &mut [u64],
) -> Result<(), ReadError> {
    let len = words.len() * 8;
    let (mut few, mut many) = ([0; FEW * 8], Vec::new());
    let bytes = if words.len() <= FEW {
        &mut few[..len]
    } else {
        many.resize(len, 0);
        &mut many[..]
    };
    let mut done = 0;
    while done < bytes.len() {
        let at = offset + done as u64;
        match source.read_at(at, &mut bytes[done..]) {
            Ok(0) => return Err(ReadError::Truncated { offset: at }),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ReadError::Io { offset: at, error }),
        }
    }
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::SegmentConfig;

    #[test]
    fn memory_reads_alike_in_any_pieces() {
        let segment = Segment::tiny(&SegmentConfig::default(), 7);
        segment.workqueue("events", 0x1234, 256).free();
        let source = segment.source();
        let len = source.len().unwrap() as usize;
        let read = |piece: usize| {
            let mut all = vec![0; len];
            let mut at = 0;
            while at < len {
                let end = (at + piece).min(len);
                at += source.read_at(at as u64, &mut all[at..end]).unwrap();
            }
            assert_eq!(source.read_at(len as u64, &mut [0]).unwrap(), 0);
            all
        };
        let whole = read(len);
        assert!(whole.starts_with(b"wqseg\r\n\x1a"));
        for piece in [1, 3, 8, 13, 4096] {
            assert!(read(piece) == whole, "pieces of {piece}");
        }
    }
}
