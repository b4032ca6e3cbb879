//! The help, laid over the view.

use super::style::{Palette, Role};
use super::{panel, title};
use crate::app::App;
use crate::help::{self, HelpLine, NAME};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the help scrolled down by `top` lines; it stops at its end.
pub fn draw(app: &App, top: usize, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let inner = panel(title("Help", palette), palette, frame, area);
    let lines = help::lines(app.ui.view, app.ui.list().sort, inner.width);
    let height = usize::from(inner.height);
    let top = top.min(lines.len().saturating_sub(height));
    let more = lines.len().saturating_sub(top + height);
    for (y, line) in (inner.y..inner.bottom()).zip(lines.into_iter().skip(top)) {
        frame.render_widget(
            drawn(line, palette),
            Rect {
                y,
                height: 1,
                ..inner
            },
        );
    }
    if more > 0 && inner.height < area.height {
        let lines = if more == 1 { "line" } else { "lines" };
        let text = format!(" {more} more {lines}: Down, PgDn ");
        let line = Line::from(Span::styled(text, palette.of(Role::Accent))).right_aligned();
        let width = area.width.saturating_sub(2);
        frame.render_widget(
            line,
            Rect {
                y: area.bottom() - 1,
                height: 1,
                width,
                ..area
            },
        );
    }
}

fn drawn(line: HelpLine, palette: Palette) -> Line<'static> {
    match line {
        HelpLine::Heading(text) => Line::styled(text, palette.of(Role::Title)),
        HelpLine::Entry(name, text) => {
            let name = format!(" {name:<width$}", width = NAME - 1);
            Line::from(vec![
                Span::styled(name, palette.of(Role::Accent)),
                Span::raw(text),
            ])
        }
    }
}
