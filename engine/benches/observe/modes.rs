//! The modes that take turns, and their table.

use crate::tools::Watcher;

/// How an engine is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    pub name: &'static str,
    pub tracing: bool,
    pub watcher: Option<Watcher>,
}

const fn mode(name: &'static str, tracing: bool, watcher: Option<Watcher>) -> Mode {
    Mode {
        name,
        tracing,
        watcher,
    }
}

/// In the order of their turns. The first two are equals.
pub const MODES: [Mode; 5] = [
    mode("off", false, None),
    mode("off again", false, None),
    mode("on", true, None),
    mode("on, followed", true, Some(Watcher::Follower)),
    mode("on, monitored", true, Some(Watcher::Monitor)),
];

/// Runs all modes in turn, after one run each to warm up if there is time, and prints what each came to. `run` gives the
/// figure of one run, or `None` if the watcher is not there.
pub fn compare(unit: &str, rounds: usize, mut run: impl FnMut(Mode) -> Option<f64>) -> Vec<f64> {
    let mut values = MODES.map(|_| Vec::new());
    for _ in 0..rounds {
        for (mode, values) in MODES.into_iter().zip(&mut values) {
            values.extend(run(mode));
        }
    }
    let [off, again, ..] = &values;
    for (mode, values) in MODES.iter().zip(&values).filter(|(_, v)| !v.is_empty()) {
        row(mode.name, unit, values);
    }
    row("off again / off, round by round", "x", &ratios(again, off));
    let others = MODES.iter().zip(&values).skip(2);
    for (mode, values) in others.filter(|(_, values)| !values.is_empty()) {
        let what = format!("{} / off, round by round", mode.name);
        row(&what, "x", &ratios(values, off));
    }
    values.iter().map(|values| spread(values)[1]).collect()
}

fn ratios(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a / b).collect()
}

/// Median, smallest and largest.
pub fn row(what: &str, unit: &str, values: &[f64]) {
    let [low, median, high] = spread(values);
    println!("  {what:<44}{median:>10.3} {unit:<3}  {low:>10.3} .. {high:>10.3}");
}

fn spread(values: &[f64]) -> [f64; 3] {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match values.last() {
        Some(&high) => [values[0], values[values.len() / 2], high],
        None => [f64::NAN; 3],
    }
}
