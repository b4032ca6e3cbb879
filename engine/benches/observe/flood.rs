//! A flood of empty items in this process.

use crate::modes::{MODES, Mode, compare};
use rustix::time::{ClockId, clock_gettime};
use wq_engine::{Engine, Work, WqFlags};

const ITEMS: usize = 100_000;
/// ... to see that it works, also in a build that checks itself after each step.
const QUICK_ITEMS: usize = 2_000;
/// `queue_work`, `activate_work`, `execute_start`, `execute_end`.
const EVENTS: f64 = 4.0;
const BYTES: u64 = 64;

pub fn measure(quick: bool) {
    let (rounds, items) = if quick { (3, QUICK_ITEMS) } else { (21, ITEMS) };
    let rigs = MODES.map(|mode| (mode, Rig::new(mode, items)));
    let medians = compare("ns", rounds, |mode| {
        let (_, rig) = rigs.iter().find(|(other, _)| *other == mode)?;
        rig.run(mode)
    });
    let [off, on] = [medians[0], medians[2]];
    println!(
        "  an event costs {:.1} ns of CPU time with all that comes with it (median on - off, {EVENTS} events an item), \
         {BYTES} bytes",
        (on - off) / EVENTS
    );
}

/// An engine and the items to flood it with.
struct Rig {
    engine: Engine,
    works: Vec<Work>,
}

impl Rig {
    fn new(mode: Mode, items: usize) -> Self {
        let engine = Engine::builder()
            .name("bench-observe")
            .tracing(mode.tracing);
        let rig = Self {
            engine: engine.build().expect("an engine starts"),
            works: (0..items).map(|_| Work::named("empty", |_| {})).collect(),
        };
        rig.flood();
        rig
    }

    fn flood(&self) -> f64 {
        let wq = self.engine.alloc_workqueue("flood", WqFlags::PERCPU, 0);
        let wq = wq.expect("a workqueue");
        let begun = cpu_ns();
        for work in &self.works {
            assert!(wq.queue_work(work), "it is queued once");
        }
        wq.flush();
        (cpu_ns() - begun) / self.works.len() as f64
    }

    /// CPU time of this process for each item.
    fn run(&self, mode: Mode) -> Option<f64> {
        let segment = self.engine.segment_path();
        let _watching = match mode.watcher {
            Some(watcher) => Some(watcher.start(segment?)?),
            None => None,
        };
        Some(self.flood())
    }
}

fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
