//! The manual page, from the tables that the help and the program itself use.

use crate::app::View;
use crate::args::Args;
use crate::help;
use crate::input::KEYS;
use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::io::{self, Write};
use wq_trace::query;

/// A word and what it means.
pub type Explained = (&'static str, &'static str);

/// What the environment changes.
pub const ENVIRONMENT: &[Explained] = &[
    (
        "NO_COLOR",
        "When not empty: no colours, unless --color says otherwise.",
    ),
    (
        "COLORFGBG",
        "The terminal's colours, as `15;0`: --theme auto takes the background from it.",
    ),
    (
        "LC_ALL, LC_CTYPE, LANG",
        "The first one that is set: where it is not UTF-8, --ascii auto draws with ASCII alone.",
    ),
    ("TERM", "dumb: no colours."),
    (
        "WQ_RUNTIME_DIR",
        "The directory of segments, instead of those where engines put them by themselves.",
    ),
    (
        "WQ_SENSING",
        "For --replay: how blocking is noticed, where the script does not say it.",
    ),
    (
        "RUST_LOG",
        "What --log writes, as in `debug` or `wq_monitor=trace`.",
    ),
];

/// What the exit status means.
pub const EXIT: &[Explained] = &[
    ("0", "fine; also when nobody reads the output any more"),
    ("1", "--check found what is denied"),
    ("2", "wrong usage or input"),
    ("3", "the engine is gone, or it is not permitted to look"),
    ("130", "interrupted"),
    ("128+N", "ended by signal N"),
];

/// How a query is written.
const QUERIES: &str = "A query is terms with spaces between them, all of which must hold. A `-` before a term turns it \
    round, a word alone is a part of the name. `key:pattern` (with * and ?) and `key~regex` are for words, > >= < <= = for \
    numbers (2k), times (5ms), rates (1000/s) and shares (10%); quotes hold spaces together. The keys:";

/// Writes the page as roff.
///
/// # Errors
/// Nobody reads it.
pub fn write(out: &mut dyn Write) -> io::Result<()> {
    // The exit status has a section of its own.
    let command = Args::command().after_help("").after_long_help("");
    let man = Man::new(command).manual("wq");
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    let mut page = Roff::new();
    let keys = KEYS
        .iter()
        .map(|key| (key.shown.to_owned(), key.help.to_owned()));
    section(&mut page, "KEYS", "", keys);
    for view in View::ALL {
        let columns = help::columns(view).into_iter();
        let columns = columns.map(|column| (column.name.clone(), column.text()));
        let title = format!("COLUMNS OF {}", view.title().to_uppercase());
        section(&mut page, &title, view.question(), columns);
    }
    let keys = query::keys().iter();
    let keys = keys.map(|key| (key.name.to_owned(), key.help.to_owned()));
    section(&mut page, "QUERIES", QUERIES, keys);
    section(&mut page, "ENVIRONMENT", "", owned(ENVIRONMENT));
    section(&mut page, "EXIT STATUS", "", owned(EXIT));
    page.control("SH", ["SEE ALSO"]);
    page.text([
        bold("wq-dump"),
        roman("(1), "),
        bold("wq-replay"),
        roman("(1)"),
    ]);
    page.to_writer(out)
}

fn owned(table: &[Explained]) -> impl Iterator<Item = (String, String)> {
    table
        .iter()
        .map(|(word, means)| ((*word).to_owned(), (*means).to_owned()))
}

/// A heading, a sentence if there is one, and words with what they mean.
fn section(
    page: &mut Roff,
    title: &str,
    sentence: &str,
    entries: impl Iterator<Item = (String, String)>,
) {
    page.control("SH", [title]);
    if !sentence.is_empty() {
        page.text([roman(sentence)]);
    }
    for (word, means) in entries {
        page.control("TP", []);
        page.text([bold(word)]);
        page.text([roman(means)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> String {
        let mut page = Vec::new();
        write(&mut page).unwrap();
        String::from_utf8(page).unwrap()
    }

    /// As roff has it: hyphens that are to stay ones.
    fn quoted(text: &str) -> String {
        let text = text.replace('\\', "\\\\").replace('-', "\\-");
        text.replace('\'', "\\*(Aq")
    }

    #[test]
    fn everything_that_can_be_said_is_in_it() {
        let page = page();
        for key in KEYS {
            assert!(page.contains(&quoted(key.help)), "{}", key.help);
        }
        for key in query::keys() {
            assert!(page.contains(&quoted(key.help)), "{}", key.name);
        }
        for view in View::ALL {
            for column in help::columns(view) {
                assert!(page.contains(&quoted(&column.text())), "{}", column.key);
            }
        }
        for (word, means) in ENVIRONMENT.iter().chain(EXIT) {
            assert!(
                page.contains(&quoted(word)) && page.contains(&quoted(means)),
                "{word}"
            );
        }
        for flag in Args::command()
            .get_arguments()
            .filter(|flag| !flag.is_hide_set())
        {
            let Some(long) = flag.get_long() else {
                continue;
            };
            assert!(page.contains(&quoted(&format!("--{long}"))), "--{long}");
        }
    }

    #[test]
    fn no_line_of_text_is_taken_for_a_request() {
        const KNOWN: [&str; 10] = [
            ".SH", ".TP", ".TH", ".ie", ".el", ".br", ".RS", ".IP", ".RE", ".PP",
        ];
        for line in page().lines().filter(|line| line.starts_with('.')) {
            let request = line.split(' ').next().unwrap();
            assert!(KNOWN.contains(&request), "{line}");
        }
    }
}
