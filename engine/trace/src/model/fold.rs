//! From one snapshot to rows: who belongs to whom, and the sums.

use super::latency::Percentiles;
use super::rows::{Function, Pool, Totals, Workqueue, add, sum};
use crate::ids::{FuncId, PoolId, PwqId, WqId};
use crate::snapshot::{Histogram, PwqRow, Snapshot, WorkerState};
use crate::stats::WaitPart;
use std::collections::HashMap;

/// The rows of one snapshot, without rates.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub workqueues: Vec<Workqueue>,
    pub pools: Vec<Pool>,
    pub functions: Vec<Function>,
    pub totals: Totals,
}

/// Sums a snapshot up. A row that refers to something which is not there counts only where it can.
pub(super) fn fold(snapshot: &Snapshot, percentiles: &mut Percentiles) -> Rows {
    let mut rows = sums(snapshot);
    latencies(snapshot, &mut rows, percentiles);
    rows
}

/// The same without distributions, which cost the most.
pub(super) fn sums(snapshot: &Snapshot) -> Rows {
    let mut rows = Rows {
        workqueues: snapshot.workqueues.iter().map(workqueue).collect(),
        pools: snapshot.pools.iter().map(pool).collect(),
        functions: snapshot.functions.iter().map(function).collect(),
        totals: Totals::default(),
    };
    let links = Links::new(snapshot, &rows);
    pwqs(snapshot, &links, &mut rows);
    pwq_funcs(snapshot, &links, &mut rows);
    workers(snapshot, &links, &mut rows);
    rings(snapshot, &mut rows);
    rows
}

/// Where in the vectors an identity stands.
struct Links {
    workqueues: HashMap<WqId, usize>,
    pools: HashMap<PoolId, usize>,
    functions: HashMap<FuncId, usize>,
    pwqs: HashMap<PwqId, (WqId, PoolId)>,
}

impl Links {
    fn new(snapshot: &Snapshot, rows: &Rows) -> Self {
        let index = |(i, row): (usize, &Workqueue)| (row.id, i);
        Self {
            workqueues: rows.workqueues.iter().enumerate().map(index).collect(),
            pools: rows
                .pools
                .iter()
                .enumerate()
                .map(|(i, p)| (p.row.id, i))
                .collect(),
            functions: rows
                .functions
                .iter()
                .enumerate()
                .map(|(i, f)| (f.id, i))
                .collect(),
            pwqs: snapshot
                .pwqs
                .iter()
                .map(|p| (p.id, (p.wq, p.pool)))
                .collect(),
        }
    }

    fn workqueue<'a>(&self, rows: &'a mut Rows, id: WqId) -> Option<&'a mut Workqueue> {
        self.workqueues.get(&id).map(|&i| &mut rows.workqueues[i])
    }

    fn pool<'a>(&self, rows: &'a mut Rows, id: PoolId) -> Option<&'a mut Pool> {
        self.pools.get(&id).map(|&i| &mut rows.pools[i])
    }

    fn function<'a>(&self, rows: &'a mut Rows, id: FuncId) -> Option<&'a mut Function> {
        self.functions.get(&id).map(|&i| &mut rows.functions[i])
    }
}

fn workqueue(row: &crate::WorkqueueRow) -> Workqueue {
    Workqueue {
        id: row.id,
        name: row.name.clone(),
        flags: row.flags,
        strict: row.attrs.as_ref().is_some_and(|attrs| attrs.strict),
        max_active: row.max_active,
        own: row.counters,
        ..Workqueue::default()
    }
}

fn pool(row: &crate::PoolRow) -> Pool {
    Pool {
        row: row.clone(),
        ..Pool::default()
    }
}

fn function(row: &crate::FunctionRow) -> Function {
    Function {
        id: row.id,
        name: row.name.clone(),
        armed: row.armed,
        next_expiry: row.next_expiry,
        ..Function::default()
    }
}

fn pwqs(snapshot: &Snapshot, links: &Links, rows: &mut Rows) {
    for pwq in &snapshot.pwqs {
        if let Some(wq) = links.workqueue(rows, pwq.wq) {
            // What released ones came to is none.
            wq.pwqs += u32::from(pwq.pool.is_some());
            add(&mut wq.counters, &pwq.counters);
            wq.active += u64::from(pwq.nr_active);
            wq.inactive += u64::from(pwq.nr_inactive);
            wq.running += u64::from(pwq.nr_in_flight);
            wq.max_in_flight = wq.max_in_flight.max(pwq.max_in_flight);
        }
        if let Some(pool) = links.pool(rows, pwq.pool) {
            add(&mut pool.counters, &pwq.counters);
            pool.inactive += u64::from(pwq.nr_inactive);
        }
        let totals = &mut rows.totals;
        add(&mut totals.counters, &pwq.counters);
        totals.inactive += u64::from(pwq.nr_inactive);
        totals.running += u64::from(pwq.nr_in_flight);
    }
}

fn pwq_funcs(snapshot: &Snapshot, links: &Links, rows: &mut Rows) {
    for row in &snapshot.pwq_funcs {
        let owners = links.pwqs.get(&row.pwq).copied();
        if let Some(function) = links.function(rows, row.func) {
            function.pending += u64::from(row.pending);
            function.inactive += u64::from(row.inactive);
            function.running += u64::from(row.running);
            function.queued = function.queued.saturating_add(row.queued);
            function.started = function.started.saturating_add(row.started);
            function.completed = function.completed.saturating_add(row.completed);
            function.run_ns = function.run_ns.saturating_add(row.run_ns);
            function.cpu_ns = function.cpu_ns.saturating_add(row.cpu_ns);
            function.run_max_ns = function.run_max_ns.max(row.run_max_ns);
            add(&mut function.breakdown, &row.breakdown);
            function.workqueues.extend(owners.map(|(wq, _)| wq));
        }
        rows.totals.pending += u64::from(row.pending);
        add(&mut rows.totals.breakdown, &row.breakdown);
        let Some((wq, pool)) = owners else { continue };
        if let Some(wq) = links.workqueue(rows, wq) {
            wq.pending += u64::from(row.pending);
            add(&mut wq.breakdown, &row.breakdown);
        }
        if let Some(pool) = links.pool(rows, pool) {
            add(&mut pool.breakdown, &row.breakdown);
        }
    }
    for function in &mut rows.functions {
        function.workqueues.sort_unstable();
        function.workqueues.dedup();
    }
}

fn workers(snapshot: &Snapshot, links: &Links, rows: &mut Rows) {
    for worker in &snapshot.workers {
        if let Some(pool) = links.pool(rows, worker.pool) {
            let sleeping = worker.state == WorkerState::Sleeping;
            pool.sleeping += u32::from(sleeping);
            pool.busy += u32::from(sleeping || worker.state == WorkerState::Running);
        }
    }
    for pool in &snapshot.pools {
        rows.totals.workers += u64::from(pool.nr_workers);
        rows.totals.idle += u64::from(pool.nr_idle);
        rows.totals.nr_running += u64::from(pool.nr_running);
    }
}

fn latencies(snapshot: &Snapshot, rows: &mut Rows, percentiles: &mut Percentiles) {
    let mut of: HashMap<WqId, Vec<&PwqRow>> = HashMap::new();
    for pwq in &snapshot.pwqs {
        of.entry(pwq.wq).or_default().push(pwq);
    }
    fn wait(pwq: &PwqRow) -> &Histogram {
        &pwq.wait
    }
    fn run(pwq: &PwqRow) -> &Histogram {
        &pwq.run
    }
    for wq in &mut rows.workqueues {
        let of = of.get(&wq.id).map_or(&[][..], Vec::as_slice);
        wq.wait = percentiles.of(of.iter().copied().map(wait));
        wq.run = percentiles.of(of.iter().copied().map(run));
        agree(&mut wq.wait.sum, &mut wq.breakdown);
    }
    let totals = &mut rows.totals;
    totals.wait = percentiles.of(snapshot.pwqs.iter().map(wait));
    totals.run = percentiles.of(snapshot.pwqs.iter().map(run));
    agree(&mut totals.wait.sum, &mut totals.breakdown);
}

/// Makes the sum of the waits that of their parts. The two stand in different slots, so an item that starts while
/// they are read may be in one only; a source that knows no parts has all of it unexplained.
fn agree(waited: &mut u64, breakdown: &mut crate::Breakdown) {
    if sum(breakdown) == 0 {
        breakdown[WaitPart::Unknown as usize] = *waited;
    }
    *waited = sum(breakdown);
}

fn rings(snapshot: &Snapshot, rows: &mut Rows) {
    let written = snapshot.rings.iter().map(|ring| ring.written);
    rows.totals.events = written.fold(snapshot.lost_no_ring, u64::saturating_add);
}
