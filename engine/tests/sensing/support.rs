//! Engines with canaries, and ways to look at what these did.

use rustix::thread::{CpuSet, sched_getaffinity};
use rustix::time::{ClockId, clock_gettime};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};
use wq_engine::{Builder, Engine, Sensing, Work};
use wq_trace::{CanarySums, PoolRow, Reader, Snapshot};

/// Generous: only a hang reaches it.
pub const LONG: Duration = Duration::from_secs(60);
/// Tells a child which test it is.
const CHILD: &str = "WQ_SENSING_CHILD";

/// Nobody else tests while this is held.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// This executable again, for this one test, which asks [`is_child`]. Nothing is said of its way of sensing.
pub fn child(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture"])
        .env(CHILD, test)
        .env_remove("WQ_SENSING")
        .env_remove("WQ_SELF_TEST");
    command
}

pub fn is_child(test: &str) -> bool {
    std::env::var(CHILD).is_ok_and(|child| child == test)
}

/// What a child has said; fails if it did.
#[track_caller]
pub fn said(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    said
}

/// What the engines of a child say goes to its standard output.
pub fn log_to_stdout() {
    let listener = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(std::io::stdout);
    listener.init();
}

/// The CPUs that this thread may use.
pub fn allowed() -> Vec<usize> {
    let set = sched_getaffinity(None).unwrap();
    let all = 0..CpuSet::MAX_CPU;
    all.filter(|&cpu| set.is_set(cpu)).collect()
}

/// An engine on the first CPU that it may use.
pub fn on_one_cpu(name: &str) -> Builder {
    let builder = Engine::builder().name(name).cpus([allowed()[0]]);
    builder.self_test(false)
}

/// With canaries; none, and the reason is printed, where they cannot be had.
pub fn with_canaries(builder: Builder) -> Option<Engine> {
    let engine = builder.sensing(Sensing::Canary).build().unwrap();
    if engine.sensing() == Sensing::Canary {
        return Some(engine);
    }
    let reason = snapshot(&engine).sensing.reason;
    println!("skipped: {reason}");
    None
}

/// On one CPU.
pub fn canaries(name: &str) -> Option<Engine> {
    with_canaries(on_one_cpu(name))
}

/// The state of an engine.
pub fn snapshot(engine: &Engine) -> Snapshot {
    let reader = Reader::in_memory(engine.segment());
    reader.snapshot().expect("the segment is whole")
}

/// What its canaries did so far.
pub fn sums(engine: &Engine) -> CanarySums {
    snapshot(engine).canaries()
}

/// The pool of its first CPU's normal workers.
pub fn normal_pool(engine: &Engine) -> PoolRow {
    let pools = snapshot(engine).pools.into_iter();
    let mut normal = pools.filter(|pool| pool.is_percpu() && !pool.is_bh() && pool.nice == 0);
    normal.next().expect("each CPU has one")
}

/// Waits until all workers idle.
#[track_caller]
pub fn at_rest(engine: &Engine) {
    let idles = |pool: &PoolRow| pool.nr_idle == pool.nr_workers && pool.nr_pending == 0;
    until(|| snapshot(engine).pools.iter().all(idles));
}

/// Waits for something that is bound to happen.
#[track_caller]
pub fn until(mut happened: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < LONG, "it does not happen");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Does `round` until a canary has decided for it. On a busy machine the tick may come first now and then.
#[track_caller]
pub fn until_a_canary_decides(engine: &Engine, mut round: impl FnMut()) {
    let before = sums(engine);
    let begun = Instant::now();
    loop {
        round();
        let now = sums(engine);
        assert!(now.false_decisions <= now.decisions, "{now:?}");
        if now.decisions - now.false_decisions > before.decisions - before.false_decisions {
            return;
        }
        assert!(begun.elapsed() < LONG, "no canary decides: {now:?}");
    }
}

/// An item that sleeps, and says so to nobody, until the item that waits behind it wakes it up.
#[track_caller]
pub fn a_blocked_worker_is_replaced(engine: &Engine) {
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let opened = Arc::new(AtomicUsize::new(0));
    let counts = opened.clone();
    let blocked = Work::named("blocked", move |_| {
        // A panic here would end in the worker.
        let came = gate.lock().unwrap().recv_timeout(LONG);
        counts.store(usize::from(came.is_ok()), Ordering::SeqCst);
    });
    let opens = Work::named("opens", move |_| {
        let _ = open.send(());
    });
    assert!(engine.schedule_work(&blocked));
    assert!(engine.schedule_work(&opens));
    blocked.flush();
    opens.flush();
    let opened = opened.load(Ordering::SeqCst);
    assert_eq!(opened, 1, "nobody opens the gate");
}

/// Uses the CPU for so long, however long that takes.
pub fn burn(time: Duration) {
    let used = || clock_gettime(ClockId::ThreadCPUTime);
    let ns = |at: rustix::time::Timespec| at.tv_sec as u128 * 1_000_000_000 + at.tv_nsec as u128;
    let end = ns(used()) + time.as_nanos();
    while ns(used()) < end {
        std::hint::spin_loop();
    }
}

/// How many are somewhere, and how many were there at most.
#[derive(Clone, Debug, Default)]
pub struct Inside(Arc<[AtomicUsize; 2]>);

impl Inside {
    /// Returns how many there are now.
    pub fn enter(&self) -> usize {
        let now = self.0[0].fetch_add(1, Ordering::SeqCst) + 1;
        self.0[1].fetch_max(now, Ordering::SeqCst);
        now
    }

    pub fn leave(&self) {
        self.0[0].fetch_sub(1, Ordering::SeqCst);
    }

    pub fn now(&self) -> usize {
        self.0[0].load(Ordering::SeqCst)
    }

    pub fn most(&self) -> usize {
        self.0[1].load(Ordering::SeqCst)
    }
}

/// The ids of this process's threads with this name.
pub fn threads_named(name: &str) -> Vec<u32> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let is_it = |path: &std::path::Path| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
    };
    let named = tasks.filter(|task| is_it(&task.path()));
    named
        .map(|task| task.file_name().to_str().unwrap().parse().unwrap())
        .collect()
}

/// The thread of the engine's first canary, of a process with no other engine.
pub fn canary_thread() -> u32 {
    let all = threads_named(&format!("wq-canary/{}", allowed()[0]));
    assert_eq!(all.len(), 1, "{all:?}");
    all[0]
}

/// How often a thread has left its CPU, by itself or not.
pub fn switches(tid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/self/task/{tid}/status")).unwrap();
    let lines = status.lines().filter(|line| line.contains("ctxt_switches"));
    let numbers = lines.map(|line| line.split(':').nth(1).unwrap().trim());
    numbers.map(|number| number.parse::<u64>().unwrap()).sum()
}

/// Whether a thread sleeps; one that only waits for its CPU does not.
pub fn is_asleep(tid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{tid}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap().starts_with('S')
}

/// CPU time of a thread, in nanoseconds.
pub fn cpu_time(tid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/self/task/{tid}/schedstat")).unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

/// A thread that wants a CPU all the time, until it is dropped.
pub struct Hog(Arc<AtomicUsize>, Option<std::thread::JoinHandle<()>>);

impl Hog {
    pub fn on(cpu: usize) -> Self {
        let over = Arc::new(AtomicUsize::new(0));
        let thread = std::thread::spawn({
            let over = over.clone();
            move || {
                let mut set = CpuSet::new();
                set.set(cpu);
                rustix::thread::sched_setaffinity(None, &set).unwrap();
                while over.load(Ordering::Relaxed) == 0 {
                    std::hint::spin_loop();
                }
            }
        });
        Self(over, Some(thread))
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        self.0.store(1, Ordering::Relaxed);
        if let Some(thread) = self.1.take() {
            thread.join().unwrap();
        }
    }
}
