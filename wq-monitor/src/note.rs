//! What there is to tell until the next key: how a wish turned out, or why it cannot be granted.

/// A sentence in the place of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The sentence.
    pub text: String,
    /// How it is meant.
    pub mood: Mood,
}

/// How a note is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// A wish was granted.
    Done,
    /// So it is; nothing was done.
    Told,
    /// Something failed.
    Failed,
}

impl Note {
    /// How something turned out.
    pub fn of(said: Result<String, String>) -> Self {
        let mood = match said {
            Ok(_) => Mood::Done,
            Err(_) => Mood::Failed,
        };
        let text = said.unwrap_or_else(|why| why);
        Self { text, mood }
    }

    /// How things are.
    pub fn told(text: String) -> Self {
        let mood = Mood::Told;
        Self { text, mood }
    }
}
