//! The list of engines to choose from, when several live.

use super::style::{Palette, Role};
use super::{cells, panel, title};
use crate::app::{App, Engine};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wq_trace::{Liveness, units};

/// Draws one line per engine.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let body = Rect {
        height: area.height - 1,
        ..area
    };
    let inner = panel(title("Which engine?", palette), palette, frame, body);
    let rows = Rect {
        y: inner.y + 1,
        height: inner.height.saturating_sub(1),
        ..inner
    };
    super::lines([headings(palette)], frame, inner);
    let height = usize::from(rows.height);
    let top = (app.ui.engine + 1).saturating_sub(height);
    for (y, (place, engine)) in
        (rows.y..rows.bottom()).zip(app.engines.iter().enumerate().skip(top))
    {
        let line = line(engine, palette);
        let row = Rect {
            y,
            height: 1,
            ..rows
        };
        frame.render_widget(line, row);
        if place == app.ui.engine {
            palette.select(row, frame.buffer_mut());
        }
    }
    let keys = Line::styled(
        " Up Down: move   Enter: watch   q: quit",
        palette.of(Role::Dim),
    );
    frame.render_widget(
        keys,
        Rect {
            y: area.bottom() - 1,
            height: 1,
            ..area
        },
    );
}

fn headings(palette: Palette) -> Line<'static> {
    let text = format!(
        " {:<20} {:>8} {:>9} {:>9} {:<8} {:<12} program",
        "name", "pid", "up", "events/s", "state", "user"
    );
    Line::styled(text, palette.of(Role::Dim))
}

fn line(engine: &Engine, palette: Palette) -> Line<'static> {
    let unknown = || "-".to_owned();
    let about = &engine.about;
    let up = about.up.map_or_else(unknown, units::duration);
    let rate = about.events_per_s.map_or_else(unknown, units::count);
    let (state, role) = match about.liveness {
        Some(Liveness::Live) => ("live", Role::Good),
        Some(Liveness::Ended) => ("ended", Role::Warn),
        Some(Liveness::Dead) => ("dead", Role::Bad),
        Some(Liveness::Recorded) => ("recorded", Role::Warn),
        Some(Liveness::Unknown) | None => ("?", Role::Dim),
    };
    Line::from(vec![
        Span::styled(
            format!(" {:<20} ", cells::fit(&engine.name, 20)),
            palette.of(Role::Title),
        ),
        Span::raw(format!("{:>8} {up:>9} {rate:>9} ", engine.pid)),
        Span::styled(format!("{state:<8} "), palette.of(role)),
        Span::raw(format!("{:<12} ", cells::fit(&about.user, 12))),
        Span::styled(engine.exe.clone(), palette.of(Role::Dim)),
    ])
}
