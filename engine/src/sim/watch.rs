//! What watches the work functions from outside: the CPU-hog threshold, met exactly, and the watchdog.
//!
//! The watchdog is deferrable, as the kernel's is: when nothing else is left to happen, time does not go on for it.
//! It looks when everything else at its instant is done, so progress at that very instant counts.

use super::cpus::ThreadIx;
use super::machine::{Alarm, Kind, Machine, SimPool};
use crate::pool::{Place, PoolDump, Report};
use crate::wq::{Names, Reports, Show, Shown, lockup};
use std::time::Duration;
use wq_trace::{FuncId, OTHER, Segment, UNKNOWN, WqId};

/// Defaults of an engine on threads.
const HOG_THRESH: Duration = Duration::from_millis(10);
const HOG_WARN_AT: u64 = 4;
const WATCHDOG_THRESH: Duration = Duration::from_secs(30);

/// The watchdog and what was reported.
#[derive(Debug)]
pub(super) struct Watch {
    /// Nanoseconds; 0: nobody is a hog.
    pub(super) hog_thresh: u64,
    /// Nanoseconds; 0: nothing stalls.
    stall_thresh: u64,
    /// When the watchdog looks next; `None`: nothing waits.
    pub(super) looks_at: Option<u64>,
    reports: Reports,
    /// When and what.
    pub(super) said: Vec<(u64, String)>,
}

impl Watch {
    pub(super) fn new(engine: &super::EngineSpec) -> Self {
        let ns = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let hog_thresh = ns(engine.cpu_intensive_thresh.unwrap_or(HOG_THRESH));
        Self {
            hog_thresh,
            stall_thresh: ns(engine.watchdog_thresh.unwrap_or(WATCHDOG_THRESH)),
            looks_at: None,
            reports: Reports::new(hog_thresh, HOG_WARN_AT),
            said: Vec::new(),
        }
    }

    /// Items wait from now on.
    pub(super) fn arm(&mut self, now: u64) {
        if self.looks_at.is_none() && self.stall_thresh > 0 {
            self.looks_at = Some(now.saturating_add(self.stall_thresh));
        }
    }
}

/// The names behind the ids of a machine.
struct MachineNames<'a> {
    segment: &'a Segment,
    workqueues: &'a [Shown],
}

impl Names for MachineNames<'_> {
    fn function(&self, func: FuncId) -> String {
        let name = self.segment.function_name(func);
        name.unwrap_or_else(|| OTHER.to_owned())
    }

    fn workqueue(&self, id: WqId) -> String {
        let wq = self.workqueues.iter().find(|wq| wq.id == id);
        wq.map_or_else(|| UNKNOWN.to_owned(), |wq| wq.name.clone())
    }
}

impl Machine<'_> {
    /// The worker begins to use its CPU for `time`: if that makes it a hog, an alarm rings when it does.
    pub(super) fn burn_begins(&mut self, thread: ThreadIx, time: u64) {
        let now = self.now;
        let frame = self.frame(thread);
        frame.burns_since = Some(now);
        let used = frame.used;
        let Kind::Worker { pool, ix, .. } = self.threads[thread.0].kind else {
            return;
        };
        let left = self.pools[pool].core.hog_after(ix, used);
        if let Some(left) = left.filter(|&left| left <= time) {
            let since = now;
            self.alarm(left, Alarm::Hog { thread, since });
        }
    }

    /// The worker goes on after a burn, if that is what it was at.
    pub(super) fn burn_is_over(&mut self, thread: ThreadIx) {
        let now = self.now;
        let frame = self.frame(thread);
        if let Some(since) = frame.burns_since.take() {
            frame.used += now - since;
        }
    }

    /// The threshold is met, unless the burn that began at `since` is over.
    pub(super) fn hog_alarm(&mut self, thread: ThreadIx, since: u64) {
        let Kind::Worker {
            pool,
            ix,
            frame: Some(ref frame),
            ..
        } = self.threads[thread.0].kind
        else {
            return;
        };
        if frame.burns_since != Some(since) {
            return;
        }
        let used = frame.used + (self.now - since);
        self.transact(thread, pool, |core, now, fx| {
            core.has_used(ix, used, now, fx);
        });
    }

    /// Something about a work function that its author should know.
    pub(super) fn report(&mut self, report: Report) {
        if let Some(said) = self.watch.reports.count(report) {
            let text = self.named(|names| said.text(names));
            self.watch.said.push((self.now, text));
        }
    }

    /// The watchdog, once everything else of this instant is done.
    pub(super) fn look_for_stalls(&mut self) {
        if self.watch.looks_at.is_none_or(|at| at > self.now) {
            return;
        }
        let thresh = self.watch.stall_thresh;
        for pool in 0..self.pools.len() {
            let timer = self.timer;
            let stalled = self.transact(timer, pool, |core, now, fx| core.stalled(thresh, now, fx));
            if let Some(seconds) = stalled {
                let dumps = self.dumps();
                let mut text = lockup(&dumps[pool], seconds) + "\n";
                text += &self.show(&dumps);
                self.watch.said.push((self.now, text));
            }
        }
        let pools = self.pools.iter();
        let due = pools.filter_map(|pool| pool.core.stall_due(thresh));
        self.watch.looks_at = due.min();
    }

    fn dumps(&self) -> Vec<PoolDump> {
        let tid = |thread: &ThreadIx| self.threads[thread.0].tid;
        let pools = self.pools.iter();
        pools
            .map(|pool| pool.core.dump(self.place(pool), self.now, tid))
            .collect()
    }

    fn place(&self, pool: &SimPool) -> Place {
        let node = match &pool.attrs {
            Some(attrs) => self.affinity.node_of(attrs),
            None => self.affinity.topology().node_of(pool.cpus[0]),
        };
        let cpus = pool.cpus.iter().copied().collect();
        Place { cpus, node }
    }

    fn show(&self, pools: &[PoolDump]) -> String {
        self.named(|names| {
            let show = Show {
                workqueues: names.workqueues,
                pools,
                names,
            };
            show.all()
        })
    }

    fn named<R>(&self, f: impl FnOnce(&MachineNames<'_>) -> R) -> R {
        let shown = self.wqs.iter().map(|wq| Shown {
            id: wq.slot.id(),
            name: wq.name.clone(),
            flags: wq.flags.bits(),
        });
        let workqueues: Vec<_> = shown.collect();
        f(&MachineNames {
            segment: &self.segment,
            workqueues: &workqueues,
        })
    }
}
