//! View 3: pools, their concurrency level against workers and backlog.

use super::bars::{self, Level};
use super::style::{Palette, Role};
use super::table::{self, Cells};
use super::{cells, list_panel, pool, title};
use crate::app::App;
use crate::lists::pools::{Col, Pools};
use crate::lists::{List, order};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wq_trace::model::Pool;
use wq_trace::units;

/// Draws the view.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let pools = Pools::new(app.model());
    let mut heading = title(&format!("Pools {}", pools.rows.len()), palette);
    if area.width >= 70 {
        heading.extend(legend(palette));
    }
    let (list, detail) = split(area, pools.len());
    let inner = list_panel(heading, palette, frame, list);
    table::draw(frame, inner, &pools, &app.ui.pools, palette, "no pools");
    let places = order(&pools, &app.ui.pools);
    let selected = places.get(app.ui.pools.selected_in(places.len()));
    if let (Some(area), Some(row)) = (detail, selected) {
        pool::draw(app.model(), &pools.rows[*row], palette, frame, area);
    }
}

/// What the list of `rows` pools needs, and what is left for the details of the chosen one, if that is enough.
fn split(area: Rect, rows: usize) -> (Rect, Option<Rect>) {
    const DETAILS: u16 = 9;
    // Two lines of frame and one of headings.
    let need = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(3);
    let left = area.height.saturating_sub(need);
    if left < DETAILS || area.width < 64 {
        return (area, None);
    }
    let list = Rect {
        height: area.height - left,
        ..area
    };
    (
        list,
        Some(Rect {
            y: list.bottom(),
            height: left,
            ..area
        }),
    )
}

/// What the cells of the bar stand for.
fn legend(palette: Palette) -> Vec<Span<'static>> {
    let dim = palette.of(Role::Dim);
    vec![
        Span::styled("─ ", dim),
        Span::styled("█", palette.of(Role::Good)),
        Span::styled(" running ", dim),
        Span::styled("▒", palette.of(Role::Asleep)),
        Span::styled(" not counted ", dim),
        Span::styled("░", dim),
        Span::styled(" idle ", dim),
        Span::styled("▪", palette.of(Role::Warn)),
        Span::styled(" backlog ", dim),
    ]
}

/// How long a pool with a backlog may make no progress before that is shown as bad: 10 s.
const STALLED: u64 = 10_000_000_000;

/// The bar's numbers of a pool.
pub fn level(pool: &Pool) -> Level {
    Level {
        running: pool.row.nr_running,
        workers: pool.row.nr_workers,
        idle: pool.row.nr_idle,
        pending: pool.row.nr_pending,
    }
}

/// Whether items wait in a pool that does not move.
pub fn is_stalled(pool: &Pool, now: u64) -> bool {
    pool.hung(now) >= STALLED
}

impl Cells for Pools<'_> {
    fn cell(&self, row: usize, column: Col, width: u16, palette: Palette) -> Line<'static> {
        let pool = &self.rows[row];
        let count = |n: u32, role| cells::count(n.into(), role, palette);
        match column {
            Col::Number => Line::styled(pool.row.number.to_string(), palette.of(Role::Title)),
            Col::Kind => Line::raw(cells::fit(&pool.kind(), width)),
            Col::Nice => {
                let mark = if pool.row.nice_granted { "" } else { "!" };
                let role = if pool.row.nice == 0 {
                    Role::Dim
                } else {
                    Role::Plain
                };
                Line::styled(format!("{}{mark}", pool.row.nice), palette.of(role))
            }
            Col::Level => {
                let width = usize::from(width.saturating_sub(2));
                Line::from(bars::concurrency(level(pool), width, palette))
            }
            Col::Running => count(pool.row.nr_running, Role::Good),
            Col::Workers => count(pool.row.nr_workers, Role::Plain),
            Col::Idle => count(pool.row.nr_idle, Role::Plain),
            Col::Pending => count(pool.row.nr_pending, Role::Warn),
            Col::Held => cells::count(pool.inactive, Role::Warn, palette),
            Col::Started => cells::rate(pool.rates.started, palette),
            Col::Wakeups => cells::rate(pool.wakeups_per_s, palette),
            Col::Canary | Col::Decided | Col::False if !pool.row.is_percpu() => {
                Line::styled("-", palette.of(Role::Dim))
            }
            Col::Canary if pool.row.canary.armed => Line::styled("armed", palette.of(Role::Warn)),
            Col::Canary => Line::styled("-", palette.of(Role::Dim)),
            Col::Decided => cells::count(pool.row.canary.decisions, Role::Plain, palette),
            Col::False => cells::count(pool.row.canary.false_decisions, Role::Bad, palette),
            Col::Manager if pool.row.manager.is_some() => {
                let name = self.model.names().worker(pool.row.manager);
                Line::styled(cells::fit(name, width), palette.of(Role::Warn))
            }
            Col::Manager => Line::styled("-", palette.of(Role::Dim)),
            Col::Progress => progress(pool, self.model.at(), palette),
            Col::History => {
                let history = self.model.pool_history(pool.row.id);
                let busy = history.into_iter().flat_map(wq_trace::model::History::iter);
                let busy: Vec<f64> = busy.map(|point| point.busy.into()).collect();
                let line = bars::sparkline(&busy, width.into());
                Line::styled(line, palette.of(Role::Good))
            }
        }
    }
}

fn progress(pool: &Pool, now: u64, palette: Palette) -> Line<'static> {
    if pool.row.last_progress == 0 {
        return Line::styled("-", palette.of(Role::Dim));
    }
    let ago = units::duration(now.saturating_sub(pool.row.last_progress));
    let role = match pool.hung(now) {
        0 => Role::Dim,
        STALLED.. => Role::Bad,
        _ => Role::Plain,
    };
    Line::styled(ago, palette.of(role))
}
