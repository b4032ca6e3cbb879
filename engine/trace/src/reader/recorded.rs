//! A recording as a reader sees it: everything is checked when it is opened, and only its latest state is kept.

use super::cursor::{Loss, Next};
use super::error::ReadError;
use super::frames::{Frames, RecordingDamage};
use super::source::Source;
use crate::event::Event;
use crate::names::Names;
use crate::recording::{
    BatchReader, Code, FrameHead, Gap, Input, Item, Kind, MOST_EVENTS, RecordingEnd, Tables,
};
use crate::snapshot::{Liveness, Snapshot};
use std::collections::VecDeque;
use std::sync::Arc;

/// What there is to know of a recording.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Bytes of the file when it was opened.
    len: u64,
    version: (u16, u16),
    damage: RecordingDamage,
    end: Option<End>,
    tables: Tables,
    states: u64,
    /// The stamp of the first one.
    first_at: Option<u64>,
    names: Names,
    rings: Vec<(u64, u64)>,
}

impl Recording {
    /// Reads a recording's frames, all of them.
    pub(super) fn read(source: &dyn Source, version: (u16, u16)) -> Result<Self, ReadError> {
        let len = source
            .len()
            .map_err(|error| ReadError::Io { offset: 0, error })?;
        let mut recording = Self {
            len,
            version,
            damage: RecordingDamage::default(),
            end: None,
            tables: Tables::default(),
            states: 0,
            first_at: None,
            names: Names::default(),
            rings: Vec::new(),
        };
        let mut frames = Frames::new(len);
        let mut payload = Vec::new();
        while let Some(head) = frames.next(source, &mut payload)? {
            recording.take_in(&head, &payload);
        }
        recording.damage = frames.damage();
        recording.names.update(&recording.tables.snapshot());
        Ok(recording)
    }

    fn take_in(&mut self, head: &FrameHead, payload: &[u8]) {
        match Kind::from_number(head.kind) {
            Some(Kind::Tables) => {
                let mut news = Snapshot::default();
                if self.tables.apply(payload, head.number, &mut news) {
                    self.states += 1;
                    self.first_at.get_or_insert(self.tables.at());
                    self.names.update(&news);
                }
            }
            Some(Kind::Rings) => {
                if let Some(rings) = Code::get(&mut Input::new(payload)) {
                    self.rings = rings;
                }
            }
            Some(Kind::End) => self.end = End::read(payload).or(self.end),
            Some(Kind::Events) | None => {}
        }
    }

    /// Its format version (major, minor).
    pub fn version(&self) -> (u16, u16) {
        self.version
    }

    /// What cannot be read of it. A recording that was cut off in the middle of a frame has that rest there.
    pub fn damage(&self) -> RecordingDamage {
        self.damage
    }

    /// How it ends; `None` when it breaks off: its recorder was killed, still writes, or the end was cut off.
    pub fn end(&self) -> Option<RecordingEnd> {
        self.end.map(|end| end.reason)
    }

    /// Events that were overwritten before they could be recorded; of a recording that breaks off, as far as it tells.
    pub fn lost_events(&self) -> u64 {
        let by_ring = || self.rings.iter().map(|&(_, lost)| lost);
        match self.end {
            Some(end) => end.counts.1,
            None => by_ring().fold(0, u64::saturating_add),
        }
    }

    /// How many states of the engine it holds.
    pub fn states(&self) -> u64 {
        self.states
    }

    /// How long it is: nanoseconds from its first state to its last.
    pub fn length(&self) -> u64 {
        let last = self.tables.at();
        last.saturating_sub(self.first_at.unwrap_or(last))
    }

    /// The names of everything that stood in any of its states; of thousands of a kind only the latest.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Whether the engine is there.
    pub(super) fn liveness(&self) -> Liveness {
        match self.end() {
            Some(RecordingEnd::Ended) => Liveness::Ended,
            Some(RecordingEnd::Gone) => Liveness::Dead,
            Some(RecordingEnd::Stopped) | None => Liveness::Recorded,
        }
    }

    /// The last state in it.
    pub(super) fn snapshot(&self) -> Result<Snapshot, ReadError> {
        state(&self.tables)
    }

    /// The last states in it, the oldest first.
    pub(super) fn latest(
        &self,
        source: &dyn Source,
        most: usize,
    ) -> Result<Vec<Snapshot>, ReadError> {
        let mut frames = Frames::new(self.len);
        let mut payload = Vec::new();
        let mut tables = Tables::default();
        // Rows that stay are shared: so many tables take little more room than one.
        let mut latest = VecDeque::new();
        while let Some(head) = frames.next(source, &mut payload)? {
            let is_state = Kind::from_number(head.kind) == Some(Kind::Tables);
            if !is_state || !tables.apply(&payload, head.number, &mut Snapshot::default()) {
                continue;
            }
            // The last one is written twice.
            if latest.back().map(Tables::at) == Some(tables.at()) {
                latest.pop_back();
            }
            latest.push_back(tables.clone());
            if latest.len() > most {
                latest.pop_front();
            }
        }
        Ok(latest.iter().map(Tables::snapshot).collect())
    }

    /// Each state in it, the oldest first; the last one twice, if it is whole.
    pub(super) fn each_state(
        &self,
        source: &dyn Source,
        mut take: impl FnMut(Snapshot),
    ) -> Result<(), ReadError> {
        let mut frames = Frames::new(self.len);
        let mut payload = Vec::new();
        let mut tables = Tables::default();
        while let Some(head) = frames.next(source, &mut payload)? {
            let is_state = Kind::from_number(head.kind) == Some(Kind::Tables);
            if is_state && tables.apply(&payload, head.number, &mut Snapshot::default()) {
                take(tables.snapshot());
            }
        }
        Ok(())
    }

    /// The last state in it that is not younger than `at`; the first one if all are.
    pub(super) fn snapshot_at(&self, source: &dyn Source, at: u64) -> Result<Snapshot, ReadError> {
        let mut frames = Frames::new(self.len);
        let mut payload = Vec::new();
        let mut tables = Tables::default();
        while let Some(head) = frames.next(source, &mut payload)? {
            if Kind::from_number(head.kind) != Some(Kind::Tables) {
                continue;
            }
            let before = tables.clone();
            if tables.apply(&payload, head.number, &mut Snapshot::default())
                && tables.at() > at
                && !before.is_empty()
            {
                return state(&before);
            }
        }
        state(&tables)
    }

    /// Read and lost events of each ring.
    pub(super) fn rings(&self) -> &[(u64, u64)] {
        &self.rings
    }
}

fn state(tables: &Tables) -> Result<Snapshot, ReadError> {
    if tables.is_empty() {
        let what = "no state of the engine can be read";
        return Err(ReadError::Damaged { offset: 0, what });
    }
    Ok(tables.snapshot())
}

/// The payload of the last frame.
#[derive(Clone, Copy, Debug)]
struct End {
    reason: RecordingEnd,
    /// Events and losses of the whole recording.
    counts: (u64, u64),
}

impl End {
    fn read(payload: &[u8]) -> Option<Self> {
        let mut input = Input::new(payload);
        Some(Self {
            reason: RecordingEnd::from_number(input.byte()?),
            counts: (input.varint()?, input.varint()?),
        })
    }
}

/// The events of a recording, in its order.
#[derive(Debug)]
pub(super) struct Replay {
    recording: Arc<Recording>,
    frames: Frames,
    payload: Vec<u8>,
    batch: Option<BatchReader>,
    /// Events and losses that the writer had written before what comes next.
    written: (u64, u64),
    /// What is missing here.
    gap: u64,
}

/// What a recording has next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// An event.
    Event(Event),
    /// One of a kind that this version does not know.
    Unknown,
    /// Some were lost: before they were recorded, or because the recording is damaged.
    Lost(Loss),
    /// All is read.
    Over(Next),
}

impl Replay {
    /// Begins with the first event.
    pub(super) fn new(recording: Arc<Recording>) -> Self {
        let frames = Frames::new(recording.len);
        Self {
            recording,
            frames,
            payload: Vec::new(),
            batch: None,
            written: (0, 0),
            gap: 0,
        }
    }

    /// Begins behind the last event.
    pub(super) fn at_end(recording: Arc<Recording>) -> Self {
        let mut replay = Self::new(recording);
        replay.frames = Frames::new(0);
        replay
    }

    /// The recording.
    pub(super) fn recording(&self) -> &Recording {
        &self.recording
    }

    /// What comes next.
    pub(super) fn next(&mut self, source: &dyn Source) -> Step {
        loop {
            if self.gap > 0 {
                return Step::Lost(self.missed());
            }
            match self.batch.as_mut().and_then(BatchReader::next) {
                Some(Item::Event(event)) => {
                    self.written.0 = self.written.0.saturating_add(1);
                    return event.map_or(Step::Unknown, Step::Event);
                }
                Some(Item::Lost(Gap { lost, ring, until })) => {
                    self.written.1 = self.written.1.saturating_add(lost);
                    if lost > 0 {
                        let ring = ring.unwrap_or(Loss::NO_RING);
                        return Step::Lost(Loss { ring, lost, until });
                    }
                }
                None if !self.advance(source) => return self.over(),
                None => {}
            }
        }
    }

    /// Goes to the next frame; returns false at the end.
    fn advance(&mut self, source: &dyn Source) -> bool {
        self.batch = None;
        // What cannot be read now could when the recording was opened: the file has gone since.
        let Ok(Some(head)) = self.frames.next(source, &mut self.payload) else {
            return false;
        };
        match Kind::from_number(head.kind) {
            Some(Kind::Events) if self.payload.len() <= MOST_EVENTS => {
                self.batch = BatchReader::new(std::mem::take(&mut self.payload));
                if let Some(batch) = &self.batch {
                    self.gap = self.missing(batch.before);
                    self.written = batch.before;
                }
            }
            Some(Kind::End) => {
                if let Some(end) = End::read(&self.payload) {
                    self.gap = self.missing(end.counts);
                    self.written = end.counts;
                }
            }
            Some(Kind::Events | Kind::Tables | Kind::Rings) | None => {}
        }
        true
    }

    /// The gap, which is of all rings.
    fn missed(&mut self) -> Loss {
        Loss {
            ring: Loss::NO_RING,
            lost: std::mem::take(&mut self.gap),
            until: self.batch.as_ref().and_then(BatchReader::first_at),
        }
    }

    /// How many events, and events that were lost anyway, stood in frames that could not be read.
    fn missing(&self, before: (u64, u64)) -> u64 {
        let events = before.0.saturating_sub(self.written.0);
        events.saturating_add(before.1.saturating_sub(self.written.1))
    }

    fn over(&self) -> Step {
        Step::Over(match self.recording.liveness() {
            Liveness::Dead => Next::WriterGone,
            _ => Next::End,
        })
    }
}
