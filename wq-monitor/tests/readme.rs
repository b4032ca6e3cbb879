//! The README says what the program does: its keys, columns and flags are those of the code.

use clap::CommandFactory;
use std::fmt::Write;
use wq_monitor::app::View;
use wq_monitor::args::Args;
use wq_monitor::help;
use wq_monitor::input::KEYS;
use wq_monitor::typing::TYPING;
use wq_trace::query::Query;
use wq_trace::warn::{LINTS, Settings};

const README: &str = include_str!("../README.md");

/// A table row; a bar inside a cell is escaped.
fn row(text: &mut String, name: &str, help: &str) {
    writeln!(text, "| `{name}` | {} |", help.replace('|', "\\|")).unwrap();
}

#[track_caller]
fn contains(table: &str) {
    assert!(README.contains(table), "put this into README.md:\n{table}");
}

#[test]
fn warnings() {
    let mut table = "| warning | | says that | from |\n|---|---|---|---|\n".to_owned();
    for lint in LINTS {
        let from = lint.threshold_text(&Settings::default());
        let (level, help) = (lint.level.word(), lint.help);
        writeln!(table, "| `{}` | {level} | {help} | {from} |", lint.name).unwrap();
    }
    contains(&table);
}

#[test]
fn keys() {
    let mut table = "| key | what it does |\n|---|---|\n".to_owned();
    KEYS.iter()
        .for_each(|binding| row(&mut table, binding.shown, binding.help));
    contains(&table);
}

#[test]
fn keys_while_a_query_is_typed() {
    let mut table = "| key while typing | what it does |\n|---|---|\n".to_owned();
    let said = TYPING.iter().filter(|key| !key.help.is_empty());
    said.for_each(|key| row(&mut table, key.shown, key.help));
    contains(&table);
}

#[test]
fn terms_of_a_query_are_right_and_found_here() {
    let mut table = "| term | finds |\n|---|---|\n".to_owned();
    for (term, help) in help::QUERIES {
        assert!(term.parse::<Query>().is_ok(), "{term}");
        row(&mut table, &term.replace('|', "\\|"), help);
    }
    contains(&table);
}

#[test]
fn columns() {
    for view in View::ALL {
        let mut table = format!("| column of {} | meaning |\n|---|---|\n", view.title());
        let usual = help::columns(view)
            .into_iter()
            .filter(|column| column.usual);
        usual.for_each(|column| row(&mut table, &column.name, &column.text()));
        contains(&table);
    }
}

#[test]
fn views() {
    let mut table = "| key | view | answers |\n|---|---|---|\n".to_owned();
    for view in View::ALL {
        let (_, question) = view.question().split_once(": ").unwrap();
        writeln!(
            table,
            "| `{}` | {} | {question} |",
            view.digit(),
            view.title()
        )
        .unwrap();
    }
    contains(&table);
}

#[test]
fn flags() {
    for flag in Args::command().get_arguments() {
        let Some(long) = flag.get_long() else {
            continue;
        };
        assert!(
            README.contains(&format!("`--{long}")) || README.contains(&format!("/`--{long}")),
            "--{long}"
        );
    }
}

#[test]
fn environment() {
    let mut table = "| variable | what it changes |\n|---|---|\n".to_owned();
    for (name, help) in wq_monitor::manual::ENVIRONMENT {
        row(&mut table, name, help);
    }
    contains(&table);
}
