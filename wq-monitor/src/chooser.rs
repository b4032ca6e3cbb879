//! The columns' chooser: which columns the view's list shows, and in what order.

use crate::app::{Act, App, Effect};
use crate::lists::{self, Head};

/// The chooser, while it lies over a view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chooser {
    /// The place of the chosen column among all of the list.
    pub place: usize,
}

impl App {
    /// The columns of the view's list in their order, each with whether it is shown.
    pub fn columns_to_choose(&self) -> Vec<(Head, bool)> {
        let Some(list) = lists::of(self.ui.view) else {
            return Vec::new();
        };
        let state = self.ui.list();
        let all = state.all(list).into_iter();
        all.map(|(i, head)| (head, i == 0 || state.chosen.contains(&head.key)))
            .collect()
    }

    /// Opens it over a list, on the column sorted by.
    pub(crate) fn open_chooser(&mut self) {
        if lists::of(self.ui.view).is_none() {
            return;
        }
        (self.ui.help, self.ui.details) = (None, None);
        let sort = self.ui.list().sort;
        let columns = self.columns_to_choose();
        let place = columns.iter().position(|(head, _)| head.key == sort);
        self.ui.chooser = Some(Chooser {
            place: place.unwrap_or_default(),
        });
    }

    /// Keys while it is open; those of the program and of other views do what they always do.
    pub(crate) fn choose_columns(&mut self, act: Act) -> Effect {
        let (Some(Chooser { place }), Some(list)) = (self.ui.chooser, lists::of(self.ui.view))
        else {
            return self.act(act);
        };
        let columns = self.columns_to_choose();
        let state = self.ui.list_mut();
        let mut to = place;
        match act {
            Act::Pause => {
                if let Some((head, _)) = columns.get(place) {
                    state.toggle(list, head.key);
                }
            }
            Act::SortLeft => to = state.shift(list, place, -1),
            Act::SortRight => to = state.shift(list, place, 1),
            Act::AllColumns => state.show_all(list),
            Act::Go(step) => to = step.from(place, self.page(), columns.len()),
            Act::Back | Act::Choose | Act::Columns => {
                self.ui.chooser = None;
                return Effect::Draw;
            }
            Act::Quit | Act::Suspend => return self.act(act),
            act => {
                // Who asks for something else is done with it.
                self.ui.chooser = None;
                return self.act(act);
            }
        }
        self.ui.chooser = Some(Chooser { place: to });
        Effect::Draw
    }
}
