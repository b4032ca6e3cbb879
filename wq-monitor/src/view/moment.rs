//! The line that says which moment is held: how long ago, when, which state; and on the right all that is kept as a
//! strip, as busy as the engine was, with that moment on it.

use super::bars;
use super::style::{Palette, Role};
use crate::app::App;
use crate::time::Place;
use crate::wall;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wq_trace::{Liveness, units};

/// A strip of fewer cells would say nothing.
const LEAST: usize = 8;
/// Cells to leave for it, words and all, where there are so many in all.
const STRIP: usize = 26;
const ROOMY: usize = 70;

/// Draws it; nothing at the present.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let Some(place) = app.time().place() else {
        return;
    };
    if area.height == 0 {
        return;
    }
    let width = usize::from(area.width);
    let texts = texts(app, place);
    // A shorter text and the strip say more than a long text.
    let room = if width < ROOMY { width } else { width - STRIP };
    let fits = texts.iter().find(|text| text.chars().count() <= room);
    let style = palette.of(Role::Warn).patch(palette.badge());
    let text = fits.or(texts.last()).cloned().unwrap_or_default();
    let mut line = Line::from(Span::styled(text, style));
    line.spans
        .extend(strip(app, place, width - line.width().min(width), palette));
    frame.render_widget(line, area);
}

/// The words, longest first.
fn texts(app: &App, place: Place) -> [String; 3] {
    let at = app.model().at();
    let behind = app
        .latest()
        .map_or(0, |latest| latest.at)
        .saturating_sub(at);
    let over = is_over(app);
    let ago = match (behind, over) {
        (0, true) => "at the end".to_owned(),
        (0, false) => "now".to_owned(),
        (behind, true) => format!("{} before the end", units::duration(behind)),
        (behind, false) => format!("{} ago", units::duration(behind)),
    };
    let clock = app
        .model()
        .snapshot()
        .map_or_else(String::new, |state| wall::clock(wall::at(state, at)));
    let state = format!("{}/{}", place.index + 1, place.len);
    [
        format!(" ◀ PAUSED {ago}  {clock} UTC  state {state} "),
        format!(" ◀ {ago}  {clock}  state {state} "),
        format!(" ◀ {ago} {state} "),
    ]
}

fn is_over(app: &App) -> bool {
    !matches!(app.link.liveness, Liveness::Live | Liveness::Unknown)
}

/// `2m10s ago ▂▃█▁▁●▁▁▂ now` in at most so many cells, or nothing.
fn strip(app: &App, place: Place, width: usize, palette: Palette) -> Vec<Span<'static>> {
    let (oldest, newest) = place.span;
    let reach = units::duration(newest.saturating_sub(oldest));
    let (before, after) = match is_over(app) {
        true => (format!("  -{reach} "), " end "),
        false => (format!("  {reach} ago "), " now "),
    };
    let cells = width.saturating_sub(before.chars().count() + after.len());
    if cells < LEAST {
        return Vec::new();
    }
    let busy = app.past().strip(cells);
    if busy.is_empty() {
        return Vec::new();
    }
    let line = bars::sparkline(&busy, cells).replace(' ', "·");
    let bars: Vec<char> = line.chars().collect();
    let head = app
        .past()
        .cell_of(app.model().at(), cells)
        .min(bars.len() - 1);
    let part =
        |bars: &[char]| Span::styled(bars.iter().collect::<String>(), palette.of(Role::Good));
    let dim = |text: String| Span::styled(text, palette.of(Role::Dim));
    vec![
        dim(before),
        part(&bars[..head]),
        Span::styled("●", palette.of(Role::Warn)),
        part(&bars[head + 1..]),
        dim(after.to_owned()),
    ]
}
