//! What keys do, as data.

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Stop until the shell lets us go on.
    Suspend,
    /// End the program.
    Quit,
    /// Show or leave the help.
    Help,
    /// Leave what is open.
    Back,
    /// Choose the selected row.
    Choose,
    /// Hold the picture, or go on.
    Pause,
    /// Go to a view.
    Show(View),
    /// Go to the next view.
    NextView,
    /// Go to the previous view.
    PreviousView,
    /// Sort by the column to the left.
    SortLeft,
    /// Sort by the column to the right.
    SortRight,
    /// Turn the sorting round.
    Invert,
    /// Scroll the columns back.
    ScrollLeft,
    /// Scroll the columns on.
    ScrollRight,
    /// Move the selection, or the help.
    Go(Step),
}

/// How far the selection moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// One screen up.
    PageUp,
    /// One screen down.
    PageDown,
    /// To the top.
    First,
    /// To the bottom.
    Last,
}

/// A screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Is it healthy?
    #[default]
    Overview,
    /// Worker pools.
    Pools,
    /// Workers.
    Workers,
}

impl View {
    /// All of them, in the order of Tab.
    pub const ALL: [Self; 3] = [Self::Overview, Self::Pools, Self::Workers];

    /// The key that shows it.
    pub const fn digit(self) -> char {
        match self {
            Self::Overview => '1',
            Self::Pools => '3',
            Self::Workers => '4',
        }
    }

    /// The name on its tab.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Pools => "Pools",
            Self::Workers => "Workers",
        }
    }

    /// The view `steps` further, round and round.
    pub fn next(self, steps: usize) -> Self {
        let here = Self::ALL
            .iter()
            .position(|view| *view == self)
            .unwrap_or_default();
        Self::ALL[(here + steps) % Self::ALL.len()]
    }
}

impl Step {
    /// The place after this step from `place` in a list of `len`.
    pub fn from(self, place: usize, page: usize, len: usize) -> usize {
        let last = len.saturating_sub(1);
        match self {
            Self::Up => place.saturating_sub(1),
            Self::Down => (place + 1).min(last),
            Self::PageUp => place.saturating_sub(page),
            Self::PageDown => (place + page).min(last),
            Self::First => 0,
            Self::Last => last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stay_inside_the_list() {
        for (step, from_2) in [
            (Step::Up, 1),
            (Step::Down, 3),
            (Step::PageUp, 0),
            (Step::PageDown, 4),
            (Step::First, 0),
            (Step::Last, 4),
        ] {
            assert_eq!(step.from(2, 3, 5), from_2, "{step:?}");
            assert_eq!(step.from(0, 3, 0), 0, "{step:?}");
            assert!(step.from(0, 3, 1) == 0, "{step:?}");
        }
    }

    #[test]
    fn tab_goes_round() {
        assert_eq!(View::Overview.next(1), View::Pools);
        assert_eq!(View::Workers.next(1), View::Overview);
        assert_eq!(View::Overview.next(View::ALL.len() - 1), View::Workers);
    }
}
