//! A segment as its engine sees it: what it makes here, other processes can read.
//!
//! A segment's life: built under a dot-name, renamed once its version is published, marked ended by the engine or at
//! exit, removed when a later engine starts. Without a file (no directory, no space) everything works on the heap.

mod at_exit;
mod config;
mod create;
mod emitter;
mod former;
mod head;
mod lists;
mod map;
mod sensing;
mod settings;
mod slots;
mod store;
mod tables;
mod words;

pub use config::{SegmentConfig, SegmentProblem, Shortage};
pub use emitter::Emitter;
pub use slots::{
    FlushSlot, NodeSlot, PoolGauges, PoolInfo, PoolSlot, PwqFuncSlot, PwqGauges, PwqSlot,
    WorkerSlot, WqSlot,
};

use crate::clean::clean_name;
use crate::clock::monotonic_now;
use crate::ids::FuncId;
use crate::layout::{self, ClockKind, Geometry, Kind};
use crate::ring;
use former::Former;
use lists::Lists;
use map::Process;
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Store;
use tables::Tables;
use words::Words;

/// An engine's segment; cheap to clone.
#[derive(Clone, Debug)]
pub struct Segment {
    inner: Arc<Inner>,
}

/// What all handles of a segment share.
#[derive(Debug)]
struct Inner {
    /// The process that writes; in any other everything here is inert.
    process: Process,
    path: Option<PathBuf>,
    tracing: bool,
    ring_records: u64,
    head: Words,
    books: Mutex<Books>,
}

/// What is taken and what is free. Locked to make and free things, never to change them.
#[derive(Debug)]
struct Books {
    store: Store,
    tables: Tables,
    functions: HashMap<String, FuncId>,
    /// Slots of the functions, by identity - 1; never freed.
    function_slots: Vec<Words>,
    /// Rings without a thread, longest first, with how many threads had them.
    rings: VecDeque<(ring::Writer<Words>, u32)>,
    lists: Lists,
    /// What the released pwqs of each workqueue came to.
    formers: HashMap<u32, Former>,
    /// NUMA nodes that have a list.
    nodes: u32,
    /// What was said of sensing, once it was.
    sensing: Option<Words>,
}

impl Segment {
    /// Makes the segment of an engine that starts at `now`, in `dir`. Without a file it works on the heap.
    pub(crate) fn create_in(
        dir: &Path,
        config: &SegmentConfig,
        now: u64,
    ) -> (Self, Option<SegmentProblem>) {
        match create::file(dir, config, now) {
            Ok((store, path)) => (Self::over(store, Some(path), config), None),
            Err(problem) => {
                let geometry = Geometry::for_pages(4096);
                let segment = Self::on_heap(config, ClockKind::Monotonic, geometry, now);
                (segment, Some(problem))
            }
        }
    }

    /// A segment on the heap, whose stamps are a simulator's: only [`crate::Reader::in_memory`] sees it.
    pub fn in_memory(config: &SegmentConfig, now: u64) -> Self {
        Self::on_heap(config, ClockKind::Virtual, Geometry::for_pages(4096), now)
    }

    /// One on the heap with everything as small as it can be, so that tests can try every bit of it.
    #[doc(hidden)]
    pub fn tiny(config: &SegmentConfig, now: u64) -> Self {
        let geometry = Geometry {
            align: 8,
            directory: 16,
            chunk_min: 8,
            chunk_max: 8,
        };
        Self::on_heap(config, ClockKind::Virtual, geometry, now)
    }

    fn on_heap(config: &SegmentConfig, clock: ClockKind, geometry: Geometry, now: u64) -> Self {
        let store = Store::heap(geometry, config.budget);
        head::fill(store.head(), config, &config.file_name(), clock, now);
        head::publish(store.head());
        Self::over(store, None, config)
    }

    fn over(store: Store, path: Option<PathBuf>, config: &SegmentConfig) -> Self {
        let head = store.head().clone();
        let books = Books {
            tables: Tables::new(&store),
            store,
            functions: HashMap::new(),
            function_slots: Vec::new(),
            rings: VecDeque::new(),
            lists: Lists::default(),
            formers: HashMap::new(),
            nodes: 0,
            sensing: None,
        };
        let inner = Arc::new(Inner {
            process: Process::current(monotonic_now()),
            path,
            tracing: config.tracing,
            ring_records: config.ring_records(),
            head,
            books: Mutex::new(books),
        });
        at_exit::register(&inner);
        let segment = Self { inner };
        // Takes identity 1: `FuncId::OTHER`.
        segment.function("(other)");
        segment
    }

    /// The file, if there is one.
    pub fn path(&self) -> Option<&Path> {
        self.inner.path.as_deref()
    }

    /// Whether the caller is in a forked child: then everything here does nothing. One load.
    #[inline]
    pub fn forked(&self) -> bool {
        !self.inner.process.is_here()
    }

    /// Says that the engine is alive. The tools take the latest of this and of the stamps in slots and rings as the time
    /// at which a killed engine was last heard of, and `list` takes one of another pid namespace for live for a while
    /// after it. Called where somebody is awake anyway: nobody wakes up for it.
    pub fn heartbeat(&self, now: u64) {
        if !self.forked() {
            self.inner.head.put(layout::head::HEARTBEAT, now);
        }
    }

    /// Says that the engine has ended in an orderly way. Done at exit for every segment of the process. Rows that stand
    /// in it now stay when their owners go.
    pub fn mark_ended(&self, now: u64) {
        self.inner.mark_ended(now);
    }

    /// Why the file could not grow, if it could not; told once, so that the engine can say so once.
    pub fn take_shortage(&self) -> Option<Shortage> {
        let path = self.path()?.to_owned();
        if self.forked() {
            return None;
        }
        let cause = self.inner.books().store.take_shortage()?;
        Some(Shortage { path, cause })
    }

    /// The identity of a work function, by the name that is shown. [`FuncId::OTHER`] when there are too many.
    pub fn function(&self, name: &str) -> FuncId {
        if self.forked() {
            return FuncId::OTHER;
        }
        let name = clean_name(name);
        let books = &mut *self.inner.books();
        if let Some(&id) = books.functions.get(&name) {
            return id;
        }
        if books.tables.used(Kind::Function) >= Kind::Function.cap() {
            return FuncId::OTHER;
        }
        let taken = books
            .tables
            .take(&mut books.store, Kind::Function, None, |words| {
                words.put_text(layout::function::NAME, layout::NAME_WORDS, &name);
            });
        let id = FuncId(taken.id);
        books.function_slots.push(taken.words);
        books.functions.insert(name, id);
        id
    }

    /// The name behind the identity of a work function, if it has one here. Looks at all of them.
    pub fn function_name(&self, func: FuncId) -> Option<String> {
        if self.forked() {
            return None;
        }
        let books = self.inner.books();
        let named = books.functions.iter().find(|(_, id)| **id == func);
        named.map(|(name, _)| name.clone())
    }

    /// A timer for an item of this function was armed (+1), or fired or was cancelled (-1); `next_expiry` is when the
    /// earliest that remains fires, 0 when none does. The caller serialises these.
    pub fn armed(&self, func: FuncId, delta: i32, next_expiry: u64) {
        if self.forked() || !func.is_some() {
            return;
        }
        let books = self.inner.books();
        if let Some(words) = books.function_slots.get(func.0 as usize - 1) {
            words.shift(layout::function::ARMED, delta);
            words.put(layout::function::NEXT_EXPIRY, next_expiry);
        }
    }

    /// Counts events of threads that have no [`Emitter`].
    pub fn lost_no_ring(&self, events: u64) {
        if !self.forked() {
            self.inner
                .head
                .add_shared(layout::head::LOST_NO_RING, events);
        }
    }

    /// Bytes of the file, or what would be one.
    pub(crate) fn len(&self) -> u64 {
        self.inner.books().store.len()
    }

    /// The memory at a byte offset of the file: see [`Store::at`].
    pub(crate) fn at(&self, offset: u64) -> Option<(Words, u64)> {
        self.inner.books().store.at(offset)
    }
}

impl Inner {
    fn books(&self) -> MutexGuard<'_, Books> {
        // Nothing in there can be left half done by a panic that a reader would not see through.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_ended(&self) -> bool {
        self.head.get(layout::head::ENDED_AT) != 0
    }

    fn mark_ended(&self, now: u64) {
        if self.process.is_here() && !self.has_ended() {
            self.head.set(layout::head::ENDED_AT, now.max(1));
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.mark_ended(monotonic_now());
    }
}
