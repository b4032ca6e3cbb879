//! 1,024 workers of one pool blocked at once: what the sensing threads use of a CPU then.

use crate::options::Options;
use crate::{proc, rig, table};
use std::io::{PipeWriter, Read, pipe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use wq_engine::{Engine, Sensing, Work, Workqueue, WqFlags, blocking};

const WORKERS: usize = 1_024;
/// By the tick's notice alone it takes 10 ms for each.
const LONG: Duration = Duration::from_secs(120);
/// Threads that look at workers begin their names so.
const LOOKING: [&str; 2] = ["wq-tick", "wq-canary"];

pub fn measure(options: &Options) {
    let (cpu, _) = rig::two_cpus();
    let seconds = options.amount(3, 1) as u64;
    let workers = options.amount(WORKERS, 128);
    let builder = rig::builder(options.tier());

    let crowd = Crowd::gather(rig::build(builder.clone()), options, cpu, workers);
    crowd.cost("nothing pending", seconds);
    let chain = Chain::start(&crowd.wq, cpu);
    crowd.cost("items of 1 ms one behind the other", seconds);
    chain.stop();
    crowd.leave();

    // With a threshold the long item would be taken for a hog after 10 ms, and the one behind it would start.
    let engine = rig::build(builder.cpu_intensive_thresh(Duration::ZERO));
    let crowd = Crowd::gather(engine, options, cpu, workers);
    let long = Long::start(&crowd.wq, cpu);
    crowd.cost("one item runs, one waits behind it", seconds);
    long.stop();
    crowd.leave();
}

/// An engine with many blocked workers.
struct Crowd {
    tier: String,
    engine: Engine,
    wq: Workqueue,
    gate: PipeWriter,
}

impl Crowd {
    fn gather(engine: Engine, options: &Options, cpu: usize, workers: usize) -> Self {
        let tier = rig::tier_name(options.tier(), &engine);
        let wq = engine
            .alloc_workqueue("crowd", WqFlags::PERCPU, 2 * WORKERS)
            .expect("a workqueue");
        let announced = engine.sensing() == Sensing::Hints;
        let (closed, gate) = pipe().expect("a pipe");
        let (closed, begun) = (Arc::new(closed), Arc::new(AtomicUsize::new(0)));
        let since = Instant::now();
        for _ in 0..workers {
            let (closed, begun) = (closed.clone(), begun.clone());
            let waits = Work::named("waits", move |_| {
                begun.fetch_add(1, Ordering::Relaxed);
                let read = || (&*closed).read(&mut [0]);
                let read = if announced { blocking(read) } else { read() };
                assert_eq!(read.expect("a pipe is readable"), 0, "it is closed");
            });
            assert!(wq.queue_work_on(cpu, &waits));
        }
        while begun.load(Ordering::Relaxed) < workers && since.elapsed() < LONG {
            thread::sleep(Duration::from_millis(1));
        }
        let what = format!("{tier}: time until {workers} workers were blocked");
        let there = begun.load(Ordering::Relaxed);
        let milliseconds = since.elapsed().as_millis();
        table::fact(
            &what,
            &format!("{milliseconds:>9} ms   ({there} were there then)"),
        );
        thread::sleep(Duration::from_secs(1));
        Self {
            tier,
            engine,
            wq,
            gate,
        }
    }

    /// What the looking threads use.
    fn cost(&self, what: &str, seconds: u64) {
        thread::sleep(Duration::from_millis(200));
        let tasks = proc::other_tasks().into_iter();
        let looking = tasks.filter(|task| LOOKING.iter().any(|name| task.name.starts_with(name)));
        let before: Vec<_> = looking.map(|task| (proc::run_ns(task.tid), task)).collect();
        let begun = Instant::now();
        thread::sleep(Duration::from_secs(seconds));
        let passed = begun.elapsed().as_nanos() as f64;
        let share = |(before, task): &(Option<u64>, proc::Task)| {
            let used = proc::run_ns(task.tid)? - (*before)?;
            Some((task.name.clone(), 100.0 * used as f64 / passed))
        };
        let shares: Vec<_> = before.iter().filter_map(share).collect();
        let total: f64 = shares.iter().map(|share| share.1).sum();
        let each: Vec<_> = shares
            .iter()
            .map(|(name, share)| format!("{name} {share:.2}"))
            .collect();
        let what = format!("{}: {what}", self.tier);
        let rest = if each.is_empty() {
            "no such thread".to_owned()
        } else {
            each.join(", ")
        };
        let workers = rig::most_workers(&self.engine);
        table::fact(
            &what,
            &format!("{total:>9.2} % of a CPU   ({rest}; {workers} workers)"),
        );
    }

    fn leave(self) {
        rig::tell_canaries(&self.engine);
        drop(self.gate);
        self.wq.flush();
    }
}

/// Two items that queue themselves until they are stopped: while one runs, the other waits.
struct Chain {
    over: Arc<AtomicBool>,
    works: Vec<Work>,
}

impl Chain {
    fn start(wq: &Workqueue, cpu: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let item = |_| {
            let (over, again) = (over.clone(), wq.clone());
            Work::named("chain", move |work| {
                rig::burn(1_000);
                if !over.load(Ordering::Relaxed) {
                    again.queue_work_on(cpu, work);
                }
            })
        };
        let works: Vec<Work> = (0..2).map(item).collect();
        for work in &works {
            assert!(wq.queue_work_on(cpu, work));
        }
        Self { over, works }
    }

    fn stop(self) {
        self.over.store(true, Ordering::Relaxed);
        for work in &self.works {
            work.cancel_sync();
        }
    }
}

/// One item that runs, and one that waits behind it.
struct Long {
    over: Arc<AtomicBool>,
    waits: Work,
    runs: Work,
}

impl Long {
    fn start(wq: &Workqueue, cpu: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let told = over.clone();
        let runs = Work::named("runs", move |_| {
            while !told.load(Ordering::Relaxed) {
                rig::burn(100);
            }
        });
        let waits = Work::named("behind", |_| {});
        assert!(wq.queue_work_on(cpu, &runs));
        assert!(wq.queue_work_on(cpu, &waits));
        Self { over, waits, runs }
    }

    fn stop(self) {
        let still = if self.waits.pending() {
            "waits still"
        } else {
            "HAS RUN"
        };
        table::fact("  the item behind, at the end", &format!("    {still}"));
        self.over.store(true, Ordering::Relaxed);
        self.runs.flush();
        self.waits.flush();
    }
}
