//! Items that keep books of what was done to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use wq_engine::{DelayedWork, RcuWork, Work, Workqueue};

/// A workqueue and what is known of it.
pub struct Queue {
    pub wq: Workqueue,
    /// It is drained at times, and drops what is queued meanwhile.
    pub drained: bool,
}

impl Queue {
    pub fn new(wq: Workqueue, drained: bool) -> Self {
        Self { wq, drained }
    }
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Plain,
    Delayed,
    /// Delayed too, and its timer is moved. Such an item is never disabled, nor cancelled with waiting: moving it then
    /// would say the same as queueing it.
    Modified,
    Rcu,
}

/// Sums over items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Queueings that succeeded.
    pub queued: u64,
    pub executed: u64,
    /// Cancelled while pending.
    pub taken_back: u64,
    pub refused: u64,
}

#[derive(Debug, Default)]
struct Marks {
    queued: AtomicU64,
    executed: AtomicU64,
    taken_back: AtomicU64,
    refused: AtomicU64,
    runs: AtomicBool,
    reentered: AtomicBool,
}

impl Marks {
    fn queued(&self, queued: bool) -> u64 {
        let count = if queued { &self.queued } else { &self.refused };
        count.fetch_add(1, Ordering::Relaxed);
        u64::from(queued)
    }

    fn taken_back(&self, taken_back: bool) {
        let one = u64::from(taken_back);
        self.taken_back.fetch_add(one, Ordering::Relaxed);
    }

    /// One execution. Returns whether it queues itself again.
    fn execute(&self) -> bool {
        let runs = self.runs.swap(true, Ordering::AcqRel);
        self.reentered.fetch_or(runs, Ordering::Relaxed);
        let number = self.executed.fetch_add(1, Ordering::Relaxed);
        match number % 512 {
            0 => std::thread::sleep(Duration::from_micros(50)),
            n if n % 16 == 1 => std::thread::yield_now(),
            _ => {}
        }
        self.runs.store(false, Ordering::Release);
        number % 64 == 63
    }
}

enum Handle {
    Plain(Work),
    Delayed(DelayedWork),
    Rcu(RcuWork),
}

/// An item, its workqueue and its books.
pub struct Item {
    kind: Kind,
    handle: Handle,
    wq: Workqueue,
    marks: Arc<Marks>,
}

impl Item {
    /// `token` counts how many items there are: each keeps it in its function.
    pub fn new(queue: &Queue, kind: Kind, token: Arc<()>) -> Self {
        let marks = Arc::new(Marks::default());
        let (seen, wq) = (marks.clone(), queue.wq.clone());
        let handle = match kind {
            Kind::Plain => {
                let again = queue.wq.clone();
                Handle::Plain(Work::named("flood", move |me| {
                    let _kept = &token;
                    if seen.execute() {
                        seen.queued(again.queue_work(me));
                    }
                }))
            }
            Kind::Delayed | Kind::Modified => {
                Handle::Delayed(DelayedWork::named("flood_delayed", move |_| {
                    let _kept = &token;
                    seen.execute();
                }))
            }
            Kind::Rcu => Handle::Rcu(RcuWork::named("flood_rcu", move |_| {
                let _kept = &token;
                seen.execute();
            })),
        };
        Self {
            kind,
            handle,
            wq,
            marks,
        }
    }

    /// Does one of a thousand things to the item. Returns how many queueings succeeded.
    pub fn act(&self, what: u64, number: u64) -> u64 {
        match &self.handle {
            Handle::Plain(work) => self.act_on_work(work, what, number),
            Handle::Delayed(work) if self.kind == Kind::Modified => self.modify(work, what, number),
            Handle::Delayed(work) => self.act_on_delayed(work, what, number),
            Handle::Rcu(work) if what < 30 => self.marks.queued(self.wq.queue_rcu_work(work)),
            Handle::Rcu(work) => {
                if what < 32 {
                    work.flush();
                }
                0
            }
        }
    }

    fn act_on_work(&self, work: &Work, what: u64, number: u64) -> u64 {
        match what {
            0..=29 => self.marks.taken_back(work.cancel()),
            30..=34 => self.marks.taken_back(work.cancel_sync()),
            35..=38 => {
                work.flush();
            }
            39 => self.wq.flush(),
            40..=44 => {
                self.marks.taken_back(work.disable());
                std::thread::yield_now();
                work.enable();
            }
            45 | 46 => {
                self.marks.taken_back(work.disable_sync());
                // Pairs may overlap; the one that ends the last of them queues.
                if self.wq.enable_and_queue_work(work) {
                    return self.marks.queued(true);
                }
            }
            47..=149 => {
                let cpu = (number % 64) as usize;
                return self.marks.queued(self.wq.queue_work_on(cpu, work));
            }
            _ => return self.marks.queued(self.wq.queue_work(work)),
        }
        0
    }

    fn act_on_delayed(&self, work: &DelayedWork, what: u64, number: u64) -> u64 {
        match what {
            0..=39 => self.marks.taken_back(work.cancel()),
            40..=44 => self.marks.taken_back(work.cancel_sync()),
            45..=49 => {
                work.flush();
            }
            50..=54 => {
                self.marks.taken_back(work.disable());
                work.enable();
            }
            _ => {
                let delay = Duration::from_micros(number % 200);
                return self.marks.queued(self.wq.queue_delayed_work(work, delay));
            }
        }
        0
    }

    /// `mod_delayed_work` tells whether the item was pending: if not, it is one more queueing.
    fn modify(&self, work: &DelayedWork, what: u64, number: u64) -> u64 {
        match what {
            0..=39 => self.marks.taken_back(work.cancel()),
            40..=44 => {
                work.flush();
            }
            _ => {
                let delay = Duration::from_micros(number % 200);
                let was_pending = self.wq.mod_delayed_work(work, delay);
                return self.marks.queued(!was_pending);
            }
        }
        0
    }

    pub fn books(&self) -> Books {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Books {
            queued: read(&self.marks.queued),
            executed: read(&self.marks.executed),
            taken_back: read(&self.marks.taken_back),
            refused: read(&self.marks.refused),
        }
    }

    fn is_at_rest(&self) -> bool {
        let busy = match &self.handle {
            Handle::Plain(work) => work.busy(),
            Handle::Delayed(work) => work.busy(),
            Handle::Rcu(work) => work.busy(),
        };
        busy == 0
    }
}

/// Everything that there is.
pub struct World {
    pub queues: Vec<Queue>,
    pub items: Vec<Item>,
}

impl World {
    pub fn of<'a>(&'a self, queue: &'a Queue) -> impl Iterator<Item = &'a Item> {
        let items = self.items.iter();
        items.filter(|item| item.wq.name() == queue.wq.name())
    }

    pub fn books(&self, queue: &Queue) -> Books {
        sum(self.of(queue))
    }

    pub fn all_books(&self) -> Books {
        sum(self.items.iter())
    }

    pub fn is_at_rest(&self) -> bool {
        self.items.iter().all(Item::is_at_rest)
    }

    pub fn check_reentry(&self) {
        for item in &self.items {
            let reentered = item.marks.reentered.load(Ordering::Relaxed);
            assert!(
                !reentered,
                "an item of {} ran twice at a time",
                item.wq.name()
            );
        }
    }
}

fn sum<'a>(items: impl Iterator<Item = &'a Item>) -> Books {
    items
        .map(Item::books)
        .fold(Books::default(), |sum, one| Books {
            queued: sum.queued + one.queued,
            executed: sum.executed + one.executed,
            taken_back: sum.taken_back + one.taken_back,
            refused: sum.refused + one.refused,
        })
}
