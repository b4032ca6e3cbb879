//! Why the tool could not do what it was asked, and the exit status that says so.

use std::path::PathBuf;
use std::process::ExitCode;

/// What went wrong.
#[derive(Debug)]
pub enum Failure {
    /// Wrong usage or input: exit status 2.
    Input(String),
    /// The process asked for is gone, or may not be looked at: exit status 3.
    Target(String),
    /// The reader of our output has seen enough: no failure at all.
    BrokenPipe,
    /// The user asked for the end; all that there was is printed: exit status 130.
    Interrupted,
    /// Signals cannot be listened for.
    Signals(std::io::Error),
    /// The output cannot be written.
    Output(std::io::Error),
    /// The file asked for cannot be written.
    File(PathBuf, std::io::Error),
    /// The log file cannot be written.
    Log(PathBuf, std::io::Error),
}

impl Failure {
    /// The exit status.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::BrokenPipe => ExitCode::SUCCESS,
            Self::Target(_) => ExitCode::from(3),
            Self::Interrupted => ExitCode::from(crate::interrupt::STATUS),
            Self::Input(_)
            | Self::Output(_)
            | Self::File(..)
            | Self::Log(..)
            | Self::Signals(_) => ExitCode::from(2),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input(text) | Self::Target(text) => f.write_str(text),
            Self::BrokenPipe => f.write_str("the output was closed"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Signals(error) => write!(f, "cannot listen for signals: {error}"),
            Self::Output(error) => write!(f, "cannot write the output: {error}"),
            Self::File(path, error) => write!(f, "cannot write {}: {error}", path.display()),
            Self::Log(path, error) => write!(f, "cannot write the log {}: {error}", path.display()),
        }
    }
}

/// Errors of the output.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::Output(error),
        }
    }
}

/// serde_json writes straight into the output, so its errors are those of the output.
impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        std::io::Error::from(error).into()
    }
}
