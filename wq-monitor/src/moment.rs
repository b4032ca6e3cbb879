//! What of the application is of the moment that is shown, what is always of today, and how it goes from one moment to
//! another.

use crate::app::App;
use crate::note::Note;
use crate::source::Successor;
use crate::time::{Stepped, Time};
use wq_trace::model::{Limits, Model};
use wq_trace::past::{JUMP, Keep, Past};
use wq_trace::warn::WarningLog;
use wq_trace::{Liveness, Snapshot, units};

impl App {
    /// The same, with so much kept for who goes back.
    pub fn keeping(self, keep: Keep) -> Self {
        let time = Time::new(keep);
        Self { time, ..self }
    }

    /// The data to show: of the present, or of the moment that is held.
    pub fn model(&self) -> &Model {
        self.time.model(&self.model)
    }

    /// The data of the present.
    pub fn present(&self) -> &Model {
        &self.model
    }

    /// What was, and where in it the screen is.
    pub fn time(&self) -> &Time {
        &self.time
    }

    /// What was read until now: states, and the last events; while a moment is held, the events of then.
    pub fn past(&self) -> &Past {
        self.time.past()
    }

    /// Whether what is told from events can be told of what is shown; of moments longer ago they are forgotten.
    pub fn has_events(&self) -> bool {
        self.time.has_events(self.model())
    }

    /// The latest snapshot, whatever is shown.
    pub fn latest(&self) -> Option<&Snapshot> {
        self.model.snapshot()
    }

    /// Events lost until now. Counting never stops.
    pub fn lost_events(&self) -> u64 {
        self.model.lost_events()
    }

    /// Events written per second, by the last two snapshots.
    pub fn events_per_s(&self) -> f64 {
        self.model.totals().events_per_s
    }

    /// Whether the picture is held.
    pub fn is_paused(&self) -> bool {
        self.time.is_held()
    }

    /// Goes so many states on, or back when negative; says so when there are none.
    pub(crate) fn step(&mut self, by: isize) {
        let stepped = self.time.step(&self.model, by);
        let text = match stepped {
            Stepped::Moved => return,
            Stepped::Oldest => self.why_no_older(),
            Stepped::Newest if !self.time.is_held() => match self.link.liveness {
                Liveness::Live | Liveness::Unknown => "this is the present".to_owned(),
                _ => "this is the end: there is nothing later".to_owned(),
            },
            Stepped::Newest => "this is the newest state: End goes on with what comes".to_owned(),
        };
        self.ui.note = Some(Note::told(text));
    }

    fn why_no_older(&self) -> String {
        let past = self.past();
        let Some((first, latest)) = past.states().next().zip(self.latest()) else {
            return "nothing was read yet".to_owned();
        };
        let only = past.len() == 1;
        let reach = units::duration(latest.at.saturating_sub(first.at));
        match self.link.liveness {
            Liveness::Dead | Liveness::Ended if only => {
                let first = past.events().map(|event| event.at).min();
                let reach = latest.at.saturating_sub(first.unwrap_or(latest.at));
                format!(
                    "a segment left behind has only its last state; its events reach {} back",
                    units::duration(reach)
                )
            }
            _ if only => "there is no earlier state yet".to_owned(),
            Liveness::Live | Liveness::Unknown => {
                format!("this is the oldest state that is kept, of {reach} ago")
            }
            _ => format!("this is the oldest state that is kept, {reach} before the end"),
        }
    }

    /// Another engine: nothing that was known is of it.
    pub(crate) fn restart(&mut self, successor: &Successor) {
        self.model = Model::new(Limits::default());
        self.time = Time::new(Keep::default());
        self.log = WarningLog::new(self.log.warnings().settings().clone());
        self.ui.choose_nothing();
        self.folded.forget();
        self.link.has_data = false;
        // The first one that came is no news.
        let news = successor.before.is_some();
        self.link.successor = news.then(|| successor.sentence());
    }
}

/// Steps for the keys that jump.
const _: () = assert!(JUMP == 10, "the key table says ten");
