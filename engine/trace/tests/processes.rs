//! What is left of an engine when its process ends: in order, by a kill, or in a forked child.
//!
//! The other process is this test's own binary, started again with a role.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use wq_trace::{
    Breakdown, Counter, Event, From, FuncId, Liveness, Next, PoolInfo, PwqGauges, PwqId, Reader,
    Segment, SegmentConfig, VERSION, WaitPart, What, WorkerId, WorkerState,
};

const ROLE: &str = "WQ_TEST_ROLE";

/// Starts this binary in a role and waits for its first line that is not the test harness's.
fn start(role: &str, dir: &Path) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "other_process",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(ROLE, role)
        .env("WQ_RUNTIME_DIR", dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = lines.map_while(Result::ok).find_map(|line| {
        let at = line.find("said: ")?;
        Some(line[at + 6..].to_owned())
    });
    (child, said.expect("a line"))
}

/// Does nothing in an ordinary run; in another process plays the role it was given.
#[test]
fn other_process() {
    match std::env::var(ROLE).as_deref() {
        Ok("work") => work_until_killed(),
        Ok("exit") => {
            let segment = engine();
            println!("said: {}", segment.path().unwrap().display());
            std::process::exit(0);
        }
        Ok("list") => list_and_find(),
        Ok("full") => run_out_of_space(),
        _ => {}
    }
}

fn engine() -> Segment {
    engine_from(now())
}

fn engine_from(started: u64) -> Segment {
    let config = SegmentConfig {
        name: "other".into(),
        ring_bytes: 64 * 256,
        ..SegmentConfig::default()
    };
    // Who starts later removes what is older than a day: a machine may be up for longer than that.
    let (segment, problem) = Segment::create(&config, started);
    assert!(problem.is_none(), "{problem:?}");
    segment
}

/// Nanoseconds on the segment's clock.
fn now() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// An item's numbers, one derived from the other; each comes a nanosecond after the one before.
fn event(number: u64, started: u64) -> Event {
    Event {
        at: started + number,
        cpu: 0,
        tid: 1,
        wq: wq_trace::WqId(1),
        pool: wq_trace::PoolId(1),
        worker: WorkerId(number as u32),
        func: FuncId(2),
        from: FuncId::NONE,
        work: number,
        what: What::TimerArm { delay_us: !number },
    }
}

fn work_until_killed() {
    let started = now();
    let segment = engine_from(started);
    let wq = segment.workqueue("events", 0, 1);
    let pool = segment.pool(PoolInfo::default());
    let func = segment.function("f");
    let pwq = segment.pwq(wq.id(), pool.id());
    let on_pwq = segment.pwq_func(pwq.id(), func);
    let lock = Mutex::new(0_u64);
    println!("said: {}", segment.path().unwrap().display());
    std::thread::scope(|scope| {
        for number in 0..2 {
            let (segment, pool, pwq, on_pwq, lock) = (&segment, &pool, &pwq, &on_pwq, &lock);
            let wq = wq.id();
            scope.spawn(move || {
                let worker = segment.worker(pool.id(), number, "kworker/0:0", 1);
                let mut emitter = segment.emitter(number, "kworker/0:0");
                let waited: Breakdown = [1; WaitPart::COUNT];
                loop {
                    let mut item = lock.lock().unwrap();
                    *item += 1;
                    pwq.add(Counter::Queued, 1);
                    on_pwq.on_queued();
                    emitter.emit(&event(*item, started));
                    pwq.add(Counter::Started, 1);
                    on_pwq.on_started(&waited);
                    pwq.record_wait(WaitPart::COUNT as u64);
                    let at = started + *item;
                    worker.execute(*item, FuncId(*item as u32), (wq, PwqId::NONE), at);
                    worker.finish(at);
                    pwq.gauges(&PwqGauges::default());
                    on_pwq.on_completed(1, 1);
                    pwq.add(Counter::Completed, 1);
                }
            });
        }
    });
}

#[test]
fn a_killed_engine_leaves_nothing_wrong() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..8_u64 {
        let (mut child, path) = start("work", dir.path());
        let reader = Reader::open(Path::new(&path)).unwrap();
        assert_eq!(reader.liveness().unwrap(), Liveness::Live);
        let mut live = reader.cursor(From::Oldest);
        // Wait until it has done something, and then a little longer or shorter.
        while reader
            .snapshot()
            .unwrap()
            .pwqs
            .iter()
            .all(|pwq| pwq.counters[2] < 100)
        {
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_micros(300 * round));
        child.kill().unwrap();
        // A zombie is dead already.
        while reader.liveness().unwrap() == Liveness::Live {
            std::thread::yield_now();
        }
        check_remains(&reader);
        // One that watched it alive comes to its end, too.
        while live.next(u64::MAX) != Next::WriterGone {}
        assert_eq!(live.next(u64::MAX), Next::WriterGone);
        let written: u64 = reader
            .snapshot()
            .unwrap()
            .rings
            .iter()
            .map(|ring| ring.written)
            .sum();
        assert_eq!(live.seen() + live.lost(), written);
        child.wait().unwrap();
    }
    let left = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(left, 4, "each start left three of those before it");
}

fn check_remains(reader: &Reader) {
    assert_eq!(reader.liveness().unwrap(), Liveness::Dead);
    let s = reader.snapshot().unwrap();
    let [queued, started, completed] = [0, 1, 2].map(|at| s.pwqs[0].counters[at]);
    assert!(queued - started <= 1 && started - completed <= 1);
    let f = &s.pwq_funcs[0];
    assert!(f.queued - f.started <= 1 && f.started - f.completed <= 1);
    assert!(started - s.pwqs[0].wait.count() <= 1);
    assert!(s.torn <= 1, "only what one thread was writing");
    for worker in &s.workers {
        match worker.state {
            WorkerState::Running => assert_eq!(worker.func.0, worker.work as u32),
            _ => assert_eq!((worker.work, worker.func), (0, FuncId::NONE)),
        }
    }
    let mut cursor = reader.cursor(From::Oldest);
    let mut last = None;
    loop {
        match cursor.next(0) {
            Next::Record(read) => {
                assert_eq!(read, event(read.work, s.meta.started_at));
                assert!(
                    last < Some(read.work),
                    "merged in order: {last:?}, {}",
                    read.work
                );
                last = Some(read.work);
            }
            Next::Lost(_) => {}
            Next::WriterGone => break,
            other => panic!("{other:?}"),
        }
    }
    // The last item may have been counted and not yet emitted.
    assert!(queued - last.unwrap() <= 1, "{queued} {last:?}");
    assert_eq!(
        s.at,
        s.workers
            .iter()
            .map(|w| w.since)
            .chain(last.map(|work| s.meta.started_at + work))
            .max()
            .unwrap()
            .max(s.meta.started_at)
    );
    assert_eq!(
        (cursor.late(), cursor.unknown(), cursor.damaged()),
        (0, 0, 0)
    );
}

#[test]
fn an_orderly_exit_marks_the_segment() {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, path) = start("exit", dir.path());
    assert!(child.wait().unwrap().success());
    let reader = Reader::open(Path::new(&path)).unwrap();
    assert_eq!(reader.liveness().unwrap(), Liveness::Ended);
    assert_eq!(reader.cursor(From::Oldest).next(0), Next::End);
}

/// What the tools find: plays in a process of its own, since the directory is found by the environment.
fn list_and_find() {
    let nobody = wq_trace::find(None, None, None).unwrap_err().to_string();
    let dir = std::env::var("WQ_RUNTIME_DIR").unwrap();
    assert!(
        nobody.contains("no live engine") && nobody.contains(&dir),
        "{nobody}"
    );
    let (one, two) = (engine(), engine());
    let me = std::process::id();
    let ours = |found: &wq_trace::Found| found.pid == me;
    let found: Vec<_> = wq_trace::list(false).into_iter().filter(ours).collect();
    let names: Vec<_> = found.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(names, ["other", "other.2"]);
    assert!(
        found
            .iter()
            .all(|found| found.state == Liveness::Live && found.problem.is_none())
    );
    assert_eq!(
        wq_trace::find(Some(me), Some("other.2"), None).unwrap(),
        two.path().unwrap()
    );
    assert_eq!(
        wq_trace::find(None, Some("other"), None).unwrap(),
        one.path().unwrap()
    );
    let several = wq_trace::find(Some(me), None, None)
        .unwrap_err()
        .to_string();
    assert!(several.contains("--engine other.2"), "{several}");
    let mut newer = std::fs::read(two.path().unwrap()).unwrap();
    newer[8 + 2] = 9;
    let future = Path::new(&dir).join("2000000000-future.wqseg");
    std::fs::write(&future, newer).unwrap();
    let found = wq_trace::list(true);
    let found = found.iter().find(|found| found.path == future).unwrap();
    assert_eq!(
        (found.pid, found.version, found.state),
        (2_000_000_000, (9, VERSION.1), Liveness::Unknown)
    );
    assert!(
        found
            .problem
            .as_ref()
            .unwrap()
            .contains(&format!("version 9.{}", VERSION.1)),
        "{found:?}"
    );
    one.mark_ended(7);
    assert_eq!(
        wq_trace::find(Some(me), None, None).unwrap(),
        two.path().unwrap()
    );
    let ended = one.path().unwrap().to_owned();
    assert!(wq_trace::gc().contains(&ended) && !ended.exists());
    println!("said: fine");
    // The harness has nobody left to talk to.
    std::process::exit(0);
}

#[test]
fn engines_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, said) = start("list", dir.path());
    assert_eq!(said, "fine");
    assert!(child.wait().unwrap().success());
}

/// A limit on file sizes stands for a full file system: space cannot be had any more.
fn run_out_of_space() {
    let limit = |bytes| {
        let resource = rustix::process::Resource::Fsize;
        let limit = rustix::process::Rlimit {
            current: Some(bytes),
            maximum: None,
        };
        rustix::process::setrlimit(resource, limit).unwrap();
    };
    limit(200 << 10);
    let segment = engine();
    let wqs: Vec<_> = (0..3000)
        .map(|_| segment.workqueue("events", 0, 1))
        .collect();
    let mut emitters: Vec<_> = (0..20).map(|tid| segment.emitter(tid, "thread")).collect();
    for emitter in &mut emitters {
        emitter.emit(&event(1, now()));
    }
    let s = Reader::open(segment.path().unwrap())
        .unwrap()
        .snapshot()
        .unwrap();
    assert_eq!(
        s.workqueues.len() as u64 + s.hidden_rows,
        3000 + 20 - s.threads.len() as u64
    );
    assert_eq!(s.rings.len() as u64 + s.lost_no_ring, 20);
    assert!(s.lost_no_ring > 0 && s.hidden_rows > 0);
    limit(1000);
    let (other, problem) = Segment::create(&SegmentConfig::default(), 5);
    assert_eq!(other.path(), None);
    let problem = problem.unwrap().to_string();
    assert!(problem.contains("reserve space"), "{problem}");
    drop((wqs, emitters));
    println!("said: fine");
    std::process::exit(0);
}

#[test]
fn a_full_file_system_costs_rows_and_events_only() {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, said) = start("full", dir.path());
    assert_eq!(said, "fine");
    assert!(child.wait().unwrap().success());
    let left = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(left, 1, "the one that could not be made left nothing");
}
