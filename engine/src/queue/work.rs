//! Work items as their users hold them.

use super::item::item_methods;
use super::{DelayedWork, RcuWork, wait};
use crate::runtime::{EngineInner, TimerKey};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::wq::{AtomicWord, Word};
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, PoisonError};

/// The item behind every handle. Kernel: `struct work_struct`, `struct delayed_work`.
pub(crate) struct WorkInner {
    /// I: 1, 2, ... in the process.
    pub(crate) id: u64,
    /// I: what the tools show.
    pub(crate) name: String,
    /// I
    func: Func,
    /// See [`Word`].
    pub(crate) word: AtomicWord,
    /// Lock of the pool that the word names: the item's index there while it is queued.
    pub(crate) item: AtomicU32,
    /// Lock of the pool that the word names: the one that it named before the item was queued; 0: none.
    pub(crate) before: AtomicU32,
    /// The function's id in the engine that it met last: engine uid in the high half.
    pub(crate) func_id: AtomicU64,
    /// The timer that it is on.
    pub(crate) timer: Mutex<Option<TimerKey>>,
    /// The engine in which it waits for readers.
    pub(crate) rcu: Mutex<Option<Arc<EngineInner>>>,
}

/// What an execution calls.
pub(super) enum Func {
    Work(Box<dyn Fn(&Work) + Send + Sync>),
    Delayed(Box<dyn Fn(&DelayedWork) + Send + Sync>),
    Rcu(Box<dyn Fn(&RcuWork) + Send + Sync>),
    Once(Mutex<Option<Box<dyn FnOnce() + Send>>>),
    /// Nothing here: what is queued carries the object that the item is a field of.
    Embedded,
}

/// A function to be executed by a worker, and whether it is asked for at this moment.
///
/// A handle: clones are the same item. While an item is queued or running the engine keeps it alive; dropping the
/// handle changes nothing. An item may be queued again from its own function, and never runs twice at a time as long as
/// it is queued on one workqueue. A panic of the function ends that execution and nothing else: it is counted, reported
/// through `tracing`, and the worker goes on. Kernel: `struct work_struct`.
///
/// ```
/// use wq_engine::{Engine, Work};
/// let engine = Engine::builder().name("doc-work").build()?;
/// let work = Work::named("say_hello", |_| println!("hello"));
/// assert!(engine.system_wq().queue_work(&work));
/// work.flush();
/// assert!(!work.pending());
/// # Ok::<(), wq_engine::Error>(())
/// ```
#[derive(Clone)]
pub struct Work(pub(crate) Arc<WorkInner>);

/// Bit of [`Work::busy`]: queued or on a timer. Kernel: `WORK_BUSY_PENDING`.
pub const BUSY_PENDING: u32 = 1;
/// Bit of [`Work::busy`]: executing. Kernel: `WORK_BUSY_RUNNING`.
pub const BUSY_RUNNING: u32 = 2;

/// Bytes of a place's file that are kept: with the line they fit what the segment keeps of a function's name.
const PLACE_BYTES: usize = 48;

/// A place as it is shown: `file:line`, of a long path only the last folders.
pub(crate) fn place(location: &Location<'_>) -> String {
    let file = location.file();
    let fits = |rest: &str| rest.len() <= PLACE_BYTES;
    let shown = file
        .char_indices()
        .filter(|&(_, c)| c == '/')
        .map(|(at, _)| &file[at + 1..])
        .find(|rest| fits(rest));
    let file = if fits(file) {
        file
    } else {
        shown.unwrap_or(file)
    };
    format!("{file}:{}", location.line())
}

impl Work {
    /// An item that the tools show by the place of this call, as `file:line`. Kernel: `INIT_WORK()`.
    #[track_caller]
    pub fn new(func: impl Fn(&Self) + Send + Sync + 'static) -> Self {
        Self::named(&place(Location::caller()), func)
    }

    /// An item that the tools show by `name`. Items with the same name are the same function to them, in counters,
    /// latencies and reports. Kernel: `INIT_WORK()`, where the name is the function's symbol.
    pub fn named(name: &str, func: impl Fn(&Self) + Send + Sync + 'static) -> Self {
        Self(WorkInner::new(name.to_owned(), Func::Work(Box::new(func))))
    }

    pub(crate) fn once(name: String, func: Box<dyn FnOnce() + Send>) -> Self {
        Self(WorkInner::new(name, Func::Once(Mutex::new(Some(func)))))
    }

    /// Waits for the last queued instance to finish. Returns whether there was one to wait for.
    ///
    /// Idle on return only if nobody queued it again meanwhile. Called inside a work function, the wait counts as
    /// sleeping; a wait that cannot end, such as that of an item that flushes itself, is reported and goes on. From any
    /// thread; waits. Kernel: `flush_work()`.
    pub fn flush(&self) -> bool {
        wait::flush_work(&self.0)
    }

    /// Calls the work function.
    pub(crate) fn call(&self) {
        match &self.0.func {
            Func::Work(func) => func(self),
            Func::Delayed(func) => func(&DelayedWork(self.0.clone())),
            Func::Rcu(func) => func(&RcuWork(self.0.clone())),
            Func::Once(func) => {
                let func = func.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(func) = func {
                    func();
                }
            }
            Func::Embedded => {}
        }
    }
}

item_methods!(Work);

impl WorkInner {
    pub(super) fn new(name: String, func: Func) -> Arc<Self> {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            name,
            func,
            word: AtomicWord::default(),
            item: AtomicU32::new(0),
            before: AtomicU32::new(0),
            func_id: AtomicU64::new(0),
            timer: Mutex::new(None),
            rcu: Mutex::new(None),
        })
    }

    /// Whether it is a field of an object, which only queueing that object executes.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self.func, Func::Embedded)
    }

    /// Whether it waits for readers before it is queued; it cannot be taken back meanwhile.
    pub(crate) fn is_rcu(&self) -> bool {
        matches!(self.func, Func::Rcu(_))
    }

    pub(crate) fn word(&self) -> Word {
        self.word.get()
    }

    /// See [`AtomicWord::claim`].
    pub(crate) fn claim(&self) -> Word {
        self.word.claim()
    }

    /// See [`AtomicWord::set`].
    pub(crate) fn set_word(&self, word: Word) {
        self.word.set(word);
    }

    /// Lets go of the item, with this word. By the owner only.
    pub(crate) fn release(&self, word: Word) {
        self.word.release(word);
    }

    /// See [`AtomicWord::begin`].
    pub(crate) fn begin(&self, pool: u32) {
        self.word.begin(pool);
    }
}

impl fmt::Debug for WorkInner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("word", &self.word())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
