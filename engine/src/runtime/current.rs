//! What the calling thread is at, if it is a worker.

use super::context;
use crate::attrs::DESC_LEN;
use crate::queue::Work;
use std::fmt;

/// The work item that the calling thread executes, if it is a worker. Kernel: `current_work()`.
///
/// Of whatever kind the item is, the handle can be asked, flushed, cancelled and disabled, but for items that wait for
/// readers, which cannot be cancelled; only one that was made as a [`Work`] is to be queued by it.
pub fn current_work() -> Option<Work> {
    context::current()?.work.upgrade().map(Work)
}

/// When the item that the calling worker executes was queued and when its execution began, in nanoseconds on
/// `CLOCK_MONOTONIC`; `None` outside of a work function. The difference is the item's wait as the tools show it.
pub fn current_stamps() -> Option<(u64, u64)> {
    context::current().map(|current| (current.queued_at, current.started_at))
}

/// Is the calling thread a rescuer that executes an item? Then no other worker could be created for the item, and it
/// had better not wait for one. Kernel: `current_is_workqueue_rescuer()`.
pub fn current_is_workqueue_rescuer() -> bool {
    context::current().is_some_and(|current| current.worker.is_rescuer())
}

/// Describes what the calling worker is at, for the tools, until its next execution begins: by itself a worker is
/// described by the name of the workqueue. At most 31 bytes are kept. Outside of a work function nothing happens.
/// Kernel: `set_worker_desc()`.
///
/// ```
/// use wq_engine::{Engine, Work, set_worker_desc};
/// let engine = Engine::builder().name("doc-desc").build()?;
/// let work = Work::named("write_back", |_| set_worker_desc(format_args!("flush-{}:{}", 8, 0)));
/// engine.schedule_work(&work);
/// work.flush();
/// # Ok::<(), wq_engine::Error>(())
/// ```
pub fn set_worker_desc(desc: impl fmt::Display) {
    let Some(current) = context::current() else {
        return;
    };
    let Some(engine) = current.pool.engine() else {
        return;
    };
    if engine.segment.forked() {
        return;
    }
    // Before the lock: what is displayed may be a user's.
    let desc = desc.to_string();
    let desc = cut(&desc, DESC_LEN);
    current.pool.transact(&engine, |core, _, _| {
        core.set_worker_desc(current.worker, desc);
    });
}

/// The longest beginning of `text` that has at most `len` bytes.
fn cut(text: &str, len: usize) -> &str {
    let end = (0..=len.min(text.len()))
        .rev()
        .find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_letter_is_cut_in_two() {
        assert_eq!(cut("", 31), "");
        assert_eq!(cut("flush-8:0", 31), "flush-8:0");
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
    }

    #[test]
    fn outside_of_a_work_function_there_is_nothing_to_describe() {
        set_worker_desc("nobody");
        assert!(current_work().is_none());
    }
}
