//! An overwrite-oldest ring with one writer that never waits and readers that never hold it up.
//!
//! `README.md` beside this file has the protocol, its states and why it is right. The algorithm knows only words and
//! their order; where they live (a file's mapping, the heap, a model checker, a file read piece by piece) is behind
//! [`Memory`] and [`View`].

mod reader;
mod writer;

pub use reader::{Batch, View, collect};
pub use writer::{Memory, Writer};

/// One ordering left out, for the models that must then fail. [`weak::NONE`] is what runs.
pub mod weak {
    /// Nothing is left out.
    pub const NONE: u8 = 0;
    /// The writer's fence between announcing a record and writing it.
    pub const RESERVE: u8 = 1;
    /// The writer's release when the record is published.
    pub const PUBLISH: u8 = 2;
    /// The reader's fence between the count of published records and the records.
    pub const ACQUIRE: u8 = 3;
    /// The reader's fence between the records and the count of announced ones.
    pub const RECHECK: u8 = 4;
}
