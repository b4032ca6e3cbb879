//! How a list is looked at: which columns, by which sorted, which row is chosen.

use super::{Head, Identity, List, Rows};
use wq_trace::model::columns::compare;

/// How a list is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListState {
    /// Place of the chosen row, counted from the top; may lie beyond the end when rows went away.
    pub selected: usize,
    /// The chosen row, once one was chosen; until then it is whichever stands at that place.
    pub row: Option<Identity>,
    /// The key of the column sorted by.
    pub sort: &'static str,
    /// Whether the column's natural order is turned round.
    pub inverted: bool,
    /// The column scrolled to; 0: not scrolled, the most important columns are shown.
    pub scrolled: usize,
    /// The keys of the columns shown.
    pub chosen: Vec<&'static str>,
    /// The keys of all columns in the order in which they stand.
    pub order: Vec<&'static str>,
}

impl ListState {
    /// As a list is looked at first.
    pub fn new(list: &dyn List) -> Self {
        Self {
            sort: list.sort(),
            chosen: keys(list, |head| head.usual),
            order: keys(list, |_| true),
            ..Self::default()
        }
    }

    /// The columns that are shown, each with its place among [`List::heads`]; the first is always there.
    pub fn columns(&self, list: &dyn List) -> Vec<(usize, Head)> {
        let mut all = self.all(list);
        all.retain(|(i, head)| *i == 0 || self.chosen.contains(&head.key));
        all
    }

    /// All columns in their order, each with its place among [`List::heads`]; the one that names the row comes first.
    pub fn all(&self, list: &dyn List) -> Vec<(usize, Head)> {
        let mut all: Vec<_> = list.heads().into_iter().enumerate().collect();
        let place = |key| self.order.iter().position(|other| *other == key);
        all.sort_by_key(|(i, head)| (*i > 0, place(head.key)));
        all
    }

    /// Shows the column with this key, or hides it; the first one stays.
    pub fn toggle(&mut self, list: &dyn List, key: &'static str) {
        if !self.chosen.contains(&key) {
            self.chosen.push(key);
        } else if list.heads().first().is_some_and(|head| head.key != key) {
            self.chosen.retain(|other| *other != key);
        }
        self.sort_by_what_is_shown(list);
    }

    /// Moves the column at this place among [`Self::all`] by `steps`, behind the first one. Gives back its new place.
    pub fn shift(&mut self, list: &dyn List, place: usize, steps: isize) -> usize {
        let mut keys: Vec<_> = self.all(list).iter().map(|(_, head)| head.key).collect();
        let to = place.saturating_add_signed(steps);
        if place == 0 || to == 0 || to.max(place) >= keys.len() {
            return place;
        }
        let key = keys.remove(place);
        keys.insert(to, key);
        self.order = keys;
        to
    }

    fn sort_by_what_is_shown(&mut self, list: &dyn List) {
        let shown = self.columns(list);
        let is_shown = |key| shown.iter().any(|(_, head)| head.key == key);
        if is_shown(self.sort) {
            return;
        }
        let first = shown.first().map_or("", |(_, head)| head.key);
        let usual = list.sort();
        self.sort = if is_shown(usual) { usual } else { first };
        self.inverted = false;
    }

    /// Whether the largest of `head` come first.
    pub fn descends(&self, head: &Head) -> bool {
        head.largest_first != self.inverted
    }

    /// Sorts by the column with this key; by the one that it is sorted by already, the other way round.
    pub fn sort_by(&mut self, key: &'static str) {
        self.inverted = self.sort == key && !self.inverted;
        self.sort = key;
    }

    /// Sorts by the column `steps` further to the right among those shown.
    pub fn move_sort(&mut self, list: &dyn List, steps: isize) {
        let columns = self.columns(list);
        let here = columns.iter().position(|(_, head)| head.key == self.sort);
        let there = here.unwrap_or_default().saturating_add_signed(steps);
        if let Some((_, head)) = columns.get(there.min(columns.len().saturating_sub(1))) {
            self.sort = head.key;
        }
        self.inverted = false;
    }

    /// Hides the column sorted by and sorts by its neighbour; the first one stays.
    pub fn hide(&mut self, list: &dyn List) {
        let columns = self.columns(list);
        let here = columns.iter().position(|(_, head)| head.key == self.sort);
        let Some(here) = here.filter(|here| *here > 0) else {
            return;
        };
        let hidden = self.sort;
        let neighbour = columns.get(here + 1).unwrap_or(&columns[here - 1]);
        (self.sort, self.inverted) = (neighbour.1.key, false);
        self.chosen.retain(|key| *key != hidden);
    }

    /// Shows every column that there is; when all are shown already, the usual ones.
    pub fn show_all(&mut self, list: &dyn List) {
        let all = keys(list, |_| true);
        self.chosen = if self.columns(list).len() == all.len() {
            keys(list, |head| head.usual)
        } else {
            all
        };
        self.sort_by_what_is_shown(list);
        self.scrolled = 0;
    }
}

fn keys(list: &dyn List, which: impl Fn(&Head) -> bool) -> Vec<&'static str> {
    let heads = list.heads().into_iter();
    heads.filter(which).map(|head| head.key).collect()
}

/// The rows' numbers in the order in which they are shown. Rows with equal keys keep their order.
pub fn order(list: &dyn List, rows: &dyn Rows, state: &ListState) -> Vec<usize> {
    let heads = list.heads();
    let column = heads.iter().position(|head| head.key == state.sort);
    let Some(column) = column else {
        return (0..rows.len()).collect();
    };
    let largest_first = state.descends(&heads[column]);
    let mut keyed: Vec<_> = (0..rows.len())
        .map(|row| (rows.sort_key(row, column), row))
        .collect();
    keyed.sort_by(|(a, _), (b, _)| compare(a, b, largest_first));
    keyed.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::View;
    use crate::details::Subject;
    use crate::lists::{self, Place};
    use ratatui::text::Line;
    use wq_trace::model::columns::Cell;

    /// Rows whose second column is the number.
    struct Numbers(Vec<Option<u64>>);

    impl Rows for Numbers {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn sort_key(&self, row: usize, _: usize) -> Cell {
            self.0[row].map_or(Cell::None, Cell::Count)
        }

        fn cell(&self, _: usize, _: usize, _: Place<'_>) -> Line<'static> {
            Line::default()
        }

        fn subject(&self, _: usize) -> Option<Subject> {
            None
        }
    }

    fn list() -> &'static dyn List {
        lists::of(View::Workqueues).expect("it shows one")
    }

    #[test]
    fn rows_are_sorted_by_the_columns_natural_order_and_ties_stay() {
        let rows = Numbers(vec![Some(1), None, Some(3), Some(3)]);
        let mut state = ListState::new(list());
        state.sort = "pending";
        assert_eq!(order(list(), &rows, &state), [2, 3, 0, 1]);
        state.sort_by("pending");
        assert_eq!(order(list(), &rows, &state), [0, 2, 3, 1]);
        state.sort_by("pending");
        assert_eq!(order(list(), &rows, &state), [2, 3, 0, 1]);
        state.sort_by("name");
        assert!(!state.inverted);
    }

    #[test]
    fn columns_are_hidden_and_shown_again() {
        let mut state = ListState::new(list());
        let usual = state.columns(list()).len();
        state.move_sort(list(), -100);
        assert_eq!(state.sort, "name");
        state.hide(list());
        assert_eq!(state.columns(list()).len(), usual, "the name stays");
        state.move_sort(list(), 1);
        let hidden = state.sort;
        state.hide(list());
        assert!(state.sort != hidden && !state.chosen.contains(&hidden));
        state.show_all(list());
        assert_eq!(state.columns(list()).len(), list().heads().len());
        state.move_sort(list(), 100);
        state.show_all(list());
        assert_eq!(state, ListState::new(list()));
    }

    #[test]
    fn a_list_can_be_hidden_down_to_its_names() {
        let mut state = ListState::new(list());
        for _ in 0..100 {
            state.hide(list());
        }
        assert_eq!(state.columns(list()).len(), 1);
        assert_eq!(state.sort, "name");
    }

    #[test]
    fn columns_are_chosen_and_moved_and_the_first_stays() {
        let mut state = ListState::new(list());
        let keys = |state: &ListState| -> Vec<&str> {
            let columns = state.columns(list());
            columns.iter().map(|(_, head)| head.key).collect()
        };
        let usual = keys(&state);
        state.toggle(list(), "name");
        state.toggle(list(), usual[2]);
        assert!(!keys(&state).contains(&usual[2]) && keys(&state)[0] == "name");
        state.toggle(list(), usual[2]);
        assert_eq!(keys(&state), usual, "it is back in its place");
        assert_eq!(state.shift(list(), 2, -1), 1);
        assert_eq!(keys(&state)[..3], [usual[0], usual[2], usual[1]]);
        for (place, steps) in [(1, -1), (0, 1), (99, 1), (list().heads().len() - 1, 1)] {
            assert_eq!(state.shift(list(), place, steps), place);
        }
        // Each column is still drawn from its own cells.
        for (i, head) in state.all(list()) {
            assert_eq!(list().heads()[i].key, head.key);
        }
        state.sort_by("started_per_s");
        state.toggle(list(), "started_per_s");
        assert_eq!(state.sort, "name", "nothing hidden is sorted by");
    }
}
