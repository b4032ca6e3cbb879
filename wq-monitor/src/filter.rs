//! Which rows are shown or printed: those that the query finds; of workqueues those whose names match the patterns, too.

use regex::Regex;
use std::fmt;
use wq_trace::model::{Model, Workqueue};
use wq_trace::query::{Query, Row, Scope};

/// What is asked for on the command line, or was typed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The patterns for names of workqueues; without them every name is fine.
    pub names: Option<Regex>,
    /// The query.
    pub query: Query,
}

impl Filter {
    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.names.is_none() && self.query.is_empty()
    }

    /// The workqueues that pass, in the order in which they were allocated.
    pub fn workqueues<'m>(&self, model: &'m Model) -> Vec<&'m Workqueue> {
        let named = |wq: &&Workqueue| {
            self.names
                .as_ref()
                .is_none_or(|names| names.is_match(&wq.name))
        };
        self.found(model, model.workqueues().iter().filter(named))
    }

    /// The rows that the query finds, in their order.
    pub fn rows<'m, R>(&self, model: &'m Model, rows: &'m [R]) -> Vec<&'m R>
    where
        Row<'m>: From<&'m R>,
    {
        self.found(model, rows.iter())
    }

    fn found<'m, R>(&self, model: &'m Model, rows: impl Iterator<Item = &'m R>) -> Vec<&'m R>
    where
        Row<'m>: From<&'m R>,
    {
        if self.query.is_empty() {
            return rows.collect();
        }
        let scope = Scope::new(model);
        rows.filter(|&row| self.query.matches(&scope, row))
            .collect()
    }
}

/// As it is shown: `/^events/ wait>5ms`.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(names) = &self.names {
            let gap = if self.query.is_empty() { "" } else { " " };
            write!(f, "/{names}/{gap}")?;
        }
        write!(f, "{}", self.query)
    }
}
