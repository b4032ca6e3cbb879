//! What a workqueue decides across pools: flush colours, who may queue while it is drained, who waits for whom, the
//! state word of a work item, what is reported and shown. Pure, like `pool/`.

pub(crate) mod deadlock;
mod drain;
mod flush;
mod limits;
mod mayday;
mod node;
mod reports;
mod show;
mod word;

pub(crate) use drain::{Emptiness, Gate, drain_is_slow, was_empty};
pub(crate) use flush::{Begin, FlushState, Pwqs};
pub(crate) use limits::Limits;
pub(crate) use mayday::Maydays;
pub(crate) use node::{NodeActive, NodeCounts, PwqAddr, Reserved};
pub(crate) use reports::{Names, Reports};
pub(crate) use show::{Show, Shown, lockup};
pub(crate) use word::Word;
