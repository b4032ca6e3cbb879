//! The overview's panel of latency: how long items wait and run, and what the waiting is made of.

use super::bars;
use super::style::{Palette, Role};
use super::{cells, panel, title};
use crate::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wq_trace::model::{Latency, sum};
use wq_trace::{Breakdown, units};

/// Draws both distributions since the start, then the wait by its parts.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let inner = panel(title("Latency", palette), palette, frame, area);
    let totals = app.model().totals();
    let mut lines = vec![
        row(
            "",
            ["p50", "p90", "p99", "max"].map(|t| Line::styled(t, palette.of(Role::Dim))),
            inner.width,
            palette,
        ),
        row("wait", values(&totals.wait, palette), inner.width, palette),
        row("run", values(&totals.run, palette), inner.width, palette),
    ];
    let wait = &totals.breakdown;
    if sum(wait) > 0 {
        lines.push(Line::from(bars::stacked(wait, inner.width.into(), palette)));
        lines.extend(legend(wait, inner.width, palette));
    }
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

fn values(latency: &Latency, palette: Palette) -> [Line<'static>; 4] {
    [latency.p50, latency.p90, latency.p99, latency.max]
        .map(|ns| cells::duration(ns, latency.count, palette))
}

/// A name and four values; where there is no room, p90 and then max are left out.
fn row(
    name: &'static str,
    values: [Line<'static>; 4],
    width: u16,
    palette: Palette,
) -> Line<'static> {
    const NAME: usize = 5;
    const NARROWEST: usize = 8;
    let room = usize::from(width).saturating_sub(NAME);
    let shown: &[usize] = match room / NARROWEST {
        0..=2 => &[0, 2],
        3 => &[0, 2, 3],
        _ => &[0, 1, 2, 3],
    };
    let cell = (room / shown.len()).min(10);
    let mut line = Line::from(Span::styled(
        format!("{name:<NAME$}"),
        palette.of(Role::Dim),
    ));
    for (_, value) in values
        .into_iter()
        .enumerate()
        .filter(|(i, _)| shown.contains(i))
    {
        line.push_span(Span::raw(" ".repeat(cell.saturating_sub(value.width()))));
        line.extend(
            value
                .spans
                .into_iter()
                .map(|span| span.patch_style(value.style)),
        );
    }
    line
}

/// The parts in the order of the bar, as many lines as they need.
fn legend(wait: &Breakdown, width: u16, palette: Palette) -> Vec<Line<'static>> {
    let all = sum(wait);
    let mut lines = vec![Line::default()];
    for (rank, (part, ns)) in bars::largest_first(wait).into_iter().enumerate() {
        let sign = if palette.has_colours() {
            "█ "
        } else {
            ["█ ", "▓ ", "▒ ", "░ "][rank.min(3)]
        };
        let text = format!("{} {}  ", cells::label(part), units::share(ns, all));
        let last = lines.len() - 1;
        let need = 2 + text.len();
        if lines[last].width() > 0 && lines[last].width() + need > usize::from(width) + 2 {
            lines.push(Line::default());
        }
        let last = lines.len() - 1;
        lines[last].push_span(Span::styled(sign, palette.part(part)));
        lines[last].push_span(Span::raw(text));
    }
    lines
}
