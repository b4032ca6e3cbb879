//! The monitor on a pseudo terminal: its screen, its keys, its end.

use crate::writer::Writer;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longer than anything takes on a machine that is not stuck.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What the terminal sends for the key End.
pub const END: &str = "\u{1b}[F";

/// A monitor on a terminal of its own.
pub struct Session {
    pub master: Box<dyn MasterPty + Send>,
    pub keys: Box<dyn Write + Send>,
    pub child: Box<dyn Child + Send + Sync>,
    pub terminal: Arc<Mutex<vt100::Parser>>,
    /// How the line discipline was set before.
    pub before: String,
}

pub fn cells(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).expect("a terminal has cells")
}

pub fn size((cols, rows): (u16, u16)) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}

impl Session {
    /// Starts the monitor, told to look for engines in `dir`.
    pub fn start(dir: &Path, args: &[&str], at: (u16, u16)) -> Self {
        Self::start_in(Path::new("."), dir, args, at, &[])
    }

    /// The same with other variables in its environment.
    pub fn start_with(dir: &Path, args: &[&str], at: (u16, u16), env: &[(&str, &str)]) -> Self {
        Self::start_in(Path::new("."), dir, args, at, env)
    }

    /// The same in a folder of its own.
    pub fn start_in(
        folder: &Path,
        dir: &Path,
        args: &[&str],
        at: (u16, u16),
        env: &[(&str, &str)],
    ) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_wq-monitor"));
        command.args(args);
        command.cwd(std::fs::canonicalize(folder).unwrap());
        command.env("WQ_RUNTIME_DIR", dir);
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        command.env("LC_ALL", "C.UTF-8");
        env.iter()
            .for_each(|(name, value)| command.env(name, value));
        Self::spawn(command, at)
    }

    /// Starts a program on a terminal of this size.
    pub fn spawn(command: CommandBuilder, at: (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(size(at)).unwrap();
        let before = discipline(pair.master.as_ref());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let terminal = Arc::new(Mutex::new(vt100::Parser::new(cells(at.1), cells(at.0), 0)));
        let mut output = pair.master.try_clone_reader().unwrap();
        let screen = Arc::clone(&terminal);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = output.read(&mut bytes) {
                screen.lock().unwrap().process(&bytes[..n]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self {
            master: pair.master,
            keys,
            child,
            terminal,
            before,
        }
    }

    pub fn screen(&self) -> String {
        self.terminal.lock().unwrap().screen().contents()
    }

    /// Waits until the screen is as it should be.
    #[track_caller]
    pub fn wait(&self, what: impl Fn(&str) -> bool) {
        let start = Instant::now();
        while !what(&self.screen()) {
            assert!(
                start.elapsed() < PATIENCE,
                "the screen stays:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        self.wait(|screen| screen.contains(text));
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub fn resize(&mut self, to: (u16, u16)) {
        self.terminal
            .lock()
            .unwrap()
            .set_size(cells(to.1), cells(to.0));
        self.master.resize(size(to)).unwrap();
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = self
            .child
            .process_id()
            .and_then(|pid| i32::try_from(pid).ok())
            .unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal)
            .unwrap();
    }

    /// Waits for the end. Gives back the exit status, and checks that the terminal is as it was.
    #[track_caller]
    pub fn end(mut self) -> u32 {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "it does not end:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(discipline(self.master.as_ref()), self.before);
        let restored = |terminal: &Mutex<vt100::Parser>| {
            let terminal = terminal.lock().unwrap();
            let screen = terminal.screen();
            let mouse = screen.mouse_protocol_mode();
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && mouse == vt100::MouseProtocolMode::None
        };
        while !restored(&self.terminal) {
            assert!(start.elapsed() < PATIENCE, "the terminal is not given back");
            std::thread::sleep(Duration::from_millis(10));
        }
        status.exit_code()
    }
}

/// The settings of the line discipline: echo, line by line, signals.
pub fn discipline(master: &(dyn MasterPty + Send)) -> String {
    let settings = master.get_termios().expect("a terminal has settings");
    format!("{:?} {:?}", settings.local_flags, settings.input_flags)
}

/// A directory with an engine of this name, whose process is this test. Others may live on this machine.
pub fn one_engine(name: &str) -> (tempfile::TempDir, Writer) {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(dir.path(), name);
    writer.step();
    (dir, writer)
}
