//! What a wq engine writes and its tools read: events, counters, the segment that holds them, its reader and the model.

// A model checker sees the ring alone: loom's atomics cannot live in a mapping.
#[cfg(not(loom))]
mod clean;
#[cfg(not(loom))]
mod clock;
mod cpus;
#[cfg(not(loom))]
mod discover;
mod event;
pub mod explain;
pub mod export;
#[cfg(test)]
mod fixture;
pub mod heat;
mod held;
mod hist;
mod ids;
pub mod lanes;
mod layout;
pub mod model;
mod names;
pub mod past;
#[cfg(not(loom))]
mod place;
#[cfg(not(loom))]
mod process;
pub mod query;
#[cfg(not(loom))]
mod reader;
#[cfg(not(loom))]
mod record;
#[cfg(not(loom))]
mod recording;
#[cfg(not(loom))]
mod ring;
#[cfg(loom)]
pub mod ring;
#[cfg(not(loom))]
pub mod save;
#[cfg(not(loom))]
mod segment;
mod sensing;
#[cfg(not(loom))]
mod session;
mod settings;
mod snapshot;
#[cfg(not(loom))]
mod start;
mod stats;
mod sync;
pub mod text;
pub mod units;
mod value;
pub mod warn;
mod words;

#[cfg(not(loom))]
pub use clean::{NAME_BYTES, clean_name, clean_text};
pub use cpus::CpuSet;
#[cfg(not(loom))]
pub use discover::{FindError, Found, find, gc, list, other_users};
pub use event::{Drop, Event, FlushTarget, Hold, REQ_CPU_LOCAL, Wake, Was, What};
pub use held::hold_reason;
pub use ids::{FuncId, PoolId, PwqId, WorkerId, WqId};
pub use layout::VERSION;
pub use model::{Limits, Model};
pub use names::{Names, OTHER, UNKNOWN};
#[cfg(not(loom))]
pub use place::ProblemCause;
#[cfg(not(loom))]
pub use reader::{
    Cursor, From, Loss, MERGE_DELAY_NS, MOST_AHEAD, MOST_AHEAD_IN_ALL, MemorySource, Next,
    OpenError, ReadError, Reader, Recording, RecordingDamage, Source, UpTo,
};
#[cfg(not(loom))]
pub use recording::{
    RECORDING_VERSION, Recorder, RecordingEnd, RecordingFileError, create_recording,
};
#[cfg(not(loom))]
pub use segment::{
    Emitter, FlushSlot, NodeSlot, PoolGauges, PoolInfo, PoolSlot, PwqFuncSlot, PwqGauges, PwqSlot,
    Segment, SegmentConfig, SegmentProblem, Shortage, WorkerSlot, WqSlot,
};
pub use sensing::{
    CanaryGauges, CanarySums, Reaction, SENSING_NOTE_BYTES, SENSING_NOTES, SensingInfo,
};
#[cfg(not(loom))]
pub use session::{Recorded, RecordingError, RecordingSession};
pub use settings::{NodeRow, PodRow, PoolAttrs, Scope, ScopeRow, Settings, WqAttrs, WqLimits};
pub use snapshot::{
    FlushRow, FunctionRow, Histogram, Liveness, Meta, PoolRow, PwqFuncRow, PwqRow, RingRow,
    Snapshot, ThreadRow, WorkerKind, WorkerRow, WorkerState, WorkqueueRow, pool_flags, wq_flags,
};
pub use stats::{Breakdown, Counter, WaitPart, WqCounter};
pub use value::{Fields, Value};
pub use words::nearest as nearest_word;
