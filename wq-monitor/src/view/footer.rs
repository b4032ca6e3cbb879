//! The last line: the keys that matter most, as many as fit.

use super::style::{Palette, Role};
use crate::app::{Act, App};
use crate::input::KEYS;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws it from the key table.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let mut line = Line::raw(" ");
    let shows_all = app.filter().is_empty();
    let useless = |act| act == Act::FindAll && shows_all;
    let bindings = KEYS.iter().filter(|binding| !binding.brief.is_empty());
    for binding in bindings.filter(|binding| !useless(binding.act)) {
        let brief = match binding.act {
            Act::Pause if app.is_paused() => "go on",
            Act::Help if app.ui.help.is_some() => "leave help",
            Act::Choose if app.ui.details.is_some() => "go there   Esc back",
            _ => binding.brief,
        };
        let key = Span::styled(binding.shown, palette.of(Role::Accent));
        let text = Span::styled(format!(" {brief}   "), palette.of(Role::Dim));
        if line.width() + key.width() + text.width() > usize::from(area.width) + 3 {
            break;
        }
        line.push_span(key);
        line.push_span(text);
    }
    frame.render_widget(line, area);
}
