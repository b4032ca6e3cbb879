//! `list` and `gc`: which engines there are, and removing what is left of those that are gone.

use crate::args::Common;
use crate::failure::Failure;
use crate::output::Output;
use crate::style::Style;
use crate::table::{Look, Table};
use std::path::Path;
use wq_trace::{Found, Liveness, Value, clean_text};

/// Longest path that is printed, in bytes.
const PATH_BYTES: usize = 4_096;

/// Prints all engines of this user, for root those of everybody; or those that the flags name.
pub fn run(common: &Common, output: &mut Output) -> Result<(), Failure> {
    // Directories of other users are skipped by the reader unless this is root.
    let mut found = wq_trace::list(true);
    found.retain(|engine| {
        common.pid.is_none_or(|pid| engine.pid == pid)
            && common
                .engine
                .as_ref()
                .is_none_or(|name| engine.name == *name)
            && common.file.as_ref().is_none_or(|file| engine.path == *file)
    });
    if common.json {
        return output.json(&json(&found));
    }
    let style = output.style;
    output.text(&text(&found, style))?;
    let others = wq_trace::other_users();
    if others > 0 {
        let users = if others == 1 {
            "user has"
        } else {
            "users have"
        };
        tracing::warn!("{others} other {users} segments that only root may list");
    }
    Ok(())
}

/// Removes the segments of this user's engines that are gone, and prints which.
pub fn gc(json: bool, output: &mut Output) -> Result<(), Failure> {
    let removed = wq_trace::gc();
    if json {
        let paths = removed.iter().map(|path| Value::Str(shown(path)));
        return output.json(&Value::List(paths.collect()));
    }
    for path in &removed {
        output.text(&format!("removed {}\n", shown(path)))?;
    }
    output.text(&format!("{} removed\n", removed.len()))
}

fn text(found: &[Found], style: Style) -> String {
    if found.is_empty() {
        return "no engines\n".to_owned();
    }
    let mut table = Table::default();
    table.column("PID", false);
    for title in ["NAME", "STATE", "VERSION", "EXE", "PATH"] {
        table.column(title, true);
    }
    for engine in found {
        let state = match engine.state {
            Liveness::Live => Look::Good,
            Liveness::Dead => Look::Alarm,
            Liveness::Ended | Liveness::Unknown | Liveness::Recorded => Look::Quiet,
        };
        let plain = |text: String| (text, Look::Plain);
        table.row(vec![
            plain(engine.pid.to_string()),
            plain(engine.name.clone()),
            (engine.state.word().to_owned(), state),
            plain(version(engine)),
            plain(engine.exe.clone()),
            plain(shown(&engine.path)),
        ]);
    }
    let mut out = table.render(style);
    for problem in found.iter().filter_map(|engine| engine.problem.as_deref()) {
        out += &style.alarm(&clean_text(problem, PATH_BYTES));
        out.push('\n');
    }
    out
}

/// `[{pid,name,exe,state,path,version}]`.
pub fn json(found: &[Found]) -> Value {
    Value::List(found.iter().map(object).collect())
}

fn object(engine: &Found) -> Value {
    let mut fields = vec![
        ("pid", Value::Num(engine.pid.into())),
        ("name", Value::str(&engine.name)),
        ("exe", Value::str(&engine.exe)),
        ("state", Value::str(engine.state.word())),
        ("path", Value::Str(shown(&engine.path))),
        ("version", Value::Str(version(engine))),
    ];
    if let Some(problem) = &engine.problem {
        fields.push(("problem", Value::str(problem)));
    }
    Value::Object(fields)
}

fn version(engine: &Found) -> String {
    match engine.version {
        (0, 0) => "unknown".to_owned(),
        (major, minor) => format!("{major}.{minor}"),
    }
}

/// A path without anything that a terminal would act on.
fn shown(path: &Path) -> String {
    clean_text(&path.to_string_lossy(), PATH_BYTES)
}

/// An engine for tests; one of which nothing is known has a problem.
#[cfg(test)]
pub fn made_up(pid: u32, state: Liveness) -> Found {
    Found {
        pid,
        name: "demo".into(),
        exe: "/usr/bin/demo".into(),
        state,
        path: format!("/run/user/1000/wq/{pid}-demo.wqseg").into(),
        version: (1, 0),
        problem: (state == Liveness::Unknown).then(|| "it is too short".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    fn engine(pid: u32, name: &str, state: Liveness) -> Found {
        Found {
            name: name.into(),
            path: format!("/run/user/1000/wq/{pid}-{name}.wqseg").into(),
            ..made_up(pid, state)
        }
    }

    fn engines() -> Vec<Found> {
        let unreadable = Found {
            version: (0, 0),
            exe: String::new(),
            problem: Some("x.wqseg: not a segment: it \u{1b}[2Jis too short".into()),
            ..engine(7, "odd", Liveness::Unknown)
        };
        vec![
            engine(4700, "demo", Liveness::Live),
            engine(31, "journal.2", Liveness::Dead),
            unreadable,
        ]
    }

    #[test]
    fn engines_stand_in_a_table() {
        insta::assert_snapshot!(text(&engines(), Style::default()));
    }

    #[test]
    fn nothing_reaches_the_terminal_as_a_command() {
        let text = text(&engines(), Style::default());
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn no_engines_is_an_answer() {
        assert_eq!(text(&[], Style::default()), "no engines\n");
    }

    #[test]
    fn engines_in_json() {
        let list = json(&engines());
        insta::assert_snapshot!(serde_json::to_string_pretty(&Json(&list)).expect("JSON"));
    }
}
