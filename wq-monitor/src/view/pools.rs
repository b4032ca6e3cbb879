//! View 3: pools, their concurrency level against workers and backlog.

use super::style::{Palette, Role};
use super::{list_inside, list_panel, pool, table, title};
use crate::app::App;
use crate::details::Subject;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

/// Draws the view.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let pools = app.model().pools();
    let mut heading = title(&format!("Pools {}", super::found(app)), palette);
    if area.width >= 70 {
        heading.extend(legend(palette));
    }
    let (list, detail) = split(app, area);
    let inner = list_panel(heading, palette, frame, list);
    table::draw(app, palette, frame, inner);
    let chosen = app.chosen();
    let chosen = pools
        .iter()
        .find(|pool| Some(Subject::Pool(pool.row.id)) == chosen);
    if let (Some(area), Some(chosen)) = (detail, chosen) {
        pool::draw(app.model(), chosen, palette, frame, area);
    }
}

/// Where the list stands.
pub fn list(app: &App, screen: Rect, area: Rect) -> Option<Rect> {
    let (list, _) = split(app, area);
    Some(list_inside(screen, list))
}

/// What the list needs, and what is left for the details of the chosen pool, if there is one and that is enough.
fn split(app: &App, area: Rect) -> (Rect, Option<Rect>) {
    const DETAILS: u16 = 9;
    let rows = app.model().pools().len();
    if !app
        .chosen()
        .is_some_and(|chosen| chosen.exists(app.model()))
    {
        return (area, None);
    }
    // Two lines of frame and one of headings.
    let need = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(3);
    let left = area.height.saturating_sub(need);
    if left < DETAILS || area.width < 64 {
        return (area, None);
    }
    let list = Rect {
        height: area.height - left,
        ..area
    };
    (
        list,
        Some(Rect {
            y: list.bottom(),
            height: left,
            ..area
        }),
    )
}

/// What the cells of the bar stand for.
fn legend(palette: Palette) -> Vec<Span<'static>> {
    let dim = palette.of(Role::Dim);
    vec![
        Span::styled("─ ", dim),
        Span::styled("█", palette.of(Role::Good)),
        Span::styled(" running ", dim),
        Span::styled("▒", palette.of(Role::Asleep)),
        Span::styled(" not counted ", dim),
        Span::styled("░", dim),
        Span::styled(" idle ", dim),
        Span::styled("▪", palette.of(Role::Warn)),
        Span::styled(" backlog ", dim),
    ]
}
