//! What keys do, as data.

use crate::request::Kind;

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Stop until the shell lets us go on.
    Suspend,
    /// End the program.
    Quit,
    /// Show or leave the help.
    Help,
    /// The colours of the other theme.
    Theme,
    /// Show or leave the list of warnings.
    Warnings,
    /// Leave what is open.
    Back,
    /// Choose the selected row: the engine to watch, the thing to see the details of.
    Choose,
    /// Hold the picture, or go on.
    Pause,
    /// Go so many states on in time, or back when negative.
    Time(isize),
    /// Go to the present; when there, to the last row.
    Present,
    /// Write what is kept to a file.
    Save(Kind),
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
    /// Hide the column sorted by.
    HideColumn,
    /// Show all columns, or the usual ones again.
    AllColumns,
    /// Scroll the columns back.
    ScrollLeft,
    /// Scroll the columns on.
    ScrollRight,
    /// Show less time, or more.
    Zoom {
        /// Less.
        closer: bool,
    },
    /// Lanes of workers, or of CPUs.
    TurnLanes,
    /// Waits, or runs.
    TurnLatency,
    /// Move the selection, or the help.
    Go(Step),
    /// Type what to look for.
    Find,
    /// Show all rows again.
    FindAll,
    /// Choose columns.
    Columns,
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
    /// Workqueues.
    Workqueues,
    /// Worker pools.
    Pools,
    /// Workers.
    Workers,
    /// Who queues what.
    Producers,
    /// What happens.
    Events,
    /// How long items wait and run.
    Latency,
    /// Who ran when.
    Timeline,
}

impl View {
    /// Those that there are, in the order of their digits and of Tab.
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Workqueues,
        Self::Pools,
        Self::Workers,
        Self::Producers,
        Self::Events,
        Self::Latency,
        Self::Timeline,
    ];

    /// How many there can be.
    pub const COUNT: usize = Self::Timeline as usize + 1;

    /// The key that shows it.
    pub const fn digit(self) -> char {
        (b'1' + self as u8) as char
    }

    /// The name on its tab.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Workqueues => "Workqueues",
            Self::Pools => "Pools",
            Self::Workers => "Workers",
            Self::Producers => "Producers",
            Self::Events => "Events",
            Self::Latency => "Latency",
            Self::Timeline => "Timeline",
        }
    }

    /// Its title and the question that it answers, for the help.
    pub const fn question(self) -> &'static str {
        match self {
            Self::Overview => "Overview: is it healthy, and what makes items wait?",
            Self::Workqueues => {
                "Workqueues: what does each do, what does it hold, what does its wait come from?"
            }
            Self::Pools => "Pools: is the concurrency level right for workers and backlog?",
            Self::Workers => {
                "Workers: who runs what, since when, at what cost, and where does it sleep?"
            }
            Self::Producers => "Producers: who queues what from where, and is one of them a storm?",
            Self::Events => "Events: what happens at this moment?",
            Self::Latency => "Latency: how long do items wait and run, and when was it worse?",
            Self::Timeline => "Timeline: which worker ran, slept or waited when?",
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
        let last = View::ALL[View::ALL.len() - 1];
        assert_eq!(View::Overview.next(1), View::Workqueues);
        assert_eq!(last.next(1), View::Overview);
        assert_eq!(View::Overview.next(View::ALL.len() - 1), last);
    }

    #[test]
    fn questions_begin_with_the_title() {
        for view in View::ALL {
            assert!(view.question().starts_with(view.title()) && view.question().ends_with('?'));
        }
        assert_eq!((View::Overview.digit(), View::Timeline.digit()), ('1', '8'));
    }
}
