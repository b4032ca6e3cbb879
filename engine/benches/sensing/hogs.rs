//! Who competes for the measured CPU.

use crate::options::Hog;
use crate::{rig, table};
use std::hint::spin_loop;
use std::os::unix::process::parent_id;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Hogs on a CPU, until they are dropped.
#[derive(Default)]
pub struct Hogs {
    processes: Vec<Child>,
    thread: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Hogs {
    /// Starts what was asked for, and waits until it has begun.
    pub fn start(kind: Option<Hog>, cpu: usize) -> Self {
        let mut hogs = Self::default();
        match kind {
            None => return hogs,
            Some(Hog::Session) => hogs.processes = (0..2).map(|_| process(cpu)).collect(),
            Some(Hog::Own) => hogs.thread = Some(own(cpu)),
        }
        if kind == Some(Hog::Session) {
            let path = "/proc/sys/kernel/sched_autogroup_enabled";
            let groups = std::fs::read_to_string(path).unwrap_or_default();
            if groups.trim() != "1" {
                table::fact("  (autogroups are off:", "a session is no group here)");
            }
        }
        thread::sleep(Duration::from_millis(200));
        hogs
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for child in &mut self.processes {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        if let Some((stop, thread)) = self.thread.take() {
            stop.store(true, Ordering::Relaxed);
            let _ = thread.join();
        }
    }
}

/// This program once more, in a session of its own.
fn process(cpu: usize) -> Child {
    let me = std::env::current_exe().expect("the path of this program");
    Command::new("setsid")
        .arg(me)
        .args(["--spin", &cpu.to_string()])
        .stdin(Stdio::null())
        .spawn()
        .expect("setsid (package util-linux) starts")
}

fn own(cpu: usize) -> (Arc<AtomicBool>, JoinHandle<()>) {
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    let thread = thread::spawn(move || {
        rig::pin(&[cpu]);
        while !told.load(Ordering::Relaxed) {
            spin_loop();
        }
    });
    (stop, thread)
}

/// The life of such a process: ends with its parent, and after half an hour at the latest.
pub fn spin_for_parent(cpu: usize) {
    let (begun, parent) = (Instant::now(), parent_id());
    rig::pin(&[cpu]);
    while parent_id() == parent && begun.elapsed() < Duration::from_secs(1800) {
        rig::burn(1_000);
    }
}
