//! Items that never block: every worker that is woken because another one seemed to is a false start.

use crate::options::Options;
use crate::{rig, table};
use std::thread;
use std::time::Instant;
use wq_engine::{Engine, Sensing, Work, Workqueue, WqFlags};
use wq_trace::Counter;

const PAIRS: usize = 11;
/// Queued at once; each again in every batch.
const ITEMS: usize = 100_000;
/// With [`PAIRS`] and [`ITEMS`] 11 million items of each kind and tier.
const BATCHES: usize = 10;

pub fn measure(options: &Options) {
    case(options, "empty", 0);
    case(options, "2 us", 2);
}

/// Two producers, each on a CPU of its own and for that, with tracing off.
fn case(options: &Options, what: &str, burn_us: u64) {
    let tiers = rig::base_and_tier(options);
    let floods = tiers.map(|tier| Flood::new(tier, burn_us));
    let batches = options.amount(BATCHES, 1);
    let mut costs = [const { Vec::new() }; 3];
    for pair in 0..=options.amount(PAIRS, 3) {
        for (flood, costs) in floods.iter().zip(&mut costs) {
            let cost = flood.run(batches);
            // The first only warms up.
            if pair > 0 {
                costs.push(cost);
            }
        }
    }
    let tier = rig::tier_name(tiers[2], &floods[2].engine);
    let wall = costs
        .each_ref()
        .map(|costs| costs.iter().map(|cost| cost.wall).collect::<Vec<_>>());
    let cpu = costs
        .each_ref()
        .map(|costs| costs.iter().map(|cost| cost.cpu).collect::<Vec<_>>());
    table::row(&format!("{what} items, hints, per item"), "ns", &wall[0]);
    table::row(&format!("{what} items, {tier}, per item"), "ns", &wall[2]);
    let throughput = |a: usize, b: usize| table::ratios(&wall[b], &wall[a]);
    table::ratio_row(
        &format!("  throughput, {tier} / hints, pair by pair"),
        &throughput(2, 0),
    );
    table::ratio_row(
        "  throughput, hints / hints, pair by pair",
        &throughput(1, 0),
    );
    table::ratio_row(
        &format!("  CPU time, {tier} / hints, pair by pair"),
        &table::ratios(&cpu[2], &cpu[0]),
    );
    table::ratio_row(
        "  CPU time, hints / hints, pair by pair",
        &table::ratios(&cpu[1], &cpu[0]),
    );
    for flood in &floods {
        flood.tell();
    }
}

/// Nanoseconds for each item.
struct Cost {
    wall: f64,
    /// Of all threads of the process.
    cpu: f64,
}

struct Flood {
    tier: Sensing,
    engine: Engine,
    wq: Workqueue,
    works: Vec<Work>,
}

impl Flood {
    fn new(tier: Sensing, burn_us: u64) -> Self {
        let engine = rig::build(rig::builder(tier).tracing(false));
        let wq = engine
            .alloc_workqueue("pure", WqFlags::PERCPU, 0)
            .expect("a workqueue");
        let item = |_| match burn_us {
            0 => Work::named("empty", |_| {}),
            us => Work::named("burn", move |_| rig::burn(us)),
        };
        let works = (0..ITEMS).map(item).collect();
        Self {
            tier,
            engine,
            wq,
            works,
        }
    }

    fn run(&self, batches: usize) -> Cost {
        let (begun, cpu) = (Instant::now(), rig::process_cpu());
        for _ in 0..batches {
            self.batch();
        }
        let items = (batches * ITEMS) as f64;
        Cost {
            wall: begun.elapsed().as_nanos() as f64 / items,
            cpu: (rig::process_cpu() - cpu) as f64 / items,
        }
    }

    fn batch(&self) {
        let (first, last) = rig::two_cpus();
        thread::scope(|scope| {
            let shares = self.works.chunks(ITEMS / 2);
            for (cpu, works) in [first, last].into_iter().zip(shares) {
                scope.spawn(move || {
                    rig::pin(&[cpu]);
                    for work in works {
                        assert!(self.wq.queue_work(work));
                    }
                });
            }
        });
        self.wq.flush();
    }

    /// What was woken by mistake.
    fn tell(&self) {
        let count = |which| rig::counter(&self.engine, &self.wq, which);
        let (done, wakes) = (count(Counter::Completed), count(Counter::CmWakeup));
        let hogs = count(Counter::CpuIntensive);
        let tier = rig::tier_name(self.tier, &self.engine);
        let share = match wakes {
            0 => "none".to_owned(),
            _ => format!("1 in {:.0}", done as f64 / wakes as f64),
        };
        let what = format!("  {tier}: false starts among {done} items, warm-up and all:");
        table::fact(
            &what,
            &format!(
                "{wakes} ({share}); taken for hogs {hogs}; workers {}",
                rig::most_workers(&self.engine)
            ),
        );
        rig::tell_canaries(&self.engine);
    }
}
