//! The files that are asked for.

use crate::app::{App, Effect};
use crate::note::Note;
use crate::wall;
use wq_trace::{Liveness, RecordingEnd};

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A recording: `--file` and wq-dump read it.
    Recording,
    /// A trace for ui.perfetto.dev.
    Perfetto,
}

impl Kind {
    /// What its file's name ends in.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Recording => "wqrec",
            Self::Perfetto => "pftrace",
        }
    }
}

/// A file that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What kind of file.
    pub kind: Kind,
    /// Its name without the ending.
    pub stem: String,
    /// How the engine has ended, for a recording.
    pub end: RecordingEnd,
}

impl App {
    /// Asks for a file with all that is kept.
    pub(crate) fn save(&mut self, kind: Kind) -> Effect {
        let Some(latest) = self.latest() else {
            self.ui.note = Some(Note::told("nothing was read yet".to_owned()));
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
        self.ui.note = Some(Note::told(format!("writing {stem} ...")));
        Effect::Save(Request { kind, stem, end })
    }
}

/// A name that a segment says, as part of a file's name: engines' own names stay as they are.
fn file_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let clean = name.chars().take(32);
    clean.map(|c| if fits(c) { c } else { '_' }).collect()
}

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
