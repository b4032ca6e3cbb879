//! The few colours of printed text, each with one meaning.

/// Whether there is colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences are written at all.
    pub on: bool,
}

impl Style {
    /// A heading.
    pub fn heading(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// Nothing to look at: zeros and dashes.
    pub fn quiet(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// Something to look at: lost, dropped, hung.
    pub fn alarm(self, text: &str) -> String {
        self.wrap("31", text)
    }

    /// Something that is alive.
    pub fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
