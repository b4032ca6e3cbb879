//! An engine watched without a screen: its model, and what is wrong with it.

use crate::args::Args;
use crate::fold::fold;
use crate::source::Update;
use wq_trace::model::{Limits, Model};
use wq_trace::warn::{Subject, Warning, Warnings};

/// A model that nobody sees the history of, with its warnings.
#[derive(Debug)]
pub struct Watched {
    /// The data.
    pub model: Model,
    /// What is wrong.
    pub warnings: Warnings,
    /// What was said to be wrong.
    said: Vec<(&'static str, Subject, String)>,
}

impl Watched {
    /// Nothing was read yet.
    pub fn new(args: &Args) -> Self {
        let limits = Limits {
            history: 1,
            ..Limits::default()
        };
        Self {
            model: Model::new(limits),
            warnings: Warnings::new(args.warnings()),
            said: Vec::new(),
        }
    }

    /// Takes in what a source said.
    pub fn take(&mut self, update: &Update) {
        let warnings = &mut self.warnings;
        fold(update, &mut self.model, |model| warnings.look(model));
    }

    /// What became wrong and what is over since this was asked last, a line each.
    pub fn news(&mut self) -> Vec<String> {
        let active = self.warnings.active();
        let key = |warning: &Warning| (warning.lint, warning.subject);
        let mut news = Vec::new();
        self.said.retain(|(lint, subject, name)| {
            let lasts = active.iter().any(|w| key(w) == (*lint, *subject));
            if !lasts {
                news.push(format!("{lint} is over: {name}"));
            }
            lasts
        });
        for warning in active {
            let said = |said: &(&str, Subject, String)| (said.0, said.1) == key(warning);
            if !self.said.iter().any(said) {
                news.push(format!("{}: {}", warning.lint, warning.sentence));
                let (lint, subject) = key(warning);
                self.said.push((lint, subject, warning.name.clone()));
            }
        }
        news
    }
}
