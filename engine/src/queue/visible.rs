//! A wait as the tools see it: events, and a row in the segment.

use crate::os;
use crate::runtime::{EngineInner, context};
use std::sync::Arc;
use wq_trace::{Event, FlushRow, FlushSlot, FlushTarget, FuncId, PoolId, What, WorkerId, WqId};

/// What is waited for.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub(super) work: u64,
    pub(super) wq: WqId,
    pub(super) func: FuncId,
    pub(super) kind: FlushTarget,
}

/// See the module. The row goes when this is dropped.
pub(super) struct Visible {
    pub(super) engine: Arc<EngineInner>,
    subject: Subject,
    tid: u32,
    row: FlushSlot,
}

impl Visible {
    /// The calling thread begins to wait.
    pub(super) fn begin(engine: &Arc<EngineInner>, subject: Subject) -> Arc<Self> {
        let (now, tid) = (os::now(), context::thread_id());
        let row = engine.segment.flush(&FlushRow {
            tid,
            work: subject.work,
            wq: subject.wq,
            func: subject.func,
            since: now,
            deadlock: 0,
        });
        let visible = Self {
            engine: engine.clone(),
            subject,
            tid,
            row,
        };
        let target = subject.kind;
        visible.emit(now, What::FlushStart { target });
        Arc::new(visible)
    }

    /// The wait was found to be part of a deadlock, by the calling thread.
    pub(super) fn tell_deadlock(&self, cycle: u32) {
        self.row.set_deadlock(cycle);
        let what = What::Deadlock {
            target: self.subject.kind,
            waiter: self.tid,
            cycle,
        };
        self.emit(os::now(), what);
    }

    /// It is part of none any more.
    pub(super) fn clear_deadlock(&self) {
        self.row.set_deadlock(0);
    }

    /// The calling thread has waited.
    pub(super) fn end(&self) {
        let target = self.subject.kind;
        self.emit(os::now(), What::FlushEnd { target });
    }

    fn emit(&self, at: u64, what: What) {
        let event = Event {
            at,
            cpu: 0,
            tid: 0,
            wq: self.subject.wq,
            pool: PoolId::NONE,
            worker: WorkerId::NONE,
            func: self.subject.func,
            from: FuncId::NONE,
            work: self.subject.work,
            what,
        };
        context::with(|context| context.emit_one(&self.engine, event));
    }
}
