//! A lane cut into equal stretches, for a picture, and summed up, for a sentence.

use super::{Doing, Item, Lane, Lanes, Span};
use crate::ids::FuncId;
use std::collections::BTreeMap;

/// What a stretch of a lane is made of: shares of its time, which sum up to 1 with idling; of a CPU's lane to more where
/// several ran by turns.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cell {
    /// Executing, not known to sleep.
    pub runs: f64,
    /// Asleep in an execution.
    pub sleeps: f64,
    /// Woken, not begun.
    pub woken: f64,
    /// Creating workers.
    pub creates: f64,
    /// Nobody knows.
    pub unknown: f64,
    /// Executions that have a part of it.
    pub executions: u32,
    /// The one that has the largest part, and how large that is.
    pub item: Option<(Item, f64)>,
}

/// What a lane was at in a window, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Executing, not known to sleep.
    pub runs: u64,
    /// Asleep in an execution.
    pub sleeps: u64,
    /// Woken, not begun.
    pub woken: u64,
    /// Creating workers.
    pub creates: u64,
    /// Nobody knows.
    pub unknown: u64,
    /// Executions that have a part of it.
    pub executions: u64,
    /// The longest of them, as far as it lies in the window.
    pub longest: u64,
    /// The function that was executed for the longest time.
    pub function: Option<FuncId>,
}

impl Span {
    /// Nanoseconds of it in `from..to`.
    fn within(&self, from: u64, to: u64) -> u64 {
        self.to.min(to).saturating_sub(self.from.max(from))
    }
}

impl Lane {
    /// The spans that have a part of `from..to`.
    fn between(&self, from: u64, to: u64) -> impl Iterator<Item = &Span> {
        let inside = move |span: &&Span| span.within(from, to) > 0;
        self.spans.iter().filter(inside)
    }

    /// `n` equal stretches of `from..to`.
    pub fn cells(&self, from: u64, to: u64, n: usize) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); n];
        let whole = to.saturating_sub(from);
        if whole == 0 || n == 0 {
            return cells;
        }
        let border = |cell: usize| from + (u128::from(whole) * cell as u128 / n as u128) as u64;
        let place = |at: u64| {
            let into = u128::from(at.saturating_sub(from)) * n as u128 / u128::from(whole);
            let mut cell = (into as usize).min(n - 1);
            // Borders are rounded down, so it may lie behind the next one.
            while cell + 1 < n && border(cell + 1) <= at {
                cell += 1;
            }
            cell
        };
        let mut last: Option<(usize, Item)> = None;
        for span in self.between(from, to) {
            let (first, end) = (place(span.from), place(span.to.min(to) - 1));
            for (index, cell) in cells.iter_mut().enumerate().take(end + 1).skip(first) {
                let (begins, ends) = (border(index), border(index + 1));
                let part = span.within(begins, ends);
                if part == 0 {
                    continue;
                }
                let share = part as f64 / (ends - begins) as f64;
                let counted = span
                    .doing
                    .item()
                    .filter(|item| last != Some((index, *item)));
                cell.add(span.doing, share, counted.is_some());
                if let Some(item) = span.doing.item() {
                    last = Some((index, item));
                }
            }
        }
        cells
    }

    /// All of `from..to`.
    pub fn sums(&self, from: u64, to: u64) -> Sums {
        let mut sums = Sums::default();
        let mut functions: BTreeMap<FuncId, u64> = BTreeMap::new();
        let mut last: Option<(Item, u64)> = None;
        for span in self.between(from, to) {
            let ns = span.within(from, to);
            match span.doing {
                Doing::Runs(_) => sums.runs += ns,
                Doing::Sleeps(_) => sums.sleeps += ns,
                Doing::Woken => sums.woken += ns,
                Doing::Creates => sums.creates += ns,
                Doing::Unknown => sums.unknown += ns,
            }
            let Some(item) = span.doing.item() else {
                continue;
            };
            *functions.entry(item.func).or_default() += ns;
            let so_far = match last {
                Some((before, ns)) if before == item => ns,
                _ => {
                    sums.executions += 1;
                    0
                }
            };
            sums.longest = sums.longest.max(so_far + ns);
            last = Some((item, so_far + ns));
        }
        let most = functions.into_iter().max_by_key(|(_, ns)| *ns);
        sums.function = most.map(|(function, _)| function);
        sums
    }
}

impl Cell {
    fn add(&mut self, doing: Doing, share: f64, counted: bool) {
        *match doing {
            Doing::Runs(_) => &mut self.runs,
            Doing::Sleeps(_) => &mut self.sleeps,
            Doing::Woken => &mut self.woken,
            Doing::Creates => &mut self.creates,
            Doing::Unknown => &mut self.unknown,
        } += share;
        self.executions += u32::from(counted);
        let Some(item) = doing.item() else {
            return;
        };
        let so_far = match self.item {
            Some((is, share)) if is == item => share,
            _ => 0.0,
        };
        if self.item.is_none_or(|(_, most)| so_far + share > most) {
            self.item = Some((item, so_far + share));
        }
    }

    /// The share of it in which something was executed or created.
    pub fn busy(&self) -> f64 {
        self.runs + self.sleeps + self.creates
    }
}

impl Lanes {
    /// What ran on a CPU: the executions of all workers that began, or went on, there, without their sleeps. Where several
    /// did so at once, they shared it by turns.
    pub fn cpu(&self, cpu: u16) -> Lane {
        let all = self.workers.iter().flat_map(|lane| &lane.spans);
        let runs = |span: &&Span| span.cpu == cpu && matches!(span.doing, Doing::Runs(_));
        let mut spans: Vec<_> = all.filter(runs).copied().collect();
        spans.sort_by_key(|span| span.from);
        Lane {
            spans,
            ..Lane::default()
        }
    }

    /// The CPUs that something ran on.
    pub fn cpus(&self) -> Vec<u16> {
        let all = self.workers.iter().flat_map(|lane| &lane.spans);
        let runs = all.filter(|span| matches!(span.doing, Doing::Runs(_)));
        let mut cpus: Vec<_> = runs.map(|span| span.cpu).collect();
        cpus.sort_unstable();
        cpus.dedup();
        cpus
    }
}
