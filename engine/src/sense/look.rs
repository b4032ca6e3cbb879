//! A look at a thread through `/proc`: does it sleep, since when, and how much CPU time did it use?
//!
//! `stat` tells whether a thread sleeps (S and D are never wrong, R may also mean runnable); `schedstat` tells how long
//! it ran and how long it waited for a CPU, so that between two looks the rest of the time was spent blocked. With
//! that a late notice can be dated. How often it blocked stands in `status`.

use crate::os;
use crate::os::ThreadFile;
use crate::pool::Watched;
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A thread, as it was when somebody last looked.
pub(super) struct Look {
    tid: u32,
    stat: ThreadFile,
    schedstat: Option<File>,
    /// There was no descriptor left for the other file.
    short: bool,
    last: Option<Last>,
}

/// The last look.
#[derive(Clone, Copy)]
struct Last {
    /// The execution that the worker was in.
    execution: u64,
    at: u64,
    times: Times,
    /// How often it had blocked.
    blocked: Option<u64>,
    /// The thread's CPU time when the execution began, or at the first look after it was last woken.
    base: u64,
}

/// Of `/proc/PID/task/TID/schedstat`, in nanoseconds.
#[derive(Clone, Copy)]
struct Times {
    run: u64,
    queued: u64,
    /// Times that it got a CPU.
    slices: u64,
}

/// What a look has found.
pub(super) struct Seen {
    pub(super) asleep: bool,
    /// Since when it sleeps, if that can be told.
    pub(super) from: Option<u64>,
    /// CPU time in nanoseconds since the execution began, or since the thread was last woken; too little if that was
    /// between two looks, and too much by no more than the kernel's tick, at which it books a running thread's time.
    pub(super) used: Option<u64>,
    /// It has run since the last look, or there was none.
    pub(super) ran: bool,
}

impl Look {
    pub(super) fn open(tid: u32) -> Option<Self> {
        let stat = ThreadFile::open(tid, "stat").ok()?;
        let schedstat = File::open(format!("/proc/self/task/{tid}/schedstat"));
        let failed = schedstat.as_ref().err().and_then(Errno::from_io_error);
        Some(Self {
            tid,
            stat,
            schedstat: schedstat.ok(),
            short: matches!(failed, Some(Errno::MFILE | Errno::NFILE)),
            last: None,
        })
    }

    /// Whether it has all that it ever will, so that it is worth keeping.
    pub(super) fn is_whole(&self) -> bool {
        !self.short
    }

    /// Looks at the worker, whose thread this is.
    pub(super) fn at(&mut self, worker: &Watched) -> Option<Seen> {
        let now = os::now();
        let times = self.times();
        let asleep = worker.may_sleep && is_asleep(&self.stat).ok()?;
        let Some(times) = times else {
            return Some(Seen {
                asleep,
                from: None,
                used: None,
                ran: !asleep,
            });
        };
        let same = |last: &Last| last.execution == worker.started_at;
        let last = self.last;
        let from = last.filter(same).and_then(|last| {
            let on_cpu = (times.run - last.times.run) + (times.queued - last.times.queued);
            let blocked = (now - last.at).checked_sub(on_cpu)?;
            Some(now - blocked)
        });
        let (blocked, base) = self.since(worker, times);
        self.last = Some(Last {
            execution: worker.started_at,
            at: now,
            times,
            blocked,
            base,
        });
        Some(Seen {
            asleep,
            from,
            used: Some(times.run - base),
            ran: last.is_none_or(|last| last.times.run != times.run || !same(&last)),
        })
    }

    /// How often the thread has blocked, and from which CPU time on its present use counts.
    fn since(&self, worker: &Watched, times: Times) -> (Option<u64>, u64) {
        if !worker.may_hog {
            return (None, times.run);
        }
        let Some(last) = self.last else {
            return (self.blocked(), times.run);
        };
        // Who got no CPU anew has not been off it.
        let blocked = match last.blocked {
            known @ Some(_) if last.times.slices == times.slices => known,
            _ => self.blocked(),
        };
        if blocked.is_none() || blocked != last.blocked {
            return (blocked, times.run);
        }
        if last.execution == worker.started_at {
            return (blocked, last.base);
        }
        // It ran all the time from the last look to the start, or waited for a CPU.
        let before = worker.started_at.saturating_sub(last.at);
        (blocked, times.run.min(last.times.run + before))
    }

    fn times(&self) -> Option<Times> {
        let mut buffer = [0; 96];
        let read = self.schedstat.as_ref()?.read_at(&mut buffer, 0).ok()?;
        let text = std::str::from_utf8(&buffer[..read]).ok()?;
        let mut fields = text
            .split_ascii_whitespace()
            .map_while(|field| field.parse().ok());
        Some(Times {
            run: fields.next()?,
            queued: fields.next()?,
            slices: fields.next()?,
        })
    }

    /// How often the thread has blocked. Source: `voluntary_ctxt_switches` in proc_pid_status(5).
    fn blocked(&self) -> Option<u64> {
        let status =
            std::fs::read_to_string(format!("/proc/self/task/{}/status", self.tid)).ok()?;
        let line = |line: &str| {
            line.strip_prefix("voluntary_ctxt_switches:")?
                .trim()
                .parse()
                .ok()
        };
        status.lines().find_map(line)
    }
}

/// Tells at any moment whether a thread sleeps, by the cheapest file that does: one system call, and nothing else.
#[derive(Debug)]
pub(super) enum Probe {
    /// `syscall` in proc_pid_syscall(5): 1 µs faster, and as exact. It says `running` of a thread that is or waits for
    /// its CPU. A system may be built without it, and keeps it from a process that has changed its user.
    Syscall(ThreadFile),
    Stat(ThreadFile),
}

impl Probe {
    pub(super) fn open(tid: u32) -> io::Result<Self> {
        let syscall = ThreadFile::open(tid, "syscall").map(Self::Syscall);
        match syscall {
            Ok(probe) if probe.is_asleep().is_ok() => Ok(probe),
            _ => ThreadFile::open(tid, "stat").map(Self::Stat),
        }
    }

    pub(super) fn is_asleep(&self) -> io::Result<bool> {
        match self {
            Self::Stat(stat) => is_asleep(stat),
            Self::Syscall(file) => {
                let mut buffer = [0; 128];
                let read = file.read(&mut buffer)?;
                sleeps_in_syscall(&buffer[..read]).ok_or(io::ErrorKind::InvalidData.into())
            }
        }
    }
}

/// What `syscall` says: `running`, or the number of the system call that the thread sleeps in, -1 outside of any.
fn sleeps_in_syscall(text: &[u8]) -> Option<bool> {
    match text {
        [b'-' | b'0'..=b'9', ..] => Some(true),
        [b'r', ..] => Some(false),
        _ => None,
    }
}

/// The letter of the thread's state. One system call, and nothing else.
fn state_in(stat: &ThreadFile) -> io::Result<u8> {
    let mut buffer = [0; 128];
    let read = stat.read(&mut buffer)?;
    state_of(&buffer[..read]).ok_or(io::ErrorKind::InvalidData.into())
}

/// Whether it sleeps: S and D are never wrong, R may also mean that it waits for a CPU.
fn is_asleep(stat: &ThreadFile) -> io::Result<bool> {
    Ok(matches!(state_in(stat)?, b'S' | b'D'))
}

/// The letter after the last `)`: the name before it may hold anything.
pub(super) fn state_of(text: &[u8]) -> Option<u8> {
    let close = text.iter().rposition(|&byte| byte == b')')?;
    text.get(close + 2).copied()
}

/// What a thread of this process does at this moment, as ps shows it: R, S, D, ...
pub(crate) fn thread_state(tid: u32) -> Option<char> {
    let stat = ThreadFile::open(tid, "stat").ok()?;
    state_in(&stat).ok().map(char::from)
}
