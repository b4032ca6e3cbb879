//! Items that are fields of users' objects, as `container_of()` wants them, and items that are statics.

use super::item::item_methods;
use super::submit::{self, For};
use super::work::Func;
use super::workqueue::WqInner;
use super::{WorkInner, wait};
use std::fmt;
use std::sync::Arc;

/// A work item as a field of an object: what is queued is the object. Kernel: a `struct work_struct` inside another
/// struct, whose function finds the struct by `container_of()`.
///
/// The object names the field with [`impl_has_work!`](crate::impl_has_work), says in [`WorkItem::run`] what is to be
/// done, and goes to [`Workqueue::queue`](crate::Workqueue::queue) as an `Arc`. Queueing allocates nothing.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use wq_engine::{EmbeddedWork, Engine, WorkItem, impl_has_work};
///
/// struct Device {
///     work: EmbeddedWork,
///     resets: AtomicU32,
/// }
///
/// impl_has_work!(Device, work);
///
/// impl WorkItem for Device {
///     fn run(self: Arc<Self>) {
///         self.resets.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// let engine = Engine::builder().name("doc-embedded").build()?;
/// let device = Arc::new(Device { work: EmbeddedWork::new("reset_device"), resets: AtomicU32::new(0) });
/// assert!(engine.system_wq().queue(device.clone()).is_ok());
/// device.work.flush();
/// assert_eq!(device.resets.load(Ordering::Relaxed), 1);
/// # Ok::<(), wq_engine::Error>(())
/// ```
pub struct EmbeddedWork(pub(crate) Arc<WorkInner>);

/// An object with a work item in it. Implemented by [`impl_has_work!`](crate::impl_has_work).
pub trait HasWork {
    /// The field; the same one at every call.
    fn work(&self) -> &EmbeddedWork;
}

/// What the execution of an object's work item does. Kernel: `work_func_t`.
pub trait WorkItem: HasWork + Send + Sync + 'static {
    /// Called by a worker, once for each successful [`Workqueue::queue`](crate::Workqueue::queue) unless that was
    /// cancelled or dropped; never twice at the same time for one object that is queued on one workqueue. The object may
    /// queue itself again, by a clone of `self`. If `self` is its last owner, dropping it must not wait for its own
    /// item.
    fn run(self: Arc<Self>);
}

item_methods!(EmbeddedWork);

impl EmbeddedWork {
    /// An idle item; the tools show it as `name`. Kernel: `INIT_WORK()`.
    pub fn new(name: &str) -> Self {
        Self(WorkInner::new(name.to_owned(), Func::Embedded))
    }

    /// As [`Work::flush`](crate::Work::flush). Kernel: `flush_work()`.
    pub fn flush(&self) -> bool {
        wait::flush_work(&self.0)
    }
}

impl fmt::Debug for EmbeddedWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for dyn WorkItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.work().fmt(f)
    }
}

/// See [`Workqueue::queue`](crate::Workqueue::queue).
pub(super) fn queue<T: WorkItem>(
    wq: &Arc<WqInner>,
    cpu: Option<usize>,
    object: Arc<T>,
) -> Result<(), Arc<T>> {
    let work = object.work().0.clone();
    if !submit::claim(wq, &work) {
        return Err(object);
    }
    if submit::insert_carrying(wq, For::asked(cpu), &work, Some(object.clone())) {
        Ok(())
    } else {
        Err(object)
    }
}

/// Says which field of a type is its [`EmbeddedWork`]: `impl_has_work!(Device, work);`
#[macro_export]
macro_rules! impl_has_work {
    ($Type:ty, $field:ident) => {
        impl $crate::HasWork for $Type {
            fn work(&self) -> &$crate::EmbeddedWork {
                &self.$field
            }
        }
    };
}

/// A static [`Work`](crate::Work) that the tools show by its function's name. Kernel: `DECLARE_WORK()`.
///
/// ```
/// use wq_engine::{Engine, Work, declare_work};
///
/// fn flush_cache(_: &Work) {}
///
/// declare_work!(FLUSH, flush_cache);
///
/// let engine = Engine::builder().name("doc-declare").build()?;
/// assert!(engine.schedule_work(&FLUSH));
/// FLUSH.flush();
/// # Ok::<(), wq_engine::Error>(())
/// ```
#[macro_export]
macro_rules! declare_work {
    ($(#[$meta:meta])* $vis:vis $NAME:ident, $func:path) => {
        $(#[$meta])*
        $vis static $NAME: ::std::sync::LazyLock<$crate::Work> =
            ::std::sync::LazyLock::new(|| $crate::Work::named(stringify!($func), $func));
    };
}

/// A static [`DelayedWork`](crate::DelayedWork), as [`declare_work!`](crate::declare_work).
/// Kernel: `DECLARE_DELAYED_WORK()`.
///
/// ```
/// use std::time::Duration;
/// use wq_engine::{DelayedWork, Engine, declare_delayed_work};
///
/// fn poll(_: &DelayedWork) {}
///
/// declare_delayed_work!(pub POLL, poll);
///
/// let engine = Engine::builder().name("doc-declare-delayed").build()?;
/// assert!(engine.schedule_delayed_work(&POLL, Duration::from_secs(60)));
/// assert!(POLL.cancel());
/// # Ok::<(), wq_engine::Error>(())
/// ```
#[macro_export]
macro_rules! declare_delayed_work {
    ($(#[$meta:meta])* $vis:vis $NAME:ident, $func:path) => {
        $(#[$meta])*
        $vis static $NAME: ::std::sync::LazyLock<$crate::DelayedWork> =
            ::std::sync::LazyLock::new(|| $crate::DelayedWork::named(stringify!($func), $func));
    };
}
