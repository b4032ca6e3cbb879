//! From the moment before a worker blocks to the first instruction of the item behind, on the same CPU.
//!
//! The first item reads from a pipe, which is written to from another CPU only after the second has run; so the block
//! is real, and nobody announces it (but with hints, the lowest that is possible). The second is queued before.

use crate::floor::Floor;
use crate::hogs::Hogs;
use crate::options::{Hog, Options};
use crate::{rig, table};
use std::hint::spin_loop;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use wq_engine::{Engine, Sensing, Work, Workqueue, WqFlags, blocking};

const RUNS: usize = 7;
const ROUNDS: usize = 3_000;
/// The tick takes up to 10 ms for each.
const TICK_ROUNDS: usize = 100;
/// It looks at once when items begin to wait, and finds what blocks right then; so before the blocks it is measured
/// by, the item computes for up to one of its periods.
const TICK_BURN_US: u64 = 10_000;
/// Beside a hog of its own group a canary has to make up for the CPU time that it used last: blocks come so far apart.
const PAUSE: Duration = Duration::from_millis(10);
const PAUSED_ROUNDS: usize = 300;
/// Who has not been replaced by then has been missed.
const MISSED: Duration = Duration::from_millis(100);

pub fn measure(options: &Options) {
    let (cpu, other) = rig::two_cpus();
    if cpu == other {
        table::fact("  (one CPU only:", "it also writes to the pipe)");
    }
    let mut tiers = vec![Sensing::Hints, Sensing::Hints];
    match options.tier {
        Some(tier) => tiers.push(tier),
        None => tiers.extend([Sensing::Auto, Sensing::Tick]),
    }
    let rigs: Vec<_> = tiers.iter().map(|&tier| Rig::new(tier, cpu)).collect();
    let floor = Floor::new(cpu);
    let mut bare = Seen::default();
    let hogs = Hogs::start(options.hog, cpu);
    let mut seen: Vec<Seen> = tiers.iter().map(|_| Seen::default()).collect();
    rig::pinned(other, || {
        for run in 0..=options.amount(RUNS, 2) {
            let (rounds, pause) = paced(options, ROUNDS);
            let taken = floor.run(rounds, options.burn_us, pause);
            if run > 0 {
                bare.add(taken.into_iter().map(Reaction::After).collect());
            }
            for (rig, seen) in rigs.iter().zip(&mut seen) {
                let (rounds, pause) = paced(options, rig.rounds());
                // The first run only warms up.
                match run {
                    0 => drop(rig.run(rounds / 10, options.burn_us, pause)),
                    _ => seen.add(rig.run(rounds, options.burn_us, pause)),
                }
            }
        }
    });
    drop(hogs);
    table::row("bare wake-up and block: p50 of each run", "us", &bare.p50);
    let ratios = table::ratios(&seen[0].p50, &bare.p50);
    table::ratio_row("hints / bare, p50, run by run", &ratios);
    tell(&rigs, &seen);
}

/// How many rounds, how far apart.
fn paced(options: &Options, rounds: usize) -> (usize, Duration) {
    let (rounds, pause) = match options.hog {
        Some(Hog::Own) => (PAUSED_ROUNDS.min(rounds), PAUSE),
        _ => (rounds, Duration::ZERO),
    };
    (options.amount(rounds, 50), pause)
}

fn tell(rigs: &[Rig], seen: &[Seen]) {
    let base = &seen[0];
    table::ratio_row(
        "hints / hints, p50, run by run",
        &table::ratios(&seen[1].p50, &base.p50),
    );
    for (index, (rig, seen)) in rigs.iter().zip(seen).enumerate() {
        if index == 1 {
            continue;
        }
        let tier = rig::tier_name(rig.tier, &rig.engine);
        table::row(&format!("{tier}: p50 of each run"), "us", &seen.p50);
        table::row(&format!("{tier}: p99 of each run"), "us", &seen.p99);
        if index > 0 {
            let ratios = table::ratios(&seen.p50, &base.p50);
            table::ratio_row(&format!("{tier} / hints, p50, run by run"), &ratios);
        }
        let mut all = seen.all.clone();
        all.sort_unstable();
        let [p50, p99, most] =
            [0.5, 0.99, 1.0].map(|share| table::percentile(&all, share) as f64 / 1e3);
        let what = format!(
            "  all {}: p50 {p50:.1}, p99 {p99:.1}, largest {most:.1} us;",
            all.len()
        );
        let lost = format!(
            "missed {}, started before the block {}",
            seen.missed, seen.early
        );
        table::fact(&what, &lost);
        rig::tell_canaries(&rig.engine);
    }
}

/// What runs of one tier have given.
#[derive(Default)]
struct Seen {
    p50: Vec<f64>,
    p99: Vec<f64>,
    all: Vec<u64>,
    missed: usize,
    early: usize,
}

impl Seen {
    fn add(&mut self, rounds: Vec<Reaction>) {
        let mut times = Vec::new();
        for round in rounds {
            match round {
                Reaction::After(ns) => times.push(ns),
                Reaction::Missed => self.missed += 1,
                Reaction::Early => self.early += 1,
            }
        }
        times.sort_unstable();
        let us = |share| table::percentile(&times, share) as f64 / 1e3;
        self.p50.push(us(0.5));
        self.p99.push(us(0.99));
        self.all.extend(times);
    }
}

enum Reaction {
    /// Nanoseconds.
    After(u64),
    Missed,
    /// The second item began although the first one was running.
    Early,
}

/// What the two items and the measuring thread share.
struct Shared {
    /// Both are queued.
    go: AtomicBool,
    burn_us: AtomicU64,
    blocks_at: AtomicU64,
    starts_at: AtomicU64,
}

/// An engine with its two items.
struct Rig {
    tier: Sensing,
    cpu: usize,
    engine: Engine,
    wq: Workqueue,
    shared: Arc<Shared>,
    blocks: Work,
    starts: Work,
    gate: PipeWriter,
    started: mpsc::Receiver<()>,
}

impl Rig {
    fn new(tier: Sensing, cpu: usize) -> Self {
        let engine = rig::engine(tier);
        let wq = engine
            .alloc_workqueue("react", WqFlags::PERCPU, 0)
            .expect("a workqueue");
        let shared = Arc::new(Shared {
            go: AtomicBool::new(false),
            burn_us: AtomicU64::new(0),
            blocks_at: AtomicU64::new(0),
            starts_at: AtomicU64::new(0),
        });
        let (closed, gate) = pipe().expect("a pipe");
        let (told, started) = mpsc::sync_channel(1);
        let second = shared.clone();
        let starts = Work::named("starts", move |_| {
            second.starts_at.store(rig::now(), Ordering::Release);
            told.send(()).expect("somebody waits");
        });
        Self {
            blocks: blocking_item(shared.clone(), closed, tier == Sensing::Hints),
            tier,
            cpu,
            engine,
            wq,
            shared,
            starts,
            gate,
            started,
        }
    }

    fn rounds(&self) -> usize {
        if self.engine.sensing() == Sensing::Tick {
            TICK_ROUNDS
        } else {
            ROUNDS
        }
    }

    fn run(&self, rounds: usize, burn_us: u64, pause: Duration) -> Vec<Reaction> {
        let ticks = self.engine.sensing() == Sensing::Tick;
        let one = |round: usize| {
            let spread = TICK_BURN_US * round as u64 / rounds as u64;
            let burn_us = if ticks { spread } else { burn_us };
            self.shared.burn_us.store(burn_us, Ordering::Relaxed);
            thread::sleep(pause);
            self.round()
        };
        (0..rounds).map(one).collect()
    }

    fn round(&self) -> Reaction {
        let shared = &self.shared;
        shared.go.store(false, Ordering::Release);
        assert!(self.wq.queue_work_on(self.cpu, &self.blocks));
        assert!(self.wq.queue_work_on(self.cpu, &self.starts));
        shared.go.store(true, Ordering::Release);
        let replaced = self.started.recv_timeout(MISSED).is_ok();
        (&self.gate).write_all(&[1]).expect("somebody reads");
        self.blocks.flush();
        self.starts.flush();
        if !replaced {
            self.started.recv().expect("it has run by now");
            return Reaction::Missed;
        }
        let blocked = shared.blocks_at.load(Ordering::Acquire);
        let started = shared.starts_at.load(Ordering::Acquire);
        started
            .checked_sub(blocked)
            .map_or(Reaction::Early, Reaction::After)
    }
}

/// The item that blocks.
fn blocking_item(shared: Arc<Shared>, gate: PipeReader, announced: bool) -> Work {
    Work::named("blocks", move |_| {
        while !shared.go.load(Ordering::Acquire) {
            spin_loop();
        }
        rig::burn(shared.burn_us.load(Ordering::Relaxed));
        let read = || (&gate).read(&mut [0]);
        shared.blocks_at.store(rig::now(), Ordering::Release);
        let read = if announced { blocking(read) } else { read() };
        assert_eq!(read.expect("a pipe is readable"), 1);
    })
}
