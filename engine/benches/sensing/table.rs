//! Rows of figures: median, smallest and largest.

use crate::options::Options;
use crate::{proc, rig};

/// Says on what machine, how busy, and by whom.
pub fn header(options: &Options) {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    let user = rustix::process::geteuid().as_raw();
    println!(
        "{} CPUs, load {load}, user {user}, {} descriptors allowed{}",
        rig::cpus().len(),
        proc::descriptors(),
        if options.quick {
            ", QUICK: few rounds, no figures to keep"
        } else {
            ""
        },
    );
    println!(
        "a burn of 20 us takes {:.1} us when nothing disturbs it",
        rig::burn_ns(20) / 1e3
    );
    println!(
        "{:<WIDTH$}{:>12}   {:>24}",
        "what", "median", "smallest .. largest"
    );
}

/// Of the first column.
const WIDTH: usize = 60;

/// One row of figures that have a unit.
pub fn row(what: &str, unit: &str, values: &[f64]) {
    let [low, median, high] = spread(values);
    println!("{what:<WIDTH$}{median:>9.1} {unit:<3}  {low:>10.1} .. {high:>10.1}");
}

/// One row of ratios.
pub fn ratio_row(what: &str, values: &[f64]) {
    let [low, median, high] = spread(values);
    println!("{what:<WIDTH$}{median:>9.3} x    {low:>10.3} .. {high:>10.3}");
}

/// A row that is one fact.
pub fn fact(what: &str, fact: &str) {
    println!("{what:<WIDTH$}{fact}");
}

/// Smallest, median, largest.
fn spread(values: &[f64]) -> [f64; 3] {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match values.last() {
        Some(&high) => [values[0], values[values.len() / 2], high],
        None => [f64::NAN; 3],
    }
}

/// Pair by pair.
pub fn ratios(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a / b).collect()
}

/// The exact value that this share of them (0.99) does not exceed.
pub fn percentile(sorted: &[u64], share: f64) -> u64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    let index = rank.clamp(1, sorted.len().max(1)) - 1;
    sorted.get(index).copied().unwrap_or(0)
}
