//! A small language to find rows with: `wq:events* wait>5ms fn~flush state:held pool:3 -worker:kworker/0* "two words"`.
//!
//! Terms are parted by spaces and all must hold; a `-` before one turns it round. A term is `KEY OP VALUE` without
//! spaces, or a word alone: then the row's name must contain it, and case does not count.
//!
//! | operator | of | means |
//! |---|---|---|
//! | `:` | words, numbers, yes/no | a pattern of the whole: `*` is any text, `?` any character |
//! | `~` | words | a regular expression, found anywhere |
//! | `=` | all | exactly this |
//! | `>` `>=` `<` `<=` | numbers, rates, times, shares | with units: `5ms`, `2k`, `1000/s`, `10%` |
//!
//! Values with spaces stand in quotes; inside them `\"` and `\\` are the characters themselves.
//!
//! **Keys** are those of JSON and of the columns, and short ones ([`keys`]) that mean the nearest thing on every row:
//! `fn:flush*` finds the function, the workqueues it was queued on, the pools that ran it, the workers that execute it
//! and its producers. A key with several values (a workqueue has many functions) holds if one of them does.
//!
//! A row whose value is not there (no item has waited yet) passes no term about it, so it passes every such term with
//! `-`. A term whose key means nothing for a *kind* of row is left aside there, so that one query serves several
//! tables; where that leaves nothing of the query, nothing is found. Who prints one kind only should refuse such terms:
//! [`Query::fits`].

mod amount;
mod complete;
mod glob;
mod key;
mod parse;
mod row;
#[cfg(test)]
mod tests;

pub use complete::{Completion, complete};
pub use key::{Class, Key, Kind, keys};
pub use row::{Row, Scope};

use crate::model::columns::Cell;
use parse::Op;
use regex_lite::Regex;
use std::fmt;
use std::str::FromStr;

/// What is wrong with a query, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {wrong}; {right}")]
pub struct QueryError {
    /// The character in the text, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub wrong: String,
    /// What would be right.
    pub right: String,
}

/// A query: terms that must all hold. The empty one finds everything.
#[derive(Clone, Debug, Default)]
pub struct Query {
    terms: Vec<Term>,
}

#[derive(Clone, Debug)]
struct Term {
    /// Where it stands in the text.
    column: usize,
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    /// A part of the name, in lower case.
    Contains(String),
    Glob(&'static Key, String),
    Regex(&'static Key, Regex),
    Exact(&'static Key, String),
    /// What the value must be to the amount, and how that was written.
    Compare(&'static Key, Op, f64, String),
}

/// Reads a query.
///
/// # Errors
/// The first thing that is wrong, with its column and what would be right.
impl FromStr for Query {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        parse::parse(text)
    }
}

impl Query {
    /// Whether there is no term, so that everything is found.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a row is found.
    pub fn matches<'r>(&self, scope: &Scope<'_>, row: impl Into<Row<'r>>) -> bool {
        let row = row.into();
        let mut applied = self.terms.is_empty();
        for term in &self.terms {
            let key = term.test.key();
            if key.is_some_and(|key| !key.of.contains(&row.kind())) {
                continue;
            }
            applied = true;
            let values = row.values(scope, key.map_or("name", |key| key.name));
            if values.iter().any(|cell| term.test.holds(cell)) == term.negated {
                return false;
            }
        }
        applied
    }

    /// Whether every term says something of this kind of rows.
    ///
    /// # Errors
    /// The first term that does not.
    pub fn fits(&self, kind: Kind) -> Result<(), QueryError> {
        for term in &self.terms {
            let Some(key) = term.test.key().filter(|key| !key.of.contains(&kind)) else {
                continue;
            };
            let of: Vec<_> = key.of.iter().map(|kind| kind.plural()).collect();
            return Err(QueryError {
                column: term.column,
                wrong: format!("{} says nothing of {}", key.name, kind.plural()),
                right: format!("it is for {}", of.join(", ")),
            });
        }
        Ok(())
    }
}

impl Test {
    fn key(&self) -> Option<&'static Key> {
        match self {
            Self::Contains(_) => None,
            Self::Glob(key, _) | Self::Regex(key, _) | Self::Exact(key, _) => Some(key),
            Self::Compare(key, ..) => Some(key),
        }
    }

    fn holds(&self, cell: &Cell) -> bool {
        let word = || word(cell);
        match self {
            Self::Contains(part) => word().is_some_and(|word| word.to_lowercase().contains(part)),
            Self::Glob(_, pattern) => word().is_some_and(|word| glob::matches(pattern, &word)),
            Self::Regex(_, regex) => word().is_some_and(|word| regex.is_match(&word)),
            Self::Exact(_, exact) => word().is_some_and(|word| word == *exact),
            Self::Compare(_, op, limit, _) => {
                amount_of(cell).is_some_and(|x| compare(x, *op, *limit))
            }
        }
    }
}

fn compare(value: f64, op: Op, limit: f64) -> bool {
    match op {
        Op::More => value > limit,
        Op::AtLeast => value >= limit,
        Op::Less => value < limit,
        Op::AtMost => value <= limit,
        Op::Equal | Op::Pattern | Op::Regex => value == limit,
    }
}

/// A cell as a word, where it is one that patterns can be laid on.
fn word(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(text.clone()),
        Cell::Number(n) => Some(n.to_string()),
        Cell::Count(n) => Some(n.to_string()),
        Cell::Flag(_) => Some(cell.text()),
        _ => None,
    }
}

/// A cell as a number: durations in nanoseconds, shares in percent.
fn amount_of(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Number(n) => Some(*n as f64),
        Cell::Count(n) | Cell::Ns(n) => Some(*n as f64),
        Cell::Us(n) => Some(*n as f64 * 1e3),
        Cell::Rate(x) => Some(*x),
        Cell::Share(x) => Some(*x * 100.0),
        _ => None,
    }
}

/// Text that reads as the same query.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, term) in self.terms.iter().enumerate() {
            let gap = if i == 0 { "" } else { " " };
            let sign = if term.negated { "-" } else { "" };
            write!(f, "{gap}{sign}{}", term.test)?;
        }
        Ok(())
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, op, value) = match self {
            Self::Contains(word) if parse::is_plain(word) => return f.write_str(word),
            Self::Contains(word) => return f.write_str(&quoted(word)),
            Self::Glob(key, value) => (key, Op::Pattern, value.as_str()),
            Self::Regex(key, regex) => (key, Op::Regex, regex.as_str()),
            Self::Exact(key, value) => (key, Op::Equal, value.as_str()),
            Self::Compare(key, op, _, value) => (key, *op, value.as_str()),
        };
        let plain = !value.is_empty()
            && !value.starts_with(['"', '='])
            && !value.contains(char::is_whitespace);
        write!(f, "{}{}", key.name, op.sign())?;
        if plain {
            f.write_str(value)
        } else {
            f.write_str(&quoted(value))
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
