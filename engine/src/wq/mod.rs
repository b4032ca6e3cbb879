//! What a workqueue decides across pools: flush colours, and the state word of a work item. Pure, like `pool/`.

mod flush;
mod limits;
mod node;
mod word;

pub(crate) use flush::{Begin, FlushState, Pwqs};
pub(crate) use limits::Limits;
pub(crate) use node::{NodeActive, NodeCounts, PwqAddr, Reserved};
pub(crate) use word::Word;
