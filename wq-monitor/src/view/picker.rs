//! The list of engines to choose from, when several live.

use super::style::{Palette, Role};
use super::{cells, panel, title};
use crate::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws one line per engine.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let body = Rect {
        height: area.height - 1,
        ..area
    };
    let inner = panel(title("Which engine?", palette), palette, frame, body);
    let height = usize::from(inner.height);
    let top = (app.ui.engine + 1).saturating_sub(height);
    for (y, (place, engine)) in
        (inner.y..inner.bottom()).zip(app.engines.iter().enumerate().skip(top))
    {
        let line = Line::from(vec![
            Span::styled(format!(" {:>8}  ", engine.pid), palette.of(Role::Plain)),
            Span::styled(
                format!("{:<24}  ", cells::fit(&engine.name, 24)),
                palette.of(Role::Title),
            ),
            Span::styled(engine.exe.clone(), palette.of(Role::Dim)),
        ]);
        let row = Rect {
            y,
            height: 1,
            ..inner
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
