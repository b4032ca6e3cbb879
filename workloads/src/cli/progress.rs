//! The progress of a running replay: one line on a terminal, rewritten in place.

use crate::units::count;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;
use wq_trace::units::duration;

/// How far a replay has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Since the script's start.
    pub elapsed: Duration,
    /// Executions that ended.
    pub executions: u64,
    /// Items queued and not ended.
    pub outstanding: u64,
    /// Producers that made their last call.
    pub producers_done: usize,
    /// All producers.
    pub producers: usize,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elapsed = u64::try_from(self.elapsed.as_nanos()).unwrap_or(u64::MAX);
        write!(
            f,
            "{}  {} done, {} outstanding, {} of {} finished",
            duration(elapsed),
            count(self.executions, "execution"),
            self.outstanding,
            self.producers_done,
            count(self.producers as u64, "producer"),
        )
    }
}

/// A line that shows progress; nothing at all where there is no terminal.
#[derive(Debug)]
pub struct ProgressLine<W: Write> {
    out: Option<W>,
    shown: bool,
}

impl ProgressLine<io::Stderr> {
    /// On standard error, so that a report can be piped.
    pub fn on_stderr() -> Self {
        let stderr = io::stderr();
        let out = stderr.is_terminal().then_some(stderr);
        Self { out, shown: false }
    }
}

impl<W: Write> ProgressLine<W> {
    /// On any terminal.
    pub fn new(out: W) -> Self {
        Self {
            out: Some(out),
            shown: false,
        }
    }

    /// Shows what `progress` gives instead of what was shown before; it is not asked where nothing is shown. A terminal
    /// that fails is left alone from then on.
    pub fn show(&mut self, progress: impl FnOnce() -> Progress) {
        if self.out.is_some() {
            self.write(&format!("\r\u{1b}[K{}", progress()));
            self.shown = true;
        }
    }

    /// Takes the line away, for what comes next on the terminal.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            self.write("\r\u{1b}[K");
        }
    }

    fn write(&mut self, text: &str) {
        let Some(out) = &mut self.out else { return };
        if out
            .write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .is_err()
        {
            self.out = None;
        }
    }
}

impl<W: Write> Drop for ProgressLine<W> {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_rewritten_and_taken_away() {
        let mut out = Vec::new();
        let mut line = ProgressLine::new(&mut out);
        let progress = Progress {
            elapsed: Duration::from_millis(1500),
            executions: 1,
            outstanding: 2,
            producers_done: 0,
            producers: 3,
        };
        line.show(|| progress);
        drop(line);
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "\r\u{1b}[K1.5 s  1 execution done, 2 outstanding, 0 of 3 producers finished\r\u{1b}[K"
        );
    }

    #[test]
    fn a_terminal_that_fails_is_left_alone() {
        struct Broken(u32);
        impl Write for &mut Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                self.0 += 1;
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut broken = Broken(0);
        let mut line = ProgressLine::new(&mut broken);
        line.show(Progress::default);
        line.show(Progress::default);
        drop(line);
        assert_eq!(broken.0, 1);
    }
}
