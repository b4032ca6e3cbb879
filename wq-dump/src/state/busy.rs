//! What is busy in a snapshot: selected and joined once, for text and JSON alike.

use std::collections::HashMap;
use std::hash::Hash;
use wq_trace::{
    FunctionRow, Hold, Names, PoolId, PoolRow, PwqFuncRow, PwqId, PwqRow, Snapshot, WorkerRow,
    WorkerState, WorkqueueRow, WqId, hold_reason,
};

/// A workqueue with a pwq that has active or inactive items.
pub struct BusyWorkqueue<'a> {
    pub row: &'a WorkqueueRow,
    pub pwqs: Vec<BusyPwq<'a>>,
}

/// A pwq with active or inactive items.
pub struct BusyPwq<'a> {
    pub row: &'a PwqRow,
    pub pool: Option<&'a PoolRow>,
    /// Workers that execute its items, the longest-running first.
    pub in_flight: Vec<&'a WorkerRow>,
    /// (function, items) on the worklist.
    pub pending: Vec<(&'a str, u32)>,
    /// (function, items) on the inactive list.
    pub inactive: Vec<(&'a str, u32)>,
    /// What holds those back; none when there are none.
    pub hold: Option<Hold>,
}

/// A pool with a worker that is not idle.
pub struct BusyPool<'a> {
    pub row: &'a PoolRow,
    pub manager: Option<&'a WorkerRow>,
    /// Idle workers, the one that is woken next first.
    pub idle: Vec<&'a WorkerRow>,
}

/// The rows of a snapshot by what they belong to, so that a large engine is joined in one pass.
struct Index<'a> {
    pwqs: HashMap<WqId, Vec<&'a PwqRow>>,
    functions: HashMap<PwqId, Vec<&'a PwqFuncRow>>,
    executing: HashMap<(WqId, PoolId), Vec<&'a WorkerRow>>,
    pools: HashMap<PoolId, &'a PoolRow>,
}

/// The busy workqueues, in the order in which they were allocated.
pub fn workqueues<'a>(snapshot: &'a Snapshot, names: &'a Names) -> Vec<BusyWorkqueue<'a>> {
    let busy = |p: &&PwqRow| p.nr_active > 0 || p.nr_inactive > 0;
    let executing =
        |w: &&WorkerRow| matches!(w.state, WorkerState::Running | WorkerState::Sleeping);
    let index = Index {
        pwqs: group(snapshot.pwqs.iter().filter(busy), |p| p.wq),
        functions: group(snapshot.pwq_funcs.iter(), |f| f.pwq),
        executing: group(snapshot.workers.iter().filter(executing), |w| {
            (w.wq, w.pool)
        }),
        pools: snapshot.pools.iter().map(|p| (p.id, p)).collect(),
    };
    let joined = snapshot.workqueues.iter().filter_map(|row| {
        let pwqs = index
            .pwqs
            .get(&row.id)?
            .iter()
            .map(|pwq| join(&index, names, row, pwq));
        Some(BusyWorkqueue {
            row,
            pwqs: pwqs.collect(),
        })
    });
    joined.collect()
}

fn join<'a>(
    index: &Index<'a>,
    names: &'a Names,
    wq: &WorkqueueRow,
    row: &'a PwqRow,
) -> BusyPwq<'a> {
    let mut in_flight = index
        .executing
        .get(&(row.wq, row.pool))
        .cloned()
        .unwrap_or_default();
    // Several pwqs of a workqueue may share a pool.
    in_flight.retain(|w| !w.pwq.is_some() || w.pwq == row.id);
    in_flight.sort_by_key(|w| w.started_at);
    let (mut pending, mut inactive) = (Vec::new(), Vec::new());
    for f in index.functions.get(&row.id).into_iter().flatten() {
        let name = names.function(f.func);
        pending.extend((f.pending > 0).then_some((name, f.pending)));
        inactive.extend((f.inactive > 0).then_some((name, f.inactive)));
    }
    let pool = index.pools.get(&row.pool).copied();
    BusyPwq {
        row,
        pool,
        in_flight,
        pending,
        inactive,
        hold: hold_reason(wq, row, pool),
    }
}

/// The rows under their key, each list in the order of the rows.
fn group<'a, R: 'a, K: Eq + Hash>(
    rows: impl Iterator<Item = &'a R>,
    key: impl Fn(&R) -> K,
) -> HashMap<K, Vec<&'a R>> {
    let mut groups: HashMap<K, Vec<&R>> = HashMap::new();
    for row in rows {
        groups.entry(key(row)).or_default().push(row);
    }
    groups
}

/// The busy pools, by number.
pub fn pools(snapshot: &Snapshot) -> Vec<BusyPool<'_>> {
    let idle = |w: &&WorkerRow| w.state == WorkerState::Idle;
    let mut idle = group(snapshot.workers.iter().filter(idle), |w| w.pool);
    let by_id: HashMap<_, _> = snapshot.workers.iter().map(|w| (w.id, w)).collect();
    let busy = snapshot.pools.iter().filter(|p| p.nr_workers > p.nr_idle);
    let joined = busy.map(|row| {
        let mut idle = idle.remove(&row.id).unwrap_or_default();
        // The idle list is last in, first out.
        idle.sort_by_key(|w| std::cmp::Reverse(w.since));
        BusyPool {
            row,
            manager: by_id.get(&row.manager).copied(),
            idle,
        }
    });
    joined.collect()
}

/// Functions with timers armed.
pub fn timers(snapshot: &Snapshot) -> impl Iterator<Item = &FunctionRow> {
    snapshot.functions.iter().filter(|f| f.armed > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn pwqs_of_one_workqueue_that_share_a_pool_show_their_own_executions() {
        let mut snapshot = fixture::snapshot();
        let twin = PwqRow {
            id: PwqId(9),
            ..snapshot.pwqs[1].clone()
        };
        snapshot.pwqs.push(twin);
        for (worker, pwq) in [(1, 2), (2, 9)] {
            assert_ne!(snapshot.workers[worker].work, 0);
            snapshot.workers[worker].pwq = PwqId(pwq);
        }
        let names = Names::new(&snapshot);
        let all = workqueues(&snapshot, &names);
        let pwqs = all.iter().flat_map(|wq| &wq.pwqs);
        let shown = pwqs.filter(|pwq| pwq.row.wq == WqId(2)).map(|pwq| {
            let tids = pwq.in_flight.iter().map(|worker| worker.tid);
            (pwq.row.id.0, tids.collect())
        });
        let shown: Vec<(u32, Vec<u32>)> = shown.collect();
        assert_eq!(shown, [(2, vec![4702]), (9, vec![4703])]);
    }
}
