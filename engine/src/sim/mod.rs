//! The simulator: the engine's pure core on virtual CPUs and a virtual clock.
//!
//! What is simulated: CPUs (first in, first out within a nice level, no slices, no preemption), time, threads, the
//! bodies of work functions, producers. What is real: everything that `pool/` and `wq/` decide. Work costs what its
//! body says; queueing, waking, creating and switching cost nothing. The same program gives the same events.
//!
//! At one instant: sleeps and timers that end, oldest armed first; arrivals, in file order; CPUs whose burn ended,
//! lowest first; idle CPUs pick, lowest first. What this sets off at the same instant follows in the same order.
//!
//! A worker that is woken goes to a free CPU of those that it may use, else to the one with the shortest queue; among
//! equals to the lowest. If it may leave its pod (affinity not strict), CPUs of the pod go before all others that are
//! equal: this holds for every wake-up, after a sleep in a work function too, where a kernel would look around the CPU
//! that the thread slept on. A cache has no cost: what a scope gains by locality is not simulated, what it loses by
//! idle CPUs is.
//!
//! ```
//! use std::sync::atomic::AtomicBool;
//! use std::time::Duration;
//! use wq_engine::sim::{
//!     Draw, ItemRef, Pace, ProducerAction, ProducerSpec, Program, Step, WorkSpec, WqRef, simulate,
//! };
//!
//! // Two items on one CPU: 1 ms of work, then 10 ms of sleep.
//! let ms = |ms| Draw::Fixed(Duration::from_millis(ms));
//! let item = |instance| ItemRef { work: 0, instance: Some(instance) };
//! let program = Program {
//!     cpus: 1,
//!     works: vec![WorkSpec {
//!         name: "load".to_owned(),
//!         workqueue: WqRef::System("events".to_owned()),
//!         body: vec![Step::Burn(ms(1)), Step::Sleep(ms(10))],
//!         instances: 2,
//!     }],
//!     producers: vec![ProducerSpec {
//!         name: "p0".to_owned(),
//!         action: ProducerAction::Steps(vec![Step::Queue(item(0)), Step::Queue(item(1))]),
//!         cpu: None,
//!         on_cpu: false,
//!         at: ms(0),
//!         pace: Pace::BackToBack,
//!         count: Some(1),
//!         duration: None,
//!     }],
//!     ..Program::default()
//! };
//! let mut events = 0;
//! let outcome = simulate(&program, &AtomicBool::new(false), &mut |_| events += 1)?;
//! let finished: Vec<_> = outcome.items.iter().filter_map(|item| item.last_finished_ns).collect();
//! assert_eq!(finished, [11_000_000, 12_000_000], "the second works while the first sleeps");
//! assert!(events > 0);
//! # Ok::<(), wq_engine::sim::SimError>(())
//! ```
//!
//! An RCU grace period ends at the instant at which it begins, since no virtual thread is ever in a section that reads:
//! `queue_rcu` queues at once.

mod body;
mod cpus;
mod disable;
mod drain;
mod life;
mod machine;
mod producer;
mod program;
mod queueing;
mod setup;
mod standstill;
mod waits;
mod watch;
mod wqs;

pub use program::{
    AffinitySpec, Draw, EngineSpec, ItemRef, Pace, ProducerAction, ProducerSpec, Program,
    SplitMix64, Step, WorkSpec, WorkqueueSpec, WqRef,
};

use std::sync::atomic::AtomicBool;
use wq_trace::{Event, ReadError, Segment, Snapshot, WqId};

/// Executions kept per item; the others are only counted.
pub const KEPT_EXECUTIONS: usize = 10_000;

/// What a simulation came to.
#[derive(Debug)]
pub struct Outcome {
    /// When the last thing happened, in nanoseconds from the start.
    pub duration_ns: u64,
    /// Every item, in file order.
    pub items: Vec<ItemRecord>,
    /// Most executions of a workqueue at one time.
    pub max_running: Vec<(WqId, u64)>,
    /// Whether everything came to its end.
    pub end: End,
    /// What an engine would have reported, and when, in nanoseconds from the start: functions that hog their CPU or
    /// sleep on a BH workqueue, pools that stall, deadlocks. If time stands still at the end: what each thread waits
    /// for.
    pub reports: Vec<(u64, String)>,
    /// Counters, histograms and states at the end, as of an engine on threads.
    pub snapshot: Snapshot,
}

/// How a simulation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing is left to do.
    Done,
    /// Time stands still: these threads wait for something that cannot happen any more.
    Stuck(Vec<String>),
    /// It was told to stop.
    Interrupted,
}

/// What one item went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRecord {
    /// `w0`, or `w0#3` when its description has several instances.
    pub name: String,
    /// Index into [`Program::works`].
    pub work: usize,
    /// The workqueue's name.
    pub workqueue: String,
    /// The first [`KEPT_EXECUTIONS`] executions, in order of their starts.
    pub executions: Vec<Execution>,
    /// All executions that began.
    pub started: u64,
    /// All executions that ended.
    pub completed: u64,
    /// When the last of them ended.
    pub last_finished_ns: Option<u64>,
    /// Queueing calls that were refused: the item was pending or disabled.
    pub refused: u64,
}

/// One execution of an item. Times count from the start, in nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// When the item was queued.
    pub queued_ns: u64,
    /// When its function was called.
    pub started_ns: u64,
    /// When its function returned; `None` if it did not.
    pub finished_ns: Option<u64>,
    /// The worker's name.
    pub worker: String,
}

/// Why a program cannot be simulated to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// A producer without a pause and without a number of calls.
    #[error(
        "producer {0} calls back to back without a count: virtual time would stand still; give it `count`, `every` \
         or a rate"
    )]
    NoPause(String),
    /// Too much happens at one instant: items that queue each other without using any time.
    #[error("more than {limit} steps at {at_ns} ns: items queue each other without using time")]
    Endless {
        /// The instant.
        at_ns: u64,
        /// The bound.
        limit: u64,
    },
    /// A workqueue's flags contradict each other.
    #[error("workqueue {name}: {problem}")]
    Flags {
        /// Its name.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// No system workqueue has this name.
    #[error("unknown system workqueue {0}")]
    UnknownWorkqueue(String),
    /// The topology or an affinity scope makes no sense.
    #[error("{0}")]
    Topology(String),
    /// The counters cannot be read back.
    #[error("cannot read the counters: {0}")]
    Counters(#[from] ReadError),
}

/// Runs a program to its end, or until `interrupted`. `observer` sees every event, in order.
///
/// The program is to be whole: its indices are those of its own lists, and it has a CPU. A script that
/// `wq-replay check` accepts is.
///
/// # Errors
/// Flags, topologies, scopes or workqueue names that no engine would take, and programs whose virtual time stands
/// still.
pub fn simulate(
    program: &Program,
    interrupted: &AtomicBool,
    observer: &mut dyn FnMut(&Event),
) -> Result<Outcome, SimError> {
    simulate_named(program, interrupted, &mut |event, _| observer(event))
}

/// As [`simulate`], for an observer that needs the names behind an event's ids: they stand in the segment.
///
/// # Errors
/// As [`simulate`].
pub fn simulate_named(
    program: &Program,
    interrupted: &AtomicBool,
    observer: &mut dyn FnMut(&Event, &Segment),
) -> Result<Outcome, SimError> {
    let mut machine = setup::machine(program, observer)?;
    let end = machine.run(interrupted)?;
    machine.outcome(end)
}
