//! Lists as data: columns, sort keys and the order of rows. How a cell looks is the view's business.

pub mod pools;
pub mod workers;
pub mod workqueues;

use std::cmp::Ordering;

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Names.
    Left,
    /// Numbers.
    Right,
}

/// One column of a list.
#[derive(Clone, Copy, Debug)]
pub struct Column<C: 'static> {
    /// Which one it is.
    pub id: C,
    /// Its heading; the sort mark needs one more cell of the width.
    pub title: &'static str,
    /// What it shows, as one sentence with its unit.
    pub help: &'static str,
    /// Cells that it takes at least.
    pub width: u16,
    /// Where its text stands.
    pub align: Align,
    /// The columns with the highest rank are left out first when the screen is narrow; 0 stays.
    pub rank: u8,
    /// Whether it takes the room that is left.
    pub grows: bool,
    /// Whether its natural order puts the largest first.
    pub largest_first: bool,
}

impl<C: Copy> Column<C> {
    /// A column of numbers, largest first.
    pub const fn number(
        id: C,
        title: &'static str,
        width: u16,
        rank: u8,
        help: &'static str,
    ) -> Self {
        let (align, largest_first) = (Align::Right, true);
        Self {
            id,
            title,
            help,
            width,
            align,
            rank,
            grows: false,
            largest_first,
        }
    }

    /// A column of words or pictures, in the words' order.
    pub const fn words(
        id: C,
        title: &'static str,
        width: u16,
        rank: u8,
        help: &'static str,
    ) -> Self {
        let (align, largest_first) = (Align::Left, false);
        Self {
            id,
            title,
            help,
            width,
            align,
            rank,
            grows: false,
            largest_first,
        }
    }

    /// Takes the room that is left.
    pub const fn growing(self) -> Self {
        Self {
            grows: true,
            ..self
        }
    }

    /// The largest come first.
    pub const fn largest_first(self) -> Self {
        Self {
            largest_first: true,
            ..self
        }
    }

    /// The smallest come first.
    pub const fn smallest_first(self) -> Self {
        Self {
            largest_first: false,
            ..self
        }
    }
}

/// What a row is sorted by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Key<'a> {
    /// A number.
    Number(f64),
    /// A word.
    Word(&'a str),
}

impl Key<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Word(a), Self::Word(b)) => a.cmp(b),
            (Self::Number(_), Self::Word(_)) => Ordering::Less,
            (Self::Word(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

impl From<u64> for Key<'_> {
    #[expect(clippy::cast_precision_loss, reason = "only the order matters")]
    fn from(number: u64) -> Self {
        Self::Number(number as f64)
    }
}

/// Rows with columns.
pub trait List {
    /// The columns' names.
    type Column: Copy + PartialEq + 'static;
    /// The columns, left to right; the first one names the row and is always there.
    const COLUMNS: &'static [Column<Self::Column>];
    /// The column sorted by at first.
    const SORT: Self::Column;

    /// How many rows there are.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What `row` is sorted by in `column`.
    fn key(&self, row: usize, column: Self::Column) -> Key<'_>;
}

/// How a list is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListState {
    /// Place of the chosen row, counted from the top; may lie beyond the end when rows went away.
    pub selected: usize,
    /// Place of the column sorted by.
    pub sort: usize,
    /// Whether the column's natural order is turned round.
    pub inverted: bool,
    /// The column scrolled to; 0: not scrolled, the most important columns are shown.
    pub scrolled: usize,
}

impl ListState {
    /// As a list is looked at first.
    pub fn new<L: List>() -> Self {
        let sort = L::COLUMNS
            .iter()
            .position(|column| column.id == L::SORT)
            .unwrap_or_default();
        Self {
            selected: 0,
            sort,
            inverted: false,
            scrolled: 0,
        }
    }

    /// The place of the chosen row in a list of `len`.
    pub fn selected_in(&self, len: usize) -> usize {
        self.selected.min(len.saturating_sub(1))
    }

    /// Whether the largest come first.
    pub fn descends<L: List>(&self) -> bool {
        L::COLUMNS
            .get(self.sort)
            .is_some_and(|column| column.largest_first != self.inverted)
    }
}

/// The rows' numbers in the order in which they are shown. Rows with equal keys keep their order.
pub fn order<L: List>(list: &L, state: &ListState) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..list.len()).collect();
    let Some(column) = L::COLUMNS.get(state.sort) else {
        return rows;
    };
    let descends = state.descends::<L>();
    rows.sort_by(|a, b| {
        let order = list.key(*a, column.id).compare(&list.key(*b, column.id));
        if descends { order.reverse() } else { order }
    });
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pairs(Vec<(&'static str, u64)>);

    impl List for Pairs {
        type Column = bool;
        const COLUMNS: &'static [Column<bool>] = &[column(false, false), column(true, true)];
        const SORT: bool = true;

        fn len(&self) -> usize {
            self.0.len()
        }

        fn key(&self, row: usize, column: bool) -> Key<'_> {
            if column {
                self.0[row].1.into()
            } else {
                Key::Word(self.0[row].0)
            }
        }
    }

    const fn column(id: bool, largest_first: bool) -> Column<bool> {
        Column {
            id,
            title: "x",
            help: "x",
            width: 2,
            align: Align::Left,
            rank: 0,
            grows: false,
            largest_first,
        }
    }

    #[test]
    fn rows_are_sorted_by_the_columns_natural_order_and_ties_stay() {
        let list = Pairs(vec![("b", 1), ("a", 3), ("c", 3)]);
        let mut state = ListState::new::<Pairs>();
        assert_eq!(order(&list, &state), [1, 2, 0]);
        state.inverted = true;
        assert_eq!(order(&list, &state), [0, 1, 2]);
        state = ListState {
            sort: 0,
            inverted: false,
            ..state
        };
        assert_eq!(order(&list, &state), [1, 0, 2]);
    }

    #[test]
    fn a_selection_beyond_the_end_is_the_last_row() {
        let state = ListState {
            selected: 9,
            ..ListState::new::<Pairs>()
        };
        assert_eq!((state.selected_in(3), state.selected_in(0)), (2, 0));
    }
}
