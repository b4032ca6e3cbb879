//! Rescuers on threads: one for each workqueue that has to make progress even when no worker can be created.
//! Kernel: `init_rescuer()`, `rescuer_thread()`.

use super::{EngineInner, Pool, lock};
use crate::error::Error;
use crate::os;
use crate::queue::{PwqRef, WqInner};
use crate::sync::{Condvar, Mutex};
use crate::worker;
use crate::wq::{Maydays, PwqAddr};
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, PoisonError};
use wq_trace::{Segment, WqId, WqSlot};

/// What a workqueue and its rescuer share.
#[derive(Default)]
pub(crate) struct Rescuer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    maydays: Maydays<Mayday>,
    stopped: bool,
    /// The thread looks no more.
    ended: bool,
}

/// A pwq that has called for help. It keeps its workqueue, as in the kernel it is kept itself.
pub(crate) struct Mayday {
    _wq: Arc<WqInner>,
    pub(crate) pwq: PwqRef,
}

impl Rescuer {
    /// A pwq calls for help; in vain if the rescuer has ended.
    pub(crate) fn call(&self, mayday: Mayday) {
        let mut state = lock(&self.state);
        if state.ended {
            // It would keep its workqueue, which keeps this.
            drop(state);
            drop(mayday);
            return;
        }
        if state.maydays.send(mayday) {
            self.changed.notify_one();
        }
    }

    /// Have other pwqs called?
    pub(crate) fn others_wait(&self) -> bool {
        lock(&self.state).maydays.others_wait()
    }

    /// Waits for the next call. `None`: there is none, and none will come.
    pub(crate) fn next(&self) -> Option<Mayday> {
        let mut state = lock(&self.state);
        loop {
            let next = state.maydays.next();
            if next.is_some() || state.stopped {
                state.ended = next.is_none();
                return next;
            }
            let woken = self.changed.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// It ends once nobody calls.
    pub(crate) fn stop(&self) {
        lock(&self.state).stopped = true;
        self.changed.notify_one();
    }
}

/// The workqueue's end of a rescuer: when it goes, the rescuer ends.
pub(crate) struct RescuerHandle {
    rescuer: Arc<Rescuer>,
    segment: Segment,
}

impl Deref for RescuerHandle {
    type Target = Rescuer;

    fn deref(&self) -> &Rescuer {
        &self.rescuer
    }
}

impl Drop for RescuerHandle {
    fn drop(&mut self) {
        // In the child of a fork there is no rescuer, and its lock may be held for ever.
        if !self.segment.forked() {
            self.rescuer.stop();
        }
    }
}

impl fmt::Debug for RescuerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rescuer").finish_non_exhaustive()
    }
}

impl EngineInner {
    /// Starts the rescuer of a workqueue of this name. Kernel: `init_rescuer()`.
    pub(super) fn start_rescuer(&self, wq: &str, row: &WqSlot) -> Result<RescuerHandle, Error> {
        let name = format!("kworker/R-{wq}");
        let rescuer = Arc::new(Rescuer::default());
        let slot = self.segment.rescuer(row.id(), &name, os::now());
        row.set_rescuer(slot.id());
        let started = self.spawn(&name, {
            let rescuer = rescuer.clone();
            move |engine| worker::rescuer::run(engine, &rescuer, slot)
        });
        match started {
            Ok(_) => Ok(RescuerHandle {
                rescuer,
                segment: self.segment.clone(),
            }),
            Err(source) => Err(Error::Thread { name, source }),
        }
    }

    /// A pwq of this workqueue calls for help.
    pub(super) fn mayday(&self, id: WqId, pwq: PwqAddr) {
        let (Some(wq), Some(pool)) = (self.find_workqueue(id), Pool::find(pwq.pool)) else {
            return;
        };
        let called = Mayday {
            _wq: wq.clone(),
            pwq: PwqRef {
                pool,
                ix: pwq.ix,
                uid: pwq.uid,
            },
        };
        if let Some(rescuer) = &wq.rescuer {
            rescuer.call(called);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fork_tests::in_a_child;
    use super::*;
    use crate::{Engine, WqFlags};

    #[test]
    fn who_calls_for_a_rescuer_that_has_ended_keeps_nothing() {
        let builder = Engine::builder().name("rescuer-ended");
        let engine = builder.build().unwrap();
        let wq = engine.alloc_workqueue("late", WqFlags::PERCPU, 0).unwrap();
        let rescuer = Rescuer::default();
        let call = || {
            rescuer.call(Mayday {
                _wq: wq.inner().clone(),
                pwq: wq.inner().pwq_on(0).into_owned(),
            });
        };
        let before = Arc::strong_count(wq.inner());
        rescuer.stop();
        call();
        assert!(rescuer.next().is_some(), "called before it ended");
        assert!(rescuer.next().is_none());
        call();
        assert_eq!(Arc::strong_count(wq.inner()), before);
    }

    #[test]
    fn in_a_child_the_end_of_a_workqueue_does_not_ask_its_rescuer() {
        let builder = Engine::builder().name("rescuer-forked");
        let engine = builder.build().unwrap();
        let rescuer = Arc::new(Rescuer::default());
        let handle = RescuerHandle {
            rescuer: rescuer.clone(),
            segment: engine.segment().clone(),
        };
        let mut handle = Some(handle);
        let state = lock(&rescuer.state);
        in_a_child(|| drop(handle.take()));
        drop(state);
        assert!(!lock(&rescuer.state).stopped);
        drop(handle);
        assert!(lock(&rescuer.state).stopped);
    }
}
