//! Which engine to watch: what the flags name, or what there is to choose from.

use crate::args::Args;
use crate::source::{Engine, SegmentSource};
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
    }
}

fn refused(error: &FindError) -> Failure {
    let message = error.to_string();
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
    SegmentSource::open(path, events).map_err(|error| match error {
        OpenError::NotPermitted { .. } => Failure::gone(error.to_string()),
        OpenError::NotThere { .. } if named => Failure::gone(error.to_string()),
        _ => Failure::usage(error.to_string()),
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
        assert!(refused(&none).message.contains("/run/x"));
    }
}
