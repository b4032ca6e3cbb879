//! A list as a table: sortable headings, as many columns as fit, the chosen row in view.

use super::style::{Palette, Role};
use crate::lists::{Align, Column, List, ListState, order};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// How the cells of a list look.
pub trait Cells: List {
    /// The cell of `row` in `column`, `width` cells wide or narrower.
    fn cell(&self, row: usize, column: Self::Column, width: u16, palette: Palette)
    -> Line<'static>;
}

/// Draws headings and rows. `empty` is said when there are no rows.
pub fn draw<L: Cells>(
    frame: &mut Frame<'_>,
    area: Rect,
    list: &L,
    state: &ListState,
    palette: Palette,
    empty: &str,
) {
    if area.is_empty() {
        return;
    }
    let columns = fitting(L::COLUMNS, area.width, state.scrolled);
    headings::<L>(frame, Rect { height: 1, ..area }, &columns, state, palette);
    let body = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    if list.is_empty() {
        let line = Line::styled(empty.to_owned(), palette.of(Role::Dim));
        frame.render_widget(
            line,
            Rect {
                height: body.height.min(1),
                ..body
            },
        );
        return;
    }
    let rows = order(list, state);
    let selected = state.selected_in(rows.len());
    let top = first_row(selected, rows.len(), usize::from(body.height));
    for (y, place) in (body.y..body.bottom()).zip(top..rows.len()) {
        for (column, x, width) in &columns {
            let area = Rect {
                x: area.x + x,
                y,
                width: *width,
                height: 1,
            };
            let line = list.cell(rows[place], column.id, *width, palette);
            frame.render_widget(aligned(line, column.align), area);
        }
        if place == selected {
            palette.select(
                Rect {
                    y,
                    height: 1,
                    ..body
                },
                frame.buffer_mut(),
            );
        }
    }
}

/// The row at the top so that `selected` is in view, as near to the middle as it can be.
fn first_row(selected: usize, len: usize, height: usize) -> usize {
    selected
        .saturating_sub(height / 2)
        .min(len.saturating_sub(height))
}

fn aligned(line: Line<'static>, align: Align) -> Line<'static> {
    match align {
        Align::Left => line.left_aligned(),
        Align::Right => line.right_aligned(),
    }
}

fn headings<L: Cells>(
    frame: &mut Frame<'_>,
    area: Rect,
    columns: &[(&Column<L::Column>, u16, u16)],
    state: &ListState,
    palette: Palette,
) {
    let sorted = L::COLUMNS.get(state.sort).map(|column| column.id);
    let mark = if state.descends::<L>() { "▾" } else { "▴" };
    for (column, x, width) in columns {
        let line = if Some(column.id) == sorted {
            let style = palette.of(Role::Accent);
            let mark = Span::styled(mark, style);
            let title = Span::styled(column.title, style);
            match column.align {
                Align::Left => Line::from(vec![title, mark]),
                Align::Right => Line::from(vec![mark, title]),
            }
        } else {
            Line::styled(column.title, palette.of(Role::Dim))
        };
        let area = Rect {
            x: area.x + x,
            width: *width,
            ..area
        };
        frame.render_widget(aligned(line, column.align), area);
    }
}

/// The columns that fit into `width` with their places and widths. Unscrolled, those of the highest rank are left out
/// first; scrolled, the first column stays and the others follow in order from the one scrolled to.
fn fitting<C: Copy>(
    all: &'static [Column<C>],
    width: u16,
    scrolled: usize,
) -> Vec<(&'static Column<C>, u16, u16)> {
    let need = |columns: &[&Column<C>]| -> u32 {
        columns
            .iter()
            .map(|column| u32::from(column.width) + 1)
            .sum::<u32>()
            .saturating_sub(1)
    };
    let fits = |from: usize| {
        let columns: Vec<_> = all.iter().take(1).chain(all.iter().skip(from)).collect();
        need(&columns) <= u32::from(width)
    };
    // No further than until the last column is in view.
    let furthest = (1..all.len()).find(|from| fits(*from)).unwrap_or(all.len());
    let scrolled = if furthest <= 1 {
        0
    } else {
        scrolled.min(furthest)
    };
    let mut columns: Vec<&'static Column<C>> = Vec::new();
    columns.extend(all.iter().take(1));
    columns.extend(all.iter().skip(scrolled.max(1)));
    while columns.len() > 1 && need(&columns) > u32::from(width) {
        let worst = if scrolled > 0 {
            columns.len() - 1
        } else {
            // The rightmost of the highest rank; the first column stays.
            (1..columns.len())
                .max_by_key(|i| (columns[*i].rank, *i))
                .unwrap_or(columns.len() - 1)
        };
        columns.remove(worst);
    }
    let spare = u32::from(width).saturating_sub(need(&columns));
    let growing = columns.iter().filter(|column| column.grows).count().max(1) as u32;
    let share = u16::try_from(spare / growing).unwrap_or(u16::MAX);
    let mut x = 0;
    columns
        .into_iter()
        .map(|column| {
            let wide = column.width
                + if column.grows {
                    share.min(MOST_GROWTH)
                } else {
                    0
                };
            let place = (column, x, wide.min(width.saturating_sub(x)));
            x += wide + 1;
            place
        })
        .collect()
}

/// Names longer than this are rare; numbers should not drift apart on a wide screen.
const MOST_GROWTH: u16 = 24;

#[cfg(test)]
mod tests {
    use super::*;

    const fn column(id: u8, width: u16, rank: u8) -> Column<u8> {
        Column {
            id,
            title: "t",
            help: "h",
            width,
            align: Align::Left,
            rank,
            grows: id == 0,
            largest_first: false,
        }
    }

    const COLUMNS: &[Column<u8>] = &[
        column(0, 10, 0),
        column(1, 5, 2),
        column(2, 5, 1),
        column(3, 5, 3),
    ];

    fn ids(width: u16, scrolled: usize) -> Vec<u8> {
        fitting(COLUMNS, width, scrolled)
            .iter()
            .map(|(column, ..)| column.id)
            .collect()
    }

    #[test]
    fn columns_of_the_highest_rank_go_first_and_the_name_stays() {
        assert_eq!(ids(28, 0), [0, 1, 2, 3]);
        assert_eq!(ids(27, 0), [0, 1, 2]);
        assert_eq!(ids(21, 0), [0, 2]);
        assert_eq!(ids(1, 0), [0]);
    }

    #[test]
    fn scrolling_shows_the_columns_that_found_no_room() {
        assert_eq!(ids(22, 1), [0, 1, 2]);
        assert_eq!(ids(22, 2), [0, 2, 3]);
        assert_eq!(
            ids(22, 3),
            [0, 2, 3],
            "the last column is in view: no further"
        );
        assert_eq!(ids(22, 99), [0, 2, 3]);
        assert_eq!(ids(28, 99), [0, 1, 2, 3], "all fit: nothing to scroll");
    }

    #[test]
    fn no_cell_reaches_beyond_the_table() {
        for width in 0..60 {
            for scrolled in 0..4 {
                for (_, x, wide) in fitting(COLUMNS, width, scrolled) {
                    assert!(wide == 0 || x + wide <= width, "{width} {scrolled}");
                }
            }
        }
    }

    #[test]
    fn the_selected_row_is_always_in_view() {
        for height in 1..10 {
            for len in 1..30 {
                for selected in 0..len {
                    let top = first_row(selected, len, height);
                    assert!((top..top + height).contains(&selected));
                }
            }
        }
    }
}
