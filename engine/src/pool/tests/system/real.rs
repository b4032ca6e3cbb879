//! The pure centre as a whole: pools, workqueues and items, and the queueing calls over them.

use super::items::Claimed;
use super::lives::IDLE_TIMEOUT;
use super::model::{Fx, Machine, WqSpec};
use crate::pool::list::ItemIx;
use crate::pool::{Effect, NewItem, PoolSpec, PoolState, PwqIx, Rescue, Step, WorkerIx};
use crate::topology::{Affinity, AffinityScope, PoolAttrs, Topology, WorkqueueAttrs};
use crate::wq::{Begin, FlushState, Gate, Limits, Maydays, NodeCounts, PwqAddr, Word};
use std::collections::VecDeque;
use wq_trace::{FuncId, PoolInfo, REQ_CPU_LOCAL, Segment, SegmentConfig, Was, WorkerSlot, WqSlot};

/// CPU time that makes a hog.
pub(super) const HOG: u64 = 10;

pub(super) type Core = PoolState<usize, u32>;

pub(super) struct RealPool {
    pub(super) core: Core,
    pub(super) attrs: Option<PoolAttrs>,
    pub(super) dying: bool,
}

/// A workqueue's share of a pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PwqRef {
    pub(super) pool: usize,
    pub(super) ix: PwqIx,
    pub(super) uid: u64,
}

pub(super) struct RealWq {
    pub(super) spec: WqSpec,
    pub(super) slot: WqSlot,
    pub(super) nodes: Option<NodeCounts>,
    pub(super) limits: Limits,
    pub(super) attrs: WorkqueueAttrs,
    /// By CPU.
    pub(super) table: Vec<PwqRef>,
    pub(super) dfl: Option<PwqRef>,
    /// Oldest first; those that were replaced stay until they have drained.
    pub(super) pwqs: Vec<PwqRef>,
    pub(super) flush: FlushState<u32>,
    pub(super) gate: Gate,
    pub(super) maydays: Maydays<(usize, PwqAddr)>,
    pub(super) rescuer: Option<RealRescuer>,
}

/// A workqueue's rescuer.
pub(super) struct RealRescuer {
    /// Its row, while it is at no pool.
    slot: Option<WorkerSlot>,
    /// Where it is, or was last.
    at: Option<(usize, PwqAddr)>,
}

pub(super) struct RealItem {
    pub(super) func: FuncId,
    pub(super) word: Word,
    on_list: ItemIx,
    before: Option<u32>,
}

/// See the module.
pub(super) struct Real {
    pub(super) now: u64,
    pub(super) segment: Segment,
    pub(super) affinity: Affinity,
    pub(super) pools: Vec<RealPool>,
    pub(super) wqs: Vec<RealWq>,
    pub(super) items: Vec<RealItem>,
    pub(super) pwqs_made: u64,
    /// What was said since the last step.
    pub(super) fx: Vec<Fx>,
    /// Effects of pools that others have to execute, by who has to.
    pub(super) left: Vec<VecDeque<(usize, Effect<u32>)>>,
    /// Whether those who have to execute effects may be late.
    pub(super) late: bool,
}

/// The number of an item as a work id, which is never 0.
pub(super) fn work(item: usize) -> u64 {
    item as u64 + 1
}

pub(super) fn worker_ix(worker: usize) -> WorkerIx {
    WorkerIx(worker as u32)
}

impl Real {
    pub(super) fn new(machine: Machine) -> Self {
        let text = format!("{}n{}l{}c1t", machine.nodes, machine.caches, machine.cpus);
        let topology: Topology = text.parse().expect("a topology");
        Self {
            now: 0,
            segment: Segment::in_memory(&SegmentConfig::default(), 0),
            affinity: Affinity::new(topology, AffinityScope::Cache).expect("a scope"),
            pools: Vec::new(),
            wqs: Vec::new(),
            items: Vec::new(),
            pwqs_made: 0,
            fx: Vec::new(),
            left: Vec::new(),
            late: false,
        }
    }

    pub(super) fn add_pool(
        &mut self,
        cpu: Option<u16>,
        nice: i32,
        bh: bool,
        attrs: Option<PoolAttrs>,
    ) {
        let number = self.pools.len() as u32;
        let info = PoolInfo {
            number,
            cpu,
            nice,
            flags: 0,
        };
        let slot = self.segment.pool(info);
        let uid = number + 1;
        let spec = PoolSpec {
            uid,
            number,
            cpu,
            nice,
            bh,
        };
        let core = PoolState::new(spec, &self.segment, slot, self.now);
        let mut core = core.with_attrs(attrs.as_ref());
        core.set_cpu_intensive_thresh(HOG);
        core.set_idle_timeout(IDLE_TIMEOUT);
        self.pools.push(RealPool {
            core,
            attrs,
            dying: false,
        });
    }

    /// A worker is created. Returns its number.
    pub(super) fn create(&mut self, pool: usize) -> usize {
        let core = &self.pools[pool].core;
        let next = core.next_worker();
        let slot = self.segment.worker(core.id(), next.0, "w", self.now);
        self.transact(pool, |core, now, fx| core.created(next, slot, now, fx));
        next.0 as usize
    }

    pub(super) fn add_item(&mut self) {
        let func = self.segment.function(&format!("f{}", self.items.len()));
        self.items.push(RealItem {
            func,
            word: Word(0),
            on_list: ItemIx(0),
            before: None,
        });
    }

    /// Kernel: `queue_work_on()`.
    pub(super) fn queue(&mut self, item: usize, wq: usize, cpu: usize, chained: bool) -> Claimed {
        let word = self.items[item].word;
        if word.pending() {
            return Claimed::Pending;
        }
        if word.depth() > 0 {
            return Claimed::Disabled;
        }
        if self.wqs[wq].gate.refuses(chained).is_some() {
            return Claimed::Dropped;
        }
        self.items[item].word = Word(word.0 | Word::PENDING);
        let target = self.wqs[wq].table[cpu];
        let there = self.pools[target.pool].core.has_pwq(target.ix, target.uid);
        assert!(there, "the table names pwqs that are there");
        let last = self.pool_of(item).filter(|&last| last != target.pool);
        let last = last.filter(|_| !self.wqs[wq].spec.ordered);
        let id = self.wqs[wq].slot.id();
        let behind = last.and_then(|last| {
            let theirs = self.pools[last].core.runs_for(work(item), id);
            theirs.map(|ix| (last, ix))
        });
        let (pool, ix) = behind.unwrap_or((target.pool, target.ix));
        let new = NewItem {
            job: item,
            work: work(item),
            func: self.items[item].func,
            req_cpu: REQ_CPU_LOCAL,
        };
        // The word first: effects are executed before the call returns.
        self.items[item].before = word.pool();
        self.items[item].word = Word::on_list(self.pools[pool].core.spec.uid);
        let queued = self.transact(pool, |core, now, fx| core.queue(ix, new, now, fx));
        let queued = queued.expect("no pool that is served by a pwq is at its end");
        self.items[item].on_list = queued.item;
        Claimed::Queued
    }

    /// The pool that the item is on, or was on last.
    pub(super) fn pool_of(&self, item: usize) -> Option<usize> {
        self.items[item].word.pool().map(|uid| uid as usize - 1)
    }

    /// Makes the caller the owner of the item, off all lists. Returns where it was; `None`: idle.
    pub(super) fn grab(&mut self, item: usize) -> Option<Was> {
        let word = self.items[item].word;
        self.items[item].word = Word(word.0 | Word::PENDING);
        if !word.queued() {
            assert!(!word.pending(), "nobody else owns it in between");
            return None;
        }
        let (pool, on_list) = (self.pool_of(item), self.items[item].on_list);
        let pool = pool.expect("a queued item is on a pool");
        self.items[item].word = word.taken_back(self.items[item].before);
        let (job, was) = self.transact(pool, |core, now, fx| core.cancel(on_list, now, fx));
        assert_eq!(job, item);
        Some(was)
    }

    /// The owner lets the item go, after `change`.
    pub(super) fn release(&mut self, item: usize, change: impl Fn(Word) -> Option<Word>) {
        let word = self.items[item].word;
        self.items[item].word = change(word).unwrap_or(word).released();
    }

    pub(super) fn wait_for(&mut self, item: usize, waiter: u32, running: bool) -> bool {
        let Some(pool) = self.pool_of(item) else {
            return false;
        };
        let core = &mut self.pools[pool].core;
        if !running && self.items[item].word.queued() {
            core.wait_for_item(self.items[item].on_list, waiter);
            return true;
        }
        let runner = core.executing(work(item));
        if let Some(runner) = runner {
            core.wait_for_worker(runner, waiter);
        }
        runner.is_some()
    }

    pub(super) fn flush(&mut self, wq: usize, waiter: u32) -> bool {
        let (flush, mut pwqs) = self.flush_of(wq);
        flush.begin(waiter, &mut pwqs) == Begin::Waiting
    }

    /// An execution begins: the item can be queued again.
    pub(super) fn begins(&mut self, item: usize, pool: usize) {
        let uid = self.pools[pool].core.spec.uid;
        assert_eq!(self.items[item].word, Word::on_list(uid));
        self.items[item].word = Word::on_list(uid).released();
    }
}

impl RealRescuer {
    pub(super) fn new(slot: WorkerSlot) -> Self {
        let slot = Some(slot);
        Self { slot, at: None }
    }
}

impl Real {
    fn rescuer(&mut self, wq: usize) -> &mut RealRescuer {
        self.wqs[wq].rescuer.as_mut().expect("it has a rescuer")
    }

    /// A rescuer that is at no pool looks who has called. Returns the pool to which it comes, and its number there.
    pub(super) fn answer(&mut self, wq: usize) -> Option<(usize, usize)> {
        let (pool, pwq) = self.wqs[wq].maydays.next()?;
        let slot = self.rescuer(wq).slot.take().expect("it is at no pool");
        let came = self.transact(pool, |core, now, fx| {
            core.attach_rescuer(pwq, slot, now, fx)
        });
        match came {
            Ok(WorkerIx(me)) => {
                self.rescuer(wq).at = Some((pool, pwq));
                Some((pool, me as usize))
            }
            Err(slot) => {
                self.rescuer(wq).slot = Some(slot);
                None
            }
        }
    }

    /// A rescuer that has come, or has finished an item, goes on. `None`: it leaves.
    pub(super) fn rescue(&mut self, wq: usize, pool: usize, me: usize) -> Option<Step<usize>> {
        let ix = worker_ix(me);
        let others_wait = self.wqs[wq].maydays.others_wait();
        let next = self.transact(pool, |core, now, fx| core.rescue(ix, others_wait, now, fx));
        match next {
            Rescue::Run(start) => Some(Step::Run(start)),
            Rescue::Leave { again } => {
                let slot = self.transact(pool, |core, now, fx| core.detach_rescuer(ix, now, fx));
                self.rescuer(wq).slot = Some(slot);
                if let Some(at) = self.rescuer(wq).at.filter(|_| again) {
                    self.wqs[wq].maydays.send(at);
                }
                None
            }
        }
    }
}
