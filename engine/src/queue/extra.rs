//! The less common ways to queue on a workqueue, and to ask about it.

use super::delayed::mod_delayed_work;
use super::embed::{self, WorkItem};
use super::rcu_work::queue_rcu_work;
use super::{DelayedWork, RcuWork, Work, Workqueue, submit};
use crate::attrs::WqFlags;
use crate::os;
use std::sync::Arc;
use std::time::Duration;

impl Workqueue {
    /// Queues an object that has an [`EmbeddedWork`](crate::EmbeddedWork), for the calling thread's CPU. The engine
    /// keeps the object until it has run. Allocates nothing per call. From any thread.
    ///
    /// # Errors
    /// Hands the object back where [`Workqueue::queue_work`] returns false: its item was pending already, is disabled,
    /// or the engine is shutting down.
    pub fn queue<T: WorkItem>(&self, object: Arc<T>) -> Result<(), Arc<T>> {
        embed::queue(self.inner(), None, object)
    }

    /// As [`Workqueue::queue`], for the OS CPU `cpu` as in [`Workqueue::queue_work_on`].
    ///
    /// # Errors
    /// As [`Workqueue::queue`].
    pub fn queue_on<T: WorkItem>(&self, cpu: usize, object: Arc<T>) -> Result<(), Arc<T>> {
        embed::queue(self.inner(), Some(cpu), object)
    }

    /// As [`Workqueue::queue_work`], near the NUMA node `node`: for the calling thread's CPU if that is on the node,
    /// else for the node's first CPU. A node without a CPU that the engine uses has no say.
    ///
    /// For unbound workqueues; on others it is said once that the node means little. Kernel: `queue_work_node()`.
    pub fn queue_work_node(&self, node: usize, work: &Work) -> bool {
        if !self.flags().contains(WqFlags::UNBOUND) {
            warn_once!(
                "queue_work_node() on workqueue {}, which is not unbound",
                self.name()
            );
        }
        let wq = self.inner();
        let near = wq.engine.cpu_near(node, os::current_cpu());
        submit::queue_work(wq, near, &work.0)
    }

    /// Lets `work` be queued after `delay` from now, whatever state it is in: a timer is moved, a queued item is taken
    /// back first. With a zero `delay` it is queued at once. Returns whether it was pending; a disabled item, and any
    /// while the engine is shutting down, is left alone and the answer is false. From any thread.
    ///
    /// ```
    /// use std::time::Duration;
    /// use wq_engine::{DelayedWork, Engine};
    /// let engine = Engine::builder().name("doc-mod-delayed").build()?;
    /// let wq = engine.system_wq();
    /// let save = DelayedWork::named("save", |_| println!("saved once, after the last change"));
    /// assert!(!wq.mod_delayed_work(&save, Duration::from_secs(5)), "it was idle, and is armed now");
    /// assert!(wq.mod_delayed_work(&save, Duration::ZERO), "it was pending, and is queued now");
    /// save.flush();
    /// # Ok::<(), wq_engine::Error>(())
    /// ```
    /// Kernel: `mod_delayed_work()`.
    pub fn mod_delayed_work(&self, work: &DelayedWork, delay: Duration) -> bool {
        mod_delayed_work(self.inner(), None, &work.0, delay)
    }

    /// As [`Workqueue::mod_delayed_work`], for the OS CPU `cpu`. Kernel: `mod_delayed_work_on()`.
    pub fn mod_delayed_work_on(&self, cpu: usize, work: &DelayedWork, delay: Duration) -> bool {
        mod_delayed_work(self.inner(), Some(cpu), &work.0, delay)
    }

    /// Queues `work` when every reader of this moment ([`rcu::read_lock`](crate::rcu::read_lock)) has left, on the
    /// CPU where that is noticed. It is pending from now on. Returns false if it was pending already or the engine is
    /// shutting down; the grace period is only certain if this call returned true. From any thread, readers included.
    ///
    /// An item whose readers have not left when the engine is shut down is let go. Kernel: `queue_rcu_work()`.
    pub fn queue_rcu_work(&self, work: &RcuWork) -> bool {
        queue_rcu_work(self.inner(), &work.0)
    }

    /// [`Work::enable`], and [`Workqueue::queue_work`] if that returned true, which is what this returns: this call has
    /// queued the item then, unless the engine is shutting down. Nobody can queue it between the two. From any thread.
    /// Kernel: `enable_and_queue_work()`.
    pub fn enable_and_queue_work(&self, work: &Work) -> bool {
        submit::enable_and_queue(self.inner(), &work.0)
    }

    /// Whether items of this workqueue are held back on the OS CPU `cpu`; `None` asks for the calling thread's.
    /// Advisory: it may have changed already. From any thread. Kernel: `workqueue_congested()`.
    ///
    /// ```
    /// let engine = wq_engine::Engine::builder().name("doc-congested").build()?;
    /// assert!(!engine.system_wq().congested(0) && !engine.system_wq().congested(None));
    /// # Ok::<(), wq_engine::Error>(())
    /// ```
    pub fn congested(&self, cpu: impl Into<Option<usize>>) -> bool {
        let wq = self.inner();
        if wq.engine.segment.forked() {
            return false;
        }
        let pwq = wq.pwq_on(cpu.into().unwrap_or_else(os::current_cpu));
        // One that was replaced meanwhile, and is gone, held nothing.
        pwq.pool
            .look(|core| core.has_pwq(pwq.ix, pwq.uid) && core.pwq(pwq.ix).has_inactive())
    }
}
