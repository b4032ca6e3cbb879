//! How far a long export is, for a person who waits: one line on the standard error, if that is a terminal.

use std::io::{IsTerminal, Write};
use std::time::Duration;
use wq_trace::units;

/// Before the first line, and between two.
const BETWEEN: Duration = Duration::from_millis(500);

/// The line.
#[derive(Debug)]
pub struct Progress {
    /// Events so far.
    pub events: u64,
    window: Option<Duration>,
    is_shown: bool,
    shown_at: Duration,
    drawn: bool,
}

impl Progress {
    /// Nothing is done yet; `window` is how long it will take, if that is known.
    pub fn new(window: Option<Duration>) -> Self {
        Self {
            events: 0,
            window,
            is_shown: std::io::stderr().is_terminal(),
            shown_at: Duration::ZERO,
            drawn: false,
        }
    }

    /// Draws the line if it is time.
    pub fn show(&mut self, passed: Duration) {
        if !self.is_shown || passed < self.shown_at + BETWEEN {
            return;
        }
        (self.shown_at, self.drawn) = (passed, true);
        eprint!("\r\x1b[K{}", self.line(passed));
        // Whoever closed the standard error wants no progress.
        self.is_shown = std::io::stderr().flush().is_ok();
    }

    /// Takes the line away.
    pub fn end(&mut self) {
        if std::mem::take(&mut self.drawn) {
            eprint!("\r\x1b[K");
        }
    }

    fn line(&self, passed: Duration) -> String {
        let time = |d: Duration| units::duration(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX));
        let events = self.events;
        match self.window {
            Some(window) => format!("{events} events, {} of {}", time(passed), time(window)),
            None => format!("{events} events"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_says_how_much_of_it_has_passed() {
        let mut progress = Progress::new(Some(Duration::from_secs(5)));
        progress.events = 1200;
        assert_eq!(
            progress.line(Duration::from_secs(2)),
            "1200 events, 2.0 s of 5.0 s"
        );
        progress.window = None;
        assert_eq!(progress.line(Duration::from_secs(2)), "1200 events");
    }
}
