//! From the tables of columns to a list: what is picked from them for a view, and how it looks.

use super::{Align, Head, Identity, List, Rows};
use crate::details::Subject;
use crate::filter::Filter;
use crate::paint::cells;
use crate::paint::style::{Palette, Role};
use ratatui::text::Line;
use wq_trace::model::Model;
use wq_trace::model::columns::{self, Cell, Column};

/// What the cells of a column look like.
#[derive(Debug)]
pub enum Look<R: 'static> {
    /// The value in the style of this role; dim when it is 0 or says nothing.
    Role(Role),
    /// The same in a role that depends on the row.
    By(fn(&R, Place<'_>) -> Role),
    /// A picture, or more than one colour.
    Picture(fn(&R, Place<'_>) -> Line<'static>),
}

/// The looks of one kind of row, by the columns' keys; a column that is not there is plain.
pub type Looks<R> = &'static [(&'static str, Look<R>)];

/// Where a cell is drawn, and what is known besides its row.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Where history is.
    pub model: &'a Model,
    /// Cells that there are.
    pub width: u16,
    /// The colours.
    pub palette: Palette,
}

/// A column that a list shows.
#[derive(Clone, Copy, Debug)]
pub struct Pick {
    key: &'static str,
    rank: u8,
    grows: bool,
}

impl Pick {
    /// The column with this key; of high ranks the first to be left out.
    pub const fn new(key: &'static str, rank: u8) -> Self {
        let grows = false;
        Self { key, rank, grows }
    }

    /// Takes the room that is left.
    pub const fn growing(self) -> Self {
        let grows = true;
        Self { grows, ..self }
    }
}

/// A list of rows of `R`.
#[derive(Debug)]
pub struct Layout<R: 'static> {
    /// All columns that there are.
    pub table: &'static [Column<R>],
    /// How they look.
    pub looks: Looks<R>,
    /// The usual ones, left to right. The others stand behind them once they are asked for.
    pub picks: &'static [Pick],
    /// The key of the column sorted by at first.
    pub sort: &'static str,
    /// What is said when there are no rows.
    pub empty: &'static str,
    /// The rows, in the order of those that are otherwise equal.
    pub rows: for<'a> fn(&'a Model, &Filter) -> Vec<&'a R>,
    /// What tells a row from the others: what its details are about, and more where that is not enough.
    pub identity: fn(&R) -> Identity,
}

/// Left out first: what nobody picked.
const OTHER: u8 = 50;

impl<R> Layout<R> {
    /// The columns in their order: those that are picked, then the rest of the table.
    fn columns(&self) -> Vec<(Option<Pick>, &'static Column<R>)> {
        let picked = |key| self.picks.iter().any(|pick| pick.key == key);
        let picks = self.picks.iter().filter_map(|pick| {
            columns::find(self.table, pick.key).map(|column| (Some(*pick), column))
        });
        let rest = self.table.iter().filter(|column| !picked(column.key));
        picks.chain(rest.map(|column| (None, column))).collect()
    }

    /// The cell of `row` in a column of its table; blank where there is no such column.
    pub fn cell(&self, row: &R, key: &str, place: Place<'_>) -> Line<'static> {
        columns::find(self.table, key).map_or_else(Line::default, |column| {
            drawn(column, self.look(column.key), row, place)
        })
    }

    fn look(&self, key: &str) -> &'static Look<R> {
        let found = self.looks.iter().find(|(of, _)| *of == key);
        found.map_or(&Look::Role(Role::Plain), |(_, look)| look)
    }
}

fn drawn<R>(column: &Column<R>, look: &Look<R>, row: &R, place: Place<'_>) -> Line<'static> {
    let cell = column.shown(row);
    let role = match look {
        _ if cell == Cell::None => Role::Dim,
        Look::Picture(picture) => return picture(row, place),
        Look::By(role) => role(row, place),
        Look::Role(_) if cell.is_zero() => Role::Dim,
        Look::Role(role) => *role,
    };
    let text = cells::fit(&cell.text(), place.width);
    Line::styled(text, place.palette.of(role))
}

impl<R: Sync> List for Layout<R> {
    fn heads(&self) -> Vec<Head> {
        let head = |(pick, column): (Option<Pick>, &Column<R>)| {
            let title = u16::try_from(column.title.chars().count()).unwrap_or(u16::MAX);
            Head {
                key: column.key,
                title: column.title,
                help: column.help,
                unit: column.unit,
                width: column.width.max(title.saturating_add(1)),
                align: if column.left() {
                    Align::Left
                } else {
                    Align::Right
                },
                rank: pick.map_or(OTHER, |pick| pick.rank),
                grows: pick.is_some_and(|pick| pick.grows),
                largest_first: column.largest_first,
                usual: pick.is_some(),
            }
        };
        self.columns().into_iter().map(head).collect()
    }

    fn sort(&self) -> &'static str {
        self.sort
    }

    fn empty(&self) -> &'static str {
        self.empty
    }

    fn rows<'a>(&'static self, model: &'a Model, filter: &Filter) -> Box<dyn Rows + 'a> {
        let columns = self.columns().into_iter();
        Box::new(Listed {
            rows: (self.rows)(model, filter),
            columns: columns
                .map(|(_, column)| (column, self.look(column.key)))
                .collect(),
            identity: self.identity,
        })
    }
}

/// The rows of a layout, found in a model.
struct Listed<'a, R: 'static> {
    rows: Vec<&'a R>,
    columns: Vec<(&'static Column<R>, &'static Look<R>)>,
    identity: fn(&R) -> Identity,
}

impl<R> Rows for Listed<'_, R> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn sort_key(&self, row: usize, column: usize) -> Cell {
        let column = self.columns.get(column);
        column.map_or(Cell::None, |(column, _)| column.sort_key(self.rows[row]))
    }

    fn cell(&self, row: usize, column: usize, place: Place<'_>) -> Line<'static> {
        let Some((column, look)) = self.columns.get(column) else {
            return Line::default();
        };
        drawn(column, look, self.rows[row], place)
    }

    fn subject(&self, row: usize) -> Option<Subject> {
        self.identity(row).map(|identity| identity.subject)
    }

    fn identity(&self, row: usize) -> Option<Identity> {
        self.rows.get(row).map(|row| (self.identity)(row))
    }
}
