//! A worker's park under loom, with the real pool behind the lock. Run by `cargo loom-engine`.
//!
//! Who queues decides under the pool's lock which worker is woken, drops it, and unparks. The worker takes its step
//! under the lock, drops it, and parks if the step says so. In between an unpark leaves its token, and a woken worker
//! takes another step. Each of these left out or turned round once: then the model must fail.

use crate::pool::{
    Done, Effect, Effects, Limit, NewItem, PoolSpec, PoolState, PwqIx, PwqSpec, Step, WorkerIx,
};
use crate::sync::checked::fails;
use loom::sync::{Condvar, Mutex};
use loom::thread::{self, Thread};
use std::sync::{Arc, OnceLock};
use wq_trace::{FuncId, PoolInfo, REQ_CPU_LOCAL, Segment, SegmentConfig, WqSlot};

/// What is left out.
mod weak {
    pub(super) const NONE: u8 = 0;
    /// The waker unparks whom it is about to wake before it has the lock.
    pub(super) const UNPARK_FIRST: u8 = 1;
    /// The unpark leaves no token: who is not parked yet misses it.
    pub(super) const NO_TOKEN: u8 = 2;
    /// The effect is not executed.
    pub(super) const NOT_EXECUTED: u8 = 3;
}

const ITEMS: usize = 2;
/// The worker that is woken: it was created last, so it idled last.
const WORKER: WorkerIx = WorkerIx(1);

struct Shared {
    pool: Mutex<PoolState<usize, u32>>,
    /// For the park that has no token.
    bell: (Mutex<()>, Condvar),
    _wq: WqSlot,
}

/// One segment for all: pools that are gone leave their slots.
fn segment() -> &'static Segment {
    static SEGMENT: OnceLock<Segment> = OnceLock::new();
    SEGMENT.get_or_init(|| Segment::in_memory(&SegmentConfig::default(), 0))
}

/// An unbound pool with one pwq and two idle workers, so that none has to be created.
fn shared() -> Arc<Shared> {
    let (number, cpu, nice) = (4, None, 0);
    let row = PoolInfo {
        number,
        cpu,
        nice,
        flags: 0,
    };
    let spec = PoolSpec {
        uid: 1,
        number,
        cpu,
        nice,
        bh: false,
    };
    let wq = segment().workqueue("q", 0, 1);
    let mut pool = PoolState::new(spec, segment(), segment().pool(row), 0);
    let pwq = PwqSpec {
        wq: wq.id(),
        wq_name: "q".to_owned(),
        uid: 1,
        limit: Limit {
            max_active: ITEMS,
            frozen: false,
            node: None,
            plugged: false,
        },
        ordered: false,
        cpu_intensive: false,
        mem_reclaim: false,
        work_color: 0,
    };
    pool.add_pwq(pwq, 0);
    for _ in 0..2 {
        let ix = pool.next_worker();
        let slot = segment().worker(pool.id(), ix.0, "w", 0);
        pool.created(ix, slot, 0, &mut Effects::default());
    }
    Arc::new(Shared {
        pool: Mutex::new(pool),
        bell: (Mutex::new(()), Condvar::new()),
        _wq: wq,
    })
}

impl Shared {
    fn unpark<const WEAK: u8>(&self, thread: &Thread) {
        if WEAK == weak::NO_TOKEN {
            self.bell.1.notify_one();
        } else {
            thread.unpark();
        }
    }

    fn park<const WEAK: u8>(&self) {
        if WEAK == weak::NO_TOKEN {
            drop(self.bell.1.wait(self.bell.0.lock().unwrap()));
        } else {
            thread::park();
        }
    }

    fn queue<const WEAK: u8>(&self, item: usize, worker: &Thread) {
        if WEAK == weak::UNPARK_FIRST {
            self.unpark::<WEAK>(worker);
        }
        let mut fx = Effects::default();
        let new = NewItem {
            job: item,
            work: item as u64 + 1,
            func: FuncId::OTHER,
            req_cpu: REQ_CPU_LOCAL,
        };
        let queued = self.pool.lock().unwrap().queue(PwqIx(0), new, 0, &mut fx);
        assert!(queued.is_ok());
        let wakes = fx.effects.contains(&Effect::Wake(WORKER));
        if wakes && !matches!(WEAK, weak::UNPARK_FIRST | weak::NOT_EXECUTED) {
            self.unpark::<WEAK>(worker);
        }
    }

    /// A worker's life, until it has executed all items.
    fn work<const WEAK: u8>(&self) {
        let mut fx = Effects::default();
        let mut executed = 0;
        let mut step = self.pool.lock().unwrap().step(WORKER, 0, &mut fx);
        while executed < ITEMS {
            if matches!(step, Step::Park) {
                self.park::<WEAK>();
                step = self.pool.lock().unwrap().step(WORKER, 0, &mut fx);
                continue;
            }
            let Step::Run(start) = step else {
                unreachable!("there are two workers, and nobody ends them");
            };
            assert_eq!(start.job, executed, "in queueing order");
            executed += 1;
            let done = Done {
                at: 0,
                cpu_ns: 0,
                panicked: false,
            };
            let mut pool = self.pool.lock().unwrap();
            pool.execute_end(WORKER, &done, 0, &mut fx);
            pool.complete(WORKER, done, 0, &mut fx);
            step = pool.step(WORKER, 0, &mut fx);
        }
    }
}

fn queue_and_park<const WEAK: u8>() {
    loom::model(|| {
        let shared = shared();
        let worker = thread::spawn({
            let shared = shared.clone();
            move || shared.work::<WEAK>()
        });
        for item in 0..ITEMS {
            shared.queue::<WEAK>(item, worker.thread());
        }
        worker.join().unwrap();
    });
}

#[test]
fn loom_park_loses_no_wake_up() {
    queue_and_park::<{ weak::NONE }>();
}

#[test]
fn loom_park_unparked_before_the_decision() {
    assert!(fails(queue_and_park::<{ weak::UNPARK_FIRST }>));
}

#[test]
fn loom_park_without_a_token() {
    assert!(fails(queue_and_park::<{ weak::NO_TOKEN }>));
}

#[test]
fn loom_park_without_the_unpark() {
    assert!(fails(queue_and_park::<{ weak::NOT_EXECUTED }>));
}
