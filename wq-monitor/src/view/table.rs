//! A list as a table: sortable headings, as many columns as fit, the chosen row in view.

use super::style::{Palette, Role};
use super::warnings;
use crate::app::{App, Msg};
use crate::details::Subject;
use crate::filter::Filter;
use crate::lists::{self, Align, Head, List, ListState, Place};
use crate::selection::Shown;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws headings and rows of the view's list.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let (Some(shown), false) = (app.shown(), area.is_empty()) else {
        return;
    };
    let state = app.ui.list();
    let Shown {
        list,
        rows,
        order,
        chosen,
        place,
    } = shown;
    let columns = fitting(&state.columns(list), state.sort, area.width, state.scrolled);
    if has_headings(area) {
        headings(frame, Rect { height: 1, ..area }, &columns, state, palette);
    }
    let body = below_headings(area);
    if rows.is_empty() {
        let lines = nothing(app, list).into_iter();
        let lines = lines.map(|text| Line::styled(text, palette.of(Role::Dim)));
        super::lines(lines, frame, body);
        return;
    }
    let top = first_row(place, order.len(), body.height.into());
    for (y, place) in (body.y..body.bottom()).zip(top..order.len()) {
        for Fit {
            column,
            head,
            x,
            width,
        } in &columns
        {
            let at = Rect {
                x: area.x + x,
                y,
                width: *width,
                height: 1,
            };
            let place = Place {
                model: app.model(),
                width: *width,
                palette,
            };
            let line = rows.cell(order[place_in(top, y, body)], *column, place);
            let used = u16::try_from(line.width()).unwrap_or(u16::MAX);
            frame.render_widget(aligned(line, head.align), at);
            if *x == 0
                && let Some(thing) = rows.subject(order[place_in(top, y, body)])
            {
                let free = match head.align {
                    Align::Left => used.saturating_add(1).min(*width),
                    Align::Right => *width,
                };
                let mark = (at.x.saturating_add(free), y);
                warned(app, thing, mark, area, palette, frame);
            }
        }
        if chosen == Some(place) {
            let line = Rect {
                y,
                height: 1,
                ..body
            };
            palette.select(line, frame.buffer_mut());
        }
    }
}

/// Why there is no row, and how to see some.
fn nothing(app: &App, list: &'static dyn List) -> Vec<String> {
    let filter = app.filter();
    let all = list.rows(app.model(), &Filter::default()).len();
    if filter.is_empty() || all == 0 {
        return vec![list.empty().to_owned()];
    }
    unfound(app, &all.to_string())
}

/// That the filter finds none of `all`, why, and how to see some.
pub fn unfound(app: &App, all: &str) -> Vec<String> {
    let filter = app.filter();
    let fits = lists::kind(app.ui.view).map_or(Ok(()), |kind| filter.query.fits(kind));
    let mut lines = vec![format!("none of {all} is found by {filter}")];
    if let Err(error) = fits {
        lines.push(format!("{}; {}", error.wrong, error.right));
    }
    lines.push("x shows all, / changes what is looked for".to_owned());
    lines
}

/// The place of the row that stands at `y`.
fn place_in(top: usize, y: u16, body: Rect) -> usize {
    top + usize::from(y - body.y)
}

/// Marks a row behind its name if something is wrong with it.
fn warned(
    app: &App,
    thing: Subject,
    (x, y): (u16, u16),
    area: Rect,
    palette: Palette,
    frame: &mut Frame<'_>,
) {
    let Some(level) = app.worst(Some(thing)) else {
        return;
    };
    if x < area.right() {
        let cell = &mut frame.buffer_mut()[(x, y)];
        cell.set_symbol("!");
        cell.set_style(palette.of(warnings::role(level)));
    }
}

/// What a click on a cell of the table means, which stands at `area`: a heading sorts, a row is chosen.
pub fn hit(app: &App, area: Rect, x: u16, y: u16) -> Option<Msg> {
    let list = lists::of(app.ui.view)?;
    let state = app.ui.list();
    if y == area.y && has_headings(area) {
        let columns = fitting(&state.columns(list), state.sort, area.width, state.scrolled);
        let under = |fit: &&Fit| (area.x + fit.x..=area.x + fit.x + fit.width).contains(&x);
        return columns
            .iter()
            .find(under)
            .map(|fit| Msg::Sort(fit.head.key));
    }
    let shown = app.shown()?;
    let len = shown.order.len();
    let body = below_headings(area);
    let top = first_row(shown.place, len, body.height.into());
    let place = top + usize::from(y.checked_sub(body.y)?);
    (y < body.bottom() && place < len).then_some(Msg::Select(place))
}

/// A single line is for a row.
fn has_headings(area: Rect) -> bool {
    area.height > 1
}

fn below_headings(area: Rect) -> Rect {
    let headings = u16::from(has_headings(area));
    Rect {
        y: area.y + headings,
        height: area.height - headings,
        ..area
    }
}

/// The row at the top so that `selected` is in view, as near to the middle as it can be.
pub fn first_row(selected: usize, len: usize, height: usize) -> usize {
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

fn headings(
    frame: &mut Frame<'_>,
    area: Rect,
    columns: &[Fit],
    state: &ListState,
    palette: Palette,
) {
    for Fit { head, x, width, .. } in columns {
        let line = if head.key == state.sort {
            let style = palette.of(Role::Accent);
            let mark = if state.descends(head) { "▾" } else { "▴" };
            let mark = Span::styled(mark, style);
            let title = Span::styled(head.title, style);
            match head.align {
                Align::Left => Line::from(vec![title, mark]),
                Align::Right => Line::from(vec![mark, title]),
            }
        } else {
            Line::styled(head.title, palette.of(Role::Dim))
        };
        let area = Rect {
            x: area.x + x,
            width: *width,
            ..area
        };
        frame.render_widget(aligned(line, head.align), area);
    }
}

/// A column that finds room.
#[derive(Clone, Copy, Debug)]
struct Fit {
    /// Its place among all columns of the list.
    column: usize,
    head: Head,
    /// Where it begins, counted from the table's left edge, and how many cells it has.
    x: u16,
    width: u16,
}

/// The columns that fit into `width`. Unscrolled, those of the highest rank are left out first, and the one `sorted` by
/// stays while it can; scrolled, the first column stays and the others follow in order from the one scrolled to.
fn fitting(all: &[(usize, Head)], sorted: &str, width: u16, scrolled: usize) -> Vec<Fit> {
    let need = |columns: &[(usize, Head)]| -> u32 {
        let widths = columns.iter().map(|(_, head)| u32::from(head.width) + 1);
        widths.sum::<u32>().saturating_sub(1)
    };
    let from = |from: usize| -> Vec<(usize, Head)> {
        all.iter()
            .take(1)
            .chain(all.iter().skip(from))
            .copied()
            .collect()
    };
    let fits = |first: &usize| need(&from(*first)) <= u32::from(width);
    // No further than until the last column is in view.
    let furthest = (1..all.len()).find(fits).unwrap_or(all.len());
    let scrolled = if furthest <= 1 {
        0
    } else {
        scrolled.min(furthest)
    };
    let mut columns = from(scrolled.max(1));
    let rank = |head: &Head| if head.key == sorted { 0 } else { head.rank };
    while columns.len() > 1 && need(&columns) > u32::from(width) {
        // Half a name and a number say more than a name.
        let name = columns[0].1.width;
        let over = need(&columns) - u32::from(width);
        if columns.len() == 2 && over + SHORTEST_NAME <= u32::from(name) {
            columns[0].1.width = name - u16::try_from(over).unwrap_or(name);
            break;
        }
        let worst = if scrolled > 0 {
            columns.len() - 1
        } else {
            // The rightmost of the highest rank; the first column stays.
            (1..columns.len())
                .max_by_key(|i| (rank(&columns[*i].1), *i))
                .unwrap_or(columns.len() - 1)
        };
        columns.remove(worst);
    }
    // Where the one that matters most is too wide, others are not.
    if columns.len() == 1 && scrolled == 0 {
        let mut left: Vec<_> = all.iter().skip(1).copied().collect();
        left.sort_by_key(|(_, head)| rank(head));
        for column in left {
            columns.push(column);
            if need(&columns) > u32::from(width) {
                columns.pop();
            }
        }
        columns[1..].sort_by_key(|(id, _)| all.iter().position(|(other, _)| other == id));
    }
    let spare = u32::from(width).saturating_sub(need(&columns));
    let growing = columns.iter().filter(|(_, head)| head.grows).count().max(1) as u32;
    let share = u16::try_from(spare / growing).unwrap_or(u16::MAX);
    placed(columns, width, share.min(MOST_GROWTH))
}

/// The first column is not cut below this for another one.
const SHORTEST_NAME: u32 = 10;

/// One column beside the other, those that grow wider by `growth`; none reaches beyond `width`.
fn placed(columns: Vec<(usize, Head)>, width: u16, growth: u16) -> Vec<Fit> {
    let mut x = 0;
    let place = |(column, head): (usize, Head)| {
        let wide = head.width + if head.grows { growth } else { 0 };
        let fit = Fit {
            column,
            head,
            x,
            width: wide.min(width.saturating_sub(x)),
        };
        x += wide + 1;
        fit
    };
    columns.into_iter().map(place).collect()
}

/// Names longer than this are rare; numbers should not drift apart on a wide screen.
const MOST_GROWTH: u16 = 24;

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 4] = ["a", "b", "c", "d"];

    fn column(id: usize, width: u16, rank: u8) -> (usize, Head) {
        let head = Head {
            key: KEYS[id],
            title: "t",
            help: "h",
            unit: "",
            width,
            align: Align::Left,
            rank,
            grows: id == 0,
            largest_first: false,
            usual: true,
        };
        (id, head)
    }

    fn columns() -> Vec<(usize, Head)> {
        vec![
            column(0, 10, 0),
            column(1, 5, 2),
            column(2, 5, 1),
            column(3, 5, 3),
        ]
    }

    fn ids(width: u16, scrolled: usize) -> Vec<usize> {
        let fitting = fitting(&columns(), "a", width, scrolled);
        fitting.iter().map(|fit| fit.column).collect()
    }

    #[test]
    fn the_column_sorted_by_stays_in_view() {
        let fitting = fitting(&columns(), "d", 21, 0);
        let ids: Vec<_> = fitting.iter().map(|fit| fit.column).collect();
        assert_eq!(ids, [0, 3]);
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
                for fit in fitting(&columns(), "c", width, scrolled) {
                    let end = fit.x + fit.width;
                    assert!(fit.width == 0 || end <= width, "{width} {scrolled}");
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
