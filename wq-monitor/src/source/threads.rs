//! What `/proc` says of the workers' threads: the CPU time that they used, and where they sleep.

use crate::clock::monotonic;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use wq_trace::clean_name;
use wq_trace::model::{ThreadSample, Threads};
use wq_trace::{Snapshot, WorkerState};

/// Threads that are looked at in one round; with more, idle ones are left out first.
const MOST: usize = 512;

/// What would be needed to know where a thread sleeps.
const NEEDED: &str =
    "where workers sleep is hidden from us: watch as the engine's user, or with CAP_SYS_PTRACE";

/// Looks at the threads of the workers of a live engine in this pid namespace.
pub fn look(snapshot: &Snapshot) -> Threads {
    let tasks = format!("/proc/{}/task", snapshot.meta.pid);
    // The state is older than this look: by how much differs from round to round.
    let at = monotonic();
    let threads = look_in(Path::new(&tasks), snapshot);
    Threads { at, ..threads }
}

fn look_in(tasks: &Path, snapshot: &Snapshot) -> Threads {
    let there = snapshot.workers.iter().filter(|worker| worker.tid != 0);
    let mut workers: Vec<_> = there
        .map(|worker| (worker.state == WorkerState::Idle, worker.tid))
        .collect();
    workers.sort_by_key(|(idle, _)| *idle);
    let mut threads = Threads {
        at: snapshot.at,
        left_out: workers.len().saturating_sub(MOST),
        ..Threads::default()
    };
    for (idle, tid) in workers.into_iter().take(MOST) {
        let task = tasks.join(tid.to_string());
        let Some(cpu_ns) = cpu_ns(&task) else {
            continue;
        };
        // Idle ones wait for items: where is no news.
        let place = if idle { Place::Awake } else { place(&task) };
        if place == Place::Hidden {
            threads.problem = Some(NEEDED.to_owned());
        }
        let asleep_in = match place {
            Place::In(name) => Some(name),
            Place::Awake | Place::Hidden => None,
        };
        threads.samples.push(ThreadSample {
            tid,
            cpu_ns,
            asleep_in,
        });
    }
    threads
}

/// Where a thread is.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// It runs, or wants to.
    Awake,
    /// It sleeps, and we may not know where.
    Hidden,
    /// It sleeps in this function of the kernel, or in this system call.
    In(String),
}

/// CPU time in nanoseconds; of kernels without `schedstat` in clock ticks.
fn cpu_ns(task: &Path) -> Option<u64> {
    let first = |text: String| text.split_ascii_whitespace().next()?.parse().ok();
    if let Some(ns) = read(task.join("schedstat")).and_then(first) {
        return Some(ns);
    }
    let ticks = |n: usize| -> Option<u64> { stat_field(task, n)?.parse().ok() };
    // utime and stime.
    let ticks = ticks(14)?.saturating_add(ticks(15)?);
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Some(ticks.saturating_mul(1_000_000_000 / per_second))
}

fn place(task: &Path) -> Place {
    if !matches!(stat_field(task, 3).as_deref(), Some("S" | "D")) {
        return Place::Awake;
    }
    if let Some(name) = read(task.join("wchan"))
        && !matches!(name.trim(), "" | "0")
    {
        return Place::In(clean_name(name.trim()));
    }
    match fs::read_to_string(task.join("syscall")) {
        // It woke up meanwhile.
        Ok(call) if call.starts_with("running") => Place::Awake,
        Ok(call) => {
            let number = call.split_ascii_whitespace().next().unwrap_or("?");
            Place::In(format!("syscall {}", clean_name(number)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Place::Awake,
        Err(_) => Place::Hidden,
    }
}

/// A field of the thread's `stat`, counted from 1 as in its manual; the second is a name that may hold anything.
fn stat_field(task: &Path, n: usize) -> Option<String> {
    let stat = fs::read(task.join("stat")).ok()?;
    let behind = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let rest = String::from_utf8_lossy(&stat[behind..]).into_owned();
    let mut fields = rest.split_ascii_whitespace();
    fields.nth(n.checked_sub(3)?).map(str::to_owned)
}

fn read(path: PathBuf) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wq_trace::{Meta, WorkerRow};

    fn snapshot(tids: impl IntoIterator<Item = (u32, WorkerState)>) -> Snapshot {
        let worker = |(tid, state)| WorkerRow {
            tid,
            state,
            ..WorkerRow::default()
        };
        Snapshot {
            workers: tids.into_iter().map(worker).collect(),
            meta: Meta {
                pid: std::process::id(),
                ..Meta::default()
            },
            ..Snapshot::default()
        }
    }

    fn task(dir: &Path, tid: u32, files: &[(&str, &str)]) {
        let task = dir.join(tid.to_string());
        fs::create_dir_all(&task).expect("a temporary folder");
        for (name, text) in files {
            fs::write(task.join(name), text).expect("a temporary file");
        }
    }

    const ASLEEP: &str = "7 (a) b) (c) S 1 2 3 4 5 6 7 8 9 10 30 12 13";

    #[test]
    fn threads_are_read_as_the_system_writes_them() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let d = dir.path();
        let stat = ("stat", ASLEEP);
        task(
            d,
            1,
            &[
                stat,
                ("schedstat", "5000 6 7\n"),
                ("wchan", "futex_\u{1b}wait"),
            ],
        );
        task(d, 2, &[stat, ("wchan", "0"), ("syscall", "230 0x0 0x1\n")]);
        task(
            d,
            3,
            &[
                ("stat", "3 (x) R 1"),
                ("schedstat", "1 2 3"),
                ("wchan", "0"),
            ],
        );
        task(
            d,
            4,
            &[stat, ("schedstat", "9 0 0"), ("wchan", "pipe_read")],
        );
        task(d, 5, &[("stat", "garbage")]);
        let states = [
            (1, WorkerState::Sleeping),
            (2, WorkerState::Running),
            (3, WorkerState::Running),
            (4, WorkerState::Idle),
            (5, WorkerState::Running),
            (6, WorkerState::Running),
            (0, WorkerState::Running),
        ];
        let looked = look_in(d, &snapshot(states));
        let seen = |tid| looked.samples.iter().find(|sample| sample.tid == tid);
        let place = |tid| seen(tid).and_then(|sample| sample.asleep_in.as_deref());
        assert_eq!(seen(1).map(|sample| sample.cpu_ns), Some(5_000));
        assert_eq!(place(1), Some("futex__wait"), "nothing steers a terminal");
        let tick = 1_000_000_000 / rustix::param::clock_ticks_per_second();
        assert_eq!(seen(2).map(|sample| sample.cpu_ns), Some((30 + 12) * tick));
        assert_eq!(place(2), Some("syscall 230"));
        assert_eq!((place(3), place(4)), (None, None), "awake, and idle");
        assert!(seen(4).is_some() && seen(5).is_none() && seen(6).is_none());
        assert_eq!((looked.samples.len(), looked.problem), (4, None));
    }

    #[test]
    fn a_hidden_place_is_said_to_be_and_what_would_be_needed() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let files = [("stat", ASLEEP), ("schedstat", "1 2 3"), ("wchan", "0")];
        task(dir.path(), 9, &files);
        // What cannot be read as a file: everybody may read files here who runs this as root.
        fs::create_dir(dir.path().join("9/syscall")).expect("a temporary folder");
        let looked = look_in(dir.path(), &snapshot([(9, WorkerState::Sleeping)]));
        assert_eq!(looked.samples[0].asleep_in, None);
        assert!(
            looked
                .problem
                .is_some_and(|problem| problem.contains("CAP_SYS_PTRACE"))
        );
    }

    #[test]
    fn too_many_are_left_out_the_idle_ones_first() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let many = (1..=600).map(|tid| match tid {
            1..=550 => (tid, WorkerState::Idle),
            _ => (tid, WorkerState::Running),
        });
        for tid in 1..=600 {
            task(
                dir.path(),
                tid,
                &[("schedstat", "1 2 3"), ("stat", "1 (x) R 1")],
            );
        }
        let looked = look_in(dir.path(), &snapshot(many));
        assert_eq!((looked.samples.len(), looked.left_out), (MOST, 600 - MOST));
        assert!((551..=600).all(|tid| looked.samples.iter().any(|s| s.tid == tid)));
    }

    #[test]
    fn a_thread_of_our_own_is_found_asleep() {
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let sleeper = std::thread::spawn(move || {
            let tid = rustix::thread::gettid().as_raw_nonzero().get();
            tell.send(tid).expect("somebody listens");
            let _ = ended.recv();
        });
        let tid = told.recv().expect("it tells").unsigned_abs();
        let snapshot = snapshot([(tid, WorkerState::Running)]);
        let asleep = (0..6_000).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            look(&snapshot).samples.first()?.asleep_in.clone()
        });
        assert!(asleep.is_some_and(|place| !place.is_empty()));
        drop(end);
        sleeper.join().expect("it ends");
    }
}
