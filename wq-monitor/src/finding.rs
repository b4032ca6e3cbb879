//! Finding: the query that thins the lists, and the line in which it is typed.

use crate::app::{App, Effect};
use crate::filter::Filter;
use crate::lists;
use crate::prompt::{Edit, Prompt, Remembered};
use regex::Regex;
use wq_trace::OTHER;
use wq_trace::model::Model;
use wq_trace::query::{Completion, Query, complete};

/// What is looked for.
#[derive(Debug, Default)]
pub struct Finding {
    /// What passes.
    pub filter: Filter,
    /// The line in which a query is typed, while one is.
    pub prompt: Option<Prompt>,
    /// What was looked for before.
    remembered: Remembered,
}

impl Finding {
    /// Workqueues whose names match, and everything else.
    pub fn names(names: Option<Regex>) -> Self {
        let filter = Filter {
            names,
            ..Filter::default()
        };
        Self {
            filter,
            ..Self::default()
        }
    }
}

impl App {
    /// The same, with a query in force.
    pub fn looking_for(mut self, query: Query) -> Self {
        self.ui.finding.remembered.add(&query.to_string());
        self.ui.finding.filter.query = query;
        self
    }

    /// What the lists show.
    pub fn filter(&self) -> &Filter {
        &self.ui.finding.filter
    }

    /// The line in which a query is typed, while one is: then keys are characters.
    pub fn prompt(&self) -> Option<&Prompt> {
        self.ui.finding.prompt.as_ref()
    }

    /// How many rows the view's list shows, and of how many; nothing where the view has no list.
    pub fn found(&self) -> Option<(usize, usize)> {
        let list = lists::of(self.ui.view)?;
        let rows = |filter: &Filter| list.rows(self.model(), filter).len();
        Some((rows(self.filter()), rows(&Filter::default())))
    }

    /// Opens the line, over the view's list.
    pub(crate) fn find(&mut self) {
        self.ui.help = None;
        self.ui.details = None;
        let finding = &mut self.ui.finding;
        finding.prompt = Some(Prompt::new(&finding.filter.query));
    }

    /// Shows all rows again.
    pub(crate) fn find_all(&mut self) {
        self.ui.finding.filter = Filter::default();
    }

    /// What to look for while this is typed: a word that finds nothing and may become a key is not a word yet.
    fn so_far(&self, prompt: &Prompt, query: Query) -> Query {
        let Some(rest) = prompt.without_half_a_key() else {
            return query;
        };
        let filter = Filter {
            names: self.filter().names.clone(),
            query,
        };
        let rows = lists::of(self.ui.view).map(|list| list.rows(self.model(), &filter).len());
        match rest.parse() {
            Ok(rest) if rows == Some(0) => rest,
            _ => filter.query,
        }
    }

    /// Takes in a key while a query is typed; what is right is in force at once.
    pub(crate) fn edit(&mut self, edit: Edit) -> Effect {
        let Some(mut prompt) = self.ui.finding.prompt.take() else {
            return Effect::None;
        };
        match edit {
            Edit::Keep => {
                // What is wrong cannot be kept: it stays to be put right.
                let Ok(query) = prompt.text().parse::<Query>() else {
                    self.ui.finding.prompt = Some(prompt);
                    return Effect::None;
                };
                self.ui.finding.remembered.add(&query.to_string());
                self.ui.finding.filter.query = query;
                self.leave_what_is_not_listed();
            }
            Edit::Revert => self.ui.finding.filter.query = prompt.before().clone(),
            edit => {
                let offer = |text: &str, cursor| offered(self.model(), text, cursor);
                if let Some(query) = prompt.edit(edit, &self.ui.finding.remembered, offer) {
                    self.ui.finding.filter.query = self.so_far(&prompt, query);
                }
                self.ui.finding.prompt = Some(prompt);
            }
        }
        Effect::Draw
    }
}

/// How the word before the cursor may go on: keys, values, and where a name is asked for those that there are.
pub fn offered(model: &Model, text: &str, cursor: usize) -> (usize, Vec<String>) {
    let Completion { from, words } = complete(text, cursor);
    if !words.is_empty() {
        return (from, words);
    }
    let before: Vec<char> = text.chars().take(cursor).collect();
    let start = before.iter().rposition(|c| c.is_whitespace());
    let start = start.map_or(0, |at| at + 1);
    let word: String = before[start..].iter().collect();
    let Some((key, part)) = word.split_once([':', '=']) else {
        return (from, Vec::new());
    };
    let names: Vec<&str> = match key.trim_start_matches('-') {
        "wq" | "workqueue" => model.workqueues().iter().map(|wq| &*wq.name).collect(),
        "fn" | "function" => model.functions().iter().map(|f| &*f.name).collect(),
        _ => return (from, Vec::new()),
    };
    let fits =
        |name: &&str| name.starts_with(part) && *name != part && *name != OTHER && is_word(name);
    let mut words: Vec<String> = names.into_iter().filter(fits).map(str::to_owned).collect();
    words.sort();
    words.dedup();
    (cursor - part.chars().count(), words)
}

/// Whether a name can stand in a query as it is.
fn is_word(name: &str) -> bool {
    let splits = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '*' | '?');
    !name.starts_with('=') && !name.contains(splits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Act, Msg, View};
    use crate::source::Update;
    use wq_trace::model::Limits;
    use wq_trace::{FuncId, FunctionRow, Snapshot, WorkqueueRow, WqId};

    fn app() -> App {
        let mut app = App::new(Model::new(Limits::default()), None, Vec::new());
        let names = ["events", "events_long", "flush", "a b", "x*"];
        let workqueue = |(id, name): (u32, &&str)| WorkqueueRow {
            id: WqId(id),
            name: (*name).to_owned(),
            ..WorkqueueRow::default()
        };
        let function = FunctionRow {
            id: FuncId(1),
            name: "flush_page".to_owned(),
            ..FunctionRow::default()
        };
        let snapshot = Snapshot {
            at: 1,
            workqueues: (1..).zip(&names).map(workqueue).collect(),
            functions: vec![function],
            ..Snapshot::default()
        };
        let _ = app.update(Msg::Polled(Box::new(Update {
            snapshot: Some(snapshot),
            ..Update::default()
        })));
        let _ = app.update(Msg::Act(Act::Show(View::Workqueues)));
        app
    }

    fn typed(app: &mut App, text: &str) {
        for c in text.chars() {
            let _ = app.update(Msg::Edit(Edit::Type(c)));
        }
    }

    fn query(app: &App) -> String {
        app.filter().query.to_string()
    }

    #[test]
    fn a_query_is_in_force_while_it_is_typed_and_enter_keeps_it() {
        let mut app = app();
        assert_eq!(app.update(Msg::Edit(Edit::Type('x'))), Effect::None);
        let _ = app.update(Msg::Act(Act::Find));
        typed(&mut app, "wq:events*");
        assert_eq!(app.found(), Some((2, 5)));
        typed(&mut app, " wiat>");
        assert!(app.prompt().is_some_and(|prompt| prompt.wrong().is_some()));
        assert_eq!(
            app.found(),
            Some((0, 5)),
            "the last right one stays: `wiat` is a part of no name"
        );
        assert_eq!(app.update(Msg::Edit(Edit::Keep)), Effect::None);
        assert!(app.prompt().is_some(), "what is wrong is not kept");
        let _ = app.update(Msg::Edit(Edit::CutWord));
        let _ = app.update(Msg::Edit(Edit::Keep));
        assert!(app.prompt().is_none());
        assert_eq!(query(&app), "wq:events*");
        let _ = app.update(Msg::Act(Act::FindAll));
        assert_eq!(app.found(), Some((5, 5)));
        // It is remembered.
        let _ = app.update(Msg::Act(Act::Find));
        let _ = app.update(Msg::Edit(Edit::Older));
        assert_eq!(app.found(), Some((2, 5)));
    }

    #[test]
    fn half_a_key_does_not_empty_the_list_unless_it_is_kept() {
        let mut app = app();
        let _ = app.update(Msg::Act(Act::Find));
        typed(&mut app, "wq:events* wai");
        assert_eq!(
            (app.found(), query(&app)),
            (Some((2, 5)), "wq:events*".to_owned())
        );
        typed(&mut app, "t>");
        assert_eq!(app.found(), Some((2, 5)));
        let _ = app.update(Msg::Edit(Edit::CutWord));
        typed(&mut app, "flu");
        assert_eq!(app.found(), Some((0, 5)), "this is no key");
        let _ = app.update(Msg::Edit(Edit::CutToStart));
        typed(&mut app, "wai");
        assert_eq!(app.found(), Some((5, 5)));
        let _ = app.update(Msg::Edit(Edit::Keep));
        assert_eq!((app.found(), query(&app)), (Some((0, 5)), "wai".to_owned()));
    }

    #[test]
    fn esc_leaves_everything_as_it_was() {
        let mut app = app().looking_for("events".parse().expect("it is right"));
        let _ = app.update(Msg::Act(Act::Find));
        typed(&mut app, "_l");
        assert_eq!(app.found(), Some((1, 5)));
        let _ = app.update(Msg::Edit(Edit::Revert));
        assert_eq!(
            (app.found(), query(&app)),
            (Some((2, 5)), "events".to_owned())
        );
        assert!(app.prompt().is_none());
    }

    #[test]
    fn names_that_there_are_are_offered() {
        let app = app();
        let offers = |text: &str| offered(app.model(), text, text.chars().count());
        let events = vec!["events".to_owned(), "events_long".to_owned()];
        assert_eq!(offers("x -wq:e"), (6, events));
        assert_eq!(offers("fn:"), (3, vec!["flush_page".to_owned()]));
        assert_eq!(offers("wq=events").1, ["events_long"]);
        assert_eq!(offers("wq:a").1, Vec::<String>::new(), "not in one word");
        assert_eq!(offers("wai").1[0], "wait>");
        assert_eq!(offers("\"wq:e").1, Vec::<String>::new());
    }
}
