//! View 4: workers by kworker name, what they run and since when.

use super::style::{Palette, Role};
use super::table::{self, Cells};
use super::{cells, list_panel, title};
use crate::app::App;
use crate::lists::workers::{Col, Workers};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wq_trace::{WorkerRow, WorkerState, units};

/// Draws the view.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let workers = Workers::new(app.model());
    let mut heading = title(&format!("Workers {}", workers.rows.len()), palette);
    heading.extend(census(workers.rows, palette));
    let inner = list_panel(heading, palette, frame, area);
    table::draw(
        frame,
        inner,
        &workers,
        &app.ui.workers,
        palette,
        "no workers",
    );
}

/// How many are in which state.
fn census(workers: &[WorkerRow], palette: Palette) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for state in WorkerState::ALL {
        let n = workers
            .iter()
            .filter(|worker| worker.state == state)
            .count();
        if n > 0 {
            spans.push(Span::styled(format!("─ {n} "), palette.of(Role::Dim)));
            spans.push(Span::styled(
                format!("{} ", state.word()),
                palette.state(state),
            ));
        }
    }
    spans
}

impl Cells for Workers<'_> {
    fn cell(&self, row: usize, column: Col, width: u16, palette: Palette) -> Line<'static> {
        let worker = &self.rows[row];
        let names = self.model.names();
        let dim = palette.of(Role::Dim);
        let executes = worker.func.is_some();
        match column {
            Col::Name => name(worker, width, palette),
            Col::Tid if worker.tid == 0 => Line::styled("-", dim),
            Col::Tid => Line::styled(worker.tid.to_string(), palette.of(Role::Plain)),
            Col::Pool => {
                let number = self
                    .pool_number(worker)
                    .map_or("-".to_owned(), |n| n.to_string());
                Line::styled(number, palette.of(Role::Plain))
            }
            Col::State => Line::styled(worker.state.word(), palette.state(worker.state)),
            Col::For => {
                let role = if worker.state == WorkerState::Idle {
                    Role::Dim
                } else {
                    Role::Plain
                };
                Line::styled(units::duration(self.since(worker)), palette.of(role))
            }
            Col::Function if executes => Line::raw(cells::fit(names.function(worker.func), width)),
            Col::Workqueue if worker.wq.is_some() => {
                Line::raw(cells::fit(names.workqueue(worker.wq), width))
            }
            Col::Function | Col::Workqueue => Line::styled("-", dim),
            Col::Executed => cells::count(worker.executed, Role::Plain, palette),
        }
    }
}

/// The base name in the colour of the state, the suffix behind it dim.
fn name(worker: &WorkerRow, width: u16, palette: Palette) -> Line<'static> {
    let full = cells::fit(&worker.full_name(), width);
    let base = worker.name.len().min(full.len());
    // The cut may fall inside of the base name, on whatever character.
    let (base, suffix) = full.split_at_checked(base).unwrap_or((&full, ""));
    Line::from(vec![
        Span::styled(base.to_owned(), palette.state(worker.state)),
        Span::styled(suffix.to_owned(), palette.of(Role::Dim)),
    ])
}
