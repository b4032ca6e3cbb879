//! What a workqueue decides across pools: flush colours, and the state word of a work item. Pure, like `pool/`.

mod flush;
mod mayday;
mod word;

pub(crate) use flush::{Begin, FlushState, Pwqs};
pub(crate) use mayday::Maydays;
pub(crate) use word::Word;
