//! The end of a replay that leaves workqueues frozen: what they hold will never start.

use super::shared::Shared;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use wq_engine::Workqueue;
use wq_trace::{Reader, Snapshot};

/// Whether everything that is left is held on frozen workqueues: nothing runs, no timer is armed. Exact once no
/// producer makes calls any more, for nobody can thaw then.
pub(super) fn is_all(shared: &Shared) -> bool {
    if !shared.frozen.load(Ordering::Acquire) {
        return false;
    }
    let executions = shared.executions.load(Ordering::Acquire);
    let mut left: HashMap<&str, u64> = HashMap::new();
    for item in shared.items.iter().filter(|item| !item.handle.is_idle()) {
        if !shared.is_frozen(&item.wq) || !item.handle.only_waits() {
            return false;
        }
        *left.entry(item.wq.name()).or_default() += 1;
    }
    let Ok(snapshot) = Reader::in_memory(shared.engine.segment()).snapshot() else {
        return false;
    };
    // An item on a timer waits as well, but on no list yet.
    left.into_iter()
        .all(|(wq, items)| held(&snapshot, wq) == Some(items))
        && executions == shared.executions.load(Ordering::Acquire)
}

/// Items that this workqueue holds back; `None` while something is active on it.
fn held(snapshot: &Snapshot, wq: &str) -> Option<u64> {
    let id = snapshot.workqueues.iter().find(|row| row.name == wq)?.id;
    let mut pwqs = snapshot.pwqs.iter().filter(|pwq| pwq.wq == id);
    pwqs.try_fold(0, |sum, pwq| {
        (pwq.nr_active == 0 && pwq.nr_in_flight == 0).then(|| sum + u64::from(pwq.nr_inactive))
    })
}

/// Why items may wait for ever, if the script did something that makes them.
pub(super) fn obstacle(shared: &Shared) -> Option<&'static str> {
    let frozen = |wq: &Workqueue| shared.is_frozen(wq);
    if shared.creation_fails.load(Ordering::Acquire) {
        Some("no worker can be created (`fail_create on`)")
    } else if shared
        .items
        .iter()
        .any(|item| frozen(&item.wq) && item.handle.pending())
    {
        Some("workqueues are frozen (`freeze`)")
    } else {
        None
    }
}
