//! What belongs to a thing, a line each.

use crate::details::Subject;
use crate::lists::{Layout, Place, functions, pools, workers, workqueues};
use crate::paint::cells;
use crate::paint::style::{Palette, Role};
use crate::view::{lines, table};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wq_trace::model::Model;

/// Draws as many as fit, the chosen one marked and in view.
pub fn draw(
    model: &Model,
    all: &[Subject],
    selected: usize,
    palette: Palette,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    if all.is_empty() {
        let nothing = Line::styled("nothing at this moment", palette.of(Role::Dim));
        lines([nothing], frame, area);
        return;
    }
    let top = table::first_row(selected, all.len(), area.height.into());
    let shown = all.iter().skip(top);
    let drawn = shown.map(|subject| line(model, *subject, area.width, palette));
    lines(drawn, frame, area);
    let y = area.y + u16::try_from(selected - top).unwrap_or(u16::MAX);
    if y < area.bottom() {
        let chosen = Rect {
            y,
            height: 1,
            ..area
        };
        palette.select(chosen, frame.buffer_mut());
    }
}

/// Kind, name, and what matters most of it.
fn line(model: &Model, subject: Subject, width: u16, palette: Palette) -> Line<'static> {
    let names = (width / 3).clamp(8, 30);
    let name = cells::fit(&subject.name(model), names);
    let pad = usize::from(names).saturating_sub(Span::raw(&name).width());
    let mut line = Line::from(vec![
        Span::styled(format!("{:<10}", subject.kind()), palette.of(Role::Dim)),
        Span::raw(name),
        Span::raw(" ".repeat(pad + 1)),
    ]);
    let place = Place {
        model,
        width: 20,
        palette,
    };
    let cells = match subject {
        Subject::Workqueue(id) => {
            let wq = model.workqueues().iter().find(|wq| wq.id == id);
            let keys = ["type", "started_per_s", "running", "pending", "inactive"];
            named(&workqueues::WORKQUEUES, wq, &keys, place)
        }
        Subject::Pool(id) => {
            let pool = model.pools().iter().find(|pool| pool.row.id == id);
            let keys = ["kind", "nr_running", "workers", "pending", "started_per_s"];
            named(&pools::POOLS, pool, &keys, place)
        }
        Subject::Worker(id) => {
            let worker = model.workers().iter().find(|w| w.row.id == id);
            let keys = ["state", "for_ns", "function", "workqueue"];
            named(&workers::WORKERS, worker, &keys, place)
        }
        Subject::Function(id) => {
            let function = model.functions().iter().find(|f| f.id == id);
            let keys = [
                "started_per_s",
                "cpu_share",
                "run_mean",
                "pending",
                "inactive",
            ];
            named(&functions::FUNCTIONS, function, &keys, place)
        }
    };
    for (title, cell) in cells {
        let need = title.len() + 1 + cell.width();
        if line.width() + need > usize::from(width) {
            break;
        }
        line.push_span(Span::styled(format!("{title} "), palette.of(Role::Dim)));
        let style = cell.style;
        let spans = cell.spans.into_iter();
        line.extend(spans.map(|span| Span {
            style: style.patch(span.style),
            ..span
        }));
        line.push_span(Span::raw("  "));
    }
    line
}

/// Some columns of a row: titles and cells.
fn named<R>(
    layout: &Layout<R>,
    row: Option<&R>,
    keys: &[&str],
    place: Place<'_>,
) -> Vec<(&'static str, Line<'static>)> {
    let Some(row) = row else { return Vec::new() };
    let cell = |key: &&str| {
        let column = layout.table.iter().find(|column| column.key == *key)?;
        Some((column.title, layout.cell(row, column.key, place)))
    };
    keys.iter().filter_map(cell).collect()
}
