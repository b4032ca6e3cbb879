//! The last line: what there is to tell, else the keys that matter most, as many as fit.

use super::cells::fit;
use super::style::{Palette, Role};
use crate::app::{Act, App};
use crate::input::KEYS;
use crate::note::Mood;
use crate::request::Kind;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wq_trace::Liveness;

/// Draws it, the keys from their table.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    if let Some(note) = &app.ui.note {
        let role = match note.mood {
            Mood::Done => Role::Good,
            Mood::Told => Role::Warn,
            Mood::Failed => Role::Bad,
        };
        let text = fit(&format!(" {}", note.text), area.width);
        frame.render_widget(Line::styled(text, palette.of(role)), area);
        return;
    }
    let mut line = Line::raw(" ");
    for (shown, brief) in keys(app) {
        let key = Span::styled(shown, palette.of(Role::Accent));
        let text = Span::styled(format!(" {brief}   "), palette.of(Role::Dim));
        if line.width() + key.width() + text.width() > usize::from(area.width) + 3 {
            break;
        }
        line.push_span(key);
        line.push_span(text);
    }
    frame.render_widget(line, area);
}

/// Keys and what they do, those first that matter now.
fn keys(app: &App) -> Vec<(&'static str, &'static str)> {
    let shows_all = app.filter().is_empty();
    let usual = KEYS.iter().filter(|binding| !binding.brief.is_empty());
    let usual = usual.filter(|binding| binding.act != Act::FindAll || !shows_all);
    let usual = usual.map(|binding| {
        let brief = match binding.act {
            Act::Pause if app.is_paused() => "go on",
            Act::Help if app.ui.help.is_some() => "leave help",
            Act::Choose if app.ui.details.is_some() => "go there   Esc back",
            _ => binding.brief,
        };
        (binding.shown, brief)
    });
    let is_over = !matches!(app.link.liveness, Liveness::Live | Liveness::Unknown);
    let held = KEYS.iter().filter_map(|binding| {
        let brief = match binding.act {
            Act::Time(-1) => "back",
            Act::Time(1) => "on",
            Act::Present if is_over => "the end",
            Act::Present => "present",
            Act::Save(Kind::Recording) => "write",
            _ => return None,
        };
        app.is_paused().then_some((binding.shown, brief))
    });
    held.chain(usual).collect()
}
