//! Texts that fit: cut names, numbers that recede when they are zero, the reason of a wait.

use super::bars;
use super::style::{Palette, Role};
use ratatui::text::{Line, Span};
use wq_trace::model::{main_reason, sum};
use wq_trace::{Breakdown, WaitPart, units};

/// `text` in at most `width` cells; a cut one ends in `…`.
pub fn fit(text: &str, width: u16) -> String {
    let width = usize::from(width);
    if Span::raw(text).width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        cut.push(c);
        if Span::raw(&cut).width() >= width {
            cut.pop();
            break;
        }
    }
    if width > 0 {
        cut.push('…');
    }
    cut
}

/// A count in the style of `role`, dim when 0.
pub fn count(n: u64, role: Role, palette: Palette) -> Line<'static> {
    Line::styled(units::count(n), palette.value(n, role))
}

/// A duration of which there are `count` measurements; `-` when there is none.
pub fn duration(ns: u64, count: u64, palette: Palette) -> Line<'static> {
    if count == 0 {
        return Line::styled("-", palette.of(Role::Dim));
    }
    Line::styled(units::duration(ns), palette.of(Role::Plain))
}

/// A part's name without what all held parts share.
pub fn label(part: WaitPart) -> &'static str {
    part.name().strip_prefix("inactive_").unwrap_or(part.name())
}

/// Cells of a part's name and its share, with a blank before each.
const WORDS: u16 = 17;

/// The parts of a wait as a bar of at most 10 cells, then the largest by name and share; `-` when nothing waited.
pub fn reason(wait: &Breakdown, width: u16, palette: Palette) -> Line<'static> {
    let Some((part, ns)) = main_reason(wait) else {
        return Line::styled("-", palette.of(Role::Dim));
    };
    let bar = width.saturating_sub(WORDS).min(10);
    let mut line = Line::from(bars::stacked(wait, bar.into(), palette));
    let share = units::share(ns, sum(wait));
    let name = format!(" {:<11}", label(part));
    line.push_span(Span::styled(name, palette.part(part)));
    line.push_span(Span::raw(format!(" {share:>4}")));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stay_distinct() {
        let labels: Vec<_> = WaitPart::ALL.iter().map(|part| label(*part)).collect();
        for (i, label) in labels.iter().enumerate() {
            assert!(!labels[..i].contains(label) && label.len() <= 11, "{label}");
        }
    }

    #[test]
    fn cut_names_say_so_and_fit() {
        assert_eq!(fit("events", 6), "events");
        assert_eq!(fit("events", 5), "even…");
        assert_eq!(fit("events", 1), "…");
        assert_eq!(fit("events", 0), "");
        for width in 0..12 {
            assert!(Span::raw(fit("日本語のキュー", width)).width() <= usize::from(width));
        }
    }
}
