//! View 1: is it healthy, what goes through, what makes items wait, who queues most.

use super::latency;
use super::style::{Palette, Role};
use super::{bars, cells, inside, load, panel, table, title, warnings};
use crate::app::App;
use crate::lists::pools;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use wq_trace::model::Model;
use wq_trace::{Counter, Liveness, units};

/// Draws as many panels as there is room for; the workqueues always.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let Some([wrong, top, middle, bottom]) = bands(app, area) else {
        small(app, palette, frame, area);
        return;
    };
    if wrong.height > 0 {
        warnings::draw_box(app, palette, frame, wrong);
    }
    let thirds = [
        Constraint::Fill(4),
        Constraint::Fill(4),
        Constraint::Fill(4),
    ];
    let [left, centre, right] = Layout::horizontal(thirds).areas(top);
    throughput(app, palette, frame, left);
    load::draw(app, palette, frame, centre);
    latency::draw(app, palette, frame, right);
    workqueues(app, palette, frame, middle);
    let [left, right] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(bottom);
    producers(app, palette, frame, left);
    functions(app.model(), palette, frame, right);
}

/// Where the list stands.
pub fn list(app: &App, _: Rect, area: Rect) -> Option<Rect> {
    Some(match bands(app, area) {
        Some([_, _, middle, _]) => inside(middle),
        None => under(area),
    })
}

/// The warnings, what stands above the list, the list, and what stands below it; nothing where there is no room for that.
fn bands(app: &App, area: Rect) -> Option<[Rect; 4]> {
    if area.height < 16 || area.width < 64 {
        return None;
    }
    let tall = area.height >= 30;
    let rows = [
        Constraint::Length(warnings::box_height(app, area)),
        Constraint::Length(if tall { 9 } else { 7 }),
        Constraint::Fill(1),
        Constraint::Length(if tall { 8 } else { 5 }),
    ];
    Some(Layout::vertical(rows).areas(area))
}

/// All but the first line.
fn under(area: Rect) -> Rect {
    Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    }
}

/// One line of numbers over the list.
fn small(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let model = app.model();
    let totals = model.totals();
    let label = if area.width >= 50 { " started " } else { " " };
    let mut line = Line::from(vec![
        Span::styled(label, palette.of(Role::Dim)),
        Span::raw(format!("{}/s", units::rate(totals.rates.started))),
        Span::styled("  backlog ", palette.of(Role::Dim)),
        Span::styled(
            units::count(totals.backlog()),
            palette.value(totals.backlog(), Role::Warn),
        ),
        Span::styled("  run ", palette.of(Role::Dim)),
        Span::raw(format!("{}/{}  ", totals.nr_running, totals.workers)),
    ]);
    line.push_span(health(app, palette));
    frame.render_widget(line, Rect { height: 1, ..area });
    table::draw(app, palette, frame, under(area));
}

/// The worst that is known, or that all is well; of an engine that is gone neither.
fn health(app: &App, palette: Palette) -> Span<'static> {
    let model = app.model();
    if matches!(app.link.liveness, Liveness::Ended | Liveness::Dead) {
        return Span::raw("");
    }
    if let Some(worst) = app.warnings().first() {
        let more = match app.warnings().len() {
            1 => String::new(),
            n => format!(" +{}", n - 1),
        };
        let text = format!("{}{more}", worst.lint);
        return Span::styled(text, palette.of(warnings::role(worst.level)));
    }
    let stalled = model.pools().iter().find(|pool| pools::is_stalled(pool));
    let counter = |counter: Counter| model.totals().counters[counter as usize];
    let (text, role) = if model.deadlocks() > 0 {
        let count = model.deadlocks();
        let s = if count == 1 { "" } else { "s" };
        (format!("{count} deadlock{s}"), Role::Bad)
    } else if let Some(pool) = stalled {
        let hung = units::duration(pool.hung(model.at()));
        (
            format!("pool {} stuck for {hung}", pool.row.number),
            Role::Bad,
        )
    } else if counter(Counter::Panics) > 0 {
        (
            format!("{} panics", units::count(counter(Counter::Panics))),
            Role::Bad,
        )
    } else if counter(Counter::Mayday) > 0 {
        (
            format!("{} maydays", units::count(counter(Counter::Mayday))),
            Role::Warn,
        )
    } else {
        ("healthy".to_owned(), Role::Good)
    };
    Span::styled(text, palette.of(role))
}

/// What goes through, and what waits.
fn throughput(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let model = app.model();
    let mut heading = title("Throughput", palette);
    heading.push_span(health(app, palette));
    heading.push_span(Span::raw(" "));
    let inner = panel(heading, palette, frame, area);
    let totals = model.totals();
    let history = model.history();
    let width = usize::from(inner.width);
    let started: Vec<f64> = history.iter().map(|point| point.started_per_s).collect();
    let backlog: Vec<f64> = history.iter().map(|point| point.backlog as f64).collect();
    let heights = inner.height.saturating_sub(3).max(1);
    let mut rates = vec![
        Span::styled("started ", palette.of(Role::Dim)),
        Span::styled(
            format!("{}/s", units::rate(totals.rates.started)),
            palette.of(Role::Title),
        ),
    ];
    if inner.width >= 30 {
        rates.push(Span::styled("  queued ", palette.of(Role::Dim)));
        rates.push(Span::raw(format!("{}/s", units::rate(totals.rates.queued))));
    }
    let mut lines = vec![Line::from(rates)];
    for row in bars::graph(&started, width, heights.into()) {
        lines.push(Line::styled(row, palette.of(Role::Good)));
    }
    let waiting = vec![
        Span::styled("backlog ", palette.of(Role::Dim)),
        Span::styled(
            units::count(totals.pending),
            palette.value(totals.pending, Role::Warn),
        ),
        Span::styled("  held ", palette.of(Role::Dim)),
        Span::styled(
            units::count(totals.inactive),
            palette.value(totals.inactive, Role::Warn),
        ),
    ];
    lines.push(Line::from(waiting));
    lines.push(Line::styled(
        bars::sparkline(&backlog, width),
        palette.of(Role::Warn),
    ));
    for (y, line) in (inner.y..inner.bottom()).zip(lines) {
        frame.render_widget(
            line,
            Rect {
                y,
                height: 1,
                ..inner
            },
        );
    }
}

fn workqueues(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let text = count(app);
    let inner = panel(title(&text, palette), palette, frame, area);
    table::draw(app, palette, frame, inner);
}

/// How many workqueues the view shows, and of how many.
pub fn count(app: &App) -> String {
    format!("Workqueues {}", super::found(app))
}

/// Who queues most.
fn producers(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let model = app.model();
    let inner = panel(title("Hot producers", palette), palette, frame, area);
    let all = model.producers();
    let sum: f64 = all.iter().map(|(_, rate)| rate).sum();
    let lines = all.into_iter().map(|(producer, rate)| {
        let names = model.names();
        let share = if sum > 0.0 { rate / sum * 100.0 } else { 0.0 };
        let numbers = format!(" {:>7}/s {share:>3.0}%", units::rate(rate));
        let room = inner.width.saturating_sub(numbers.len() as u16);
        let who = model.source_name(producer.source);
        let what = format!(
            "{who} → {} on {}",
            names.function(producer.func),
            names.workqueue(producer.wq)
        );
        let what = cells::fit(&what, room);
        let pad = usize::from(room).saturating_sub(Span::raw(&what).width());
        Line::from(vec![
            Span::raw(what),
            Span::raw(" ".repeat(pad)),
            Span::styled(
                numbers,
                palette.of(if rate > 0.0 { Role::Plain } else { Role::Dim }),
            ),
        ])
    });
    let none = match app.has_events() {
        true => "no item was seen being queued",
        false => "the events of then are not kept any more",
    };
    hot(lines, none, palette, frame, inner);
}

/// Functions that take most worker time at this rate.
fn functions(model: &Model, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let mut heading = title("Hot functions", palette);
    if area.width >= 48 {
        let what = "started/s, mean run, longest ";
        heading.push_span(Span::styled(what, palette.of(Role::Dim)));
    }
    let inner = panel(heading, palette, frame, area);
    let mut all: Vec<_> = model
        .functions()
        .iter()
        .filter(|function| function.started > 0)
        .map(|function| {
            let mean = function.run_ns.checked_div(function.completed).unwrap_or(0);
            (function, mean, function.rates.started * mean as f64)
        })
        .collect();
    all.sort_by(|a, b| {
        b.2.total_cmp(&a.2)
            .then_with(|| b.0.run_ns.cmp(&a.0.run_ns))
    });
    let lines = all.into_iter().map(|(function, mean, _)| {
        let times = format!(
            " {:>8} {:>8}",
            units::duration(mean),
            units::duration(function.run_max_ns)
        );
        let rate = format!(" {:>7}/s", units::rate(function.rates.started));
        let room = inner
            .width
            .saturating_sub((times.len() + rate.len()) as u16);
        let name = cells::fit(&function.name, room);
        let pad = usize::from(room).saturating_sub(Span::raw(&name).width());
        Line::from(vec![
            Span::raw(name),
            Span::raw(" ".repeat(pad)),
            Span::raw(rate),
            Span::styled(times, palette.of(Role::Dim)),
        ])
    });
    hot(lines, "nothing was executed", palette, frame, inner);
}

/// The first lines that fit, or what is said when there is none.
fn hot(
    lines: impl Iterator<Item = Line<'static>>,
    empty: &'static str,
    palette: Palette,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let mut all = lines.peekable();
    if all.peek().is_none() {
        let line = Line::styled(empty, palette.of(Role::Dim));
        super::lines([line], frame, area);
    }
    super::lines(all, frame, area);
}
