//! How soon a canary reacts on this machine: one is let look at two threads that take turns, before any work is there.
//!
//! The first blocks, as a worker does inside a work function; the canary notices, and wakes the second, as it wakes an
//! idle worker. Measured from just before the block to the second's first instruction. It takes about a millisecond,
//! and is done once in a process.

use super::board::Board;
use super::canary::Canary;
use super::look::Probe;
use crate::os;
use crate::pool::WorkerIx;
use crate::runtime::Waiter;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use crate::sync::thread::{self, JoinHandle, Thread};
use std::io;
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;
use wq_trace::Reaction;

/// Turns that count, after some that do not.
const ROUNDS: u32 = 50;
const WARM_UP: u32 = 10;
/// On a machine that has no time for us it is given up.
const PATIENCE: Duration = Duration::from_millis(100);

/// Who blocks, and who is woken for it.
const BLOCKER: WorkerIx = WorkerIx(0);
const NEXT: WorkerIx = WorkerIx(1);

/// The reaction time on this CPU, or on the one where it was measured first.
pub(crate) fn reaction(cpu: usize) -> Reaction {
    static MEASURED: OnceLock<Reaction> = OnceLock::new();
    *MEASURED.get_or_init(|| measure(cpu))
}

fn measure(cpu: usize) -> Reaction {
    let test = Arc::new(Test::new(cpu));
    let taken = test.run();
    match taken {
        Ok(mut taken) if taken.len() == ROUNDS as usize => {
            taken.sort_unstable();
            let at = |percent: usize| taken[taken.len() * percent / 100];
            Reaction::Measured {
                p50_ns: at(50),
                p99_ns: at(99),
                rounds: ROUNDS,
            }
        }
        _ => Reaction::NoAnswer,
    }
}

struct Test {
    board: Board,
    /// When the blocker blocked.
    blocked_at: AtomicU64,
    /// The turns that have ended.
    turn: AtomicU32,
    over: AtomicBool,
    taken: Mutex<Vec<u64>>,
    blocker: OnceLock<Thread>,
    /// The second thread, once it is there.
    next: OnceLock<(Thread, u32)>,
    done: Arc<Waiter>,
}

impl Test {
    fn new(cpu: usize) -> Self {
        Self {
            board: Board::new(Arc::new(Canary::new(cpu))),
            blocked_at: AtomicU64::new(0),
            turn: AtomicU32::new(0),
            over: AtomicBool::new(false),
            taken: Mutex::default(),
            blocker: OnceLock::new(),
            next: OnceLock::new(),
            done: Waiter::new(),
        }
    }

    fn run(self: &Arc<Self>) -> io::Result<Vec<u64>> {
        let mut threads = Vec::new();
        let started = self.start(&mut threads);
        if started.is_ok() {
            let deadline = os::instant() + PATIENCE;
            self.done.wait_until(deadline);
        }
        self.over.store(true, Ordering::Release);
        self.board.canary.stop();
        for thread in &threads {
            thread.thread().unpark();
        }
        for thread in threads {
            let _ = thread.join();
        }
        started?;
        Ok(std::mem::take(&mut *self.taken()))
    }

    fn start(self: &Arc<Self>, threads: &mut Vec<JoinHandle<()>>) -> io::Result<()> {
        let mut spawn = |name: &str, body: fn(&Self)| {
            let test = self.clone();
            let thread = thread::Builder::new().name(name.to_owned());
            threads.push(thread.spawn(move || body(&test))?);
            io::Result::Ok(())
        };
        self.board.canary.set_on(true);
        spawn("wq-self-test/c", Self::canary)?;
        spawn("wq-self-test/b", Self::second)?;
        spawn("wq-self-test/a", Self::first)
    }

    fn taken(&self) -> crate::sync::MutexGuard<'_, Vec<u64>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    fn canary(&self) {
        if self.board.canary.settle().is_ok() {
            self.board.canary.run([&self.board], || {});
        }
    }

    /// The one that is woken.
    fn second(&self) {
        if os::pin(&[self.board.canary.cpu]).is_err() {
            return;
        }
        let tid = os::thread_id();
        self.board.join(NEXT, tid);
        self.next.get_or_init(|| (thread::current(), tid));
        while !self.is_over() {
            if !self.board.was_answered() {
                thread::park();
                continue;
            }
            let taken = os::now() - self.blocked_at.load(Ordering::Acquire);
            let turn = self.turn.load(Ordering::Acquire) + 1;
            if turn > WARM_UP {
                self.taken().push(taken);
            }
            self.turn.store(turn, Ordering::Release);
            if let Some(blocker) = self.blocker.get() {
                blocker.unpark();
            }
        }
    }

    /// The one that blocks.
    fn first(&self) {
        if os::pin(&[self.board.canary.cpu]).is_err() {
            return;
        }
        self.blocker.get_or_init(thread::current);
        self.board.join(BLOCKER, os::thread_id());
        for turn in 1..=WARM_UP + ROUNDS {
            if !self.second_is_asleep() {
                return;
            }
            self.board.pretend(BLOCKER, u64::from(turn), NEXT);
            self.blocked_at.store(os::now(), Ordering::Release);
            while self.turn.load(Ordering::Acquire) < turn && !self.is_over() {
                thread::park();
            }
        }
        self.done.complete();
    }

    /// Waits until it is; false if the time is over.
    fn second_is_asleep(&self) -> bool {
        while !self.is_over() {
            let asleep = |tid| Probe::open(tid).and_then(|probe| probe.is_asleep());
            let next = self.next.get();
            if next.is_some_and(|&(_, tid)| asleep(tid).unwrap_or(false)) {
                return true;
            }
            thread::yield_now();
        }
        false
    }
}
