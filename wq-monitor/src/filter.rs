//! Which workqueues are printed: those whose names match the patterns and that the query finds.

use regex::Regex;
use wq_trace::model::{Model, Workqueue};
use wq_trace::query::{Query, Scope};

/// What is asked for on the command line.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The patterns for names; without them every name is fine.
    pub names: Option<Regex>,
    /// The query.
    pub query: Query,
}

impl Filter {
    /// The workqueues that pass, in the order in which they were allocated.
    pub fn workqueues<'m>(&self, model: &'m Model) -> Vec<&'m Workqueue> {
        let named = |wq: &&Workqueue| {
            self.names
                .as_ref()
                .is_none_or(|names| names.is_match(&wq.name))
        };
        let all = model.workqueues().iter().filter(named);
        if self.query.is_empty() {
            return all.collect();
        }
        let scope = Scope::new(model);
        all.filter(|&wq| self.query.matches(&scope, wq)).collect()
    }
}
