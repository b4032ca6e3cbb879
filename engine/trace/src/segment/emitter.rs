//! A thread's way to emit events.

use super::tables::Taken;
use super::words::{Words, pair};
use super::{Inner, Segment};
use crate::clean::clean_name;
use crate::event::Event;
use crate::layout::{Kind, RECORD_WORDS, RING_HEAD, SHORT_WORDS, head, thread};
use crate::record::encode;
use crate::ring::Writer;
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;

/// The one writer of a ring. It belongs to one thread at a time; dropped, its ring goes to the next thread that asks.
#[derive(Debug)]
pub struct Emitter {
    inner: Arc<Inner>,
    ring: Option<(Writer<Words>, u32)>,
    thread: Option<Taken>,
    /// One writer: `Send`, not `Sync`.
    _alone: PhantomData<Cell<()>>,
}

impl Segment {
    /// An emitter for the thread `tid` named `comm`. If no ring can be had, its events are counted as lost.
    pub fn emitter(&self, tid: u32, comm: &str) -> Emitter {
        let mut emitter = Emitter {
            inner: Arc::clone(&self.inner),
            ring: None,
            thread: None,
            _alone: PhantomData,
        };
        if self.forked() || !self.inner.tracing {
            return emitter;
        }
        let books = &mut *self.inner.books();
        let ring = match books.rings.pop_front() {
            Some((ring, generation)) => Some((ring, generation.saturating_add(1))),
            None => {
                let records = self.inner.ring_records;
                let bytes = (RING_HEAD + records as usize * RECORD_WORDS) * 8;
                let words = books.store.grow(Kind::Ring, bytes);
                words.map(|words| (Writer::new(words, records), 0))
            }
        };
        emitter.ring = ring.map(|(mut ring, generation)| {
            ring.hand_to(tid, generation);
            (ring, generation)
        });
        let mut comm = clean_name(comm);
        while comm.len() >= SHORT_WORDS * 8 {
            comm.pop();
        }
        let taken = books
            .tables
            .take(&mut books.store, Kind::Thread, None, |words| {
                words.put(thread::TID, pair(tid, 0));
                words.put_text(thread::COMM, SHORT_WORDS, &comm);
            });
        emitter.thread = Some(taken);
        emitter
    }
}

impl Emitter {
    /// Writes an event over the oldest one of this thread; does nothing when tracing is off or after a fork.
    #[inline]
    pub fn emit(&mut self, event: &Event) {
        if !self.inner.tracing || !self.inner.process.is_here() {
            return;
        }
        match &mut self.ring {
            Some((ring, _)) => ring.push(&encode(event)),
            None => self.inner.head.add_shared(head::LOST_NO_RING, 1),
        }
    }

    /// Whether the engine was marked ended: nobody waits for its events any more.
    pub fn has_ended(&self) -> bool {
        self.inner.head.get(head::ENDED_AT) != 0
    }

    /// Whether events go anywhere, so that a caller can spare itself making them.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.inner.tracing
    }
}

impl Drop for Emitter {
    fn drop(&mut self) {
        if !self.inner.process.is_here() {
            return;
        }
        let mut books = self.inner.books();
        if let Some(ring) = self.ring.take() {
            books.rings.push_back(ring);
        }
        if let Some(thread) = self.thread.take() {
            books.tables.retire(thread);
        }
    }
}
