//! What a workqueue decides across pools: flush colours, the state word of a work item, what is reported and
//! shown. Pure, like `pool/`.

mod flush;
mod limits;
mod node;
mod reports;
mod show;
mod word;

pub(crate) use flush::{Begin, FlushState, Pwqs};
pub(crate) use limits::Limits;
pub(crate) use node::{NodeActive, NodeCounts, PwqAddr, Reserved};
pub(crate) use reports::{Names, Reports};
pub(crate) use show::{Show, Shown, lockup};
pub(crate) use word::Word;
