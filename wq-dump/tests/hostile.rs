//! Files that somebody planted or damaged: no command hangs, panics, takes memory without bound, believes a field or
//! hands an escape sequence to the terminal.

mod common;

use common::{Engine, Place, Run};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Command;

/// Virtual memory that a command may have, in KiB: far more than it needs, far less than a hostile file asks for.
const MEMORY_KIB: u32 = 4 << 20;

/// Runs the binary with bounded memory.
fn bounded(place: &Place, args: &[&str]) -> Run {
    let mut sh = Command::new("sh");
    let script = format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"");
    sh.args(["-c", &script, env!("CARGO_BIN_EXE_wq-dump")])
        .args(args);
    sh.env("WQ_RUNTIME_DIR", place.path())
        .env_remove("RUST_LOG");
    Run(sh.output().expect("sh runs"))
}

/// The last one looks at what seems to run for a while: here not for long.
const COMMANDS: [&[&str]; 5] = [
    &["config"],
    &["state"],
    &["stats"],
    &["events"],
    &["warnings", "--for", "1ms"],
];

/// A file with these bytes, read by every command in both forms: good, or refused.
#[track_caller]
fn survives(place: &Place, bytes: &[u8], what: &str) {
    let path = place.path().join("hostile");
    std::fs::write(&path, bytes).expect("a file");
    let file = path.to_str().expect("UTF-8");
    for command in COMMANDS {
        for form in ["--color=never", "--json"] {
            let run = bounded(place, &[command, &[form, "--file", file]].concat());
            let said = format!("{what}: {command:?} {form}: {}", run.stderr());
            assert!(matches!(run.code(), Some(0 | 2)), "{said}");
            assert!(!run.stderr().contains("panicked"), "{said}");
            is_plain(run.stdout(), &said);
            is_plain(run.stderr(), &said);
        }
    }
}

/// Nothing that a terminal would act on.
#[track_caller]
fn is_plain(text: &str, what: &str) {
    let bad = text.chars().find(|&c| c.is_control() && c != '\n');
    assert!(bad.is_none(), "{what}: {bad:?} in {text:?}");
}

fn real(place: &Place) -> (Engine, Vec<u8>) {
    let mut engine = Engine::start(place, "demo");
    engine.work(9);
    let bytes = std::fs::read(&engine.path).expect("the segment");
    (engine, bytes)
}

/// A seeded sequence of numbers: xorshift.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        for shift in [13_i32, -7, 17] {
            self.0 ^= match shift {
                0.. => self.0 << shift,
                _ => self.0 >> -shift,
            };
        }
        (self.0 % n as u64) as usize
    }
}

#[test]
fn random_changes_of_a_real_segment() {
    let place = Place::new();
    let (_engine, bytes) = real(&place);
    let mut numbers = Numbers(0x5eed);
    for round in 0..30 {
        let mut changed = bytes.clone();
        for _ in 0..=numbers.below(20) {
            // Half of them where they reach furthest: head and directory.
            let words = [changed.len() / 8, 192][numbers.below(2)];
            let at = numbers.below(words) * 8;
            let value = numbers.0.rotate_left(21) >> numbers.below(64);
            changed[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        survives(&place, &changed, &format!("round {round}"));
    }
}

#[test]
fn escape_sequences_in_names_never_come_out() {
    let place = Place::new();
    let (_engine, mut bytes) = real(&place);
    let evil: [(&[u8], &[u8]); 3] = [
        (b"mixed\0", b"\x1b[2Jm\0"),
        (b"flush_cache\0", b"\x1b]0;titles\x07\0"),
        (b"kworker/0:0\0", b"\x9b31mx\n\r\x08\x7f\xe2\x80\0"),
    ];
    for (good, evil) in evil {
        assert_eq!(good.len(), evil.len());
        let places: Vec<_> = (0..bytes.len() - good.len())
            .filter(|&at| bytes[at..].starts_with(good))
            .collect();
        assert!(!places.is_empty(), "{good:?}");
        for at in places {
            bytes[at..at + evil.len()].copy_from_slice(evil);
        }
    }
    survives(&place, &bytes, "names");
    let file = place.path().join("hostile");
    let run = place.run(&["state", "--file", file.to_str().expect("UTF-8")]);
    assert!(
        run.good().contains("workqueue _[2Jm: flags="),
        "{}",
        run.stdout()
    );
}

/// Named like segments, and something else.
#[test]
fn what_is_no_regular_file_is_neither_waited_for_nor_followed() {
    let place = Place::new();
    let (engine, _) = real(&place);
    let at = |name: &str| place.path().join(name);
    rustix::fs::mkfifoat(rustix::fs::CWD, at("1-fifo.wqseg"), rustix::fs::Mode::RUSR)
        .expect("a FIFO");
    symlink(&engine.path, at("2-link.wqseg")).expect("a link");
    symlink("/dev/zero", at("3-zero.wqseg")).expect("a link");
    std::fs::create_dir(at("4-dir.wqseg")).expect("a directory");
    let _socket = std::os::unix::net::UnixListener::bind(at("5-socket.wqseg")).expect("a socket");
    let list = place.run(&["list", "--json"]).json();
    let problems = list.as_array().expect("a list").iter();
    let problems: Vec<_> = problems
        .filter(|engine| engine["problem"].is_string())
        .collect();
    assert_eq!(problems.len(), 5, "{list:#}");
    assert!(
        problems.iter().all(|engine| engine["state"] == "unknown"),
        "{list:#}"
    );
    for name in ["1-fifo", "2-link", "3-zero", "4-dir", "5-socket"] {
        let path = at(&format!("{name}.wqseg"));
        let file = path.to_str().expect("UTF-8");
        for command in COMMANDS {
            let run = place.run(&[command, &["--file", file]].concat());
            assert!(run.bad(2).contains(file), "{}", run.stderr());
        }
    }
    // The real one is still the only live engine.
    assert!(place.run(&["stats"]).good().contains("mixed"));
    let gone = place.run(&["gc"]);
    assert!(
        gone.good().ends_with("0 removed\n"),
        "just made: {}",
        gone.stdout()
    );
}

/// Who may read everything must not believe what one user says of another one's process.
#[test]
fn root_does_not_believe_another_users_file() {
    let place = Place::new();
    let (engine, _) = real(&place);
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root may give files away");
        return;
    }
    let state = || {
        let list = place.run(&["list", "--json"]).json();
        let engine = &list[0];
        let problem = engine["problem"].as_str().unwrap_or_default().to_owned();
        (
            engine["state"].as_str().expect("a state").to_owned(),
            problem,
        )
    };
    assert_eq!(state(), ("live".to_owned(), String::new()));
    give(&engine.path);
    let (said, problem) = state();
    assert!(
        said == "unknown" && problem.contains("its directory to user 0"),
        "{said}: {problem}"
    );
    // A directory of that user, who says that a process of root's has an engine.
    give(place.path());
    let (said, problem) = state();
    assert!(
        said == "unknown" && problem.contains("to another one"),
        "{said}: {problem}"
    );
    assert!(place.run(&["stats"]).bad(2).contains("no live engine"));
    // Whoever names the file knows what he does.
    let file = engine.path.to_str().expect("UTF-8");
    assert!(
        place
            .run(&["stats", "--file", file])
            .good()
            .contains("mixed")
    );
}

/// Gives a file to a user who is nobody here.
fn give(path: &Path) {
    std::os::unix::fs::chown(path, Some(65534), Some(65534)).expect("given");
    assert_eq!(std::fs::metadata(path).expect("it is there").uid(), 65534);
}

/// Two engines of other pid namespaces: nothing is claimed, nothing is removed, and either can be named.
#[test]
fn of_other_pid_namespaces_nothing_is_known() {
    let place = Place::new();
    let (engine, bytes) = real(&place);
    drop(engine);
    let own = place.run(&["list", "--json"]).json();
    let own = own[0]["path"].as_str().expect("a path").to_owned();
    std::fs::remove_file(own).expect("removed");
    /// Where the head names the pid namespace.
    const PID_NS: usize = 4 * 8;
    for (pid, namespace) in [(7, 1_u64), (8, 2)] {
        let mut bytes = bytes.clone();
        bytes[PID_NS..PID_NS + 8].copy_from_slice(&namespace.to_le_bytes());
        bytes[2 * 8..3 * 8].copy_from_slice(&u64::from(pid as u32).to_le_bytes());
        std::fs::write(place.path().join(format!("{pid}-else.wqseg")), bytes).expect("a file");
    }
    let list = place.run(&["list", "--json"]).json();
    let states: Vec<_> = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|e| (&e["pid"], &e["state"]))
        .collect();
    assert_eq!(
        states,
        [
            (&7.into(), &"unknown".into()),
            (&8.into(), &"unknown".into())
        ],
        "{list:#}"
    );
    assert!(place.run(&["gc"]).good().ends_with("0 removed\n"));
    assert!(place.run(&["stats"]).bad(2).contains("--pid 8"));
    let file = place.path().join("8-else.wqseg");
    let run = place.run(&["state", "--file", file.to_str().expect("UTF-8")]);
    assert!(run.good().contains(", unknown, "), "{}", run.stdout());
}
