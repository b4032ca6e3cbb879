//! Log messages of the engine and of this tool: `RUST_LOG` says which, `--log` where to.

use super::CliError;
use crate::style::{ColorChoice, Style};
use std::fs::File;
use std::path::Path;
use std::sync::Mutex;
use tracing_subscriber::EnvFilter;

/// Starts logging: warnings to standard error, or more to a file.
pub(super) fn init(file: Option<&Path>, color: ColorChoice) -> Result<(), CliError> {
    let default = if file.is_some() { "info" } else { "warn" };
    let filter = match std::env::var(EnvFilter::DEFAULT_ENV) {
        Ok(text) if !text.is_empty() => EnvFilter::try_new(&text)
            .map_err(|e| CliError::Input(format!("RUST_LOG={text:?}: {e}")))?,
        _ => EnvFilter::new(default),
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter);
    let Some(path) = file else {
        // For people: the file has times and places.
        let colored = Style::for_stream(color, &std::io::stderr()).is_colored();
        let short = subscriber.without_time().with_target(false);
        return started(
            short
                .with_ansi(colored)
                .with_writer(std::io::stderr)
                .try_init(),
        );
    };
    let log = File::options().create(true).append(true).open(path);
    let log = log.map_err(|source| CliError::Io {
        what: format!("cannot write the log {}", path.display()),
        source,
    })?;
    started(
        subscriber
            .with_ansi(false)
            .with_writer(Mutex::new(log))
            .try_init(),
    )
}

fn started<E: std::fmt::Display>(logging: Result<(), E>) -> Result<(), CliError> {
    logging.map_err(|e| CliError::Input(format!("cannot start logging: {e}")))
}
