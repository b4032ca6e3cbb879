//! What a pool and its canary know of each other, without a lock that either could wait for.
//!
//! The pool's side is written under the pool's lock: whom to wake, and which workers count. A worker's slot says which
//! execution it is inside. The canary writes what it has found and gives its word ([`Call`]); whichever worker of the
//! pool next takes the pool's lock takes the word too, and looks whether it is still true.

use super::Held;
use super::call::Call;
use super::canary::Canary;
use super::look::Probe;
use super::mark::Mark;
use crate::os;
use crate::pool::{Found, WorkerIx, bits};
use crate::runtime::{Core, Effects};
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::sync::thread::Thread;
use crate::sync::{Mutex, thread};
use std::sync::{Arc, OnceLock, TryLockError};
use wq_trace::CanaryGauges;

/// Workers whose slots are made at once.
const CHUNK: usize = u64::BITS as usize;
/// Workers beyond so many chunks are left to the tick. As many as a segment shows.
const CHUNKS: usize = 128;

/// See the module.
pub(crate) struct Board {
    /// I
    pub(crate) canary: Arc<Canary>,
    pub(super) call: Call,
    tally: Tally,
    /// Made one after the other.
    chunks: [OnceLock<Box<Chunk>>; CHUNKS],
}

/// How often what happened.
#[derive(Default)]
struct Tally {
    /// Workers without a descriptor. Their own to change.
    unwatched: AtomicU32,
    /// Changed by whoever wakes the canary.
    armings: AtomicU64,
    /// The rest is changed under the pool's lock.
    decisions: AtomicU64,
    false_decisions: AtomicU64,
}

/// Slots of neighbours.
struct Chunk {
    /// Which of them count in nr_running. Written under the pool's lock.
    counted: AtomicU64,
    slots: [Slot; CHUNK],
}

impl Default for Chunk {
    fn default() -> Self {
        Self {
            counted: AtomicU64::default(),
            slots: std::array::from_fn(|_| Slot::default()),
        }
    }
}

/// A worker, as its canary sees it.
#[derive(Default)]
pub(crate) struct Slot {
    mark: Mark,
    /// Nobody waits for this lock: who finds it taken does without.
    peer: Mutex<Option<Peer>>,
}

/// What it takes to look at a worker's thread and to wake it.
struct Peer {
    tid: u32,
    thread: Thread,
    probe: Option<(Probe, Held)>,
    seen: Seen,
}

/// A worker as the canary saw it last.
#[derive(Clone, Copy, Default)]
struct Seen {
    execution: u64,
    clock: u64,
    /// When the clock was first seen to stand there.
    since: u64,
    /// When it was looked at last.
    at: u64,
}

/// Nanoseconds: whose clock has moved since a look so short ago runs, and its state need not be asked for.
const MOMENT: u64 = 20_000;

impl Seen {
    /// Notes a look. If the clock has moved, or the execution is another: when the last look was.
    fn moved(&mut self, execution: u64, clock: u64, now: u64) -> Option<u64> {
        let last = std::mem::replace(&mut self.at, now);
        if (self.execution, self.clock) == (execution, clock) {
            return None;
        }
        (self.execution, self.clock, self.since) = (execution, clock, now);
        Some(last)
    }
}

/// What a look at a worker, or at all that count, tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// It runs, or is about to, or was a moment ago.
    Running,
    /// It sleeps.
    Asleep,
    /// This cannot be told; the tick may.
    Unknown,
    /// The system refuses to tell: the number of its error.
    Refused(i32),
}

impl Slot {
    /// The worker enters the work function of the execution that began then. Called by itself.
    pub(crate) fn enter(&self, started_at: u64) {
        self.mark.enter(started_at);
    }

    /// The worker has left it. It may wait for the pool's lock from now on, for which nobody is to be woken.
    pub(crate) fn leave(&self) {
        self.mark.leave();
    }

    /// Looks at the worker. Called by the canary.
    fn look(&self) -> Sight {
        let inside = self.mark.inside();
        if inside == 0 {
            return Sight::Running;
        }
        let Ok(mut peer) = self.peer.try_lock() else {
            return Sight::Running;
        };
        let Some(peer) = peer.as_mut() else {
            return Sight::Unknown;
        };
        let Some((probe, _)) = &peer.probe else {
            return Sight::Unknown;
        };
        if !self.mark.is_of(peer.tid) {
            return Sight::Unknown;
        }
        let clock = match os::cpu_clock(peer.tid) {
            Ok(clock) => clock,
            Err(error) => return Sight::of_error(&error),
        };
        let now = os::now();
        let moved = peer.seen.moved(inside, clock, now);
        if moved.is_some_and(|since| now - since < MOMENT) {
            return Sight::Running;
        }
        match probe.is_asleep() {
            Err(error) => return Sight::of_error(&error),
            Ok(asleep) if !asleep || self.mark.inside() != inside => {
                return Sight::Running;
            }
            Ok(_) => {}
        }
        self.mark.find(inside, clock, peer.seen.since);
        Sight::Asleep
    }

    /// Gives the canary's word, and wakes the worker with it. Called by the canary. Returns whether somebody comes for it.
    fn wake(&self, call: &Call, number: u64) -> bool {
        let peer = self.peer.try_lock();
        let peer = peer.as_ref().ok().and_then(|peer| peer.as_ref());
        let is_here = |peer: &&Peer| self.mark.is_of(peer.tid);
        let Some(peer) = peer.filter(is_here) else {
            return false;
        };
        call.answer(number, || peer.thread.unpark(), || is_here(&peer))
    }

    /// Changes what it takes to look at the worker. Nobody waits long for the canary, which may be off its CPU in the
    /// middle of a look; returns whether it was changed.
    fn set(&self, peer: Option<Peer>) -> bool {
        const ATTEMPTS: u32 = 100;
        for _ in 0..ATTEMPTS {
            let place = match self.peer.try_lock() {
                Ok(place) => Some(place),
                Err(TryLockError::Poisoned(place)) => Some(place.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            };
            if let Some(mut place) = place {
                *place = peer;
                return true;
            }
            thread::yield_now();
        }
        false
    }
}

impl Sight {
    /// A thread that has just ended is no reason to give up.
    fn of_error(error: &std::io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ESRCH | libc::EINVAL) | None => Self::Unknown,
            Some(number) => Self::Refused(number),
        }
    }
}

impl Board {
    pub(crate) fn new(canary: Arc<Canary>) -> Self {
        Self {
            canary,
            call: Call::default(),
            tally: Tally::default(),
            chunks: [const { OnceLock::new() }; CHUNKS],
        }
    }

    /// The slot of a worker, made if it is not there yet; rescuers, and workers beyond what fits, have none.
    pub(crate) fn slot(&self, worker: WorkerIx) -> Option<&Slot> {
        let index = worker.0 as usize;
        self.chunk(index / CHUNK)?.slots.get(index % CHUNK)
    }

    /// A chunk of slots, made if it is not there yet, and all before it.
    fn chunk(&self, at: usize) -> Option<&Chunk> {
        let chunk = self.chunks.get(at)?;
        if chunk.get().is_none() {
            for chunk in &self.chunks[..at] {
                chunk.get_or_init(Box::default);
            }
        }
        Some(chunk.get_or_init(Box::default))
    }

    /// The calling thread is this worker from now on. Returns whether the canary can watch it.
    pub(crate) fn join(&self, worker: WorkerIx, tid: u32) -> bool {
        let probe = self.canary.descriptor(tid);
        let joined = self.slot(worker).is_some_and(|slot| {
            let watched = probe.is_some();
            slot.mark.join(tid);
            let thread = thread::current();
            slot.set(Some(Peer {
                tid,
                thread,
                probe,
                seen: Seen::default(),
            })) && watched
        });
        if !joined {
            self.tally.unwatched.fetch_add(1, Ordering::Relaxed);
        }
        joined
    }

    /// The calling thread, which could be watched or not, is this worker no more. It takes the word once more after this.
    pub(crate) fn part(&self, worker: WorkerIx, watched: bool) {
        if !watched {
            self.tally.unwatched.fetch_sub(1, Ordering::Relaxed);
        }
        let Some(slot) = self.slot(worker) else {
            return;
        };
        // Who joins next replaces what the canary holds on to.
        slot.mark.part();
        slot.set(None);
    }

    /// What the canary has to know of the pool after a transition, under the pool's lock. Returns whether the canary
    /// must be awake.
    pub(crate) fn tell(&self, core: &mut Core) -> bool {
        if !self.canary.is_on() {
            return self.call.set(None);
        }
        if let Some(words) = core.take_counted() {
            for (at, &word) in words.iter().enumerate() {
                if let Some(chunk) = self.chunk(at) {
                    chunk.counted.store(word, Ordering::Relaxed);
                }
            }
        }
        self.call.set(core.on_call().map(|ix| ix.0))
    }

    /// Whether somebody should look, and the canary sleeps: it has left this to the tick.
    pub(crate) fn is_missed(&self) -> bool {
        self.canary.is_on() && self.call.open().is_some() && !self.canary.is_armed()
    }

    /// The canary is to look again. Under the pool's lock.
    pub(crate) fn repeat(&self) {
        self.call.repeat();
    }

    /// Wakes the canary, after the pool's lock is dropped.
    pub(crate) fn arm(&self) {
        if self.canary.arm() {
            self.tally.armings.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The worker `me` takes the canary's word, if it has given one, before it takes its next step: under the pool's lock.
    pub(crate) fn take_word(&self, core: &mut Core, me: WorkerIx, now: u64, fx: &mut Effects) {
        if !self.call.is_answered() {
            return;
        }
        let mut woken = false;
        // Who is found counts no more.
        while let Some(found) = self.found(core) {
            woken |= core.brings(me, found, now, fx);
        }
        self.call.take_word();
        let add = |count: &AtomicU64, n| {
            count.store(count.load(Ordering::Relaxed) + n, Ordering::Relaxed);
        };
        add(&self.tally.decisions, 1);
        add(&self.tally.false_decisions, u64::from(!woken));
    }

    /// The first worker that the canary has found asleep, if it still is.
    fn found(&self, core: &Core) -> Option<Found> {
        let mut running = core.running_now();
        running.find_map(|(ix, started_at, tid)| {
            let clock = || os::cpu_clock(tid).ok();
            let since = self.slot(ix)?.mark.still(started_at, clock)?;
            Some(Found { ix, since })
        })
    }

    /// Looks at all workers that count. Called by the canary.
    pub(super) fn look(&self) -> Sight {
        let mut all = Sight::Running;
        let chunks = self.chunks.iter().map_while(OnceLock::get);
        for chunk in chunks {
            for bit in bits(chunk.counted.load(Ordering::Relaxed)) {
                all = chunk.slots[bit].look();
                if all != Sight::Asleep {
                    return all;
                }
            }
        }
        all
    }

    /// The canary gives its word, and wakes this worker with it; if that is there to be woken.
    pub(super) fn answers(&self, number: u64, worker: u32) -> bool {
        let slot = self.slot(WorkerIx(worker));
        slot.is_some_and(|slot| slot.wake(&self.call, number))
    }

    /// As a pool does in which `running` is inside an execution, alone, and items wait; `next` idles. For the self-test.
    pub(super) fn pretend(&self, running: WorkerIx, execution: u64, next: WorkerIx) {
        let Some(slot) = self.slot(running) else {
            return;
        };
        slot.enter(execution);
        let (at, bit) = (running.0 as usize / CHUNK, running.0 as usize % CHUNK);
        if let Some(chunk) = self.chunk(at) {
            chunk.counted.store(1 << bit, Ordering::Relaxed);
        }
        if self.call.set(Some(next.0)) {
            self.canary.arm();
        }
    }

    /// As a worker does that comes with the canary's word: whether there is one. Nobody is called any more then. For the
    /// self-test.
    pub(super) fn was_answered(&self) -> bool {
        let answered = self.call.is_answered();
        if answered {
            self.call.set(None);
            self.call.take_word();
        }
        answered
    }

    /// What the tools are told.
    pub(crate) fn gauges(&self) -> CanaryGauges {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        CanaryGauges {
            armed: self.call.open().is_some(),
            armings: read(&self.tally.armings),
            decisions: read(&self.tally.decisions),
            false_decisions: read(&self.tally.false_decisions),
            unwatched: self.tally.unwatched.load(Ordering::Relaxed),
        }
    }
}
