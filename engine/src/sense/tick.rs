//! The tick: looks at workers through `/proc`, 100 times a second. It notices that a worker sleeps while items wait
//! behind it, that one hogs its CPU, and that an item of a BH workqueue sleeps.
//!
//! It runs while one of these can happen, and slows down step by step when no looked-at worker uses its CPU and none
//! is waited for; then it stops. So an item that blocks for an hour costs six looks a second, short items that come
//! one by one do not wake the tick each time, and an idle engine does not tick.

use super::look::{Look, Seen};
use crate::os;
use crate::pool::{Informant, Watched};
use crate::runtime::{Core, EngineInner, Pool};
use crate::sense::{Descriptors, Held};
use crate::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use crate::sync::thread;
use crate::sync::thread::Thread;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use wq_trace::WorkerId;

/// Time between two looks.
const PERIOD: Duration = Duration::from_millis(10);
/// How often that doubles while nothing happens, before the tick stops.
const DOUBLINGS: u32 = 4;
/// Workers whose two descriptors are kept open; the others' are opened for each look, and their blocks not dated, so
/// that an engine with a thousand blocked workers leaves its process descriptors. Fewer where [`Descriptors`] allows
/// no more.
const KEPT_MAX: usize = 128;
/// So many clocks are remembered.
const CLOCKS_MAX: usize = 16_384;
/// Once so many are open, or there is no room for more, a worker that did not matter for so many rounds gives its place to another.
const KEPT_ROUNDS: u64 = 100;

/// How often somebody has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Pace {
    /// Never.
    Off,
    /// Now and then, and each [`PERIOD`] once a worker is seen to use its CPU.
    Slow,
    /// Each [`PERIOD`]: items wait behind a worker.
    Fast,
}

/// The shared part: how the tick is asked for.
#[derive(Default)]
pub(crate) struct Tick {
    /// A [`Pace`]: the tick thread keeps it, or is about to.
    pace: AtomicU8,
    stopped: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Tick {
    /// Somebody has to look. One load when it is armed already.
    pub(crate) fn arm(&self, pace: Pace) {
        let pace = pace as u8;
        if self.pace.load(Ordering::Relaxed) < pace
            && self.pace.fetch_max(pace, Ordering::AcqRel) < pace
        {
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

    /// Has the thread come by.
    pub(crate) fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// The tick thread's life.
    pub(crate) fn run(&self, engine: &EngineInner) {
        let mut looks = Looks::default();
        // Rounds in which nothing happened.
        let mut quiet = 0;
        while !self.stopped.load(Ordering::Acquire) {
            engine.mind_canaries();
            if self.pace.load(Ordering::Acquire) == Pace::Off as u8 {
                thread::park();
                continue;
            }
            // Something waits or runs: for whoever cannot ask for this process. An idle engine says nothing.
            engine.segment.heartbeat(os::now());
            let wanted = looks.round(engine);
            if std::mem::take(&mut looks.failed) {
                engine.mind_looks();
            }
            quiet = if wanted == Pace::Fast { 0 } else { quiet + 1 };
            let stops = quiet > DOUBLINGS && wanted == Pace::Off;
            let pace = match quiet {
                0 => Pace::Fast,
                _ if stops => Pace::Off,
                _ => Pace::Slow,
            };
            // Then look once more: who armed in between saw the faster pace.
            self.pace.store(pace as u8, Ordering::SeqCst);
            if pace < Pace::Fast && needed(engine) > pace {
                self.pace.store(Pace::Fast as u8, Ordering::Release);
                quiet = 0;
            } else if stops {
                (looks, quiet) = (Looks::default(), 0);
                continue;
            }
            thread::park_timeout(PERIOD * (1 << quiet.min(DOUBLINGS)));
        }
    }
}

/// The pace that the pools' states ask for.
fn needed(engine: &EngineInner) -> Pace {
    let pools = engine.local_pools().into_iter();
    let pace = pools.map(|pool| pool.look(|core| engine.pace(core)));
    pace.max().unwrap_or(Pace::Off)
}

/// What the tick thread knows of the workers.
#[derive(Default)]
struct Looks {
    workers: HashMap<WorkerId, Kept>,
    /// Where the CPU clocks of workers that sleep stood.
    clocks: HashMap<WorkerId, u64>,
    rounds: u64,
    /// Some worker was not kept for want of a place.
    spent: bool,
    /// A worker could not be looked at. It may have ended.
    failed: bool,
}

/// A worker whose descriptors are kept open.
struct Kept {
    look: Look,
    /// For both of its descriptors.
    _places: (Held, Held),
    /// The last round in which it mattered.
    round: u64,
}

impl Looks {
    /// Looks at every worker that matters. Returns how soon that is to be done again.
    fn round(&mut self, engine: &EngineInner) -> Pace {
        self.begin_round();
        let pools = engine.local_pools().into_iter();
        let pace = pools.map(|pool| self.pool(engine, &pool));
        pace.max().unwrap_or(Pace::Off)
    }

    /// Ids never repeat: where there is work at all times, workers that have left would keep all places.
    fn begin_round(&mut self) {
        self.rounds += 1;
        if self.clocks.len() > CLOCKS_MAX {
            self.clocks.clear();
        }
        if self.workers.len() >= KEPT_MAX || self.spent {
            self.spent = false;
            let oldest = self.rounds.saturating_sub(KEPT_ROUNDS);
            self.workers.retain(|_, kept| kept.round >= oldest);
        }
    }

    fn pool(&mut self, engine: &EngineInner, pool: &Arc<Pool>) -> Pace {
        let sleeps = engine.tick_seeks_sleepers();
        let watched = pool.look(|core| core.watched(sleeps, self.rounds));
        let mut ran = false;
        for worker in &watched {
            if worker.noticed && self.stands_still(worker) {
                continue;
            }
            let Some(seen) = self.worker(worker) else {
                self.failed = true;
                continue;
            };
            ran |= seen.ran && !seen.asleep;
            tell(engine, pool, worker, &seen);
        }
        if sleeps {
            pool.recall(engine);
        }
        match pool.look(|core| engine.pace(core)) {
            Pace::Slow if ran => Pace::Fast,
            pace => pace,
        }
    }

    /// Whether a worker that was noticed to sleep has not run since the last look. Cheaper than a look, since there may
    /// be a thousand.
    fn stands_still(&mut self, worker: &Watched) -> bool {
        let Ok(clock) = os::cpu_clock(worker.tid) else {
            return false;
        };
        self.clocks.insert(worker.id, clock) == Some(clock)
    }

    fn worker(&mut self, worker: &Watched) -> Option<Seen> {
        let full = self.workers.len() >= KEPT_MAX;
        let round = self.rounds;
        let kept = match self.workers.entry(worker.id) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if full => return Look::open(worker.tid)?.at(worker),
            Entry::Vacant(entry) => {
                let mut look = Look::open(worker.tid)?;
                let places = look.is_whole().then(two_places).flatten();
                let Some(_places) = places else {
                    self.spent = true;
                    return look.at(worker);
                };
                entry.insert(Kept {
                    look,
                    _places,
                    round,
                })
            }
        };
        kept.round = round;
        kept.look.at(worker)
    }
}

/// Room to keep what a look has open, if there is any.
fn two_places() -> Option<(Held, Held)> {
    Some((Descriptors::take()?, Descriptors::take()?))
}

/// What was seen of a worker goes to its pool, if it is still in that execution.
fn tell(engine: &EngineInner, pool: &Pool, worker: &Watched, seen: &Seen) {
    let used = seen.used.filter(|_| worker.may_hog);
    let hogs = used.is_some_and(|used| used >= engine.hog_thresh);
    if !worker.may_sleep && !hogs {
        return;
    }
    pool.transact(engine, |core: &mut Core, now, fx| {
        if !core.still(worker) {
            return;
        }
        // A worker may wait for this very lock for a moment; nobody is blamed for that.
        let sure = !core.spec.bh || !seen.ran;
        if worker.may_sleep && seen.asleep && sure {
            core.sleeping(worker.ix, Informant::Look, seen.from, now, fx);
        } else if worker.may_sleep && !seen.asleep {
            core.running(worker.ix, Informant::Look, now, fx);
        }
        if let Some(used) = used {
            core.has_used(worker.ix, used, now, fx);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::WorkerIx;

    /// This thread, as the worker with this id.
    fn me(id: u32) -> Watched {
        Watched {
            ix: WorkerIx(0),
            id: WorkerId(id),
            tid: os::thread_id(),
            started_at: 1,
            may_sleep: true,
            noticed: false,
            may_hog: true,
        }
    }

    #[test]
    fn workers_that_matter_no_more_give_their_places_to_others() {
        let mut looks = Looks::default();
        looks.begin_round();
        for id in 1..=KEPT_MAX as u32 + 1 {
            assert!(looks.worker(&me(id)).is_some());
        }
        assert_eq!(looks.workers.len(), KEPT_MAX);
        for _ in 0..=KEPT_ROUNDS {
            looks.begin_round();
            looks.worker(&me(1));
        }
        looks.begin_round();
        assert_eq!(looks.workers.len(), 1, "who still matters stays");
        looks.worker(&me(1000));
        assert!(looks.workers.contains_key(&WorkerId(1000)));
    }
}
