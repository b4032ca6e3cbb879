//! Whether the pure centre and the model agree.

use super::model::Fx;
use super::real::{Real, work, worker_ix};
use super::world::World;
use crate::pool::WorkerIx;
use crate::pool::list::List;
use std::collections::{BTreeSet, VecDeque};
use wq_trace::Reader;

impl World {
    /// Panics where they do not.
    pub(super) fn compare(&self) {
        self.compare_left();
        for pool in 0..self.model.pools.len() {
            self.compare_pool(pool);
            self.compare_workers(pool);
        }
        for wq in 0..self.model.wqs.len() {
            self.compare_wq(wq);
            self.compare_nodes(wq);
        }
        self.compare_items();
        self.check_syncs();
        self.check_order();
    }

    fn compare_left(&self) {
        let left = self.real.left.iter();
        let left: Vec<VecDeque<Fx>> = left
            .map(|left| {
                left.iter()
                    .map(|(pool, effect)| self.real.said(*pool, effect))
                    .collect()
            })
            .collect();
        assert_eq!(left, self.model.left, "effects not executed yet");
    }

    fn compare_pool(&self, index: usize) {
        let (core, pool) = (&self.real.pools[index].core, &self.model.pools[index]);
        assert_eq!(self.real.pools[index].dying, pool.dying, "pool {index}");
        let worklist = self.real.jobs(index, &core.worklist);
        assert_eq!(worklist, pool.worklist, "worklist of pool {index}");
        let idle: Vec<usize> = core.idle.iter().map(|w| w.0 as usize).collect();
        assert_eq!(idle, pool.idle, "idle list of pool {index}");
        let nr_workers = self.model.nr_workers(index);
        assert_eq!(
            core.nr_workers as usize, nr_workers,
            "workers of pool {index}"
        );
        let due = (core.mayday_due(), core.idle_due());
        assert_eq!(
            due,
            (pool.mayday_due, pool.idle_due),
            "timers of pool {index}"
        );
        assert_eq!(
            core.last_progress, pool.progress,
            "progress of pool {index}"
        );
        let nr_running = self.model.nr_running(index);
        assert_eq!(core.nr_running as usize, nr_running, "pool {index}");
        let manager = core.manager.map(|WorkerIx(worker)| worker as usize);
        assert_eq!(manager, self.model.manager(index), "pool {index}");
        let used = self
            .model
            .pwqs
            .iter()
            .filter(|pwq| pwq.pool == index && !pwq.gone);
        assert_eq!(core.nr_pwqs(), used.count(), "pwqs of pool {index}");
    }

    fn compare_workers(&self, pool: usize) {
        let core = &self.real.pools[pool].core;
        for (index, worker) in self.model.pools[pool].workers.iter().enumerate() {
            if worker.at == super::model::At::Gone {
                assert!(core.workers[index].is_none(), "worker {index} left");
                continue;
            }
            let real = core.worker(worker_ix(index));
            let scheduled = self.real.jobs(pool, &real.scheduled);
            assert_eq!(scheduled, worker.scheduled, "worker {index}");
            let runs = real.current.as_ref();
            let runs = runs.map(|run| (run.work, core.pwq(run.pwq).spec.uid));
            let expected = worker.run.as_ref();
            let expected = expected.map(|run| (work(run.item), run.pwq as u64 + 1));
            assert_eq!(runs, expected, "what worker {index} of {pool} executes");
            if let Some((work, _)) = runs {
                assert_eq!(core.executing(work), Some(worker_ix(index)));
            }
        }
    }

    fn compare_wq(&self, index: usize) {
        let (real, wq) = (&self.real.wqs[index], &self.model.wqs[index]);
        let uids = |pwqs: &[super::real::PwqRef]| -> Vec<usize> {
            pwqs.iter().map(|pwq| pwq.uid as usize - 1).collect()
        };
        assert_eq!(uids(&real.table), wq.table, "pwqs by CPU of {index}");
        assert_eq!(uids(&real.pwqs), wq.pwqs, "pwqs of {index}");
        for pwq in &real.pwqs {
            let number = pwq.uid as usize - 1;
            let expected = &self.model.pwqs[number];
            let core = &self.real.pools[pwq.pool].core;
            assert_eq!(pwq.pool, expected.pool);
            assert_eq!(core.has_pwq(pwq.ix, pwq.uid), !expected.gone);
            if expected.gone {
                continue;
            }
            let share = core.pwq(pwq.ix);
            let inactive = self.real.jobs(pwq.pool, &share.inactive);
            assert_eq!(inactive, expected.inactive, "held by pwq {number}");
            let active = self.model.active(number);
            assert_eq!(share.nr_active, active, "nr_active of pwq {number}");
            let in_flight = self.model.in_flight(number).len();
            assert_eq!(share.in_flight() as usize, in_flight, "pwq {number}");
            assert_eq!(share.spec.limit.plugged, expected.plugged);
            assert_eq!(share.retired, expected.retired);
            assert_eq!(share.mayday, expected.mayday, "mayday of {number}");
        }
    }

    /// Counts, limits and who waits, by node; and no slot is free while somebody waits.
    fn compare_nodes(&self, index: usize) {
        let Some(nodes) = &self.real.wqs[index].nodes else {
            return;
        };
        for (node, count) in nodes.all().enumerate() {
            let (nr, max, waiting) = count.look();
            let waiting: Vec<usize> = waiting.iter().map(|pwq| pwq.uid as usize - 1).collect();
            let wq = &self.model.wqs[index];
            assert_eq!(waiting, wq.waiting[node], "who waits for node {node}");
            assert_eq!(nr, self.model.node_nr(index, node), "count of {node}");
            assert_eq!(max, self.model.node_max(index, node), "limit of {node}");
            assert!(nr >= max || waiting.is_empty(), "a slot of {node} is free");
        }
    }

    fn compare_items(&self) {
        for (index, item) in self.model.items.iter().enumerate() {
            let word = self.real.items[index].word;
            let queued = item.queued.is_some();
            assert_eq!((word.pending(), word.queued()), (item.pending, queued));
            assert_eq!(word.depth(), item.depth, "depth of item {index}");
            assert_eq!(self.real.pool_of(index), item.pool, "pool of {index}");
            self.check_guarantees(index);
        }
    }

    /// What is promised to users, whatever the rules are by which it is kept.
    fn check_guarantees(&self, item: usize) {
        let state = &self.model.items[item];
        let runs = self.model.runs().filter(|run| run.item == item).count() as u64;
        // Who queues an item on several workqueues gives that guarantee up.
        assert!(runs <= 1 || state.wqs.len() > 1, "item {item} runs twice");
        assert_eq!(state.starts, state.returns + runs);
        let queued = u64::from(state.queued.is_some());
        assert_eq!(state.queueings, state.starts + state.cancels + queued);
    }

    /// Who has cancelled an item and waited for it may free what it uses.
    fn check_syncs(&self) {
        for (item, waiter) in &self.syncs {
            let waits = waiter.is_some_and(|waiter| self.open.contains(&waiter));
            let runs = self.model.runs().any(|run| run.item == *item);
            let one = self.model.items[*item].wqs.len() <= 1;
            assert!(waits || !runs || !one, "item {item} runs after cancel_sync");
        }
    }

    /// Ordered workqueues execute one item at a time, in the order of queueing.
    fn check_order(&self) {
        for (index, wq) in self.model.wqs.iter().enumerate() {
            let runs = self.model.runs();
            let runs = runs.filter(|run| self.model.pwqs[run.pwq].wq == index);
            let runs: Vec<u64> = runs.map(|run| run.seq).collect();
            if !wq.spec.ordered || runs.is_empty() {
                continue;
            }
            let queued = self.model.items.iter().filter_map(|i| i.queued.as_ref());
            let mut queued = queued.filter(|q| self.model.pwqs[q.pwq].wq == index);
            assert_eq!(runs.len(), 1, "ordered workqueue {index}");
            assert!(queued.all(|q| q.seq > runs[0]), "order of {index}");
        }
    }

    /// At rest nothing is left, nobody waits, and the figures are what the model says.
    pub(super) fn compare_totals(&self) {
        for (index, item) in self.model.items.iter().enumerate() {
            assert!(item.queued.is_none(), "item {index} waits for ever");
        }
        assert_eq!(self.open, BTreeSet::new(), "who waits for ever");
        for (index, wq) in self.model.wqs.iter().enumerate() {
            let waits = wq.waiting.iter().any(|waiting| !waiting.is_empty());
            assert!(
                !waits,
                "a pwq of {index} waits for a slot and holds nothing"
            );
            let retired = wq.pwqs.iter().any(|&pwq| self.model.pwqs[pwq].retired);
            assert!(
                !retired,
                "a pwq of {index} that was replaced is still there"
            );
        }
        let reader = Reader::in_memory(&self.real.segment);
        let snapshot = reader.snapshot().expect("it is whole");
        for (&(pwq, item), seen) in &self.model.seen {
            let pwq = &self.model.pwqs[pwq];
            let refs = &self.real.wqs[pwq.wq].pwqs;
            let same =
                |r: &&super::real::PwqRef| std::ptr::eq(pwq, &self.model.pwqs[r.uid as usize - 1]);
            // The rows of those that were replaced go with them.
            let Some(there) = refs.iter().find(same) else {
                continue;
            };
            let id = self.real.pools[there.pool].core.pwq(there.ix).slot.id();
            let func = self.real.items[item].func;
            let mut rows = snapshot.pwq_funcs.iter();
            let row = rows.rfind(|row| row.pwq == id && row.func == func);
            let row = row.expect("a function that was queued has a row");
            let figures = (row.queued, row.started, row.completed, row.breakdown);
            let expected = (seen.queued, seen.started, seen.completed, seen.waits);
            assert_eq!(figures, expected, "figures of item {item}");
            assert_eq!((row.pending, row.inactive, row.running), (0, 0, 0));
        }
    }
}

impl Real {
    fn jobs(&self, pool: usize, list: &List) -> Vec<usize> {
        let items = &self.pools[pool].core.items;
        items.iter(list).map(|ix| items.get(ix).job).collect()
    }
}
