//! The monitor as a user runs it: the real binary, its screen on a pseudo terminal that somebody reads.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::param::{clock_ticks_per_second, page_size};
use std::io::Read;
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

/// A monitor that watches a segment; it ends with its handle.
pub struct Watcher {
    child: Box<dyn Child + Send + Sync>,
    /// What it shows.
    screen: Arc<Mutex<vt100::Parser>>,
    _terminal: Box<dyn MasterPty + Send>,
}

const ROWS: u16 = 40;
const COLUMNS: u16 = 120;

impl Watcher {
    /// Starts it on a terminal of 120x40, and gives it time to come up.
    pub fn start(segment: &Path, view: &str) -> Self {
        let size = PtySize {
            rows: ROWS,
            cols: COLUMNS,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_wq-monitor"));
        command.arg("--file");
        command.arg(segment);
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).expect("it starts");
        let mut output = pair.master.try_clone_reader().expect("its output");
        let cells = |n| NonZeroU16::new(n).expect("a terminal has cells");
        let parser = vt100::Parser::new(cells(ROWS), cells(COLUMNS), 0);
        let screen = Arc::new(Mutex::new(parser));
        let shown = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = output.read(&mut bytes) {
                shown.lock().expect("nobody panics").process(&bytes[..n]);
            }
        });
        sleep(Duration::from_millis(300));
        let mut keys = pair.master.take_writer().expect("its keys");
        std::io::Write::write_all(&mut keys, view.as_bytes()).expect("it reads");
        Self {
            child,
            screen,
            _terminal: pair.master,
        }
    }

    /// CPU time so far, in seconds.
    pub fn cpu(&self) -> f64 {
        let text = self.proc("stat");
        // The name may hold anything; what follows its bracket does not.
        let rest = text.rsplit(')').next().expect("the rest");
        let ticks = rest.split_whitespace().skip(11).take(2);
        let ticks: f64 = ticks.map(|n| n.parse::<f64>().expect("a number")).sum();
        ticks / clock_ticks_per_second() as f64
    }

    /// Memory in use, in MiB.
    pub fn memory(&self) -> f64 {
        let text = self.proc("statm");
        let pages = text.split_whitespace().nth(1).expect("resident pages");
        pages.parse::<f64>().expect("a number") * page_size() as f64 / f64::from(1 << 20)
    }

    fn proc(&self, file: &str) -> String {
        let pid = self.child.process_id().expect("it runs");
        std::fs::read_to_string(format!("/proc/{pid}/{file}")).expect("it runs")
    }

    /// What the screen says that follows `label`: figures of a monitor that shows nothing are worth nothing.
    pub fn says(&self, label: &str) -> String {
        let contents = self.screen.lock().expect("nobody panics");
        let contents = contents.screen().contents();
        let said = contents.split(label).nth(1).unwrap_or_default();
        let said = said.split_whitespace().next().unwrap_or_default();
        assert!(!said.is_empty(), "no {label}:\n{contents}");
        said.to_owned()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
