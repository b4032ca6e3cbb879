//! What must hold after every transition of a pool. Run by debug builds while the pool is small.

use super::list::List;
use super::state::{On, PoolState, Role};

/// Pools with more items or workers than this are not checked: the check looks at all of them.
const SMALL: usize = 64;

impl<J, W> PoolState<J, W> {
    /// Panics if the state contradicts itself.
    pub(super) fn check(&self) {
        if cfg!(debug_assertions)
            && self.items.len() + self.workers.len() + self.pwqs.len() <= SMALL
        {
            self.check_workers();
            self.check_items();
            self.check_rescuers();
            self.check_timers();
        }
    }

    fn check_workers(&self) {
        let (mut running, mut idle, mut woken, mut workers, mut busy) = (0, 0, 0, 0, 0);
        for (index, worker) in self.workers.iter().enumerate() {
            let Some(worker) = worker else { continue };
            let ix = super::WorkerIx(index as u32);
            if worker.role == Role::Dying {
                assert!(
                    worker.current.is_none(),
                    "who was told to leave does nothing"
                );
                continue;
            }
            workers += 1;
            running += u32::from(self.counts(ix));
            assert_eq!(
                self.counted.contains(ix),
                self.counts(ix),
                "who counts is known"
            );
            let listed = self.idle.iter().filter(|&&other| other == ix).count();
            let is_idle = matches!(worker.role, Role::Idle { .. });
            assert_eq!(
                listed,
                usize::from(is_idle),
                "a worker is idle iff it is on the idle list"
            );
            idle += listed;
            woken += u32::from(worker.role == (Role::Idle { woken: true }));
            if let Some(current) = &worker.current {
                busy += 1;
                assert_eq!(worker.role, Role::Working, "only a working worker executes");
                assert_eq!(
                    self.busy.get(&current.work),
                    Some(&ix),
                    "an execution is in the busy hash"
                );
            } else {
                assert!(
                    worker.sleeping.is_none(),
                    "only an executing worker is noticed to sleep"
                );
                assert!(
                    worker.scheduled.is_empty() || worker.role == Role::Working,
                    "scheduled items are for a working worker"
                );
            }
            let manages = worker.role == Role::Managing;
            assert_eq!(manages, self.manager == Some(ix), "there is one manager");
        }
        assert_eq!(
            running, self.nr_running,
            "nr_running counts the running managed workers"
        );
        assert_eq!(workers, self.nr_workers, "nr_workers counts all workers");
        assert_eq!(
            woken, self.nr_woken,
            "nr_woken counts the woken idle workers"
        );
        assert_eq!(
            idle,
            self.idle.len(),
            "the idle list holds idle workers once"
        );
        assert_eq!(
            woken, self.nr_woken,
            "nr_woken counts the idle workers on their way to a CPU"
        );
        let rescuers = self.rescuers.iter().flatten();
        busy += rescuers.filter(|r| r.worker.current.is_some()).count();
        assert_eq!(busy, self.busy.len(), "no work is executed twice at a time");
    }

    fn check_rescuers(&self) {
        for (index, rescuer) in self.rescuers.iter().enumerate() {
            let Some(rescuer) = rescuer else { continue };
            let ix = super::WorkerIx::rescuer(index);
            let worker = &rescuer.worker;
            assert_eq!(worker.role, Role::Working, "a rescuer is never idle here");
            assert!(!self.counts(ix), "a rescuer is never counted");
            if let Some(current) = &worker.current {
                assert_eq!(self.busy.get(&current.work), Some(&ix), "a rescuer's too");
            }
            let Some(cursor) = rescuer.cursor else {
                continue;
            };
            let mut before = self.items.iter(&self.worklist);
            let mine = before
                .by_ref()
                .take_while(|item| *item != cursor)
                .filter(|item| self.items.get(*item).pwq == rescuer.pwq.ix);
            assert_eq!(mine.count(), 0, "the cursor has passed the items before it");
            assert_eq!(
                self.items.get(cursor).on,
                On::Worklist,
                "a cursor is on the worklist"
            );
        }
        for pwq in self.pwqs.iter().flatten() {
            assert!(
                pwq.spec.mem_reclaim || !pwq.mayday,
                "only a workqueue with a rescuer calls it"
            );
        }
    }

    fn check_timers(&self) {
        assert!(
            self.manager.is_some() || self.mayday_due.is_none(),
            "only a manager has rescuers called"
        );
        assert!(
            self.dying || self.idle_due.is_some() || !self.too_many_workers(),
            "surplus workers are looked for"
        );
    }

    fn check_items(&self) {
        let mut on_lists = self.walk(&self.worklist, On::Worklist);
        for (index, worker) in self.workers.iter().enumerate() {
            if let Some(worker) = worker {
                let on = On::Scheduled(super::WorkerIx(index as u32));
                on_lists += self.walk(&worker.scheduled, on);
            }
        }
        for (index, rescuer) in self.rescuers.iter().enumerate() {
            if let Some(rescuer) = rescuer {
                let on = On::Scheduled(super::WorkerIx::rescuer(index));
                on_lists += self.walk(&rescuer.worker.scheduled, on);
            }
        }
        for (index, pwq) in self.pwqs.iter().enumerate() {
            let Some(pwq) = pwq else { continue };
            on_lists += self.walk(&pwq.inactive, On::Inactive);
            let mine = |item: &super::state::Item<J, W>| item.pwq.0 as usize == index;
            let (mut active, mut queued) = (pwq.running as usize, pwq.running);
            for item in self
                .items
                .all()
                .map(|ix| self.items.get(ix))
                .filter(|item| mine(item))
            {
                queued += 1;
                active += usize::from(item.on != On::Inactive);
            }
            assert_eq!(pwq.nr_active, active, "nr_active counts the active items");
            assert!(
                !pwq.retired || pwq.in_flight() > 0,
                "a retired pwq goes with its last item"
            );
            assert_eq!(
                pwq.in_flight(),
                queued,
                "the colours count queued and running items"
            );
            assert!(
                pwq.inactive.is_empty() || pwq.spec.limit.node.is_some() || !pwq.has_slot(),
                "no item of a bound pwq is held while there is a slot"
            );
        }
        assert_eq!(on_lists, self.items.len(), "every item is on one list");
    }

    fn walk(&self, list: &List, on: On) -> usize {
        let items = self.items.iter(list).map(|ix| self.items.get(ix));
        let count = items
            .inspect(|item| assert_eq!(item.on, on, "an item knows its list"))
            .count();
        assert_eq!(count, list.len() as usize, "a list knows its length");
        count
    }
}
