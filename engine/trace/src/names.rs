//! From identities to the names that people know: workqueues, functions, pools, workers, threads.

use crate::event::Event;
use crate::ids::{FuncId, PoolId, WorkerId, WqId};
use crate::snapshot::Snapshot;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// What is printed for an identity that is not known, or not any more.
pub const UNKNOWN: &str = "unknown";

/// What is printed for [`FuncId::OTHER`].
pub const OTHER: &str = "(other)";

/// Entries of each kind beyond which names of freed things are forgotten.
const KEEP: usize = 16_384;

/// Names of everything that a snapshot, or several in a row, told of.
///
/// Identities are never given out twice, so names of things that went away are kept for the events that still
/// mention them; beyond 16,384 of a kind only the latest snapshot's are.
#[derive(Clone, Debug, Default)]
pub struct Names {
    workqueues: HashMap<WqId, String>,
    functions: HashMap<FuncId, String>,
    pools: HashMap<PoolId, u32>,
    workers: HashMap<WorkerId, String>,
    comms: HashMap<u32, String>,
}

impl Names {
    /// The names in one snapshot.
    pub fn new(snapshot: &Snapshot) -> Self {
        let mut names = Self::default();
        names.update(snapshot);
        names
    }

    /// Adds the names in a later snapshot.
    pub fn update(&mut self, snapshot: &Snapshot) {
        let s = snapshot;
        merge(
            &mut self.workqueues,
            s.workqueues.iter().map(|w| (w.id, &w.name)),
        );
        merge(
            &mut self.functions,
            s.functions.iter().map(|f| (f.id, &f.name)),
        );
        merge(&mut self.pools, s.pools.iter().map(|p| (p.id, &p.number)));
        merge(&mut self.workers, s.workers.iter().map(|w| (w.id, &w.name)));
        // A worker's thread may have no event yet; where both tell, the thread's own row is the later word.
        let of_workers = s
            .workers
            .iter()
            .filter(|w| w.tid != 0)
            .map(|w| (w.tid, &w.name));
        let of_threads = s.threads.iter().map(|t| (t.tid, &t.comm));
        merge(&mut self.comms, of_workers.chain(of_threads));
    }

    /// Whether everything that an event names has a name here.
    pub fn cover(&self, event: &Event) -> bool {
        let functions = [event.func, event.from].into_iter();
        (!event.wq.is_some() || self.workqueues.contains_key(&event.wq))
            && (!event.pool.is_some() || self.pools.contains_key(&event.pool))
            && (!event.worker.is_some() || self.workers.contains_key(&event.worker))
            && self.comms.contains_key(&event.tid)
            && functions
                .filter(|func| func.is_some() && *func != FuncId::OTHER)
                .all(|func| self.functions.contains_key(&func))
    }

    /// A workqueue's name.
    pub fn workqueue(&self, id: WqId) -> &str {
        text(&self.workqueues, &id)
    }

    /// A function's name.
    pub fn function(&self, id: FuncId) -> &str {
        match self.functions.get(&id) {
            Some(name) => name,
            None if id == FuncId::OTHER => OTHER,
            None => UNKNOWN,
        }
    }

    /// The number that a pool is shown by.
    pub fn pool(&self, id: PoolId) -> Option<u32> {
        self.pools.get(&id).copied()
    }

    /// A worker's base name, as `kworker/0:1`.
    pub fn worker(&self, id: WorkerId) -> &str {
        text(&self.workers, &id)
    }

    /// A thread's name.
    pub fn comm(&self, tid: u32) -> &str {
        text(&self.comms, &tid)
    }
}

fn text<'a, K: Eq + Hash>(names: &'a HashMap<K, String>, id: &K) -> &'a str {
    names.get(id).map_or(UNKNOWN, String::as_str)
}

/// Takes the news into `known`; when that has grown too large, keeps the news alone.
fn merge<'a, K, V>(known: &mut HashMap<K, V>, news: impl Iterator<Item = (K, &'a V)>)
where
    K: Copy + Eq + Hash,
    V: Clone + PartialEq + 'a,
{
    let mut named = HashSet::new();
    for (id, name) in news {
        named.insert(id);
        // Most snapshots bring no news: compare before cloning.
        if known.get(&id) != Some(name) {
            known.insert(id, name.clone());
        }
    }
    if known.len() > KEEP {
        known.retain(|id, _| named.contains(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{FunctionRow, ThreadRow, WorkqueueRow};

    fn workqueue(id: u32, name: &str) -> WorkqueueRow {
        WorkqueueRow {
            id: WqId(id),
            name: name.into(),
            ..WorkqueueRow::default()
        }
    }

    #[test]
    fn what_nobody_named_is_unknown() {
        let names = Names::default();
        assert_eq!(names.workqueue(WqId(7)), UNKNOWN);
        assert_eq!(names.function(FuncId::NONE), UNKNOWN);
        assert_eq!(names.worker(WorkerId(1)), UNKNOWN);
        assert_eq!(names.comm(1), UNKNOWN);
        assert_eq!(names.pool(PoolId(1)), None);
    }

    #[test]
    fn the_full_function_table_has_a_name_of_its_own() {
        let mut names = Names::default();
        assert_eq!(names.function(FuncId::OTHER), OTHER);
        let function = FunctionRow {
            id: FuncId::OTHER,
            name: "rest".into(),
            ..Default::default()
        };
        names.update(&Snapshot {
            functions: vec![function],
            ..Snapshot::default()
        });
        assert_eq!(names.function(FuncId::OTHER), "rest");
    }

    #[test]
    fn a_freed_workqueue_keeps_its_name() {
        let one = Snapshot {
            workqueues: vec![workqueue(1, "gone")],
            ..Snapshot::default()
        };
        let two = Snapshot {
            workqueues: vec![workqueue(2, "new")],
            ..Snapshot::default()
        };
        let mut names = Names::new(&one);
        names.update(&two);
        assert_eq!(names.workqueue(WqId(1)), "gone");
        assert_eq!(names.workqueue(WqId(2)), "new");
    }

    #[test]
    fn a_thread_id_belongs_to_its_latest_thread() {
        let thread = |comm: &str| Snapshot {
            threads: vec![ThreadRow {
                tid: 5,
                comm: comm.into(),
            }],
            ..Snapshot::default()
        };
        let mut names = Names::new(&thread("old"));
        names.update(&thread("young"));
        assert_eq!(names.comm(5), "young");
    }

    #[test]
    fn the_store_does_not_grow_for_ever() {
        let mut names = Names::default();
        for id in 1..=(KEEP as u32 + 10) {
            names.update(&Snapshot {
                workqueues: vec![workqueue(id, "w")],
                ..Snapshot::default()
            });
        }
        assert!(names.workqueues.len() <= KEEP);
        assert_eq!(names.workqueue(WqId(KEEP as u32 + 10)), "w");
    }
}
