//! The real binary on a real (pseudo) terminal: keys, resizing, signals, a killed engine, and the terminal given back.

#[path = "terminal/session.rs"]
mod session;
#[path = "common/writer.rs"]
mod writer;

use portable_pty::CommandBuilder;
use session::*;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use writer::Writer;

#[test]
fn keys_switch_views_and_q_gives_the_terminal_back() {
    let (dir, _writer) = one_engine("keys");
    let mut session = Session::start(dir.path(), &["-i", "0.05", "--engine", "keys"], (120, 40));
    session.wait_for("Hot producers");
    session.wait_for("● live  keys");
    assert_ne!(discipline(session.master.as_ref()), session.before);
    session.press("3");
    session.wait_for("concurrency");
    session.press("4");
    session.wait_for("kworker/u8:2");
    session.press("\t");
    session.wait_for("queued/s");
    session.press("1");
    session.wait_for("Throughput");
    // A wheel, a click on the tab of workqueues, and the details of the first one.
    session.press("\u{1b}[<65;10;20M\u{1b}[<0;16;2M\u{1b}[<0;16;2m");
    session.wait_for("What the wait is made of");
    session.press("\r");
    session.wait_for("Related");
    session.press("\u{1b}");
    session.wait(|screen| !screen.contains("Related"));
    session.press("1");
    session.wait_for("Throughput");
    session.press("?");
    session.wait_for("Show or leave this help");
    session.press("\u{1b}");
    session.wait_for("Throughput");
    session.press("q");
    assert_eq!(session.end(), 0);
}

#[test]
fn a_query_is_typed_completed_kept_and_cleared() {
    let (dir, _writer) = one_engine("finding");
    let args = [
        "-i",
        "0.05",
        "--engine",
        "finding",
        "--filter",
        "wq:nothing*",
    ];
    let mut session = Session::start(dir.path(), &args, (120, 40));
    session.wait_for("is found by wq:nothing*");
    session.press("4");
    session.wait_for("wq:nothing* 0 of ");
    session.press("x");
    session.wait_for("kworker/u8:2");
    // Letters that are keys elsewhere are typed; Tab completes; arrows and Ctrl-U edit.
    session.press("/q1x?");
    session.wait_for("/q1x?");
    session.press("\u{15}st\t");
    session.wait_for("/state:");
    session.press("\u{15}worker:kworker/0*");
    session.wait(|screen| screen.contains("kworker/0:0") && !screen.contains("kworker/u8:2"));
    session.press(" wiat>5ms");
    session.wait_for("no key `wiat`; did you mean `wait`?");
    session.press("\u{17}\r");
    session.wait_for("worker:kworker/0* ");
    session.wait(|screen| !screen.contains("no key") && screen.contains("x all rows"));
    // An earlier one, and everything as it was.
    session.press("/\u{1b}[A\u{1b}[A");
    session.wait_for("/wq:nothing*");
    session.press("\u{1b}");
    session.wait(|screen| screen.contains("x all rows") && screen.contains("kworker/0:0"));
    session.press("x");
    session.wait_for("kworker/u8:2");
    session.press("c");
    session.wait_for("Columns of Workers");
    session.press("\u{1b}[B \u{1b}");
    session.wait(|screen| !screen.contains("Columns of Workers") && !screen.contains(" tid"));
    session.press("/q\u{3}");
    session.wait_for("? help");
    session.press("q");
    assert_eq!(session.end(), 0);
}

#[test]
fn data_are_live_until_paused() {
    let (dir, mut writer) = one_engine("pausing");
    let mut session = Session::start(
        dir.path(),
        &["-i", "0.05", "--engine", "pausing"],
        (120, 40),
    );
    session.press("4");
    session.wait_for("kworker/0:0+events");
    session.press("1");
    let idle = |screen: &str| screen.contains("started 0/s");
    session.wait(idle);
    let start = Instant::now();
    while idle(&session.screen()) {
        assert!(start.elapsed() < PATIENCE);
        writer.step();
        std::thread::sleep(Duration::from_millis(5));
    }
    session.press(" ");
    session.wait_for("PAUSED");
    session.press(" ");
    session.wait(|screen| !screen.contains("PAUSED"));
    session.press("\u{3}");
    assert_eq!(session.end(), 0);
}

#[test]
fn what_one_screen_records_another_shows() {
    let (dir, mut writer) = one_engine("taped");
    let file = dir.path().join("r.wqrec");
    let path = file.to_str().unwrap();
    let args = ["-i", "0.05", "--engine", "taped", "--record", path];
    let mut session = Session::start(dir.path(), &args, (120, 40));
    session.wait_for("● live  taped");
    writer.step();
    session.press("q");
    assert_eq!(session.end(), 0);
    let mut session = Session::start(dir.path(), &["--file", path], (120, 40));
    session.wait_for("▶ recorded  taped");
    session.wait_for("the recording ends at ");
    session.wait_for("Hot producers");
    session.press("q");
    assert_eq!(session.end(), 0);
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn resizing_redraws_down_to_one_cell() {
    let (dir, _writer) = one_engine("resized");
    let mut session = Session::start(dir.path(), &["-i", "0.05", "--engine", "resized"], (80, 24));
    session.wait_for("Hot functions");
    session.resize((40, 10));
    session.wait(|screen| screen.contains("backlog") && !screen.contains("Hot functions"));
    session.resize((15, 3));
    session.wait_for("15x3 is too sma");
    session.resize((1, 1));
    session.wait(|screen| screen == "1");
    session.resize((100, 30));
    session.wait_for("Hot functions");
    session.press("q");
    assert_eq!(session.end(), 0);
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let (dir, _writer) = one_engine("signalled");
    for (signal, code) in [
        (rustix::process::Signal::TERM, 143),
        (rustix::process::Signal::HUP, 129),
        (rustix::process::Signal::INT, 130),
    ] {
        let session = Session::start(dir.path(), &["--engine", "signalled"], (80, 24));
        session.wait_for("live");
        session.signal(signal);
        assert_eq!(session.end(), code);
    }
}

/// The state of a process as /proc has it: `T` is stopped.
fn state_of(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

#[test]
fn stopped_it_gives_the_terminal_back_and_takes_it_again() {
    use rustix::process::Signal;
    let (dir, _writer) = one_engine("stopped");
    let args = ["-i", "0.05", "--engine", "stopped"];
    let mut session = Session::start(dir.path(), &args, (80, 24));
    let given_back = |session: &Session| {
        let terminal = session.terminal.lock().unwrap();
        !terminal.screen().alternate_screen() && !terminal.screen().hide_cursor()
    };
    // From outside, and by its own key.
    for key in [None, Some("\u{1a}")] {
        session.wait_for("● live  stopped");
        match key {
            None => session.signal(Signal::TSTP),
            Some(key) => session.press(key),
        }
        let pid = session.child.process_id().unwrap();
        let start = Instant::now();
        while state_of(pid) != Some('T') || !given_back(&session) {
            assert!(start.elapsed() < PATIENCE, "it does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(discipline(session.master.as_ref()), session.before);
        // What others print meanwhile is gone afterwards.
        session.terminal.lock().unwrap().process(b"\x1b[2J$ ");
        session.signal(Signal::CONT);
        session.wait_for("● live  stopped");
        assert_ne!(discipline(session.master.as_ref()), session.before);
    }
    session.press("q");
    assert_eq!(session.end(), 0);
}

/// Tells the process that is to panic that it is this one.
const PANICS: &str = "WQ_MONITOR_TEST_PANICS";

/// Not a test of its own: the process of the next test, which panics while the terminal is its own.
#[test]
fn panicking() {
    if std::env::var_os(PANICS).is_some() {
        let _screen = wq_monitor::term::Screen::enter().unwrap();
        panic!("on purpose");
    }
}

#[test]
fn a_panic_is_told_on_the_terminal_that_was_given_back() {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["panicking", "--exact", "--nocapture"]);
    command.env(PANICS, "1");
    command.env("RUST_BACKTRACE", "0");
    let session = Session::spawn(command, (100, 24));
    session.wait_for("on purpose");
    let terminal = Arc::clone(&session.terminal);
    assert_eq!(session.end(), 101);
    // On the screen that stays: what stands on the alternate one is gone with it.
    let text = terminal.lock().unwrap().screen().contents();
    assert!(
        text.contains("panicked at") && text.contains("on purpose"),
        "{text}"
    );
}

#[test]
fn ascii_is_drawn_where_the_locale_knows_nothing_else() {
    let (dir, _writer) = one_engine("plainly");
    let args = ["-i", "0.05", "--engine", "plainly"];
    let mut session = Session::start_with(dir.path(), &args, (120, 40), &[("LC_ALL", "C")]);
    session.wait_for("* live  plainly");
    session.press("3");
    session.wait_for("concurrency");
    assert!(session.screen().is_ascii(), "{}", session.screen());
    session.press("q");
    assert_eq!(session.end(), 0);
}

#[test]
fn a_terminal_that_hangs_up_ends_it() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let (dir, _writer) = one_engine("hung");
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = std::fs::File::options()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    // Not the controlling terminal: no signal comes, it has to notice by itself.
    let mut child = Command::new(env!("CARGO_BIN_EXE_wq-monitor"))
        .args(["-i", "0.05", "--engine", "hung"])
        .env("WQ_RUNTIME_DIR", dir.path())
        .stdin(slave.try_clone().unwrap())
        .stdout(slave.try_clone().unwrap())
        .stderr(slave)
        .spawn()
        .unwrap();
    // It draws: then it has set everything up.
    let mut seen = [0; 64];
    rustix::io::read(&master, &mut seen).unwrap();
    drop(master);
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < PATIENCE, "it goes on without a terminal");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(status.code(), Some(2));
}

#[test]
fn several_engines_are_offered_and_one_is_watched() {
    let (dir, _writer) = one_engine("picked");
    let _second = Writer::new(dir.path(), "storage");
    let mut session = Session::start(dir.path(), &["-i", "0.05"], (80, 24));
    session.wait(|screen| screen.contains("Which engine?") && screen.contains("storage"));
    let screen = session.screen();
    // The first engine stands below the frame and the headings.
    let line = screen
        .lines()
        .position(|line| line.contains("storage"))
        .unwrap();
    session.wait(|screen| screen.matches(" live ").count() == 2);
    session.press(&"j".repeat(line - 2));
    session.press("\r");
    session.wait_for("● live  storage");
    session.press("q");
    assert_eq!(session.end(), 0);
}

#[test]
fn keys_go_back_in_time_and_write_what_is_kept() {
    let (dir, mut writer) = one_engine("past");
    let args = ["-i", "0.05", "--engine", "past"];
    let mut session = Session::start_in(dir.path(), dir.path(), &args, (120, 40), &[]);
    session.wait_for("● live  past");
    let state = |screen: &str| {
        let (_, rest) = screen.split_once("  state ")?;
        rest.split_once('/')?.0.parse::<u32>().ok()
    };
    // A busy machine leaves rounds out: until there are enough.
    let at = loop {
        for _ in 0..10 {
            writer.step();
            std::thread::sleep(Duration::from_millis(20));
        }
        session.press("[");
        session.wait(|screen| screen.contains("◀ PAUSED") || screen.contains("no earlier state"));
        match state(&session.screen()) {
            Some(at @ 12..) => break at,
            _ => session.press(END),
        }
        session.wait(|screen| !screen.contains('◀'));
    };
    session.wait_for(" ago ");
    session.press("{");
    session.wait(|screen| state(screen) == Some(at - 10));
    session.press("]");
    session.wait(|screen| state(screen) == Some(at - 9));
    session.press("w");
    session.wait_for("wrote wq-past-");
    session.press("W");
    session.wait_for(".pftrace: ");
    session.press("{{{{{{{{{{{{{{{{{{{{");
    session.press("[");
    session.wait_for("this is the oldest state that is kept");
    session.press(END);
    session.wait(|screen| !screen.contains('◀'));
    session.press("q");
    assert_eq!(session.end(), 0);
    let files = std::fs::read_dir(dir.path()).unwrap().flatten();
    let names: Vec<_> = files
        .map(|file| file.file_name().into_string().unwrap())
        .collect();
    let ends = |ending: &str| names.iter().find(|name| name.ends_with(ending)).cloned();
    let (recording, trace) = (ends(".wqrec").unwrap(), ends(".pftrace").unwrap());
    assert!(trace.starts_with("wq-past-"), "{trace}");
    let path = dir.path().join(recording);
    let reader = wq_trace::Reader::open(&path).unwrap();
    assert_eq!(reader.recording().unwrap().damage().bytes, 0);
    let path = path.to_str().unwrap().to_owned();
    let mut session = Session::start(dir.path(), &["--file", &path], (120, 40));
    session.wait_for("showing the last state; [ goes back");
    session.press("[");
    session.wait_for("before the end");
    session.press(" ");
    session.wait_for("showing the last state");
    session.press("q");
    assert_eq!(session.end(), 0);
}

#[test]
fn what_is_written_is_all_that_was_read() {
    let (dir, mut writer) = one_engine("window");
    (0..60).for_each(|_| writer.step());
    let args = ["-i", "0.05", "--engine", "window"];
    let mut session = Session::start_in(dir.path(), dir.path(), &args, (120, 40), &[]);
    session.wait_for("● live  window");
    writer.step();
    let written = || {
        let files = std::fs::read_dir(dir.path()).unwrap().flatten();
        let paths = files.map(|file| file.path());
        paths
            .filter(|path| path.extension().is_some_and(|it| it == "wqrec"))
            .collect::<Vec<_>>()
    };
    // What was emitted last is read a little later: until all of it is in a file.
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < PATIENCE);
        let before = written();
        session.press("w");
        session.wait(|screen| screen.contains("wrote wq-window-"));
        let file = written()
            .into_iter()
            .find(|path| !before.contains(path))
            .unwrap();
        session.press("g");
        session.wait(|screen| !screen.contains("wrote"));
        let reader = wq_trace::Reader::open(&file).unwrap();
        let mut cursor = reader.cursor(wq_trace::From::Oldest);
        while let wq_trace::Next::Record(_) | wq_trace::Next::Lost(_) = cursor.next(0) {}
        let rings = reader.snapshot().unwrap().rings;
        let emitted: u64 = rings.iter().map(|ring| ring.written).sum();
        assert!(cursor.seen() + cursor.lost() <= emitted);
        if (cursor.seen(), cursor.lost()) == (emitted, 0) {
            break;
        }
    }
    session.press("q");
    assert_eq!(session.end(), 0);
}

/// A script of the workloads folder.
fn script(name: &str) -> String {
    format!(
        "{}/../workloads/scripts/{name}.toml",
        env!("CARGO_MANIFEST_DIR")
    )
}

#[test]
fn a_replayed_script_is_watched_and_the_screen_stays_after_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let script = script("kernel-doc-cmwq");
    let mut session = Session::start(dir.path(), &["-i", "0.05", "--replay", &script], (120, 40));
    session.wait_for("script over");
    session.press("4");
    session.wait_for("kworker/0:0");
    session.press("q");
    assert_eq!(session.end(), 0);
}

#[test]
fn workers_say_what_their_threads_take_of_a_cpu() {
    let dir = tempfile::tempdir().unwrap();
    let script = script("mixed");
    let mut session = Session::start(dir.path(), &["-i", "0.05", "--replay", &script], (120, 40));
    session.wait_for("script at");
    session.press("4");
    // Two looks are needed; recordings and engines that are gone show a dash.
    let is_share = |word: &str| word.ends_with('%') && word != "cpu%";
    session.wait(|screen| {
        let rows = screen.lines().filter(|line| line.contains("kworker/"));
        rows.flat_map(str::split_whitespace).any(is_share)
    });
    session.press("q");
    assert_eq!(session.end(), 0);
}

#[test]
fn q_abandons_a_script() {
    let dir = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let script = script("mixed");
    let mut session = Session::start(dir.path(), &["-i", "0.05", "--replay", &script], (120, 40));
    session.wait_for("script at");
    session.wait_for("fs_read");
    session.press("q");
    assert_eq!(session.end(), 0);
    // The script alone takes longer than this.
    assert!(start.elapsed() < PATIENCE);
}

/// Tells the process that is to be killed where to write.
const VICTIM: &str = "WQ_MONITOR_TEST_VICTIM";

/// Not a test of its own: the engine that the next test kills.
#[test]
fn victim() {
    let Some(dir) = std::env::var_os(VICTIM) else {
        return;
    };
    let mut writer = Writer::new(Path::new(&dir), "victim");
    let start = Instant::now();
    while start.elapsed() < 2 * PATIENCE {
        writer.step();
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An engine in a process of its own. Dropping it kills it.
struct Victim(std::process::Child);

impl Victim {
    fn start(dir: &Path) -> Self {
        let victim = Command::new(std::env::current_exe().unwrap())
            .args(["victim", "--exact"])
            .env(VICTIM, dir)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while !dir.join(format!("{}-victim.wqseg", victim.id())).exists() {
            assert!(start.elapsed() < PATIENCE);
            std::thread::sleep(Duration::from_millis(5));
        }
        Self(victim)
    }

    fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it. Gives back its process.
    fn kill(mut self) -> u32 {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        self.id()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = (self.0.kill(), self.0.wait());
    }
}

#[test]
fn an_engine_is_followed_from_one_start_to_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["-i", "0.05", "--engine", "victim", "--follow"];
    let mut session = Session::start(dir.path(), &args, (120, 40));
    session.wait_for("No engine named victim runs yet.");
    let first = Victim::start(dir.path());
    session.wait_for("● live  victim");
    session.wait_for(&format!("pid {}", first.id()));
    let first = first.kill();
    session.wait_for("waiting for another one");
    session.press("4");
    session.wait_for("kworker/u8:2");
    let second = Victim::start(dir.path());
    let news = format!(
        "engine victim restarted: now pid {}; {first} was killed",
        second.id()
    );
    session.wait_for(&news);
    session.wait_for("● live  victim");
    session.press("1");
    session.wait(|screen| !screen.contains("restarted"));
    // Who holds the picture stays with it.
    session.press(" ");
    session.wait_for("PAUSED");
    let second = second.kill();
    session.wait_for(&format!("engine {second} gone (killed)"));
    let third = Victim::start(dir.path());
    session.press("[");
    session.wait_for("before the end");
    session.wait_for(&format!("pid {second}"));
    session.press(END);
    session.wait_for(&format!("restarted: now pid {}", third.id()));
    session.press("q");
    assert_eq!(session.end(), 0);
}

#[test]
fn a_killed_engine_is_noticed_and_its_last_state_stays() {
    let dir = tempfile::tempdir().unwrap();
    let victim = Victim::start(dir.path());
    let mut session = Session::start(dir.path(), &["-i", "0.05", "--engine", "victim"], (120, 40));
    session.wait_for("● live  victim");
    session.wait_for("journal_commit");
    let victim = victim.kill();
    session.wait_for(&format!("engine {victim} gone (killed) at "));
    session.wait_for("✖ dead  victim");
    session.press("4");
    session.wait_for("kworker/u8:2");
    session.press("q");
    assert_eq!(session.end(), 0);
}
