//! What the tool itself has to say: to a file, or with RUST_LOG to stderr; never to stdout.

use crate::failure::Failure;
use std::fs::File;
use std::path::Path;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Starts logging: into `file` if one is named, else to stderr what RUST_LOG asks for and warnings.
pub fn start(file: Option<&Path>) -> Result<(), Failure> {
    let level = if file.is_some() {
        LevelFilter::DEBUG
    } else {
        LevelFilter::WARN
    };
    let filter = EnvFilter::builder()
        .with_default_directive(level.into())
        .from_env_lossy();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false);
    match file {
        Some(path) => {
            let file = File::options().create(true).append(true).open(path);
            let file = file.map_err(|error| Failure::Log(path.into(), error))?;
            builder.with_writer(file).init();
        }
        None => builder.with_writer(std::io::stderr).init(),
    }
    Ok(())
}
