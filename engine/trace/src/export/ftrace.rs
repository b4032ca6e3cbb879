//! Event text with the header of a file of ftrace.

use crate::event::Event;
use crate::names::Names;
use crate::text;
use std::io::{self, Write};

/// The columns, as ftrace explains them.
const COLUMNS: &str = "\
#
# entries-in-buffer/entries-written: unknown
#
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
";

/// Writes events as lines.
#[derive(Debug)]
pub(super) struct Ftrace<W> {
    out: W,
}

impl<W: Write> Ftrace<W> {
    pub(super) fn new(mut out: W) -> io::Result<Self> {
        writeln!(out, "{}", text::HEADER)?;
        out.write_all(COLUMNS.as_bytes())?;
        Ok(Self { out })
    }

    pub(super) fn event(&mut self, event: &Event, names: &Names) -> io::Result<()> {
        writeln!(self.out, "{}", text::line(event, names))
    }

    pub(super) fn comment(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "# {text}")
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }
}
