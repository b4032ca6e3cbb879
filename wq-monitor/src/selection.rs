//! What is chosen in a list: a thing, not a place. It stays chosen wherever it stands, and is said to be gone.

use crate::app::{App, Effect, Step};
use crate::details::{Details, Subject, related};
use crate::lists::{self, Identity, List, Rows};

/// The rows of the view's list in the order in which they are shown.
pub struct Shown<'a> {
    /// The list.
    pub list: &'static dyn List,
    /// Its rows.
    pub rows: Box<dyn Rows + 'a>,
    /// Their numbers, from the top.
    pub order: Vec<usize>,
    /// The place of the chosen one, if it is there.
    pub chosen: Option<usize>,
    /// The place to look at: of the chosen one, or where that was last.
    pub place: usize,
}

impl std::fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown")
            .field("order", &self.order)
            .field("chosen", &self.chosen)
            .finish_non_exhaustive()
    }
}

impl Shown<'_> {
    /// What the row at this place is.
    fn identity(&self, place: usize) -> Option<Identity> {
        self.order
            .get(place)
            .and_then(|row| self.rows.identity(*row))
    }
}

impl App {
    /// The rows that the view shows, if it shows a list.
    pub fn shown(&self) -> Option<Shown<'_>> {
        let list = lists::of(self.ui.view)?;
        let rows = list.rows(self.model(), self.filter());
        let state = self.ui.list();
        let order = lists::order(list, rows.as_ref(), state);
        let last = state.selected.min(order.len().saturating_sub(1));
        let chosen = match state.row {
            None if order.is_empty() => None,
            None => Some(last),
            Some(chosen) => order
                .iter()
                .position(|row| rows.identity(*row) == Some(chosen)),
        };
        Some(Shown {
            list,
            rows,
            order,
            chosen,
            place: chosen.unwrap_or(last),
        })
    }

    /// What the chosen row of the view's list is about; also when it is not listed any more.
    pub fn chosen(&self) -> Option<Subject> {
        if self.is_timeline() {
            return self.chosen_lane();
        }
        if self.is_tail() {
            return self.chosen_in_tail();
        }
        if self.is_spread() {
            return self.chosen_in_spread();
        }
        if let Some(row) = self.ui.list().row {
            return Some(row.subject);
        }
        let shown = self.shown()?;
        shown.rows.subject(*shown.order.get(shown.place)?)
    }

    /// The chosen thing, if the list does not show it any more: its kind and name, and whether it is gone altogether.
    pub fn missing(&self) -> Option<(Subject, bool)> {
        let row = self.ui.list().row?;
        let shown = self.shown()?;
        (shown.chosen.is_none()).then(|| (row.subject, !row.subject.exists(self.model())))
    }

    /// Moves the choice.
    pub(crate) fn go(&mut self, step: Step) {
        let page = self.page();
        if self.step_warnings(step, page) {
            return;
        }
        if self.is_timeline() {
            return self.go_in_timeline(step, page);
        }
        if self.is_tail() {
            return self.go_in_tail(step, page);
        }
        if self.is_spread() {
            return self.go_in_spread(step, page);
        }
        let to = if let Some(details) = &self.ui.details {
            let all = related(self.model(), details.subject());
            Some(step.from(details.selected(&all), page, all.len()))
        } else {
            let to = |shown: Shown<'_>| step.from(shown.place, page, shown.order.len());
            self.shown().map(to)
        };
        if let Some(to) = to {
            self.select(to);
        }
    }

    /// Chooses what stands at this place: in the details if they are open, else in the list.
    pub(crate) fn select(&mut self, place: usize) {
        if self.ui.warnings.is_some() {
            return self.choose_warning(place);
        }
        if let Some(details) = &self.ui.details {
            let all = related(self.model(), details.subject());
            let chosen = all.get(place).copied();
            if let Some(details) = &mut self.ui.details {
                details.choose(chosen);
            }
            return;
        }
        if self.is_timeline() {
            return self.select_lane(place);
        }
        if self.is_tail() {
            return self.select_in_tail(place);
        }
        if self.is_spread() {
            return self.select_spread(place);
        }
        let row = self.shown().and_then(|shown| shown.identity(place));
        let state = self.ui.list_mut();
        (state.selected, state.row) = (place, row);
    }

    /// Notes where the chosen thing stands, to stay there when it goes.
    pub(crate) fn follow_chosen(&mut self) {
        if self.ui.list().row.is_none() {
            return;
        }
        if let Some(place) = self.shown().and_then(|shown| shown.chosen) {
            self.ui.list_mut().selected = place;
        }
    }

    /// Chooses the first row where the chosen one is not listed.
    pub(crate) fn leave_what_is_not_listed(&mut self) {
        if self.missing().is_some() {
            let state = self.ui.list_mut();
            (state.selected, state.row) = (0, None);
        }
    }

    /// Opens the details of what is chosen.
    pub(crate) fn open(&mut self) -> Effect {
        if self.ui.help.is_some() {
            return Effect::None;
        }
        if self.ui.warnings.is_some() {
            self.follow_warning();
            return Effect::Draw;
        }
        if let Some(details) = &self.ui.details {
            let all = related(self.model(), details.subject());
            if let Some(details) = &mut self.ui.details {
                details.follow(&all);
            }
            return Effect::Draw;
        }
        let Some(subject) = self.chosen() else {
            return Effect::None;
        };
        self.ui.details = Some(Details::of(subject));
        Effect::Draw
    }
}
