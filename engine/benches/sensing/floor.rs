//! What no engine can be faster than: a plain thread wakes another on its CPU, and blocks.
//!
//! The same steps at the same rhythm as with an engine: a thread on another CPU starts the round and lets the first one
//! go on after the second has run.

use crate::rig;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Default)]
struct Shared {
    /// The second thread is to run.
    go: AtomicBool,
    over: AtomicBool,
    burn_us: AtomicU64,
    blocks_at: AtomicU64,
    starts_at: AtomicU64,
}

/// Two threads, and what starts and ends a round.
pub struct Floor {
    shared: Arc<Shared>,
    rounds: mpsc::Sender<()>,
    gate: PipeWriter,
    started: mpsc::Receiver<()>,
    second: JoinHandle<()>,
}

impl Floor {
    pub fn new(cpu: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let (closed, gate) = pipe().expect("a pipe");
        let (told, started) = mpsc::sync_channel(1);
        let (rounds, begins) = mpsc::channel();
        let second = thread::spawn({
            let shared = shared.clone();
            move || starts(&shared, cpu, &told)
        });
        let next = second.thread().clone();
        thread::spawn({
            let shared = shared.clone();
            move || blocks(&shared, cpu, &begins, &next, &closed)
        });
        Self {
            shared,
            rounds,
            gate,
            started,
            second,
        }
    }

    /// Nanoseconds from just before the wake-up to the other's first step, of each round.
    pub fn run(&self, rounds: usize, burn_us: u64, pause: Duration) -> Vec<u64> {
        let shared = &self.shared;
        shared.burn_us.store(burn_us, Ordering::Relaxed);
        let round = |_| {
            thread::sleep(pause);
            self.rounds.send(()).expect("it waits");
            self.started.recv().expect("it runs");
            (&self.gate).write_all(&[1]).expect("somebody reads");
            let [from, to] = [&shared.blocks_at, &shared.starts_at];
            to.load(Ordering::Acquire) - from.load(Ordering::Acquire)
        };
        (0..rounds).map(round).collect()
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        self.second.thread().unpark();
    }
}

fn blocks(
    shared: &Shared,
    cpu: usize,
    begins: &mpsc::Receiver<()>,
    next: &thread::Thread,
    closed: &PipeReader,
) {
    rig::pin(&[cpu]);
    while begins.recv().is_ok() {
        rig::burn(shared.burn_us.load(Ordering::Relaxed));
        shared.blocks_at.store(rig::now(), Ordering::Release);
        shared.go.store(true, Ordering::Release);
        next.unpark();
        let read = (&*closed).read(&mut [0]);
        assert_eq!(read.expect("a pipe is readable"), 1);
    }
}

fn starts(shared: &Shared, cpu: usize, told: &mpsc::SyncSender<()>) {
    rig::pin(&[cpu]);
    while !shared.over.load(Ordering::Acquire) {
        if !shared.go.swap(false, Ordering::AcqRel) {
            thread::park();
            continue;
        }
        shared.starts_at.store(rig::now(), Ordering::Release);
        if told.send(()).is_err() {
            return;
        }
    }
}
