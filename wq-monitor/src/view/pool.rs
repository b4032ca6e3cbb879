//! Under the list of pools: the chosen one's last minutes, what its workers do, and which workqueues it serves.

use super::style::{Palette, Role};
use super::{bars, cells, chart, panel, title};
use crate::paint::bars::Level;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use wq_trace::model::{Model, Pool, PoolPoint};
use wq_trace::{Counter, PwqRow, WorkerState, units};

/// Draws history and, where there is room, workqueues on the left; workers on the right.
pub fn draw(model: &Model, pool: &Pool, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let halves = [Constraint::Fill(1), Constraint::Fill(1)];
    let [left, right] = Layout::horizontal(halves).areas(area);
    let graphs = left.height.min(HISTORY);
    if left.height - graphs < WORKQUEUES {
        history(model, pool, palette, frame, left);
    } else {
        let below = Rect {
            y: left.y + graphs,
            height: left.height - graphs,
            ..left
        };
        history(
            model,
            pool,
            palette,
            frame,
            Rect {
                height: graphs,
                ..left
            },
        );
        workqueues(model, pool, palette, frame, below);
    }
    workers(model, pool, palette, frame, right);
}

/// Lines that the graphs take at most while something else needs room.
const HISTORY: u16 = 14;
/// Lines below which the workqueues are not worth a panel.
const WORKQUEUES: u16 = 5;

/// Two graphs, one over the other: the workers by what they do, and the backlog.
fn history(model: &Model, pool: &Pool, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let Some(history) = model.pool_history(pool.row.id) else {
        return;
    };
    let heading = format!("Pool {} - {}", pool.row.number, pool.kind());
    let mut heading = title(&heading, palette);
    let width = usize::from(area.width.saturating_sub(2));
    let first = history.iter().rev().take(width).next_back();
    if let (Some(last), Some(first)) = (history.last(), first) {
        let span = units::duration(last.at.saturating_sub(first.at));
        heading.push_span(Span::styled(format!("last {span} "), palette.of(Role::Dim)));
    }
    let mut inner = panel(heading, palette, frame, area);
    if let Some(line) = canary(model, pool, inner.width, palette)
        && inner.height > 0
    {
        frame.render_widget(line, Rect { height: 1, ..inner });
        inner = Rect {
            y: inner.y + 1,
            height: inner.height - 1,
            ..inner
        };
    }
    let levels: Vec<Level> = history.iter().map(level).collect();
    let pending: Vec<f64> = history.iter().map(|point| point.pending.into()).collect();
    let [top, bottom] = Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).areas(inner);
    levels_over_time(&levels, palette, frame, top);
    chart::draw(
        "backlog",
        &pending,
        chart::whole,
        Role::Warn,
        palette,
        frame,
        bottom,
    );
}

/// A point of history as the bar of the list shows it.
fn level(point: &PoolPoint) -> Level {
    Level {
        running: point.nr_running,
        workers: point.workers,
        idle: point.idle,
        pending: point.pending,
    }
}

/// Under a line that says how it is now: a column for each moment, as high as there were workers.
fn levels_over_time(levels: &[Level], palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let now = levels.last().copied().unwrap_or_default();
    let [running, uncounted, idle] = now.parts();
    let shown = &levels[levels.len().saturating_sub(area.width.into())..];
    let most = shown.iter().map(|level| level.workers).max().unwrap_or(0);
    let dim = palette.of(Role::Dim);
    let heading = Line::from(vec![
        Span::styled("workers ", dim),
        Span::raw(now.workers.to_string()),
        Span::styled(": ", dim),
        Span::styled(format!("{running} running"), palette.of(Role::Good)),
        Span::styled(", ", dim),
        Span::styled(format!("{uncounted} not counted"), palette.of(Role::Asleep)),
        Span::styled(format!(", {idle} idle  at most {most}"), dim),
    ]);
    let height = usize::from(area.height.saturating_sub(1));
    let rows = bars::levels(shown, area.width.into(), height, palette);
    super::lines(std::iter::once(heading).chain(rows), frame, area);
}

/// What the pool's canary did, as much of it as fits; nothing where there is none and never was.
fn canary(model: &Model, pool: &Pool, width: u16, palette: Palette) -> Option<Line<'static>> {
    let canary = &pool.row.canary;
    let is_tier = model.snapshot()?.meta.sensing == "canary";
    if !pool.row.is_percpu() || !is_tier && canary.armings == 0 && canary.unwatched == 0 {
        return None;
    }
    let (state, role) = if canary.armed {
        ("armed", Role::Warn)
    } else {
        ("quiet", Role::Plain)
    };
    let dim = palette.of(Role::Dim);
    let mut line = Line::from(vec![
        Span::styled("canary ", dim),
        Span::styled(state, palette.of(role)),
    ]);
    let counts = [
        ("decided", canary.decisions, Role::Plain),
        ("false", canary.false_decisions, Role::Bad),
        ("armings", canary.armings, Role::Plain),
        ("unwatched", canary.unwatched.into(), Role::Warn),
    ];
    for (name, n, role) in counts {
        let text = units::count(n);
        if line.width() + 2 + name.len() + 1 + text.len() > usize::from(width) {
            break;
        }
        line.push_span(Span::styled(format!("  {name} "), dim));
        line.push_span(Span::styled(text, palette.value(n, role)));
    }
    Some(line)
}

/// The workqueues that the pool serves, the busiest first.
fn workqueues(model: &Model, pool: &Pool, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let inner = panel(title("Its workqueues", palette), palette, frame, area);
    let all = model.snapshot().map_or(&[][..], |snapshot| &snapshot.pwqs);
    let mut mine: Vec<_> = all.iter().filter(|pwq| pwq.pool == pool.row.id).collect();
    let started = |pwq: &PwqRow| pwq.counters[Counter::Started as usize];
    mine.sort_by_key(|pwq| std::cmp::Reverse(started(pwq)));
    let room = inner.width.saturating_sub(4 * NUMBER);
    let line = |name: Span<'static>, numbers: [Line<'static>; 4]| {
        let pad = usize::from(room).saturating_sub(name.width());
        let mut line = Line::from(vec![name, Span::raw(" ".repeat(pad))]);
        for number in numbers {
            let pad = usize::from(NUMBER).saturating_sub(number.width());
            line.push_span(Span::raw(" ".repeat(pad)));
            line.extend(
                number
                    .spans
                    .into_iter()
                    .map(|span| span.patch_style(number.style)),
            );
        }
        line
    };
    let headings = ["started", "active", "held", "run"];
    let headings = headings.map(|text| Line::styled(text, palette.of(Role::Dim)));
    let mut lines = vec![line(Span::raw(""), headings)];
    lines.extend(mine.into_iter().map(|pwq| {
        let name = cells::fit(model.names().workqueue(pwq.wq), room);
        let count = |n, role| cells::count(n, role, palette);
        let numbers = [
            count(started(pwq), Role::Plain),
            count(pwq.nr_active.into(), Role::Plain),
            count(pwq.nr_inactive.into(), Role::Warn),
            count(pwq.nr_in_flight.into(), Role::Good),
        ];
        line(Span::raw(name), numbers)
    }));
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

/// Cells for a number with a blank before it.
const NUMBER: u16 = 8;

/// The pool's workers, those that do something first.
fn workers(model: &Model, pool: &Pool, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let inner = panel(title("Its workers", palette), palette, frame, area);
    let all = model
        .snapshot()
        .map_or(&[][..], |snapshot| &snapshot.workers);
    let mut mine: Vec<_> = all
        .iter()
        .filter(|worker| worker.pool == pool.row.id)
        .collect();
    mine.sort_by_key(|worker| (worker.state == WorkerState::Idle, worker.number));
    if mine.is_empty() {
        let line = Line::styled("none yet", palette.of(Role::Dim));
        frame.render_widget(
            line,
            Rect {
                height: inner.height.min(1),
                ..inner
            },
        );
    }
    for (y, worker) in (inner.y..inner.bottom()).zip(mine) {
        let since = units::duration(model.at().saturating_sub(worker.since));
        let what = if worker.func.is_some() {
            model.names().function(worker.func)
        } else {
            worker.state.word()
        };
        let name = format!("{:<16}", cells::fit(&worker.name, 16));
        let room = inner.width.saturating_sub(16 + 1 + 9);
        let what = cells::fit(what, room);
        let pad = usize::from(room).saturating_sub(Span::raw(&what).width());
        let style = palette.of(if worker.func.is_some() {
            Role::Plain
        } else {
            Role::Dim
        });
        let line = Line::from(vec![
            Span::styled(name, palette.state(worker.state)),
            Span::styled(format!(" {what}{}", " ".repeat(pad)), style),
            Span::styled(format!("{since:>9}"), palette.of(Role::Dim)),
        ]);
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
