//! View 8: who ran, slept or waited when: a lane for each worker below its pool's worklist, or one for each CPU.

use super::style::{Palette, Role};
use super::{list_inside, list_panel, table, title};
use crate::app::{App, Msg};
use crate::paint::cells;
use crate::timeline::{Picture, Row};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use wq_trace::lanes::{Cell, Item, Lane};
use wq_trace::{Names, units};

/// Draws the view.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let Some(picture) = app.picture() else {
        return;
    };
    let inner = list_panel(heading(app, &picture, palette), palette, frame, area);
    let parts = Parts::of(inner);
    ruler(&picture, parts, palette, frame.buffer_mut());
    let rows = picture.rows.len();
    if rows == 0 {
        let text = "nothing was done in this time";
        super::lines(
            [Line::styled(text, palette.of(Role::Dim))],
            frame,
            parts.rows,
        );
    }
    let top = table::first_row(picture.chosen, rows, parts.rows.height.into());
    for (y, place) in (parts.rows.y..parts.rows.bottom()).zip(top..rows) {
        let line = Rect {
            y,
            height: 1,
            ..parts.rows
        };
        row(app, &picture, picture.rows[place], line, palette, frame);
        if place == picture.chosen {
            let name = Rect {
                width: parts.name.min(line.width),
                ..line
            };
            palette.select(name, frame.buffer_mut());
        }
    }
    let said = [said(app, &picture, palette), legend(&picture, palette)];
    super::lines(said, frame, parts.foot);
}

/// Where the rows stand.
pub fn list(_: &App, screen: Rect, area: Rect) -> Option<Rect> {
    Some(Parts::of(list_inside(screen, area)).rows)
}

/// What a click on a row of the picture means.
pub fn hit(app: &App, rows: Rect, y: u16) -> Option<Msg> {
    let picture = app.picture()?;
    let len = picture.rows.len();
    let place = table::first_row(picture.chosen, len, rows.height.into()) + usize::from(y - rows.y);
    (place < len).then_some(Msg::Select(place))
}

/// Where everything stands.
#[derive(Clone, Copy)]
struct Parts {
    ruler: Rect,
    rows: Rect,
    /// Two lines of words, where there is room.
    foot: Rect,
    /// Cells for a row's name, and a blank behind it.
    name: u16,
}

impl Parts {
    fn of(area: Rect) -> Self {
        let foot = match area.height {
            0..4 => 0,
            4..10 => 1,
            _ => 2,
        };
        let ruler = area.height.min(1);
        Self {
            ruler: Rect {
                height: ruler,
                ..area
            },
            rows: Rect {
                y: area.y + ruler,
                height: area.height.saturating_sub(ruler + foot),
                ..area
            },
            foot: Rect {
                y: area.bottom() - foot,
                height: foot,
                ..area
            },
            name: (area.width / 4).clamp(area.width.min(8), 26),
        }
    }

    /// The part of a line where time is.
    fn time(self, line: Rect) -> Rect {
        let name = self.name.min(line.width);
        Rect {
            x: line.x + name,
            width: line.width - name,
            ..line
        }
    }
}

fn heading(app: &App, picture: &Picture, palette: Palette) -> Line<'static> {
    let mut heading = title("Timeline", palette);
    let across = units::duration(app.ui.timeline.across());
    let whose = if app.ui.timeline.by_cpu {
        "by CPU"
    } else {
        "by worker"
    };
    let text = format!("─ {across} across, {whose} ");
    heading.push_span(Span::styled(text, palette.of(Role::Dim)));
    if picture.window.1 < picture.now {
        let ago = units::duration(picture.now - picture.window.1);
        let text = format!("─ ends {ago} before: End goes there ");
        heading.push_span(Span::styled(text, palette.of(Role::Warn)));
    }
    if picture.lanes.window.0 > picture.window.0 {
        let kept = units::duration(picture.now.saturating_sub(picture.lanes.window.0));
        let text = format!("─ events of the last {kept} are kept ");
        heading.push_span(Span::styled(text, palette.of(Role::Dim)));
    }
    heading
}

/// Times before the moment shown, from the left edge to the right one.
fn ruler(picture: &Picture, parts: Parts, palette: Palette, buffer: &mut Buffer) {
    const APART: u16 = 12;
    let area = parts.time(parts.ruler);
    if area.is_empty() {
        return;
    }
    let dim = palette.of(Role::Dim);
    buffer.set_stringn(parts.ruler.x, parts.ruler.y, "ago", parts.name.into(), dim);
    let (from, to) = picture.window;
    let across = to - from;
    let marks = (area.width / APART).max(1);
    for mark in 0..marks {
        let x = area.x + area.width * mark / marks;
        let at = from + across * u64::from(mark) / u64::from(marks);
        let text = format!("╎{}", units::duration(picture.now - at));
        buffer.set_stringn(x, area.y, &text, (area.right() - x).into(), dim);
    }
}

fn row(
    app: &App,
    picture: &Picture,
    row: Row,
    line: Rect,
    palette: Palette,
    frame: &mut Frame<'_>,
) {
    let parts = Parts::of(line);
    let area = parts.time(line);
    let mut name = name(app, row);
    if parts.name < 16 {
        // The number matters, not what all have in common.
        name = name.replace("kworker/", "");
    }
    let name = cells::fit(&name, parts.name.saturating_sub(1));
    let style = palette.of(match row {
        Row::Pool(_) => Role::Title,
        Row::Worker(_) | Row::Cpu(_) => Role::Plain,
    });
    let buffer = frame.buffer_mut();
    buffer.set_stringn(line.x, line.y, name, parts.name.into(), style);
    match row {
        Row::Pool(id) => worklist(picture, id, area, palette, buffer),
        Row::Worker(_) | Row::Cpu(_) => {
            if let Some(lane) = picture.lane(row) {
                executions(app.model().names(), picture, &lane, area, palette, buffer);
            }
        }
    }
}

/// What a row is called.
fn name(app: &App, row: Row) -> String {
    let names = app.model().names();
    match row {
        Row::Pool(id) => {
            let pools = app.model().pools().iter();
            let pool = pools.into_iter().find(|pool| pool.row.id == id);
            pool.map_or_else(
                || "pool".to_owned(),
                |pool| format!("pool {} {}", pool.row.number, pool.kind()),
            )
        }
        Row::Worker(id) => format!(" {}", names.worker(id)),
        Row::Cpu(cpu) => format!("CPU {cpu}"),
    }
}

/// How full the worklist was: a cell's height doubles the items.
fn worklist(
    picture: &Picture,
    pool: wq_trace::PoolId,
    area: Rect,
    palette: Palette,
    buffer: &mut Buffer,
) {
    let Some(pressure) = picture.lanes.pressure.get(&pool) else {
        return;
    };
    for (x, (from, to)) in (area.x..).zip(stretches(picture.window, area.width)) {
        let (symbol, role) = match pressure.most(from, to) {
            None => ('~', Role::Dim),
            Some(0) => ('·', Role::Dim),
            Some(items) => (height((items.ilog2() + 1).min(8)), Role::Warn),
        };
        buffer[(x, area.y)]
            .set_char(symbol)
            .set_style(palette.of(role));
    }
}

/// Blocks of one to eight eighths.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

const fn height(eighths: u32) -> char {
    HEIGHTS[if eighths == 0 {
        0
    } else {
        eighths as usize - 1
    }]
}

/// The executions of a lane, their names inside where there is room.
fn executions(
    names: &Names,
    picture: &Picture,
    lane: &Lane,
    area: Rect,
    palette: Palette,
    buffer: &mut Buffer,
) {
    let (from, to) = picture.window;
    let all = lane.cells(from, to, area.width.into());
    for (x, cell) in (area.x..).zip(&all) {
        let (symbol, style) = look(cell, palette);
        buffer[(x, area.y)].set_char(symbol).set_style(style);
    }
    for (start, len, item) in blocks(&all) {
        let room = len.saturating_sub(2);
        let name = cells::fit(names.function(item.func), room);
        if room < 3 {
            continue;
        }
        let (begins, place) = (area.x + start, usize::from(start) + 1);
        for (x, symbol) in (begins + 1..).zip(name.chars()) {
            let at = place + usize::from(x - begins - 1);
            let style = inscribed(&all[at.min(all.len() - 1)], item, palette);
            buffer[(x, area.y)].set_char(symbol).set_style(style);
        }
    }
}

/// How a stretch looks: what most of it was.
fn look(cell: &Cell, palette: Palette) -> (char, Style) {
    let most = cell.runs.max(cell.sleeps).max(cell.creates).max(cell.woken);
    if cell.unknown > most {
        return ('~', palette.of(Role::Bad));
    }
    let function = cell
        .item
        .map_or_else(Style::new, |(item, _)| palette.function(item.func));
    if most < 0.01 {
        (' ', Style::new())
    } else if cell.sleeps >= most {
        ('╌', palette.of(Role::Asleep))
    } else if cell.runs >= most {
        // What was executed at all is seen.
        let eighths = (cell.busy() * 8.0).round().clamp(1.0, 8.0) as u32;
        (height(eighths), function)
    } else if cell.creates >= most {
        ('+', palette.of(Role::Warn))
    } else {
        ('›', palette.of(Role::Accent))
    }
}

/// A letter on a block: dark on its colour where it ran, plain where it slept.
fn inscribed(cell: &Cell, item: Item, palette: Palette) -> Style {
    if cell.sleeps > cell.runs {
        return palette.of(Role::Asleep);
    }
    palette.inscribed(palette.function(item.func))
}

/// Runs of cells that one execution fills: first, length, which.
fn blocks(all: &[Cell]) -> Vec<(u16, u16, Item)> {
    let mut blocks: Vec<(u16, u16, Item)> = Vec::new();
    for (x, cell) in (0..).zip(all) {
        let Some((item, _)) = cell
            .item
            .filter(|_| cell.executions == 1 && cell.busy() > 0.9)
        else {
            continue;
        };
        match blocks.last_mut() {
            Some((first, len, last)) if *last == item && *first + *len == x => *len += 1,
            _ => blocks.push((x, 1, item)),
        }
    }
    blocks
}

/// Equal stretches of a window.
fn stretches((from, to): (u64, u64), n: u16) -> impl Iterator<Item = (u64, u64)> {
    let border = move |cell: u16| {
        from + (u128::from(to - from) * u128::from(cell) / u128::from(n.max(1))) as u64
    };
    (0..n).map(move |cell| (border(cell), border(cell + 1)))
}

/// The chosen row in words.
fn said(app: &App, picture: &Picture, palette: Palette) -> Line<'static> {
    let Some(&row) = picture.rows.get(picture.chosen) else {
        return Line::default();
    };
    let (from, to) = picture.window;
    let name = name(app, row).trim_start().to_owned();
    let Some(lane) = picture.lane(row) else {
        return Line::styled(
            format!("{name}: {}", waiting(picture, row)),
            palette.of(Role::Plain),
        );
    };
    let sums = lane.sums(from, to);
    let is_cpu = matches!(row, Row::Cpu(_));
    let mut text = format!("{name}: ");
    if sums.executions == 0 {
        text += "executed nothing";
    } else {
        let function = sums
            .function
            .map_or("", |id| app.model().names().function(id));
        let many = if sums.executions == 1 { "" } else { "s" };
        text += &format!(
            "{} execution{many}, mostly of {function}: ",
            sums.executions
        );
        if is_cpu {
            let at_once = sums.runs as f64 / (to - from).max(1) as f64;
            text += &format!("{at_once:.1} at once on average");
        } else {
            text += &format!("ran {}", units::duration(sums.runs));
        }
        if sums.sleeps > 0 {
            text += &format!(", asleep {}", units::duration(sums.sleeps));
        }
        if sums.executions > 1 {
            text += &format!(", longest {}", units::duration(sums.longest));
        }
    }
    for (what, ns) in [("created workers", sums.creates), ("unknown", sums.unknown)] {
        if ns > 0 {
            text += &format!(", {what} {}", units::duration(ns));
        }
    }
    text += &format!(" in {}", units::duration(to - from));
    Line::styled(text, palette.of(Role::Plain))
}

/// What waited for a pool, in words.
fn waiting(picture: &Picture, row: Row) -> String {
    let Row::Pool(id) = row else {
        return String::new();
    };
    let (from, to) = picture.window;
    let most = picture
        .lanes
        .pressure
        .get(&id)
        .and_then(|p| p.most(from, to));
    match most {
        None => "how many items waited is not known".to_owned(),
        Some(0) => "no items waited for a worker".to_owned(),
        Some(items) => format!(
            "at most {} items waited for a worker",
            units::count(items.into())
        ),
    }
}

/// What the shapes mean.
fn legend(picture: &Picture, palette: Palette) -> Line<'static> {
    let mut line = Line::default();
    let mut add = |symbol: &'static str, style: Style, text: &'static str| {
        line.push_span(Span::styled(symbol, style));
        line.push_span(Span::styled(text, palette.of(Role::Dim)));
    };
    add("█", palette.of(Role::Good), " runs (lower: in part)  ");
    add("╌", palette.of(Role::Asleep), " asleep in it  ");
    add("›", palette.of(Role::Accent), " woken  ");
    add("+", palette.of(Role::Warn), " creates workers  ");
    add("~", palette.of(Role::Bad), " events missing  ");
    if picture.rows.iter().any(|row| matches!(row, Row::Pool(_))) {
        add(
            "▂",
            palette.of(Role::Warn),
            " items wait, doubled each step",
        );
    }
    line
}
