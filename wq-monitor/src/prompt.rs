//! The line in which a query is typed: a small editor with completion and history. Pure: no terminal, no drawing.

use wq_trace::query::{Query, QueryError, keys};

/// What a key does to the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Puts a character in.
    Type(char),
    /// Takes the character before the cursor away.
    Backspace,
    /// Takes the character under the cursor away.
    Delete,
    /// Takes the word before the cursor away.
    CutWord,
    /// Takes all before the cursor away.
    CutToStart,
    /// One character back.
    Left,
    /// One character on.
    Right,
    /// To the beginning.
    Start,
    /// To the end.
    End,
    /// The next way to go on.
    Complete,
    /// The way before that.
    CompleteBack,
    /// What was looked for before.
    Older,
    /// What was looked for after that.
    Newer,
    /// The query stays.
    Keep,
    /// Everything as it was before.
    Revert,
}

/// Most characters of a query: what is pasted by mistake ends here.
const LONGEST: usize = 1_000;

/// Queries that are remembered.
const REMEMBERED: usize = 100;

/// What was looked for, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered(Vec<String>);

impl Remembered {
    /// Adds a query; one that is there already becomes the latest.
    pub fn add(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        self.0.retain(|other| other != text);
        if self.0.len() == REMEMBERED {
            self.0.remove(0);
        }
        self.0.push(text.to_owned());
    }
}

/// Ways to go on that Tab offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offers {
    /// Where the word begins that they replace.
    from: usize,
    /// Those that there are; the last one is what was typed.
    words: Vec<String>,
    /// The one that stands in the line.
    at: usize,
}

impl Offers {
    /// The words, without what was typed.
    pub fn words(&self) -> &[String] {
        &self.words[..self.words.len() - 1]
    }

    /// The place of the one in the line, if it is not what was typed.
    pub fn chosen(&self) -> Option<usize> {
        (self.at < self.words.len() - 1).then_some(self.at)
    }
}

/// Where one is in what was looked for before, and what was typed until then.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Looking {
    place: usize,
    typed: Vec<char>,
}

/// The line.
#[derive(Clone, Debug)]
pub struct Prompt {
    text: Vec<char>,
    /// Characters before the cursor.
    cursor: usize,
    offers: Option<Offers>,
    looking: Option<Looking>,
    wrong: Option<QueryError>,
    /// What was in force before.
    before: Query,
}

impl Prompt {
    /// Opened on the query that is in force, to be changed; the cursor stands at its end.
    pub fn new(query: &Query) -> Self {
        let text: Vec<char> = query.to_string().chars().collect();
        Self {
            cursor: text.len(),
            text,
            offers: None,
            looking: None,
            wrong: None,
            before: query.clone(),
        }
    }

    /// What stands in the line.
    pub fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// Characters before the cursor.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// What the line is without the word before the cursor, if that may be the beginning of a key: `wq:a wai`.
    pub fn without_half_a_key(&self) -> Option<String> {
        let blank = |c: &char| c.is_whitespace();
        let (before, behind) = self.text.split_at(self.cursor);
        let from = before.iter().rposition(blank).map_or(0, |at| at + 1);
        let word: String = before[from..].iter().collect();
        let word = word.strip_prefix('-').unwrap_or(&word);
        let is_half = !word.is_empty() && keys().iter().any(|key| key.name.starts_with(word));
        let ends = behind.first().is_none_or(blank);
        (is_half && ends).then(|| before[..from].iter().chain(behind).collect())
    }

    /// What is wrong with it, if anything is.
    pub fn wrong(&self) -> Option<&QueryError> {
        self.wrong.as_ref()
    }

    /// The ways to go on that Tab goes through, while it does.
    pub fn offers(&self) -> Option<&Offers> {
        self.offers.as_ref()
    }

    /// What was in force before the line was opened.
    pub fn before(&self) -> &Query {
        &self.before
    }

    /// Changes the line. Gives back the query that it is now, if it is another one and a right one.
    ///
    /// `offer` says how the word before the cursor may go on: where it begins, and the words. [`Edit::Keep`] and
    /// [`Edit::Revert`] change nothing here.
    pub fn edit(
        &mut self,
        edit: Edit,
        remembered: &Remembered,
        offer: impl Fn(&str, usize) -> (usize, Vec<String>),
    ) -> Option<Query> {
        let before = self.text.clone();
        if !matches!(edit, Edit::Complete | Edit::CompleteBack) {
            self.offers = None;
        }
        match edit {
            Edit::Type(c) => self.type_in(c),
            Edit::Backspace => self.cut(self.cursor.saturating_sub(1)),
            Edit::Delete if self.cursor < self.text.len() => {
                self.text.remove(self.cursor);
            }
            Edit::CutWord => self.cut(self.word()),
            Edit::CutToStart => self.cut(0),
            Edit::Left => self.cursor = self.cursor.saturating_sub(1),
            Edit::Right => self.cursor = (self.cursor + 1).min(self.text.len()),
            Edit::Start => self.cursor = 0,
            Edit::End => self.cursor = self.text.len(),
            Edit::Complete => self.complete(true, offer),
            Edit::CompleteBack => self.complete(false, offer),
            Edit::Older => self.look(remembered, true),
            Edit::Newer => self.look(remembered, false),
            Edit::Delete | Edit::Keep | Edit::Revert => {}
        }
        if self.text == before {
            return None;
        }
        let query = self.text().parse();
        self.wrong = query.as_ref().err().cloned();
        query.ok()
    }

    fn type_in(&mut self, c: char) {
        if self.text.len() < LONGEST && !c.is_control() {
            self.text.insert(self.cursor, c);
            self.cursor += 1;
        }
    }

    /// Takes away what stands between `from` and the cursor.
    fn cut(&mut self, from: usize) {
        self.text.drain(from..self.cursor);
        self.cursor = from;
    }

    /// Where the word before the cursor begins; blanks behind it belong to it.
    fn word(&self) -> usize {
        let before = &self.text[..self.cursor];
        let end = before.iter().rposition(|c| !c.is_whitespace());
        let word = &before[..end.map_or(0, |end| end + 1)];
        let blank = word.iter().rposition(|c| c.is_whitespace());
        blank.map_or(0, |blank| blank + 1)
    }

    /// Puts the next way to go on into the line, or the one before; what was typed stands between last and first.
    fn complete(&mut self, next: bool, offer: impl Fn(&str, usize) -> (usize, Vec<String>)) {
        if self.offers.is_none() {
            let (from, mut words) = offer(&self.text(), self.cursor);
            if words.is_empty() || from > self.cursor {
                return;
            }
            words.push(self.text[from..self.cursor].iter().collect());
            let at = words.len() - 1;
            self.offers = Some(Offers { from, words, at });
        }
        let Some(offers) = &mut self.offers else {
            return;
        };
        let len = offers.words.len();
        offers.at = (offers.at + if next { 1 } else { len - 1 }) % len;
        let word: Vec<char> = offers.words[offers.at].chars().collect();
        let end = offers.from + word.len();
        self.text.splice(offers.from..self.cursor, word);
        self.cursor = end;
        // There is nothing to choose.
        if len == 2 {
            self.offers = None;
        }
    }

    /// Shows what was looked for before or after that; behind the latest stands what was typed.
    fn look(&mut self, remembered: &Remembered, older: bool) {
        let len = remembered.0.len();
        let looking = self.looking.get_or_insert_with(|| Looking {
            place: len,
            typed: self.text.clone(),
        });
        looking.place = if older {
            looking.place.saturating_sub(1)
        } else {
            (looking.place + 1).min(len)
        };
        let found = remembered.0.get(looking.place);
        self.text = found.map_or_else(|| looking.typed.clone(), |text| text.chars().collect());
        self.cursor = self.text.len();
        if looking.place == len {
            self.looking = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str, _: usize) -> (usize, Vec<String>) {
        (0, Vec::new())
    }

    fn prompt(edits: &[Edit]) -> Prompt {
        let mut prompt = Prompt::new(&Query::default());
        for edit in edits {
            let _ = prompt.edit(*edit, &Remembered::default(), none);
        }
        prompt
    }

    fn typed(text: &str) -> Vec<Edit> {
        text.chars().map(Edit::Type).collect()
    }

    /// The line with the cursor in it.
    fn shown(prompt: &Prompt) -> String {
        let mut text: Vec<char> = prompt.text.clone();
        text.insert(prompt.cursor, '|');
        text.into_iter().collect()
    }

    #[test]
    fn what_is_typed_is_edited_where_the_cursor_stands() {
        let after = |text: &str, edits: &[Edit]| {
            let mut all = typed(text);
            all.extend(edits);
            shown(&prompt(&all))
        };
        assert_eq!(after("äb", &[]), "äb|");
        assert_eq!(after("äb", &[Edit::Left, Edit::Type('ü')]), "äü|b");
        assert_eq!(after("ab", &[Edit::Start, Edit::Delete]), "|b");
        assert_eq!(after("ab", &[Edit::Delete, Edit::Right]), "ab|");
        assert_eq!(after("ab", &[Edit::Start, Edit::Backspace]), "|ab");
        assert_eq!(after("ab", &[Edit::Backspace, Edit::Left]), "|a");
        assert_eq!(after("a bc  ", &[Edit::CutWord]), "a |");
        assert_eq!(after("a bc", &[Edit::CutWord, Edit::CutWord]), "|");
        assert_eq!(after("", &[Edit::CutWord, Edit::Backspace]), "|");
        assert_eq!(after("abc", &[Edit::Left, Edit::CutToStart]), "|c");
        assert_eq!(after("abc", &[Edit::Start, Edit::End]), "abc|");
        assert_eq!(after("a", &[Edit::Type('\u{1b}'), Edit::Type('\n')]), "a|");
    }

    #[test]
    fn a_wrong_line_says_where_and_gives_no_query() {
        let mut prompt = prompt(&typed("wq:a wai"));
        let type_in =
            |prompt: &mut Prompt, c| prompt.edit(Edit::Type(c), &Remembered::default(), none);
        assert!(type_in(&mut prompt, '>').is_none());
        let wrong = prompt.wrong().expect("there is no such key");
        assert_eq!(wrong.column, 6);
        let query = prompt.edit(Edit::CutWord, &Remembered::default(), none);
        assert_eq!(query.expect("it is right again").to_string(), "wq:a");
        assert!(prompt.wrong().is_none());
        // What moves the cursor only is no other query.
        assert!(
            prompt
                .edit(Edit::Left, &Remembered::default(), none)
                .is_none()
        );
    }

    #[test]
    fn tab_goes_through_what_is_possible_and_back_to_what_was_typed() {
        let words = |text: &str, cursor: usize| {
            assert_eq!((text, cursor), ("x st", 4));
            (2, vec!["state:".to_owned(), "started>".to_owned()])
        };
        let mut line = prompt(&typed("x st"));
        let mut next = |edit| {
            let _ = line.edit(edit, &Remembered::default(), words);
            let chosen = line.offers().and_then(Offers::chosen);
            (shown(&line), chosen)
        };
        assert_eq!(next(Edit::Complete), ("x state:|".to_owned(), Some(0)));
        assert_eq!(next(Edit::Complete), ("x started>|".to_owned(), Some(1)));
        assert_eq!(next(Edit::Complete), ("x st|".to_owned(), None));
        assert_eq!(
            next(Edit::CompleteBack),
            ("x started>|".to_owned(), Some(1))
        );
        assert_eq!(next(Edit::Type('5')).1, None);
        assert!(line.offers().is_none());
        let mut line = prompt(&typed("st"));
        let one = |_: &str, _: usize| (0, vec!["state:".to_owned()]);
        let _ = line.edit(Edit::Complete, &Remembered::default(), one);
        assert_eq!((shown(&line).as_str(), line.offers()), ("state:|", None));
    }

    #[test]
    fn what_was_looked_for_comes_back_and_what_was_typed_is_not_lost() {
        let mut remembered = Remembered::default();
        for text in ["wq:a", " ", "wq:b", "wq:a "] {
            remembered.add(text);
        }
        assert_eq!(remembered.0, ["wq:b", "wq:a"]);
        let mut line = prompt(&typed("ne"));
        let mut look = |edit| {
            let _ = line.edit(edit, &remembered, none);
            line.text()
        };
        assert_eq!(look(Edit::Older), "wq:a");
        assert_eq!(look(Edit::Older), "wq:b");
        assert_eq!(look(Edit::Older), "wq:b");
        assert_eq!(look(Edit::Newer), "wq:a");
        assert_eq!(look(Edit::Newer), "ne");
        assert_eq!(look(Edit::Newer), "ne");
    }

    #[test]
    fn what_is_remembered_and_typed_is_bounded() {
        let mut remembered = Remembered::default();
        (0..3 * REMEMBERED).for_each(|n| remembered.add(&n.to_string()));
        assert_eq!(remembered.0.len(), REMEMBERED);
        assert_eq!(
            remembered.0[REMEMBERED - 1],
            (3 * REMEMBERED - 1).to_string()
        );
        let long = prompt(&typed(&"a".repeat(LONGEST + 9)));
        assert_eq!(long.text().len(), LONGEST);
    }

    #[test]
    fn a_word_that_may_become_a_key_is_told_from_others() {
        let without = |text: &str| prompt(&typed(text)).without_half_a_key();
        assert_eq!(without("wq:a wai").as_deref(), Some("wq:a "));
        assert_eq!(without("-wait").as_deref(), Some(""));
        for text in ["", "wq:a ", "wiat", "wait>", "\"wait", "wq:wait"] {
            assert_eq!(without(text), None, "{text}");
        }
        let mut inside = prompt(&typed("wait"));
        let _ = inside.edit(Edit::Left, &Remembered::default(), none);
        assert_eq!(inside.without_half_a_key(), None);
    }

    #[test]
    fn it_opens_on_the_query_in_force() {
        let query: Query = "wq:ev* wait>5ms".parse().expect("it is right");
        let prompt = Prompt::new(&query);
        assert_eq!(shown(&prompt), "wq:ev* wait>5ms|");
        assert_eq!(prompt.before().to_string(), query.to_string());
    }
}
