//! View 2: workqueues, with the columns of the kernel's `wq_monitor.py`, rates and waits; below, the chosen one's page.

use super::style::Palette;
use super::{details, list_inside, list_panel, overview, table, title};
use crate::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Draws the view.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let (list, below) = split(app, area);
    let heading = title(&overview::count(app), palette);
    let inner = list_panel(heading, palette, frame, list);
    table::draw(app, palette, frame, inner);
    if let (Some(area), Some(subject)) = (below, app.chosen()) {
        details::preview(app, subject, palette, frame, area);
    }
}

/// Where the list stands.
pub fn list(app: &App, screen: Rect, area: Rect) -> Option<Rect> {
    Some(list_inside(screen, split(app, area).0))
}

/// Lines of what is said of the chosen one.
const BELOW: u16 = 11;

/// What the list needs, and what is left for the chosen one, if that is enough.
fn split(app: &App, area: Rect) -> (Rect, Option<Rect>) {
    let rows = app.model().workqueues().len();
    if app.chosen().is_none() {
        return (area, None);
    }
    // Two lines of frame and one of headings.
    let need = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(3);
    let height = area.height.saturating_sub(need).max(BELOW);
    if area.height < BELOW + 8 || area.width < 64 {
        return (area, None);
    }
    let list = Rect {
        height: area.height - height,
        ..area
    };
    let below = Rect {
        y: list.bottom(),
        height,
        ..area
    };
    (list, Some(below))
}
