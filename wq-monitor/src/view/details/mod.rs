//! The details pane: one thing's facts, history, its wait by parts, and what belongs to it. A file for each kind of thing.

mod function;
mod page;
mod pool;
mod related;
mod wait;
mod worker;
mod workqueue;

use super::style::{Palette, Role};
use super::{inside, lines, panel, table, title, warnings};
use crate::app::{App, Msg};
use crate::details::{Details, Subject, related};
use page::Page;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::text::{Line, Span};

/// Draws the pane over the view.
pub fn draw(app: &App, open: &Details, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let subject = open.subject();
    let places = places(area);
    about(app, subject, palette, frame, &places);
    let all = related(app.model(), subject);
    let selected = open.selected(&all);
    let mut heading = title("Related", palette);
    if area.width >= 60 {
        let text = "Enter goes there, Esc back ";
        heading.push_span(Span::styled(text, palette.of(Role::Dim)));
    }
    let inner = panel(heading, palette, frame, places.related);
    related::draw(app.model(), &all, selected, palette, frame, inner);
}

/// Draws facts, history and wait of the row that is chosen in a list.
pub fn preview(app: &App, subject: Subject, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let [facts, wait] = halves(area);
    let places = Places {
        facts,
        wait,
        related: Rect::default(),
    };
    about(app, subject, palette, frame, &places);
}

/// What a click on the pane means: a related row is chosen.
pub fn hit(app: &App, open: &Details, area: Rect, at: Position) -> Option<Msg> {
    let area = inside(places(area).related);
    if !area.contains(at) {
        return None;
    }
    let all = related(app.model(), open.subject());
    let top = table::first_row(open.selected(&all), all.len(), area.height.into());
    let place = top + usize::from(at.y - area.y);
    (place < all.len()).then_some(Msg::Select(place))
}

/// Where the parts of the pane stand.
struct Places {
    facts: Rect,
    wait: Rect,
    related: Rect,
}

/// Facts and history beside the wait, what is related below; narrow screens have all one below the other.
fn places(area: Rect) -> Places {
    if area.width >= 64 && area.height >= 14 {
        let below = (area.height / 3).max(6);
        let rows = [Constraint::Fill(1), Constraint::Length(below)];
        let [above, related] = Layout::vertical(rows).areas(area);
        let [facts, wait] = halves(above);
        return Places {
            facts,
            wait,
            related,
        };
    }
    let rows = [
        Constraint::Length((area.height / 3).max(1)),
        Constraint::Length((area.height / 3).max(1)),
        Constraint::Fill(1),
    ];
    let [facts, wait, related] = Layout::vertical(rows).areas(area);
    Places {
        facts,
        wait,
        related,
    }
}

fn halves(area: Rect) -> [Rect; 2] {
    Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(area)
}

/// The page of a thing, without what is related.
fn about(app: &App, subject: Subject, palette: Palette, frame: &mut Frame<'_>, places: &Places) {
    let model = app.model();
    let page = match subject {
        Subject::Workqueue(id) => workqueue::page(model, id, palette),
        Subject::Pool(id) => pool::page(model, id, palette),
        Subject::Worker(id) => worker::page(model, id, palette),
        Subject::Function(id) => function::page(model, id, palette),
    };
    let heading = format!("{} {}", capital(subject.kind()), subject.name(model));
    let Some(page) = page else {
        let inner = panel(title(&heading, palette), palette, frame, places.facts);
        let gone = "it is not there any more";
        lines([Line::styled(gone, palette.of(Role::Warn))], frame, inner);
        return;
    };
    let wrong = warnings::of_thing(
        app.warnings_of(subject),
        inside(places.facts).width,
        palette,
    );
    facts(heading, &page, wrong, palette, frame, places.facts);
    wait::draw(&page.wait, palette, frame, places.wait);
}

/// What is wrong and the facts as text, the history in what is left.
fn facts(
    heading: String,
    page: &Page,
    wrong: Vec<Line<'static>>,
    palette: Palette,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let inner = panel(title(&heading, palette), palette, frame, area);
    let mut text = wrong;
    text.extend(page.flow(inner.width, palette));
    if inner == area {
        // Without a frame the title is a line of its own.
        text.insert(0, Line::styled(heading, palette.of(Role::Title)));
    }
    let used = u16::try_from(text.len()).unwrap_or(u16::MAX);
    lines(text, frame, inner);
    let left = inner.height.saturating_sub(used);
    // A line for its name and one for itself at least.
    let charts = page.charts.len().min(usize::from(left / 2));
    let rest = Rect {
        y: inner.y + inner.height - left,
        height: left,
        ..inner
    };
    let rows = Layout::vertical(vec![Constraint::Fill(1); charts]).split(rest);
    for (chart, area) in page.charts.iter().zip(rows.iter()) {
        chart.draw(palette, frame, *area);
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
