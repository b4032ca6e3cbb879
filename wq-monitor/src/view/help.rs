//! The help: the key table, and what the columns of the view mean.

use super::style::{Palette, Role};
use super::{panel, title};
use crate::app::{App, View};
use crate::input::KEYS;
use crate::lists::List;
use crate::lists::pools::Pools;
use crate::lists::workers::Workers;
use crate::lists::workqueues::Workqueues;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the help scrolled down by `top` lines; it stops at its end.
pub fn draw(app: &App, top: usize, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let inner = panel(title("Help", palette), palette, frame, area);
    let lines = lines(app.ui.view, inner.width, palette);
    let height = usize::from(inner.height);
    let top = top.min(lines.len().saturating_sub(height));
    let more = lines.len().saturating_sub(top + height);
    for (y, line) in (inner.y..inner.bottom()).zip(lines.into_iter().skip(top)) {
        frame.render_widget(
            line,
            Rect {
                y,
                height: 1,
                ..inner
            },
        );
    }
    if more > 0 && area.height >= 4 {
        let text = format!(" {more} more lines: Down, PgDn ");
        let line = Line::styled(text, palette.of(Role::Accent)).right_aligned();
        let foot = Rect {
            y: area.bottom() - 1,
            height: 1,
            width: area.width.saturating_sub(2),
            ..area
        };
        frame.render_widget(line, foot);
    }
}

/// All lines, wrapped to `width`.
fn lines(view: View, width: u16, palette: Palette) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("Keys", palette.of(Role::Title))];
    for binding in KEYS {
        entry(&mut lines, binding.shown, binding.help, width, palette);
    }
    lines.push(Line::default());
    let heading = format!("Columns of {}", view.title());
    lines.push(Line::styled(heading, palette.of(Role::Title)));
    for (name, help) in columns(view) {
        entry(&mut lines, name, help, width, palette);
    }
    lines
}

/// Headings and help sentences of the view's list.
fn columns(view: View) -> Vec<(&'static str, &'static str)> {
    fn of<L: List>() -> Vec<(&'static str, &'static str)> {
        L::COLUMNS
            .iter()
            .map(|column| (column.title, column.help))
            .collect()
    }
    match view {
        View::Overview => of::<Workqueues<'_>>(),
        View::Pools => of::<Pools<'_>>(),
        View::Workers => of::<Workers<'_>>(),
    }
}

/// Cells for the name of a key or column.
const NAME: usize = 14;

/// A name with its sentence, wrapped.
fn entry(lines: &mut Vec<Line<'static>>, name: &str, help: &str, width: u16, palette: Palette) {
    let room = usize::from(width).saturating_sub(NAME + 1).max(10);
    let name = name.split('│').map(str::trim).collect::<Vec<_>>().join("│");
    // A name that is too long for its column gets a line of its own.
    if name.chars().count() > NAME - 2 {
        lines.push(Line::styled(format!(" {name}"), palette.of(Role::Accent)));
        push(lines, "", help, room, palette);
    } else {
        push(lines, &name, help, room, palette);
    }
}

fn push(lines: &mut Vec<Line<'static>>, name: &str, help: &str, room: usize, palette: Palette) {
    for (i, text) in wrapped(help, room).into_iter().enumerate() {
        let name = if i == 0 { name } else { "" };
        let name = Span::styled(
            format!(" {name:<width$}", width = NAME - 1),
            palette.of(Role::Accent),
        );
        lines.push(Line::from(vec![
            name,
            Span::styled(text, palette.of(Role::Plain)),
        ]));
    }
}

/// `text` in lines of at most `width` characters, broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_column_is_in_the_help() {
        for view in View::ALL {
            let text: String = lines(view, 400, Palette::new(false))
                .iter()
                .map(|line| format!("{line}\n"))
                .collect();
            for binding in KEYS {
                assert!(text.contains(binding.help), "{}", binding.help);
            }
            for (_, help) in columns(view) {
                assert!(text.contains(help), "{help}");
            }
        }
    }

    #[test]
    fn columns_have_different_titles_and_a_help_each() {
        for view in View::ALL {
            let all = columns(view);
            for (i, (name, help)) in all.iter().enumerate() {
                assert!(!name.is_empty() && !help.is_empty());
                assert!(all[..i].iter().all(|(other, _)| other != name), "{name}");
            }
        }
    }

    #[test]
    fn wrapping_loses_no_word() {
        assert_eq!(wrapped("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrapped("", 4), [""]);
        assert_eq!(wrapped("longer than that", 3), ["longer", "than", "that"]);
    }
}
