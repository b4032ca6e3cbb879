//! Virtual threads that wait for items and workqueues, and the deadlocks that this closes: what `queue/waits.rs` does.

use super::cpus::ThreadIx;
use super::machine::{Kind, Machine, Thread};
use crate::pool::Subject;
use crate::wq::deadlock::{self, Deed, Thing, Why};
use wq_trace::{FlushTarget, What};

/// A wait that a thread is in.
#[derive(Clone, Copy)]
pub(super) struct Flushing {
    pub(super) target: Target,
    subject: Subject,
}

/// What is waited for.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// An item, on the pool that it was on when the wait began, and for what.
    Item {
        item: usize,
        pool: usize,
        deed: Deed,
    },
    /// What was queued on a workqueue before.
    Workqueue(usize),
}

impl Target {
    fn word(self) -> FlushTarget {
        match self {
            Self::Item { .. } => FlushTarget::Work,
            Self::Workqueue(_) => FlushTarget::Workqueue,
        }
    }
}

impl Machine<'_> {
    /// The thread begins to wait.
    pub(super) fn waits(&mut self, thread: ThreadIx, target: Target) {
        let subject = match target {
            Target::Item { item, .. } => self.subject(item),
            Target::Workqueue(wq) => Subject {
                wq: self.wqs[wq].slot.id(),
                ..Subject::default()
            },
        };
        self.actor = thread;
        let what = What::FlushStart {
            target: target.word(),
        };
        self.emit(subject.event(self.now, what));
        self.threads[thread.0].flushing = Some(Flushing { target, subject });
        if let Kind::Worker { pool, ix, .. } = self.threads[thread.0].kind {
            self.look_for_deadlock(Thing::execution(pool as u32, ix));
        }
    }

    /// A thread that waited for an item or a workqueue goes on.
    pub(super) fn wait_is_over(&mut self, thread: ThreadIx) {
        if let Some(Flushing { target, subject }) = self.threads[thread.0].flushing.take() {
            self.actor = thread;
            let what = What::FlushEnd {
                target: target.word(),
            };
            self.emit(subject.event(self.now, what));
        }
    }

    /// An execution has begun to wait: does that close a cycle?
    fn look_for_deadlock(&mut self, execution: Thing) {
        let (threads, waits) = self.work_functions_that_wait();
        let pools: Vec<_> = (0..self.pools.len())
            .map(|pool| {
                let asked = threads
                    .iter()
                    .filter_map(|thread| match self.target(*thread) {
                        Target::Item { item, pool: on, .. } if on == pool => {
                            self.items[item].on_list(pool)
                        }
                        _ => None,
                    });
                (pool as u32, self.pools[pool].core.standing(asked))
            })
            .collect();
        let (graph, things) = deadlock::gather(&pools, &waits);
        let Some(start) = things.iter().position(|thing| *thing == execution) else {
            return;
        };
        let Some(cycle) = graph.cycle(start, &graph.stuck()) else {
            return;
        };
        self.deadlocks += 1;
        let text = self.deadlock_text(&cycle, &things, &threads);
        self.watch.said.push((self.now, text));
        for (_, why) in cycle {
            if let Why::Waits(wait) = why {
                self.tell_deadlock(threads[wait]);
            }
        }
    }

    fn tell_deadlock(&mut self, thread: ThreadIx) {
        let Thread { tid, flushing, .. } = &self.threads[thread.0];
        if let Some(Flushing { target, subject }) = *flushing {
            let what = What::Deadlock {
                target: target.word(),
                waiter: *tid,
                cycle: self.deadlocks,
            };
            self.emit(subject.event(self.now, what));
        }
    }

    fn work_functions_that_wait(&self) -> (Vec<ThreadIx>, Vec<deadlock::Wait>) {
        let all = (0..self.threads.len()).map(ThreadIx);
        all.filter_map(|thread| match self.threads[thread.0].kind {
            Kind::Worker { pool, ix, .. } => {
                self.threads[thread.0].flushing?;
                let target = self.awaited(thread);
                let by = (pool as u32, ix);
                Some((thread, deadlock::Wait { by, target }))
            }
            _ => None,
        })
        .unzip()
    }

    pub(super) fn target(&self, thread: ThreadIx) -> Target {
        let flushing = self.threads[thread.0].flushing.as_ref();
        flushing.expect("the thread waits").target
    }

    fn awaited(&self, thread: ThreadIx) -> deadlock::Target {
        let is_mine = |waiter: &ThreadIx| *waiter == thread;
        match self.target(thread) {
            Target::Item { item, pool, .. } => {
                let (core, item) = (&self.pools[pool].core, &self.items[item]);
                let awaited = core.awaited(item.work, item.on_list(pool), is_mine);
                let thing = awaited.map(|awaited| Thing::awaited(pool as u32, awaited));
                thing.map_or(deadlock::Target::Nothing, deadlock::Target::Thing)
            }
            Target::Workqueue(wq) => {
                let wq = &self.wqs[wq];
                let pwqs = wq.pwqs.iter().map(|pwq| (pwq.pool as u32, pwq.uid));
                let colors = wq.flush.awaited(is_mine);
                colors.map_or(deadlock::Target::Nothing, |colors| {
                    deadlock::Target::Colors(colors, pwqs.collect())
                })
            }
        }
    }
}
