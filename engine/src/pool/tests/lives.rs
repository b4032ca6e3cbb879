//! A pool driven by hand, for what happens to it in the course of its life.

use super::rig::segment;
use crate::pool::effect::{Effect, Effects};
use crate::pool::execute::{Done, Step};
use crate::pool::rescue::Rescue;
use crate::pool::state::{PoolSpec, PoolState, Role, WorkerIx};
use crate::pool::{Informant, ItemIx, Limit, NewItem, PwqIx, PwqSpec};
use wq_trace::{Counter, PoolInfo, REQ_CPU_LOCAL, WqId, WqSlot};

/// An idle worker that nobody woke.
pub(crate) const IDLE: Role = Role::Idle { woken: false };

/// What a worker does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Went {
    Park,
    Create,
    Cooldown(u64),
    Run,
    Die,
}

/// What a rescuer does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rescued {
    /// It runs this item.
    Run(usize),
    Leave,
    LeaveAgain,
}

pub(crate) struct Life {
    pub(crate) pool: PoolState<usize, u32>,
    pub(crate) now: u64,
    pub(crate) wqs: Vec<WqSlot>,
    /// Where each item was put; the first is item 1.
    pub(crate) items: Vec<ItemIx>,
    effects: Vec<Effect<u32>>,
}

fn from(step: &Step<usize>) -> Went {
    match step {
        Step::Park => Went::Park,
        Step::Create => Went::Create,
        Step::Cooldown(until) => Went::Cooldown(*until),
        Step::Run(_) => Went::Run,
        Step::Yield => panic!("no BH pool"),
        Step::Die => Went::Die,
    }
}

impl Life {
    /// A pool of CPU 0 with so many idle workers, made at 0, and one workqueue.
    pub(crate) fn bound(workers: usize) -> Self {
        Self::new(Some(0), workers)
    }

    pub(crate) fn unbound(workers: usize) -> Self {
        Self::new(None, workers)
    }

    fn new(cpu: Option<u16>, workers: usize) -> Self {
        let spec = PoolSpec {
            uid: 1,
            number: 2,
            cpu,
            nice: 0,
            bh: false,
        };
        let info = PoolInfo {
            number: 2,
            cpu,
            nice: 0,
            flags: 0,
        };
        let slot = segment().pool(info);
        let mut life = Self {
            pool: PoolState::new(spec, segment(), slot, 0),
            now: 0,
            wqs: Vec::new(),
            items: Vec::new(),
            effects: Vec::new(),
        };
        life.add_wq(true);
        (0..workers).for_each(|_| life.create());
        life
    }

    /// Workqueues are numbered as they are added; the first has a rescuer.
    pub(crate) fn add_wq(&mut self, mem_reclaim: bool) {
        let slot = segment().workqueue("q", 0, 1024);
        let spec = PwqSpec {
            wq: slot.id(),
            wq_name: "q".to_owned(),
            uid: self.wqs.len() as u64,
            limit: Limit {
                max_active: 1024,
                frozen: false,
                node: None,
                plugged: false,
            },
            ordered: false,
            cpu_intensive: false,
            mem_reclaim,
            work_color: 0,
        };
        self.pool.add_pwq(spec, self.now);
        self.wqs.push(slot);
    }

    fn act<R>(
        &mut self,
        f: impl FnOnce(&mut PoolState<usize, u32>, u64, &mut Effects<u32>) -> R,
    ) -> R {
        let mut fx = Effects::default();
        let result = f(&mut self.pool, self.now, &mut fx);
        self.effects.extend(fx.effects);
        result
    }

    pub(crate) fn create(&mut self) {
        let ix = self.pool.next_worker();
        let slot = segment().worker(self.pool.id(), ix.0, "w", self.now);
        self.act(|pool, now, fx| pool.created(ix, slot, now, fx));
    }

    /// So many new items on the first workqueue.
    pub(crate) fn queue(&mut self, count: usize) {
        (0..count).for_each(|_| self.queue_on(0));
    }

    pub(crate) fn queue_on(&mut self, wq: u32) {
        let new = NewItem {
            job: self.items.len(),
            work: self.items.len() as u64 + 1,
            func: segment().function("f"),
            req_cpu: REQ_CPU_LOCAL,
        };
        let queued = self.act(|pool, now, fx| pool.queue(PwqIx(wq), new, now, fx));
        self.items.push(queued.expect("the pool takes items").item);
    }

    pub(crate) fn cancel(&mut self, item: usize) {
        let ix = self.items[item];
        let (job, _) = self.act(|pool, now, fx| pool.cancel(ix, now, fx));
        assert_eq!(job, item);
    }

    pub(crate) fn step(&mut self, me: u32) -> Went {
        from(&self.act(|pool, now, fx| pool.step(WorkerIx(me), now, fx)))
    }

    pub(crate) fn create_failed(&mut self, me: u32) -> Went {
        from(&self.act(|pool, now, fx| pool.create_failed(WorkerIx(me), now, fx)))
    }

    pub(crate) fn cooled_down(&mut self, me: u32) -> Went {
        from(&self.act(|pool, now, fx| pool.cooled_down(WorkerIx(me), now, fx)))
    }

    pub(crate) fn manage_end(&mut self, me: u32) {
        self.act(|pool, now, fx| pool.manage_end(WorkerIx(me), now, fx));
    }

    fn complete(&mut self, me: WorkerIx) {
        let done = Done {
            at: self.now,
            cpu_ns: 0,
            panicked: false,
        };
        self.act(|pool, now, fx| {
            pool.execute_end(me, &done, now, fx);
            pool.complete(me, done, now, fx);
        });
    }

    /// The worker's execution ends, and it takes its next step.
    pub(crate) fn finish(&mut self, me: u32) -> Went {
        self.complete(WorkerIx(me));
        self.step(me)
    }

    /// The worker's item says that it blocks.
    pub(crate) fn sleeps(&mut self, me: u32) {
        let (me, by) = (WorkerIx(me), Informant::Hint);
        self.act(|pool, now, fx| pool.sleeping(me, by, None, now, fx));
    }

    /// It goes on.
    pub(crate) fn wakes(&mut self, me: u32) {
        let (me, by) = (WorkerIx(me), Informant::Hint);
        self.act(|pool, now, fx| pool.running(me, by, now, fx));
    }

    pub(crate) fn timer(&mut self) {
        self.act(PoolState::timer);
    }

    pub(crate) fn disassociate(&mut self) {
        self.act(PoolState::disassociate);
    }

    /// The worker was active just now.
    pub(crate) fn touch(&mut self, me: u32) {
        self.pool.worker_mut(WorkerIx(me)).last_active = self.now;
    }

    /// The thread of a worker that was told to leave leaves.
    pub(crate) fn dies(&mut self, me: usize) {
        assert_eq!(self.step(me as u32), Went::Die);
        self.pool.destroyed(WorkerIx(me as u32), self.now);
    }

    /// The workers woken since the last question.
    pub(crate) fn woken(&mut self) -> Vec<usize> {
        let woken = |effect: Effect<u32>| match effect {
            Effect::Wake(ix) => Some(ix.0 as usize),
            _ => None,
        };
        self.effects.drain(..).filter_map(woken).collect()
    }

    /// The calls for help since the last question.
    pub(crate) fn maydays(&mut self) -> Vec<(WqId, PwqIx)> {
        let call = |effect: Effect<u32>| match effect {
            Effect::Mayday(wq, pwq) => Some((wq, pwq.ix)),
            _ => None,
        };
        self.effects.drain(..).filter_map(call).collect()
    }

    /// The rescuer of a workqueue comes, if that has called.
    pub(crate) fn attach(&mut self, wq: usize) -> Option<WorkerIx> {
        let slot = segment().rescuer(self.wqs[wq].id(), "kworker/R-q", self.now);
        let pwq = self.pool.addr(PwqIx(wq as u32));
        let attached = self.act(|pool, now, fx| pool.attach_rescuer(pwq, slot, now, fx));
        attached.ok()
    }

    pub(crate) fn rescue(&mut self, me: WorkerIx, others_wait: bool) -> Rescued {
        let next = self.act(|pool, now, fx| pool.rescue(me, others_wait, now, fx));
        match next {
            Rescue::Run(start) => Rescued::Run(start.job),
            Rescue::Leave { again: false } => Rescued::Leave,
            Rescue::Leave { again: true } => Rescued::LeaveAgain,
        }
    }

    /// The rescuer's execution ends, and it takes its next step.
    pub(crate) fn rescue_next(&mut self, me: WorkerIx, others_wait: bool) -> Rescued {
        self.complete(me);
        self.rescue(me, others_wait)
    }

    pub(crate) fn detach(&mut self, me: WorkerIx) {
        self.act(|pool, now, fx| pool.detach_rescuer(me, now, fx));
    }

    pub(crate) fn counted(&self, wq: u32, counter: Counter) -> u64 {
        let pwq = self.pool.pwq(PwqIx(wq)).slot.id();
        let snapshot = wq_trace::Reader::in_memory(segment())
            .snapshot()
            .expect("it is whole");
        let row = snapshot.pwqs.iter().find(|row| row.id == pwq);
        row.expect("the pwq has a row").counters[counter as usize]
    }
}
