//! View 4: workers by kworker name, what they run and since when.

use super::style::{Palette, Role};
use super::{list_inside, list_panel, table, title};
use crate::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;
use wq_trace::WorkerState;
use wq_trace::model::Worker;

/// Draws the view.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let workers = app.model().workers();
    let mut heading = title(&format!("Workers {}", super::found(app)), palette);
    heading.extend(census(workers, palette));
    if let Some(note) = &app.threads_note {
        let text = format!("─ {note} ");
        heading.push_span(Span::styled(text, palette.of(Role::Warn)));
    }
    let inner = list_panel(heading, palette, frame, area);
    table::draw(app, palette, frame, inner);
}

/// Where the list stands.
pub fn list(_: &App, screen: Rect, area: Rect) -> Option<Rect> {
    Some(list_inside(screen, area))
}

/// How many are in which state.
fn census(workers: &[Worker], palette: Palette) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for state in WorkerState::ALL {
        let n = workers
            .iter()
            .filter(|worker| worker.row.state == state)
            .count();
        if n > 0 {
            spans.push(Span::styled(format!("─ {n} "), palette.of(Role::Dim)));
            spans.push(Span::styled(
                format!("{} ", state.word()),
                palette.state(state),
            ));
        }
    }
    spans
}
