//! Engines to measure, threads on chosen CPUs, and work that costs a known time.

use crate::options::Options;
use crate::table;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, Timespec, clock_gettime};
use std::hint::black_box;
use std::sync::OnceLock;
use std::time::Instant;
use wq_engine::{Builder, Engine, Sensing, Workqueue};
use wq_trace::{Counter, PoolRow, Reader, Snapshot};

/// Nanoseconds on the monotonic clock.
pub fn now() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

/// CPU time of the process in nanoseconds.
pub fn process_cpu() -> u64 {
    nanoseconds(ClockId::ProcessCPUTime)
}

/// CPU time of the calling thread in nanoseconds.
pub fn thread_cpu() -> u64 {
    nanoseconds(ClockId::ThreadCPUTime)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Sleeps until a moment on the monotonic clock, without adding up what each sleep is late.
pub fn sleep_until(at: u64) {
    let at = Timespec {
        tv_sec: (at / 1_000_000_000) as i64,
        tv_nsec: (at % 1_000_000_000) as i64,
    };
    // A signal may end it early; then the next item is early, too.
    let _ = rustix::thread::clock_nanosleep_absolute(ClockId::Monotonic, &at);
}

/// An engine with a tier.
pub fn engine(tier: Sensing) -> Engine {
    build(builder(tier))
}

/// An engine with a tier, to be changed before it is built.
pub fn builder(tier: Sensing) -> Builder {
    Engine::builder().name("bench-sensing").sensing(tier)
}

pub fn build(builder: Builder) -> Engine {
    builder.build().expect("an engine starts")
}

/// The tier as it was asked for, and as it is.
pub fn tier_name(asked: Sensing, engine: &Engine) -> String {
    match engine.sensing() {
        same if same == asked => asked.to_string(),
        other => format!("{asked} ({other})"),
    }
}

/// Hints twice, and the tier to measure: its engines take turns, and the first two show how far equals are apart.
pub fn base_and_tier(options: &Options) -> [Sensing; 3] {
    [Sensing::Hints, Sensing::Hints, options.tier()]
}

/// The CPUs that this process was started with.
pub fn cpus() -> &'static [usize] {
    static CPUS: OnceLock<Vec<usize>> = OnceLock::new();
    CPUS.get_or_init(|| {
        let allowed = sched_getaffinity(None).expect("an affinity");
        (0..CpuSet::MAX_CPU)
            .filter(|&cpu| allowed.is_set(cpu))
            .collect()
    })
}

/// The CPU on which is measured, and another one to measure from: the same if there is no other.
pub fn two_cpus() -> (usize, usize) {
    let cpus = cpus();
    (cpus[0], cpus[cpus.len() - 1])
}

/// Lets the calling thread run there only.
pub fn pin(cpus: &[usize]) {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(cpu);
    }
    sched_setaffinity(None, &set).expect("CPUs that it may use");
}

/// Runs `f` on one CPU, and lets the thread use all again.
pub fn pinned<R>(cpu: usize, f: impl FnOnce() -> R) -> R {
    let all = cpus();
    pin(&[cpu]);
    let result = f();
    pin(all);
    result
}

/// Computes for as long as so many microseconds take on an undisturbed CPU; the same work each time.
pub fn burn(us: u64) {
    spin((us as f64 * turns_per_us()) as u64);
}

/// Nanoseconds that a burn takes at best.
pub fn burn_ns(us: u64) -> f64 {
    best_of(50, || burn(us))
}

fn turns_per_us() -> f64 {
    static TURNS: OnceLock<f64> = OnceLock::new();
    const TRIED: u64 = 50_000;
    *TURNS.get_or_init(|| TRIED as f64 * 1e3 / best_of(200, || spin(TRIED)))
}

fn best_of(times: usize, run: impl Fn()) -> f64 {
    let one = |_| {
        let begun = Instant::now();
        run();
        begun.elapsed().as_nanos() as f64
    };
    (0..times).map(one).fold(f64::INFINITY, f64::min)
}

fn spin(turns: u64) {
    let mut state = turns;
    for _ in 0..turns {
        state = black_box(state.wrapping_mul(31).wrapping_add(7));
    }
}

/// Burns so much CPU time of the calling thread, as the scripts' `burn` does.
pub fn burn_cpu_time(ns: u64) {
    let until = thread_cpu() + ns;
    while thread_cpu() < until {}
}

/// What the engine's segment says now.
pub fn snapshot(engine: &Engine) -> Snapshot {
    Reader::in_memory(engine.segment())
        .snapshot()
        .expect("one's own segment is readable")
}

/// The normal pools of the CPUs.
pub fn normal_pools(snapshot: &Snapshot) -> impl Iterator<Item = &PoolRow> {
    let normal = |pool: &&PoolRow| pool.cpu.is_some() && pool.number % 4 == 2;
    snapshot.pools.iter().filter(normal)
}

/// Most workers that each normal pool has had at once, summed up.
pub fn most_workers(engine: &Engine) -> u32 {
    let snapshot = snapshot(engine);
    normal_pools(&snapshot).map(|pool| pool.max_workers).sum()
}

/// What the engine's canaries did, as a row to be put below others; nothing if it has none.
pub fn tell_canaries(engine: &Engine) {
    if engine.sensing() != Sensing::Canary {
        return;
    }
    let sums = snapshot(engine).canaries();
    let done = format!(
        "armed {} times, decided {} times, {} wrong; {} workers left to the tick",
        sums.armings, sums.decisions, sums.false_decisions, sums.unwatched
    );
    table::fact("  its canaries, warm-up and all:", &done);
}

/// A counter of a workqueue, all its pools together.
pub fn counter(engine: &Engine, wq: &Workqueue, which: Counter) -> u64 {
    let snapshot = snapshot(engine);
    let named = |row: &&wq_trace::WorkqueueRow| row.name == wq.name();
    let Some(row) = snapshot.workqueues.iter().find(named) else {
        return 0;
    };
    let own = snapshot.pwqs.iter().filter(|pwq| pwq.wq == row.id);
    own.map(|pwq| pwq.counters[which as usize]).sum()
}
