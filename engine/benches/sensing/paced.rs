//! 10,000 items of 20 us a second: what sensing adds to the CPU time.

use crate::options::Options;
use crate::{rig, table};
use wq_engine::{Engine, Sensing, Work, Workqueue, WqFlags};

const PAIRS: usize = 11;
const MILLISECONDS: usize = 2_000;
const PER_MILLISECOND: usize = 10;
const BURN_US: u64 = 20;

pub fn measure(options: &Options) {
    // Items that find their CPU idle never wait behind one that runs: nobody has to look.
    case(options, "one each 100 us", 1);
    case(options, "ten each 1 ms", PER_MILLISECOND);
}

fn case(options: &Options, what: &str, at_once: usize) {
    let tiers = rig::base_and_tier(options);
    let floods = tiers.map(Paced::new);
    let milliseconds = options.amount(MILLISECONDS, 300);
    let mut costs = [const { Vec::new() }; 3];
    for pair in 0..=options.amount(PAIRS, 3) {
        for (paced, costs) in floods.iter().zip(&mut costs) {
            // The first only warms up.
            match pair {
                0 => drop(paced.run(100, at_once)),
                _ => costs.push(paced.run(milliseconds, at_once)),
            }
        }
    }
    let tier = rig::tier_name(tiers[2], &floods[2].engine);
    let column = |index: usize, which: fn(&Cost) -> f64| -> Vec<f64> {
        costs[index].iter().map(which).collect()
    };
    let ratio = |index, which| table::ratios(&column(index, which), &column(0, which));
    for (index, tier) in [(0, "hints"), (2, tier.as_str())] {
        let load = column(index, |cost| cost.process);
        table::row(&format!("{what}, {tier}: CPU time per 10,000"), "ms", &load);
    }
    rig::tell_canaries(&floods[2].engine);
    let whole: fn(&Cost) -> f64 = |cost| cost.process;
    let engine: fn(&Cost) -> f64 = |cost| cost.process - cost.producer;
    for (index, pair) in [(2, format!("{tier} / hints")), (1, "hints / hints".into())] {
        table::ratio_row(&format!("  {pair}, pair by pair"), &ratio(index, whole));
        table::ratio_row(
            &format!("  {pair}, without the producer's thread"),
            &ratio(index, engine),
        );
    }
}

/// CPU time in milliseconds for each 10,000 items: a second of them.
struct Cost {
    process: f64,
    producer: f64,
}

struct Paced {
    engine: Engine,
    wq: Workqueue,
    works: Vec<Work>,
}

impl Paced {
    fn new(tier: Sensing) -> Self {
        let engine = rig::engine(tier);
        let wq = engine
            .alloc_workqueue("paced", WqFlags::PERCPU, 0)
            .expect("a workqueue");
        let item = |_| Work::named("burn", |_| rig::burn(BURN_US));
        let works = (0..MILLISECONDS * PER_MILLISECOND).map(item).collect();
        Self { engine, wq, works }
    }

    /// The CPUs take turns, and so do the items.
    fn run(&self, milliseconds: usize, at_once: usize) -> Cost {
        let (process, producer) = (rig::process_cpu(), rig::thread_cpu());
        let mut pairs = rig::cpus().iter().cycle().zip(self.works.iter().cycle());
        let begun = rig::now();
        let period = 1_000_000 * at_once / PER_MILLISECOND;
        for turn in 0..milliseconds * PER_MILLISECOND / at_once {
            rig::sleep_until(begun + (turn * period) as u64);
            for (&cpu, work) in pairs.by_ref().take(at_once) {
                assert!(
                    self.wq.queue_work_on(cpu, work),
                    "it is queued once in a run"
                );
            }
        }
        self.wq.flush();
        let seconds = milliseconds as f64 / 1e3;
        let per_second = |ns: u64| ns as f64 / 1e6 / seconds;
        Cost {
            process: per_second(rig::process_cpu() - process),
            producer: per_second(rig::thread_cpu() - producer),
        }
    }
}
