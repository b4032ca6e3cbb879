//! View 5: who queues what from where, how much of it, and whether one of them is a storm.

use super::style::{Palette, Role};
use super::{cells, list_inside, list_panel, table, title};
use crate::app::App;
use crate::lists::producers::is_storm;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wq_trace::units;
use wq_trace::warn::Warning;

/// Draws the view.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let model = app.model();
    let all = model.producer_rows();
    let rate: f64 = all.iter().map(|producer| producer.per_s).sum();
    let mut heading = title(&format!("Producers {}", super::found(app)), palette);
    let text = format!("─ {}/s ", units::rate(rate));
    heading.push_span(Span::styled(text, palette.of(Role::Dim)));
    if model.other_producers() > 0 {
        let others = units::count(model.other_producers());
        let text = format!("─ {others} items of others without a row ");
        heading.push_span(Span::styled(text, palette.of(Role::Warn)));
    }
    if !app.has_events() {
        let text = "─ the events of then are not kept any more ";
        heading.push_span(Span::styled(text, palette.of(Role::Warn)));
    }
    let inner = list_panel(heading, palette, frame, area);
    let (list, line) = split(app, inner);
    if let Some(line) = line {
        super::lines(storm(app, line.width, palette), frame, line);
    }
    table::draw(app, palette, frame, list);
}

/// Where the list stands.
pub fn list(app: &App, screen: Rect, area: Rect) -> Option<Rect> {
    Some(split(app, list_inside(screen, area)).0)
}

/// The list, and above it the line that names a storm.
fn split(app: &App, area: Rect) -> (Rect, Option<Rect>) {
    let storm = told(app).is_some() || app.model().producer_rows().iter().any(is_storm);
    if !storm || area.height < 4 {
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

/// The warning of a function that queues itself again and again.
fn told(app: &App) -> Option<&Warning> {
    let mut all = app.warnings().iter();
    all.find(|warning| warning.lint == "self-requeue")
}

/// Who queues itself again and again, or makes most of all queueing, in words.
fn storm(app: &App, width: u16, palette: Palette) -> Option<Line<'static>> {
    if let Some(warning) = told(app) {
        let text = cells::fit(&warning.sentence, width);
        return Some(Line::styled(text, palette.of(Role::Bad)));
    }
    let producer = app.model().producer_rows().iter().find(|p| is_storm(p))?;
    let does = match producer.via() {
        "itself" => "queues itself again".to_owned(),
        _ => format!("queues {}", producer.function),
    };
    let text = format!(
        "{} {does} {} times a second: {} of all queueing",
        producer.producer,
        units::rate(producer.per_s),
        units::percent(producer.share)
    );
    let role = if producer.via() == "itself" {
        Role::Bad
    } else {
        Role::Warn
    };
    Some(Line::styled(cells::fit(&text, width), palette.of(role)))
}
