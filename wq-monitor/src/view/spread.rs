//! View 7: how long items wait and run, and when it was worse: a row for each doubling of the latency, its share since the
//! start, and a heat-map over time.

use super::style::{Palette, Role};
use super::{lines, list_inside, list_panel, table, title};
use crate::app::{App, Msg};
use crate::paint::cells;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wq_trace::heat::{self, BUCKETS, Counts, Round, Which};
use wq_trace::model::{main_reason, sum};
use wq_trace::{WqId, units};

/// Cells of a row's latency and mark, its bar, its percentage.
const LABEL: u16 = 14;
const BAR: u16 = 10;
const SHARE: u16 = 6;

/// Draws the view.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let which = match app.ui.spread.which {
        Which::Wait => "waits",
        Which::Run => "runs",
    };
    let mut heading = title("Latency", palette);
    let text = format!(
        "─ {which} of {}, m: the other ",
        name(app, app.ui.spread.wq)
    );
    heading.push_span(Span::styled(text, palette.of(Role::Dim)));
    let inner = list_panel(heading, palette, frame, area);
    let (names, picture) = split(inner);
    choice(app, palette, frame, names);
    let Some(state) = app.model().snapshot() else {
        return;
    };
    let total = heat::total(state, app.ui.spread.wq, app.ui.spread.which);
    let width = usize::from(picture.width.saturating_sub(LABEL + BAR + SHARE));
    let rounds = rounds(app, width);
    if total.iter().all(|n| *n == 0) {
        let text = "nothing of it since the start";
        lines([Line::styled(text, palette.of(Role::Dim))], frame, picture);
        return;
    }
    let foot = picture.height.min(2);
    let rows = shown(&total, picture.height.saturating_sub(foot));
    for (y, bucket) in (picture.y..).zip(rows.iter().rev()) {
        let at = Rect {
            y,
            height: 1,
            ..picture
        };
        let low = *bucket == rows[0];
        frame.render_widget(row(&total, &rounds, *bucket, low, palette), at);
    }
    let below = Rect {
        y: picture.bottom() - foot,
        height: foot,
        ..picture
    };
    let said = [axis(app, &rounds, palette), slowest(app, &rounds, palette)];
    lines(said, frame, below);
}

/// Where the names stand.
pub fn list(_: &App, screen: Rect, area: Rect) -> Option<Rect> {
    Some(split(list_inside(screen, area)).0)
}

/// What a click on a name means.
pub fn hit(app: &App, names: Rect, y: u16) -> Option<Msg> {
    let all = app.spreads();
    let top = table::first_row(app.chosen_spread(&all), all.len(), names.height.into());
    let place = top + usize::from(y - names.y);
    (place < all.len()).then_some(Msg::Select(place))
}

/// The names, and the picture.
fn split(area: Rect) -> (Rect, Rect) {
    let width = (area.width / 5).min(20);
    let names = Rect { width, ..area };
    let picture = Rect {
        x: area.x + width + 1,
        width: area.width.saturating_sub(width + 1),
        ..area
    };
    (names, picture)
}

fn name(app: &App, wq: Option<WqId>) -> String {
    wq.map_or_else(
        || "all".to_owned(),
        |wq| app.model().names().workqueue(wq).to_owned(),
    )
}

fn choice(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let all = app.spreads();
    let chosen = app.chosen_spread(&all);
    let top = table::first_row(chosen, all.len(), area.height.into());
    for (y, place) in (area.y..area.bottom()).zip(top..all.len()) {
        let at = Rect {
            y,
            height: 1,
            ..area
        };
        let text = cells::fit(&name(app, all[place]), area.width);
        frame.render_widget(Line::raw(text), at);
        if place == chosen {
            palette.select(at, frame.buffer_mut());
        }
    }
}

/// The last rounds until the moment that is shown.
fn rounds(app: &App, width: usize) -> Vec<Round> {
    let at = app.model().at();
    let states: Vec<_> = app.past().states().filter(|state| state.at <= at).collect();
    let first = states.len().saturating_sub(width + 1);
    let look = app.ui.spread;
    heat::rounds(states[first..].iter().copied(), look.wq, look.which)
}

/// The buckets that have a row: from the fastest that was ever seen to the slowest, the slowest where not all have room. The
/// first one has all faster ones in it.
fn shown(total: &Counts, height: u16) -> Vec<usize> {
    let seen = |n: &u64| *n > 0;
    let first = total.iter().position(seen).unwrap_or_default();
    let last = total.iter().rposition(seen).unwrap_or_default();
    let rows: Vec<_> = (first..=last).collect();
    let skip = rows.len().saturating_sub(usize::from(height.max(1)));
    rows[skip..].to_vec()
}

/// Items of a bucket, with all faster ones if it is the lowest row.
fn items(counts: &Counts, bucket: usize, low: bool) -> u64 {
    let from = if low { 0 } else { bucket };
    counts[from..=bucket]
        .iter()
        .fold(0, |sum, n| sum.saturating_add(*n))
}

fn row(
    total: &Counts,
    rounds: &[Round],
    bucket: usize,
    low: bool,
    palette: Palette,
) -> Line<'static> {
    let all = items(total, BUCKETS - 1, true);
    let own = items(total, bucket, low);
    let share = own as f64 / all.max(1) as f64;
    let until = heat::upper(bucket).map_or_else(|| "longer".to_owned(), units::duration);
    let marks = marks(total, bucket, low);
    let mut line = Line::from(Span::raw(format!("{until:>8} ")));
    line.push_span(Span::styled(
        format!("{marks:<5}"),
        palette.of(Role::Accent),
    ));
    let bar = bar(own, largest(total));
    line.push_span(Span::styled(bar, palette.of(Role::Good)));
    let percent = if own == 0 {
        String::new()
    } else {
        units::percent(share)
    };
    line.push_span(Span::styled(
        format!("{percent:>5} "),
        palette.of(Role::Dim),
    ));
    for round in rounds {
        let there = round.items();
        let here = items(&round.counts, bucket, low);
        line.push_span(heat_cell(here, there, palette));
    }
    line
}

/// The most items of a row, to which all bars are drawn.
fn largest(total: &Counts) -> u64 {
    total.iter().copied().max().unwrap_or_default()
}

/// A bar in proportion; what is there at all shows.
fn bar(own: u64, largest: u64) -> String {
    let width = usize::from(BAR);
    let cells = own as f64 / largest.max(1) as f64 * f64::from(BAR);
    let cells = (cells.round() as usize).clamp(usize::from(own > 0), width);
    format!("{:<width$}", "▇".repeat(cells))
}

/// The darker, the larger the part.
fn heat_cell(here: u64, there: u64, palette: Palette) -> Span<'static> {
    let share = here as f64 / there.max(1) as f64;
    let (symbol, role) = match share {
        _ if there == 0 => (" ", Role::Dim),
        _ if here == 0 => ("·", Role::Dim),
        x if x < 0.1 => ("░", Role::Asleep),
        x if x < 0.35 => ("▒", Role::Good),
        x if x < 0.7 => ("▓", Role::Warn),
        _ => ("█", Role::Bad),
    };
    Span::styled(symbol, palette.of(role))
}

/// Which percentiles are reached in a bucket.
fn marks(total: &Counts, bucket: usize, low: bool) -> &'static str {
    let all = items(total, BUCKETS - 1, true) as f64;
    let until = items(total, bucket, true) as f64;
    let before = if low {
        0.0
    } else {
        until - total[bucket] as f64
    };
    let here = |share: f64| before < share * all && until >= share * all;
    match (here(0.5), here(0.9), here(0.99)) {
        (_, _, true) => "p99",
        (_, true, _) => "p90",
        (true, ..) => "p50",
        _ => "",
    }
}

/// When the rounds were.
fn axis(app: &App, rounds: &[Round], palette: Palette) -> Line<'static> {
    let before = " ".repeat(usize::from(LABEL + BAR + SHARE));
    let Some(first) = rounds.first() else {
        return Line::styled("no round is over yet", palette.of(Role::Dim));
    };
    let ago = units::duration(app.model().at().saturating_sub(first.since));
    let text = format!("{before}{ago} ago → now");
    Line::styled(text, palette.of(Role::Dim))
}

/// The round with the slowest items, in words.
fn slowest(app: &App, rounds: &[Round], palette: Palette) -> Line<'static> {
    let worst = rounds
        .iter()
        .filter_map(|round| Some((round.slowest()?, round)))
        .max_by_key(|(bucket, round)| (*bucket, round.counts[*bucket]));
    let Some((bucket, round)) = worst else {
        return Line::styled("nothing of it in these rounds", palette.of(Role::Dim));
    };
    let ago = units::duration(app.model().at().saturating_sub(round.at));
    let items = units::count(round.counts[bucket]);
    let long = match (heat::upper(bucket), bucket) {
        (None, _) => "8.6 s or longer".to_owned(),
        (Some(end), 0) => format!("less than {}", units::duration(end)),
        (Some(end), _) => format!("{} to {}", units::duration(end / 2), units::duration(end)),
    };
    let mut text = format!(
        "slowest {ago} ago: {items} of {} took {long}",
        units::count(round.items())
    );
    if app.ui.spread.which == Which::Wait
        && let Some((part, ns)) = main_reason(&round.breakdown)
    {
        let share = units::share(ns, sum(&round.breakdown));
        text += &format!(
            "; {share} of that round's waiting was {}",
            cells::label(part)
        );
    }
    Line::styled(text, palette.of(Role::Plain))
}
