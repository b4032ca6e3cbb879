//! Writes a recording: whole frames only, each with one write.

use super::batch::BatchWriter;
use super::code::{Code, put_varint};
use super::frame::{FRAME_HEAD, Gap, Kind, MOST_EVENTS, MOST_PAYLOAD, RecordingEnd, frame, head};
use super::tables::Written;
use crate::event::Event;
use crate::snapshot::Snapshot;
use std::io::{self, Write};

/// Events are written out when so many bytes of them wait.
const BATCH_BYTES: usize = 64 << 10;
/// Everything is written anew after so many snapshots: what is damaged costs no more than that.
const WHOLE_EVERY: u32 = 30;

const _: () = assert!(BATCH_BYTES * 2 <= MOST_EVENTS);

/// Writes a recording of what it is given. It knows no clock and no file: anything that can be written to will do.
///
/// What was given since the last [`Recorder::flush`], [`Recorder::snapshot`] or full batch is lost when the process is
/// killed; what was written before can be read whatever comes after. After an error nothing more is written.
#[derive(Debug)]
pub struct Recorder<W> {
    out: W,
    batch: BatchWriter,
    /// The tables as they were written last, and by which frame.
    written: Option<(Written, u32)>,
    /// Snapshots since everything was written.
    since_whole: u32,
    states: u64,
    rings: Vec<(u64, u64)>,
    /// Frames so far.
    frames: u32,
    bytes: u64,
    events: u64,
    lost: u64,
    broken: bool,
}

impl<W: Write> Recorder<W> {
    /// Begins a recording.
    ///
    /// # Errors
    /// The head cannot be written.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&head())?;
        Ok(Self {
            out,
            batch: BatchWriter::new((0, 0)),
            written: None,
            since_whole: 0,
            states: 0,
            rings: Vec::new(),
            frames: 0,
            bytes: head().len() as u64,
            events: 0,
            lost: 0,
            broken: false,
        })
    }

    /// Takes in an event, behind those that came before.
    ///
    /// # Errors
    /// A full batch cannot be written.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        self.batch.event(event);
        self.events += 1;
        self.flush_if_full()
    }

    /// Says that so many events were lost at this place: in which ring, as [`crate::RingRow::index`] counts, and the
    /// stamp of that ring's next event, where that is known.
    ///
    /// # Errors
    /// A full batch cannot be written.
    pub fn lost(&mut self, lost: u64, ring: Option<u32>, until: Option<u64>) -> io::Result<()> {
        self.batch.lost(&Gap { lost, ring, until });
        self.lost = self.lost.saturating_add(lost);
        self.flush_if_full()
    }

    fn flush_if_full(&mut self) -> io::Result<()> {
        if self.batch.len() < BATCH_BYTES {
            return Ok(());
        }
        self.flush()
    }

    /// Writes out the events that wait.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let payload = self.batch.payload();
        self.batch = BatchWriter::new((self.events, self.lost));
        self.frame(Kind::Events, &payload)
    }

    /// Takes in the state as it is after the events that came before, and writes out both.
    ///
    /// # Errors
    /// They cannot be written, or the state is too large to be read back.
    pub fn snapshot(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        self.flush()?;
        let now = Written::new(snapshot);
        let payload = match &self.written {
            Some((before, number)) if self.since_whole < WHOLE_EVERY => {
                now.changes(before, *number)
            }
            _ => {
                self.since_whole = 0;
                now.whole()
            }
        };
        self.since_whole += 1;
        self.states += 1;
        self.written = Some((now, self.frames));
        self.frame(Kind::Tables, &payload)
    }

    /// Says how many events were read and lost so far, ring by ring, as [`crate::Cursor::by_ring`] tells.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn rings(&mut self, rings: impl Iterator<Item = (u64, u64)>) -> io::Result<()> {
        let rings: Vec<_> = rings.collect();
        if rings == self.rings {
            return Ok(());
        }
        self.rings = rings;
        self.flush()?;
        let mut payload = Vec::new();
        self.rings.put(&mut payload);
        self.frame(Kind::Rings, &payload)
    }

    /// Ends the recording, and gives back what it was written to. The tables are written once more, whole: they can be
    /// read even if the beginning is damaged.
    ///
    /// # Errors
    /// The end cannot be written.
    pub fn finish(mut self, end: RecordingEnd) -> io::Result<W> {
        self.flush()?;
        if let Some((written, _)) = self.written.take() {
            self.frame(Kind::Tables, &written.whole())?;
        }
        let mut payload = vec![end.number()];
        put_varint(&mut payload, self.events);
        put_varint(&mut payload, self.lost);
        self.frame(Kind::End, &payload)?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// Events taken in so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// States taken in so far.
    pub fn states(&self) -> u64 {
        self.states
    }

    /// Events that were said to be lost.
    pub fn lost_events(&self) -> u64 {
        self.lost
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn frame(&mut self, kind: Kind, payload: &[u8]) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("an earlier write failed"));
        }
        if payload.len() > MOST_PAYLOAD {
            self.broken = true;
            return Err(io::Error::other(
                "the engine's tables are too large to be recorded",
            ));
        }
        // Half a frame may be in the file then, and nothing may follow it.
        self.out
            .write_all(&frame(kind, self.frames, payload))
            .inspect_err(|_| self.broken = true)?;
        self.frames = self.frames.wrapping_add(1);
        self.bytes += (FRAME_HEAD + payload.len()) as u64;
        Ok(())
    }
}
