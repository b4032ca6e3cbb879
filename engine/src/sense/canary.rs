//! The canary: a thread for each CPU that the system runs only where nobody else of ours wants the CPU. So when it runs
//! while items wait, the worker that should be running has probably blocked. It looks whether that is so, and wakes the
//! next one.
//!
//! It is pinned, has the policy `SCHED_IDLE`, and is awake only while a pool of its CPU calls ([`super::call`]). It is
//! level-triggered: it needs no hook in what blocks, and no event to be delivered. Beside a busy worker the scheduler
//! gives it about a thousandth of the CPU, hence the look.
//!
//! A canary that was preempted with a lock in hand would stop who waits for that lock, for a long time. So it takes none
//! that somebody waits for, allocates nothing, opens nothing and logs nothing: once started it makes the system calls
//! `futex`, `clock_gettime`, `pread` and `sched_yield`, and no other.

use super::board::{Board, Sight};
use super::call::Armed;
use super::look::Probe;
use super::{Descriptors, Held};
use crate::os;
use crate::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use crate::sync::thread::{self, Thread};
use std::sync::OnceLock;

/// So many looks in a row without an outcome...
const LOOKS: u32 = 256;
/// ...within so many nanoseconds mean that the canary has the CPU for itself, and what it waits for happens
/// elsewhere. Beside a busy worker it has one look per time slice.
const WITHIN: u64 = if cfg!(shuttle) { 0 } else { 2_000_000 };

/// The shared part.
#[derive(Debug)]
pub(crate) struct Canary {
    /// I: OS number.
    pub(crate) cpu: usize,
    armed: Armed,
    /// It works.
    on: AtomicBool,
    stopped: AtomicBool,
    /// The system's refusal, by the number of the error, that has ended it.
    refused: AtomicI32,
    thread: OnceLock<(Thread, u32)>,
}

impl Canary {
    pub(crate) fn new(cpu: usize) -> Self {
        Self {
            cpu,
            armed: Armed::default(),
            on: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            refused: AtomicI32::new(0),
            thread: OnceLock::new(),
        }
    }

    /// The calling thread becomes what a canary has to be. Whether `/proc` can be read is known by then
    /// ([`super::stat_problem`]).
    ///
    /// # Errors
    /// The reason why it cannot, as a sentence's end.
    pub(crate) fn settle(&self) -> Result<(), String> {
        let tid = os::thread_id();
        os::pin(&[self.cpu])
            .map_err(|error| format!("a thread cannot be pinned to CPU {}: {error}", self.cpu))?;
        os::become_idle().map_err(|error| format!("SCHED_IDLE is refused: {error}"))?;
        os::cpu_clock(tid)
            .map_err(|error| format!("a thread's CPU clock cannot be read: {error}"))?;
        self.thread.get_or_init(|| (thread::current(), tid));
        Ok(())
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    pub(crate) fn set_on(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
    }

    /// The error by which the system has refused what it had granted before.
    pub(crate) fn refused(&self) -> Option<std::io::Error> {
        let number = self.refused.load(Ordering::Acquire);
        (number != 0).then(|| std::io::Error::from_raw_os_error(number))
    }

    /// The OS id of its thread, once it has one.
    pub(crate) fn tid(&self) -> Option<u32> {
        self.thread.get().map(|(_, tid)| *tid)
    }

    /// A descriptor to look at this thread with, if there is one for it.
    pub(super) fn descriptor(&self, tid: u32) -> Option<(Probe, Held)> {
        let place = self.is_on().then(Descriptors::take)??;
        Some((Probe::open(tid).ok()?, place))
    }

    /// A pool has called. Returns whether it had to be woken.
    pub(crate) fn arm(&self) -> bool {
        let asleep = self.armed.arm();
        if asleep {
            self.wake();
        }
        asleep
    }

    pub(crate) fn is_armed(&self) -> bool {
        self.armed.is_armed()
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        if let Some((thread, _)) = self.thread.get() {
            thread.unpark();
        }
    }

    /// The canary's life, with the boards of its pools. `refused` tells somebody who may act that it is over.
    pub(crate) fn run<const N: usize>(&self, boards: [&Board; N], refused: impl Fn()) {
        let mut watch = boards.map(Watch::new);
        while !self.stopped.load(Ordering::Acquire) {
            let (mut looked, mut answered) = (false, false);
            for watch in &mut watch {
                match watch.round() {
                    Round::Nothing => {}
                    Round::Looked => looked = true,
                    Round::Answered => answered = true,
                    Round::Refused(number) => {
                        self.set_on(false);
                        self.refused.store(number, Ordering::Release);
                        return refused();
                    }
                }
            }
            if answered {
                // Nobody who has just been woken waits for a canary that gives way: to give way costs it its turn for
                // a long time, to sleep does not.
                continue;
            }
            if looked {
                thread::yield_now();
            } else if self.armed.disarm(|| watch.iter().any(Watch::is_wanted)) {
                thread::park();
            }
        }
    }
}

/// What the canary remembers of a pool.
struct Watch<'a> {
    board: &'a Board,
    /// A call that it has left to the tick, by its number.
    left: Option<u64>,
    /// Looks without an outcome, and when they began.
    looks: u32,
    since: u64,
}

/// What a round has brought.
enum Round {
    /// Nobody calls.
    Nothing,
    /// It looked in vain, and looks again.
    Looked,
    /// It has woken somebody.
    Answered,
    Refused(i32),
}

impl<'a> Watch<'a> {
    fn new(board: &'a Board) -> Self {
        Self {
            board,
            left: None,
            looks: 0,
            since: 0,
        }
    }

    /// The call to answer.
    fn call(&self) -> Option<(u64, u32)> {
        let call = self.board.call.open();
        call.filter(|&(number, _)| self.left != Some(number))
    }

    fn is_wanted(&self) -> bool {
        self.call().is_some()
    }

    fn round(&mut self) -> Round {
        let Some((number, worker)) = self.call() else {
            self.looks = 0;
            return Round::Nothing;
        };
        match self.board.look() {
            Sight::Asleep => {
                // Whom it wakes comes at once, before the canary: the call may be another by now, which is as good.
                if self.board.answers(number, worker) || self.call() != Some((number, worker)) {
                    self.looks = 0;
                    return Round::Answered;
                }
                self.looked(number);
            }
            Sight::Unknown => self.left = Some(number),
            Sight::Refused(error) => return Round::Refused(error),
            Sight::Running => self.looked(number),
        }
        Round::Looked
    }

    /// A look had no outcome.
    fn looked(&mut self, number: u64) {
        if self.looks == 0 {
            self.since = os::now();
        }
        self.looks += 1;
        if self.looks < LOOKS {
            return;
        }
        self.looks = 0;
        if os::now() - self.since < WITHIN {
            self.left = Some(number);
        }
    }
}
