//! Lists as data: which columns of which rows a view shows, in what order, and how each column's cells look.
//!
//! What a column is (key, title, unit, help, width, value, order) stands in `wq_trace::model::columns`. Here stand, once for
//! each kind of row, the looks of its cells, and for each view a [`Layout`].

pub mod functions;
mod layout;
pub mod pools;
pub mod producers;
mod state;
pub mod workers;
pub mod workqueues;

pub use layout::{Layout, Look, Looks, Pick, Place};
pub use state::{ListState, order};

use crate::act::View;
use crate::details::Subject;
use crate::filter::Filter;
use ratatui::text::Line;
use wq_trace::WqId;
use wq_trace::model::columns::Cell;
use wq_trace::model::{Model, Source};
use wq_trace::query::Kind;

/// Which list a view shows: one line for each.
const LISTS: &[(View, &dyn List)] = &[
    (View::Overview, &workqueues::OVERVIEW),
    (View::Workqueues, &workqueues::WORKQUEUES),
    (View::Pools, &pools::POOLS),
    (View::Workers, &workers::WORKERS),
    (View::Producers, &producers::PRODUCERS),
];

/// The list that a view shows, if it shows one.
pub fn of(view: View) -> Option<&'static dyn List> {
    let found = LISTS.iter().find(|(of, _)| *of == view);
    found.map(|(_, list)| *list)
}

/// What the rows of a view's list are, for queries.
pub fn kind(view: View) -> Option<Kind> {
    match view {
        View::Overview | View::Workqueues => Some(Kind::Workqueue),
        View::Pools => Some(Kind::Pool),
        View::Workers => Some(Kind::Worker),
        View::Producers => Some(Kind::Producer),
        View::Events => Some(Kind::Event),
        View::Latency | View::Timeline => None,
    }
}

/// A list, whatever its rows are.
pub trait List: Sync {
    /// All columns that it can show; the first one names the row and is always there.
    fn heads(&self) -> Vec<Head>;

    /// The key of the column sorted by at first.
    fn sort(&self) -> &'static str;

    /// What is said when there are no rows.
    fn empty(&self) -> &'static str;

    /// Its rows, those that the filter finds.
    fn rows<'a>(&'static self, model: &'a Model, filter: &Filter) -> Box<dyn Rows + 'a>;
}

/// The rows of a list, by number; columns by their places among [`List::heads`].
pub trait Rows {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What `row` is sorted by in `column`.
    fn sort_key(&self, row: usize, column: usize) -> Cell;

    /// The cell of `row` in `column`, `width` cells wide or narrower.
    fn cell(&self, row: usize, column: usize, place: Place<'_>) -> Line<'static>;

    /// What the details of `row` are about.
    fn subject(&self, row: usize) -> Option<Subject>;

    /// What tells `row` from all others, whatever stands in it.
    fn identity(&self, row: usize) -> Option<Identity> {
        self.subject(row).map(Identity::of)
    }
}

/// What tells a row from all others of its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What its details are about.
    pub subject: Subject,
    /// Who queues it and where, when several rows are about one thing.
    pub queued: Option<(Source, WqId)>,
}

impl Identity {
    /// Of the only row about this thing.
    pub const fn of(subject: Subject) -> Self {
        let queued = None;
        Self { subject, queued }
    }
}

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Names.
    Left,
    /// Numbers.
    Right,
}

/// One column of a list, without its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its key, as in JSON.
    pub key: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it shows, as one sentence.
    pub help: &'static str,
    /// The unit of its value, as in JSON; empty for words.
    pub unit: &'static str,
    /// Cells that it takes at least: room for the sort mark is among them.
    pub width: u16,
    /// Where its text stands.
    pub align: Align,
    /// The columns with the highest rank are left out first when the screen is narrow; 0 stays.
    pub rank: u8,
    /// Whether it takes the room that is left.
    pub grows: bool,
    /// Whether its natural order puts the largest first.
    pub largest_first: bool,
    /// Whether it is shown until somebody chooses otherwise.
    pub usual: bool,
}

impl Head {
    /// The heading without the blanks and lines that place it over a picture: `concurrency/backlog`.
    pub fn name(&self) -> String {
        let parts: Vec<_> = self.title.split('│').map(str::trim).collect();
        parts.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_of_a_list_has_columns_of_its_own_keys_and_sorts_by_one_of_them() {
        for (view, list) in LISTS {
            let heads = list.heads();
            assert!(
                heads
                    .iter()
                    .any(|head| head.usual && head.key == list.sort()),
                "{view:?}"
            );
            assert_eq!(heads[0].rank, 0, "{view:?}");
            for (i, head) in heads.iter().enumerate() {
                assert!(heads[..i].iter().all(|other| other.key != head.key));
                assert!(usize::from(head.width) > head.title.chars().count() || head.rank == 0);
            }
        }
    }
}
