//! The overview's panel of CPUs: running, blocked and idle workers and the backlog of each CPU, and of the unbound pools.

use super::bars::{self, Level};
use super::style::{Palette, Role};
use super::{panel, title};
use crate::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::collections::BTreeMap;
use wq_trace::model::Model;
use wq_trace::units;

/// Draws a bar per CPU while there is room, else a cell per CPU.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let (cpus, unbound) = levels(app.model());
    let name = if cpus.len() == 1 {
        "1 CPU".to_owned()
    } else {
        format!("{} CPUs", cpus.len())
    };
    let mut heading = title(&name, palette);
    if area.width >= 36 {
        heading.push_span(Span::styled("run/workers +backlog ", palette.of(Role::Dim)));
    }
    let inner = panel(heading, palette, frame, area);
    let all = cpus.values().chain([&unbound]).map(|level| numbers(*level));
    let behind = all
        .map(|(of, backlog)| of.len() + backlog.len())
        .max()
        .unwrap_or(0);
    let mut lines = Vec::new();
    if cpus.len() < usize::from(inner.height) {
        for (cpu, level) in &cpus {
            lines.push(bar(
                &format!("cpu {cpu}"),
                *level,
                inner.width,
                behind,
                palette,
            ));
        }
    } else {
        let cells: Vec<Span<'static>> = cpus.values().map(|level| cell(*level, palette)).collect();
        let rows = usize::from(inner.height.saturating_sub(1));
        let row = usize::from(inner.width).max(1);
        lines.extend(
            cells
                .chunks(row)
                .take(rows)
                .map(|row| Line::from(row.to_vec())),
        );
    }
    lines.push(bar("unbound", unbound, inner.width, behind, palette));
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

/// The levels of each CPU (both its pools together) and of all unbound pools.
fn levels(model: &Model) -> (BTreeMap<u16, Level>, Level) {
    let nothing = Level {
        running: 0,
        workers: 0,
        idle: 0,
        pending: 0,
    };
    let cpus = model
        .snapshot()
        .map_or(&[][..], |snapshot| &snapshot.meta.cpus);
    let mut levels: BTreeMap<u16, Level> = cpus.iter().map(|cpu| (*cpu, nothing)).collect();
    let mut unbound = nothing;
    for pool in model.pools() {
        let level = match pool.row.cpu {
            Some(cpu) => levels.entry(cpu).or_insert(nothing),
            None => &mut unbound,
        };
        level.running = level.running.saturating_add(pool.row.nr_running);
        level.workers = level.workers.saturating_add(pool.row.nr_workers);
        level.idle = level.idle.saturating_add(pool.row.nr_idle);
        level.pending = level.pending.saturating_add(pool.row.nr_pending);
    }
    (levels, unbound)
}

/// The numbers behind a bar: `3/6 +23`.
fn numbers(level: Level) -> (String, String) {
    let of = format!(" {}/{}", level.running, level.workers);
    match level.pending {
        0 => (of, String::new()),
        pending => (of, format!(" +{}", units::count(pending.into()))),
    }
}

/// A name, the bar, and the numbers in `behind` cells.
fn bar(name: &str, level: Level, width: u16, behind: usize, palette: Palette) -> Line<'static> {
    let mut line = Line::from(Span::styled(format!("{name:<8}"), palette.of(Role::Dim)));
    let room = usize::from(width).saturating_sub(8 + behind);
    if room >= 4 {
        line.extend(bars::concurrency(level, room, palette));
    }
    let (of, backlog) = numbers(level);
    let pad = behind.saturating_sub(of.len() + backlog.len());
    line.push_span(Span::styled(
        of,
        palette.value(level.workers.into(), Role::Plain),
    ));
    line.push_span(Span::styled(backlog, palette.of(Role::Warn)));
    line.push_span(Span::raw(" ".repeat(pad)));
    line
}

/// One CPU as one cell.
fn cell(level: Level, palette: Palette) -> Span<'static> {
    let busy = level.workers.saturating_sub(level.idle);
    let (sign, role) = match (level.running, level.pending, busy) {
        (_, 1.., _) => ("▓", Role::Warn),
        (1.., 0, _) => ("█", Role::Good),
        (0, 0, 1..) => ("▒", Role::Asleep),
        (0, 0, 0) => ("·", Role::Dim),
    };
    Span::styled(sign, palette.of(role))
}
