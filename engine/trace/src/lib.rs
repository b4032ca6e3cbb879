//! What a wq engine writes and its tools read: events, counters, the segment that holds them, its reader and the model.

mod event;
#[cfg(test)]
mod fixture;
mod ids;
pub mod model;
mod names;
mod snapshot;
mod stats;
pub mod text;
pub mod units;
mod value;

pub use event::{Drop, Event, FlushTarget, Hold, REQ_CPU_LOCAL, Wake, Was, What};
pub use ids::{FuncId, PoolId, PwqId, WorkerId, WqId};
pub use model::{Limits, Model};
pub use names::{Names, OTHER, UNKNOWN};
pub use snapshot::{
    FlushRow, FunctionRow, Histogram, Liveness, Meta, PoolRow, PwqFuncRow, PwqRow, RingRow,
    Snapshot, ThreadRow, WorkerRow, WorkerState, WorkqueueRow, wq_flags,
};
pub use stats::{Breakdown, Counter, WaitPart, WqCounter};
pub use value::{Fields, Value};
