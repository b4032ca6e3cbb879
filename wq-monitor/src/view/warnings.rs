//! Warnings: the box of the overview, the mark beside a row, and the list of all with what is known of the chosen one.

use super::style::{Palette, Role};
use super::{cells, inside, lines, panel, table, title};
use crate::app::{App, Msg};
use crate::help::wrapped;
use crate::warned::{Listed, WarningList, thing};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use wq_trace::units;
use wq_trace::warn::{LINTS, Level, Warning};

/// The mark of a level, without colours too.
pub fn mark(level: Level) -> &'static str {
    match level {
        Level::Problem => "!!",
        Level::Warning => "!",
        Level::Note => "i",
    }
}

/// The colour of a level.
pub fn role(level: Level) -> Role {
    match level {
        Level::Problem => Role::Bad,
        Level::Warning => Role::Warn,
        Level::Note => Role::Plain,
    }
}

/// How many there are, as a word or, where that finds no room, as a number.
pub fn count(app: &App, width: u16, palette: Palette) -> Option<Span<'static>> {
    let style = palette.of(role(app.worst(None)?)).patch(palette.badge());
    let n = app.warnings().len();
    let text = match (n, width) {
        (n, ..=18) => format!(" !{n} "),
        (1, _) => " ! 1 warning ".to_owned(),
        (n, _) => format!(" ! {n} warnings "),
    };
    Some(Span::styled(text, style))
}

/// Lines of the overview's box, with its frame; none while nothing is wrong.
pub fn box_height(app: &App, area: Rect) -> u16 {
    let most = match area.height {
        ..16 => 0,
        16..30 => 1,
        _ => 4,
    };
    match u16::try_from(app.warnings().len())
        .unwrap_or(u16::MAX)
        .min(most)
    {
        // A frame needs two lines inside.
        n @ 0..2 => n,
        n => n + 2,
    }
}

/// Draws the overview's box: the worst, each in a line.
pub fn draw_box(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let all = app.warnings();
    let mut heading = title(&format!("Warnings {}", all.len()), palette);
    let hint = "! shows them with their evidence and what to do ";
    heading.push_span(Span::styled(hint, palette.of(Role::Dim)));
    let inner = panel(heading, palette, frame, area);
    let now = app.model().at();
    let all = all.iter().map(|warning| {
        let it = Listed {
            warning,
            is_over: false,
        };
        line(it, now, inner.width, palette)
    });
    lines(all, frame, inner);
}

/// One warning in a line: how bad, since when, its name, the sentence.
fn line(it: Listed<'_>, now: u64, width: u16, palette: Palette) -> Line<'static> {
    let warning = it.warning;
    let role = if it.is_over {
        Role::Dim
    } else {
        role(warning.level)
    };
    let when = match it.is_over {
        true => format!("{} ago", units::duration(now.saturating_sub(warning.last))),
        false => units::duration(now.saturating_sub(warning.since)),
    };
    let mut spans = vec![Span::styled(
        format!("{:<2} ", mark(warning.level)),
        palette.of(role),
    )];
    if width >= 60 {
        let name = format!("{:<18} ", warning.lint);
        spans.push(Span::styled(name, palette.of(role)));
    }
    let used: usize = spans.iter().map(Span::width).sum();
    let room = width.saturating_sub(u16::try_from(used).unwrap_or(u16::MAX));
    let room = room.saturating_sub(u16::try_from(when.len() + 1).unwrap_or(u16::MAX));
    let sentence = cells::fit(&warning.sentence, room);
    let pad = usize::from(room).saturating_sub(Span::raw(&sentence).width());
    let text = if it.is_over { Role::Dim } else { Role::Plain };
    spans.push(Span::styled(sentence, palette.of(text)));
    spans.push(Span::styled(
        format!("{} {when}", " ".repeat(pad)),
        palette.of(Role::Dim),
    ));
    Line::from(spans)
}

/// Where the list of all stands, and where what is known of the chosen one does.
fn places(app: &App, area: Rect) -> (Rect, Rect) {
    let all = u16::try_from(app.all_warnings().len()).unwrap_or(u16::MAX);
    let frame = area.height - inside(area).height;
    let most = area.height / 2;
    let needed = if frame > 0 { all.max(2) } else { all };
    let height = needed.saturating_add(frame).clamp(1, most.max(1));
    let list = Rect { height, ..area };
    let below = Rect {
        y: area.y + height,
        height: area.height - height,
        ..area
    };
    (list, below)
}

/// Draws the list of all, and what is known of the chosen one.
pub fn draw(app: &App, open: &WarningList, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let all = app.all_warnings();
    let Some(chosen) = all.get(open.selected(&all)) else {
        nothing(app, palette, frame, area);
        return;
    };
    let (list, below) = places(app, area);
    let ended = all.iter().filter(|it| it.is_over).count();
    let mut heading = title(&format!("Warnings {}", all.len() - ended), palette);
    if ended > 0 {
        let text = format!("{ended} ended within the last minute ");
        heading.push_span(Span::styled(text, palette.of(Role::Dim)));
    }
    let inner = panel(heading, palette, frame, list);
    let selected = open.selected(&all);
    let top = table::first_row(selected, all.len(), inner.height.into());
    let now = app.model().at();
    let shown = all.iter().skip(top);
    lines(
        shown.map(|it| line(*it, now, inner.width, palette)),
        frame,
        inner,
    );
    let y = inner.y + u16::try_from(selected - top).unwrap_or_default();
    if y < inner.bottom() {
        let row = Rect {
            y,
            height: 1,
            ..inner
        };
        palette.select(row, frame.buffer_mut());
    }
    about(app, *chosen, palette, frame, below);
}

/// All that is known of one.
fn about(app: &App, it: Listed<'_>, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let warning = it.warning;
    let heading = title(&format!("{}: {}", warning.lint, warning.name), palette);
    let inner = panel(heading, palette, frame, area);
    let said = facts(app, it);
    let wide = inner.width >= 50;
    let mut all = Vec::new();
    for (name, text) in said {
        let width = inner.width.saturating_sub(if wide { NAME } else { 0 });
        let label = palette.of(Role::Dim);
        if !wide && !name.is_empty() {
            all.push(Line::styled(name, label));
        }
        for (n, text) in wrapped(&text, width.into()).into_iter().enumerate() {
            let mut line = Line::default();
            if wide {
                let name = if n == 0 { name } else { "" };
                let name = format!("{name:<width$}", width = usize::from(NAME));
                line.push_span(Span::styled(name, label));
            }
            line.push_span(Span::raw(text));
            all.push(line);
        }
    }
    lines(all, frame, inner);
}

/// Cells for the names of facts.
const NAME: u16 = 13;

/// Names and texts, what matters most first.
fn facts(app: &App, it: Listed<'_>) -> Vec<(&'static str, String)> {
    let warning = it.warning;
    let now = app.model().at();
    let ago = |at: u64| units::duration(now.saturating_sub(at));
    let since = match it.is_over {
        true => format!(
            "over; it lasted {} and was found last {} ago",
            units::duration(warning.lasted_ns()),
            ago(warning.last)
        ),
        false => format!(
            "for {} (level: {})",
            ago(warning.since),
            warning.level.word()
        ),
    };
    let settings = app.log().warnings().settings();
    let goes = match thing(warning.subject) {
        Some(_) => format!("goes to the details of {}", warning.name),
        None => "it is about the engine as a whole: there is nothing to go to".to_owned(),
    };
    vec![
        ("", warning.sentence.clone()),
        ("what to do", warning.remedy.to_owned()),
        ("evidence", warning.evidence_text()),
        ("since", since),
        ("threshold", warning.threshold_text(settings)),
        (
            "switch off",
            format!("start with --warn {}=off", warning.lint),
        ),
        ("Enter", goes),
    ]
}

/// What is looked for, while nothing is wrong.
fn nothing(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let inner = panel(title("Warnings", palette), palette, frame, area);
    let settings = app.log().warnings().settings();
    let good = Span::styled("Nothing is wrong", palette.of(Role::Good));
    let rest = Span::styled(
        " now, nor was within the last minute. This is looked for:",
        palette.of(Role::Dim),
    );
    let mut all = vec![Line::from(vec![good, rest])];
    for lint in LINTS {
        let off = settings.threshold(lint).is_none();
        let help = if off { "(switched off)" } else { lint.help };
        let name = format!("{:<19}", lint.name);
        let room = inner.width.saturating_sub(19);
        let style = palette.of(if off { Role::Dim } else { Role::Plain });
        all.push(Line::from(vec![
            Span::styled(name, palette.of(Role::Accent)),
            Span::styled(cells::fit(help, room), style),
        ]));
    }
    lines(all, frame, inner);
}

/// What is wrong with a thing, for its details: a line or two each.
pub fn of_thing<'a>(
    all: impl Iterator<Item = &'a Warning>,
    width: u16,
    palette: Palette,
) -> Vec<Line<'static>> {
    let mut text = Vec::new();
    for warning in all.take(MOST_OF_THING) {
        let words = format!(
            "{} {}: {}",
            mark(warning.level),
            warning.lint,
            warning.sentence
        );
        let style = palette.of(role(warning.level));
        let words = wrapped(&words, usize::from(width).max(1)).into_iter();
        text.extend(words.take(2).map(|words| Line::styled(words, style)));
    }
    text
}

/// Warnings told in the details of a thing.
const MOST_OF_THING: usize = 2;

/// What a click on the list means: a warning is chosen.
pub fn hit(app: &App, open: &WarningList, area: Rect, at: Position) -> Option<Msg> {
    let all = app.all_warnings();
    let list = inside(places(app, area).0);
    if !list.contains(at) {
        return None;
    }
    let top = table::first_row(open.selected(&all), all.len(), list.height.into());
    let place = top + usize::from(at.y - list.y);
    (place < all.len()).then_some(Msg::Select(place))
}
