//! What there is to tell until the next key: how a wish turned out, or why it cannot be granted.

/// A sentence in the place of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The sentence.
    pub text: String,
    /// Whether something failed.
    pub failed: bool,
}

impl Note {
    /// How something turned out.
    pub fn of(said: Result<String, String>) -> Self {
        let failed = said.is_err();
        let text = said.unwrap_or_else(|why| why);
        Self { text, failed }
    }
}
