//! View 4: workers by kworker name, what they run and since when.

use super::style::{Palette, Role};
use super::{cells, list_inside, list_panel, table, title};
use crate::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wq_trace::WorkerState;
use wq_trace::model::Worker;

/// Draws the view.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let workers = app.model().workers();
    let mut heading = title(&format!("Workers {}", super::found(app)), palette);
    heading.extend(census(workers, palette));
    let inner = list_panel(heading, palette, frame, area);
    let (list, line) = split(app, inner);
    if let (Some(area), Some(note)) = (line, &app.threads_note) {
        let text = cells::fit(note, area.width);
        super::lines([Line::styled(text, palette.of(Role::Warn))], frame, area);
    }
    table::draw(app, palette, frame, list);
}

/// Where the list stands.
pub fn list(app: &App, screen: Rect, area: Rect) -> Option<Rect> {
    Some(split(app, list_inside(screen, area)).0)
}

/// The list, and above it the line that says what is not known of the workers' threads.
fn split(app: &App, area: Rect) -> (Rect, Option<Rect>) {
    if app.threads_note.is_none() || area.height < 4 {
        return (area, None);
    }
    let line = Rect { height: 1, ..area };
    let list = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    (list, Some(line))
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
