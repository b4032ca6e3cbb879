//! A real pool and the model of one, driven side by side and compared after every step.

use super::model::{At, Item, Model, Noticed, Stepped, Worker, Wq, WqSpec};
use crate::pool::list::{ItemIx, List};
use crate::pool::{
    Done, Effect, Effects, Informant, Limit, NR_COLORS, NewItem, PoolSpec, PoolState, PwqIx,
    PwqSpec, Step, WorkerIx,
};
use std::sync::OnceLock;
use wq_trace::{
    Breakdown, FuncId, PoolInfo, REQ_CPU_LOCAL, Reader, Segment, SegmentConfig, Was, WqSlot,
};

/// What can happen. Each picks one of those to which it can happen at that moment, by a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// An idle item is queued.
    Queue(usize),
    /// A queued item is cancelled.
    Cancel(usize),
    /// Somebody waits for an item that is queued or runs.
    WaitFor(usize),
    /// Somebody waits for all items of a workqueue.
    Flush(usize),
    /// A worker outside of a work function takes its next step, even if nobody woke it.
    Step(usize),
    /// The manager has created a worker, or has failed to.
    Created(bool),
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
    /// A work function returns.
    Return(usize),
    /// A work function is found to hog its CPU.
    Hog(usize),
    /// So much time passes.
    Pass(u64),
}

/// CPU time that makes a hog.
const HOG: u64 = 10;

/// The pool's shape.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) managed: bool,
    pub(super) wqs: Vec<WqSpec>,
    /// The workqueue of each item.
    pub(super) items: Vec<usize>,
    pub(super) workers: usize,
}

pub(super) struct Rig {
    pool: PoolState<usize, u32>,
    pub(super) model: Model,
    segment: Segment,
    funcs: Vec<FuncId>,
    /// By item, while it is queued.
    on_list: Vec<Option<ItemIx>>,
    waiters: u32,
    _wqs: Vec<WqSlot>,
}

/// One segment for all: pools that are gone leave their slots.
pub(super) fn segment() -> &'static Segment {
    static SEGMENT: OnceLock<Segment> = OnceLock::new();
    SEGMENT.get_or_init(|| Segment::in_memory(&SegmentConfig::default(), 0))
}

/// The model knows no timers.
fn without_timers(mut fx: Effects<u32>) -> Vec<Effect<u32>> {
    fx.effects
        .retain(|effect| !matches!(effect, Effect::Timer(_)));
    fx.effects
}

fn ix(worker: usize) -> WorkerIx {
    WorkerIx(worker as u32)
}

impl Rig {
    pub(super) fn new(shape: &Shape, segment: &Segment) -> Self {
        let cpu = shape.managed.then_some(0);
        let (number, nice) = (2, 0);
        let slot = segment.pool(PoolInfo {
            number,
            cpu,
            nice,
            flags: 0,
        });
        let spec = PoolSpec {
            uid: 1,
            number,
            cpu,
            nice,
            bh: false,
        };
        let mut rig = Self {
            pool: PoolState::new(spec, segment, slot, 0),
            model: Model {
                managed: shape.managed,
                now: 0,
                wqs: Vec::new(),
                items: Vec::new(),
                worklist: Vec::new(),
                workers: Vec::new(),
                idle: Vec::new(),
                fx: Vec::new(),
            },
            segment: segment.clone(),
            funcs: Vec::new(),
            on_list: vec![None; shape.items.len()],
            waiters: 0,
            _wqs: Vec::new(),
        };
        rig.pool.set_cpu_intensive_thresh(HOG);
        shape.wqs.iter().for_each(|wq| rig.add_wq(*wq));
        shape.items.iter().for_each(|wq| rig.add_item(*wq));
        (0..shape.workers).for_each(|_| rig.create());
        rig
    }

    fn add_wq(&mut self, spec: WqSpec) {
        let index = self.model.wqs.len();
        let slot = self.segment.workqueue("q", 0, spec.max_active as u32);
        let id = slot.id();
        let pwq_spec = PwqSpec {
            wq: id,
            wq_name: format!("q{index}"),
            uid: index as u64,
            limit: Limit {
                max_active: spec.max_active,
                frozen: false,
                node: None,
                plugged: false,
            },
            ordered: spec.ordered,
            cpu_intensive: spec.cpu_intensive,
            mem_reclaim: false,
            work_color: 0,
        };
        let pwq = self.pool.add_pwq(pwq_spec, self.model.now);
        assert_eq!(pwq, PwqIx(index as u32));
        self._wqs.push(slot);
        self.model.wqs.push(Wq {
            spec,
            id,
            inactive: Vec::new(),
            active: 0,
            color: 0,
            armed: None,
        });
    }

    fn add_item(&mut self, wq: usize) {
        let func = self.segment.function(&format!("f{}", self.funcs.len()));
        self.funcs.push(func);
        self.model.items.push(Item {
            wq,
            queued: None,
            waits: Breakdown::default(),
            queueings: 0,
            starts: 0,
            cancels: 0,
        });
    }

    fn create(&mut self) {
        let next = self.pool.next_worker();
        assert_eq!(next, ix(self.model.workers.len()));
        let now = self.model.now;
        let slot = self.segment.worker(self.pool.id(), next.0, "w", now);
        let mut fx = Effects::default();
        self.pool.created(next, slot, now, &mut fx);
        assert_eq!(without_timers(fx), [], "a created worker is not woken");
        self.model.create();
    }

    fn workers(&self, which: impl Fn(&Worker) -> bool) -> Vec<usize> {
        let all = 0..self.model.workers.len();
        all.filter(|&w| which(&self.model.workers[w])).collect()
    }

    /// Those to which this can happen now.
    fn candidates(&self, op: Op) -> Vec<usize> {
        let queued = |i: &usize| self.model.items[*i].queued.is_some();
        let items = 0..self.model.items.len();
        match op {
            Op::Queue(_) => items.filter(|i| !queued(i)).collect(),
            Op::Cancel(_) => items.filter(queued).collect(),
            Op::WaitFor(_) => items
                .filter(|i| queued(i) || self.model.runner_of(*i).is_some())
                .collect(),
            Op::Flush(_) => (0..self.model.wqs.len())
                .filter(|&q| self.model.wqs[q].armed.is_none())
                .collect(),
            Op::Step(_) => self.workers(|w| w.run.is_none() && w.at != At::Managing),
            Op::Created(_) => self.workers(|w| w.at == At::Managing),
            // A worker that the tick has found asleep may say so as well.
            Op::Hint(_) => self.workers(|w| w.run.is_some() && w.blocked.is_none()),
            Op::Block(_) => {
                self.workers(|w| w.run.is_some() && w.blocked.is_none() && w.noticed.is_none())
            }
            Op::NoticeSleep(_) => self.workers(|w| w.blocked.is_some() && w.noticed.is_none()),
            Op::Unblock(_) => self.workers(|w| w.blocked.is_some()),
            Op::NoticeRun(_) => self.workers(|w| {
                w.noticed == Some(Noticed::Hint)
                    || w.noticed == Some(Noticed::Tick) && w.blocked.is_none()
            }),
            Op::Return(_) => self.workers(|w| w.run.is_some() && w.blocked.is_none()),
            Op::Hog(_) => self.workers(|w| w.run.is_some() && w.blocked.is_none()),
            Op::Pass(_) => vec![0],
        }
    }

    /// Every single thing that can happen now, without time passing.
    pub(super) fn possible(&self) -> Vec<Op> {
        let kinds = [
            Op::Queue,
            Op::Cancel,
            Op::Step,
            Op::Hint,
            Op::Block,
            Op::NoticeSleep,
            Op::Unblock,
            Op::Return,
        ];
        let each = kinds.into_iter().flat_map(|kind| {
            let candidates = self.candidates(kind(0)).len();
            (0..candidates).map(kind)
        });
        let managing = !self.candidates(Op::Created(true)).is_empty();
        let manages = [Op::Created(true), Op::Created(false)];
        each.chain(manages.into_iter().filter(|_| managing))
            .collect()
    }

    /// Lets `op` happen to the pool and to the model, and compares them. Nothing happens if it cannot.
    pub(super) fn apply(&mut self, op: Op) {
        let candidates = self.candidates(op);
        if candidates.is_empty() {
            return;
        }
        let pick = |n: usize| candidates[n % candidates.len()];
        let now = self.model.now;
        let mut fx = Effects::default();
        match op {
            Op::Pass(time) => self.model.pass(time),
            Op::Queue(n) => self.queue(pick(n), &mut fx),
            Op::Cancel(n) => self.cancel(pick(n), &mut fx),
            Op::WaitFor(n) => self.wait_for(pick(n)),
            Op::Flush(n) => self.flush(pick(n)),
            Op::Step(n) => self.step(pick(n), &mut fx),
            Op::Created(works) => {
                if works {
                    self.create();
                }
                let manager = pick(0);
                self.pool.manage_end(ix(manager), now, &mut fx);
                self.model.workers[manager].at = At::Preparing;
            }
            Op::Block(n) => self.model.workers[pick(n)].blocked = Some(now),
            Op::Hint(n) => {
                let me = pick(n);
                self.model.workers[me].blocked = Some(now);
                self.pool
                    .sleeping(ix(me), Informant::Hint, None, now, &mut fx);
                self.model.sleeps(me, Noticed::Hint);
            }
            Op::NoticeSleep(n) => {
                let me = pick(n);
                let from = self.model.workers[me].blocked;
                self.pool
                    .sleeping(ix(me), Informant::Look, from, now, &mut fx);
                self.model.sleeps(me, Noticed::Tick);
            }
            Op::Unblock(n) => {
                let worker = &mut self.model.workers[pick(n)];
                worker.blocked = None;
                if worker.noticed == Some(Noticed::Hint) {
                    worker.noticed = None;
                    self.pool
                        .running(ix(pick(n)), Informant::Hint, now, &mut fx);
                }
            }
            Op::NoticeRun(n) => {
                let worker = &mut self.model.workers[pick(n)];
                // A worker's own word that it sleeps is not overruled.
                if worker.noticed == Some(Noticed::Tick) {
                    worker.noticed = None;
                }
                self.pool
                    .running(ix(pick(n)), Informant::Look, now, &mut fx);
            }
            Op::Return(n) => self.returns(pick(n), &mut fx),
            Op::Hog(n) => self.hog(pick(n), &mut fx),
        }
        self.model.look();
        assert_eq!(
            without_timers(fx),
            std::mem::take(&mut self.model.fx),
            "effects of {op:?}"
        );
        self.compare(op);
    }

    fn queue(&mut self, item: usize, fx: &mut Effects<u32>) {
        let new = NewItem {
            job: item,
            work: item as u64 + 1,
            func: self.funcs[item],
            req_cpu: REQ_CPU_LOCAL,
        };
        let pwq = PwqIx(self.model.items[item].wq as u32);
        let queued = self.pool.queue(pwq, new, self.model.now, fx);
        self.on_list[item] = Some(queued.expect("the pool takes items").item);
        self.model.queue(item);
    }

    fn cancel(&mut self, item: usize, fx: &mut Effects<u32>) {
        let on_list = self.on_list[item].take().expect("it is queued");
        let (job, was) = self.pool.cancel(on_list, self.model.now, fx);
        assert_eq!(job, item);
        let held = self.model.cancel(item);
        assert_eq!(was == Was::Inactive, held);
    }

    fn wait_for(&mut self, item: usize) {
        self.waiters += 1;
        // As a flush does: the queued instance if there is one, else the running one.
        if let (Some(on_list), Some(queued)) =
            (self.on_list[item], &mut self.model.items[item].queued)
        {
            self.pool.wait_for_item(on_list, self.waiters);
            queued.waiters.push(self.waiters);
        } else if let Some(runner) = self.model.runner_of(item) {
            assert_eq!(self.pool.executing(item as u64 + 1), Some(ix(runner)));
            self.pool.wait_for_worker(ix(runner), self.waiters);
            let run = self.model.workers[runner].run.as_mut();
            run.expect("it executes").waiters.push(self.waiters);
        }
    }

    fn flush(&mut self, wq: usize) {
        let color = |n: u64| (n % NR_COLORS as u64) as u8;
        let mine = self.model.wqs[wq].color;
        let pwq = PwqIx(wq as u32);
        self.pool.set_work_color(pwq, color(mine + 1));
        let waits = self.pool.arm_flush(pwq, color(mine));
        assert_eq!(waits, self.model.flush(wq), "something to wait for");
    }

    fn step(&mut self, me: usize, fx: &mut Effects<u32>) {
        let stepped = match self.pool.step(ix(me), self.model.now, fx) {
            Step::Park => Stepped::Park,
            Step::Create => Stepped::Create,
            Step::Run(start) => {
                assert_eq!(start.at, self.model.now);
                self.on_list[start.job] = None;
                Stepped::Run {
                    item: start.job,
                    queued_at: start.queued_at,
                }
            }
            Step::Yield => panic!("no BH pool"),
            Step::Cooldown(_) | Step::Die => panic!("no creation fails, and nobody leaves"),
        };
        assert_eq!(stepped, self.model.step(me));
    }

    fn returns(&mut self, me: usize, fx: &mut Effects<u32>) {
        let done = Done {
            at: self.model.now,
            cpu_ns: 0,
            panicked: false,
        };
        self.pool.execute_end(ix(me), &done, self.model.now, fx);
        self.pool.complete(ix(me), done, self.model.now, fx);
        self.model.complete(me);
    }

    /// Nothing comes of it if the worker does not count, or not any more.
    fn hog(&mut self, me: usize, fx: &mut Effects<u32>) {
        self.pool.has_used(ix(me), HOG, self.model.now, fx);
        if self.model.counted(me) {
            let run = self.model.workers[me].run.as_ref();
            let item = run.expect("it executes").item;
            self.model.hog(me, self.funcs[item]);
        }
    }

    fn jobs(&self, list: &List) -> Vec<usize> {
        let items = self.pool.items.iter(list);
        items.map(|ix| self.pool.items.get(ix).job).collect()
    }

    fn compare(&self, op: Op) {
        let (pool, model) = (&self.pool, &self.model);
        assert_eq!(
            self.jobs(&pool.worklist),
            model.worklist,
            "worklist after {op:?}"
        );
        for (index, wq) in model.wqs.iter().enumerate() {
            let pwq = pool.pwq(PwqIx(index as u32));
            assert_eq!(
                self.jobs(&pwq.inactive),
                wq.inactive,
                "inactive after {op:?}"
            );
            assert_eq!(pwq.nr_active, wq.active, "nr_active after {op:?}");
            assert!(
                pwq.nr_active <= wq.spec.max_active,
                "max_active after {op:?}"
            );
        }
        for (index, worker) in model.workers.iter().enumerate() {
            let scheduled = self.jobs(&pool.worker(ix(index)).scheduled);
            assert_eq!(scheduled, worker.scheduled, "scheduled after {op:?}");
        }
        let idle: Vec<_> = pool.idle.iter().map(|w| w.0 as usize).collect();
        assert_eq!(idle, model.idle, "idle list after {op:?}");
        assert_eq!(
            pool.nr_running as usize,
            model.nr_running(),
            "nr_running after {op:?}"
        );
    }

    /// Lets everything that began come to its end; only woken workers step.
    pub(super) fn settle(&mut self) {
        for _ in 0..1000 {
            let ready = |w: &Worker| {
                w.run.is_none() && !matches!(w.at, At::Managing | At::Idle { woken: false })
            };
            let steps = self.candidates(Op::Step(0));
            let step = steps.iter().position(|&w| ready(&self.model.workers[w]));
            let blocked = !self.candidates(Op::Unblock(0)).is_empty();
            let runs = !self.candidates(Op::Return(0)).is_empty();
            let manages = !self.candidates(Op::Created(true)).is_empty();
            self.apply(Op::Pass(1));
            match step {
                _ if manages => self.apply(Op::Created(true)),
                _ if blocked => self.apply(Op::Unblock(0)),
                _ if runs => self.apply(Op::Return(0)),
                Some(step) => self.apply(Op::Step(step)),
                None => return,
            }
        }
        panic!("it does not come to rest");
    }

    /// At rest every queueing has led to one execution or one cancelling, and the parts are what the model says.
    pub(super) fn compare_totals(&self) {
        let snapshot = Reader::in_memory(&self.segment)
            .snapshot()
            .expect("it is whole");
        for (index, item) in self.model.items.iter().enumerate() {
            assert!(item.queued.is_none(), "item {index} waits for ever");
            assert_eq!(item.queueings, item.starts + item.cancels);
            let rows = snapshot.pwq_funcs.iter();
            let rows: Vec<_> = rows.filter(|row| row.func == self.funcs[index]).collect();
            let [row] = rows[..] else {
                assert_eq!((rows.len(), item.queueings), (0, 0));
                continue;
            };
            assert_eq!(row.queued, item.queueings, "queued, item {index}");
            assert_eq!(row.started, item.starts, "started, item {index}");
            assert_eq!(row.completed, item.starts, "completed, item {index}");
            assert_eq!((row.pending, row.inactive, row.running), (0, 0, 0));
            assert_eq!(row.breakdown, item.waits, "parts of the wait, item {index}");
        }
    }
}
