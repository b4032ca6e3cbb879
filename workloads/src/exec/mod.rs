//! Replaying a script: on the threads of an engine, or in the simulator.

mod body;
mod frozen;
mod gather;
mod handle;
mod hotplug;
mod producer;
mod replay;
mod shared;
mod simulate;
mod sink;
mod watch;

pub use replay::{Replay, ReplaySettings};
pub use simulate::{SimulateSettings, simulate, simulate_into};
pub use sink::{EventSink, EventText, SimRecording};

use wq_engine::sim::SimError;

/// Nanoseconds on an engine's clock, `CLOCK_MONOTONIC`.
pub(crate) fn now() -> u64 {
    shared::now()
}

/// Why a script could not be replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecError {
    /// The engine or one of its workqueues could not be made.
    #[error("cannot start the engine: {0}")]
    Engine(#[from] wq_engine::Error),
    /// A producer's thread could not be made.
    #[error("cannot start the thread of producer {name}: {source}")]
    Producer {
        /// The producer.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// The thread that looks for warnings could not be made.
    #[error("cannot start the thread that looks for warnings: {0}")]
    Watcher(std::io::Error),
    /// A work is on a system workqueue that this engine does not have.
    #[error("unknown system workqueue {0}")]
    UnknownWorkqueue(String),
    /// Virtual time stands still.
    #[error("cannot simulate this script: {0}")]
    Sim(#[from] SimError),
    /// The engine's segment cannot be read back.
    #[error("cannot read the engine's segment: {0}")]
    Segment(#[from] wq_trace::ReadError),
    /// The events could not be written.
    #[error("cannot write the events: {0}")]
    Events(std::io::Error),
}
