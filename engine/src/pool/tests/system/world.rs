//! What can happen to an engine: it happens to the pure centre and to the model.

use super::draining::Drain;
use super::items::Claimed;
use super::model::{At, Attrs, Fx, Item, Machine, Model, Noticed, Worker, WqSpec};
use super::real::{HOG, Real, worker_ix};
use super::workers::Stepped;
use crate::pool::{Done, Informant, Step};
use crate::wq::Word;
use std::collections::{BTreeMap, BTreeSet};

/// What can happen. A number picks one of those to which it can happen at that moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Op {
    /// An item, be it idle, pending, disabled or running, is queued on its workqueue, or on that so many further on, for
    /// a CPU.
    Queue(usize, usize, usize),
    /// As `Queue`, by a work function that runs, which is picked by the last number.
    QueueBy(usize, usize, usize, usize),
    Cancel(usize),
    /// Queueings are refused from now on.
    Disable(usize),
    /// Takes that back, once; one that is too many takes a pending item away.
    Enable(usize),
    /// Somebody cancels an item and waits for what runs of it; queueings are refused meanwhile.
    CancelSync(usize),
    /// Somebody who waited in `CancelSync` goes on.
    CancelSyncEnd(usize),
    /// Somebody waits for an item that is queued or runs.
    Flush(usize),
    /// Somebody waits for all items of a workqueue.
    FlushWq(usize),
    /// Somebody begins to drain a workqueue.
    Drain(usize),
    /// Somebody whose flush is over looks whether the drain is.
    DrainOn(usize),
    MaxActive(usize, usize),
    MinActive(usize, usize),
    /// All freezable workqueues freeze, or thaw.
    Freeze(bool),
    Attrs(usize, Attrs),
    /// A CPU leaves, or comes back.
    Online(usize, bool),
    /// A pool's timer rings, when it is due; if none is armed, for no reason.
    Timer(usize),
    /// A rescuer outside of a work function goes on.
    Rescuer(usize),
    /// A worker outside of a work function takes its next step on a CPU, even if nobody woke it.
    Step(usize, usize),
    /// The manager has created a worker, or has failed to.
    Created(usize, bool),
    /// A work function blocks, and says so.
    Hint(usize),
    /// A work function blocks, and says nothing.
    Block(usize),
    /// The tick looks at a blocked worker.
    NoticeSleep(usize),
    /// A blocked worker runs again. Who said that it sleeps says that too.
    Unblock(usize),
    /// The tick sees a worker run that is known as sleeping.
    NoticeRun(usize),
    /// A work function is found to have used its CPU for long.
    Hog(usize),
    /// A work function returns, or panics.
    Return(usize, bool),
    /// Somebody who is late executes an effect.
    CatchUp(usize),
    /// So much time passes.
    Pass(u64),
}

/// What an engine consists of.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) machine: Machine,
    pub(super) wqs: Vec<WqSpec>,
    pub(super) items: usize,
    /// Workers of each per-CPU pool.
    pub(super) workers: usize,
    /// Whether effects on other pools and workqueues may be executed late, as threads may.
    pub(super) late: bool,
    /// No worker can be created, until everything comes to its end.
    pub(super) starved: bool,
}

/// Both, side by side.
pub(super) struct World {
    pub(super) real: Real,
    pub(super) model: Model,
    late: bool,
    starved: bool,
    waiters: u32,
    /// Who waits.
    pub(super) open: BTreeSet<u32>,
    /// Items that somebody cancels and waits for, and by which waiter.
    pub(super) syncs: Vec<(usize, Option<u32>)>,
    pub(super) drains: Vec<Drain>,
    /// Kinds of what was said and of steps that were taken.
    pub(super) met: BTreeSet<String>,
    /// By workqueue: where its rescuer is.
    pub(super) rescuers: Vec<Option<(usize, usize)>>,
}

impl World {
    pub(super) fn new(shape: &Shape) -> Self {
        let machine = shape.machine;
        let mut real = Real::new(machine);
        let mut model = Model {
            machine,
            now: 0,
            pools: Vec::new(),
            pwqs: Vec::new(),
            wqs: Vec::new(),
            items: Vec::new(),
            queueings: 0,
            reserved: Vec::new(),
            seen: BTreeMap::new(),
            fx: Vec::new(),
            left: Vec::new(),
            late: false,
        };
        for pool in 0..4 * machine.count() {
            let nice = if pool % 2 == 1 { -20 } else { 0 };
            let bh = pool % 4 >= 2;
            let workers = if bh { 0 } else { shape.workers };
            real.add_pool(Some(pool as u16 / 4), nice, bh, None);
            (0..workers).for_each(|worker| assert_eq!(real.create(pool), worker));
            model.add_pool(None, 0);
            model.pools[pool].bh = bh;
            model.pools[pool].managed = !bh;
            (0..workers).for_each(|_| model.create(pool));
        }
        for &spec in &shape.wqs {
            real.add_wq(spec);
            model.add_wq(spec);
        }
        for _ in 0..shape.items {
            real.add_item();
            model.items.push(Item::new());
        }
        let world = Self {
            real,
            model,
            late: shape.late,
            starved: shape.starved,
            waiters: 0,
            open: BTreeSet::new(),
            syncs: Vec::new(),
            drains: Vec::new(),
            met: BTreeSet::new(),
            rescuers: vec![None; shape.wqs.len()],
        };
        world.compare();
        world
    }

    /// Pool and number of the workers of which this holds.
    fn workers(&self, which: impl Fn(&Worker) -> bool) -> Vec<(usize, usize)> {
        let pools = 0..self.model.pools.len();
        let all = pools.flat_map(|pool| {
            let workers = self.model.workers_of(pool).into_iter();
            workers.map(move |me| (pool, me))
        });
        all.filter(|&(pool, me)| which(self.model.worker(pool, me)))
            .collect()
    }

    /// The workers to which this can happen now.
    pub(super) fn candidates(&self, op: Op) -> Vec<(usize, usize)> {
        let runs = |w: &Worker| w.run.is_some();
        match op {
            Op::Step(..) => {
                let steps =
                    self.workers(|w| w.run.is_none() && !matches!(w.at, At::Managing | At::Gone));
                let pools = |(_, me): &(usize, usize)| *me < Worker::RESCUER;
                steps.into_iter().filter(pools).collect()
            }
            Op::Created(..) => self.workers(|w| w.at == At::Managing),
            Op::Hint(_) => self.workers(|w| runs(w) && w.blocked.is_none()),
            Op::Block(_) => self.workers(|w| runs(w) && w.blocked.is_none() && w.noticed.is_none()),
            Op::NoticeSleep(_) => self.workers(|w| w.blocked.is_some() && w.noticed.is_none()),
            Op::Unblock(_) => self.workers(|w| w.blocked.is_some()),
            // A worker's own word that it sleeps is not overruled.
            Op::NoticeRun(_) => self.workers(|w| {
                w.noticed == Some(Noticed::Hint)
                    || w.noticed == Some(Noticed::Tick) && w.blocked.is_none()
            }),
            Op::Return(..) | Op::Hog(_) => self.workers(|w| runs(w) && w.blocked.is_none()),
            _ => Vec::new(),
        }
    }

    /// Lets `op` happen, and compares. Nothing happens if it cannot.
    pub(super) fn apply(&mut self, op: Op) {
        match op {
            Op::Step(n, _)
            | Op::Created(n, _)
            | Op::Hint(n)
            | Op::Block(n)
            | Op::NoticeSleep(n)
            | Op::Unblock(n)
            | Op::NoticeRun(n)
            | Op::Hog(n)
            | Op::Return(n, _) => {
                let candidates = self.candidates(op);
                if candidates.is_empty() {
                    return;
                }
                self.set_late(self.late);
                let (pool, me) = candidates[n % candidates.len()];
                self.worker_op(op, pool, me);
            }
            Op::Queue(..)
            | Op::QueueBy(..)
            | Op::Cancel(_)
            | Op::Disable(_)
            | Op::Enable(_)
            | Op::CancelSync(_)
            | Op::CancelSyncEnd(_)
            | Op::Timer(_)
            | Op::Rescuer(_)
            | Op::Flush(_) => {
                self.set_late(self.late);
                self.item_op(op);
            }
            _ => {
                // Under the workqueue's mutex, and with more than one pool.
                self.set_late(false);
                self.wq_op(op);
            }
        }
        self.model.look();
        self.check_said(op);
        self.compare();
    }

    fn set_late(&mut self, late: bool) {
        (self.real.late, self.model.late) = (late, late);
    }

    /// Both have said the same, and nobody is told twice to go on.
    fn check_said(&mut self, op: Op) {
        let said = std::mem::take(&mut self.real.fx);
        let expected = std::mem::take(&mut self.model.fx);
        assert_eq!(said, expected, "effects of {op:?}");
        for fx in said {
            self.meet(&fx);
            if let Fx::Complete(waiter) = fx {
                assert!(self.open.remove(&waiter), "waiter {waiter} waits");
            }
        }
    }

    fn meet(&mut self, what: &impl std::fmt::Debug) {
        let text = format!("{what:?}");
        let kind = text
            .split(['(', ' '])
            .next()
            .expect("the first of all parts");
        if !self.met.contains(kind) {
            self.met.insert(kind.to_owned());
        }
    }

    fn item_op(&mut self, op: Op) {
        let items = self.model.items.len();
        match op {
            Op::Queue(item, other, cpu) => self.queue((item, other, cpu), None),
            Op::QueueBy(item, other, cpu, by) => {
                let running: Vec<usize> = self.model.runs().map(|run| run.pwq).collect();
                if !running.is_empty() {
                    self.queue((item, other, cpu), Some(running[by % running.len()]));
                }
            }
            Op::Timer(n) => self.timer(n),
            Op::Rescuer(n) => self.rescuer(n),
            Op::Cancel(item) => self.take_back(item % items, Some),
            Op::Disable(item) => {
                self.take_back(item % items, Word::deeper);
                self.model.items[item % items].depth += 1;
            }
            Op::Enable(item) => {
                let item = item % items;
                let syncs = self.syncs.iter().filter(|(other, _)| *other == item);
                // Who takes back what a `cancel_sync` has done asks for what follows.
                if syncs.count() as u32 != self.model.items[item].depth
                    || self.model.items[item].depth == 0
                {
                    self.enable(item);
                }
            }
            Op::CancelSync(item) => {
                let item = item % items;
                self.take_back(item, Word::deeper);
                self.model.items[item].depth += 1;
                let waiter = self.wait_for(item, true);
                self.syncs.push((item, waiter));
            }
            Op::CancelSyncEnd(n) => {
                let may = |(_, waiter): &(usize, Option<u32>)| {
                    waiter.is_none_or(|waiter| !self.open.contains(&waiter))
                };
                let done: Vec<usize> = (0..self.syncs.len())
                    .filter(|&at| may(&self.syncs[at]))
                    .collect();
                if !done.is_empty() {
                    let (item, _) = self.syncs.remove(done[n % done.len()]);
                    self.enable(item);
                }
            }
            Op::Flush(item) => {
                self.wait_for(item % items, false);
            }
            _ => unreachable!("not about an item"),
        }
    }

    /// `by`: the pwq of the execution that queues.
    fn queue(&mut self, (item, other, cpu): (usize, usize, usize), by: Option<usize>) {
        let item = item % self.model.items.len();
        let wq = (item + other) % self.model.wqs.len();
        let cpu = cpu % self.model.machine.count();
        let chained = by.is_some_and(|pwq| self.model.pwqs[pwq].wq == wq);
        let claimed: Claimed = self.real.queue(item, wq, cpu, chained);
        assert_eq!(claimed, self.model.queue(item, wq, cpu, chained));
        self.meet(&claimed);
    }

    /// Waits for what is in flight; by whom, if there is something.
    pub(super) fn flush_wq(&mut self, wq: usize) -> Option<u32> {
        self.waiters += 1;
        let waits = self.real.flush(wq, self.waiters);
        assert_eq!(waits, self.model.flush(wq, self.waiters));
        waits.then(|| {
            self.open.insert(self.waiters);
            self.waiters
        })
    }

    /// Takes an item off its list if it is on one, and lets it go after `change`.
    fn take_back(&mut self, item: usize, change: impl Fn(Word) -> Option<Word>) {
        let was = self.real.grab(item);
        self.real.release(item, change);
        assert_eq!(was.is_some(), self.model.grab(item), "it was pending");
    }

    fn enable(&mut self, item: usize) {
        self.take_back(item, Word::shallower);
        let depth = &mut self.model.items[item].depth;
        *depth = depth.saturating_sub(1);
    }

    fn wait_for(&mut self, item: usize, running: bool) -> Option<u32> {
        self.waiters += 1;
        let waits = self.real.wait_for(item, self.waiters, running);
        assert_eq!(waits, self.model.wait_for(item, self.waiters, running));
        waits.then(|| {
            self.open.insert(self.waiters);
            self.waiters
        })
    }

    fn wq_op(&mut self, op: Op) {
        let wqs = self.model.wqs.len();
        match op {
            Op::FlushWq(wq) => {
                self.flush_wq(wq % wqs);
            }
            Op::Drain(_) | Op::DrainOn(_) => self.drain_op(op),
            Op::MaxActive(wq, max) => {
                self.real.set_max_active(wq % wqs, max);
                self.model.set_max_active(wq % wqs, max);
            }
            Op::MinActive(wq, min) => {
                self.real.set_min_active(wq % wqs, min);
                self.model.set_min_active(wq % wqs, min);
            }
            Op::Freeze(frozen) => {
                self.real.set_frozen(frozen);
                self.model.set_frozen(frozen);
            }
            Op::Attrs(wq, attrs) => {
                if self.model.wqs[wq % wqs].spec.unbound {
                    self.real.apply_attrs(wq % wqs, &attrs);
                    self.model.apply_attrs(wq % wqs, attrs);
                }
            }
            Op::Online(cpu, online) => {
                let cpu = cpu % self.model.machine.count();
                for pool in 4 * cpu..4 * cpu + 4 {
                    self.real.transact(pool, |core, now, fx| match online {
                        true => core.rebind(now),
                        false => core.disassociate(now, fx),
                    });
                }
                self.model.set_online(cpu, online);
            }
            Op::CatchUp(n) => {
                if !self.model.left.is_empty() {
                    let who = n % self.model.left.len();
                    self.real.catch_up(who);
                    self.model.catch_up(who);
                }
            }
            Op::Pass(time) => {
                self.real.now += time;
                self.model.pass(time);
            }
            _ => unreachable!("about an item or a worker"),
        }
    }

    fn worker_op(&mut self, op: Op, pool: usize, me: usize) {
        let now = self.model.now;
        let ix = worker_ix(me);
        match op {
            Op::Step(_, cpu) => self.step(pool, me, cpu % self.model.machine.count()),
            Op::Created(_, works) => self.manage(pool, me, works && !self.starved),
            Op::Block(_) => self.model.worker_mut(pool, me).blocked = Some(now),
            Op::Hint(_) => {
                self.model.worker_mut(pool, me).blocked = Some(now);
                self.real.transact(pool, |core, now, fx| {
                    core.sleeping(ix, Informant::Hint, None, now, fx);
                });
                self.model.sleeps(pool, me, Noticed::Hint);
            }
            Op::NoticeSleep(_) => {
                let from = self.model.worker(pool, me).blocked;
                self.real.transact(pool, |core, now, fx| {
                    core.sleeping(ix, Informant::Look, from, now, fx);
                });
                self.model.sleeps(pool, me, Noticed::Tick);
            }
            Op::Unblock(_) => {
                let worker = self.model.worker_mut(pool, me);
                worker.blocked = None;
                if worker.noticed == Some(Noticed::Hint) {
                    self.wakes_up(pool, me, Informant::Hint);
                }
            }
            Op::NoticeRun(_) => self.wakes_up(pool, me, Informant::Look),
            Op::Hog(_) => {
                self.real
                    .transact(pool, |core, now, fx| core.has_used(ix, HOG, now, fx));
                self.model.hogs(pool, me);
            }
            Op::Return(_, panicked) => {
                let (at, cpu_ns) = (now, 0);
                let done = Done {
                    at,
                    cpu_ns,
                    panicked,
                };
                self.real.transact(pool, |core, now, fx| {
                    core.execute_end(ix, &done, now, fx);
                    core.complete(ix, done, now, fx);
                });
                self.model.complete(pool, me);
            }
            _ => unreachable!("not about a worker"),
        }
    }

    fn wakes_up(&mut self, pool: usize, me: usize, by: Informant) {
        let worker = self.model.worker_mut(pool, me);
        if by == Informant::Hint || worker.noticed == Some(Noticed::Tick) {
            worker.noticed = None;
        }
        self.real.transact(pool, |core, now, fx| {
            core.running(worker_ix(me), by, now, fx);
        });
    }

    /// A manager tries to create a worker; one that pauses after a failure goes on.
    fn manage(&mut self, pool: usize, me: usize, works: bool) {
        let ix = worker_ix(me);
        let pauses = self.model.pools[pool].workers[me].pauses;
        let step = match (pauses, works) {
            (true, _) => self
                .real
                .transact(pool, |core, now, fx| core.cooled_down(ix, now, fx)),
            (_, false) => self
                .real
                .transact(pool, |core, now, fx| core.create_failed(ix, now, fx)),
            _ => {
                self.real.create(pool);
                self.model.create(pool);
                self.real
                    .transact(pool, |core, now, fx| core.manage_end(ix, now, fx));
                self.model.manage_end(pool, me);
                return;
            }
        };
        let stepped = self.went(pool, me, step);
        assert_eq!(stepped, self.model.manage_on(pool, me, !pauses));
    }

    fn step(&mut self, pool: usize, me: usize, cpu: usize) {
        let ix = worker_ix(me);
        let step = self.real.transact(pool, |core, now, fx| {
            core.take_pulled_back(ix);
            let step = core.step(ix, now, fx);
            if matches!(step, Step::Park) && core.home().is_some() {
                core.idles_on(ix, cpu);
            }
            step
        });
        let stepped = self.went(pool, me, step);
        assert_eq!(stepped, self.model.step(pool, me, cpu));
    }

    /// What a step of the pure centre comes to.
    pub(super) fn went(&mut self, pool: usize, me: usize, step: Step<usize>) -> Stepped {
        let stepped = match step {
            Step::Park => Stepped::Park,
            Step::Create => Stepped::Create,
            Step::Cooldown(_) => Stepped::Cooldown,
            Step::Run(start) => {
                assert_eq!(start.at, self.model.now);
                self.real.begins(start.job, pool);
                Stepped::Run {
                    item: start.job,
                    queued_at: start.queued_at,
                }
            }
            Step::Die => {
                let ix = worker_ix(me);
                self.real
                    .transact(pool, |core, now, _| core.destroyed(ix, now));
                Stepped::Die
            }
            Step::Yield => Stepped::Yield,
        };
        self.meet(&stepped);
        stepped
    }

    /// Lets everything that began come to its end; only woken workers step.
    pub(super) fn settle(&mut self) {
        self.starved = false;
        self.apply(Op::Freeze(false));
        for _ in 0..5000 {
            let ready = |w: &Worker| {
                let sleeps = matches!(w.at, At::Managing | At::Gone | At::Idle { woken: false });
                w.run.is_none() && !sleeps
            };
            let steps = self.candidates(Op::Step(0, 0));
            let ready = |&(pool, worker): &(usize, usize)| {
                self.model.pools[pool].dying || ready(&self.model.pools[pool].workers[worker])
            };
            let step = steps.iter().position(ready);
            let can = |op| !self.candidates(op).is_empty();
            let next = if !self.model.left.is_empty() {
                Op::CatchUp(0)
            } else if !self.ready_rescuers().is_empty() {
                Op::Rescuer(0)
            } else if can(Op::Created(0, true)) {
                Op::Created(0, true)
            } else if can(Op::Unblock(0)) {
                Op::Unblock(0)
            } else if can(Op::Return(0, false)) {
                Op::Return(0, false)
            } else if let Some(step) = step {
                Op::Step(step, 0)
            } else if !self.drains.is_empty() {
                Op::DrainOn(0)
            } else if !self.syncs.is_empty() {
                Op::CancelSyncEnd(0)
            } else {
                return;
            };
            self.apply(Op::Pass(1));
            self.apply(next);
        }
        panic!("it does not come to rest");
    }
}
