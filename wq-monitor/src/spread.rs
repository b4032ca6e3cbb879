//! How the Latency view is looked at: whose latency, and which. Pure.

use crate::app::{App, Step};
use crate::details::Subject;
use wq_trace::heat::Which;
use wq_trace::{Counter, WqId};

/// What the parts of the view say: key, name, meaning.
pub const COLUMNS: [(&str, &str, &str); 4] = [
    (
        "until",
        "until",
        "Latencies below this, and not in the row below; each row reaches twice as far.",
    ),
    (
        "share",
        "share",
        "How many of all items since the start were in it, as a bar and in percent; p50, p90 and p99 stand where half, 9 of 10 and 99 of 100 items are reached.",
    ),
    (
        "rounds",
        "rounds",
        "A column for each round, newest on the right: the darker, the more of its items were in that row.",
    ),
    (
        "slowest",
        "slowest",
        "The round with the slowest items, and what most of the waiting in it was for.",
    ),
];

/// How it is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// Waits or runs.
    pub which: Which,
    /// Whose; `None` of all.
    pub wq: Option<WqId>,
}

impl Spread {
    /// Waits instead of runs, or the reverse.
    pub fn turn(&mut self) {
        self.which = match self.which {
            Which::Wait => Which::Run,
            Which::Run => Which::Wait,
        };
    }
}

impl App {
    /// Whether the Latency view is shown, and nothing lies over it.
    pub(crate) fn is_spread(&self) -> bool {
        self.ui.view == crate::act::View::Latency && self.ui.details.is_none()
    }

    /// Whose latency can be looked at: of all, and of the workqueues that executed anything.
    pub fn spreads(&self) -> Vec<Option<WqId>> {
        let used = |wq: &&wq_trace::model::Workqueue| wq.counters[Counter::Started as usize] > 0;
        let all = self.filter().workqueues(self.model());
        let own = all.into_iter().filter(used).map(|wq| Some(wq.id));
        std::iter::once(None).chain(own).collect()
    }

    /// The place of the chosen one among them.
    pub fn chosen_spread(&self, all: &[Option<WqId>]) -> usize {
        let place = all.iter().position(|wq| *wq == self.ui.spread.wq);
        place.unwrap_or_default()
    }

    /// Moves the choice.
    pub(crate) fn go_in_spread(&mut self, step: Step, page: usize) {
        let all = self.spreads();
        let place = step.from(self.chosen_spread(&all), page, all.len());
        self.select_spread(place);
    }

    /// Chooses the one at this place.
    pub(crate) fn select_spread(&mut self, place: usize) {
        self.ui.spread.wq = self.spreads().get(place).copied().flatten();
    }

    /// The workqueue that is looked at.
    pub(crate) fn chosen_in_spread(&self) -> Option<Subject> {
        self.ui.spread.wq.map(Subject::Workqueue)
    }
}
