//! The timelines of the kernel's documentation with real sleeps on one CPU, beside what the simulator says of them.

use crate::options::Options;
use crate::{rig, table};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use wq_engine::sim::{
    Draw, Pace, ProducerAction, ProducerSpec, Program, Step, WorkSpec, WorkqueueSpec, WqRef,
    simulate,
};
use wq_engine::{Engine, Sensing, Work, Workqueue, WqFlags};

const TIMES: usize = 20;
const BOUND: WqFlags = WqFlags::PERCPU;
const INTENSIVE: WqFlags = BOUND.union(WqFlags::CPU_INTENSIVE);

/// A name, and flags and `max_active` of the workqueues: the first item goes to the first, the others to the last.
type Timeline = (&'static str, &'static [(WqFlags, usize)]);

const TIMELINES: [Timeline; 4] = [
    ("one at a time", &[(BOUND, 1)]),
    ("cmwq", &[(BOUND, 0)]),
    ("max_active 2", &[(BOUND, 2)]),
    ("cpu_intensive", &[(BOUND, 0), (INTENSIVE, 0)]),
];

/// What an item does: computing and sleeping in turn, in milliseconds.
const BODIES: [&[u64]; 3] = [&[5, 10, 5], &[5, 10], &[5, 10]];

pub fn measure(options: &Options) {
    let tiers = match options.tier {
        Some(tier) => vec![tier],
        None => vec![Sensing::Auto, Sensing::Tick],
    };
    let times = options.amount(TIMES, 3);
    for timeline in &TIMELINES {
        let simulated = simulated(timeline);
        let milliseconds = simulated.map(|ns| ns / 1_000_000);
        table::fact(
            &format!("{}: finishes in the simulator", timeline.0),
            &format!("    {milliseconds:?} ms"),
        );
        let mut runs: Vec<_> = tiers
            .iter()
            .map(|&tier| (Real::new(tier, timeline), Vec::new()))
            .collect();
        for _ in 0..times {
            for (real, finishes) in &mut runs {
                finishes.push(real.run());
            }
        }
        for (real, finishes) in &runs {
            tell(real, &simulated, finishes);
        }
    }
}

fn tell(real: &Real, simulated: &[u64; 3], finishes: &[[u64; 3]]) {
    let right = finishes
        .iter()
        .filter(|finishes| in_order(finishes, simulated))
        .count();
    let tier = rig::tier_name(real.tier, &real.engine);
    table::fact(
        &format!("  {tier}: order right"),
        &format!("{right:>9} of {}", finishes.len()),
    );
    for item in 0..3 {
        let late: Vec<f64> = finishes
            .iter()
            .map(|finishes| (finishes[item] as f64 - simulated[item] as f64) / 1e6)
            .collect();
        table::row(
            &format!("  {tier}: w{item} later than simulated by"),
            "ms",
            &late,
        );
    }
}

/// Who finishes later in the simulator finishes later; equals in any order.
fn in_order(finishes: &[u64; 3], simulated: &[u64; 3]) -> bool {
    let right = |a: usize, b: usize| simulated[a] >= simulated[b] || finishes[a] < finishes[b];
    (0..3).all(|a| (0..3).all(|b| right(a, b)))
}

/// Finishes in nanoseconds from the queueing.
fn simulated(timeline: &Timeline) -> [u64; 3] {
    let outcome = simulate(&program(timeline), &AtomicBool::new(false), &mut |_| {})
        .expect("a program that can be simulated");
    [0, 1, 2].map(|item| {
        let execution = &outcome.items[item].executions[0];
        execution.finished_ns.expect("it has finished")
    })
}

fn program((name, workqueues): &Timeline) -> Program {
    let fixed = |ms| Draw::Fixed(Duration::from_millis(ms));
    let last = workqueues.len() - 1;
    let workqueue = |(index, &(flags, max_active))| WorkqueueSpec {
        name: format!("q{index}"),
        flags,
        max_active,
        affinity: None,
    };
    let step = |(place, &ms): (usize, &u64)| match place % 2 {
        0 => Step::Burn(fixed(ms)),
        _ => Step::Sleep(fixed(ms)),
    };
    let work = |(index, body): (usize, &&[u64])| WorkSpec {
        name: format!("w{index}"),
        workqueue: WqRef::Own(if index == 0 { 0 } else { last }),
        body: body.iter().enumerate().map(step).collect(),
        instances: 1,
    };
    Program {
        name: (*name).into(),
        cpus: 1,
        workqueues: workqueues.iter().enumerate().map(workqueue).collect(),
        works: BODIES.iter().enumerate().map(work).collect(),
        producers: vec![ProducerSpec {
            name: "p0".into(),
            action: ProducerAction::Works(vec![0, 1, 2]),
            cpu: None,
            on_cpu: false,
            at: fixed(0),
            pace: Pace::BackToBack,
            count: Some(3),
            duration: None,
        }],
        ..Program::default()
    }
}

/// An engine with the same items.
struct Real {
    tier: Sensing,
    cpu: usize,
    engine: Engine,
    works: Vec<(Workqueue, Work)>,
    finished: Arc<[AtomicU64; 3]>,
}

impl Real {
    fn new(tier: Sensing, (_, workqueues): &Timeline) -> Self {
        let (cpu, _) = rig::two_cpus();
        let engine = rig::build(rig::builder(tier).cpus([cpu]));
        let allocated: Vec<_> = workqueues
            .iter()
            .map(|&(flags, max_active)| {
                engine
                    .alloc_workqueue("timeline", flags, max_active)
                    .expect("a workqueue")
            })
            .collect();
        let finished = Arc::new([const { AtomicU64::new(0) }; 3]);
        let announced = engine.sensing() == Sensing::Hints;
        let item = |index: usize| {
            let finished = finished.clone();
            Work::named(&format!("w{index}"), move |_| {
                execute(BODIES[index], announced);
                finished[index].store(rig::now(), Ordering::Release);
            })
        };
        let last = allocated.len() - 1;
        let on = |index: usize| allocated[if index == 0 { 0 } else { last }].clone();
        Self {
            tier,
            cpu,
            works: (0..3).map(|index| (on(index), item(index))).collect(),
            engine,
            finished,
        }
    }

    /// All three queued at once from another CPU; finishes in nanoseconds from then.
    fn run(&self) -> [u64; 3] {
        let (_, other) = rig::two_cpus();
        let begun = rig::pinned(other, || {
            let begun = rig::now();
            for (wq, work) in &self.works {
                assert!(wq.queue_work_on(self.cpu, work));
            }
            for (_, work) in &self.works {
                work.flush();
            }
            begun
        });
        // So that no run finds anything of the last one.
        thread::sleep(Duration::from_millis(20));
        [0, 1, 2].map(|item| self.finished[item].load(Ordering::Acquire) - begun)
    }
}

fn execute(body: &[u64], announced: bool) {
    for (place, &ms) in body.iter().enumerate() {
        let sleep = || thread::sleep(Duration::from_millis(ms));
        match (place % 2, announced) {
            (0, _) => rig::burn_cpu_time(ms * 1_000_000),
            (_, false) => sleep(),
            (_, true) => wq_engine::blocking(sleep),
        }
    }
}
