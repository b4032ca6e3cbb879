//! Items that sleep 5 ms, one to ten that compute 20 us, and who executes them: an engine, or the `blocking` crate.

use crate::{proc, rig};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use wq_engine::{Engine, Sensing, Work, Workqueue, WqFlags, blocking};

/// Items that compute in each group, behind one that sleeps.
pub const COMPUTING: usize = 10;
const GROUP: usize = COMPUTING + 1;
pub const BURN_US: u64 = 20;
pub const SLEEP: Duration = Duration::from_millis(5);
/// The peer's threads begin their names so.
const PEER_THREADS: &str = "blocking-";

/// Who executes, and where it is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contender {
    /// `queue_work_on` each CPU in turn; with hints the sleeps are announced.
    Turns(Sensing),
    /// `queue_work`.
    Local(Sensing),
    /// Everything through `blocking::unblock`.
    Peer,
}

impl Contender {
    /// For the table.
    pub fn name(self) -> String {
        match self {
            Self::Turns(tier) => tier.to_string(),
            Self::Local(tier) => format!("{tier}, queue_work"),
            Self::Peer => "blocking crate".to_owned(),
        }
    }
}

/// What one run has given.
pub struct Outcome {
    /// From the first queueing to the end of the last item.
    pub makespan_ns: u64,
    /// Of the items that compute, from before queueing to their end; ascending.
    pub latencies: Vec<u64>,
    pub threads: usize,
    pub process_cpu_ns: u64,
}

/// Runs so many groups, all at once or one each millisecond, on threads that are new.
pub fn run(contender: Contender, groups: usize, paced: bool) -> Outcome {
    let (books, over) = Books::new(groups * GROUP);
    let cpu = rig::process_cpu();
    match contender {
        Contender::Peer => {
            let mut peer = Peer::default();
            produce(groups, paced, |index| peer.queue(&books, index));
            over.recv().expect("the last item says so");
            let process_cpu = rig::process_cpu() - cpu;
            let threads = peer.most_threads.max(peer_threads());
            wait_for_peers_end();
            books.outcome(threads, process_cpu)
        }
        Contender::Turns(tier) | Contender::Local(tier) => {
            let own = Own::new(contender, tier, &books);
            let cpu = rig::process_cpu();
            produce(groups, paced, |index| own.queue(&books, index));
            over.recv().expect("the last item says so");
            let process_cpu = rig::process_cpu() - cpu;
            books.outcome(rig::most_workers(&own.engine) as usize, process_cpu)
        }
    }
}

fn produce(groups: usize, paced: bool, mut queue: impl FnMut(usize)) {
    let begun = rig::now();
    for group in 0..groups {
        if paced {
            rig::sleep_until(begun + group as u64 * 1_000_000);
        }
        for index in group * GROUP..(group + 1) * GROUP {
            queue(index);
        }
    }
}

/// Whether this item sleeps.
fn sleeps(index: usize) -> bool {
    index.is_multiple_of(GROUP)
}

/// When each item was queued and ended.
struct Books {
    queued: Vec<AtomicU64>,
    ended: Vec<AtomicU64>,
    left: AtomicUsize,
    over: mpsc::Sender<()>,
}

impl Books {
    fn new(items: usize) -> (Arc<Self>, mpsc::Receiver<()>) {
        let (over, last) = mpsc::channel();
        let zeros = || (0..items).map(|_| AtomicU64::new(0)).collect();
        let books = Self {
            queued: zeros(),
            ended: zeros(),
            left: AtomicUsize::new(items),
            over,
        };
        (Arc::new(books), last)
    }

    /// The body of an item.
    fn execute(&self, index: usize, announced: bool) {
        match (sleeps(index), announced) {
            (false, _) => rig::burn(BURN_US),
            (true, false) => thread::sleep(SLEEP),
            (true, true) => blocking(|| thread::sleep(SLEEP)),
        }
        self.ended[index].store(rig::now(), Ordering::Relaxed);
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.over.send(()).expect("somebody waits");
        }
    }

    fn is_queued_now(&self, index: usize) {
        self.queued[index].store(rig::now(), Ordering::Relaxed);
    }

    fn outcome(&self, threads: usize, process_cpu_ns: u64) -> Outcome {
        let times = |all: &[AtomicU64]| -> Vec<u64> {
            all.iter().map(|at| at.load(Ordering::Relaxed)).collect()
        };
        let (queued, ended) = (times(&self.queued), times(&self.ended));
        let computing = (0..queued.len()).filter(|&index| !sleeps(index));
        let mut latencies: Vec<_> = computing
            .map(|index| ended[index] - queued[index])
            .collect();
        latencies.sort_unstable();
        let first = queued.iter().min().copied().unwrap_or(0);
        let last = ended.iter().max().copied().unwrap_or(0);
        Outcome {
            makespan_ns: last - first,
            latencies,
            threads,
            process_cpu_ns,
        }
    }
}

/// An engine, and the items ready to be queued.
struct Own {
    engine: Engine,
    wq: Workqueue,
    works: Vec<Work>,
    local: bool,
}

impl Own {
    fn new(contender: Contender, tier: Sensing, books: &Arc<Books>) -> Self {
        let engine = rig::engine(tier);
        let wq = engine
            .alloc_workqueue("mixed", WqFlags::PERCPU, 0)
            .expect("a workqueue");
        let announced = engine.sensing() == Sensing::Hints;
        let item = |index| {
            let books = books.clone();
            let name = if sleeps(index) { "sleeps" } else { "computes" };
            Work::named(name, move |_| books.execute(index, announced))
        };
        Self {
            works: (0..books.queued.len()).map(item).collect(),
            local: matches!(contender, Contender::Local(_)),
            engine,
            wq,
        }
    }

    fn queue(&self, books: &Books, index: usize) {
        books.is_queued_now(index);
        let work = &self.works[index];
        let queued = if self.local {
            self.wq.queue_work(work)
        } else {
            self.wq.queue_work_on(cpu_of(index), work)
        };
        assert!(queued, "it is queued once");
    }
}

/// The sleeping items take turns on the CPUs, and so do the others.
fn cpu_of(index: usize) -> usize {
    let (group, place) = (index / GROUP, index % GROUP);
    let turn = match place {
        0 => group,
        _ => group * COMPUTING + place - 1,
    };
    let cpus = rig::cpus();
    cpus[turn % cpus.len()]
}

#[derive(Default)]
struct Peer {
    most_threads: usize,
}

impl Peer {
    fn queue(&mut self, books: &Arc<Books>, index: usize) {
        let theirs = books.clone();
        books.is_queued_now(index);
        blocking::unblock(move || theirs.execute(index, false)).detach();
        // They may leave before the end; counting costs a tenth of a millisecond, which a paced producer has.
        if index % (100 * GROUP) == 100 * GROUP - 1 {
            self.most_threads = self.most_threads.max(peer_threads());
        }
    }
}

fn peer_threads() -> usize {
    let tasks = proc::other_tasks();
    tasks
        .iter()
        .filter(|task| task.name.starts_with(PEER_THREADS))
        .count()
}

/// Its idle threads wake up now and then until they leave: not in somebody else's run.
fn wait_for_peers_end() {
    let begun = Instant::now();
    while peer_threads() > 0 && begun.elapsed() < Duration::from_secs(30) {
        thread::sleep(Duration::from_millis(100));
    }
}
