//! The items of `burst`, a group each millisecond, beside a peer: how long those that compute take to their end.

use crate::mixed::{self, Contender};
use crate::options::Options;
use crate::table;
use wq_engine::Sensing;

const ROUNDS: usize = 7;
/// One each millisecond.
const GROUPS: usize = 2_000;

pub fn measure(options: &Options) {
    let tier = options.tier();
    let contenders = [
        Contender::Turns(tier),
        Contender::Turns(tier),
        Contender::Local(tier),
        Contender::Turns(Sensing::Hints),
        Contender::Peer,
    ];
    let mut seen = contenders.map(|_| Seen::default());
    for _ in 0..options.amount(ROUNDS, 2) {
        for (&contender, seen) in contenders.iter().zip(&mut seen) {
            let outcome = mixed::run(contender, options.amount(GROUPS, 200), true);
            let us = |share| table::percentile(&outcome.latencies, share) as f64 / 1e3;
            seen.p50.push(us(0.5));
            seen.p99.push(us(0.99));
            seen.threads.push(outcome.threads as f64);
            seen.cpu.push(outcome.process_cpu_ns as f64 / 1e6);
        }
    }
    for (index, (contender, seen)) in contenders.iter().zip(&seen).enumerate() {
        let again = if index == 1 { " again" } else { "" };
        let name = format!("{}{again}", contender.name());
        table::row(&format!("{name}: queue to end, p50"), "us", &seen.p50);
        table::row(&format!("{name}: queue to end, p99"), "us", &seen.p99);
        table::row("  threads", "", &seen.threads);
        table::row("  CPU time of the process", "ms", &seen.cpu);
    }
    let [own, again, local, hints, peer] = seen.each_ref().map(|seen| &seen.p99);
    let pairs = [
        (
            format!("{} / blocking crate", contenders[0].name()),
            own,
            peer,
        ),
        (
            format!("{} / blocking crate", contenders[2].name()),
            local,
            peer,
        ),
        (format!("{} / hints", contenders[0].name()), own, hints),
        (format!("{} again / the same", tier), again, own),
    ];
    for (what, a, b) in pairs {
        let ratios = table::ratios(a, b);
        table::ratio_row(&format!("  p99, {what}, round by round"), &ratios);
    }
}

#[derive(Default)]
struct Seen {
    p50: Vec<f64>,
    p99: Vec<f64>,
    threads: Vec<f64>,
    cpu: Vec<f64>,
}
