//! What can be changed of a workqueue that exists: its limits, its attributes, and whether it is frozen.
//! Kernel: `workqueue_set_max_active()`, `apply_workqueue_attrs()`, `freeze_workqueues_begin()`.

use super::links::Control;
use super::{Workqueue, WqInner};
use crate::attrs::WqFlags;
use crate::error::Error;
use crate::os;
use crate::runtime::{context, in_range, lock};
use crate::topology::WorkqueueAttrs;
use std::sync::Arc;
use wq_trace::{Wake, What};

impl Workqueue {
    /// Changes how many items may be active: per CPU when bound, in all when unbound. Raising it lets held items go
    /// on at once, one of each pwq in turn; lowering it stops nothing that is active already. Values out of 1 to 2048
    /// are cut to it, with a warning. Also lowers `min_active` if that is higher.
    ///
    /// Ordered and BH workqueues keep their limit: a warning says so. From any thread; takes locks.
    /// Kernel: `workqueue_set_max_active()`.
    ///
    /// ```
    /// # let engine = wq_engine::Engine::builder().name("doc-max-active").build()?;
    /// use wq_engine::WqFlags;
    /// let wq = engine.alloc_workqueue("narrow", WqFlags::PERCPU, 1)?;
    /// wq.set_max_active(4);
    /// assert_eq!(wq.max_active(), 4);
    /// # Ok::<(), wq_engine::Error>(())
    /// ```
    pub fn set_max_active(&self, max_active: usize) {
        let wq = self.inner();
        if wq.engine.segment.forked() {
            return;
        }
        if wq.spec.flags.intersects(WqFlags::BH | WqFlags::ORDERED) {
            tracing::warn!(
                "max_active of workqueue {} cannot be changed: it is an ordered or a BH one",
                wq.spec.name
            );
            return;
        }
        let new = in_range(max_active, &wq.spec.name);
        let mut control = lock(&wq.control);
        let old = control.limits.configured();
        control.limits.set_max(new);
        wq.slot.set_max_active(new as u32);
        let (old, new) = (old as u32, new as u32);
        wq.tell(What::MaxActive { old, new });
        wq.adjust(&control, Wake::Fill);
    }

    /// Changes how many items of an unbound workqueue may be active on every NUMA node at least, however small the
    /// node's share of `max_active` is; cut to `max_active`. The default is 8. Every node gets one, also with 0.
    ///
    /// For per-CPU, BH and ordered workqueues it means nothing: a warning says so. From any thread; takes locks.
    /// Kernel: `workqueue_set_min_active()`.
    pub fn set_min_active(&self, min_active: usize) {
        let wq = self.inner();
        if wq.engine.segment.forked() {
            return;
        }
        let flags = wq.spec.flags;
        if !flags.contains(WqFlags::UNBOUND) || flags.contains(WqFlags::ORDERED) {
            tracing::warn!(
                "min_active of workqueue {} cannot be changed: it is not an unbound one, or ordered",
                wq.spec.name
            );
            return;
        }
        let mut control = lock(&wq.control);
        control.limits.set_min(min_active);
        wq.adjust(&control, Wake::Fill);
    }

    /// What an unbound workqueue was asked to be: nice level, CPUs, affinity scope. `None` for a per-CPU or BH one,
    /// and in a forked child. From any thread; takes a lock. Kernel: `wq->unbound_attrs`.
    pub fn attrs(&self) -> Option<WorkqueueAttrs> {
        let wq = self.inner();
        if wq.engine.segment.forked() {
            return None;
        }
        wq.nodes.is_some().then(|| lock(&wq.control).attrs.clone())
    }

    /// Gives an unbound workqueue, ordered ones included, other attributes while it is in use.
    ///
    /// Items queued from now on go to pools with these attributes; those queued before are finished where they are.
    /// Of an ordered workqueue no new item starts before the old ones are over. An item that queues itself again
    /// while it runs stays on its old pool until it pauses. Takes locks, and may create a worker.
    /// Kernel: `apply_workqueue_attrs()`.
    ///
    /// # Errors
    /// [`Error::Attrs`] if the workqueue is per CPU or BH or the attributes make no sense, [`Error::Thread`] if a new
    /// pool gets no worker, [`Error::ShutDown`] in a forked child. Nothing has changed then.
    ///
    /// ```
    /// # let engine = wq_engine::Engine::builder().name("doc-attrs").build()?;
    /// use wq_engine::{AffinityScope, WorkqueueAttrs, WqFlags};
    /// let wq = engine.alloc_workqueue("spread", WqFlags::UNBOUND, 0)?;
    /// wq.apply_attrs(&WorkqueueAttrs {
    ///     affn_scope: AffinityScope::System,
    ///     ..WorkqueueAttrs::default()
    /// })?;
    /// # Ok::<(), wq_engine::Error>(())
    /// ```
    pub fn apply_attrs(&self, attrs: &WorkqueueAttrs) -> Result<(), Error> {
        let wq = self.inner();
        if wq.engine.segment.forked() {
            return Err(Error::ShutDown {
                name: wq.engine.name.clone(),
            });
        }
        let problem = |problem: String| Error::Attrs {
            name: wq.spec.name.clone(),
            problem,
        };
        if wq.nodes.is_none() {
            let text = "it is per CPU; only unbound workqueues have attributes";
            tracing::warn!(
                "attributes of workqueue {} cannot be changed: {text}",
                wq.spec.name
            );
            return Err(problem(text.to_owned()));
        }
        attrs.validate().map_err(problem)?;
        let _config = wq.engine.configure();
        wq.relink(attrs)?;
        wq.tell_attrs();
        Ok(())
    }
}

impl WqInner {
    /// Emits an event about this workqueue as such.
    pub(crate) fn tell(&self, what: What) {
        let event = self.event(os::now(), what);
        context::with(|context| context.emit_one(&self.engine, event));
    }

    fn tell_attrs(&self) {
        let attrs = lock(&self.control).attrs.clone();
        self.tell(What::Attrs {
            nice: attrs.nice as i8,
            strict: attrs.affn_strict,
            scope: attrs.affn_scope as u8,
            cpumask: attrs
                .cpumask
                .iter()
                .filter(|&cpu| cpu < 64)
                .fold(0, |mask, cpu| mask | 1 << cpu),
        });
    }

    /// The limits in force come to the pwqs, and what may go on now goes on. Kernel: `wq_adjust_max_active()`.
    pub(crate) fn adjust(&self, control: &Control, reason: Wake) {
        let limits = control.limits;
        self.tell_limits(&limits);
        if let Some(nodes) = &self.nodes {
            let (range, online) = ((limits.min(), limits.max()), self.engine.online());
            let affinity = &self.engine.affinity;
            let shares = affinity.node_maxes(&control.attrs, range, &online);
            nodes.set_max(shares, limits.max());
        }
        for pwq in &control.pwqs {
            pwq.transact(&self.engine, |core, now, fx| {
                core.set_limit(pwq.ix, limits.max(), limits.frozen(), reason, now, fx);
            });
        }
        if let Some(nodes) = &self.nodes {
            while let Some(reserved) = nodes.reserve() {
                self.engine.activate_in(reserved, reason);
            }
        }
    }

    /// Returns whether anything of it is still active.
    pub(crate) fn set_frozen(self: &Arc<Self>, frozen: bool) -> bool {
        let mut control = lock(&self.control);
        if control.limits.set_frozen(frozen) {
            let (flags, max_active) = (self.spec.flags.bits(), control.limits.configured() as u32);
            self.tell(if frozen {
                What::Freeze { flags, max_active }
            } else {
                What::Thaw { flags, max_active }
            });
            self.adjust(&control, Wake::Thaw);
        }
        !control.is_inactive()
    }
}
