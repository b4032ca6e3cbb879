//! Which engine to watch: what the flags name, or what there is to choose from.

use crate::args::Args;
use crate::source::{About, Engine, SegmentSource};
use std::path::PathBuf;
use wq_trace::{FindError, Found, OpenError};

/// Why the tool ends without doing its job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What to tell, as a sentence.
    pub message: String,
    /// The exit status: 2 wrong usage or input, 3 the engine is gone or not permitted.
    pub code: u8,
}

impl Failure {
    /// Wrong usage or input.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 2,
        }
    }

    /// The engine is gone, or not ours to look at.
    pub fn gone(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 3,
        }
    }
}

/// What the flags come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// This segment.
    Segment(PathBuf),
    /// One of these.
    Choice(Vec<Engine>),
    /// One that is not there yet: of this name, or any.
    ToCome(Option<String>),
}

/// Finds what the flags name; several engines are a choice only if `may_ask`.
///
/// # Errors
/// Nothing fits, or several do and nobody can be asked.
pub fn find(args: &Args, may_ask: bool) -> Result<Target, Failure> {
    match wq_trace::find(args.pid, args.engine.as_deref(), args.file.as_deref()) {
        Ok(path) => Ok(Target::Segment(path)),
        Err(FindError::Several { candidates }) if may_ask => {
            Ok(Target::Choice(candidates.into_iter().map(engine).collect()))
        }
        Err(FindError::NoneLive { .. } | FindError::NoneNamed { .. }) if args.follow => {
            Ok(Target::ToCome(args.engine.clone()))
        }
        Err(error) => Err(refused(&error)),
    }
}

fn engine(found: Found) -> Engine {
    Engine {
        pid: found.pid,
        name: found.name,
        exe: found.exe,
        path: found.path,
        about: About::default(),
    }
}

/// What else can be done, a line each.
fn advice(error: &FindError) -> &'static str {
    match error {
        FindError::NoneLive { .. } => {
            "\n  Start a program that builds a wq engine (its segment is there while it runs), or see one at once:\
             \n  wq-monitor --replay SCRIPT     (scripts are in workloads/scripts/)\
             \n  An engine of another user: as that user or root; elsewhere: WQ_RUNTIME_DIR, --pid or --file."
        }
        FindError::NotPermitted { .. } => {
            "\n  Run wq-monitor as the user of that process, or as root. Where /proc hides processes (hidepid), name the \
             segment itself with --file."
        }
        FindError::NoProcess { .. } => {
            "\n  Its segment, if it was left behind: wq-dump list, then --file PATH."
        }
        FindError::NoEngine { .. } | FindError::NoneNamed { .. } => {
            "\n  wq-dump list shows the engines that there are.."
        }
        FindError::Several { .. } => "",
    }
}

fn refused(error: &FindError) -> Failure {
    let message = format!("{error}{}", advice(error));
    match error {
        FindError::NoProcess { .. }
        | FindError::NoEngine { .. }
        | FindError::NotPermitted { .. } => Failure::gone(message),
        FindError::NoneLive { .. } | FindError::Several { .. } | FindError::NoneNamed { .. } => {
            Failure::usage(message)
        }
    }
}

/// Opens a segment or a recording; `events` if they are wanted too. `named` says that a process was asked for, not a file.
///
/// # Errors
/// It cannot be read.
pub fn open(path: &std::path::Path, events: bool, named: bool) -> Result<SegmentSource, Failure> {
    tracing::info!(path = %path.display(), events, "opening the segment");
    SegmentSource::open(path, events).map_err(|error| {
        let advice = match error {
            OpenError::NotPermitted { .. } => {
                "\n  Run wq-monitor as the file's owner (ls -l shows who that is), or as root."
            }
            OpenError::Read { .. } => {
                "\n  It was cut short or damaged after it was written; `wq-dump events --file` may still read a part of it."
            }
            _ => "",
        };
        let message = format!("{error}{advice}");
        match error {
            OpenError::NotPermitted { .. } => Failure::gone(message),
            OpenError::NotThere { .. } if named => Failure::gone(message),
            _ => Failure::usage(message),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_is_gone_is_3_and_a_wrong_one_2() {
        assert_eq!(refused(&FindError::NoProcess { pid: 7 }).code, 3);
        assert_eq!(refused(&FindError::NotPermitted { pid: 7 }).code, 3);
        assert_eq!(
            refused(&FindError::Several {
                candidates: Vec::new()
            })
            .code,
            2
        );
        let none = FindError::NoneLive {
            looked_in: vec!["/run/x".into()],
            dead: Vec::new(),
        };
        assert_eq!(refused(&none).code, 2);
        let said = refused(&none).message;
        assert!(said.contains("/run/x") && said.contains("--replay SCRIPT"));
        let said = refused(&FindError::NotPermitted { pid: 7 }).message;
        assert!(said.contains("as root") && said.contains("hidepid"));
    }
}
