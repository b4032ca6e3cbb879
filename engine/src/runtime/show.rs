//! The engine as text: what is busy, and with what. See `wq/show.rs`.

use super::{EngineInner, Pool, Waiter, lock};
use crate::attrs::WqFlags;
use crate::os;
use crate::pool::{Place, PoolDump};
use crate::queue::{Workqueue, WqInner};
use crate::wq::{Names, Show, Shown};
use std::sync::Arc;
use wq_trace::{FuncId, OTHER, UNKNOWN, WqId};

impl Names for EngineInner {
    fn function(&self, func: FuncId) -> String {
        let name = self.segment.function_name(func);
        name.unwrap_or_else(|| OTHER.to_owned())
    }

    fn workqueue(&self, id: WqId) -> String {
        let wqs = self.all_workqueues();
        let wq = wqs.iter().find(|wq| wq.id() == id);
        wq.map_or_else(|| UNKNOWN.to_owned(), |wq| wq.spec.name.clone())
    }
}

fn shown(wq: &WqInner) -> Shown {
    Shown {
        id: wq.id(),
        name: wq.spec.name.clone(),
        flags: wq.spec.flags.bits(),
    }
}

impl EngineInner {
    /// Every pool, by number.
    pub(super) fn dumps(&self) -> Vec<PoolDump> {
        let now = os::now();
        let tid = |waiter: &Arc<Waiter>| waiter.tid();
        let pools = self.pools().into_iter();
        let mut dumps: Vec<_> = pools
            .map(|pool| {
                let place = self.place(&pool);
                pool.look(|core| core.dump(place, now, tid))
            })
            .collect();
        dumps.sort_by_key(|pool| pool.number);
        dumps
    }

    fn place(&self, pool: &Pool) -> Place {
        let node = match &pool.attrs {
            Some(attrs) => self.affinity.node_of(attrs),
            None => self.affinity.topology().node_of(pool.cpus[0]),
        };
        let cpus = pool.cpus.iter().copied().collect();
        Place { cpus, node }
    }

    /// All workqueues, in the order in which they were made.
    fn shown(&self) -> Vec<Shown> {
        self.all_workqueues().iter().map(|wq| shown(wq)).collect()
    }

    fn show<'a>(&'a self, workqueues: &'a [Shown], pools: &'a [PoolDump]) -> Show<'a, Self> {
        Show {
            workqueues,
            pools,
            names: self,
        }
    }

    /// See [`crate::Engine::show_all_workqueues`].
    pub(super) fn show_all(&self) -> String {
        if self.segment.forked() {
            return String::new();
        }
        self.show_pools(&self.dumps())
    }

    pub(super) fn show_pools(&self, pools: &[PoolDump]) -> String {
        self.show(&self.shown(), pools).all()
    }

    /// See [`crate::Engine::show_one_workqueue`].
    pub(super) fn show_one(&self, wq: &Workqueue) -> String {
        let mut out = String::new();
        if self.segment.forked() {
            return out;
        }
        self.show(&[], &self.dumps())
            .workqueue(&mut out, &shown(wq.inner()));
        out
    }

    /// See [`crate::Engine::show_freezable_workqueues`].
    pub(super) fn show_freezable(&self) -> String {
        if self.segment.forked() {
            return String::new();
        }
        let mut out = String::from("Showing freezable workqueues that are still busy:\n");
        let (mut workqueues, pools) = (self.shown(), self.dumps());
        workqueues.retain(|wq| wq.flags & WqFlags::FREEZABLE.bits() != 0);
        for wq in &workqueues {
            self.show(&workqueues, &pools).workqueue(&mut out, wq);
        }
        out
    }

    /// What the threads wait for that wait for an item or a workqueue.
    pub(super) fn waits(&self, pools: &[PoolDump]) -> Vec<(u32, String)> {
        let mut waits = Vec::new();
        let mut of_item = |func, waiters: &[u32]| {
            let target = format!("work {}", self.function(func));
            waits.extend(waiters.iter().map(|&tid| (tid, target.clone())));
        };
        for pwq in pools.iter().flat_map(|pool| &pool.pwqs) {
            for run in &pwq.in_flight {
                of_item(run.func, &run.waiters);
            }
            let scheduled = pwq.in_flight.iter().flat_map(|run| &run.scheduled);
            for item in scheduled.chain(&pwq.pending).chain(&pwq.inactive) {
                of_item(item.func, &item.waiters);
            }
        }
        for wq in self.all_workqueues() {
            let target = format!("workqueue {}", wq.spec.name);
            let control = lock(&wq.control);
            waits.extend(
                control
                    .flush
                    .waiters()
                    .map(|waiter| (waiter.tid(), target.clone())),
            );
        }
        waits
    }
}
