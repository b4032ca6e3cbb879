//! The real binary: output, exit codes, broken pipes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn replay(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wq-replay"));
    command
        .args(args)
        .env_remove("RUST_LOG")
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

fn output(args: &[&str]) -> Output {
    replay(args).output().expect("runs")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("text")
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("text")
}

fn script(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("s.toml");
    std::fs::write(&path, text).expect("written");
    path
}

#[test]
fn check_says_ok_with_counts() {
    let done = output(&[
        "check",
        "scripts/kernel-doc-cmwq.toml",
        "scripts/ordered.toml",
    ]);
    assert_eq!(done.status.code(), Some(0));
    assert_eq!(
        stdout(&done),
        "ok  scripts/kernel-doc-cmwq.toml  (kernel doc: cmwq, 1 workqueue, 3 works, 1 producer)\n\
         ok  scripts/ordered.toml  (ordered, 2 workqueues, 2 works, 2 producers)\n"
    );
    assert_eq!(stderr(&done), "");
}

#[test]
fn check_tells_all_errors_of_all_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let bad = script(folder.path(), "cpus = 0\nsede = 1\n");
    let bad = bad.to_str().expect("plain");
    let done = output(&["check", bad, "/nonexistent.toml", "scripts/ordered.toml"]);
    assert_eq!(done.status.code(), Some(2));
    assert_eq!(
        stderr(&done),
        format!(
            "error: {bad}:1:8: cpus: expected a whole number from 1 to 4096, found `0`\n\
             error: {bad}:2:1: unknown key `sede` (keys: name, cpus, seed, topology, engine, workqueue, work, \
             producer, expect); did you mean `seed`?\n\
             error: /nonexistent.toml: cannot read: No such file or directory (os error 2)\n"
        )
    );
    assert!(stdout(&done).starts_with("ok  scripts/ordered.toml"));
}

#[test]
fn check_refuses_folders_and_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("b.toml");
    std::fs::write(&path, b"name = \"x\"\n# \xff\n").expect("written");
    let path = path.to_str().expect("plain");
    let done = output(&["check", path, "scripts"]);
    assert_eq!(done.status.code(), Some(2));
    assert_eq!(
        stderr(&done),
        format!(
            "error: {path}: not UTF-8 text at line 2, column 3\n\
             error: scripts: cannot read: Is a directory (os error 21)\n"
        )
    );
}

#[test]
fn list_shows_name_cpus_and_purpose() {
    let done = output(&["list"]);
    assert_eq!(done.status.code(), Some(0));
    let text = stdout(&done);
    let scripts = [
        concat!(env!("CARGO_MANIFEST_DIR"), "/scripts"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/waits"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/warnings"),
    ];
    let entries = scripts.map(|folder| std::fs::read_dir(folder).expect("the folder is there"));
    let paths = entries
        .into_iter()
        .flatten()
        .map(|e| e.expect("readable").path());
    let shipped = paths.filter(|path| path.is_file()).count();
    assert_eq!(text.lines().count(), 2 * shipped);
    assert!(text.contains("\nwaits/part-self.toml "), "{text}");
    let mut lines = text.lines().skip_while(|l| !l.starts_with("ordered.toml "));
    let head = lines.next().expect("it is listed");
    let columns: Vec<&str> = head.split("  ").filter(|c| !c.is_empty()).collect();
    assert_eq!(
        columns.iter().map(|c| c.trim()).collect::<Vec<_>>(),
        ["ordered.toml", "2 CPUs", "ordered"]
    );
    let shows = lines.next().expect("what it shows");
    assert!(
        shows.starts_with("    An ordered workqueue runs one item at a time"),
        "{shows}"
    );
    let folder = tempfile::tempdir().expect("a folder");
    script(folder.path(), "nmae = 1\n");
    let done = output(&["list", folder.path().to_str().expect("plain")]);
    assert_eq!(done.status.code(), Some(0));
    assert!(stdout(&done).contains("s.toml\n    (1 error; `wq-replay check` shows them)"));
    let done = output(&["list", "/nonexistent"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(stderr(&done).starts_with("error: cannot list /nonexistent: "));
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [
        &[][..],
        &["check"],
        &["chekc", "x"],
        &["check", "x", "--color", "red"],
    ] {
        let done = output(args);
        assert_eq!(done.status.code(), Some(2), "{args:?}");
        assert!(!stderr(&done).is_empty(), "{args:?}");
    }
    assert_eq!(output(&["--help"]).status.code(), Some(0));
    assert_eq!(output(&["--version"]).status.code(), Some(0));
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = output(&["completions", shell]);
        assert_eq!(done.status.code(), Some(0));
        assert!(stdout(&done).contains("wq-replay"), "{shell}");
    }
}

#[test]
fn a_closed_pipe_is_no_failure() {
    for args in [
        &["list"][..],
        &["completions", "bash"],
        &["check", "scripts/ordered.toml"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let done = replay(args)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .expect("runs");
        assert_eq!(done.status.code(), Some(0), "{args:?}");
        assert_eq!(stderr(&done), "", "{args:?}");
    }
}

#[test]
fn colour_when_asked() {
    let check = ["check", "scripts/ordered.toml", "--color"];
    let with = |choice| output(&[&check[..], &[choice]].concat());
    assert!(stdout(&with("always")).starts_with("\u{1b}[32mok\u{1b}[0m  "));
    assert!(stdout(&with("never")).starts_with("ok  "));
    assert!(
        stdout(&with("auto")).starts_with("ok  "),
        "a pipe is no terminal"
    );
}

#[test]
fn logging_goes_to_its_file_and_bad_filters_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let log_arg = log.to_str().expect("plain");
    let done = output(&["list", "--log", log_arg]);
    assert_eq!(done.status.code(), Some(0));
    assert!(log.exists());
    let done = output(&["list", "--log", "/nonexistent/log"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(stderr(&done).starts_with("error: cannot write the log /nonexistent/log: "));
    let done = replay(&["list"])
        .env("RUST_LOG", "wq=loud=er")
        .output()
        .expect("runs");
    assert_eq!(done.status.code(), Some(2));
    assert!(stderr(&done).starts_with("error: RUST_LOG=\"wq=loud=er\": "));
}

#[test]
fn a_script_for_more_cpus_than_there_are_runs_with_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "cpus = 4096\n[[work]]\nname = \"w\"\nworkqueue = \"events\"\n\
                [[producer]]\nname = \"p\"\nworks = [\"w\"]\n[[expect]]\nwork = \"w\"\nexecutions = 1\n";
    let path = script(folder.path(), text);
    let done = replay(&["run", path.to_str().expect("plain")])
        .env("WQ_RUNTIME_DIR", folder.path())
        .output()
        .expect("runs");
    assert_eq!(done.status.code(), Some(0));
    let warning = stderr(&done);
    let start = " WARN the script asks for 4096 CPUs, but only ";
    assert!(warning.starts_with(start), "{warning:?}");
    assert_eq!(warning.lines().count(), 1, "{warning}");
}
