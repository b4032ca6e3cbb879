//! Under the list of pools: the chosen one's last minutes, and what its workers do.

use super::style::{Palette, Role};
use super::{bars, cells, panel, title};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use wq_trace::model::{Model, Pool};
use wq_trace::{WorkerState, units};

/// Draws history on the left, workers on the right.
pub fn draw(model: &Model, pool: &Pool, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let halves = [Constraint::Fill(1), Constraint::Fill(1)];
    let [left, right] = Layout::horizontal(halves).areas(area);
    history(model, pool, palette, frame, left);
    workers(model, pool, palette, frame, right);
}

/// Two graphs, one over the other: workers that execute something, and the backlog.
fn history(model: &Model, pool: &Pool, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let Some(history) = model.pool_history(pool.row.id) else {
        return;
    };
    let heading = format!("Pool {} - {}", pool.row.number, pool.kind());
    let mut heading = title(&heading, palette);
    let width = usize::from(area.width.saturating_sub(2));
    let shown = history.iter().rev().take(width);
    if let (Some(last), Some(first)) = (history.last(), shown.last()) {
        let span = units::duration(last.at.saturating_sub(first.at));
        heading.push_span(Span::styled(format!("last {span} "), palette.of(Role::Dim)));
    }
    let inner = panel(heading, palette, frame, area);
    let busy: Vec<f64> = history.iter().map(|point| point.busy.into()).collect();
    let pending: Vec<f64> = history.iter().map(|point| point.pending.into()).collect();
    let [top, bottom] = Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).areas(inner);
    graph("busy workers", &busy, Role::Good, palette, frame, top);
    graph("backlog", &pending, Role::Warn, palette, frame, bottom);
}

/// A line with the name, the value of now and the highest shown; the graph below it.
fn graph(
    name: &str,
    values: &[f64],
    role: Role,
    palette: Palette,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let width = usize::from(area.width);
    let shown = &values[values.len().saturating_sub(width)..];
    let now = shown.last().copied().unwrap_or(0.0);
    let most = shown.iter().copied().fold(0.0, f64::max);
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("{name} "), palette.of(Role::Dim)),
        Span::raw(format!("{now}")),
        Span::styled(format!("  at most {most}"), palette.of(Role::Dim)),
    ])];
    let height = usize::from(area.height.saturating_sub(1));
    let rows = bars::graph(values, width, height);
    lines.extend(
        rows.into_iter()
            .map(|row| Line::styled(row, palette.of(role))),
    );
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        frame.render_widget(
            line,
            Rect {
                y,
                height: 1,
                ..area
            },
        );
    }
}

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
