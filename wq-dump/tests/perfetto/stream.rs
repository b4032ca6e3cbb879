//! A segment with a stream of events that has everything in it which a trace can show.

use std::path::{Path, PathBuf};
use wq_trace::{
    Emitter, Event, FlushTarget, FuncId, Hold, PoolId, PoolInfo, REQ_CPU_LOCAL, Segment,
    SegmentConfig, Wake, What, WorkerId, WqId,
};

/// Thread ids that no thread of this machine has.
const PRODUCER: u32 = 4_000_100;
pub const WORKERS: [u32; 2] = [4_000_101, 4_000_102];
/// When the stream begins.
pub const BEGIN: u64 = 5_000_000_000_000;
const MS: u64 = 1_000_000;

/// An engine with two workers of one pool, and a thread that queues.
pub struct Stream {
    pub path: PathBuf,
    segment: Segment,
    emitters: [Emitter; 3],
    wq: WqId,
    pool: PoolId,
    workers: [WorkerId; 2],
    func: FuncId,
    now: u64,
    _slots: Vec<Box<dyn std::any::Any>>,
}

impl Stream {
    pub fn new(dir: &Path, ring_bytes: u64) -> Self {
        let config = SegmentConfig {
            name: "traced".into(),
            dir: Some(dir.into()),
            ring_bytes,
            cpus: vec![0],
            sensing: "tick".into(),
            ..SegmentConfig::default()
        };
        let (segment, problem) = Segment::create(&config, BEGIN);
        assert!(problem.is_none(), "{problem:?}");
        let info = PoolInfo {
            number: 2,
            cpu: Some(0),
            nice: 0,
            flags: 0,
        };
        let (wq, pool) = (segment.workqueue("mixed", 0x100, 2), segment.pool(info));
        let func = segment.function("flush_cache");
        let names = ["kworker/0:0", "kworker/0:1"];
        let workers = [0, 1].map(|n| {
            let worker = segment.worker(pool.id(), n as u32, names[n], BEGIN);
            worker.set_tid(WORKERS[n]);
            worker
        });
        Self {
            path: segment.path().expect("a file").into(),
            emitters: [
                segment.emitter(PRODUCER, "producer-0"),
                segment.emitter(WORKERS[0], names[0]),
                segment.emitter(WORKERS[1], names[1]),
            ],
            wq: wq.id(),
            pool: pool.id(),
            workers: [workers[0].id(), workers[1].id()],
            segment,
            func,
            now: BEGIN,
            _slots: vec![Box::new((wq, pool, workers))],
        }
    }

    /// The workers come to be.
    pub fn start(&mut self) {
        for nr_workers in [1, 2] {
            let worker = nr_workers as usize;
            self.emit(0, Some(worker), 0, What::WorkerCreate { nr_workers });
        }
    }

    /// Two items: the first sleeps in its execution, the second is held, then runs on the other worker meanwhile.
    /// Takes 10 ms.
    pub fn pair(&mut self, first: u64) {
        let queue = What::QueueWork {
            req_cpu: REQ_CPU_LOCAL,
            cpu: 0,
        };
        let second = first + 1;
        self.emit(0, None, first, queue);
        self.emit(0, None, first, What::ActivateWork);
        let reason = Wake::Queue;
        self.emit(0, Some(1), 0, What::WorkerWake { reason });
        self.emit(0, None, second, queue);
        let reason = Hold::MaxActive;
        self.emit(0, None, second, What::HoldWork { reason });
        self.now += MS;
        self.emit(1, Some(1), first, What::ExecuteStart);
        self.emit(1, None, second, What::ActivateWork);
        self.now += MS;
        self.emit(0, Some(1), first, What::WorkerSleep { nr_running: 0 });
        let reason = Wake::Sleep;
        self.emit(0, Some(2), 0, What::WorkerWake { reason });
        self.now += MS;
        self.emit(2, Some(2), second, What::ExecuteStart);
        self.now += MS;
        self.emit(2, Some(2), second, What::ExecuteEnd);
        self.emit(2, Some(2), 0, What::WorkerIdle { nr_idle: 1 });
        self.now += MS;
        self.emit(1, Some(1), first, What::WorkerResume { nr_running: 1 });
        self.now += 4 * MS;
        self.emit(1, Some(1), first, What::ExecuteEnd);
        self.emit(1, Some(1), 0, What::WorkerIdle { nr_idle: 2 });
        self.now += MS;
    }

    /// What seldom happens; an execution and a wait that do not end, and a thread that waits for it.
    pub fn rest(&mut self, work: u64) {
        self.emit(1, Some(1), 0, What::ManagerStart);
        self.now += MS;
        self.emit(1, Some(1), 0, What::ManagerEnd);
        self.emit(0, None, 0, What::Mayday);
        self.emit(0, None, 0, What::Stall { seconds: 30 });
        let queue = What::QueueWork {
            req_cpu: REQ_CPU_LOCAL,
            cpu: 0,
        };
        self.emit(0, None, work, queue);
        self.emit(0, None, work, What::ActivateWork);
        self.emit(0, None, work + 1, queue);
        self.emit(0, None, work + 1, What::ActivateWork);
        let target = FlushTarget::Work;
        self.emit(0, None, work, What::FlushStart { target });
        self.now += MS;
        self.emit(2, Some(2), work, What::ExecuteStart);
        self.now += 20 * MS;
        let cpu_us = 20_000;
        self.emit(0, Some(2), work, What::CpuIntensive { cpu_us });
    }

    /// The engine ends.
    pub fn end(self) -> PathBuf {
        self.segment.mark_ended(self.now);
        self.path
    }

    /// Thread 0 queues, the others work. Workers count from 1.
    fn emit(&mut self, thread: usize, worker: Option<usize>, work: u64, what: What) {
        let tids = [PRODUCER, WORKERS[0], WORKERS[1]];
        self.emitters[thread].emit(&Event {
            at: self.now,
            cpu: 0,
            tid: tids[thread],
            wq: self.wq,
            pool: self.pool,
            worker: worker.map_or(WorkerId::NONE, |n| self.workers[n - 1]),
            func: self.func,
            from: FuncId::NONE,
            work,
            what,
        });
    }
}
