//! A workqueue: the handle, and what stands behind it.

use super::links::{Control, Links, PwqRef};
use super::{DelayedWork, Work, WorkInner, WorkItem, drain, place, submit, wait};
use crate::attrs::WqFlags;
use crate::runtime::{EngineInner, RescuerHandle, lock};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::wq::{Gate, NodeCounts};
use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;
use wq_trace::{Event, FuncId, PoolId, What, WorkerId, WqId, WqSlot};

/// A workqueue: what items are queued on, flushed by and limited by. It owns no execution resource.
///
/// A handle: clones are the same workqueue. When the last one is dropped the workqueue goes away once nothing is queued,
/// on a timer, waiting for readers or running on it; dropping never waits. [`Workqueue::destroy`] waits. It does not keep
/// its engine: once that has ended, queueing returns false. Kernel: `struct workqueue_struct`.
///
/// ```
/// use wq_engine::{Engine, Work, WqFlags};
/// let engine = Engine::builder().name("doc-workqueue").build()?;
/// let wq = engine.alloc_workqueue("journal", WqFlags::UNBOUND, 2)?;
/// let items: Vec<Work> = (0..4).map(|n| Work::named("commit", move |_| println!("commit {n}"))).collect();
/// for item in &items {
///     assert!(wq.queue_work(item));
/// }
/// wq.flush();
/// assert!(items.iter().all(|item| !item.pending()));
/// wq.destroy();
/// # Ok::<(), wq_engine::Error>(())
/// ```
#[derive(Clone)]
pub struct Workqueue(Arc<WqInner>);

/// What stands behind the handles. Kept alive by them, by every queued or running item, and by every armed timer.
pub(crate) struct WqInner {
    /// I
    pub(crate) engine: Arc<EngineInner>,
    /// I
    pub(crate) spec: WqSpec,
    /// I
    pub(crate) slot: WqSlot,
    /// I: of a `MEM_RECLAIM` workqueue.
    pub(crate) rescuer: Option<RescuerHandle>,
    pub(crate) links: Links,
    /// I: the active slots of an unbound workqueue.
    pub(crate) nodes: Option<NodeCounts>,
    /// `W`
    pub(crate) control: Mutex<Control>,
    /// See [`Gate`].
    pub(crate) gate: AtomicU32,
}

/// What a workqueue was asked to be.
#[derive(Clone, Debug)]
pub(crate) struct WqSpec {
    pub(crate) name: String,
    pub(crate) flags: WqFlags,
}

/// What a queued item hands to its execution.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) work: Arc<WorkInner>,
    /// Keeps the workqueue while an item of it is queued or running.
    pub(crate) wq: Arc<WqInner>,
    /// The object that the item is a field of, if it is.
    pub(crate) carried: Option<Arc<dyn WorkItem>>,
}

impl Workqueue {
    pub(crate) fn new(inner: Arc<WqInner>) -> Self {
        Self(inner)
    }

    pub(crate) fn inner(&self) -> &Arc<WqInner> {
        &self.0
    }

    /// Queues `work` for the calling thread's CPU. Returns false if it was pending already, is disabled, or the
    /// engine is shutting down.
    ///
    /// If it returns true, stores made before the call are visible to the execution; if it returns false because the
    /// item was pending, they are visible to the execution that it was pending for. From any thread. While the
    /// workqueue is drained, and once it is destroyed, the item is dropped, and that returns true:
    /// [`Workqueue::drain`]. Kernel: `queue_work()`.
    pub fn queue_work(&self, work: &Work) -> bool {
        submit::queue_work(self.inner(), None, &work.0)
    }

    /// As [`Workqueue::queue_work`], for the OS CPU `cpu`: its workers execute the item; on an unbound workqueue, those
    /// of its pod ([`AffinityScope`](crate::AffinityScope)). An item that still runs for this workqueue is queued behind
    /// itself, wherever that is.
    ///
    /// A CPU that the engine does not use stands for the next one that it uses, cyclically; items for one that has
    /// left meanwhile run on those that are left. Kernel: `queue_work_on()`.
    pub fn queue_work_on(&self, cpu: usize, work: &Work) -> bool {
        submit::queue_work(self.inner(), Some(cpu), &work.0)
    }

    /// Queues `work` after `delay`; at once, without a timer, if that is zero. Returns false if it was pending
    /// already (on its timer or queued), is disabled, or the engine is shutting down. From any thread.
    ///
    /// When the timer fires it is queued for the CPU on which this was called. A `delay` that goes
    /// beyond the clock is never over. Kernel: `queue_delayed_work()`.
    pub fn queue_delayed_work(&self, work: &DelayedWork, delay: Duration) -> bool {
        submit::queue_delayed_work(self.inner(), None, &work.0, delay)
    }

    /// As [`Workqueue::queue_delayed_work`], for the OS CPU `cpu`. Kernel: `queue_delayed_work_on()`.
    pub fn queue_delayed_work_on(&self, cpu: usize, work: &DelayedWork, delay: Duration) -> bool {
        submit::queue_delayed_work(self.inner(), Some(cpu), &work.0, delay)
    }

    /// Runs `func` once, as an item of its own that the tools show by the place of this call. From any thread.
    /// Returns false, and does not run it, if the engine is shutting down; while the workqueue is drained, and once it is
    /// destroyed, it is dropped as any item is, and that returns true. There is nothing like it in the kernel.
    ///
    /// ```
    /// let engine = wq_engine::Engine::builder().name("doc-spawn").build()?;
    /// let text = String::from("moved into the item");
    /// assert!(engine.system_wq().spawn(move || println!("{text}")));
    /// engine.system_wq().flush();
    /// # Ok::<(), wq_engine::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn(&self, func: impl FnOnce() + Send + 'static) -> bool {
        let name = place(Location::caller());
        submit::queue_work(self.inner(), None, &Work::once(name, Box::new(func)).0)
    }

    /// Waits until everything that was queued before this call is over, held items included; what is queued later
    /// is not waited for. Called inside a work function, the wait counts as sleeping; inside one of this workqueue it
    /// cannot end, which is reported. Kernel: `flush_workqueue()`.
    pub fn flush(&self) {
        wait::flush_workqueue(self.inner(), None);
    }

    /// Waits until nothing is queued or running. Meanwhile only work functions of this workqueue may queue on it: what
    /// anybody else queues, and timers that fire, are dropped with one warning, although `queue_work` returns true.
    ///
    /// Any number of threads may drain at one time, and flush. An item that queues itself for ever makes it endless,
    /// of which it warns; called inside a work function of this workqueue it waits for itself, which is reported.
    /// What is on a timer is not waited for. Kernel: `drain_workqueue()`.
    pub fn drain(&self) {
        drain::drain(self.inner());
    }

    /// Drains, and refuses everything that is queued from then on, by whatever handle: `queue_work` returns true as for
    /// [`Workqueue::drain`], and the item is dropped. Frozen items are waited for until they are thawed.
    ///
    /// Timers are not waited for: the items are dropped when they fire, so cancel them first. The other handles stay
    /// valid; flushes of a destroyed workqueue return at once. Not from a work function of this workqueue: it waits
    /// for itself, which is reported. Kernel: `destroy_workqueue()`.
    pub fn destroy(&self) {
        drain::destroy(self.inner());
    }

    /// The name. Kernel: `WQ_NAME_LEN`, at most 31 bytes.
    pub fn name(&self) -> &str {
        &self.inner().spec.name
    }

    /// The flags in force: those asked for, with either `PERCPU` or `UNBOUND`.
    pub fn flags(&self) -> WqFlags {
        self.inner().spec.flags
    }

    /// How many items may be active: per CPU when bound, in all when unbound; what was asked for, also while it is
    /// frozen. 1 for an ordered workqueue, `i32::MAX` for a BH one, which has no limit. In a forked child 0: nothing
    /// becomes active there.
    pub fn max_active(&self) -> usize {
        let wq = self.inner();
        if wq.engine.segment.forked() {
            return 0;
        }
        lock(&wq.control).limits.configured()
    }
}

impl WqInner {
    pub(crate) fn id(&self) -> WqId {
        self.slot.id()
    }

    /// The pwq that serves this OS CPU.
    pub(crate) fn pwq_on(&self, cpu: usize) -> Cow<'_, PwqRef> {
        self.links.on(self.engine.cpu_index(cpu))
    }

    /// The rescuer, if there is one, ends once nobody calls for it.
    pub(crate) fn stop_rescuer(&self) {
        if let Some(rescuer) = &self.rescuer {
            rescuer.stop();
        }
    }

    /// An event about this workqueue as such.
    pub(crate) fn event(&self, at: u64, what: What) -> Event {
        Event {
            at,
            cpu: 0,
            tid: 0,
            wq: self.id(),
            pool: PoolId::NONE,
            worker: WorkerId::NONE,
            func: FuncId::NONE,
            from: FuncId::NONE,
            work: 0,
            what,
        }
    }

    /// Who may queue at this moment.
    pub(crate) fn gate(&self) -> Gate {
        Gate(self.gate.load(Ordering::Acquire))
    }

    /// Tells its end, once.
    pub(crate) fn tell_gone(&self) {
        let before = Gate(self.gate.fetch_or(Gate::GONE, Ordering::AcqRel));
        if !before.is_gone() {
            self.engine.tell_destroyed(self);
        }
    }

    /// Nothing of it is queued or running on any pool.
    pub(crate) fn is_idle(&self) -> bool {
        lock(&self.control).is_idle()
    }
}

impl Drop for WqInner {
    fn drop(&mut self) {
        if self.engine.segment.forked() {
            return;
        }
        for pwq in std::mem::take(&mut lock(&self.control).pwqs) {
            pwq.transact(&self.engine, |core, _, _| core.remove_pwq(pwq.ix));
            self.engine.put_unbound_pool(&pwq.pool);
        }
        if self.engine.remove_workqueue(self) {
            self.tell_gone();
        }
    }
}

impl fmt::Debug for WqInner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workqueue")
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Workqueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner().fmt(f)
    }
}

impl PartialEq for Workqueue {
    /// Whether both are the same workqueue.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.inner(), other.inner())
    }
}

impl Eq for Workqueue {}
