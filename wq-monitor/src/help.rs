//! The help as text: the key table, and what the columns of a view mean, wrapped to a width.

use crate::app::View;
use crate::input::KEYS;
use crate::lists;
use crate::spread;
use crate::tail;
use crate::timeline::SHAPES;
use crate::typing::TYPING;

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

/// Terms of a query, and what they find.
pub const QUERIES: &[(&str, &str)] = &[
    (
        "word",
        "Rows whose name has it; terms are parted by blanks, and all must hold",
    ),
    (
        "wq:events*",
        "A pattern of the whole: * is any text, ? any character; so fn: worker: state: kind: why:",
    ),
    ("fn~flush|sync", "A regular expression, found anywhere"),
    (
        "wait>5ms",
        "Times (5ms), numbers (2k), rates (1000/s) and shares (10%) compare with > >= < <= =",
    ),
    ("-state:idle", "All but those"),
    (
        "event:hold_work",
        "Of the Events those of one kind; there also wq: fn: worker: from: thread: cpu: pool:",
    ),
];

/// All lines of a view's help, `width` cells wide; first of all what the column `sorted` by says.
pub fn lines(view: View, sorted: &str, width: u16) -> Vec<HelpLine> {
    let mut lines = Vec::new();
    let columns = columns(view);
    if let Some(column) = columns.iter().find(|column| column.key == sorted) {
        lines.push(HelpLine::Heading("Sorted by".to_owned()));
        entry(&mut lines, &column.name, &column.text(), width);
        lines.push(HelpLine::Heading(String::new()));
    }
    lines.push(HelpLine::Heading("Keys".to_owned()));
    for binding in KEYS {
        entry(&mut lines, binding.shown, binding.help, width);
    }
    lines.push(HelpLine::Heading(String::new()));
    lines.push(HelpLine::Heading(what_is_shown(view)));
    for column in columns.iter().filter(|column| column.usual) {
        entry(&mut lines, &column.name, &column.text(), width);
    }
    if columns.iter().any(|column| !column.usual) {
        lines.push(HelpLine::Heading(String::new()));
        lines.push(HelpLine::Heading("Columns that + adds".to_owned()));
        for column in columns.iter().filter(|column| !column.usual) {
            entry(&mut lines, &column.name, &column.text(), width);
        }
    }
    lines.push(HelpLine::Heading(String::new()));
    lines.push(HelpLine::Heading(
        "Finding: what is typed behind /".to_owned(),
    ));
    for (term, help) in QUERIES {
        entry(&mut lines, term, help, width);
    }
    for key in TYPING.iter().filter(|key| !key.help.is_empty()) {
        entry(&mut lines, key.shown, key.help, width);
    }
    lines
}

/// The heading of what a view shows.
fn what_is_shown(view: View) -> String {
    match view {
        View::Timeline => "Shapes of Timeline".to_owned(),
        _ => format!("Columns of {}", view.title()),
    }
}

/// What the help says of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Its key, as in JSON.
    pub key: &'static str,
    /// Its heading, without the blanks that place it over a picture.
    pub name: String,
    /// What it shows, as one sentence.
    pub help: &'static str,
    /// Its unit, as in JSON; empty for words.
    pub unit: &'static str,
    /// Whether it is shown until somebody chooses otherwise.
    pub usual: bool,
}

impl Explained {
    /// The sentence, with the unit where it is not said by the value itself.
    pub fn text(&self) -> String {
        match self.unit {
            "" | "id" | "cpu" | "nice" | "%" | "ns" | "us" => self.help.to_owned(),
            unit => format!("{} [{unit}]", self.help),
        }
    }
}

/// The columns of the view's list.
pub fn columns(view: View) -> Vec<Explained> {
    match view {
        View::Timeline => return told(&SHAPES),
        View::Events => return told(&tail::COLUMNS),
        View::Latency => return told(&spread::COLUMNS),
        _ => {}
    }
    let heads = lists::of(view).map_or_else(Vec::new, lists::List::heads);
    let explained = heads.into_iter().map(|head| Explained {
        key: head.key,
        name: head.name(),
        help: head.help,
        unit: head.unit,
        usual: head.usual,
    });
    explained.collect()
}

/// What is told of views without a list: key, name, meaning.
fn told(table: &[(&'static str, &'static str, &'static str)]) -> Vec<Explained> {
    let explained = table.iter().map(|(key, shape, help)| Explained {
        key,
        name: (*shape).to_owned(),
        help,
        unit: "",
        usual: true,
    });
    explained.collect()
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
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
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
            let lines = lines(view, "", 400);
            let has = |help: &str| {
                lines
                    .iter()
                    .any(|line| matches!(line, HelpLine::Entry(_, text) if text == help))
            };
            for binding in KEYS {
                assert!(has(binding.help), "{}", binding.help);
            }
            for column in columns(view) {
                assert!(has(&column.text()), "{}", column.key);
            }
        }
    }

    #[test]
    fn the_column_sorted_by_comes_first() {
        let lines = lines(View::Workqueues, "wait_p99", 400);
        assert_eq!(lines[0], HelpLine::Heading("Sorted by".to_owned()));
        assert!(matches!(&lines[1], HelpLine::Entry(name, _) if name == "wait p99"));
    }

    #[test]
    fn columns_have_different_titles_and_a_help_each() {
        for view in View::ALL {
            let all = columns(view);
            for (i, column) in all.iter().enumerate() {
                assert!(!column.name.is_empty() && !column.help.is_empty());
                let same = all[..i].iter().find(|other| other.name == column.name);
                assert_eq!(same, None);
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
