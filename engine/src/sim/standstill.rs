//! Deadlocks and standstills of virtual threads, in words.

use super::End;
use super::cpus::ThreadIx;
use super::machine::{Kind, Machine, Next};
use super::waits::Target;
use crate::pool::WorkerIx;
use crate::wq::deadlock::{self, Deed, NodeIx, Thing, Why};

impl Machine<'_> {
    /// Nothing is left to happen: all is done, or these threads wait for ever, and each says for what.
    pub(super) fn standstill(&mut self) -> End {
        let all = (0..self.threads.len()).map(ThreadIx);
        let stuck: Vec<_> = all.filter(|&t| self.threads[t.0].blocked).collect();
        for &thread in &stuck {
            let text = self.waits_for(thread);
            self.watch.said.push((self.now, text));
        }
        let names = stuck.iter().map(|t| self.threads[t.0].name.clone());
        let names: Vec<_> = names.collect();
        if names.is_empty() {
            End::Done
        } else {
            End::Stuck(names)
        }
    }

    /// The sentence of an engine on threads.
    pub(super) fn deadlock_text(
        &self,
        cycle: &[(NodeIx, Why)],
        things: &[Thing],
        waits: &[ThreadIx],
    ) -> String {
        let name = |node: NodeIx| {
            let item = self.item_of(things[node]);
            item.map_or_else(|| "?".to_owned(), |item| self.item_name(item))
        };
        let text = deadlock::tell(cycle, name, |wait| match self.target(waits[wait]) {
            Target::Item { item, deed, .. } => (deed, self.function(item)),
            Target::Workqueue(wq) => (Deed::FlushWorkqueue, self.wqs[wq].name.as_str()),
        });
        format!("workqueue: deadlock: {text}")
    }

    fn waits_for(&self, thread: ThreadIx) -> String {
        let what = match &self.threads[thread.0] {
            t if t.flushing.is_some() => match self.target(thread) {
                Target::Item { item, .. } => self.item_name(item),
                Target::Workqueue(wq) => format!("workqueue {}", self.wqs[wq].name),
            },
            t if t.creates() => "a worker that cannot be created".to_owned(),
            _ => "what cannot happen any more".to_owned(),
        };
        let name = &self.threads[thread.0].name;
        match &self.threads[thread.0].kind {
            Kind::Worker {
                frame: Some(frame), ..
            } => {
                let item = self.item_name(frame.item);
                format!("{name}, in {item}, waits for {what}")
            }
            _ => format!("{name} waits for {what}"),
        }
    }

    fn item_of(&self, thing: Thing) -> Option<usize> {
        let pool = thing.pool as usize;
        match thing.what {
            deadlock::What::Item(queued) => Some(*self.pools[pool].core.job(queued)),
            deadlock::What::Execution(worker) => self.executed_by(pool, worker),
        }
    }

    fn executed_by(&self, of: usize, worker: WorkerIx) -> Option<usize> {
        self.threads.iter().find_map(|thread| match &thread.kind {
            Kind::Worker {
                pool,
                ix,
                frame: Some(frame),
                ..
            } if (*pool, *ix) == (of, worker) => Some(frame.item),
            _ => None,
        })
    }

    fn function(&self, item: usize) -> &str {
        &self.program.works[self.items[item].record.work].name
    }

    /// `WORKQUEUE:FUNCTION`.
    fn item_name(&self, item: usize) -> String {
        let wq = &self.wqs[self.items[item].wq].name;
        format!("{wq}:{}", self.function(item))
    }
}

impl super::machine::Thread {
    /// A manager that waits before it tries again.
    fn creates(&self) -> bool {
        let retry = Next::Retry;
        matches!(&self.kind, Kind::Worker { next, .. } if *next == retry)
    }
}
