//! Warnings: what is wrong with the engine that the model shows, told by lints.
//!
//! A lint answers for each thing that it looks at: all is well, it is wrong, or it looks wrong and must still do so at the
//! next looks ([`Lint::holds_ns`]) before it is told, so that a burst is no alarm. It goes by exact counters and by what
//! stands in the snapshot; only who queues what is known from events. Growth is divided by time, never by the number of
//! looks, so the interval between looks does not matter.

mod cpu;
#[cfg(test)]
mod fixture;
mod frame;
mod limits;
mod lint;
mod log;
mod lost;
mod queueing;
mod say;
mod scene;
mod settings;
mod table;
mod waits;
mod workers;

pub use cpu::SELF_REQUEUE_PER_S;
pub use frame::{Warning, Warnings};
pub use lint::{Level, Lint, Subject, Unit};
pub use log::WarningLog;
pub use say::suspicions;
pub use settings::{Settings, SettingsError};
pub use table::{LINTS, find};
pub use workers::STALLED_NS;
