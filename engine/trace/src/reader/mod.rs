//! A segment, or a recording of one, as a tool sees it: read piece by piece with pread, never mapped, never believed.

mod ahead;
mod cursor;
mod error;
mod frames;
mod head;
mod lists;
mod open;
mod recorded;
mod rows;
mod source;
mod table;
mod until;

pub use cursor::{Cursor, From, Loss, MERGE_DELAY_NS, MOST_AHEAD, MOST_AHEAD_IN_ALL, Next};
pub use error::{OpenError, ReadError};
pub use frames::RecordingDamage;
pub use recorded::Recording;
pub use source::{MemorySource, Source};
pub use until::UpTo;

use crate::clock::monotonic_now;
use crate::ids::PwqId;
use crate::layout::{ClockKind, Kind, RECORD_WORDS, RING_HEAD, ring};
use crate::process;
use crate::segment::Segment;
use crate::sensing::SensingInfo;
use crate::snapshot::{Histogram, Liveness, RingRow, Snapshot};
use head::{Chunk, Head};
use lists::Lists;
use open::{check, open_file};
use source::read_words;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use table::Tables;

/// Reads one segment, live or dead, or a recording. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    source: Arc<dyn Source>,
    /// What the source holds, if it is a recording.
    recorded: Option<Arc<Recording>>,
    path: Option<PathBuf>,
}

impl Reader {
    /// Opens a file, a segment or a recording. Follows no symbolic link.
    ///
    /// # Errors
    /// Says what the file is instead, or where it is damaged.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let file = open_file(path)?;
        Self::over(Arc::new(file), path, true)
    }

    /// Reads a segment of this process; it need not have a file.
    pub fn in_memory(segment: &Segment) -> Self {
        Self {
            source: Arc::new(segment.source()),
            recorded: None,
            path: segment.path().map(Path::to_owned),
        }
    }

    /// Reads a segment or a recording from any source, such as the bytes of a file; `path` is for messages.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn from_source(source: impl Source + 'static, path: &Path) -> Result<Self, OpenError> {
        Self::over(Arc::new(source), path, false)
    }

    fn over(source: Arc<dyn Source>, path: &Path, is_file: bool) -> Result<Self, OpenError> {
        let recorded = check(&*source).map_err(|refusal| refusal.at(path))?;
        Ok(Self {
            source,
            recorded: recorded.map(Arc::new),
            path: is_file.then(|| path.to_owned()),
        })
    }

    /// What there is to know of it as a recording; `None` when it is a segment.
    pub fn recording(&self) -> Option<&Recording> {
        self.recorded.as_deref()
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether the engine is there.
    ///
    /// # Errors
    /// When the head cannot be read.
    pub fn liveness(&self) -> Result<Liveness, ReadError> {
        if let Some(recording) = &self.recorded {
            return Ok(recording.liveness());
        }
        Ok(self.judge(&Head::read(&*self.source)?))
    }

    /// What is known of the engine, without the rest of the snapshot.
    ///
    /// # Errors
    /// When the head cannot be read.
    pub fn meta(&self) -> Result<crate::Meta, ReadError> {
        if self.recorded.is_some() {
            return Ok(self.snapshot()?.meta);
        }
        let mut meta = Head::read(&*self.source)?.meta();
        meta.path.clone_from(&self.path);
        Ok(meta)
    }

    /// The state of the engine as a recording has it for a moment: the last that is not younger than `at`, in nanoseconds
    /// on the segment's clock, or the first one. A segment knows only the present, and gives that.
    ///
    /// # Errors
    /// As [`Reader::snapshot`].
    pub fn snapshot_at(&self, at: u64) -> Result<Snapshot, ReadError> {
        match &self.recorded {
            Some(recording) => Ok(self.here(recording.snapshot_at(&*self.source, at)?)),
            None => self.snapshot(),
        }
    }

    /// The last states that there are, the oldest first: of a recording at most `most`; of a segment the present one.
    ///
    /// # Errors
    /// As [`Reader::snapshot`].
    pub fn latest(&self, most: usize) -> Result<Vec<Snapshot>, ReadError> {
        match &self.recorded {
            Some(recording) => {
                let latest = recording.latest(&*self.source, most)?.into_iter();
                Ok(latest.map(|snapshot| self.here(snapshot)).collect())
            }
            None => Ok(vec![self.snapshot()?]),
        }
    }

    /// Gives each state that there is to `take`, the oldest first: all of a recording, one after the other, so that they
    /// need not have room at once (the last one may come twice); of a segment the present one.
    ///
    /// # Errors
    /// As [`Reader::snapshot`].
    pub fn each_state(&self, mut take: impl FnMut(Snapshot)) -> Result<(), ReadError> {
        match &self.recorded {
            Some(recording) => {
                recording.each_state(&*self.source, |snapshot| take(self.here(snapshot)))
            }
            None => {
                take(self.snapshot()?);
                Ok(())
            }
        }
    }

    /// A recording's state, with the file that it was read from.
    fn here(&self, mut snapshot: Snapshot) -> Snapshot {
        snapshot.meta.path.clone_from(&self.path);
        snapshot
    }

    /// The state of the engine now, or as it was left, or at a recording's end.
    ///
    /// # Errors
    /// When it ends too early, contradicts itself, or cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, ReadError> {
        if let Some(recording) = &self.recorded {
            return Ok(self.here(recording.snapshot()?));
        }
        let source = &*self.source;
        // Each total once: see `PwqSlot::retire`. A release may add a chunk, too, so all is read again.
        let mut attempt = 1;
        loop {
            let before = retired_seq(source)?;
            let mut snapshot = self.read_once()?;
            if before & 1 == 0 && retired_seq(source)? == before {
                return Ok(snapshot);
            }
            if attempt == ATTEMPTS {
                snapshot.torn += 1;
                return Ok(snapshot);
            }
            attempt += 1;
        }
    }

    /// The latest moment, in nanoseconds on the segment's clock, that anything in the segment tells of: an event, a row,
    /// the engine's heartbeat. Of a recording that of its last state.
    ///
    /// # Errors
    /// As [`Reader::snapshot`].
    pub fn last_sign(&self) -> Result<u64, ReadError> {
        match &self.recorded {
            Some(recording) => Ok(recording.snapshot()?.at),
            None => Ok(self.read_with_sign()?.1),
        }
    }

    fn read_once(&self) -> Result<Snapshot, ReadError> {
        Ok(self.read_with_sign()?.0)
    }

    /// The state, and the latest moment that it tells of.
    fn read_with_sign(&self) -> Result<(Snapshot, u64), ReadError> {
        let source = &*self.source;
        let head = Head::read(source)?;
        let (chunks, _) = head.chunks(source, 0)?;
        let mut meta = head.meta();
        meta.path.clone_from(&self.path);
        let mut snapshot = Snapshot {
            sensing: SensingInfo {
                mode: meta.sensing.clone(),
                reason: meta.sensing_reason.clone(),
                ..SensingInfo::default()
            },
            meta,
            settings: head.settings(),
            lost_no_ring: head.word(crate::layout::head::LOST_NO_RING),
            hidden_rows: head.word(crate::layout::head::HIDDEN_ROWS),
            ..Snapshot::default()
        };
        read_tables(source, &chunks, &mut snapshot)?;
        let newest = read_rings(source, &head, &chunks, &mut snapshot)?;
        let heartbeat = head.word(crate::layout::head::HEARTBEAT);
        let sign = last_sign(&snapshot, heartbeat).max(newest);
        let running = matches!(self.judge(&head), Liveness::Live | Liveness::Unknown);
        snapshot.at = if running && head.clock() == ClockKind::Monotonic {
            monotonic_now()
        } else {
            sign
        };
        Ok((snapshot, sign))
    }

    /// A way through the events, from the oldest that is still there or from now on.
    pub fn cursor(&self, from: From) -> Cursor {
        Cursor::new(self.clone(), from)
    }

    fn judge(&self, head: &Head) -> Liveness {
        use crate::layout::head;
        let (pid, start) = (head.word(head::PID) as u32, head.word(head::PID_START));
        if head.word(head::ENDED_AT) != 0 {
            Liveness::Ended
        } else if process::pid_namespace() != Some(head.word(head::PID_NS)) {
            Liveness::Unknown
        } else if process::is_alive(pid, start) {
            Liveness::Live
        } else {
            Liveness::Dead
        }
    }
}

/// Attempts to read a snapshot while no totals move from one slot to another.
const ATTEMPTS: u32 = 8;

/// How often totals have moved. Ordered before and after whatever is read.
fn retired_seq(source: &dyn Source) -> Result<u64, ReadError> {
    fence(Ordering::Acquire);
    let seq = head::word(source, crate::layout::head::RETIRED_SEQ)?;
    fence(Ordering::Acquire);
    Ok(seq)
}

/// Fills in everything that stands in slots.
fn read_tables(
    source: &dyn Source,
    chunks: &[Chunk],
    snapshot: &mut Snapshot,
) -> Result<(), ReadError> {
    let mut tables = Tables::new(source);
    let mut histograms = HashMap::<PwqId, (Histogram, Histogram)>::new();
    let mut lists = Lists::default();
    let mut slots_left = Kind::SLOTS.map(|kind| 2 * kind.cap());
    let s = &mut *snapshot;
    for chunk in chunks {
        let Some(index) = chunk.kind.index() else {
            continue;
        };
        let left = &mut slots_left[index];
        let most = *left;
        *left = left.saturating_sub(chunk.len as usize / 8 / chunk.stride);
        tables.read(chunk, most, |slot| match chunk.kind {
            Kind::Pool => s.pools.push(rows::pool(slot)),
            Kind::Worker => s.workers.push(rows::worker(slot)),
            // The others are torn only while they change hands.
            _ if !slot.whole => {}
            Kind::Workqueue => s.workqueues.push(rows::workqueue(slot)),
            Kind::Pwq => s.pwqs.push(rows::pwq(slot)),
            Kind::PwqFunc => s.pwq_funcs.push(rows::pwq_func(slot)),
            Kind::Function => s.functions.push(rows::function(slot)),
            Kind::Thread => s.threads.push(rows::thread(slot)),
            Kind::Flush => s.flushes.push(rows::flush(slot)),
            Kind::Histogram => {
                let (pwq, wait, run) = rows::histograms(slot);
                histograms.insert(pwq, (wait, run));
            }
            Kind::List => lists.add(slot),
            Kind::Sensing => s.sensing = rows::sensing(slot),
            Kind::Ring => {}
        })?;
    }
    for row in &mut s.pwqs {
        if let Some((wait, run)) = histograms.remove(&row.id) {
            (row.wait, row.run) = (wait, run);
        }
    }
    s.torn = tables.torn;
    // The head's words are of another moment.
    s.meta.sensing.clone_from(&s.sensing.mode);
    s.meta.sensing_reason.clone_from(&s.sensing.reason);
    lists.hand_out(s);
    s.workqueues.sort_by_key(|row| row.id);
    s.functions.sort_by_key(|row| row.id);
    s.pools.sort_by_key(|row| (row.number, row.id));
    s.pwqs.sort_by_key(|row| row.id);
    s.workers.sort_by_key(|row| (row.pool, row.number, row.id));
    Ok(())
}

/// Fills in the rings, and returns the stamp of the newest event.
fn read_rings(
    source: &dyn Source,
    head: &Head,
    chunks: &[Chunk],
    snapshot: &mut Snapshot,
) -> Result<u64, ReadError> {
    let mut newest = 0;
    let rings = chunks.iter().filter(|chunk| chunk.kind == Kind::Ring);
    for (index, chunk) in rings.enumerate() {
        let mut words = [0; RING_HEAD];
        read_words(source, chunk.offset, &mut words)?;
        let (written, capacity) = (words[ring::WRITTEN], words[ring::CAPACITY]);
        if capacity == 0 || capacity > ring_room(chunk) {
            continue;
        }
        snapshot.rings.push(RingRow {
            index: index as u32,
            tid: words[ring::TID] as u32,
            generation: words[ring::GENERATION] as u32,
            written,
            capacity,
        });
        if let Some(last) = written.checked_sub(1) {
            let mut at = [0];
            let record = RING_HEAD as u64 + last % capacity * RECORD_WORDS as u64;
            let offset = chunk.offset + record * 8;
            read_words(source, offset, &mut at)?;
            newest = newest.max(head.nanoseconds(at[0]));
        }
    }
    Ok(newest)
}

/// Records that a ring's chunk has room for.
fn ring_room(chunk: &Chunk) -> u64 {
    (chunk.len / 8 - RING_HEAD as u64) / RECORD_WORDS as u64
}

/// The latest moment that anything in the slots tells of.
fn last_sign(snapshot: &Snapshot, heartbeat: u64) -> u64 {
    let meta = &snapshot.meta;
    let pools = snapshot.pools.iter().map(|pool| pool.last_progress);
    let workers = snapshot.workers.iter().map(|worker| worker.since);
    let own = [meta.started_at, meta.ended_at.unwrap_or(0), heartbeat];
    own.into_iter()
        .chain(pools)
        .chain(workers)
        .max()
        .unwrap_or(0)
}
