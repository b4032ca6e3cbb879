//! What there is to tell until the next key: how a wish turned out, or why it cannot be granted.

use crate::app::{App, Effect};
use crate::save::{Kind, Request};
use crate::time::Stepped;
use crate::wall;
use wq_trace::past::JUMP;
use wq_trace::{Liveness, RecordingEnd, units};

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

    /// Asks for a file with all that is kept.
    pub(crate) fn save(&mut self, kind: Kind) -> Effect {
        let Some(latest) = self.latest() else {
            self.ui.note = Some(Note::of(Err("nothing was read yet".to_owned())));
            return Effect::Draw;
        };
        let until = self.past().held_until().unwrap_or(latest.at);
        let (name, pid) = (file_name(&latest.meta.name), latest.meta.pid);
        let wall = wall::stamp(wall::at(latest, until));
        let stem = format!("wq-{name}-{pid}-{wall}");
        // What is held ends before the engine did.
        let end = match self.link.liveness {
            Liveness::Ended if until == latest.at => RecordingEnd::Ended,
            Liveness::Dead if until == latest.at => RecordingEnd::Gone,
            _ => RecordingEnd::Stopped,
        };
        self.ui.note = Some(Note::of(Ok(format!("writing {stem} ..."))));
        Effect::Save(Request { kind, stem, end })
    }
}

/// A name that a segment says, as part of a file's name: engines' own names stay as they are.
fn file_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let clean = name.chars().take(32);
    clean.map(|c| if fits(c) { c } else { '_' }).collect()
}

/// Steps for the keys that jump.
const _: () = assert!(JUMP == 10, "the key table says ten");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        assert_eq!(file_name("mixed-1.2"), "mixed-1.2");
        assert_eq!(file_name("../../etc/x\n"), ".._.._etc_x_");
        assert_eq!(file_name(&"x".repeat(99)).len(), 32);
    }
}
