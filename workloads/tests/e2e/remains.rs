//! What a killed engine left of `mixed.toml`, and whether any of it is wrong.
//!
//! A kill stops each thread anywhere. A pool is changed by one thread at a time, so in each pool at most one transition
//! is half done: one row may be one item ahead of another, never behind, and of nothing may more be over than has begun.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use wq_trace::{
    Counter, Event, From, FuncId, Liveness, Names, Next, PoolId, PwqFuncRow, PwqRow, Reader,
    Snapshot, What, WorkerId, WorkerRow, WorkerState,
};

/// The works of `mixed.toml`, and the workqueue of each.
const WORKS: [(&str, &str); 10] = [
    ("read_page", "fs_read"),
    ("rx_poll", "net_rx"),
    ("hash_block", "crypto"),
    ("scan_folder", "scan"),
    ("commit", "journal"),
    ("write_page", "writeback"),
    ("update_index", "index"),
    ("heartbeat", "events"),
    ("retry", "events_unbound"),
    ("poke", "events"),
];

/// All that the reader gives of a segment whose engine is gone.
#[derive(Clone, Debug)]
pub struct Remains {
    pub liveness: Liveness,
    pub snapshot: Snapshot,
    pub events: Vec<Event>,
    /// Events overwritten or without a ring.
    pub lost: u64,
    /// Threads of which events were lost, or may have been: those of rings that were lapped.
    lapped: HashSet<u32>,
    /// Events of a kind that nobody knows, and rings that contradict themselves.
    damage: u64,
}

/// What can be made wrong, and how.
type Spoil = (&'static str, fn(&mut Remains));

/// For the test of the judge.
pub const SPOILS: &[Spoil] = &[
    ("more completed than started", |r| {
        let row = r.snapshot.pwqs.iter_mut().max_by_key(|row| row.counters[2]);
        row.expect("a pwq").counters[Counter::Completed as usize] += 3;
    }),
    ("a function's count", |r| {
        let row = r.snapshot.pwq_funcs.iter_mut().max_by_key(|f| f.completed);
        row.expect("a row").started += 2;
    }),
    ("a wait longer than its parts", |r| {
        for row in &mut r.snapshot.pwqs {
            row.wait.sum += 5;
        }
    }),
    ("an end without its start", |r| {
        let start = |e: &Event| e.what == What::ExecuteStart && !r.lapped.contains(&e.tid);
        let at = r.events.iter().position(start).expect("a start");
        r.events.remove(at);
    }),
    ("the name of another function", |r| {
        let names: Vec<_> = r
            .snapshot
            .functions
            .iter()
            .map(|f| f.name.clone())
            .collect();
        let count = names.len();
        for (row, name) in r.snapshot.functions.iter_mut().zip(&names[1..]) {
            row.name.clone_from(name);
        }
        assert!(count > 1, "there are several");
    }),
    ("the name of another workqueue", |r| {
        for row in &mut r.snapshot.workqueues {
            row.name.push('x');
        }
    }),
    ("workers that run what has ended", |r| {
        let ended = |e: &&Event| e.what == What::ExecuteEnd;
        let ends: Vec<Event> = r.events.iter().filter(ended).copied().collect();
        for row in &mut r.snapshot.workers {
            let last = ends.iter().rfind(|end| end.worker == row.id);
            if let Some(end) = last {
                (row.state, row.work) = (WorkerState::Running, end.work);
                (row.func, row.wq, row.started_at) = (end.func, end.wq, end.at - 1);
            }
        }
    }),
    ("an event that is not accounted for", |r| {
        r.snapshot.rings[0].written += 1;
    }),
];

impl Remains {
    pub fn read(path: &Path) -> Self {
        let reader = Reader::open(path).expect("a segment");
        let snapshot = reader.snapshot().expect("readable");
        let mut cursor = reader.cursor(From::Oldest);
        let mut events = Vec::new();
        loop {
            match cursor.next(0) {
                Next::Record(event) => events.push(event),
                Next::Lost(_) => {}
                Next::WriterGone => break,
                other => panic!("{other:?}"),
            }
        }
        let losses: Vec<u64> = cursor.by_ring().map(|(_, lost)| lost).collect();
        let lapped = snapshot.rings.iter().filter(|ring| {
            // What a ring had of threads before is not known by theirs.
            losses[ring.index as usize] > 0 || ring.generation > 1
        });
        Self {
            liveness: reader.liveness().expect("it tells"),
            lapped: lapped.map(|ring| ring.tid).collect(),
            lost: cursor.lost() + snapshot.lost_no_ring,
            damage: cursor.unknown() + cursor.damaged() as u64,
            snapshot,
            events,
        }
    }

    pub fn completed(&self) -> u64 {
        let rows = self.snapshot.pwqs.iter();
        rows.map(|row| row.counters[Counter::Completed as usize])
            .sum()
    }

    /// Everything that is wrong, in sentences.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        self.counters(&mut problems);
        self.names(&mut problems);
        self.rings(&mut problems);
        self.executions(&mut problems);
        self.workers(&mut problems);
        if self.lost == 0 {
            self.every_event(&mut problems);
        }
        problems
    }

    fn functions_of(&self, pwq: &PwqRow) -> impl Iterator<Item = &PwqFuncRow> {
        let rows = self.snapshot.pwq_funcs.iter();
        let id = pwq.id;
        rows.filter(move |row| row.pwq == id)
    }

    /// Counters among themselves, and beside the gauges, the distributions and the parts.
    fn counters(&self, problems: &mut Vec<String>) {
        for row in &self.snapshot.pwq_funcs {
            if !(row.completed <= row.started && row.started <= row.queued) {
                problems.push(format!("out of order: {row:?}"));
            }
        }
        let mut half_done = HashMap::<(PoolId, &str), u32>::new();
        for pwq in &self.snapshot.pwqs {
            let [queued, started, completed] = [0, 1, 2].map(|counter| pwq.counters[counter]);
            if !(completed <= started && started <= queued) {
                problems.push(format!("out of order: {pwq:?}"));
            }
            for (what, one, other) in self.pairs(pwq) {
                if one.abs_diff(other) > 1 {
                    problems.push(format!("{what}: {one}, {other}: {pwq:?}"));
                }
                *half_done.entry((pwq.pool, what)).or_default() += u32::from(one != other);
            }
            let parts = self.functions_of(pwq).flat_map(|row| row.breakdown);
            let differs = parts.sum::<u64>() != pwq.wait.sum;
            *half_done.entry((pwq.pool, "parts and wait")).or_default() += u32::from(differs);
        }
        let several = half_done.into_iter().filter(|&(_, count)| count > 1);
        problems.extend(several.map(|(row, count)| format!("{count} half done at once: {row:?}")));
    }

    /// Of a pwq, numbers that are equal but while its pool is being changed.
    fn pairs(&self, pwq: &PwqRow) -> [(&'static str, u64, u64); 6] {
        let sum = |of: fn(&PwqFuncRow) -> u64| self.functions_of(pwq).map(of).sum::<u64>();
        let counter = |counter: Counter| pwq.counters[counter as usize];
        let there =
            sum(|row| u64::from(row.pending) + u64::from(row.inactive) + u64::from(row.running));
        let gone = counter(Counter::Completed) + counter(Counter::Cancelled);
        [
            ("queued", counter(Counter::Queued), sum(|row| row.queued)),
            ("started", counter(Counter::Started), sum(|row| row.started)),
            (
                "completed",
                counter(Counter::Completed),
                sum(|row| row.completed),
            ),
            (
                "queued and where they are",
                counter(Counter::Queued),
                gone + there,
            ),
            (
                "started and waits",
                counter(Counter::Started),
                pwq.wait.count(),
            ),
            (
                "completed and runs",
                counter(Counter::Completed),
                pwq.run.count(),
            ),
        ]
    }

    /// Whoever is named is there, under the right name, and works for the right workqueue.
    fn names(&self, problems: &mut Vec<String>) {
        let names = Names::new(&self.snapshot);
        let right = |func, wq| {
            let pair = (names.function(func), names.workqueue(wq));
            WORKS.contains(&pair)
        };
        for row in &self.snapshot.pwq_funcs {
            let pwq = self.snapshot.pwqs.iter().find(|pwq| pwq.id == row.pwq);
            if !pwq.is_some_and(|pwq| right(row.func, pwq.wq)) {
                problems.push(format!("not of that workqueue: {row:?}, {pwq:?}"));
            }
        }
        let mut functions = HashMap::new();
        for event in &self.events {
            // A worker's thread that was starting has no row yet; nothing but its pool knows it.
            if !names.cover(event) {
                problems.push(format!("nobody knows it: {event:?}"));
            }
            let item = event.work != 0 && event.func.is_some() && event.wq.is_some();
            if item && !right(event.func, event.wq) {
                problems.push(format!("not of that workqueue: {event:?}"));
            }
            if event.work != 0
                && event.func.is_some()
                && *functions.entry(event.work).or_insert(event.func) != event.func
            {
                problems.push(format!("another function before: {event:?}"));
            }
            let executes = matches!(event.what, What::ExecuteStart | What::ExecuteEnd);
            if executes && names.comm(event.tid) != names.worker(event.worker) {
                problems.push(format!("not by that worker: {event:?}"));
            }
        }
        let executing = self.snapshot.workers.iter().filter(|row| row.work != 0);
        for row in executing.filter(|row| !right(row.func, row.wq)) {
            problems.push(format!("not of that workqueue: {row:?}"));
        }
    }

    /// Every event that was written is read or counted as lost, and none is of a time after the last.
    fn rings(&self, problems: &mut Vec<String>) {
        let written = self.snapshot.rings.iter().map(|ring| ring.written);
        let written = written.sum::<u64>() + self.snapshot.lost_no_ring;
        if self.events.len() as u64 + self.lost != written {
            let (read, lost) = (self.events.len(), self.lost);
            problems.push(format!("{written} written, {read} read, {lost} lost"));
        }
        if self.damage > 0 {
            problems.push(format!("{} damaged", self.damage));
        }
        let newest = self.events.iter().map(|event| event.at).max();
        if newest > Some(self.snapshot.at) {
            problems.push(format!("{newest:?} after {}", self.snapshot.at));
        }
    }

    /// Each worker begins and ends one item after the other.
    fn executions(&self, problems: &mut Vec<String>) {
        let mut current = HashMap::<WorkerId, Option<u64>>::new();
        for event in &self.events {
            let before = current.get(&event.worker).copied();
            let right = match event.what {
                What::ExecuteStart => !matches!(before, Some(Some(_))),
                What::ExecuteEnd => match before {
                    Some(open) => open == Some(event.work),
                    // The first that is left of it.
                    None => self.lapped.contains(&event.tid),
                },
                _ => continue,
            };
            if !right {
                problems.push(format!("while it was in {before:?}: {event:?}"));
            }
            let begins = event.what == What::ExecuteStart;
            current.insert(event.worker, begins.then_some(event.work));
        }
    }

    /// What each worker does is what its last event says, but for one of each pool whose event was not written any more.
    fn workers(&self, problems: &mut Vec<String>) {
        let mut last = HashMap::new();
        for event in &self.events {
            if matches!(event.what, What::ExecuteStart | What::ExecuteEnd) {
                last.insert(event.worker, event);
            }
        }
        let mut ahead = HashMap::<PoolId, u32>::new();
        for row in &self.snapshot.workers {
            let running = matches!(row.state, WorkerState::Running | WorkerState::Sleeping);
            if running != (row.work != 0) {
                problems.push(format!("neither running nor not: {row:?}"));
            }
            let last = last.get(&row.id);
            if last.is_some_and(|last| is_over(row, last)) {
                problems.push(format!("it has ended: {last:?}, {row:?}"));
            }
            let told = last.filter(|last| last.what == What::ExecuteStart);
            let agrees = told.map_or(0, |last| last.work) == row.work;
            *ahead.entry(row.pool).or_default() += u32::from(!agrees);
        }
        let several = ahead.into_iter().filter(|&(_, count)| count > 1);
        problems.extend(several.map(|(pool, count)| format!("{count} workers ahead in {pool:?}")));
    }

    /// With every event at hand: none starts that was not queued, and the counters are what they come to, at most one
    /// item for each pool ahead of them.
    fn every_event(&self, problems: &mut Vec<String>) {
        let mut of_work = HashMap::<u64, [Vec<u64>; 2]>::new();
        let mut of_row = HashMap::<(PoolId, FuncId), [u64; 3]>::new();
        for event in &self.events {
            let kind = match event.what {
                What::QueueWork { .. } => 0,
                What::ExecuteStart => 1,
                What::ExecuteEnd => 2,
                _ => continue,
            };
            of_row.entry((event.pool, event.func)).or_default()[kind] += 1;
            if let Some(times) = of_work.entry(event.work).or_default().get_mut(kind) {
                times.push(event.at);
            }
        }
        for (work, [queued, started]) in of_work {
            let in_time = queued
                .iter()
                .zip(&started)
                .all(|(queued, started)| queued <= started);
            if started.len() > queued.len() || !in_time {
                problems.push(format!("{work:x} queued {queued:?}, started {started:?}"));
            }
        }
        // An unbound workqueue may have several pwqs on one pool.
        let mut counted = HashMap::<_, [u64; 3]>::new();
        for row in &self.snapshot.pwq_funcs {
            let pwq = self.snapshot.pwqs.iter().find(|pwq| pwq.id == row.pwq);
            let key = (pwq.map_or(PoolId::NONE, |pwq| pwq.pool), row.func);
            let sums = counted.entry(key).or_default();
            for (sum, count) in sums
                .iter_mut()
                .zip([row.queued, row.started, row.completed])
            {
                *sum += count;
            }
        }
        for (key, counted) in counted {
            let told = of_row.remove(&key).unwrap_or_default();
            let mut pairs = counted.into_iter().zip(told);
            if !pairs.all(|(counted, told)| told <= counted && counted <= told + 1) {
                problems.push(format!("{key:?}: events {told:?}, counted {counted:?}"));
            }
        }
        if !of_row.is_empty() {
            problems.push(format!("events of no row: {of_row:?}"));
        }
    }
}

/// Whether a worker is said to execute what its last event says has ended.
fn is_over(row: &WorkerRow, last: &Event) -> bool {
    last.what == What::ExecuteEnd && row.work == last.work && last.at > row.started_at
}
