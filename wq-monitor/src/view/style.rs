//! The palette: what each colour means, and what stands for it without colours.

use ratatui::style::{Color, Modifier, Style};
use wq_trace::{WaitPart, WorkerState};

/// The 16 colours of the terminal's own theme, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    colours: bool,
}

/// What a piece of text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A value.
    Plain,
    /// Frames, units, idle things: there, but not to be looked at.
    Dim,
    /// A heading.
    Title,
    /// The view, column or row that is chosen.
    Accent,
    /// Runs, is healthy.
    Good,
    /// Asleep: costs nothing, but holds something.
    Asleep,
    /// Waits, or deserves a look.
    Warn,
    /// Lost, stuck, gone.
    Bad,
}

impl Palette {
    /// With or without colours.
    pub const fn new(colours: bool) -> Self {
        Self { colours }
    }

    /// Whether colours may carry meaning; otherwise shapes have to.
    pub const fn has_colours(self) -> bool {
        self.colours
    }

    /// The style of a role.
    pub fn of(self, role: Role) -> Style {
        let bold = matches!(role, Role::Title | Role::Accent | Role::Bad);
        let style = if bold {
            Style::new().add_modifier(Modifier::BOLD)
        } else {
            Style::new()
        };
        if !self.colours {
            return style;
        }
        match role {
            Role::Plain | Role::Title => style,
            Role::Dim => style.fg(Color::DarkGray),
            Role::Accent => style.fg(Color::Cyan),
            Role::Good => style.fg(Color::Green),
            Role::Asleep => style.fg(Color::Blue),
            Role::Warn => style.fg(Color::Yellow),
            Role::Bad => style.fg(Color::Red),
        }
    }

    /// A value that deserves `role` when `notable`, and recedes when it is zero.
    pub fn value(self, value: u64, role: Role) -> Style {
        self.of(if value == 0 { Role::Dim } else { role })
    }

    /// The style of a worker's state.
    pub fn state(self, state: WorkerState) -> Style {
        self.of(match state {
            WorkerState::Running => Role::Good,
            WorkerState::Sleeping => Role::Asleep,
            WorkerState::Managing => Role::Warn,
            WorkerState::Busy => Role::Plain,
            WorkerState::Idle => Role::Dim,
        })
    }

    /// The style of a part of the wait: parts with one remedy share a colour.
    pub fn part(self, part: WaitPart) -> Style {
        if !self.colours {
            return Style::new();
        }
        Style::new().fg(match part {
            WaitPart::InactiveMaxActive
            | WaitPart::InactiveNode
            | WaitPart::InactiveOrdered
            | WaitPart::InactivePlugged
            | WaitPart::InactiveFrozen => Color::Magenta,
            WaitPart::SelfRun | WaitPart::Bh => Color::LightMagenta,
            WaitPart::Concurrency => Color::Blue,
            WaitPart::Sensing => Color::Red,
            WaitPart::NoWorker => Color::Yellow,
            WaitPart::Runqueue => Color::Cyan,
            WaitPart::Unknown => Color::DarkGray,
        })
    }

    /// The chosen row.
    pub fn selection(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 8] = [
        Role::Plain,
        Role::Dim,
        Role::Title,
        Role::Accent,
        Role::Good,
        Role::Asleep,
        Role::Warn,
        Role::Bad,
    ];

    #[test]
    fn without_colours_there_is_none() {
        let palette = Palette::new(false);
        let parts = WaitPart::ALL.iter().map(|part| palette.part(*part));
        let states = WorkerState::ALL.iter().map(|state| palette.state(*state));
        for style in ROLES
            .iter()
            .map(|role| palette.of(*role))
            .chain(parts)
            .chain(states)
        {
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }

    #[test]
    fn states_that_differ_in_meaning_differ_in_colour() {
        let palette = Palette::new(true);
        let styles = WorkerState::ALL.map(|state| palette.state(state));
        for (i, style) in styles.iter().enumerate() {
            assert!(!styles[..i].contains(style), "{:?}", WorkerState::ALL[i]);
        }
    }
}
