//! Texts that fit: cut names, numbers that recede when they are zero.

use super::style::{Palette, Role};
use ratatui::text::{Line, Span};
use wq_trace::units;

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

/// Something per second, dim when it rounds to 0.
pub fn rate(per_second: f64, palette: Palette) -> Line<'static> {
    let text = units::rate(per_second);
    let role = if text == "0" { Role::Dim } else { Role::Plain };
    Line::styled(text, palette.of(role))
}

/// A duration of which there are `count` measurements; `-` when there is none.
pub fn duration(ns: u64, count: u64, palette: Palette) -> Line<'static> {
    if count == 0 {
        return Line::styled("-", palette.of(Role::Dim));
    }
    Line::styled(units::duration(ns), palette.of(Role::Plain))
}

#[cfg(test)]
mod tests {
    use super::*;

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
