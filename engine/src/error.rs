//! What can go wrong when an engine or a workqueue is made, or shut down.

use std::io;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// None of the CPUs asked for may be used by this thread.
    #[error("none of the CPUs {asked:?} is among those that this thread may use ({allowed:?})")]
    NoCpu {
        /// What was asked for.
        asked: Vec<usize>,
        /// The thread's affinity mask.
        allowed: Vec<usize>,
    },
    /// The affinity mask of the building thread could not be read.
    #[error("cannot read the CPUs that this thread may use: {0}")]
    Affinity(#[source] io::Error),
    /// A thread that the engine or a workqueue cannot do without could not be created.
    #[error("cannot create thread {name}: {source}")]
    Thread {
        /// The thread's name.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The flags contradict each other or the limit, or another workqueue has the name that they make public.
    #[error("workqueue {name}: {problem}")]
    Flags {
        /// The workqueue's name.
        name: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// The topology has no place for a CPU that the engine uses, or the default affinity scope is `Default`.
    #[error("{0}")]
    Topology(String),
    /// The attributes cannot be had, or not on this workqueue.
    #[error("attributes of workqueue {name}: {problem}")]
    Attrs {
        /// The workqueue's name.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The engine was shut down.
    #[error("the engine {name} was shut down")]
    ShutDown {
        /// The engine's name.
        name: String,
    },
    /// Items were still queued or running when the time of [`Engine::shutdown`](crate::Engine::shutdown) was over. The
    /// engine has ended all the same: what was not started never will be, and what runs goes on until it returns.
    #[error("{busy} {} still busy after {waited_ms} ms: {names}", if *.busy == 1 { "workqueue was" } else { "workqueues were" })]
    Busy {
        /// How many workqueues.
        busy: usize,
        /// Their names, separated by commas.
        names: String,
        /// How long was waited, in milliseconds.
        waited_ms: u128,
    },
}
