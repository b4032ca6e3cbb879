//! View 6: what happens at this moment, event by event, the newest below; and the story of the chosen one's item.

use super::style::{Palette, Role};
use super::{inside, lines, list_inside, list_panel, panel, title};
use crate::app::{App, Msg};
use crate::paint::cells;
use crate::tail::{COLUMNS, SCANNED, TailLine};
use crate::wall;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wq_trace::{Event, What, text, units};

/// Draws the view.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let (list, story) = split(area);
    let inner = list_panel(heading(app, palette), palette, frame, list);
    let widths = Widths::of(inner.width);
    lines([widths.heads(palette)], frame, inner);
    let body = below_heads(inner);
    let (rows, chosen) = app.tail(body.height.into());
    if rows.is_empty() {
        let dim = |text| Line::styled(text, palette.of(Role::Dim));
        lines(nothing(app).into_iter().map(dim), frame, body);
        return;
    }
    for (place, (y, row)) in (body.y..body.bottom()).zip(&rows).enumerate() {
        let at = Rect {
            y,
            height: 1,
            ..body
        };
        frame.render_widget(line(app, *row, &widths, palette), at);
        if place == chosen {
            palette.select(at, frame.buffer_mut());
        }
    }
    if let Some(story) = story {
        tell(app, palette, frame, story);
    }
}

/// Why there is no event.
fn nothing(app: &App) -> Vec<String> {
    match app.past().events().len() {
        kept if kept > 0 && !app.filter().is_empty() => {
            super::table::unfound(app, &format!("the last {} events", kept.min(SCANNED)))
        }
        _ => vec!["no event is kept of this moment".to_owned()],
    }
}

/// Where the events stand.
pub fn list(_: &App, screen: Rect, area: Rect) -> Option<Rect> {
    Some(below_heads(list_inside(screen, split(area).0)))
}

/// What a click on a line means.
pub fn hit(app: &App, rows: Rect, y: u16) -> Option<Msg> {
    let (lines, _) = app.tail(rows.height.into());
    match lines.get(usize::from(y - rows.y))? {
        TailLine::Event(place) => Some(Msg::Select(*place)),
        TailLine::Lost(_) => None,
    }
}

/// The events, and below them the story where there is room.
fn split(area: Rect) -> (Rect, Option<Rect>) {
    const STORY: u16 = 9;
    if area.height < 24 || area.width < 60 {
        return (area, None);
    }
    let list = Rect {
        height: area.height - STORY,
        ..area
    };
    let story = Rect {
        y: list.bottom(),
        height: STORY,
        ..area
    };
    (list, Some(story))
}

fn below_heads(area: Rect) -> Rect {
    Rect {
        y: area.y + area.height.min(1),
        height: area.height.saturating_sub(1),
        ..area
    }
}

fn heading(app: &App, palette: Palette) -> Line<'static> {
    let mut heading = title("Events", palette);
    let state = if app.is_paused() {
        "─ held: Up and Down choose, End follows again "
    } else {
        "─ following "
    };
    heading.push_span(Span::styled(state, palette.of(Role::Dim)));
    let kept = units::count(app.past().events().len() as u64);
    let text = format!("─ the last {kept} are kept ");
    heading.push_span(Span::styled(text, palette.of(Role::Dim)));
    heading
}

/// Cells of each column; 0 where it finds no room.
struct Widths([u16; COLUMNS.len()]);

impl Widths {
    fn of(width: u16) -> Self {
        // The event and its function say most; what else there is takes the rest.
        let wanted: [(usize, u16); 6] = [(3, 15), (5, 16), (0, 15), (2, 20), (4, 14), (1, 4)];
        let (mut all, mut room) = ([0; COLUMNS.len()], width);
        for (column, cells) in wanted {
            if room > cells {
                all[column] = cells;
                room -= cells + 1;
            }
        }
        all[6] = if room >= 12 { room } else { 0 };
        Self(all)
    }

    fn line(
        &self,
        cells: [String; COLUMNS.len()],
        roles: [Role; COLUMNS.len()],
        palette: Palette,
    ) -> Line<'static> {
        let mut line = Line::default();
        for ((text, width), role) in cells.into_iter().zip(self.0).zip(roles) {
            if width == 0 {
                continue;
            }
            let text = cells::fit(&text, width);
            let pad = usize::from(width).saturating_sub(Span::raw(&text).width()) + 1;
            line.push_span(Span::styled(text, palette.of(role)));
            line.push_span(Span::raw(" ".repeat(pad)));
        }
        line
    }

    fn heads(&self, palette: Palette) -> Line<'static> {
        let titles = COLUMNS.map(|(_, title, _)| title.to_owned());
        self.line(titles, [Role::Dim; COLUMNS.len()], palette)
    }
}

fn line(app: &App, row: TailLine, widths: &Widths, palette: Palette) -> Line<'static> {
    match row {
        TailLine::Lost(lost) => {
            let text = format!("~~ {} events lost ~~", units::count(lost));
            Line::styled(text, palette.of(Role::Bad))
        }
        TailLine::Event(place) => app.event_at(place).map_or_else(Line::default, |event| {
            let (cells, roles) = told(app, event);
            widths.line(cells, roles, palette)
        }),
    }
}

/// When an event was: the time of day with microseconds.
fn when(app: &App, event: &Event) -> String {
    app.model().snapshot().map_or_else(String::new, |state| {
        let wall = wall::at(state, event.at);
        format!("{}.{:06}", wall::clock(wall), wall / 1_000 % 1_000_000)
    })
}

fn told(app: &App, event: &Event) -> ([String; COLUMNS.len()], [Role; COLUMNS.len()]) {
    let names = app.model().names();
    let known = |there: bool, name: &str| {
        if there {
            name.to_owned()
        } else {
            "-".to_owned()
        }
    };
    let what = role(event.what);
    let cells = [
        when(app, event),
        event.cpu.to_string(),
        format!("{}-{}", names.comm(event.tid), event.tid),
        short(event),
        known(event.wq.is_some(), names.workqueue(event.wq)),
        known(event.func.is_some(), names.function(event.func)),
        more(app, event),
    ];
    let plain = Role::Plain;
    (
        cells,
        [Role::Dim, Role::Dim, plain, what, plain, plain, Role::Dim],
    )
}

fn short(event: &Event) -> String {
    text::short_name(&event.what).to_owned()
}

/// What the other columns do not say.
fn more(app: &App, event: &Event) -> String {
    let fields = text::fields(event, app.model().names());
    let others = fields
        .iter()
        .filter(|(key, _)| !matches!(*key, "function" | "workqueue"));
    let others: Vec<_> = others
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    others.join(" ")
}

/// What kind of step it is.
const fn role(what: What) -> Role {
    match what {
        What::ExecuteStart | What::ExecuteEnd => Role::Good,
        What::WorkerSleep { .. } | What::WorkerResume { .. } => Role::Asleep,
        What::HoldWork { .. }
        | What::CpuIntensive { .. }
        | What::Mayday
        | What::Rescue
        | What::ManagerStart
        | What::ManagerEnd => Role::Warn,
        What::Stall { .. } | What::Panic | What::Deadlock { .. } | What::DropWork { .. } => {
            Role::Bad
        }
        What::WorkerWake { .. } | What::WorkerIdle { .. } => Role::Dim,
        _ => Role::Plain,
    }
}

/// The steps of the chosen event's item, and how long each took.
fn tell(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let inner = inside(area);
    let chosen = app.chosen_event();
    let steps = chosen.map_or_else(Vec::new, |chosen| app.story(chosen));
    panel(title("Its item", palette), palette, frame, area);
    if steps.is_empty() {
        let text = "this event is not about an item";
        lines([Line::styled(text, palette.of(Role::Dim))], frame, inner);
        return;
    }
    let mut before: Option<u64> = None;
    let first = steps.len().saturating_sub(inner.height.into());
    let rows = steps[first..].iter().filter_map(|place| {
        let event = app.event_at(*place)?;
        let since = before.map_or_else(
            || when(app, event),
            |at| format!("+{}", units::duration(event.at.saturating_sub(at))),
        );
        before = Some(event.at);
        let mark = if Some(*place) == chosen { "▸ " } else { "  " };
        let mut line = Line::from(Span::styled(mark, palette.of(Role::Accent)));
        line.push_span(Span::styled(format!("{since:>16} "), palette.of(Role::Dim)));
        let name = format!("{:<16} ", short(event));
        line.push_span(Span::styled(name, palette.of(role(event.what))));
        let who = app.model().names().comm(event.tid).to_owned();
        line.push_span(Span::raw(format!("{who} on CPU {}", event.cpu)));
        Some(line)
    });
    let rows: Vec<_> = rows.collect();
    lines(rows, frame, inner);
}
