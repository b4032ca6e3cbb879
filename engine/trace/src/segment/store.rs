//! Where chunks come from: the file while its budget lasts, else the heap.

use super::map::Region;
use super::words::Words;
use crate::layout::{Geometry, HEAD, Kind, entry, head};
use crate::place::{ProblemCause, io};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::FallocateFlags;
use rustix::io::Errno;

/// A segment's memory: the head, the chunks, and the file behind them if there is one.
#[derive(Debug)]
pub(crate) struct Store {
    file: Option<OwnedFd>,
    geometry: Geometry,
    head: Words,
    /// Offset, length in bytes, memory of each chunk in the directory.
    chunks: Vec<(u64, u64, Words)>,
    end: u64,
    budget: u64,
    shortage: Option<Unmet>,
}

/// The first chunk that could not be had.
#[derive(Debug)]
enum Unmet {
    /// Nobody was told why yet.
    Unsaid(ProblemCause),
    Said,
}

/// One part in this many of the budget and of the directory is kept from the rings, so that what comes later can still be seen.
const TABLES_SHARE: u64 = 8;

impl Store {
    /// Reserves and maps the head of a new file.
    ///
    /// # Errors
    /// Those of fallocate(2) (the file system is full, or cannot reserve) and mmap(2).
    pub(crate) fn file(file: OwnedFd, geometry: Geometry, budget: u64) -> rustix::io::Result<Self> {
        let bytes = geometry.head_bytes();
        let head = reserve(&file, 0, bytes)?;
        Ok(Self::with_head(Some(file), geometry, head, budget))
    }

    /// A store on the heap.
    pub(crate) fn heap(geometry: Geometry, budget: u64) -> Self {
        let head = Words::new(Region::heap(geometry.head_bytes()));
        Self::with_head(None, geometry, head, budget)
    }

    fn with_head(file: Option<OwnedFd>, geometry: Geometry, head: Words, budget: u64) -> Self {
        head.put(head::DIRECTORY, geometry.directory as u64);
        Self {
            file,
            geometry,
            head,
            chunks: Vec::new(),
            end: geometry.head_bytes() as u64,
            budget,
            shortage: None,
        }
    }

    /// Head and directory.
    pub(crate) fn head(&self) -> &Words {
        &self.head
    }

    /// How large things are made.
    pub(crate) fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Appends a chunk of at least `bytes` bytes and lists it; `None` when the budget, the directory or the file system
    /// has no room.
    pub(crate) fn grow(&mut self, kind: Kind, bytes: usize) -> Option<Words> {
        match self.append(kind, bytes) {
            Ok(words) => Some(words),
            Err(cause) => {
                self.shortage.get_or_insert(Unmet::Unsaid(cause));
                None
            }
        }
    }

    /// Why the first chunk that could not be had was not to be had; told once.
    pub(crate) fn take_shortage(&mut self) -> Option<ProblemCause> {
        match self.shortage.replace(Unmet::Said) {
            Some(Unmet::Unsaid(cause)) => Some(cause),
            before => {
                self.shortage = before;
                None
            }
        }
    }

    fn append(&mut self, kind: Kind, bytes: usize) -> Result<Words, ProblemCause> {
        let bytes = bytes.next_multiple_of(self.geometry.align);
        let (offset, len) = (self.end, bytes as u64);
        let directory = self.geometry.directory;
        let (limit, entries) = match kind {
            Kind::Ring => (
                self.budget - self.budget / TABLES_SHARE,
                directory - directory / TABLES_SHARE as usize,
            ),
            _ => (self.budget, directory),
        };
        if offset + len > limit {
            return Err(ProblemCause::Spent(self.budget));
        }
        if self.chunks.len() >= entries {
            return Err(ProblemCause::DirectoryFull);
        }
        let words = match &self.file {
            Some(file) => reserve(file, offset, bytes).map_err(|e| io("reserve space", e))?,
            None => Words::new(Region::heap(bytes)),
        };
        self.end = offset + len;
        let entry = self.head.from(HEAD + self.chunks.len() * entry::END);
        entry.put(entry::OFFSET, offset);
        entry.put(entry::LEN, len);
        entry.put(entry::KIND, kind as u64);
        entry.put(entry::STRIDE_WORDS, kind.stride() as u64);
        self.chunks.push((offset, len, words.clone()));
        self.head.set(head::CHUNKS, self.chunks.len() as u64);
        Ok(words)
    }

    /// A chunk that no reader sees, for what found no room.
    pub(crate) fn hidden(bytes: usize) -> Words {
        Words::new(Region::heap(bytes))
    }

    /// Bytes of the file, or what would be one.
    pub(crate) fn len(&self) -> u64 {
        self.end
    }

    /// The memory at a byte offset: words from there on, and how many bytes of that piece remain.
    pub(crate) fn at(&self, offset: u64) -> Option<(Words, u64)> {
        let head = (0, self.geometry.head_bytes() as u64, &self.head);
        let chunks = self
            .chunks
            .iter()
            .map(|(start, len, words)| (*start, *len, words));
        let (start, len, words) = std::iter::once(head)
            .chain(chunks)
            .find(|(start, len, _)| (*start..start + len).contains(&offset))?;
        let within = offset - start;
        Some((words.from((within / 8) as usize), len - within / 8 * 8))
    }
}

/// Reserves a piece of the file, so that no store to it can fault, and maps it.
fn reserve(file: &OwnedFd, offset: u64, bytes: usize) -> rustix::io::Result<Words> {
    // Beyond the limit on file sizes fallocate would not fail but kill: SIGXFSZ.
    let limit = rustix::process::getrlimit(rustix::process::Resource::Fsize).current;
    if limit.is_some_and(|limit| offset + bytes as u64 > limit) {
        return Err(Errno::FBIG);
    }
    loop {
        match rustix::fs::fallocate(file, FallocateFlags::empty(), offset, bytes as u64) {
            Ok(()) => break,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Words::new(Region::map(file.as_fd(), offset, bytes)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_whole_pages_of_any_size() {
        let page = 16 << 10;
        let mut store = Store::heap(Geometry::for_pages(page), 1 << 20);
        for kind in [Kind::Pool, Kind::Ring, Kind::Worker] {
            assert!(store.grow(kind, 5000).is_some());
        }
        for (offset, len, _) in &store.chunks {
            assert!(offset.is_multiple_of(page as u64) && *len == page as u64);
        }
    }

    #[test]
    fn rings_leave_entries_to_the_tables() {
        let geometry = Geometry {
            align: 8,
            directory: 16,
            chunk_min: 8,
            chunk_max: 8,
        };
        let mut store = Store::heap(geometry, 1 << 20);
        let rings = std::iter::repeat_with(|| store.grow(Kind::Ring, 128));
        assert_eq!(rings.take_while(Option::is_some).count(), 14);
        assert!(matches!(
            store.take_shortage(),
            Some(ProblemCause::DirectoryFull)
        ));
        assert!(store.grow(Kind::Workqueue, 128).is_some());
        assert!(store.grow(Kind::Pool, 128).is_some());
        assert!(store.grow(Kind::Pwq, 128).is_none());
    }
}
