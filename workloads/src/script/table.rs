//! Typed access to one TOML table of a script: each key read once, unknown ones refused, every value with its place.

use super::errors::{At, Diagnostics, did_you_mean, quoted};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys that a table may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    /// Those that are read.
    pub known: &'static [&'static str],
    /// Those of the language that this version does not serve yet.
    pub later: &'static [&'static str],
}

/// One table being read.
#[derive(Debug)]
pub(super) struct Table<'t, 'd, 'a> {
    map: &'t DeTable<'a>,
    path: String,
    span: Range<usize>,
    errors: &'d mut Diagnostics<'a>,
}

impl<'t, 'd, 'a> Table<'t, 'd, 'a> {
    /// Opens a table; `path` names it in errors (empty: the file), `span` is what an absent key points at.
    pub fn open(
        map: &'t DeTable<'a>,
        path: String,
        span: Range<usize>,
        keys: Keys,
        errors: &'d mut Diagnostics<'a>,
    ) -> Self {
        for key in map.keys() {
            let name: &str = key.get_ref();
            if keys.known.contains(&name) {
                continue;
            }
            let message = if keys.later.contains(&name) {
                format!("not supported yet: {name}")
            } else {
                let all = keys.known.iter().chain(keys.later).copied();
                format!(
                    "unknown key {} (keys: {}){}",
                    quoted(name),
                    keys.known.join(", "),
                    did_you_mean(name, all)
                )
            };
            errors.error(&key.span(), &path, message);
        }
        Self {
            map,
            path,
            span,
            errors,
        }
    }

    /// Where the table stands.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The collector, for errors about this table.
    pub fn errors(&mut self) -> &mut Diagnostics<'a> {
        self.errors
    }

    /// The path of a key of this table, for errors.
    pub fn field(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// The path of the table itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'a>>> {
        self.map.get(key)
    }

    fn wrong_type(&mut self, key: &str, value: &Spanned<DeValue<'a>>, expected: &str) {
        let found = value.get_ref().type_str();
        let field = self.field(key);
        let message = format!("expected {expected}, found {} {found}", article(found));
        self.errors.error(&value.span(), &field, message);
    }

    /// A string.
    pub fn string(&mut self, key: &str, expected: &str) -> Option<At<String>> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(At::new(text.clone().into_owned(), value.span())),
            _ => {
                self.wrong_type(key, value, expected);
                None
            }
        }
    }

    /// A string that must be there.
    pub fn required_string(&mut self, key: &str, expected: &str) -> Option<At<String>> {
        if self.get(key).is_none() {
            let message = format!("`{key}` is missing: {expected}");
            let (span, path) = (self.span(), self.path.clone());
            self.errors.error(&span, &path, message);
        }
        self.string(key, expected)
    }

    /// A whole number from `range`.
    pub fn integer(&mut self, key: &str, range: (u64, u64)) -> Option<At<u64>> {
        let value = self.get(key)?;
        let (low, high) = range;
        let expected = if high == u64::MAX {
            format!("a whole number of at least {low}")
        } else {
            format!("a whole number from {low} to {high}")
        };
        let DeValue::Integer(number) = value.get_ref() else {
            self.wrong_type(key, value, &expected);
            return None;
        };
        match u64::from_str_radix(number.as_str(), number.radix()) {
            Ok(n) if (low..=high).contains(&n) => Some(At::new(n, value.span())),
            _ => {
                let field = self.field(key);
                let message = format!("expected {expected}, found {}", quoted(number.as_str()));
                self.errors.error(&value.span(), &field, message);
                None
            }
        }
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, key: &str) -> Option<At<bool>> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(b) => Some(At::new(*b, value.span())),
            _ => {
                self.wrong_type(key, value, "true or false");
                None
            }
        }
    }

    /// A whole number or a string, as its text.
    pub fn number_or_string(&mut self, key: &str, expected: &str) -> Option<At<Scalar>> {
        let value = self.get(key)?;
        let scalar = match value.get_ref() {
            DeValue::String(text) => Scalar::Text(text.clone().into_owned()),
            DeValue::Integer(n) => match u64::from_str_radix(n.as_str(), n.radix()) {
                Ok(n) => Scalar::Number(n),
                Err(_) => {
                    let field = self.field(key);
                    let message = format!("expected {expected}, found {}", quoted(n.as_str()));
                    self.errors.error(&value.span(), &field, message);
                    return None;
                }
            },
            _ => {
                self.wrong_type(key, value, expected);
                return None;
            }
        };
        Some(At::new(scalar, value.span()))
    }

    /// An array of strings; absent: `None`.
    pub fn strings(&mut self, key: &str, expected: &str) -> Option<Vec<At<String>>> {
        let value = self.get(key)?;
        let DeValue::Array(array) = value.get_ref() else {
            self.wrong_type(key, value, expected);
            return None;
        };
        let mut all = Vec::with_capacity(array.len());
        for (i, element) in array.iter().enumerate() {
            match element.get_ref() {
                DeValue::String(text) => {
                    all.push(At::new(text.clone().into_owned(), element.span()));
                }
                _ => self.wrong_type(&format!("{key}[{i}]"), element, "a string"),
            }
        }
        Some(all)
    }

    /// The tables of `[[key]]`, each with its path.
    pub fn tables(&mut self, key: &str) -> Vec<(String, Range<usize>, &'t DeTable<'a>)> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let expected = format!("tables with double brackets, [[{key}]]");
        let DeValue::Array(array) = value.get_ref() else {
            self.wrong_type(key, value, &expected);
            return Vec::new();
        };
        let mut all = Vec::with_capacity(array.len());
        for (i, element) in array.iter().enumerate() {
            let path = format!("{key}[{i}]");
            match element.get_ref() {
                DeValue::Table(table) => all.push((path, element.span(), table)),
                _ => self.wrong_type(&path, element, &expected),
            }
        }
        all
    }

    /// The table under `key`.
    pub fn table(&mut self, key: &str, expected: &str) -> Option<(Range<usize>, &'t DeTable<'a>)> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some((value.span(), table)),
            _ => {
                self.wrong_type(key, value, expected);
                None
            }
        }
    }
}

/// A whole number or a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    /// A whole number.
    Number(u64),
    /// A text.
    Text(String),
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}
