//! What is wrong with a script and where: the collector of all its errors, line and column, the nearest allowed word.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Most errors kept of one file; a hostile file must not fill memory with them.
const MOST_ERRORS: usize = 100;

/// A value and where in the file it stands (byte range).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct At<T> {
    /// The value.
    pub value: T,
    /// Its byte range.
    pub span: Range<usize>,
}

impl<T> At<T> {
    /// `value`, standing at `span`.
    pub fn new(value: T, span: Range<usize>) -> Self {
        Self { value, span }
    }
}

/// One error of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// Line and column, both from 1, the column in characters. `None`: the whole file is meant.
    pub place: Option<(usize, usize)>,
    /// The field that is wrong, as a path (`work[0].body[2]`). Empty: none.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// All errors of one script, in file order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptErrors {
    /// The script.
    pub path: PathBuf,
    /// What is wrong; at least one.
    pub errors: Vec<ScriptError>,
    /// Errors beyond those kept.
    pub more: usize,
}

impl ScriptErrors {
    /// One error about the whole file.
    pub(super) fn whole_file(path: &Path, message: String) -> Self {
        let error = ScriptError {
            place: None,
            field: String::new(),
            message,
        };
        Self {
            path: path.to_owned(),
            errors: vec![error],
            more: 0,
        }
    }
}

impl fmt::Display for ScriptErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.errors.iter().enumerate() {
            let colon = if error.place.is_some() { ":" } else { ": " };
            let newline = if i == 0 { "" } else { "\n" };
            write!(f, "{newline}{}{colon}{error}", self.path.display())?;
        }
        if self.more > 0 {
            write!(
                f,
                "\n{}: and {} more errors",
                self.path.display(),
                self.more
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for ScriptErrors {}

/// Collects the errors of one file.
#[derive(Debug)]
pub(super) struct Diagnostics<'a> {
    text: &'a str,
    found: Vec<(usize, ScriptError)>,
    more: usize,
}

impl<'a> Diagnostics<'a> {
    /// None yet, for a file of this text.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            found: Vec::new(),
            more: 0,
        }
    }

    /// Notes an error at `span`.
    pub fn error(&mut self, span: &Range<usize>, field: &str, message: impl Into<String>) {
        self.error_with(span, field, || message.into());
    }

    /// Notes an error at `span` whose message takes time to find; it is not asked for once the most errors are kept.
    pub fn error_with(
        &mut self,
        span: &Range<usize>,
        field: &str,
        message: impl FnOnce() -> String,
    ) {
        if self.found.len() == MOST_ERRORS {
            self.more += 1;
            return;
        }
        let error = ScriptError {
            place: Some(line_column(self.text, span.start)),
            field: field.to_owned(),
            message: message(),
        };
        self.found.push((span.start, error));
    }

    /// Where the part `inner` (byte range) of the string value at `span` stands in the file.
    ///
    /// A string with escapes or of several lines does not stand there literally; then it is the string as a whole.
    pub fn inside(&self, span: &Range<usize>, value: &str, inner: &Range<usize>) -> Range<usize> {
        let start = span.start + 1;
        let literal = self.text.get(start..span.end.saturating_sub(1)) == Some(value);
        if literal {
            start + inner.start..start + inner.end
        } else {
            span.clone()
        }
    }

    /// `Err` with everything noted, in file order, unless nothing was.
    pub fn finish(mut self, path: &Path) -> Result<(), ScriptErrors> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.found.sort_by_key(|(start, _)| *start);
        Err(ScriptErrors {
            path: path.to_owned(),
            errors: self.found.into_iter().map(|(_, error)| error).collect(),
            more: self.more,
        })
    }
}

/// Line and column (from 1, in characters) of a byte offset.
pub(super) fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

/// A word of the file, safe to print: control characters escaped, cut after 60 characters, in backquotes.
pub(super) fn quoted(word: &str) -> String {
    const LONGEST: usize = 60;
    let shown: String = word
        .chars()
        .take(LONGEST)
        .flat_map(|c| {
            let escape = c.is_control() || is_format_control(c);
            let escaped = escape.then(|| c.escape_default());
            let plain = (!escape).then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect();
    let more = if word.chars().nth(LONGEST).is_some() {
        "..."
    } else {
        ""
    };
    format!("`{shown}{more}`")
}

/// Invisible characters that reorder or hide text on a terminal without being control characters.
pub(super) fn is_format_control(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// `; did you mean X?` for the allowed word nearest to `word`, else nothing.
pub(super) fn did_you_mean<'w>(word: &str, allowed: impl IntoIterator<Item = &'w str>) -> String {
    wq_trace::nearest_word(word, allowed).map_or_else(String::new, |near| {
        format!("; did you mean {}?", quoted(near))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_counts_characters_and_lines() {
        let text = "a\näb = 1\n";
        assert_eq!(line_column(text, 0), (1, 1));
        assert_eq!(line_column(text, 2), (2, 1));
        assert_eq!(line_column(text, 4), (2, 2));
        assert_eq!(line_column(text, 3), (2, 1), "inside a character");
        assert_eq!(line_column(text, 1000), (3, 1));
    }

    #[test]
    fn words_of_the_file_cannot_reach_the_terminal_raw() {
        assert_eq!(quoted("a\u{1b}[2J"), "`a\\u{1b}[2J`");
        assert_eq!(quoted("a\u{202e}b"), "`a\\u{202e}b`");
        assert_eq!(quoted(&"x".repeat(70)), format!("`{}...`", "x".repeat(60)));
    }

    #[test]
    fn errors_beyond_the_most_are_only_counted() {
        let mut errors = Diagnostics::new("");
        for _ in 0..MOST_ERRORS + 5 {
            errors.error(&(0..0), "f", "bad");
        }
        let all = errors.finish(Path::new("p")).expect_err("there are errors");
        assert_eq!((all.errors.len(), all.more), (MOST_ERRORS, 5));
        assert!(all.to_string().ends_with("p: and 5 more errors"));
    }
}
