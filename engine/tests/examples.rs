//! The examples do what they say: each is run as its user would run it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Only a hang takes longer.
const LONG: Duration = Duration::from_secs(60);

/// Where the examples are. `cargo test` has built them, unless it was asked for this test alone.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let test = std::env::current_exe().expect("a test has an executable");
        let profile = test.parent().and_then(Path::parent).expect("target/debug");
        let folder = profile.join("examples");
        if !folder.join("shutdown").exists() {
            let mut build = Command::new(env!("CARGO"));
            build
                .args(["build", "--examples", "-p", "wq-engine"])
                .arg("--target-dir")
                .arg(profile.parent().expect("target"))
                .current_dir(env!("CARGO_MANIFEST_DIR"));
            if profile.ends_with("release") {
                build.arg("--release");
            }
            assert!(build.status().expect("cargo runs").success());
        }
        folder
    })
}

/// An example whose segments stand in a folder of the test's own.
fn example(name: &str, args: &[&str], runtime: &Path) -> Command {
    let mut command = Command::new(folder().join(name));
    command
        .args(args)
        .env("WQ_RUNTIME_DIR", runtime)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[track_caller]
fn finished(command: &mut Command) -> Output {
    command.output().expect("the example runs")
}

#[track_caller]
fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// FNV-1a of nothing and of `a`, as its authors publish them.
const HASH_OF_NOTHING: &str = "cbf29ce484222325";
const HASH_OF_A: &str = "af63dc4c8601ec8c";

#[test]
fn hash_dir_hashes_what_is_below_and_sorts_it() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("tree");
    fs::create_dir_all(dir.join("sub/deeper")).unwrap();
    fs::write(dir.join("z"), "a").unwrap();
    fs::write(dir.join("sub/empty"), "").unwrap();
    fs::write(dir.join("sub/deeper/big"), vec![b'a'; 1 << 20]).unwrap();
    std::os::unix::fs::symlink(&dir, dir.join("sub/round")).unwrap();
    let shown = dir.to_str().unwrap();
    let output = finished(&mut example("hash_dir", &[shown], place.path()));
    assert_code(&output, 0);
    let text = stdout(&output);
    let lines: Vec<_> = text.lines().map(|line| line.split_at(18)).collect();
    let path = |name: &str| format!("{shown}/{name}");
    let paths: Vec<_> = lines.iter().map(|(_, path)| *path).collect();
    assert_eq!(
        paths,
        [path("sub/deeper/big"), path("sub/empty"), path("z")]
    );
    assert_eq!(lines[1].0.trim(), HASH_OF_NOTHING);
    assert_eq!(lines[2].0.trim(), HASH_OF_A);
    assert_eq!(stderr(&output), "", "no progress but on a terminal");
}

/// A directory with a file that cannot be read; `None` where there is none for such a mighty user.
fn with_an_unreadable_file(place: &Path) -> Option<PathBuf> {
    let dir = place.join("tree");
    let locked = dir.join("locked");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("good"), "a").unwrap();
    fs::write(&locked, "b").unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o0)).unwrap();
    if fs::read(&locked).is_err() {
        return Some(dir);
    }
    // Root may open everything, but what can only be written has nothing to read.
    let write_only = Path::new("/sys/bus/cpu");
    let cannot = write_only.join("uevent").exists() && fs::read(write_only.join("uevent")).is_err();
    cannot.then(|| write_only.to_owned())
}

#[test]
fn hash_dir_tells_what_it_cannot_read_and_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let Some(dir) = with_an_unreadable_file(place.path()) else {
        println!("skipped: this user can read everything");
        return;
    };
    let shown = dir.to_str().unwrap();
    let output = finished(&mut example("hash_dir", &[shown], place.path()));
    assert_code(&output, 1);
    assert!(stderr(&output).starts_with(&format!("hash_dir: {shown}/")));
    assert!(stdout(&output).lines().count() >= 1, "the rest is printed");
}

#[test]
fn hash_dir_refuses_what_is_no_directory() {
    let place = tempfile::tempdir().unwrap();
    for args in [&["/dev/null"][..], &["/nowhere/at/all"], &["a", "b"], &[]] {
        let output = finished(&mut example("hash_dir", args, place.path()));
        assert_code(&output, 2);
        assert!(!stderr(&output).is_empty() && output.stdout.is_empty());
    }
}

#[test]
fn retry_queue_delivers_all_when_the_server_comes_back() {
    let place = tempfile::tempdir().unwrap();
    let output = finished(&mut example(
        "retry_queue",
        &["5", "100", "60000"],
        place.path(),
    ));
    assert_code(&output, 0);
    let text = stdout(&output);
    let attempts: u32 = text
        .strip_prefix("5 delivered in ")
        .and_then(|rest| rest.strip_suffix(" attempts\n"))
        .and_then(|attempts| attempts.parse().ok())
        .unwrap_or_else(|| panic!("{text}"));
    assert!(attempts >= 5, "{text}");
}

#[test]
fn retry_queue_leaves_nothing_running_when_patience_is_over() {
    let place = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let args = ["3", "3600000", "150"];
    let output = finished(&mut example("retry_queue", &args, place.path()));
    assert_code(&output, 1);
    let text = stdout(&output);
    assert!(text.contains("not delivered: [0, 1, 2]"), "{text}");
    assert!(begun.elapsed() < LONG, "no timer is waited for");
    let output = finished(&mut example("retry_queue", &["many"], place.path()));
    assert_code(&output, 2);
}

/// Gives `input` to a running `shutdown`.
fn shutdown_with(input: &str, place: &Path) -> (Child, ChildStdin) {
    let mut command = example("shutdown", &[], place);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).unwrap();
    (child, stdin)
}

#[test]
fn shutdown_stores_all_that_was_accepted() {
    let place = tempfile::tempdir().unwrap();
    let lines: String = (0..500).map(|i| format!("line {i}\n")).collect();
    let (child, stdin) = shutdown_with(&lines, place.path());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_code(&output, 0);
    assert_eq!(stdout(&output), lines, "in order");
    assert!(stderr(&output).ends_with("500 stored\n"), "{output:?}");
}

#[test]
fn shutdown_ends_as_well_by_a_signal() {
    let place = tempfile::tempdir().unwrap();
    let (mut child, stdin) = shutdown_with("first\n", place.path());
    let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = String::new();
    // It listens for signals before it reads lines.
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "first\n");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_code(&output, 0);
    assert!(stderr(&output).contains("stopping because of a signal"));
    drop(stdin);
}

#[test]
fn shutdown_does_not_wait_for_ever_for_background_work() {
    let place = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let (child, stdin) = shutdown_with("slow 3600000\nkept\n", place.path());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_code(&output, 1);
    assert_eq!(stdout(&output), "kept\n");
    assert!(stderr(&output).contains("events_long"), "{output:?}");
    assert!(begun.elapsed() < LONG);
}
