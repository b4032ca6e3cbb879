//! Standard output: buffered, coloured or not, text or JSON.

use crate::args::Color;
use crate::failure::Failure;
use crate::json::Json;
use crate::style::Style;
use std::io::{BufWriter, IsTerminal, Write};
use wq_trace::Value;

/// Where results go.
pub struct Output {
    writer: Box<dyn Write>,
    /// How they look.
    pub style: Style,
    /// Characters of a line, when it is a terminal.
    pub width: Option<usize>,
}

impl Output {
    /// The standard output.
    pub fn stdout(color: Color) -> Self {
        let stdout = std::io::stdout();
        let on = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
            }
        };
        // A terminal that does not know says 0.
        let size = rustix::termios::tcgetwinsize(&stdout).ok();
        let width = size.map(|size| usize::from(size.ws_col));
        Self {
            width: width.filter(|&width| width > 0),
            writer: Box::new(BufWriter::with_capacity(64 * 1024, stdout)),
            style: Style { on },
        }
    }

    /// Prints text that ends its own lines.
    pub fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    /// Prints bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.writer.write_all(bytes)?)
    }

    /// Prints one JSON document over several lines.
    pub fn json(&mut self, value: &Value) -> Result<(), Failure> {
        serde_json::to_writer_pretty(&mut self.writer, &Json(value))?;
        self.text("\n")
    }

    /// Prints one JSON value on one line.
    pub fn json_line(&mut self, value: &Value) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.writer, &Json(value))?;
        self.text("\n")
    }

    /// Writes what is still buffered.
    pub fn finish(&mut self) -> Result<(), Failure> {
        Ok(self.writer.flush()?)
    }
}
