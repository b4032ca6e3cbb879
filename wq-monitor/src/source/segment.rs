//! A segment as a source: a live engine's, or one that was left behind; or a recording.

use super::{Source, Tape, Update, threads};
use std::path::Path;
use wq_trace::past::{Gap, Keep, Past};
use wq_trace::{Cursor, From, Liveness, Loss, Next, OpenError, Reader, RecordingEnd, Snapshot};

/// Events taken in one go; the rest waits, so that keys are answered meanwhile.
const AT_ONCE: usize = 200_000;

/// Readings of the last events, before a recording ends: more than all rings hold, and an end if they still change.
const LAST_LOOKS: usize = 16;

/// Reads a segment.
#[derive(Debug)]
pub struct SegmentSource {
    reader: Reader,
    /// `None` when nobody wants events.
    cursor: Option<Cursor>,
    /// Whether the last state of an engine that is gone was read.
    done: bool,
    /// Whether the earlier states of a recording were told.
    told: bool,
    liveness: Liveness,
    tape: Option<Tape>,
    /// Whether the workers' threads are looked at, too.
    threads: bool,
}

impl SegmentSource {
    /// Opens a segment or a recording; with `events`, from the oldest one that is there.
    ///
    /// # Errors
    /// When it is none that can be read.
    pub fn open(path: &Path, events: bool) -> Result<Self, OpenError> {
        Ok(Self::over(Reader::open(path)?, events))
    }

    /// Reads through `reader`.
    pub fn over(reader: Reader, events: bool) -> Self {
        let cursor = events.then(|| reader.cursor(From::Oldest));
        Self {
            reader,
            cursor,
            done: false,
            told: false,
            liveness: Liveness::Unknown,
            tape: None,
            threads: false,
        }
    }

    /// Whether it is a recording.
    pub fn is_recording(&self) -> bool {
        self.reader.recording().is_some()
    }

    /// What it is read through.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The same, all of it recorded from the oldest event on.
    pub fn recorded(self, tape: Option<Tape>) -> Self {
        let mut this = Self { tape, ..self };
        // Before any event: what is cut off at once can be read, too.
        if let (Some(tape), Ok(snapshot)) = (&mut this.tape, this.reader.snapshot()) {
            tape.snapshot(&snapshot);
        }
        this
    }

    /// Takes in the events that are there, up to a bound.
    fn events(&mut self, now: u64, update: &mut Update) {
        let Some(cursor) = &mut self.cursor else {
            return;
        };
        while update.events.len() < AT_ONCE {
            match cursor.next(now) {
                Next::Record(event) => {
                    if let Some(tape) = &mut self.tape {
                        tape.event(&event);
                    }
                    update.events.push(event);
                }
                Next::Lost(_) => {
                    let losses = cursor.losses();
                    if let Some(tape) = &mut self.tape {
                        tape.losses(&losses);
                    }
                    let at = update.events.len();
                    update
                        .gaps
                        .extend(losses.iter().map(|loss| (at, gap(loss))));
                    // What was overwritten before anybody looked is history, not loss.
                    update.lost = update.lost.saturating_add(cursor.take_missed());
                }
                Next::Idle => return,
                Next::WriterGone | Next::End => {
                    if let Some(tape) = &mut self.tape {
                        tape.rings(cursor);
                    }
                    self.cursor = None;
                    return;
                }
            }
        }
    }
}

impl Source for SegmentSource {
    fn poll(&mut self, now: u64, snapshot: bool) -> Update {
        let mut update = Update {
            liveness: self.liveness,
            ..Update::default()
        };
        if self.done {
            return update;
        }
        self.events(now, &mut update);
        if snapshot {
            self.state(&mut update);
        }
        if let Some(tape) = &mut self.tape {
            tape.round(now);
            if let Some(problem) = tape.problem() {
                update.problem.get_or_insert_with(|| problem.to_owned());
            }
        }
        update
    }

    fn keep(&self) -> Keep {
        match self.reader.recording() {
            Some(recording) => Keep::ended(recording.states(), recording.length()),
            // What is in the rings is all that there will ever be.
            None if matches!(self.reader.liveness(), Ok(Liveness::Ended | Liveness::Dead)) => {
                Keep::ended(1, 0)
            }
            None => Keep::default(),
        }
    }

    fn look_at_threads(&mut self, wanted: bool) {
        self.threads = wanted;
    }

    fn finish(&mut self) -> Result<Option<String>, String> {
        if self.tape.is_none() {
            return Ok(None);
        }
        // The last events, and the state after them; nothing older that might still come is waited for.
        let mut last = Update::default();
        for _ in 0..LAST_LOOKS {
            last.events.clear();
            last.gaps.clear();
            self.events(u64::MAX, &mut last);
            if last.events.len() < AT_ONCE {
                break;
            }
        }
        self.state(&mut last);
        self.tape.take().map(Tape::finish).transpose()
    }
}

impl SegmentSource {
    /// Takes in the state, and whether the engine is there.
    fn state(&mut self, update: &mut Update) {
        match self.reader.liveness() {
            Ok(liveness) => self.liveness = liveness,
            Err(error) => update.problem = Some(self.sentence(&error)),
        }
        update.liveness = self.liveness;
        if !self.told && self.reader.recording().is_some() {
            self.told = true;
            update.earlier = self.earlier();
        }
        match self.reader.snapshot() {
            Ok(snapshot) => {
                self.tape(&snapshot);
                // Only of one that lives, and in this pid namespace, are the ids those of its threads.
                if self.threads && self.liveness == Liveness::Live {
                    update.threads = Some(threads::look(&snapshot));
                }
                update.snapshot = Some(snapshot);
            }
            Err(error) => update.problem = Some(self.sentence(&error)),
        }
        let gone = !matches!(self.liveness, Liveness::Live | Liveness::Unknown);
        self.done = gone && self.cursor.is_none() && update.problem.is_none();
    }

    /// Records a state, what the rings came to by then, and how the engine ended if it has.
    fn tape(&mut self, snapshot: &Snapshot) {
        let Some(tape) = &mut self.tape else {
            return;
        };
        if let Some(cursor) = &self.cursor {
            tape.rings(cursor);
        }
        tape.snapshot(snapshot);
        match self.liveness {
            Liveness::Ended => tape.ended(RecordingEnd::Ended),
            Liveness::Dead => tape.ended(RecordingEnd::Gone),
            Liveness::Live | Liveness::Unknown | Liveness::Recorded => {}
        }
    }

    /// The states of a recording before the last one, as many as are kept of one.
    fn earlier(&self) -> Vec<Snapshot> {
        // They need not have room at once before they are thinned.
        let mut past = Past::new(self.keep());
        let read = self.reader.each_state(|state| past.snapshot(&state));
        if let Err(error) = read {
            tracing::warn!(%error, "earlier states cannot be read");
        }
        let mut states: Vec<_> = past.states().cloned().collect();
        states.pop();
        states
    }

    fn sentence(&self, error: &wq_trace::ReadError) -> String {
        match self.reader.path() {
            Some(path) => format!("{}: {error}", path.display()),
            None => error.to_string(),
        }
    }
}

/// A loss as a place among events.
fn gap(loss: &Loss) -> Gap {
    Gap {
        lost: loss.lost,
        ring: (loss.ring != Loss::NO_RING).then_some(loss.ring),
        until: loss.until,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wq_trace::{Event, FuncId, PoolId, Segment, SegmentConfig, What, WorkerId, WqId};

    fn event(at: u64) -> Event {
        Event {
            at,
            cpu: 0,
            tid: 1,
            wq: WqId(1),
            pool: PoolId(1),
            worker: WorkerId(1),
            func: FuncId(2),
            from: FuncId::NONE,
            work: at,
            what: What::ExecuteStart,
        }
    }

    #[test]
    fn a_source_that_is_never_idle_counts_what_it_missed_but_not_what_was_gone_before() {
        let config = SegmentConfig {
            ring_bytes: 64 * 16,
            ..SegmentConfig::default()
        };
        let segment = Segment::in_memory(&config, 1);
        let mut emitter = segment.emitter(1, "flood");
        let mut emit = |n: u64| (0..n).for_each(|at| emitter.emit(&event(at)));
        emit(100);
        let mut source = SegmentSource::over(Reader::in_memory(&segment), true);
        let mut update = source.poll(u64::MAX, false);
        assert_eq!((update.lost, update.events.len()), (0, 16));
        assert_eq!(update.gaps[0].1.lost, 84);
        for _ in 0..2 {
            emit(100);
            update = source.poll(u64::MAX, false);
            assert_eq!((update.lost, update.events.len()), (84, 16));
        }
    }
}
