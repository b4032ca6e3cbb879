//! What there is to tell until the next key: how a wish turned out, or why it cannot be granted.

use crate::app::App;
use crate::time::Stepped;
use wq_trace::past::JUMP;
use wq_trace::{Liveness, units};

/// A sentence in the place of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The sentence.
    pub text: String,
    /// Whether something failed.
    pub failed: bool,
}

impl Note {
    /// How something turned out.
    pub fn of(said: Result<String, String>) -> Self {
        let failed = said.is_err();
        let text = said.unwrap_or_else(|why| why);
        Self { text, failed }
    }
}

impl App {
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
        self.ui.note = Some(Note {
            text,
            failed: false,
        });
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
                "a segment that was left behind has no state but its last".to_owned()
            }
            _ if only => "there is no earlier state yet".to_owned(),
            Liveness::Live | Liveness::Unknown => {
                format!("this is the oldest state that is kept, of {reach} ago")
            }
            _ => format!("this is the oldest state that is kept, {reach} before the end"),
        }
    }
}

/// Steps for the keys that jump.
const _: () = assert!(JUMP == 10, "the key table says ten");
