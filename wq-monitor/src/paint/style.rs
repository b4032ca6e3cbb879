//! The palette: what each colour means, and what stands for it without colours.
//!
//! Colours are taken from the 256-colour cube, which looks the same under every theme; text stays in the terminal's own.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use wq_trace::{FuncId, WaitPart, WorkerState};

/// Colours, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    colours: bool,
}

/// There, but not to be looked at.
pub const GREY: Color = Color::Indexed(242);
/// The same on the chosen line.
const LIGHT_GREY: Color = Color::Indexed(248);
/// Runs.
pub const GREEN: Color = Color::Indexed(114);
/// Sleeps; waits for a managed worker.
pub const BLUE: Color = Color::Indexed(75);
/// Deserves a look.
pub const YELLOW: Color = Color::Indexed(179);
/// Is bad.
pub const RED: Color = Color::Indexed(203);
/// Is chosen; waits for a CPU.
pub const CYAN: Color = Color::Indexed(80);
/// Waits for a limit.
pub const MAGENTA: Color = Color::Indexed(176);
/// Waits for order.
pub const PINK: Color = Color::Indexed(211);
/// What functions are told apart by.
const FUNCTIONS: [Color; 6] = [
    Color::Indexed(114),
    Color::Indexed(80),
    Color::Indexed(176),
    Color::Indexed(179),
    Color::Indexed(211),
    Color::Indexed(216),
];
/// Behind the chosen line.
pub const SELECTED: Color = Color::Indexed(237);

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
        style.fg(match role {
            // Said, not left out: a title must not take the colour of its frame.
            Role::Plain | Role::Title => Color::Reset,
            Role::Dim => GREY,
            Role::Accent => CYAN,
            Role::Good => GREEN,
            Role::Asleep => BLUE,
            Role::Warn => YELLOW,
            Role::Bad => RED,
        })
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
            | WaitPart::InactiveFrozen => MAGENTA,
            WaitPart::SelfRun | WaitPart::Bh => PINK,
            WaitPart::Concurrency => BLUE,
            WaitPart::Sensing => RED,
            WaitPart::NoWorker => YELLOW,
            WaitPart::Runqueue => CYAN,
            WaitPart::Unknown => GREY,
        })
    }

    /// What tells a function from its neighbours: the same one each time.
    pub fn function(self, id: FuncId) -> Style {
        if !self.colours {
            return Style::new();
        }
        Style::new().fg(FUNCTIONS[id.0 as usize % FUNCTIONS.len()])
    }

    /// Marks a line as the chosen one; what is coloured in it keeps its colour.
    pub fn select(self, line: Rect, buffer: &mut Buffer) {
        if !self.colours {
            buffer.set_style(line, self.badge());
            return;
        }
        for position in line.positions() {
            let cell = &mut buffer[position];
            let fg = match cell.fg {
                Color::Reset => Color::White,
                GREY => LIGHT_GREY,
                other => other,
            };
            cell.set_style(Style::new().fg(fg).bg(SELECTED));
        }
    }

    /// A word that must not be overlooked.
    pub fn badge(self) -> Style {
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
