//! A graph of history under a line with its name, the value of now and the highest one shown.

use super::bars;
use super::style::{Palette, Role};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the newest of `values`, one a column, as `text` says them.
pub fn draw(
    name: &str,
    values: &[f64],
    text: fn(f64) -> String,
    role: Role,
    palette: Palette,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let width = usize::from(area.width);
    let shown = &values[values.len().saturating_sub(width)..];
    let now = shown.last().copied().unwrap_or(0.0);
    let most = shown.iter().copied().fold(0.0, f64::max);
    let heading = Line::from(vec![
        Span::styled(format!("{name} "), palette.of(Role::Dim)),
        Span::raw(text(now)),
        Span::styled(format!("  at most {}", text(most)), palette.of(Role::Dim)),
    ]);
    let height = usize::from(area.height.saturating_sub(1));
    let rows = bars::graph(values, width, height).into_iter();
    let rows = rows.map(|row| Line::styled(row, palette.of(role)));
    super::lines(std::iter::once(heading).chain(rows), frame, area);
}

/// A whole number of things.
pub fn whole(number: f64) -> String {
    // A float out of range saturates.
    wq_trace::units::count(number as u64)
}
