//! The line that says which moment is held: how long ago, when, which state; and on the right all that is kept as a
//! strip, as busy as the engine was, with that moment on it.

use super::bars;
use super::style::{Palette, Role};
use crate::app::{Act, App, Msg};
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
    let (Some(place), 1..) = (app.time().place(), area.height) else {
        return;
    };
    let parts = parts(app, place, area.width);
    let style = palette.of(Role::Warn).patch(palette.badge());
    let mut line = Line::from(Span::styled(parts.text.clone(), style));
    line.spans.extend(strip(app, &parts, palette));
    frame.render_widget(line, area);
}

/// What a click on column `x` means: to go to the moment that stands there.
pub fn hit(app: &App, area: Rect, x: u16) -> Option<Msg> {
    let place = app.time().place()?;
    let parts = parts(app, place, area.width);
    let left = usize::from(area.x) + width(&parts.text) + width(&parts.before);
    let cell = usize::from(x).checked_sub(left)?;
    if cell >= parts.cells {
        return None;
    }
    let (oldest, newest) = place.span;
    let share = (cell as f64 + 0.5) / parts.cells as f64;
    let at = oldest + ((newest - oldest) as f64 * share) as u64;
    let by = app.past().index_at(at) as isize - place.index as isize;
    Some(Msg::Act(Act::Time(by)))
}

/// How the line is divided.
struct Parts {
    text: String,
    /// How far back the strip reaches.
    before: String,
    /// How many cells it has; none when there is no room, or nothing to show.
    cells: usize,
    /// What is at its end.
    after: &'static str,
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn parts(app: &App, place: Place, room: u16) -> Parts {
    let room = usize::from(room);
    let mut texts = texts(app, place);
    // A shorter text and the strip say more than a long text.
    let most = if room < ROOMY { room } else { room - STRIP };
    let fits = texts.iter().position(|text| width(text) <= most);
    let text = std::mem::take(&mut texts[fits.unwrap_or(2)]);
    let (oldest, newest) = place.span;
    let reach = units::duration(newest.saturating_sub(oldest));
    let (before, after) = match is_over(app) {
        true => (format!("  -{reach} "), " end "),
        false => (format!("  {reach} ago "), " now "),
    };
    let cells = room.saturating_sub(width(&text) + width(&before) + width(after));
    let cells = if cells < LEAST || oldest >= newest {
        0
    } else {
        cells
    };
    Parts {
        text,
        before,
        cells,
        after,
    }
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
        // Stepping does not move what stands behind.
        format!(" ◀ PAUSED {ago:<10}  {clock} UTC  state {state} "),
        format!(" ◀ {ago}  {clock}  state {state} "),
        format!(" ◀ {ago} {state} "),
    ]
}

fn is_over(app: &App) -> bool {
    !matches!(app.link.liveness, Liveness::Live | Liveness::Unknown)
}

/// `2m10s ago ▂▃█▁▁●▁▁▂ now`, or nothing.
fn strip(app: &App, parts: &Parts, palette: Palette) -> Vec<Span<'static>> {
    let busy = app.past().strip(parts.cells);
    if busy.is_empty() {
        return Vec::new();
    }
    let line = bars::sparkline(&busy, parts.cells).replace(' ', "·");
    let head = app.past().cell_of(app.model().at(), parts.cells);
    let lossy = app.past().lossy(parts.cells);
    let dim = |text: &str| Span::styled(text.to_owned(), palette.of(Role::Dim));
    let cell = |(index, bar): (usize, char)| {
        let (role, bar) = match lossy.get(index) {
            Some(true) if palette.has_colours() => (Role::Bad, bar),
            Some(true) => (Role::Bad, '!'),
            _ => (Role::Good, bar),
        };
        match index == head {
            true => Span::styled("●", palette.of(Role::Warn)),
            false => Span::styled(bar.to_string(), palette.of(role)),
        }
    };
    let mut spans = vec![dim(&parts.before)];
    spans.extend(line.chars().enumerate().map(cell));
    spans.push(dim(parts.after));
    spans
}
