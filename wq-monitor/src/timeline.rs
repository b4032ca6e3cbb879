//! How the Timeline is looked at: how much time, from when, whose lanes; and its rows. Pure.

use crate::app::{App, Step};
use crate::details::Subject;
use std::cell::RefCell;
use std::rc::Rc;
use wq_trace::lanes::{Lane, Lanes};
use wq_trace::{PoolId, WorkerId};

/// What the picture can be wide, in nanoseconds.
const WIDTHS: [u64; 16] = [
    MS,
    2 * MS,
    5 * MS,
    10 * MS,
    20 * MS,
    50 * MS,
    100 * MS,
    200 * MS,
    500 * MS,
    S,
    2 * S,
    5 * S,
    10 * S,
    20 * S,
    30 * S,
    60 * S,
];
const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;

/// What a shape in a lane says: key, shape, meaning.
pub const SHAPES: [(&str, &str, &str); 6] = [
    (
        "runs",
        "█",
        "Executes an item; lower: for a part of that time, several short ones too.",
    ),
    (
        "sleeps",
        "╌",
        "Executes an item, and was noticed to sleep in it.",
    ),
    (
        "woken",
        "›",
        "Was woken for an item, and has not begun yet.",
    ),
    ("creates", "+", "Creates workers for its pool."),
    ("unknown", "~", "Nobody knows: events are missing."),
    (
        "waits",
        "▂",
        "Items that wait for a worker of the pool, doubled each step; · none, ~ not known.",
    ),
];

/// How it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// Which of the widths.
    width: usize,
    /// How long before the moment shown the picture ends, in nanoseconds.
    back: u64,
    /// Lanes of CPUs instead of workers.
    pub by_cpu: bool,
    /// The row that is chosen, and where it stood.
    chosen: Option<Row>,
    place: usize,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            width: WIDTHS
                .iter()
                .position(|width| *width == S)
                .unwrap_or_default(),
            back: 0,
            by_cpu: false,
            chosen: None,
            place: 0,
        }
    }
}

/// The lanes of the moment that they were last asked for, so that a key does not fold all events anew.
#[derive(Debug, Default)]
pub struct Folded(RefCell<Option<Rc<Lanes>>>);

impl Folded {
    /// Those of this moment.
    fn at(&self, moment: u64, fold: impl FnOnce() -> Lanes) -> Rc<Lanes> {
        let mut kept = self.0.borrow_mut();
        let known = kept.take().filter(|lanes| lanes.window.1 == moment);
        let lanes = known.unwrap_or_else(|| Rc::new(fold()));
        *kept = Some(lanes.clone());
        lanes
    }

    /// Forgets them: they are another engine's, or nobody looks.
    pub fn forget(&mut self) {
        self.0 = RefCell::default();
    }
}

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// A pool's worklist; its workers stand below.
    Pool(PoolId),
    /// What a worker did.
    Worker(WorkerId),
    /// What ran on a CPU.
    Cpu(u16),
}

/// What is drawn.
#[derive(Debug)]
pub struct Picture {
    /// The lanes.
    pub lanes: Rc<Lanes>,
    /// The rows from the top.
    pub rows: Vec<Row>,
    /// The place of the chosen one; the first that is no pool until one is.
    pub chosen: usize,
    /// The stamps of its left and right edge.
    pub window: (u64, u64),
    /// The moment that stamps are told from.
    pub now: u64,
}

impl Picture {
    /// A row's lane; of a pool there is none.
    pub fn lane(&self, row: Row) -> Option<Lane> {
        match row {
            Row::Pool(_) => None,
            Row::Worker(id) => self.lanes.worker(id).cloned(),
            Row::Cpu(cpu) => Some(self.lanes.cpu(cpu)),
        }
    }
}

impl Timeline {
    /// Nanoseconds across.
    pub fn across(&self) -> u64 {
        WIDTHS[self.width]
    }

    /// Shows less time, or more.
    pub fn zoom(&mut self, closer: bool) {
        self.width = if closer {
            self.width.saturating_sub(1)
        } else {
            (self.width + 1).min(WIDTHS.len() - 1)
        };
    }

    /// Goes back in time by a quarter of the picture, or on; no further than to `oldest` nanoseconds before the moment.
    pub fn scroll(&mut self, back: bool, oldest: u64) {
        let quarter = self.across() / 4;
        self.back = if back {
            (self.back + quarter).min(oldest.saturating_sub(self.across() / 2))
        } else {
            self.back.saturating_sub(quarter)
        };
    }

    /// Goes back to the moment shown. Whether it was elsewhere.
    pub fn to_end(&mut self) -> bool {
        std::mem::take(&mut self.back) > 0
    }

    /// Lanes of workers or of CPUs.
    pub fn turn(&mut self) {
        self.by_cpu = !self.by_cpu;
        (self.chosen, self.place) = (None, 0);
    }
}

impl App {
    /// The Timeline at the moment shown; `None` before anything was read.
    pub fn picture(&self) -> Option<Picture> {
        let now = self.model().snapshot()?;
        let lanes = self.folded.at(now.at, || Lanes::of(self.past(), now));
        let look = &self.ui.timeline;
        let back = look.back.min(now.at.saturating_sub(lanes.window.0));
        let to = now.at - back;
        let window = (to.saturating_sub(look.across()), to);
        let rows = if look.by_cpu {
            cpus(&lanes, &now.meta.cpus)
        } else {
            self.workers(&lanes, window)
        };
        let here = |row: Row| rows.iter().position(|is| *is == row);
        let first = rows.iter().position(|row| !matches!(row, Row::Pool(_)));
        let last = rows.len().saturating_sub(1);
        let chosen = match look.chosen {
            Some(row) => here(row).unwrap_or(look.place.min(last)),
            None => first.unwrap_or_default(),
        };
        Some(Picture {
            lanes,
            rows,
            chosen,
            window,
            now: now.at,
        })
    }

    /// The pools that have anything to show, each with its workers that did something, or are at it.
    fn workers(&self, lanes: &Lanes, window: (u64, u64)) -> Vec<Row> {
        let mut rows = Vec::new();
        let model = self.model();
        let busy = |lane: &&Lane| {
            let inside = |at: u64| (window.0..window.1).contains(&at);
            let spans = lane.spans.iter();
            let at_it = spans
                .rev()
                .any(|span| span.from < window.1 && span.to > window.0);
            at_it || lane.born.is_some_and(inside) || lane.gone.is_some_and(inside)
        };
        let number = |id: WorkerId| {
            let worker = model.workers().iter().find(|worker| worker.row.id == id);
            (worker.map_or(u32::MAX, |worker| worker.row.number), id)
        };
        for pool in model.pools() {
            let mut workers: Vec<_> = lanes
                .workers
                .iter()
                .filter(|lane| lane.pool == pool.row.id)
                .filter(busy)
                .map(|lane| lane.worker)
                .collect();
            workers.sort_by_key(|id| number(*id));
            let waits = lanes.pressure.get(&pool.row.id);
            let waits = waits.and_then(|pressure| pressure.most(window.0, window.1));
            if workers.is_empty() && waits.is_none_or(|items| items == 0) {
                continue;
            }
            rows.push(Row::Pool(pool.row.id));
            rows.extend(workers.into_iter().map(Row::Worker));
        }
        rows
    }

    /// Moves the choice.
    pub(crate) fn go_in_timeline(&mut self, step: Step, page: usize) {
        let Some(picture) = self.picture() else {
            return;
        };
        let place = step.from(picture.chosen, page, picture.rows.len());
        self.choose_lane(&picture, place);
    }

    /// Chooses the row at this place.
    pub(crate) fn select_lane(&mut self, place: usize) {
        if let Some(picture) = self.picture() {
            self.choose_lane(&picture, place);
        }
    }

    fn choose_lane(&mut self, picture: &Picture, place: usize) {
        self.ui.timeline.place = place;
        self.ui.timeline.chosen = picture.rows.get(place).copied();
    }

    /// What the chosen row is about; of a CPU there are no details.
    pub(crate) fn chosen_lane(&self) -> Option<Subject> {
        let picture = self.picture()?;
        match picture.rows.get(picture.chosen)? {
            Row::Pool(id) => Some(Subject::Pool(*id)),
            Row::Worker(id) => Some(Subject::Worker(*id)),
            Row::Cpu(_) => None,
        }
    }

    /// Goes back in time, or on, inside of what is kept.
    pub(crate) fn scroll_timeline(&mut self, back: bool) {
        let Some(picture) = self.picture() else {
            return;
        };
        let oldest = picture.now.saturating_sub(picture.lanes.window.0);
        self.ui.timeline.scroll(back, oldest);
    }
}

/// The engine's CPUs, and others that something ran on.
fn cpus(lanes: &Lanes, known: &[u16]) -> Vec<Row> {
    let mut cpus = lanes.cpus();
    cpus.extend_from_slice(known);
    cpus.sort_unstable();
    cpus.dedup();
    cpus.into_iter().map(Row::Cpu).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_zooms_and_scrolls_within_bounds() {
        let mut look = Timeline::default();
        assert_eq!(look.across(), S);
        (0..99).for_each(|_| look.zoom(true));
        assert_eq!(look.across(), MS);
        (0..99).for_each(|_| look.zoom(false));
        assert_eq!(look.across(), 60 * S);
        (0..99).for_each(|_| look.scroll(true, 100 * S));
        assert_eq!(look.back, 70 * S);
        look.scroll(false, 100 * S);
        assert_eq!(look.back, 55 * S);
        look.scroll(true, 10 * S);
        assert_eq!(look.back, 0, "less is kept now");
        look.scroll(true, 100 * S);
        assert!(look.to_end() && !look.to_end());
    }

    #[test]
    fn widths_go_up() {
        assert!(WIDTHS.is_sorted());
    }
}
