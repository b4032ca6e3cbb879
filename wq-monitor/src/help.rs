//! The help as text: the key table, and what the columns of a view mean, wrapped to a width.

use crate::app::View;
use crate::input::KEYS;
use crate::lists::List;
use crate::lists::pools::Pools;
use crate::lists::workers::Workers;
use crate::lists::workqueues::Workqueues;

/// One line of the help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelpLine {
    /// The title of a part, or an empty line between parts.
    Heading(String),
    /// A key or column (or a blank, when the line before goes on) and what it does.
    Entry(String, String),
}

/// Cells for the name of a key or column.
pub const NAME: usize = 14;

/// All lines of a view's help, `width` cells wide.
pub fn lines(view: View, width: u16) -> Vec<HelpLine> {
    let mut lines = vec![HelpLine::Heading("Keys".to_owned())];
    for binding in KEYS {
        entry(&mut lines, binding.shown, binding.help, width);
    }
    lines.push(HelpLine::Heading(String::new()));
    lines.push(HelpLine::Heading(format!("Columns of {}", view.title())));
    for (name, help) in columns(view) {
        entry(&mut lines, &name, help, width);
    }
    lines
}

/// Headings and help sentences of the view's list.
pub fn columns(view: View) -> Vec<(String, &'static str)> {
    fn of<L: List>() -> Vec<(String, &'static str)> {
        // Blanks that place a heading over its picture mean nothing here.
        let name = |title: &str| {
            title
                .split('│')
                .map(str::trim)
                .collect::<Vec<_>>()
                .join("/")
        };
        L::COLUMNS
            .iter()
            .map(|column| (name(column.title), column.help))
            .collect()
    }
    match view {
        View::Overview => of::<Workqueues<'_>>(),
        View::Pools => of::<Pools<'_>>(),
        View::Workers => of::<Workers<'_>>(),
    }
}

/// A name with its sentence, wrapped.
fn entry(lines: &mut Vec<HelpLine>, name: &str, help: &str, width: u16) {
    let room = usize::from(width).saturating_sub(NAME + 1).max(10);
    let mut name = name.to_owned();
    // A name that is too long for its column gets a line of its own.
    if name.chars().count() > NAME - 2 {
        lines.push(HelpLine::Entry(std::mem::take(&mut name), String::new()));
    }
    for text in wrapped(help, room) {
        lines.push(HelpLine::Entry(std::mem::take(&mut name), text));
    }
}

/// `text` in lines of at most `width` characters, broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_column_is_in_the_help() {
        for view in View::ALL {
            let lines = lines(view, 400);
            let has = |help: &str| {
                lines
                    .iter()
                    .any(|line| matches!(line, HelpLine::Entry(_, text) if text == help))
            };
            for binding in KEYS {
                assert!(has(binding.help), "{}", binding.help);
            }
            for (_, help) in columns(view) {
                assert!(has(help), "{help}");
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
