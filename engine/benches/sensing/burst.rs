//! 2,000 items that sleep and 20,000 that compute, queued at once on bound workqueues.

use crate::mixed::{self, BURN_US, COMPUTING, Contender, SLEEP};
use crate::options::Options;
use crate::{rig, table};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use wq_engine::Sensing;

const ROUNDS: usize = 11;
const GROUPS: usize = 2_000;
/// Threads that sleep on each CPU in the floor: what an engine needs, too.
const SLEEPERS: usize = 24;
/// The tick takes a hundred times as long.
const TICK_ROUNDS: usize = 3;

pub fn measure(options: &Options) {
    let groups = options.amount(GROUPS, 200);
    let contenders = contenders(options);
    let mut seen: Vec<Seen> = contenders.iter().map(|_| Seen::default()).collect();
    let ideal = ideal_ns(groups);
    let mut floor = Vec::new();
    for round in 0..options.amount(ROUNDS, 3) {
        floor.push(floor_ns(groups) / ideal);
        for (&contender, seen) in contenders.iter().zip(&mut seen) {
            if contender == Contender::Turns(Sensing::Tick)
                && round >= options.amount(TICK_ROUNDS, 1)
            {
                continue;
            }
            let outcome = mixed::run(contender, groups, false);
            seen.over_ideal.push(outcome.makespan_ns as f64 / ideal);
            seen.makespan.push(outcome.makespan_ns as f64 / 1e6);
            seen.threads.push(outcome.threads as f64);
        }
    }
    let what = format!("ideal of {groups} groups: computing / CPUs, and one sleep");
    table::fact(&what, &format!("{:>9.1} ms", ideal / 1e6));
    table::ratio_row("bare threads, nothing queued: over the ideal", &floor);
    for (contender, seen) in contenders.iter().zip(&seen) {
        let name = contender.name();
        table::row(&format!("{name}: makespan"), "ms", &seen.makespan);
        table::ratio_row("  over the ideal", &seen.over_ideal);
        table::row("  threads used", "", &seen.threads);
    }
    let own = &seen[0].makespan;
    table::ratio_row(
        "  the first again / the first, round by round",
        &table::ratios(&seen[1].makespan, own),
    );
}

/// The measured one twice, so that equals can be compared.
fn contenders(options: &Options) -> Vec<Contender> {
    let tier = Contender::Turns(options.tier());
    let mut contenders = vec![tier, tier];
    if options.tier.is_none() {
        contenders.extend([Sensing::Hints, Sensing::Tick].map(Contender::Turns));
    }
    contenders.push(Contender::Peer);
    contenders
}

/// If the CPUs did nothing but compute, and the last sleep began when they were done.
fn ideal_ns(groups: usize) -> f64 {
    let computing = (groups * COMPUTING) as f64 * rig::burn_ns(BURN_US);
    computing / rig::cpus().len() as f64 + SLEEP.as_nanos() as f64
}

/// What the same sleeps and computations take on threads that know what to do: on each CPU one computes, the others sleep.
fn floor_ns(groups: usize) -> f64 {
    let cpus = rig::cpus();
    let (sleeps, burns) = (groups / cpus.len(), groups * COMPUTING / cpus.len());
    let slept: Vec<_> = cpus.iter().map(|_| AtomicUsize::new(0)).collect();
    let begun = rig::now();
    thread::scope(|scope| {
        for (&cpu, slept) in cpus.iter().zip(&slept) {
            for _ in 0..SLEEPERS {
                scope.spawn(move || {
                    rig::pin(&[cpu]);
                    while slept.fetch_add(1, Ordering::Relaxed) < sleeps {
                        thread::sleep(SLEEP);
                    }
                });
            }
            scope.spawn(move || {
                rig::pin(&[cpu]);
                (0..burns).for_each(|_| rig::burn(BURN_US));
            });
        }
    });
    (rig::now() - begun) as f64
}

#[derive(Default)]
struct Seen {
    makespan: Vec<f64>,
    over_ideal: Vec<f64>,
    threads: Vec<f64>,
}
