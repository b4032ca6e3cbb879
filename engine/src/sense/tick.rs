//! The tick: looks at the workers' states in `/proc`, 100 times a second, while items wait behind running workers.
//!
//! `stat` tells whether a thread sleeps (S and D are never wrong, R may also mean runnable); `schedstat` tells how long
//! it ran and how long it waited for a CPU, so that between two looks the rest of the time was spent blocked. With
//! that a late notice can be dated.

use crate::os;
use crate::pool::{Informant, Watched};
use crate::runtime::{Core, EngineInner, Pool};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;
use wq_trace::WorkerId;

/// Time between two looks.
const PERIOD: Duration = Duration::from_millis(10);
/// Workers whose two descriptors are kept open; the others' are opened for each look, and their blocks not dated, so
/// that an engine with a thousand blocked workers leaves its process descriptors.
const KEPT_MAX: usize = 128;

/// The shared part: how the tick is asked for.
#[derive(Default)]
pub(crate) struct Tick {
    /// The tick thread looks, or is about to.
    armed: AtomicBool,
    stopped: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Tick {
    /// Items wait behind a running worker: somebody has to look. One load when it is armed already.
    pub(crate) fn arm(&self) {
        if !self.armed.load(Ordering::Relaxed) && !self.armed.swap(true, Ordering::AcqRel) {
            self.wake();
        }
    }

    /// The thread to wake. Whoever asked before this found nobody: it looks once more.
    pub(crate) fn is_run_by(&self, thread: Thread) {
        let thread = self.thread.get_or_init(|| thread);
        thread.unpark();
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// The tick thread's life.
    pub(crate) fn run(&self, engine: &EngineInner) {
        let mut looks = Looks::default();
        while !self.stopped.load(Ordering::Acquire) {
            if !self.armed.load(Ordering::Acquire) {
                std::thread::park();
                continue;
            }
            if looks.round(engine) {
                std::thread::park_timeout(PERIOD);
                continue;
            }
            // Disarm, then look once more: who armed in between saw the tick armed.
            self.armed.store(false, Ordering::SeqCst);
            if looks.round(engine) {
                self.armed.store(true, Ordering::Release);
            } else {
                looks.forget();
            }
        }
    }
}

/// What the tick thread knows of the workers.
#[derive(Default)]
struct Looks {
    workers: HashMap<WorkerId, Look>,
}

/// The last look at a worker.
struct Look {
    stat: File,
    schedstat: Option<File>,
    /// The execution it was in, when that was, and its times.
    last: Option<(u64, u64, Times)>,
}

/// Of `/proc/PID/task/TID/schedstat`, in nanoseconds.
#[derive(Clone, Copy)]
struct Times {
    run: u64,
    queued: u64,
}

impl Looks {
    /// Looks at every worker that matters. Returns whether any pool needs watching.
    fn round(&mut self, engine: &EngineInner) -> bool {
        let mut needed = false;
        for pool in engine.managed_pools() {
            needed |= self.pool(engine, &pool);
        }
        needed
    }

    fn pool(&mut self, engine: &EngineInner, pool: &Arc<Pool>) -> bool {
        let watched = pool.look(Core::watched);
        for worker in &watched {
            let Some((asleep, from)) = self.worker(worker) else {
                continue;
            };
            pool.transact(engine, |core, now, fx| {
                if !core.still(worker) {
                    return;
                }
                if asleep {
                    core.sleeping(worker.ix, Informant::Tick, from, now, fx);
                } else {
                    core.running(worker.ix, Informant::Tick, now, fx);
                }
            });
        }
        pool.look(Core::need_watching)
    }

    /// Whether a worker sleeps, and since when if that can be told.
    fn worker(&mut self, worker: &Watched) -> Option<(bool, Option<u64>)> {
        let full = self.workers.len() >= KEPT_MAX;
        let mut passing = None;
        let look = match self.workers.entry(worker.id) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if full => passing.insert(Look::open(worker.tid)?),
            Entry::Vacant(entry) => entry.insert(Look::open(worker.tid)?),
        };
        let now = os::now();
        let times = look.times();
        let state = look.state()?;
        let asleep = matches!(state, b'S' | b'D');
        let from = look
            .last
            .zip(times)
            .and_then(|((execution, at, before), times)| {
                let on_cpu = (times.run - before.run) + (times.queued - before.queued);
                let blocked = (now - at).checked_sub(on_cpu)?;
                (execution == worker.started_at).then_some(now - blocked)
            });
        look.last = times.map(|times| (worker.started_at, now, times));
        Some((asleep, from))
    }

    /// Closes all descriptors: nothing is to be watched.
    fn forget(&mut self) {
        self.workers.clear();
    }
}

impl Look {
    fn open(tid: u32) -> Option<Self> {
        let stat = File::open(format!("/proc/self/task/{tid}/stat")).ok()?;
        let schedstat = File::open(format!("/proc/self/task/{tid}/schedstat")).ok();
        Some(Self {
            stat,
            schedstat,
            last: None,
        })
    }

    /// The letter after the last `)`: the name before it may hold anything.
    fn state(&self) -> Option<u8> {
        let mut buffer = [0; 256];
        let read = self.stat.read_at(&mut buffer, 0).ok()?;
        let text = &buffer[..read];
        let close = text.iter().rposition(|&byte| byte == b')')?;
        text.get(close + 2).copied()
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
        })
    }
}
