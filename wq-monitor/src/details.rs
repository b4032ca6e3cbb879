//! What the details pane is about: one thing by its identity, and what belongs to it. Pure, and without any drawing.

use std::collections::HashSet;
use wq_trace::model::{Model, Source};
use wq_trace::{Counter, FuncId, PoolId, WorkerId, WorkerState, WqId};

/// A thing that has details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A workqueue.
    Workqueue(WqId),
    /// A worker pool.
    Pool(PoolId),
    /// A worker.
    Worker(WorkerId),
    /// A work function.
    Function(FuncId),
}

impl Subject {
    /// What sort of thing it is.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Workqueue(_) => "workqueue",
            Self::Pool(_) => "pool",
            Self::Worker(_) => "worker",
            Self::Function(_) => "function",
        }
    }

    /// Its name, also when it is gone.
    pub fn name(self, model: &Model) -> String {
        let names = model.names();
        match self {
            Self::Workqueue(id) => names.workqueue(id).to_owned(),
            Self::Function(id) => names.function(id).to_owned(),
            Self::Worker(id) => names.worker(id).to_owned(),
            Self::Pool(id) => names
                .pool(id)
                .map_or("unknown".to_owned(), |n| n.to_string()),
        }
    }

    /// Whether the model still has it.
    pub fn exists(self, model: &Model) -> bool {
        match self {
            Self::Workqueue(id) => model.workqueues().iter().any(|wq| wq.id == id),
            Self::Pool(id) => model.pools().iter().any(|pool| pool.row.id == id),
            Self::Worker(id) => model.workers().iter().any(|worker| worker.row.id == id),
            Self::Function(id) => model.functions().iter().any(|function| function.id == id),
        }
    }
}

/// The pane: how one came to what it shows, and what is chosen there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// What was looked at before; the last one is shown. Never empty.
    trail: Vec<Subject>,
    /// The related thing that is chosen; the first one until one is.
    chosen: Option<Subject>,
}

impl Details {
    /// Opened on `subject`.
    pub fn of(subject: Subject) -> Self {
        Self {
            trail: vec![subject],
            chosen: None,
        }
    }

    /// What is shown.
    pub fn subject(&self) -> Subject {
        self.trail[self.trail.len() - 1]
    }

    /// The place of the chosen one among `related`.
    pub fn selected(&self, related: &[Subject]) -> usize {
        let chosen = |subject: &Subject| Some(*subject) == self.chosen;
        related.iter().position(chosen).unwrap_or_default()
    }

    /// Chooses another one.
    pub fn choose(&mut self, subject: Option<Subject>) {
        self.chosen = subject;
    }

    /// Goes to the chosen one, if there is any.
    pub fn follow(&mut self, related: &[Subject]) {
        if let Some(next) = related.get(self.selected(related)) {
            // Who goes round in circles has a short way back.
            match self.trail.iter().position(|subject| subject == next) {
                Some(place) => self.trail.truncate(place + 1),
                None => self.trail.push(*next),
            }
            self.chosen = None;
        }
    }

    /// Goes back to what was looked at before; false at the beginning.
    pub fn back(&mut self) -> bool {
        if self.trail.len() < 2 {
            return false;
        }
        self.chosen = self.trail.pop();
        true
    }
}

/// What belongs to `subject`, in the order in which it is listed.
pub fn related(model: &Model, subject: Subject) -> Vec<Subject> {
    match subject {
        Subject::Workqueue(id) => of_workqueue(model, id),
        Subject::Pool(id) => of_pool(model, id),
        Subject::Worker(id) => of_worker(model, id),
        Subject::Function(id) => of_function(model, id),
    }
}

/// Its pools, its functions, and who executes its items.
fn of_workqueue(model: &Model, id: WqId) -> Vec<Subject> {
    let mine = pwqs(model).filter(|(wq, ..)| *wq == id);
    let mine: HashSet<PoolId> = mine.map(|(_, pool, _)| pool).collect();
    let pools = model.pools().iter().map(|pool| pool.row.id);
    let pools = pools.filter(|pool| mine.contains(pool));
    let functions = model.functions().iter();
    let functions = functions.filter(|function| function.workqueues.contains(&id));
    let workers = model.workers().iter().filter(|worker| worker.row.wq == id);
    let pools = pools.map(Subject::Pool);
    let functions = functions.map(|function| Subject::Function(function.id));
    let workers = workers.map(|worker| Subject::Worker(worker.row.id));
    pools.chain(functions).chain(workers).collect()
}

/// Its workers, those that do something first; the workqueues that used it, the busiest first.
fn of_pool(model: &Model, id: PoolId) -> Vec<Subject> {
    let mut workers: Vec<_> = model
        .workers()
        .iter()
        .filter(|worker| worker.row.pool == id)
        .collect();
    workers.sort_by_key(|worker| (worker.row.state == WorkerState::Idle, worker.row.number));
    let mut used: Vec<_> = pwqs(model)
        .filter(|(_, pool, started)| *pool == id && *started > 0)
        .collect();
    used.sort_by_key(|(_, _, started)| std::cmp::Reverse(*started));
    let workers = workers
        .into_iter()
        .map(|worker| Subject::Worker(worker.row.id));
    let workqueues = used.into_iter().map(|(wq, ..)| Subject::Workqueue(wq));
    workers.chain(workqueues).collect()
}

/// Its pool, and what it executes.
fn of_worker(model: &Model, id: WorkerId) -> Vec<Subject> {
    let Some(worker) = model.workers().iter().find(|worker| worker.row.id == id) else {
        return Vec::new();
    };
    let row = &worker.row;
    let all = [
        row.pool.is_some().then_some(Subject::Pool(row.pool)),
        row.func.is_some().then_some(Subject::Function(row.func)),
        row.wq.is_some().then_some(Subject::Workqueue(row.wq)),
    ];
    let known = |subject: &Subject| subject.exists(model);
    all.into_iter().flatten().filter(known).collect()
}

/// Its workqueues, who executes it, which functions queue it.
fn of_function(model: &Model, id: FuncId) -> Vec<Subject> {
    let function = model.functions().iter().find(|function| function.id == id);
    let workqueues = function.map_or(&[][..], |function| &function.workqueues);
    let workers = model.workers().iter().filter(|w| w.row.func == id);
    let mut all: Vec<Subject> = workqueues.iter().copied().map(Subject::Workqueue).collect();
    all.extend(workers.map(|worker| Subject::Worker(worker.row.id)));
    for producer in model.producer_rows().iter().filter(|p| p.func == id) {
        if let Source::Function(source) = producer.source {
            let source = Subject::Function(source);
            if source != Subject::Function(id) && !all.contains(&source) {
                all.push(source);
            }
        }
    }
    all
}

/// The workqueue and the pool of each pwq, and how many executions began there.
fn pwqs(model: &Model) -> impl Iterator<Item = (WqId, PoolId, u64)> {
    let all = model.snapshot().map_or(&[][..], |snapshot| &snapshot.pwqs);
    all.iter()
        .map(|pwq| (pwq.wq, pwq.pool, pwq.counters[Counter::Started as usize]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_the_way_that_one_came_and_circles_are_cut_short() {
        let (wq, pool) = (Subject::Workqueue(WqId(1)), Subject::Pool(PoolId(2)));
        let mut details = Details::of(wq);
        assert!(!details.back());
        details.choose(Some(pool));
        assert_eq!(details.selected(&[wq, pool]), 1);
        details.follow(&[wq, pool]);
        assert_eq!(details.subject(), pool);
        assert!(details.back());
        // The row that one came from is chosen again, wherever it stands now.
        assert_eq!((details.subject(), details.selected(&[pool, wq])), (wq, 0));
        details.follow(&[pool]);
        details.follow(&[wq]);
        assert_eq!(details, Details::of(wq));
        details.follow(&[]);
        assert_eq!(details.subject(), wq);
    }

    #[test]
    fn what_is_gone_has_no_relations() {
        let model = Model::new(wq_trace::Limits::default());
        let all = [
            Subject::Workqueue(WqId(9)),
            Subject::Pool(PoolId(9)),
            Subject::Worker(WorkerId(9)),
            Subject::Function(FuncId(9)),
        ];
        for subject in all {
            assert!(related(&model, subject).is_empty() && !subject.exists(&model));
            assert_eq!(subject.name(&model), "unknown");
        }
    }
}
