//! Workload scripts: TOML text to a checked program with its expectations.
//!
//! The way is text → TOML tree → [`ast`] (typed, with places) → [`check`] (names, ranges) → [`Script`]. Every stage notes
//! what is wrong in one collector and goes on, so that a file's errors come out together.

mod ast;
mod check;
mod check_expect;
mod check_queue;
mod duration;
mod errors;
mod names;
mod rcu;
mod settings;
mod step;
mod table;

pub use errors::{ScriptError, ScriptErrors};

use crate::expect::Expectation;
use errors::Diagnostics;
use names::Names;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use toml::de::DeTable;
use wq_engine::Sensing;
use wq_engine::sim::{Pace, ProducerAction, Program, Step};

/// Most CPUs of a script; the simulator needs no bound, a hostile number must not fill memory.
pub(crate) const MOST_CPUS: usize = 4096;
/// Longest name of a work, producer or lock, in bytes: what events show of it.
const LONGEST_NAME: usize = 63;
/// Largest file that is read, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// A checked script.
#[derive(Clone, Debug)]
pub struct Script {
    /// Where it was read from.
    pub path: PathBuf,
    /// The first sentence of the comment at its head: what it shows.
    pub summary: String,
    /// What it does.
    pub program: Program,
    /// `cpus` was not given, so the program uses all allowed CPUs.
    pub all_cpus: bool,
    /// What must come out, in file order.
    pub expectations: Vec<Expectation>,
}

impl Script {
    /// Whether it says something of the warnings that must come, so that somebody has to look for them.
    pub fn expects_warnings(&self) -> bool {
        let mut measures = self.expectations.iter().map(|e| e.measure);
        measures.any(|measure| measure == crate::expect::Measure::Warning)
    }
}

/// CPUs to use instead of those that a script asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Machine {
    /// So many, whatever topology the script has.
    Cpus(usize),
    /// Those of a topology, checked by `topology`.
    Topology(String),
}

/// Checks a topology that an option gives, such as `2n1l4c2t`.
///
/// # Errors
/// What is right instead, for the user.
pub(crate) fn topology(text: &str) -> Result<String, String> {
    settings::topology_of(text).map(|_| text.to_owned())
}

/// The sensing that a script or an option names.
///
/// # Errors
/// What is right instead, for the user.
pub(crate) fn sensing(word: &str) -> Result<Sensing, String> {
    word.parse().map_err(|_| {
        let words = Sensing::ALL.map(Sensing::word);
        format!(
            "unknown sensing {} (there are {}){}",
            errors::quoted(word),
            words.join(", "),
            errors::did_you_mean(word, words)
        )
    })
}

/// Loads and checks a script file.
///
/// # Errors
/// Everything that is wrong in it, or why it cannot be read.
pub fn load(path: impl AsRef<Path>) -> Result<Script, ScriptErrors> {
    load_for(path.as_ref(), None)
}

/// Loads and checks a script file for another machine than it asks for.
///
/// # Errors
/// As [`load`].
pub fn load_for(path: &Path, machine: Option<&Machine>) -> Result<Script, ScriptErrors> {
    let cannot = |e: std::io::Error| ScriptErrors::whole_file(path, format!("cannot read: {e}"));
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(cannot)?.take(LARGEST_FILE + 1);
    file.read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > LARGEST_FILE {
        let message = format!("larger than {} MiB: no script", LARGEST_FILE >> 20);
        return Err(ScriptErrors::whole_file(path, message));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => parse(text, path, machine),
        Err(e) => {
            let before = String::from_utf8_lossy(&bytes[..e.valid_up_to()]);
            let (line, column) = errors::line_column(&before, before.len());
            let message = format!("not UTF-8 text at line {line}, column {column}");
            Err(ScriptErrors::whole_file(path, message))
        }
    }
}

/// Checks a script's text; `path` is for messages, `machine` overrides what it asks for.
///
/// # Errors
/// Everything that is wrong in it.
pub fn parse(text: &str, path: &Path, machine: Option<&Machine>) -> Result<Script, ScriptErrors> {
    let mut errors = Diagnostics::new(text);
    let (root, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        let span = error.span().unwrap_or(0..0);
        errors.error(&span, "", one_line(error.message()));
    }
    if !syntax.is_empty() {
        // What recovery makes of the rest would only be reported twice.
        errors.finish(path)?;
        return Err(ScriptErrors::whole_file(path, "not TOML".to_owned()));
    }
    let file = ast::read(&root, &mut errors);
    let (topology, asked) = machine_of(&file, machine, &mut errors);
    let used = asked.unwrap_or_else(allowed_cpus).max(1);
    let mut names = Names::of(&file, used);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut program = check::program(&file, &stem, &mut names, &mut errors);
    let expectations = check_expect::all(&file.expects, &names, &mut errors);
    errors.finish(path)?;
    program.locks = names.into_locks();
    program.topology = topology;
    Ok(Script {
        path: path.to_owned(),
        summary: summary(text),
        program,
        all_cpus: asked.is_none(),
        expectations,
    })
}

/// The topology and the number of CPUs that are asked for.
fn machine_of(
    file: &ast::File,
    machine: Option<&Machine>,
    errors: &mut Diagnostics<'_>,
) -> (Option<String>, Option<usize>) {
    let cpus = file.cpus.as_ref();
    let cpus = cpus.and_then(|n| usize::try_from(n.value).ok());
    let own = file.topology.as_ref();
    let of_own = own.and_then(|topology| settings::topology_cpus(topology, cpus, errors));
    match machine {
        Some(Machine::Cpus(cpus)) => (None, Some(*cpus)),
        Some(Machine::Topology(text)) => (Some(text.clone()), settings::topology_of(text).ok()),
        None => (own.map(|own| own.value.clone()), of_own.or(cpus)),
    }
}

impl Script {
    /// The first producer that would call endlessly at one instant of the simulator: back to back for some time, without a
    /// `count` and without a step that takes time.
    pub fn endless_in_simulation(&self) -> Option<&str> {
        let takes_time = |step: &Step| matches!(step, Step::Wait(d) if !duration::is_zero(d));
        let endless = self.program.producers.iter().find(|p| {
            let idle = match &p.action {
                ProducerAction::Works(_) => false,
                ProducerAction::Steps(steps) => steps.iter().any(takes_time),
            };
            p.pace == Pace::BackToBack && p.count.is_none() && !idle
        });
        endless.map(|p| p.name.as_str())
    }
}

/// CPUs that this process may run on.
fn allowed_cpus() -> usize {
    rustix::thread::sched_getaffinity(None).map_or(1, |set| set.count() as usize)
}

/// A parser's message on one line, safe to print.
fn one_line(message: &str) -> String {
    let words = message.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().filter(|c| !c.is_control()).collect()
}

/// The first sentence of the comment at the head of a script.
fn summary(text: &str) -> String {
    let lines = text
        .lines()
        .map_while(|line| line.strip_prefix('#'))
        .map(str::trim);
    let paragraph: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    let paragraph = paragraph.join(" ");
    let end = paragraph.find(". ").unwrap_or(paragraph.len());
    let sentence = paragraph[..end].trim_end_matches('.');
    sentence.chars().filter(|c| !c.is_control()).collect()
}
