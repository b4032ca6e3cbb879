//! The one key table: key, what it does, what the help screen says about it.

use crate::app::{Act, Msg, Step, View};
use crate::request::Kind;
use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind,
};
use wq_trace::past::JUMP;

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The keys as the help screen shows them.
    pub shown: &'static str,
    /// The keys.
    pub keys: &'static [Key],
    /// What they do.
    pub act: Act,
    /// What the help screen says; the footer shows it while there is room.
    pub help: &'static str,
    /// The word in the footer; empty: not there.
    pub brief: &'static str,
}

/// A key with or without Ctrl. Shift is part of the character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Just this key.
    Plain(KeyCode),
    /// With Ctrl held.
    Ctrl(char),
}

const fn ch(c: char) -> Key {
    Key::Plain(KeyCode::Char(c))
}

const fn code(code: KeyCode) -> Key {
    Key::Plain(code)
}

const fn row(
    shown: &'static str,
    keys: &'static [Key],
    act: Act,
    brief: &'static str,
    help: &'static str,
) -> Binding {
    Binding {
        shown,
        keys,
        act,
        help,
        brief,
    }
}

/// Every key that does something, in the order of the help screen.
pub const KEYS: &[Binding] = &table();

/// Those of the program itself.
#[rustfmt::skip]
const PROGRAM: [Binding; 4] = [
    row("?", &[ch('?'), code(KeyCode::F(1))], Act::Help, "help", "Show or leave this help (also F1)"),
    row("q", &[ch('q'), Key::Ctrl('c')], Act::Quit, "quit", "Quit (also Ctrl-C)"),
    row("T", &[ch('T')], Act::Theme, "", "Colours for a light background, or for a dark one"),
    row("Ctrl-Z", &[Key::Ctrl('z')], Act::Suspend, "", "Give the terminal back to the shell until `fg`"),
];

/// Those inside of a view. `<` and `>` also without Shift.
#[rustfmt::skip]
const INSIDE: [Binding; 33] = [
    row("Tab", &[code(KeyCode::Tab)], Act::NextView, "next view", "Next view"),
    row("S-Tab", &[code(KeyCode::BackTab)], Act::PreviousView, "", "Previous view"),
    row("Space", &[ch(' ')], Act::Pause, "pause", "Hold the picture still, or go on; counting never stops"),
    row("[", &[ch('[')], Act::Time(-1), "", "Back in time: the state before, held still"),
    row("]", &[ch(']')], Act::Time(1), "", "On in time: the next state"),
    row("{", &[ch('{')], Act::Time(-JUMP), "", "Back in time: ten states"),
    row("}", &[ch('}')], Act::Time(JUMP), "", "On in time: ten states"),
    row("End", &[code(KeyCode::End)], Act::Present, "", "The present (of what is over: its end); when there, the last row"),
    row("w", &[ch('w')], Act::Save(Kind::Recording), "", "Write the states and events that are kept to a recording in this folder"),
    row("W", &[ch('W')], Act::Save(Kind::Perfetto), "", "The same as a trace for ui.perfetto.dev"),
    row("/", &[ch('/')], Act::Find, "find", "Find rows by a query, as one types: wq:events* wait>5ms fn~flush state:held"),
    row("x", &[ch('x')], Act::FindAll, "all rows", "Show all rows again"),
    row("!", &[ch('!')], Act::Warnings, "warnings", "All warnings, with their evidence and what to do; Enter goes to what one is about"),
    row("c", &[ch('c')], Act::Columns, "", "Choose the columns of the list and their order"),
    row("<", &[ch('<'), ch(',')], Act::SortLeft, "", "Sort by the column to the left"),
    row(">", &[ch('>'), ch('.')], Act::SortRight, "sort", "Sort by the column to the right"),
    row("i", &[ch('i')], Act::Invert, "invert", "Turn the sorting round"),
    row("-", &[ch('-')], Act::HideColumn, "", "Hide the column sorted by"),
    row("+", &[ch('+'), ch('=')], Act::AllColumns, "", "Show all columns that there are; again: the usual ones"),
    row("Up k", &[code(KeyCode::Up), ch('k')], Act::Go(Step::Up), "", "Row above"),
    row("Down j", &[code(KeyCode::Down), ch('j')], Act::Go(Step::Down), "", "Row below"),
    row("PgUp", &[code(KeyCode::PageUp), Key::Ctrl('b')], Act::Go(Step::PageUp), "", "A page up (also Ctrl-B)"),
    row("PgDn", &[code(KeyCode::PageDown), Key::Ctrl('f')], Act::Go(Step::PageDown), "", "A page down (also Ctrl-F)"),
    row("Home g", &[code(KeyCode::Home), ch('g')], Act::Go(Step::First), "", "First row"),
    row("G", &[ch('G')], Act::Go(Step::Last), "", "Last row"),
    row("Left h", &[code(KeyCode::Left), ch('h')], Act::ScrollLeft, "", "Columns: back to the left; Timeline: back in time"),
    row("Right l", &[code(KeyCode::Right), ch('l')], Act::ScrollRight, "", "Columns: on to those that find no room; Timeline: on in time"),
    row("z", &[ch('z')], Act::Zoom { closer: true }, "", "Timeline: closer, less time across"),
    row("Z", &[ch('Z')], Act::Zoom { closer: false }, "", "Timeline: further away, more time across"),
    row("m", &[ch('m')], Act::TurnLatency, "", "Latency: how long items wait, or how long they run"),
    row("t", &[ch('t')], Act::TurnLanes, "", "Timeline: a lane for each worker, or for each CPU"),
    row("Enter", &[code(KeyCode::Enter)], Act::Choose, "details", "Details of the chosen row; there, of the related one that is chosen"),
    row("Esc", &[code(KeyCode::Esc)], Act::Back, "", "Back from the help or from details"),
];

/// The keys of views, by their places among all eight.
const DIGITS: [(&str, [Key; 1]); View::COUNT] = [
    ("1", [ch('1')]),
    ("2", [ch('2')]),
    ("3", [ch('3')]),
    ("4", [ch('4')]),
    ("5", [ch('5')]),
    ("6", [ch('6')]),
    ("7", [ch('7')]),
    ("8", [ch('8')]),
];

/// Puts the table together: one line for each view stands between the others.
const fn table() -> [Binding; PROGRAM.len() + View::ALL.len() + INSIDE.len()] {
    let mut table = [PROGRAM[0]; PROGRAM.len() + View::ALL.len() + INSIDE.len()];
    let mut i = 0;
    while i < table.len() {
        table[i] = if i < PROGRAM.len() {
            PROGRAM[i]
        } else if i < PROGRAM.len() + View::ALL.len() {
            let view = View::ALL[i - PROGRAM.len()];
            let (shown, keys) = &DIGITS[view as usize];
            row(shown, keys, Act::Show(view), "", view.question())
        } else {
            INSIDE[i - PROGRAM.len() - View::ALL.len()]
        };
        i += 1;
    }
    table
}

/// What an event of the terminal means to the application.
pub fn message(event: &Event) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => act(key).map(Msg::Act),
        Event::Resize(width, height) => Some(Msg::Resize(*width, *height)),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::ScrollUp => Some(Msg::Act(Act::Go(Step::Up))),
            MouseEventKind::ScrollDown => Some(Msg::Act(Act::Go(Step::Down))),
            _ => None,
        },
        _ => None,
    }
}

/// Where the left button was pressed: column and row. What stands there says what it means.
pub fn click(event: &Event) -> Option<(u16, u16)> {
    match event {
        Event::Mouse(mouse) if mouse.kind == MouseEventKind::Down(MouseButton::Left) => {
            Some((mouse.column, mouse.row))
        }
        _ => None,
    }
}

/// What a key does.
fn act(event: &KeyEvent) -> Option<Act> {
    let pressed = match event.code {
        KeyCode::Char(c) if event.modifiers.contains(KeyModifiers::CONTROL) => {
            Key::Ctrl(c.to_ascii_lowercase())
        }
        _ if event.modifiers.contains(KeyModifiers::ALT) => return None,
        other => Key::Plain(other),
    };
    KEYS.iter()
        .find(|binding| binding.keys.contains(&pressed))
        .map(|binding| binding.act)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_help_and_none_clashes() {
        let mut seen: Vec<Key> = Vec::new();
        for binding in KEYS {
            assert!(
                !binding.help.is_empty() && !binding.keys.is_empty(),
                "{}",
                binding.shown
            );
            for key in binding.keys {
                assert!(!seen.contains(key), "{key:?} is in the table twice");
                seen.push(*key);
            }
        }
    }

    #[test]
    fn no_two_lines_do_the_same() {
        for (i, binding) in KEYS.iter().enumerate() {
            assert!(
                KEYS[..i].iter().all(|other| other.act != binding.act),
                "{}",
                binding.shown
            );
        }
    }

    #[test]
    fn every_view_has_its_number() {
        for view in View::ALL {
            let key = KeyEvent::from(KeyCode::Char(view.digit()));
            assert_eq!(act(&key), Some(Act::Show(view)));
        }
    }

    #[test]
    fn control_and_release_are_told_apart() {
        let ctrl = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
        assert_eq!(act(&ctrl('c')), Some(Act::Quit));
        assert_eq!(act(&ctrl('q')), None);
        assert_eq!(
            act(&KeyEvent::new(KeyCode::Char('q'), KeyModifiers::ALT)),
            None
        );
        let mut released = KeyEvent::from(KeyCode::Char('q'));
        released.kind = KeyEventKind::Release;
        assert!(message(&Event::Key(released)).is_none());
    }

    #[test]
    fn keys_of_views_to_come_do_nothing() {
        for digit in '0'..='9' {
            let shown = View::ALL.iter().any(|view| view.digit() == digit);
            assert_eq!(act(&KeyEvent::from(KeyCode::Char(digit))).is_some(), shown);
        }
    }
}
