//! A wait as a stacked bar that sums to the whole, with its parts in words.

use super::page::Wait;
use crate::help;
use crate::paint::style::{Palette, Role};
use crate::paint::{bars, cells};
use crate::view::{lines, panel, title};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wq_trace::model::sum;
use wq_trace::units;

/// Draws the bar, then a line for each part, the largest first.
pub fn draw(wait: &Wait, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let heading = title("What the wait is made of", palette);
    let inner = panel(heading, palette, frame, area);
    let whole = text(wait, inner.width, true, palette);
    let fits = whole.len() <= usize::from(inner.height);
    let text = if fits {
        whole
    } else {
        text(wait, inner.width, false, palette)
    };
    lines(text, frame, inner);
}

/// The bar, the parts (their sentences `wrapped` or cut), the sum.
fn text(wait: &Wait, width: u16, wrapped: bool, palette: Palette) -> Vec<Line<'static>> {
    let all = sum(&wait.parts);
    if all == 0 {
        let text = format!("no wait of {}", wait.of);
        return vec![Line::styled(text, palette.of(Role::Dim))];
    }
    let mut lines = vec![Line::from(bars::stacked(
        &wait.parts,
        width.into(),
        palette,
    ))];
    for (rank, (part, ns)) in bars::largest_first(&wait.parts).into_iter().enumerate() {
        let sign = if palette.has_colours() {
            "█"
        } else {
            ["█", "▓", "▒", "░"][rank.min(3)]
        };
        let share = units::share(ns, all);
        let numbers = format!(" {share:>4} {:>8}  ", units::duration(ns));
        let room = width.saturating_sub(1 + u16::try_from(numbers.len()).unwrap_or(u16::MAX));
        let words = format!("{}: {}", cells::label(part), part.help());
        let words = if wrapped {
            help::wrapped(&words, room.into())
        } else {
            vec![cells::fit(&words, room)]
        };
        let indent = " ".repeat(1 + numbers.len());
        for (i, words) in words.into_iter().enumerate() {
            let words = Span::styled(words, palette.of(Role::Dim));
            let first = [
                Span::styled(sign, palette.part(part)),
                Span::raw(numbers.clone()),
            ];
            let mut line = match i {
                0 => Line::from(first.to_vec()),
                _ => Line::raw(indent.clone()),
            };
            line.push_span(words);
            lines.push(line);
        }
    }
    let mean = all.checked_div(wait.items).unwrap_or(0);
    let whole = format!(
        "= 100% {:>8}  of {} {}, {} each",
        units::duration(all),
        units::count(wait.items),
        wait.of,
        units::duration(mean)
    );
    lines.push(Line::raw(cells::fit(&whole, width)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use wq_trace::{Breakdown, WaitPart};

    #[test]
    fn the_parts_stand_by_size_and_the_whole_below_them() {
        let mut parts = Breakdown::default();
        parts[WaitPart::Runqueue as usize] = 1_000;
        parts[WaitPart::InactiveMaxActive as usize] = 3_000;
        let wait = Wait {
            of: "items".to_owned(),
            parts,
            items: 4,
        };
        let text = text(&wait, 60, false, Palette::new(false));
        let text: Vec<String> = text.iter().map(ToString::to_string).collect();
        assert!(text[1].starts_with("█  75%   3.0 us  max_active: Held"));
        assert!(text[2].starts_with("▓  25%   1.0 us  runqueue: A worker"));
        assert_eq!(text[3], "= 100%   4.0 us  of 4 items, 1.0 us each");
        assert_eq!(text.len(), 4);
    }

    #[test]
    fn no_wait_is_said_to_be_none() {
        let wait = Wait {
            of: "items of this pool".to_owned(),
            parts: Breakdown::default(),
            items: 0,
        };
        let text = text(&wait, 60, false, Palette::new(true));
        assert_eq!(text[0].to_string(), "no wait of items of this pool");
    }
}
