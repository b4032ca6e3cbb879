//! From text to a query: words, quotes, operators, and what is wrong where.

use super::key::{self, Class, Key};
use super::{Query, QueryError, Term, Test, amount};
use crate::words::nearest;

/// How a key and a value stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Pattern,
    Regex,
    More,
    AtLeast,
    Less,
    AtMost,
    Equal,
}

impl Op {
    /// All of them; those that begin with another come first.
    const ALL: [(&'static str, Self); 7] = [
        (">=", Self::AtLeast),
        ("<=", Self::AtMost),
        (":", Self::Pattern),
        ("~", Self::Regex),
        (">", Self::More),
        ("<", Self::Less),
        ("=", Self::Equal),
    ];

    /// The operator that `text` begins with.
    fn at(text: &[char]) -> Option<(&'static str, Self)> {
        let begins = |sign: &str| {
            sign.chars()
                .enumerate()
                .all(|(i, c)| text.get(i) == Some(&c))
        };
        Self::ALL.into_iter().find(|(sign, _)| begins(sign))
    }

    pub(super) fn sign(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(_, op)| *op == self)
            .map_or("", |(sign, _)| sign)
    }
}

/// How many characters of a key `text` begins with.
fn key_len(text: &[char]) -> usize {
    let is_key = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    text.iter().position(|c| !is_key(c)).unwrap_or(text.len())
}

/// Splits `key OP rest`: the key's characters, the operator, the characters of both.
pub(super) fn key_and_op(text: &[char]) -> Option<(String, Op, usize)> {
    let len = key_len(text);
    let (sign, op) = Op::at(&text[len..])?;
    (len > 0).then(|| (text[..len].iter().collect(), op, len + sign.len()))
}

/// Whether a bare word can be printed without quotes and is read as the same.
pub(super) fn is_plain(word: &str) -> bool {
    let text: Vec<char> = word.chars().collect();
    let begins_well =
        !word.starts_with(['-', '"']) && !word.is_empty() && key_and_op(&text).is_none();
    begins_well
        && !word.contains(char::is_whitespace)
        && !is_doubled(&text)
        && Op::at(&text).is_none()
}

/// `!=`, which other languages have and this one not.
fn is_doubled(text: &[char]) -> bool {
    let rest = &text[key_len(text)..];
    rest.starts_with(&['!', '='])
}

/// Reads a query.
pub(super) fn parse(text: &str) -> Result<Query, QueryError> {
    let mut reader = Reader {
        text: text.chars().collect(),
        at: 0,
    };
    let mut terms = Vec::new();
    while let Some(term) = reader.term()? {
        terms.push(term);
    }
    Ok(Query { terms })
}

struct Reader {
    text: Vec<char>,
    at: usize,
}

impl Reader {
    fn rest(&self) -> &[char] {
        &self.text[self.at..]
    }

    fn is_over(&self) -> bool {
        self.rest().first().is_none_or(|c| c.is_whitespace())
    }

    fn term(&mut self) -> Result<Option<Term>, QueryError> {
        self.at += self.rest().iter().take_while(|c| c.is_whitespace()).count();
        if self.at == self.text.len() {
            return Ok(None);
        }
        let begin = self.at;
        let negated = self.rest()[0] == '-';
        self.at += usize::from(negated);
        if self.is_over() {
            return Err(error(
                begin,
                "nothing follows the `-`",
                "write what is not wanted: -wq:events",
            ));
        }
        let test = if self.rest()[0] == '"' {
            self.word()?
        } else if let Some((name, op, len)) = key_and_op(self.rest()) {
            let at = self.at;
            self.at += len;
            self.comparison(at, &name, op)?
        } else {
            self.word()?
        };
        Ok(Some(Term {
            column: begin + 1,
            negated,
            test,
        }))
    }

    /// A word without a key.
    fn word(&mut self) -> Result<Test, QueryError> {
        let begin = self.at;
        if is_doubled(self.rest()) {
            return Err(error(
                begin,
                "there is no `!=`",
                "put a `-` before the term: -wq=events",
            ));
        }
        if Op::at(self.rest()).is_some() {
            return Err(error(
                begin,
                "no key before the operator",
                "write one, as in wait>5ms, or put quotes around a name",
            ));
        }
        let word = self.value()?;
        if word.is_empty() {
            return Err(error(
                begin,
                "nothing between the quotes",
                "write a part of a name",
            ));
        }
        Ok(Test::Contains(word.to_lowercase()))
    }

    /// What follows a key and an operator.
    fn comparison(&mut self, begin: usize, name: &str, op: Op) -> Result<Test, QueryError> {
        let key = key::find(name).ok_or_else(|| no_key(begin, name))?;
        if op == Op::Equal && self.rest().first() == Some(&'=') {
            return Err(error(self.at - 1, "there is no `==`", "write one `=`"));
        }
        if self.is_over() {
            let wrong = format!("no value after `{name}{}`", op.sign());
            return Err(error(self.at, &wrong, example(key)));
        }
        let at = self.at;
        let value = self.value()?;
        test(key, op, value).map_err(|(wrong, right)| error(at, &wrong, &right))
    }

    /// A word up to a space, or what stands in quotes.
    fn value(&mut self) -> Result<String, QueryError> {
        if self.rest().first() != Some(&'"') {
            let word: String = self
                .rest()
                .iter()
                .take_while(|c| !c.is_whitespace())
                .collect();
            self.at += word.chars().count();
            return Ok(word);
        }
        let begin = self.at;
        let mut word = String::new();
        self.at += 1;
        while let Some(&c) = self.rest().first() {
            self.at += 1;
            match (c, self.rest().first()) {
                ('"', _) if self.is_over() => return Ok(word),
                ('"', _) => {
                    return Err(error(
                        self.at,
                        "something follows the quotes",
                        "put a space there",
                    ));
                }
                ('\\', Some(&escaped @ ('"' | '\\'))) => {
                    word.push(escaped);
                    self.at += 1;
                }
                _ => word.push(c),
            }
        }
        Err(error(
            begin,
            "the quotes are not closed",
            "put a `\"` at the end",
        ))
    }
}

/// What a comparison comes to; else what is wrong and what would be right.
fn test(key: &'static Key, op: Op, value: String) -> Result<Test, (String, String)> {
    let shown = || shorten(&value);
    match (key.class, op) {
        (Class::Word, Op::Pattern) => Ok(Test::Glob(key, value)),
        (Class::Word, Op::Equal) => Ok(Test::Exact(key, value)),
        (Class::Word, Op::Regex) => match regex_lite::Regex::new(&value) {
            Ok(regex) => Ok(Test::Regex(key, regex)),
            Err(problem) => Err((
                format!(
                    "`{}` is no regular expression: {}",
                    shown(),
                    shorten(&problem.to_string())
                ),
                format!("or write a pattern: {}:*text*", key.name),
            )),
        },
        (Class::Flag, Op::Pattern | Op::Equal) => match value.as_str() {
            "yes" | "true" | "1" => Ok(Test::Exact(key, "yes".to_owned())),
            "no" | "false" | "0" => Ok(Test::Exact(key, "no".to_owned())),
            _ => Err((
                format!("`{}` is neither yes nor no", shown()),
                example(key).to_owned(),
            )),
        },
        (Class::Number, Op::Pattern)
            if value
                .chars()
                .all(|c| c.is_ascii_digit() || "-*?".contains(c)) =>
        {
            Ok(Test::Glob(key, value))
        }
        (Class::Number, Op::Pattern) => Err((
            format!("`{}` is no number", shown()),
            format!("write {0}:3, {0}:1*, or compare: {0}>3", key.name),
        )),
        (Class::Word | Class::Flag, _) | (_, Op::Pattern | Op::Regex) => {
            let what = if key.class == Class::Flag {
                "yes or no"
            } else {
                class_word(key.class)
            };
            Err((
                format!(
                    "`{}` cannot be used with {}, which is {what}",
                    op.sign(),
                    key.name
                ),
                example(key).to_owned(),
            ))
        }
        (class, _) => match amount::parse(&value, class) {
            Ok(amount) => Ok(Test::Compare(key, op, amount, value)),
            Err(right) => Err((
                format!("`{}` is not {}", shown(), class_word(class)),
                right.to_owned(),
            )),
        },
    }
}

fn class_word(class: Class) -> &'static str {
    match class {
        Class::Word => "a word",
        Class::Flag => "yes or no",
        Class::Number => "a number",
        Class::Rate => "a number per second",
        Class::Time => "a time",
        Class::Share => "a share",
    }
}

/// How a key of this class is used.
fn example(key: &Key) -> &'static str {
    match key.class {
        Class::Word => {
            "write `:` and a pattern, `~` and a regular expression, or `=` and the whole word"
        }
        Class::Flag => "write `:yes` or `:no`",
        Class::Number => "compare it with a number: `>3`, `<=2k`, `:3`",
        Class::Rate => "compare it with a rate: `>1000/s`",
        Class::Time => "compare it with a time: `>5ms`",
        Class::Share => "compare it with percent: `>10%`",
    }
}

fn no_key(at: usize, name: &str) -> QueryError {
    let near = nearest(name, key::keys().iter().map(|key| key.name));
    let right = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "there are name, wq, fn, worker, state, pool, cpu, wait, run, rate and more; or put quotes around a name with signs: \"{}...\"",
            shorten(name)
        ),
    };
    error(at, &format!("no key `{}`", shorten(name)), &right)
}

/// Fit for a line on a terminal.
pub(super) fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut chars = text.chars();
    let shown: String = chars
        .by_ref()
        .take(LONGEST)
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    if chars.next().is_some() {
        shown + "..."
    } else {
        shown
    }
}

fn error(at: usize, wrong: &str, right: &str) -> QueryError {
    QueryError {
        column: at + 1,
        wrong: wrong.to_owned(),
        right: right.to_owned(),
    }
}
