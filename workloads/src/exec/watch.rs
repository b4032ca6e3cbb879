//! Looking for warnings while a script runs: as a tool would, from outside, through what the engine tells of itself.

use super::sink::EventSink;
use crate::report::WarningSeen;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use wq_trace::warn::{Settings, Subject, Warnings};
use wq_trace::{Cursor, Event, From, Limits, Model, Next, Reader, Segment, Snapshot};

/// Between two looks, in nanoseconds.
const BETWEEN_LOOKS_NS: u64 = 250_000_000;
/// Between two readings of the events: rings overwrite.
const BETWEEN_READINGS: Duration = Duration::from_millis(50);
/// Events read in one go.
const AT_ONCE: usize = 200_000;

/// What is known of an engine, and what is wrong with it.
#[derive(Debug)]
pub(super) struct Watch {
    model: Model,
    warnings: Warnings,
    next_look: u64,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            model: Model::new(Limits::default()),
            warnings: Warnings::new(Settings::default()),
            next_look: 0,
        }
    }

    fn look(&mut self, snapshot: &Snapshot) {
        self.model.apply_snapshot(snapshot);
        self.warnings.look(&self.model);
        self.next_look = snapshot.at.saturating_add(BETWEEN_LOOKS_NS);
    }

    /// Everything that was ever warned of.
    pub(super) fn seen(&self) -> Vec<WarningSeen> {
        let names = self.model.names();
        let fired = self.warnings.fired().iter();
        let seen = fired.map(|warning| {
            let mut seen = WarningSeen {
                lint: warning.lint,
                sentence: warning.sentence.clone(),
                ..WarningSeen::default()
            };
            for subject in warning.also.iter().chain([&warning.subject]) {
                match *subject {
                    Subject::Function(id) => seen.works.push(names.function(id).to_owned()),
                    Subject::Workqueue(id) => seen.workqueues.push(names.workqueue(id).to_owned()),
                    Subject::Pool(id) => seen.pools.extend(names.pool(id)),
                    Subject::Worker(_) | Subject::Engine => {}
                }
            }
            seen
        });
        seen.collect()
    }
}

/// The simulator's events, as they come; virtual time passes from one to the next.
impl EventSink for Watch {
    fn add(&mut self, event: &Event, segment: &Segment) -> io::Result<()> {
        self.model.apply_event(event);
        if event.at < self.next_look {
            return Ok(());
        }
        let reader = Reader::in_memory(segment);
        let mut snapshot = reader.snapshot().map_err(io::Error::other)?;
        if event.at >= self.next_look.saturating_add(BETWEEN_LOOKS_NS) {
            // Nothing has happened for long: so it was until now.
            snapshot.at = event.at - 1;
            self.look(&snapshot);
        }
        snapshot.at = event.at;
        self.look(&snapshot);
        Ok(())
    }

    fn end(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        self.look(snapshot);
        Ok(())
    }
}

/// A thread that watches an engine until this is dropped.
#[derive(Debug)]
pub(super) struct Watcher {
    stop: Arc<AtomicBool>,
    /// `None` once it was joined.
    thread: Option<JoinHandle<Watch>>,
}

impl Watcher {
    /// Begins to watch.
    pub(super) fn start(reader: Reader) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = stop.clone();
        let thread = std::thread::Builder::new().name("watcher".to_owned());
        let thread = thread.spawn(move || watch(&reader, &asked))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }

    /// What it warned of, up to now.
    pub(super) fn finish(mut self) -> Vec<WarningSeen> {
        self.join().map_or_else(Vec::new, |watch| watch.seen())
    }

    fn join(&mut self) -> Option<Watch> {
        self.stop.store(true, Ordering::Release);
        let thread = self.thread.take()?;
        thread.thread().unpark();
        // A watcher that panicked has said so.
        thread.join().ok()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.join();
    }
}

fn watch(reader: &Reader, stop: &AtomicBool) -> Watch {
    let mut watch = Watch::new();
    let mut cursor = reader.cursor(From::Oldest);
    loop {
        let last = stop.load(Ordering::Acquire);
        let now = super::now();
        read(&mut cursor, now, &mut watch.model);
        if now >= watch.next_look || last {
            // A snapshot that cannot be read is not looked at; the report's own will say why.
            if let Ok(snapshot) = reader.snapshot() {
                watch.look(&snapshot);
            }
        }
        if last {
            return watch;
        }
        std::thread::park_timeout(BETWEEN_READINGS);
    }
}

fn read(cursor: &mut Cursor, now: u64, model: &mut Model) {
    for _ in 0..AT_ONCE {
        match cursor.next(now) {
            Next::Record(event) => model.apply_event(&event),
            Next::Lost(n) => model.apply_lost(n),
            Next::Idle | Next::WriterGone | Next::End => return,
        }
    }
}
