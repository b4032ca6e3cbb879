//! The palette: what each colour means, and what stands for it without colours.
//!
//! A role has its colour in each theme (`theme.rs`); text stays in the terminal's own.

use super::theme::{self, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use wq_trace::{FuncId, WaitPart, WorkerState};

/// Colours of a theme, or none; all characters, or ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    colours: bool,
    theme: Theme,
    ascii: bool,
}

/// There, but not to be looked at; this and the following in the dark theme.
pub const GREY: Color = theme::DARK.grey;
/// Runs.
pub const GREEN: Color = theme::DARK.green;
/// Sleeps; waits for a managed worker.
pub const BLUE: Color = theme::DARK.blue;
/// Deserves a look.
pub const YELLOW: Color = theme::DARK.yellow;
/// Is bad.
pub const RED: Color = theme::DARK.red;
/// Waits for a CPU; is chosen.
pub const CYAN: Color = theme::DARK.cyan;
/// Waits for a limit.
pub const MAGENTA: Color = theme::DARK.magenta;
/// Waits for order.
pub const PINK: Color = theme::DARK.pink;
/// Behind the chosen line.
pub const SELECTED: Color = Theme::Dark.chosen();

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
    /// With or without colours: those of the dark theme.
    pub const fn new(colours: bool) -> Self {
        Self {
            colours,
            theme: Theme::Dark,
            ascii: false,
        }
    }

    /// The same in the colours of `theme`.
    pub const fn in_theme(self, theme: Theme) -> Self {
        Self { theme, ..self }
    }

    /// The same with nothing but ASCII on the screen, or with all characters.
    pub const fn in_ascii(self, ascii: bool) -> Self {
        Self { ascii, ..self }
    }

    /// Whether the screen may show nothing but ASCII.
    pub const fn is_ascii(self) -> bool {
        self.ascii
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
        let colours = self.theme.colours();
        style.fg(match role {
            // Said, not left out: a title must not take the colour of its frame.
            Role::Plain | Role::Title => Color::Reset,
            Role::Dim => colours.grey,
            Role::Accent => colours.cyan,
            Role::Good => colours.green,
            Role::Asleep => colours.blue,
            Role::Warn => colours.yellow,
            Role::Bad => colours.red,
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
        let colours = self.theme.colours();
        Style::new().fg(match part {
            WaitPart::InactiveMaxActive
            | WaitPart::InactiveNode
            | WaitPart::InactiveOrdered
            | WaitPart::InactivePlugged
            | WaitPart::InactiveFrozen => colours.magenta,
            WaitPart::SelfRun | WaitPart::Bh => colours.pink,
            WaitPart::Concurrency => colours.blue,
            WaitPart::Sensing => colours.red,
            WaitPart::NoWorker => colours.yellow,
            WaitPart::Runqueue => colours.cyan,
            WaitPart::Unknown => colours.grey,
        })
    }

    /// What tells a function from its neighbours: the same one each time.
    pub fn function(self, id: FuncId) -> Style {
        if !self.colours {
            return Style::new();
        }
        let own = self.theme.colours();
        let colours = [own.green, own.cyan, own.magenta, own.yellow, own.pink];
        Style::new().fg(colours[id.0 as usize % colours.len()])
    }

    /// Text on a block of this style: its colour becomes the background.
    pub fn inscribed(self, block: Style) -> Style {
        let text = match self.theme {
            Theme::Dark => Color::Indexed(16),
            Theme::Light => Color::Indexed(231),
        };
        match block.fg {
            Some(colour) => Style::new().fg(text).bg(colour),
            None => self.badge(),
        }
    }

    /// Marks a line as the chosen one; what is coloured in it keeps its colour.
    pub fn select(self, line: Rect, buffer: &mut Buffer) {
        if !self.colours {
            buffer.set_style(line, self.badge());
            return;
        }
        for position in line.positions() {
            let cell = &mut buffer[position];
            let fg = self.theme.on_chosen(cell.fg);
            cell.set_style(Style::new().fg(fg).bg(self.theme.chosen()));
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
        for theme in [Theme::Dark, Theme::Light] {
            let palette = Palette::new(true).in_theme(theme);
            let styles = WorkerState::ALL.map(|state| palette.state(state));
            for (i, style) in styles.iter().enumerate() {
                assert!(!styles[..i].contains(style), "{:?}", WorkerState::ALL[i]);
            }
        }
    }
}
