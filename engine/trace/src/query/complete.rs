//! What may be meant by the word under the cursor.

use super::key::{Class, Key, keys};
use super::parse::key_and_op;
use crate::snapshot::{WorkerKind, WorkerState};
use crate::stats::WaitPart;
use crate::text::short_names;

/// How the word under the cursor may go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where what is replaced begins: a character, counted from 0. It ends at the cursor.
    pub from: usize,
    /// What it may be replaced by, the likeliest first.
    pub words: Vec<String>,
}

/// Completes keys, and values where only some are possible. `cursor` counts the characters before it.
pub fn complete(text: &str, cursor: usize) -> Completion {
    let before: Vec<char> = text.chars().take(cursor).collect();
    let space = before.iter().rposition(|c| c.is_whitespace());
    let mut from = space.map_or(0, |at| at + 1);
    if before.get(from) == Some(&'-') {
        from += 1;
    }
    if is_in_quotes(&before) {
        return Completion::default();
    }
    let (from, possible) = match key_and_op(&before[from..]) {
        Some((name, _, len)) => {
            let key = keys().iter().find(|key| key.name == name);
            (from + len, key.map(values).unwrap_or_default())
        }
        None => (from, keys().iter().map(with_operator).collect()),
    };
    let part: String = before[from..].iter().collect();
    let fits = |word: &String| word.starts_with(&part) && *word != part;
    Completion {
        from,
        words: possible.into_iter().filter(fits).collect(),
    }
}

fn is_in_quotes(text: &[char]) -> bool {
    let mut inside = false;
    let mut escaped = false;
    for &c in text {
        inside ^= c == '"' && !escaped;
        escaped = inside && c == '\\' && !escaped;
    }
    inside
}

fn with_operator(key: &Key) -> String {
    let sign = match key.class {
        Class::Word | Class::Flag => ":",
        Class::Number if matches!(key.name, "pool" | "cpu" | "id" | "tid") => ":",
        Class::Number | Class::Rate | Class::Time | Class::Share => ">",
    };
    format!("{}{sign}", key.name)
}

/// The values of keys that have only some.
fn values(key: &Key) -> Vec<String> {
    let words: Vec<&str> = match (key.name, key.class) {
        ("state", _) => {
            let of_workers = WorkerState::ALL.into_iter().map(WorkerState::word);
            ["held", "pending", "armed"]
                .into_iter()
                .chain(of_workers)
                .collect()
        }
        ("kind", _) => {
            let of_workers = WorkerKind::ALL.into_iter().map(WorkerKind::word);
            ["percpu", "unbound", "ordered"]
                .into_iter()
                .chain(of_workers)
                .collect()
        }
        ("event", _) => short_names().collect(),
        ("why", _) => WaitPart::ALL.iter().map(|part| part.name()).collect(),
        (_, Class::Flag) => vec!["yes", "no"],
        _ => Vec::new(),
    };
    words.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> (usize, Vec<String>) {
        let Completion { from, words } = complete(text, text.chars().count());
        (from, words)
    }

    #[test]
    fn keys_come_with_their_operator() {
        let (from, found) = words("state:held wai");
        assert_eq!((from, found[0].as_str()), (11, "wait>"));
        assert!(found.contains(&"wait_p50>".to_owned()), "{found:?}");
        assert_eq!(words("-w").0, 1);
        assert!(words("").1.len() == keys().len());
        assert!(words("zzz").1.is_empty());
    }

    #[test]
    fn values_where_there_are_some_only() {
        assert_eq!(words("state:he"), (6, vec!["held".to_owned()]));
        assert_eq!(words("-unbound:").1, ["yes", "no"]);
        assert_eq!(words("why:conc").1, ["concurrency"]);
        assert_eq!(words("event:queue").1, ["queue_work"]);
        assert!(words("wq:e").1.is_empty());
    }

    #[test]
    fn nothing_inside_quotes_or_beyond_the_end() {
        assert!(words("\"a st").1.is_empty());
        assert!(!words("\"a\" st").1.is_empty());
        assert_eq!(complete("wq:x", 99), complete("wq:x", 4));
        assert_eq!(complete("äöü st", 5).from, 4);
    }
}
