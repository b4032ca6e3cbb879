//! How a scenario is run under many schedules.

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use wq_engine::{Engine, Sensing, Topology, Work};

/// Preemptions at chosen places that the second half of the schedules has.
const PREEMPTIONS: usize = 3;

/// Steps after which a schedule is taken to go on for ever.
const STEPS: usize = 400_000;

/// Runs `scenario` under as many schedules, half of them random, half with few preemptions.
pub fn check(schedules: usize, scenario: impl Fn() + Send + Sync + 'static) {
    let scenario = Arc::new(move || {
        wq_engine::begin_schedule();
        scenario();
    });
    if let Ok(schedule) = std::env::var("WQ_SCHEDULE") {
        return run(ReplayScheduler::new_from_encoded(&schedule), scenario);
    }
    let many = std::env::var("WQ_SCHEDULES")
        .ok()
        .and_then(|n| n.parse().ok());
    let each = many.unwrap_or(schedules).div_ceil(2);
    run(RandomScheduler::new(each), scenario.clone());
    run(PctScheduler::new(PREEMPTIONS, each), scenario);
}

fn run(scheduler: impl Scheduler + 'static, scenario: Arc<impl Fn() + Send + Sync + 'static>) {
    let mut config = Config::new();
    config.stack_size = 0x4_0000;
    config.max_steps = MaxSteps::FailAfter(STEPS);
    config.failure_persistence = FailurePersistence::Print;
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(move || scenario());
}

/// A plain engine with one CPU, whose threads only wait when they have to.
pub fn engine() -> Engine {
    engine_on(&[0], "1n1l1c1t")
}

/// One on these of the two CPUs.
pub fn engine_on(cpus: &[usize], topology: &str) -> Engine {
    engine_with(Sensing::Hints, cpus, topology)
}

/// One that learns in this way of blocks.
pub fn engine_with(sensing: Sensing, cpus: &[usize], topology: &str) -> Engine {
    Engine::builder()
        .name("shuttle")
        .cpus(cpus.iter().copied())
        .topology(Topology::from_spec(topology).unwrap())
        .sensing(sensing)
        .tracing(false)
        .cpu_intensive_thresh(Duration::ZERO)
        .watchdog_thresh(Duration::ZERO)
        .idle_timeout(Duration::from_secs(1))
        .build()
        .unwrap()
}

/// How often something happened. No schedule depends on it.
#[derive(Clone, Default)]
pub struct Count(Arc<AtomicUsize>);

impl Count {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn up(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// An item that counts its executions, and lets others run meanwhile.
pub fn counting(name: &str, runs: &Count) -> Work {
    let runs = runs.clone();
    Work::named(name, move |_| {
        shuttle::thread::yield_now();
        runs.up();
    })
}

/// The end of every scenario: nothing is left behind.
pub fn end(engine: &Engine) {
    engine.shutdown(Duration::MAX).unwrap();
}

/// A thread of the user.
pub fn user(f: impl FnOnce() + Send + 'static) -> shuttle::thread::JoinHandle<()> {
    shuttle::thread::spawn(f)
}

/// Lets others run for a while.
pub fn pause() {
    for _ in 0..20 {
        shuttle::thread::yield_now();
    }
}

/// Finds out whether an item runs twice at once. A panic in a work function ends with the engine, so this is checked
/// by the scenario.
#[derive(Clone, Default)]
pub struct Inside {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Inside {
    pub fn enter(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        shuttle::thread::yield_now();
    }

    pub fn leave(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }

    pub fn nobody(&self) -> bool {
        self.now.load(Ordering::SeqCst) == 0
    }

    pub fn check(&self) {
        assert!(self.most.load(Ordering::SeqCst) <= 1);
    }
}
