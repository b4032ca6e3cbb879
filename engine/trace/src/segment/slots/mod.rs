//! Slots of the things an engine is made of. Each is freed when dropped, unless the engine has ended: what it came to stays
//! readable. None does anything in a forked child.

mod flush;
mod pool;
mod pwq;
mod worker;
mod workqueue;

pub use flush::FlushSlot;
pub use pool::{PoolGauges, PoolInfo, PoolSlot};
pub use pwq::{PwqFuncSlot, PwqGauges, PwqSlot};
pub use worker::WorkerSlot;
pub use workqueue::{NodeSlot, WqSlot};

use super::tables::Taken;
use super::words::Words;
use super::{Books, Inner, Segment};
use crate::layout::Kind;
use std::sync::Arc;

/// A taken slot and the segment that it is given back to.
#[derive(Debug)]
struct Slot {
    inner: Arc<Inner>,
    taken: Taken,
}

impl Slot {
    fn new(segment: &Segment, kind: Kind, id: Option<u32>, fill: impl FnOnce(&Words)) -> Self {
        let inner = Arc::clone(&segment.inner);
        if segment.forked() {
            return Self {
                inner,
                taken: Taken::nowhere(kind),
            };
        }
        let books = &mut *segment.inner.books();
        let taken = books.tables.take(&mut books.store, kind, id, fill);
        Self { inner, taken }
    }

    /// Of the segment that another slot is in.
    fn beside(other: &Self, kind: Kind, id: Option<u32>) -> Self {
        let inner = Arc::clone(&other.inner);
        Self::new(&Segment { inner }, kind, id, |_| ())
    }

    /// Changes what the books hold beside it. Nothing in a forked child.
    fn lists(&self, change: impl FnOnce(&mut Books, u32)) {
        if self.inner.process.is_here() {
            change(&mut self.inner.books(), self.id());
        }
    }

    /// Its slot, for the books to give back; this does nothing any more.
    fn into_taken(mut self) -> Taken {
        let kind = self.taken.kind;
        std::mem::replace(&mut self.taken, Taken::none(kind))
    }

    /// The identity.
    fn id(&self) -> u32 {
        self.taken.id
    }

    /// Its words; `None` in a forked child.
    #[inline]
    fn words(&self) -> Option<&Words> {
        self.inner.process.is_here().then_some(&self.taken.words)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let nowhere = self.taken.id == 0;
        if !nowhere && self.inner.process.is_here() && !self.inner.has_ended() {
            let books = &mut *self.inner.books();
            books.clear_beside(self.taken.kind, self.taken.id);
            books.tables.free(&self.taken);
        }
    }
}
