//! The warnings as the screen has them: which there are at the moment that is shown, and the list of them all.

use crate::act::Step;
use crate::app::App;
use crate::details::{self, Details};
use wq_trace::warn::{Level, Subject, Warning};

/// The list of all warnings, laid over the view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WarningList {
    /// The one that is chosen, wherever it stands; the first one until one is.
    chosen: Option<(&'static str, Subject)>,
}

/// A warning in the list.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// What is or was wrong.
    pub warning: &'a Warning,
    /// Whether that is over.
    pub is_over: bool,
}

impl WarningList {
    /// The place of the chosen one.
    pub fn selected(&self, all: &[Listed<'_>]) -> usize {
        let chosen = |it: &Listed<'_>| Some((it.warning.lint, it.warning.subject)) == self.chosen;
        all.iter().position(chosen).unwrap_or_default()
    }
}

/// The thing that a warning is about, if it has details.
pub fn thing(subject: Subject) -> Option<details::Subject> {
    match subject {
        Subject::Workqueue(id) => Some(details::Subject::Workqueue(id)),
        Subject::Pool(id) => Some(details::Subject::Pool(id)),
        Subject::Worker(id) => Some(details::Subject::Worker(id)),
        Subject::Function(id) => Some(details::Subject::Function(id)),
        Subject::Engine => None,
    }
}

/// A thing as warnings name it.
fn subject(thing: details::Subject) -> Subject {
    match thing {
        details::Subject::Workqueue(id) => Subject::Workqueue(id),
        details::Subject::Pool(id) => Subject::Pool(id),
        details::Subject::Worker(id) => Subject::Worker(id),
        details::Subject::Function(id) => Subject::Function(id),
    }
}

impl App {
    /// What is wrong at the moment that is shown, the worst first.
    pub fn warnings(&self) -> &[Warning] {
        self.log().active_at(self.model().at())
    }

    /// That, and behind it what ended a short while ago.
    pub fn all_warnings(&self) -> Vec<Listed<'_>> {
        let active = self.warnings().iter().map(|warning| Listed {
            warning,
            is_over: false,
        });
        let ended = self.log().ended_at(self.model().at()).into_iter();
        let ended = ended.map(|warning| Listed {
            warning,
            is_over: true,
        });
        active.chain(ended).collect()
    }

    /// What is wrong with this thing, the worst first.
    pub fn warnings_of(&self, thing: details::Subject) -> impl Iterator<Item = &Warning> {
        let subject = subject(thing);
        let all = self.warnings().iter();
        all.filter(move |warning| warning.concerns(subject))
    }

    /// How bad it is at worst: with this thing, or altogether.
    pub fn worst(&self, thing: Option<details::Subject>) -> Option<Level> {
        match thing {
            Some(thing) => self.warnings_of(thing).next().map(|warning| warning.level),
            None => self.warnings().first().map(|warning| warning.level),
        }
    }

    /// Opens or leaves the list.
    pub(crate) fn toggle_warnings(&mut self) {
        self.ui.warnings = match self.ui.warnings.take() {
            Some(_) => None,
            None => Some(WarningList::default()),
        };
        self.ui.help = None;
    }

    /// Moves the choice in the list, if it is open.
    pub(crate) fn step_warnings(&mut self, step: Step, page: usize) -> bool {
        let Some(list) = &self.ui.warnings else {
            return false;
        };
        let all = self.all_warnings();
        let place = step.from(list.selected(&all), page, all.len());
        self.choose_warning(place);
        true
    }

    /// Chooses the warning at this place of the list.
    pub(crate) fn choose_warning(&mut self, place: usize) {
        let all = self.all_warnings();
        let chosen = all
            .get(place)
            .map(|it| (it.warning.lint, it.warning.subject));
        if let Some(list) = &mut self.ui.warnings {
            list.chosen = chosen;
        }
    }

    /// Goes from the list to what the chosen warning is about; stays where that has no details.
    pub(crate) fn follow_warning(&mut self) {
        let Some(list) = &self.ui.warnings else {
            return;
        };
        let all = self.all_warnings();
        let chosen = all.get(list.selected(&all));
        if let Some(thing) = chosen.and_then(|it| thing(it.warning.subject)) {
            self.ui.warnings = None;
            self.ui.details = Some(Details::of(thing));
        }
    }
}
