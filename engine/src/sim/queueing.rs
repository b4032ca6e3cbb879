//! Queueing, cancelling and flushing on virtual threads: what `queue/` does with locks, without them.

use super::ItemRecord;
use super::cpus::ThreadIx;
use super::machine::{Alarm, Kind, Machine};
use super::program::{Draw, ItemRef, SplitMix64, Step, WqRef};
use super::waits::Target;
use super::wqs::{OfWq, SimPwq, SimWq};
use crate::attrs::WqFlags;
use crate::pool::{ItemIx, NewItem, Subject};
use crate::wq::deadlock::Deed;
use crate::wq::{Begin, Word};
use wq_trace::{FuncId, REQ_CPU_LOCAL, Was, What, WqCounter, WqId};

/// A work item.
pub(super) struct SimItem {
    pub(super) work: u64,
    pub(super) func: FuncId,
    pub(super) wq: usize,
    word: Word,
    on_list: ItemIx,
    timer: Option<(u64, u64)>,
    pub(super) rng: SplitMix64,
    pub(super) record: ItemRecord,
}

/// How one turn of a step that may take several went.
pub(super) enum Turn {
    /// The step is over.
    Done,
    /// The next turn, at once.
    Next,
    /// The next turn, once the thread is woken.
    Blocked,
}

impl SimItem {
    pub(super) fn new(work: u64, func: FuncId, wq: usize, seed: u64, record: ItemRecord) -> Self {
        Self {
            work,
            func,
            wq,
            word: Word(0),
            on_list: ItemIx(0),
            timer: None,
            rng: SplitMix64::new(seed, &record.name),
            record,
        }
    }

    /// Its execution begins on `pool`: it can be queued again.
    pub(super) fn begins(&mut self, pool: usize) {
        self.word = Word::on_list(uid(pool)).released();
    }

    /// How often it was disabled and not enabled again.
    pub(super) fn depth(&self) -> u32 {
        self.word.depth()
    }

    pub(super) fn deeper(&mut self) {
        self.word = self.word.deeper().unwrap_or(self.word);
    }

    pub(super) fn shallower(&mut self) {
        self.word = self.word.shallower().unwrap_or(self.word);
    }

    /// Where it is queued on this pool.
    pub(super) fn on_list(&self, pool: usize) -> Option<ItemIx> {
        let is_there = self.word.queued() && self.pool() == Some(pool);
        is_there.then_some(self.on_list)
    }

    /// The pool that it is on, or was on last.
    fn pool(&self) -> Option<usize> {
        self.word.pool().map(|uid| uid as usize - 1)
    }
}

/// 0 stands for no pool in the state word.
fn uid(pool: usize) -> u32 {
    pool as u32 + 1
}

impl Machine<'_> {
    /// A step that queues, flushes or cancels. `stream`: the item whose draws it makes, if not a producer's.
    pub(super) fn queueing_step(
        &mut self,
        thread: ThreadIx,
        step: &Step,
        turn: usize,
        stream: Option<usize>,
    ) -> Turn {
        match step {
            Step::Queue(item) => {
                let item = self.next_instance(*item);
                self.queue_item(thread, item, None);
            }
            Step::QueueOn(cpu, item) => {
                let item = self.next_instance(*item);
                self.queue_item(thread, item, Some(*cpu));
            }
            Step::QueueDelayed(item, time) => {
                let item = self.next_instance(*item);
                let time = self.draw_for(thread, stream, *time);
                self.queue_delayed(thread, item, time);
            }
            Step::ModDelayed(item, time) => {
                let item = self.next_instance(*item);
                let time = self.draw_for(thread, stream, *time);
                self.mod_delayed(thread, item, time);
            }
            // A grace period takes no time: no virtual thread is ever in a section that reads.
            Step::QueueRcu(item) => {
                let item = self.next_instance(*item);
                self.queue_item(thread, item, None);
            }
            Step::Disable(item) => self.instances(*item).for_each(|i| self.disable(thread, i)),
            Step::Enable(item) => self.instances(*item).for_each(|i| self.enable(thread, i)),
            Step::Cancel(item) => {
                for item in self.instances(*item) {
                    self.take_back(thread, item);
                    self.release(item);
                }
            }
            Step::Flush(item) => {
                let Some(item) = self.instances(*item).nth(turn) else {
                    return Turn::Done;
                };
                return if self.flush_item(thread, item) {
                    Turn::Blocked
                } else {
                    Turn::Next
                };
            }
            Step::FlushWq(wq) => {
                if turn == 0 && self.flush_wq(thread, wq) {
                    return Turn::Blocked;
                }
            }
            Step::Drain(wq) => return self.drain(thread, wq, turn),
            Step::FailCreate(fails) => self.fail_create(*fails),
            Step::CpuDown(cpu) => self.cpu_down(thread, *cpu),
            Step::CpuUp(cpu) => self.cpu_up(thread, *cpu),
            Step::CancelSync(item) => return self.cancel_sync(thread, *item, turn),
            Step::Freeze | Step::Thaw | Step::SetMaxActive(..) => self.workqueue_step(thread, step),
            _ => unreachable!("the checker lets the other steps into bodies only"),
        }
        Turn::Done
    }

    /// The next value of the stream of the item whose step it is, or of the producer's.
    fn draw_for(&mut self, thread: ThreadIx, stream: Option<usize>, time: Draw) -> u64 {
        let time = match stream {
            Some(stream) => time.next(&mut self.items[stream].rng),
            None => time.next(self.producer_rng(thread)),
        };
        time.as_nanos() as u64
    }

    /// Index of the first item of a work description.
    fn first_item(&self, work: usize) -> usize {
        self.program.works[..work]
            .iter()
            .map(|work| work.instances)
            .sum()
    }

    fn instances(&self, item: ItemRef) -> std::ops::Range<usize> {
        let first = self.first_item(item.work);
        match item.instance {
            Some(instance) => first + instance..first + instance + 1,
            None => first..first + self.program.works[item.work].instances,
        }
    }

    /// The instance that is meant, or the next in turn.
    pub(super) fn next_instance(&mut self, item: ItemRef) -> usize {
        let all = self.instances(item);
        let turn = &mut self.turns[item.work];
        let picked = all.start + *turn % all.len();
        if item.instance.is_none() {
            *turn += 1;
        }
        if item.instance.is_some() {
            all.start
        } else {
            picked
        }
    }

    /// Kernel: `queue_work_on()`. Returns whether it was queued.
    pub(super) fn queue_item(&mut self, actor: ThreadIx, item: usize, cpu: Option<usize>) -> bool {
        self.claim(item) && {
            let local = self.threads[actor.0].cpu;
            self.insert(actor, item, cpu, cpu.unwrap_or(local));
            true
        }
    }

    /// Kernel: `queue_delayed_work()`.
    pub(super) fn queue_delayed(&mut self, actor: ThreadIx, item: usize, delay: u64) {
        if self.claim(item) {
            self.insert_after(actor, item, delay);
        }
    }

    /// Arms the timer of an item, which is owned; a delay of zero is no delay. Kernel: `__queue_delayed_work()`.
    pub(super) fn insert_after(&mut self, actor: ThreadIx, item: usize, delay: u64) {
        let cpu = self.threads[actor.0].cpu;
        if delay == 0 {
            self.insert(actor, item, None, cpu);
            return;
        }
        self.actor = actor;
        let event = self.subject(item).event(
            self.now,
            What::TimerArm {
                delay_us: delay / 1000,
            },
        );
        self.emit(event);
        self.items[item].timer = Some(self.alarm(delay, Alarm::Queue { item, cpu }));
        self.wqs[self.items[item].wq].slot.add(WqCounter::Armed, 1);
        self.show_timers(item, 1);
    }

    pub(super) fn timer_fires(&mut self, item: usize, cpu: usize) {
        self.items[item].timer = None;
        self.show_timers(item, -1);
        self.threads[self.timer.0].cpu = cpu;
        self.insert(self.timer, item, None, cpu);
    }

    /// Writes how many timers of the item's function are armed and when the next one fires.
    fn show_timers(&self, item: usize, change: i32) {
        let func = self.items[item].func;
        let next = self
            .items
            .iter()
            .filter(|item| item.func == func)
            .filter_map(|item| item.timer);
        let next = next.min().map_or(0, |(due, _)| due);
        self.segment.armed(func, change, next);
    }

    fn claim(&mut self, item: usize) -> bool {
        let word = &mut self.items[item].word;
        if !word.pending() && word.depth() == 0 {
            *word = Word(word.0 | Word::PENDING);
            return true;
        }
        let reason = if word.pending() {
            WqCounter::RefusedPending
        } else {
            WqCounter::RefusedDisabled
        };
        self.refuse(item, reason);
        false
    }

    /// Counts a queueing that is refused.
    pub(super) fn refuse(&mut self, item: usize, reason: WqCounter) {
        let SimItem { wq, record, .. } = &mut self.items[item];
        record.refused += 1;
        self.wqs[*wq].slot.add(reason, 1);
    }

    /// Queues an item, which is owned, on `cpu`, which `asked` named or not. Kernel: `__queue_work()`.
    fn insert(&mut self, actor: ThreadIx, item: usize, asked: Option<usize>, cpu: usize) {
        if let Some(reason) = self.refused(actor, item) {
            return self.drop_work(actor, item, reason);
        }
        let SimItem { work, func, wq, .. } = self.items[item];
        let wq = &self.wqs[wq];
        let SimPwq {
            mut pool, mut ix, ..
        } = wq.by_cpu[cpu];
        // Non-reentrance: behind itself, if it still runs for this workqueue on another pool. An ordered workqueue
        // runs one item at a time anyway, and its newest pwq must be used.
        let ordered = wq.flags.contains(WqFlags::ORDERED);
        let last = self.items[item].pool();
        if let Some(last) = last.filter(|&last| last != pool && !ordered)
            && let Some(theirs) = self.pools[last].core.runs_for(work, wq.slot.id())
        {
            (pool, ix) = (last, theirs);
        }
        let req_cpu = asked.map_or(REQ_CPU_LOCAL, |cpu| cpu as i32);
        let new = NewItem {
            job: item,
            work,
            func,
            req_cpu,
        };
        // The word first: the item may start before the transaction's effects are all executed.
        self.items[item].word = Word::on_list(uid(pool));
        let queued = self.transact(actor, pool, |core, now, fx| core.queue(ix, new, now, fx));
        self.items[item].on_list = queued.expect("no simulated pool goes away").item;
    }

    /// Takes the item off its timer or list; the caller owns it. Returns whether it was pending.
    pub(super) fn grab(&mut self, actor: ThreadIx, item: usize) -> bool {
        let word = self.items[item].word;
        if let Some(key) = self.items[item].timer.take() {
            self.alarms.remove(&key);
            self.wqs[self.items[item].wq]
                .slot
                .add(WqCounter::Disarmed, 1);
            self.show_timers(item, -1);
            self.tell_cancelled(actor, item, Was::Timer);
        } else if word.queued() {
            let (pool, on_list) = (self.items[item].pool(), self.items[item].on_list);
            let pool = pool.expect("a queued item is on a pool");
            self.transact(actor, pool, |core, now, fx| core.cancel(on_list, now, fx));
        }
        self.items[item].word = word.off_list();
        word.pending()
    }

    /// As [`Machine::grab`], for a user who wants the item cancelled: one that was idle is told too.
    fn take_back(&mut self, actor: ThreadIx, item: usize) {
        if !self.grab(actor, item) && self.items[item].pool().is_some() {
            self.tell_cancelled(actor, item, Was::Idle);
        }
    }

    fn tell_cancelled(&mut self, actor: ThreadIx, item: usize, was: Was) {
        self.actor = actor;
        self.emit(self.subject(item).event(self.now, What::CancelWork { was }));
    }

    pub(super) fn release(&mut self, item: usize) {
        self.items[item].word = self.items[item].word.released();
    }

    /// Returns whether `thread` has to wait.
    fn flush_item(&mut self, thread: ThreadIx, item: usize) -> bool {
        if let Some(key) = self.items[item].timer.take() {
            // Kernel: `flush_delayed_work()` queues at once what is on its timer.
            if let Some(Alarm::Queue { item, cpu }) = self.alarms.remove(&key) {
                self.wqs[self.items[item].wq]
                    .slot
                    .add(WqCounter::Disarmed, 1);
                self.show_timers(item, -1);
                self.insert(thread, item, None, cpu);
            }
        }
        let SimItem { word, on_list, .. } = self.items[item];
        if let Some(pool) = self.items[item].pool().filter(|_| word.queued()) {
            self.pools[pool].core.wait_for_item(on_list, thread);
            let deed = Deed::Flush;
            self.waits(thread, Target::Item { item, pool, deed });
            return true;
        }
        self.wait_for_execution(thread, item, Deed::Flush)
    }

    fn wait_for_execution(&mut self, thread: ThreadIx, item: usize, deed: Deed) -> bool {
        let Some(pool) = self.items[item].pool() else {
            return false;
        };
        let core = &mut self.pools[pool].core;
        let Some(worker) = core.executing(self.items[item].work) else {
            return false;
        };
        core.wait_for_worker(worker, thread);
        self.waits(thread, Target::Item { item, pool, deed });
        true
    }

    pub(super) fn flush_wq(&mut self, thread: ThreadIx, wq: &WqRef) -> bool {
        let index = self.wq_index(wq);
        let SimWq { flush, pwqs, .. } = &mut self.wqs[index];
        let begun = flush.begin(
            thread,
            &mut OfWq {
                pools: &mut self.pools,
                pwqs,
            },
        );
        let waits = begun == Begin::Waiting;
        if waits {
            self.waits(thread, Target::Workqueue(index));
        }
        waits
    }

    pub(super) fn pwq_flushed(&mut self, id: WqId) {
        let Some(wq) = self.wqs.iter_mut().find(|wq| wq.slot.id() == id) else {
            return;
        };
        let done = wq.flush.pwq_flushed(&mut OfWq {
            pools: &mut self.pools,
            pwqs: &wq.pwqs,
        });
        for thread in done {
            self.wake(thread);
        }
    }

    /// Even turns cancel an item, odd ones, after its execution is over, let it be queued again.
    fn cancel_sync(&mut self, thread: ThreadIx, items: ItemRef, turn: usize) -> Turn {
        let Some(item) = self.instances(items).nth(turn / 2) else {
            return Turn::Done;
        };
        if turn % 2 == 1 {
            self.grab(thread, item);
            self.items[item].shallower();
            self.release(item);
            return Turn::Next;
        }
        self.take_back(thread, item);
        self.items[item].deeper();
        self.release(item);
        if self.wait_for_execution(thread, item, Deed::CancelSync) {
            Turn::Blocked
        } else {
            Turn::Next
        }
    }

    /// What an event about this item is about.
    pub(super) fn subject(&self, item: usize) -> Subject {
        let item = &self.items[item];
        let wq = self.wqs[item.wq].slot.id();
        Subject {
            wq,
            work: item.work,
            func: item.func,
            ..Subject::default()
        }
    }

    fn producer_rng(&mut self, thread: ThreadIx) -> &mut SplitMix64 {
        match self.threads[thread.0].kind {
            Kind::Producer(index) => &mut self.producers[index].rng,
            _ => unreachable!("a worker draws from its item's stream"),
        }
    }

    pub(super) fn wq_index(&self, wq: &WqRef) -> usize {
        match wq {
            WqRef::Own(index) => self.system_wqs + index,
            WqRef::System(name) => {
                let named = self.wqs[..self.system_wqs]
                    .iter()
                    .position(|wq| wq.name == *name);
                named.expect("the set-up has looked for it")
            }
        }
    }
}
