//! A directory with an engine's segment in it, and the binary run against it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use wq_trace::{
    Counter, Emitter, Event, FlushRow, FlushSlot, FuncId, PoolGauges, PoolId, PoolInfo, PoolSlot,
    PwqFuncSlot, PwqGauges, PwqSlot, REQ_CPU_LOCAL, Segment, SegmentConfig, WaitPart, What,
    WorkerId, WorkerSlot, WorkerState, WqId, WqSlot,
};

/// Thread id of the only worker; no thread of this process has it.
pub const TID: u32 = 4_000_001;

/// How long the engine of a test has been there, in nanoseconds.
const AGE_NS: u64 = 1_000_000_000_000;

/// A place where engines and tools meet.
pub struct Place {
    dir: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a directory"),
        }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The binary, looking at this place.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wq-dump"));
        command.args(args).env("WQ_RUNTIME_DIR", self.path());
        command
            .env_remove("RUST_LOG")
            .env_remove("NO_COLOR")
            .env_remove("XDG_RUNTIME_DIR");
        command
    }

    pub fn run(&self, args: &[&str]) -> Run {
        Run(self.command(args).output().expect("wq-dump runs"))
    }
}

/// What a run of the binary left.
pub struct Run(pub Output);

impl Run {
    pub fn stdout(&self) -> &str {
        std::str::from_utf8(&self.0.stdout).expect("UTF-8")
    }

    pub fn stderr(&self) -> &str {
        std::str::from_utf8(&self.0.stderr).expect("UTF-8")
    }

    pub fn code(&self) -> Option<i32> {
        self.0.status.code()
    }

    /// Standard output of a run that went well.
    #[track_caller]
    pub fn good(&self) -> &str {
        assert_eq!(self.code(), Some(0), "{}", self.stderr());
        self.stdout()
    }

    /// Standard error of a run that ended with this status and printed nothing.
    #[track_caller]
    pub fn bad(&self, code: i32) -> &str {
        assert_eq!(
            self.code(),
            Some(code),
            "{} {}",
            self.stdout(),
            self.stderr()
        );
        assert_eq!(self.stdout(), "");
        self.stderr()
    }

    /// The JSON of a run that went well.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.good()).expect("JSON")
    }
}

/// A segment of this process, as an engine would write it: one workqueue, one pool, one worker in the middle of an item.
pub struct Engine {
    pub segment: Segment,
    pub path: PathBuf,
    emitter: Emitter,
    wq: WqSlot,
    pool: PoolSlot,
    pwq: PwqSlot,
    pwq_func: PwqFuncSlot,
    worker: WorkerSlot,
    func: FuncId,
    started_at: u64,
    flushes: Vec<FlushSlot>,
}

impl Engine {
    pub fn start(place: &Place, name: &str) -> Self {
        let config = SegmentConfig {
            name: name.into(),
            dir: Some(place.path().into()),
            ring_bytes: 4096,
            cpus: vec![0],
            sensing: "tick".into(),
            ..SegmentConfig::default()
        };
        // Long ago: what happened then is old, and all that it did at once happened then.
        let started_at = monotonic().saturating_sub(AGE_NS).max(256);
        let (segment, problem) = Segment::create(&config, started_at);
        assert!(problem.is_none(), "{problem:?}");
        let info = PoolInfo {
            number: 2,
            cpu: Some(0),
            nice: 0,
            flags: 0,
        };
        let (wq, pool) = (segment.workqueue("mixed", 0x100, 4), segment.pool(info));
        let func = segment.function("flush_cache");
        let pwq = segment.pwq(wq.id(), pool.id());
        let worker = segment.worker(pool.id(), 0, "kworker/0:0", started_at);
        worker.set_tid(TID);
        Self {
            path: segment.path().expect("a file").into(),
            emitter: segment.emitter(TID, "kworker/0:0"),
            pwq_func: segment.pwq_func(pwq.id(), func),
            segment,
            wq,
            pool,
            pwq,
            worker,
            func,
            started_at,
            flushes: Vec::new(),
        }
    }

    /// Runs `items` items, each of which waited 3 ms, and begins one more.
    pub fn work(&mut self, items: u64) {
        for item in 1..=items + 1 {
            self.emit(
                item,
                What::QueueWork {
                    req_cpu: REQ_CPU_LOCAL,
                    cpu: 0,
                },
            );
            self.pwq.add(Counter::Queued, 1);
            self.pwq_func.on_queued();
            self.emit(item, What::ExecuteStart);
            self.begin();
            if item <= items {
                self.emit(item, What::ExecuteEnd);
                self.pwq.add(Counter::Completed, 1);
                self.pwq.record_run(1_000_000);
                self.pwq_func.on_completed(1_000_000, 900_000);
            }
        }
        self.pwq_func.running(1);
        self.pwq.gauges(&PwqGauges {
            nr_active: 1,
            refcnt: 2,
            nr_in_flight: 1,
            ..Default::default()
        });
        self.pool.update(&PoolGauges {
            nr_running: 1,
            nr_workers: 1,
            last_progress: self.started_at,
            max_workers: 1,
            ..PoolGauges::default()
        });
        self.worker.execute(
            items + 1,
            self.func,
            (self.wq.id(), self.pwq.id()),
            self.started_at,
        );
    }

    /// The item in flight, which is the sixth, sleeps and somebody waits for it; two more are held, a timer is armed, and
    /// the rescuer is called.
    pub fn trouble(&mut self) {
        self.worker.state(WorkerState::Sleeping, self.started_at);
        self.pwq_func.inactive(2);
        self.pwq.gauges(&PwqGauges {
            nr_active: 1,
            refcnt: 4,
            nr_inactive: 2,
            nr_in_flight: 1,
            held_since: self.started_at,
            ..PwqGauges::default()
        });
        self.pwq.set_mayday(true);
        self.segment.armed(self.func, 1, self.started_at + 1);
        self.flushes.push(self.segment.flush(&FlushRow {
            tid: TID + 1,
            work: 6,
            wq: self.wq.id(),
            func: self.func,
            since: self.started_at,
            deadlock: 0,
        }));
    }

    /// Emits events stamped with the time, on and on, until told to stop.
    pub fn emit_until(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            self.emit_at(monotonic(), 1, What::ActivateWork);
        }
    }

    fn begin(&mut self) {
        let mut waited = [0; WaitPart::COUNT];
        waited[WaitPart::Concurrency as usize] = 2_000_000;
        waited[WaitPart::NoWorker as usize] = 1_000_000;
        self.pwq.add(Counter::Started, 1);
        self.pwq.record_wait(3_000_000);
        self.pwq_func.on_started(&waited);
    }

    fn emit(&mut self, work: u64, what: What) {
        self.emit_at(self.started_at, work, what);
    }

    /// Emits an event of this moment.
    pub fn emit_now(&mut self, work: u64, what: What) {
        self.emit_at(monotonic(), work, what);
    }

    /// Emits an event of this moment about another workqueue.
    pub fn emit_for(&mut self, wq: WqId, what: What) {
        self.emit_of(monotonic(), wq, 0, what);
    }

    /// Says that the engine ends now.
    pub fn end_now(&self) {
        self.segment.mark_ended(monotonic());
    }

    fn emit_at(&mut self, at: u64, work: u64, what: What) {
        self.emit_of(at, self.wq.id(), work, what);
    }

    fn emit_of(&mut self, at: u64, wq: WqId, work: u64, what: What) {
        self.emitter.emit(&Event {
            at,
            cpu: 0,
            tid: TID,
            wq,
            pool: PoolId::NONE,
            worker: WorkerId::NONE,
            func: self.func,
            from: FuncId::NONE,
            work,
            what,
        });
    }
}

/// The time on a segment's clock, in nanoseconds.
fn monotonic() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
