//! `list`: the scripts of a folder and what they show.

use super::{Cli, CliError, EXIT_FINE};
use crate::report::Table;
use crate::style::Style;
use crate::units::count;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Prints the table of a folder's scripts.
pub(super) fn list(cli: &Cli, folder: Option<&Path>) -> Result<u8, CliError> {
    let folder = folder.map_or_else(default_folder, Path::to_owned);
    let scripts = scripts_in(&folder).map_err(|source| CliError::Io {
        what: format!("cannot list {}", folder.display()),
        source,
    })?;
    let header = ["script", "cpus", "name", "what it shows"].map(str::to_owned);
    let mut rows = vec![header.to_vec()];
    rows.extend(scripts.iter().map(|path| row(path)));
    let mut stdout = io::stdout().lock();
    let style = Style::for_stream(cli.color, &stdout);
    let lines = Table::left(rows, 4).lines();
    for (i, line) in lines.iter().enumerate() {
        let line = if i == 0 {
            style.faint(line)
        } else {
            line.clone()
        };
        writeln!(stdout, "{line}")?;
    }
    stdout.flush()?;
    Ok(EXIT_FINE)
}

fn row(path: &Path) -> Vec<String> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    match crate::load(path) {
        Ok(script) => {
            let cpus = if script.all_cpus {
                "all".to_owned()
            } else {
                script.program.cpus.to_string()
            };
            vec![file.into_owned(), cpus, script.program.name, script.summary]
        }
        Err(errors) => {
            let count = count((errors.errors.len() + errors.more) as u64, "error");
            let hint = format!("({count}; `wq-replay check` shows them)");
            vec![file.into_owned(), "-".to_owned(), "-".to_owned(), hint]
        }
    }
}

/// The `.toml` files of a folder, by name.
fn scripts_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut scripts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("toml")) && path.is_file() {
            scripts.push(path);
        }
    }
    scripts.sort();
    Ok(scripts)
}

/// `workloads/scripts` from here; elsewhere the folder that this binary was built from.
fn default_folder() -> PathBuf {
    let here = PathBuf::from("workloads/scripts");
    if here.is_dir() {
        here
    } else {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts")
    }
}
