//! Which pwq serves a CPU, and what of a workqueue changes under its mutex.

use crate::pool::{Pwq, PwqIx};
use crate::runtime::{Core, Effects, EngineInner, Pool, Waiter};
use crate::sync::RwLock;
use crate::topology::WorkqueueAttrs;
use crate::wq::{Begin, FlushState, Limits, Pwqs};
use std::borrow::Cow;
use std::sync::{Arc, PoisonError};

/// One workqueue's share of one pool.
#[derive(Clone)]
pub(crate) struct PwqRef {
    pub(crate) pool: Arc<Pool>,
    pub(crate) ix: PwqIx,
    pub(crate) uid: u64,
}

/// Which pwq serves which CPU, by the CPU's index in the engine.
pub(crate) enum Links {
    /// I
    Bound(Vec<PwqRef>),
    /// Replaced as a whole when the attributes change. A reader may find one that was replaced meanwhile: it asks
    /// again if the pwq is gone.
    Unbound(RwLock<Arc<[PwqRef]>>),
}

impl Links {
    pub(crate) fn on(&self, index: usize) -> Cow<'_, PwqRef> {
        match self {
            Self::Bound(by_cpu) => Cow::Borrowed(&by_cpu[index]),
            Self::Unbound(table) => {
                let table = table.read().unwrap_or_else(PoisonError::into_inner);
                Cow::Owned(table[index].clone())
            }
        }
    }

    /// All of them, by CPU.
    pub(crate) fn by_cpu(&self) -> Vec<PwqRef> {
        match self {
            Self::Bound(by_cpu) => by_cpu.clone(),
            Self::Unbound(table) => {
                let table = table.read().unwrap_or_else(PoisonError::into_inner);
                table.to_vec()
            }
        }
    }

    /// Puts another table in place of an unbound workqueue's.
    pub(crate) fn replace(&self, by_cpu: Vec<PwqRef>) {
        if let Self::Unbound(table) = self {
            *table.write().unwrap_or_else(PoisonError::into_inner) = by_cpu.into();
        }
    }
}

/// See the module. `W`
pub(crate) struct Control {
    pub(crate) flush: FlushState<Arc<Waiter>>,
    pub(crate) limits: Limits,
    /// What an unbound workqueue was asked to be.
    pub(crate) attrs: WorkqueueAttrs,
    /// Each pwq once, oldest first; those that were replaced stay until they have drained.
    pub(crate) pwqs: Vec<PwqRef>,
    /// The one for the whole mask, of an unbound workqueue. Kernel: `dfl_pwq`.
    pub(crate) dfl: Option<PwqRef>,
}

impl Control {
    pub(crate) fn begin_flush(
        &mut self,
        engine: &EngineInner,
        waiter: Arc<Waiter>,
    ) -> Begin<Arc<Waiter>> {
        let pwqs = &self.pwqs;
        self.flush.begin(waiter, &mut OfWq { engine, pwqs })
    }

    /// One pwq has nothing of the flushed colour in flight any more. Returns who waited for that.
    pub(crate) fn pwq_flushed(&mut self, engine: &EngineInner) -> Vec<Arc<Waiter>> {
        let pwqs = &self.pwqs;
        self.flush.pwq_flushed(&mut OfWq { engine, pwqs })
    }

    /// Nothing is queued or running on any pwq.
    pub(crate) fn is_idle(&self) -> bool {
        self.all_pwqs(|pwq| pwq.in_flight() == 0)
    }

    /// Nothing is active on any pwq.
    pub(crate) fn is_inactive(&self) -> bool {
        self.all_pwqs(|pwq| pwq.nr_active == 0)
    }

    fn all_pwqs(&self, holds: impl Fn(&Pwq) -> bool) -> bool {
        self.pwqs.iter().all(|pwq| {
            pwq.pool
                .look(|core| !core.has_pwq(pwq.ix, pwq.uid) || holds(core.pwq(pwq.ix)))
        })
    }
}

/// What a flush sees of the pools.
struct OfWq<'a> {
    engine: &'a EngineInner,
    pwqs: &'a [PwqRef],
}

impl Pwqs for OfWq<'_> {
    fn set_work_color(&mut self, color: u8) {
        for pwq in self.pwqs {
            pwq.transact(self.engine, |core, _, _| {
                core.set_work_color(pwq.ix, color);
            });
        }
    }

    fn arm(&mut self, color: u8) -> usize {
        let armed = self.pwqs.iter().filter(|pwq| {
            pwq.transact(self.engine, |core, _, _| core.arm_flush(pwq.ix, color))
                .unwrap_or(false)
        });
        armed.count()
    }
}

impl PwqRef {
    /// Transitions of its pool, if the pwq is still there.
    pub(crate) fn transact<R>(
        &self,
        engine: &EngineInner,
        f: impl FnOnce(&mut Core, u64, &mut Effects) -> R,
    ) -> Option<R> {
        self.pool.transact(engine, |core, now, fx| {
            core.has_pwq(self.ix, self.uid).then(|| f(core, now, fx))
        })
    }
}
