//! Every segment of the process is marked ended when the process exits in an orderly way.

use super::{Inner, map};
use crate::clock::monotonic_now;
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};

/// The segments of this process.
static LIVE: Mutex<Vec<Weak<Inner>>> = Mutex::new(Vec::new());

/// Adds a segment to those marked at exit.
pub(super) fn register(inner: &Arc<Inner>) {
    static HANDLER: Once = Once::new();
    HANDLER.call_once(|| map::at_exit(mark_all));
    let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    live.retain(|segment| segment.strong_count() > 0);
    live.push(Arc::downgrade(inner));
}

/// Runs at exit. In a forked child the lock may be held by a thread that is not there, hence the try; and there the
/// segments are not its own, which [`Inner::mark_ended`] sees.
extern "C" fn mark_all() {
    let Ok(live) = LIVE.try_lock() else {
        return;
    };
    let now = monotonic_now();
    // Upgraded ones must not be the last: dropping a segment here would take locks.
    let segments: Vec<_> = live.iter().filter_map(Weak::upgrade).collect();
    for segment in &segments {
        segment.mark_ended(now);
    }
    std::mem::forget(segments);
}
