//! What stands where a view will be, until there is an engine and something was read of it.

use super::style::{Palette, Role};
use crate::app::App;
use crate::help::wrapped;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Draws it.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    if !app.link.waiting {
        let text = " waiting for the engine ...";
        frame.render_widget(Line::styled(text, palette.of(Role::Dim)), area);
        return;
    }
    let what = match &app.link.wanted {
        Some(name) => format!("No engine named {name} runs yet."),
        None => "No engine runs yet.".to_owned(),
    };
    let width = usize::from(area.width.saturating_sub(3)).max(10);
    let advice = "It is shown as soon as one is started; it is looked for five times a second. q ends the wait.";
    let text = |text: &str, role| {
        let lines = wrapped(text, width).into_iter();
        lines
            .map(|line| Line::styled(format!("  {line}"), palette.of(role)))
            .collect::<Vec<_>>()
    };
    let blank = vec![Line::raw("")];
    let all = [
        blank.clone(),
        text(&what, Role::Title),
        blank,
        text(advice, Role::Plain),
    ];
    super::lines(all.concat(), frame, area);
}
