//! The two lines on top (what is watched, the tabs) and the banner for news of the engine.

use super::cells::fit;
use super::style::{Palette, Role};
use super::warnings;
use crate::app::{App, View};
use crate::wall;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wq_trace::{Liveness, Reaction, Snapshot, units};

/// Draws the first line. Where not all fits, labels are cut short; then what matters least is left out.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let width = area.width - 1;
    let sides = |labels| (left(app, palette), right(app, labels, palette));
    let full = sides(&LABELS);
    let pieces = full.0.iter().chain(&full.1);
    let need: usize = pieces.map(|piece| piece.width() + GAP).sum();
    let (left, right) = if need <= usize::from(width) + GAP {
        full
    } else {
        sides(&SHORT_LABELS)
    };
    frame.render_widget(joined(&left, &right, width), Rect { width, ..area });
}

/// Blanks between two pieces.
const GAP: usize = 2;
/// What the numbers on the right are.
const LABELS: [&str; 4] = ["events", "lost", "sensing", "self"];
/// The same where there is little room.
const SHORT_LABELS: [&str; 4] = ["ev", "lost", "", "self"];

/// A piece of the header with the rank by which it is left out (highest first).
struct Piece {
    rank: u8,
    spans: Vec<Span<'static>>,
}

impl Piece {
    fn width(&self) -> usize {
        self.spans.iter().map(Span::width).sum()
    }
}

fn piece(rank: u8, label: &str, value: String, role: Role, palette: Palette) -> Piece {
    let mut spans = vec![Span::styled(value, palette.of(role))];
    if !label.is_empty() {
        spans.insert(0, Span::styled(format!("{label} "), palette.of(Role::Dim)));
    }
    Piece { rank, spans }
}

fn left(app: &App, palette: Palette) -> Vec<Piece> {
    let model = app.model();
    let (dot, word, role) = match app.link.liveness {
        _ if app.link.waiting && !app.link.has_data => ("○", "waiting", Role::Warn),
        Liveness::Live => ("●", "live", Role::Good),
        Liveness::Ended => ("■", "ended", Role::Warn),
        Liveness::Dead => ("✖", "dead", Role::Bad),
        Liveness::Unknown => ("?", "unknown", Role::Warn),
        Liveness::Recorded => ("▶", "recorded", Role::Warn),
    };
    let mut pieces = vec![piece(0, "", format!(" {dot} {word}"), role, palette)];
    if let Some(snapshot) = model.snapshot() {
        let meta = &snapshot.meta;
        let up = units::duration(model.at().saturating_sub(meta.started_at));
        pieces.push(piece(1, "", fit(&meta.name, 24), Role::Title, palette));
        pieces.push(piece(4, "pid", meta.pid.to_string(), Role::Plain, palette));
        pieces.push(piece(6, "up", up, Role::Plain, palette));
    }
    pieces
}

fn right(app: &App, labels: &[&str; 4], palette: Palette) -> Vec<Piece> {
    // Counting goes on while the picture is held: the numbers here are those of now.
    let Some(snapshot) = app.latest() else {
        return Vec::new();
    };
    let [events, lost, sensing, own] = labels;
    let rate = match app.link.liveness {
        Liveness::Ended | Liveness::Dead | Liveness::Recorded => "-".to_owned(),
        _ if !snapshot.meta.tracing => "off".to_owned(),
        _ => format!("{}/s", units::rate(app.events_per_s())),
    };
    let (lost_rank, lost_role) = match app.lost_events() {
        0 => (3, Role::Dim),
        _ => (0, Role::Bad),
    };
    let count = units::count(app.lost_events());
    let (mode, mode_role) = tier(snapshot);
    let share = app.link.own_cpu;
    let share_role = if share > 0.1 { Role::Warn } else { Role::Plain };
    vec![
        piece(2, events, rate, Role::Plain, palette),
        piece(lost_rank, lost, count, lost_role, palette),
        piece(5, sensing, mode, mode_role, palette),
        piece(
            7,
            own,
            format!("{:.1}%", share * 100.0),
            share_role,
            palette,
        ),
    ]
}

/// The tier that notices blocking, and how fast it does: `canary 5.1 us`.
fn tier(snapshot: &Snapshot) -> (String, Role) {
    let mode = fit(&snapshot.meta.sensing, 16);
    match snapshot.sensing.reaction {
        Reaction::Measured { p50_ns, .. } => {
            let text = format!("{mode} {}", units::duration(p50_ns));
            (text, Role::Plain)
        }
        Reaction::NoAnswer => (format!("{mode} no answer"), Role::Warn),
        Reaction::Unknown | Reaction::NotMeasured => (mode, Role::Plain),
    }
}

/// Both sides on one line of `width` cells, two blanks between the pieces.
fn joined(left: &[Piece], right: &[Piece], width: u16) -> Line<'static> {
    let width = usize::from(width);
    let all = || left.iter().chain(right);
    let need = |most: u8| -> usize {
        all()
            .filter(|piece| piece.rank <= most)
            .map(|piece| piece.width() + GAP)
            .sum::<usize>()
    };
    let most = (0..=u8::MAX)
        .rev()
        .find(|most| need(*most).saturating_sub(GAP) <= width)
        .unwrap_or(0);
    let kept = |pieces: &[Piece]| -> Vec<Span<'static>> {
        let mut spans = Vec::new();
        for piece in pieces.iter().filter(|piece| piece.rank <= most) {
            if !spans.is_empty() {
                spans.push(Span::raw(" ".repeat(GAP)));
            }
            spans.extend(piece.spans.iter().cloned());
        }
        spans
    };
    let (mut line, right) = (kept(left), kept(right));
    let used: usize = line.iter().chain(&right).map(Span::width).sum();
    line.push(Span::raw(" ".repeat(width.saturating_sub(used))));
    line.extend(right);
    Line::from(line)
}

/// Draws the tabs, and on the right what is filtered and how a replay stands.
pub fn tabs(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let mut tabs = Vec::new();
    let room = tab_room(app, area).width;
    for view in View::ALL {
        let label = label(view, room);
        let style = if view == app.ui.view {
            palette.of(Role::Accent).patch(palette.badge())
        } else {
            palette.of(Role::Dim)
        };
        tabs.push(Span::styled(label, style));
        tabs.push(Span::raw(" "));
    }
    let tabs = Line::from(tabs);
    let free = area
        .width
        .saturating_sub(u16::try_from(tabs.width()).unwrap_or(u16::MAX));
    let marks = marks(app, free, palette);
    let room = area
        .width
        .saturating_sub(u16::try_from(marks.width()).unwrap_or(u16::MAX));
    frame.render_widget(tabs, area);
    frame.render_widget(
        marks.right_aligned(),
        Rect {
            x: area.x + room,
            width: area.width - room,
            ..area
        },
    );
}

/// Where the tabs stand: a part of the line is kept free for what is looked for.
pub fn tab_room(app: &App, area: Rect) -> Rect {
    let wanted = if app.filter().is_empty() || app.prompt().is_some() {
        0
    } else {
        LOOKED_FOR.min(area.width / 3)
    };
    Rect {
        width: area.width - wanted,
        ..area
    }
}

/// Cells for what is looked for and how much is found.
const LOOKED_FOR: u16 = 24;

/// The text of a view's tab: shorter where not all fit, at last its digit.
fn label(view: View, width: u16) -> String {
    let need = |letters: usize| -> usize {
        let all = View::ALL.iter();
        all.map(|view| fit(view.title(), cut(letters)).chars().count() + 5)
            .sum::<usize>()
            - 1
    };
    let letters = [usize::MAX, 4, 0].into_iter();
    let letters = letters
        .into_iter()
        .find(|letters| need(*letters) <= usize::from(width))
        .unwrap_or(0);
    if letters == 0 {
        return format!(" {}", view.digit());
    }
    format!(" {} {} ", view.digit(), fit(view.title(), cut(letters)))
}

fn cut(letters: usize) -> u16 {
    u16::try_from(letters).unwrap_or(u16::MAX)
}

/// The view whose tab stands at column `x`.
pub fn tab_at(area: Rect, x: u16) -> Option<View> {
    let mut left = area.x;
    for view in View::ALL {
        let width = Span::raw(label(view, area.width)).width();
        let right = left.saturating_add(u16::try_from(width).unwrap_or(u16::MAX));
        if (left..right).contains(&x) {
            return Some(view);
        }
        left = right.saturating_add(1);
    }
    None
}

fn marks(app: &App, width: u16, palette: Palette) -> Line<'static> {
    let mut spans = Vec::new();
    spans.extend(looked_for(app, width, palette));
    let used: usize = spans.iter().map(Span::width).sum();
    let width = width.saturating_sub(u16::try_from(used).unwrap_or(u16::MAX));
    let warned = warnings::count(app, width, palette);
    let taken = warned.as_ref().map_or(0, |count| count.width() + 1);
    let width = width.saturating_sub(u16::try_from(taken).unwrap_or(u16::MAX));
    // A word or two of it would say nothing.
    if let (Some(replay), 16..) = (&app.link.replay, width) {
        let text = format!("{} ", fit(replay, width - 1));
        spans.push(Span::styled(text, palette.of(Role::Accent)));
    }
    if let Some(count) = warned {
        spans.push(Span::raw(" "));
        spans.push(count);
    }
    Line::from(spans)
}

/// What is looked for and how much of it is found; and whether what was chosen is there no more.
fn looked_for(app: &App, width: u16, palette: Palette) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    if let Some((subject, gone)) = app.missing() {
        let name = fit(&subject.name(app.model()), 24);
        let what = if gone { "is gone" } else { "is not listed" };
        let whole = format!("{} {name} {what} ", subject.kind());
        let texts = [whole, format!("{name} {what} "), format!("{what} ")];
        let mut fitting = texts.into_iter();
        if let Some(text) = fitting.find(|text| text.chars().count() < width.into()) {
            spans.push(Span::styled(text, palette.of(Role::Warn)));
        }
    }
    let filter = app.filter();
    if filter.is_empty() || app.prompt().is_some() {
        return spans;
    }
    let count = match app.found() {
        Some((shown, all)) => format!(" {shown} of {all}"),
        None => String::new(),
    };
    let room = width.saturating_sub(u16::try_from(count.len() + 2).unwrap_or(u16::MAX));
    if room > 4 {
        let text = fit(&filter.to_string(), room.min(32));
        spans.push(Span::styled(text, palette.of(Role::Accent)));
    }
    spans.push(Span::styled(format!("{count} "), palette.of(Role::Dim)));
    spans
}

/// The line that says that the engine is gone or cannot be read.
pub fn banner(app: &App, palette: Palette) -> Option<Line<'static>> {
    let (text, role) = match (&app.link.problem, app.link.liveness) {
        (Some(problem), _) => (format!(" {problem}"), Role::Bad),
        (None, _) if !app.link.has_data => return None,
        (None, Liveness::Live) => (format!(" {}", app.link.successor.as_ref()?), Role::Warn),
        (None, Liveness::Dead) => {
            let what = format!("gone (killed) at {}", end(app));
            (
                format!(" engine {} {what}{}", pid(app), shown(app)),
                Role::Bad,
            )
        }
        (None, Liveness::Ended) => {
            let what = format!("ended at {}", end(app));
            (
                format!(" engine {} {what}{}", pid(app), shown(app)),
                Role::Warn,
            )
        }
        (None, Liveness::Unknown) => {
            let what = "is in another pid namespace: its end will not be noticed";
            (format!(" engine {} {what}", pid(app)), Role::Warn)
        }
        // The line below says it, too.
        (None, Liveness::Recorded) if app.is_paused() => return None,
        (None, Liveness::Recorded) => {
            let what = format!(" the recording ends at {}", end(app));
            (format!("{what}{}", shown(app)), Role::Warn)
        }
    };
    Some(Line::styled(text, palette.of(role).patch(palette.badge())))
}

fn pid(app: &App) -> u32 {
    app.latest().map_or(0, |snapshot| snapshot.meta.pid)
}

/// The time of day of the last sign of life.
fn end(app: &App) -> String {
    let wall = app.latest().map_or(0, |latest| wall::at(latest, latest.at));
    format!("{} UTC", wall::clock(wall))
}

/// What is shown of something that is over; while a moment is held, another line says that.
fn shown(app: &App) -> &'static str {
    match (app.is_paused(), app.past().len()) {
        (false, _) if app.link.waiting => "; waiting for another one",
        (true, _) if app.link.waiting => "; End: look for another one",
        (true, _) => "",
        (false, 0 | 1) => ", showing the last state",
        (false, _) => ", showing the last state; [ goes back",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_the_highest_rank_go_first_and_the_rest_fits() {
        let palette = Palette::new(false);
        let text = |rank, text: &str| piece(rank, "", text.to_owned(), Role::Plain, palette);
        let left = [text(0, "live"), text(3, "name")];
        let right = [text(1, "lost"), text(2, "sensing")];
        let line = |width| joined(&left, &right, width).to_string();
        assert_eq!(line(30), "live  name       lost  sensing");
        assert_eq!(line(20), "live   lost  sensing");
        assert_eq!(line(12), "live    lost");
        assert_eq!(line(5), "live ");
    }
}
