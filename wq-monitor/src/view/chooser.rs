//! The columns' chooser, laid over the right side of the view, so that the list is seen to change.

use super::cells::fit;
use super::style::{Palette, Role};
use super::{panel, table, title};
use crate::app::App;
use crate::chooser::Chooser;
use crate::lists::Head;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

/// Cells that it takes where there are more.
const WIDTH: u16 = 70;

/// Cells of the list below which it says nothing.
const LEFT: u16 = 30;

/// Lines below the columns: what the chosen one says, and the keys.
const BELOW: u16 = 4;

/// Draws it.
pub fn draw(app: &App, open: Chooser, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let width = if area.width < WIDTH + LEFT {
        area.width
    } else {
        WIDTH
    };
    let area = Rect {
        x: area.right() - width,
        width,
        ..area
    };
    frame.render_widget(Clear, area);
    let columns = app.columns_to_choose();
    let shown = columns.iter().filter(|(_, shown)| *shown).count();
    let heading = format!(
        "Columns of {} {shown} of {}",
        app.ui.view.title(),
        columns.len()
    );
    let inner = panel(title(&heading, palette), palette, frame, area);
    let below = BELOW.min(inner.height / 3);
    let list = Rect {
        height: inner.height - below,
        ..inner
    };
    let top = table::first_row(open.place, columns.len(), list.height.into());
    let rows = columns.iter().skip(top);
    let rows = rows.map(|(head, shown)| row(head, *shown, list.width, palette));
    super::lines(rows, frame, list);
    let y = list.y + u16::try_from(open.place.saturating_sub(top)).unwrap_or(u16::MAX);
    if y < list.bottom() {
        let chosen = Rect {
            y,
            height: 1,
            ..list
        };
        palette.select(chosen, frame.buffer_mut());
    }
    let below = Rect {
        y: list.bottom(),
        height: below,
        ..inner
    };
    if let Some((head, _)) = columns.get(open.place) {
        explain(head, palette, frame, below);
    }
}

/// `[x] heading   what it says`
fn row(head: &Head, shown: bool, width: u16, palette: Palette) -> Line<'static> {
    const NAME: u16 = 20;
    let (mark, role) = if shown {
        ("[x] ", Role::Good)
    } else {
        ("[ ] ", Role::Dim)
    };
    let name = fit(&head.name(), NAME);
    let pad = usize::from(NAME).saturating_sub(Span::raw(&name).width());
    let help = fit(head.help, width.saturating_sub(NAME + 5));
    let plain = if shown { Role::Plain } else { Role::Dim };
    Line::from(vec![
        Span::styled(mark, palette.of(role)),
        Span::styled(name, palette.of(plain)),
        Span::raw(" ".repeat(pad + 1)),
        Span::styled(help, palette.of(Role::Dim)),
    ])
}

/// The whole sentence, and the keys in the last line.
fn explain(head: &Head, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let Some(room) = area.height.checked_sub(1) else {
        return;
    };
    let text = crate::help::wrapped(head.help, usize::from(area.width).max(1));
    let text = text.into_iter().take(room.into());
    super::lines(text.map(Line::raw), frame, area);
    let keys = [
        ("Space", "show or hide"),
        ("< >", "move"),
        ("+", "all or usual"),
        ("Esc", "back"),
    ];
    let mut line = Line::default();
    for (key, does) in keys {
        let key = Span::styled(key, palette.of(Role::Accent));
        let does = Span::styled(format!(" {does}  "), palette.of(Role::Dim));
        if line.width() + key.width() + does.width() > usize::from(area.width) + 2 {
            break;
        }
        line.extend([key, does]);
    }
    let last = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    frame.render_widget(line, last);
}
