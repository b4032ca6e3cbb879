//! The keys while a query is typed: all others are characters of it.

use crate::app::{Act, Msg};
use crate::prompt::Edit;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Typing {
    /// The keys as the help shows them.
    pub shown: &'static str,
    /// The keys without Ctrl.
    plain: &'static [KeyCode],
    /// The letters with Ctrl held.
    ctrl: &'static [char],
    /// What they do.
    pub edit: Edit,
    /// What the help says; empty: nothing, everybody knows.
    pub help: &'static str,
}

const fn row(
    shown: &'static str,
    plain: &'static [KeyCode],
    ctrl: &'static [char],
    edit: Edit,
    help: &'static str,
) -> Typing {
    Typing {
        shown,
        plain,
        ctrl,
        edit,
        help,
    }
}

/// Every key that is no character of the query.
#[rustfmt::skip]
pub const TYPING: &[Typing] = &[
    row("Enter", &[KeyCode::Enter], &['m'], Edit::Keep, "Keep the query"),
    row("Esc", &[KeyCode::Esc], &['c', 'g'], Edit::Revert, "Leave it as it was before (also Ctrl-C)"),
    row("Tab", &[KeyCode::Tab], &[], Edit::Complete, "Complete the key or value; again: the next one"),
    row("S-Tab", &[KeyCode::BackTab], &[], Edit::CompleteBack, "The completion before that"),
    row("Up", &[KeyCode::Up], &['p'], Edit::Older, "An earlier query"),
    row("Down", &[KeyCode::Down], &['n'], Edit::Newer, "A later query"),
    row("Ctrl-U", &[], &['u'], Edit::CutToStart, "Take all before the cursor away"),
    row("Ctrl-W", &[], &['w'], Edit::CutWord, "Take the word before the cursor away"),
    row("Backspace", &[KeyCode::Backspace], &['h'], Edit::Backspace, ""),
    row("Delete", &[KeyCode::Delete], &['d'], Edit::Delete, ""),
    row("Left", &[KeyCode::Left], &['b'], Edit::Left, ""),
    row("Right", &[KeyCode::Right], &['f'], Edit::Right, ""),
    row("Home", &[KeyCode::Home], &['a'], Edit::Start, ""),
    row("End", &[KeyCode::End], &['e'], Edit::End, ""),
];

/// What an event means while a query is typed; `None` where typing changes nothing of it: the mouse, the size.
pub fn message(event: &Event) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => edit(key),
        _ => None,
    }
}

fn edit(event: &KeyEvent) -> Option<Msg> {
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let found = TYPING.iter().find(|row| match event.code {
        KeyCode::Char(c) if ctrl => row.ctrl.contains(&c.to_ascii_lowercase()),
        code => row.plain.contains(&code),
    });
    match event.code {
        _ if found.is_some() => found.map(|row| Msg::Edit(row.edit)),
        KeyCode::Char('z') if ctrl => Some(Msg::Act(Act::Suspend)),
        KeyCode::Char(c) if !ctrl && !event.modifiers.contains(KeyModifiers::ALT) => {
            Some(Msg::Edit(Edit::Type(c)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: KeyCode, modifiers: KeyModifiers) -> Option<Edit> {
        match message(&Event::Key(KeyEvent::new(code, modifiers))) {
            Some(Msg::Edit(edit)) => Some(edit),
            _ => None,
        }
    }

    #[test]
    fn no_key_is_in_the_table_twice() {
        for (i, row) in TYPING.iter().enumerate() {
            for other in &TYPING[..i] {
                assert!(row.plain.iter().all(|key| !other.plain.contains(key)));
                assert!(row.ctrl.iter().all(|key| !other.ctrl.contains(key)));
                assert_ne!(row.edit, other.edit);
            }
        }
    }

    #[test]
    fn letters_that_are_keys_elsewhere_are_typed() {
        for c in ['q', '?', ' ', '1', 'x', '/', 'ü', 'J'] {
            assert_eq!(
                of(KeyCode::Char(c), KeyModifiers::NONE),
                Some(Edit::Type(c))
            );
        }
        let shift = KeyModifiers::SHIFT;
        assert_eq!(of(KeyCode::Char('J'), shift), Some(Edit::Type('J')));
        assert_eq!(of(KeyCode::Char('q'), KeyModifiers::ALT), None);
        assert_eq!(of(KeyCode::Char('q'), KeyModifiers::CONTROL), None);
        let ctrl = KeyModifiers::CONTROL;
        assert_eq!(of(KeyCode::Char('w'), ctrl), Some(Edit::CutWord));
        assert_eq!(of(KeyCode::Char('c'), ctrl), Some(Edit::Revert));
        assert_eq!(of(KeyCode::F(1), KeyModifiers::NONE), None);
    }

    #[test]
    fn a_stop_and_a_new_size_are_no_typing() {
        let stop = KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL);
        assert!(matches!(
            message(&Event::Key(stop)),
            Some(Msg::Act(Act::Suspend))
        ));
        assert!(message(&Event::Resize(1, 1)).is_none());
        let mut released = KeyEvent::from(KeyCode::Char('a'));
        released.kind = KeyEventKind::Release;
        assert!(message(&Event::Key(released)).is_none());
    }
}
