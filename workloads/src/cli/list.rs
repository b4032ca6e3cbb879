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
    let entries: Vec<Entry> = scripts
        .iter()
        .map(|path| Entry::of(path, &folder))
        .collect();
    let heads = entries.iter().map(|e| e.head.to_vec()).collect();
    let mut stdout = io::stdout().lock();
    let style = Style::for_stream(cli.color, &stdout);
    for (entry, head) in entries.iter().zip(Table::left(heads, 3).lines()) {
        writeln!(stdout, "{}\n    {}", style.heading(&head), entry.shows)?;
    }
    stdout.flush()?;
    Ok(EXIT_FINE)
}

/// What is said of one script.
struct Entry {
    /// File, CPUs and name, in columns.
    head: [String; 3],
    /// What it shows, on a line of its own.
    shows: String,
}

impl Entry {
    fn of(path: &Path, folder: &Path) -> Self {
        let file = path.strip_prefix(folder).unwrap_or(path);
        let file = file.to_string_lossy().into_owned();
        match crate::load(path) {
            Ok(script) => {
                let cpus = if script.all_cpus {
                    "all CPUs".to_owned()
                } else {
                    count(script.program.cpus as u64, "CPU")
                };
                Self {
                    head: [file, cpus, script.program.name],
                    shows: script.summary,
                }
            }
            Err(errors) => {
                let errors = count((errors.errors.len() + errors.more) as u64, "error");
                Self {
                    head: [file, String::new(), String::new()],
                    shows: format!("({errors}; `wq-replay check` shows them)"),
                }
            }
        }
    }
}

/// The `.toml` files of a folder, by name, and after them those of the folders in it.
fn scripts_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut scripts, mut folders) = (toml_files(folder)?, Vec::new());
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // A link may lead anywhere.
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    for folder in folders {
        // One that cannot be read is not worth the whole list.
        scripts.extend(toml_files(&folder).unwrap_or_default());
    }
    Ok(scripts)
}

fn toml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("toml")) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
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
