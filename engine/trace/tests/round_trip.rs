//! What an engine writes is what a reader reads: rows, counters, events.

use wq_trace::{
    CanaryGauges, Counter, Event, FlushRow, FlushSlot, From, FuncId, Liveness, Next, PoolGauges,
    PoolId, PoolInfo, PoolSlot, PwqFuncSlot, PwqGauges, PwqId, PwqSlot, Reader, Segment,
    SegmentConfig, SensingInfo, Snapshot, UpTo, WaitPart, What, WorkerId, WorkerSlot, WorkerState,
    WqCounter, WqId, WqSlot,
};

fn event(at: u64, work: u64) -> Event {
    Event {
        at,
        cpu: 1,
        tid: 42,
        wq: WqId(1),
        pool: PoolId(1),
        worker: WorkerId(1),
        func: FuncId(2),
        from: FuncId::NONE,
        work,
        what: What::ExecuteStart,
    }
}

fn config() -> SegmentConfig {
    SegmentConfig {
        name: "demo".into(),
        cpus: vec![0, 3, 64],
        sensing: "tick".into(),
        ..SegmentConfig::default()
    }
}

fn canary() -> CanaryGauges {
    CanaryGauges {
        armed: true,
        armings: 8,
        decisions: 9,
        false_decisions: 10,
        unwatched: 11,
    }
}

/// One of everything.
struct Made {
    segment: Segment,
    wq: WqSlot,
    pool: PoolSlot,
    func: FuncId,
    worker: WorkerSlot,
    pwq: PwqSlot,
    on_pwq: PwqFuncSlot,
    waited: [u64; WaitPart::COUNT],
    flush: FlushSlot,
}

fn make_all() -> Made {
    let segment = Segment::in_memory(&config(), 100);
    segment.set_sensing(&SensingInfo {
        mode: "hints".into(),
        reason: "no /proc".into(),
        ..SensingInfo::default()
    });
    let wq = segment.workqueue("my events", 0x2, 16);
    wq.add(WqCounter::RefusedPending, 3);
    wq.set_max_active(8);
    let pool = segment.pool(PoolInfo {
        number: 6,
        cpu: Some(1),
        nice: -20,
        flags: 0,
    });
    for granted in [true, false, true] {
        pool.set_nice_granted(granted);
    }
    let func = segment.function("flush_cache");
    assert_eq!(segment.function("flush_cache"), func);
    let worker = segment.worker(pool.id(), 3, "kworker/1:3", 120);
    worker.set_tid(77);
    let pwq = segment.pwq(wq.id(), pool.id());
    worker.execute(9, func, (wq.id(), pwq.id()), 150);
    worker.state(WorkerState::Sleeping, 160);
    worker.desc("events");
    pool.update(&PoolGauges {
        nr_running: 1,
        nr_workers: 2,
        nr_idle: 3,
        nr_pending: 4,
        manager: worker.id(),
        last_progress: 140,
        flags: 2,
        max_workers: 5,
        max_nr_running: 6,
        cm_wakeups: 7,
        canary: canary(),
    });
    pwq.add(Counter::Queued, 5);
    pwq.add(Counter::Started, 2);
    pwq.add(Counter::Panics, 1);
    pwq.gauges(&PwqGauges {
        nr_active: 1,
        refcnt: 2,
        nr_inactive: 3,
        nr_in_flight: 4,
        max_in_flight: 5,
        held_since: 0x1234_5600,
    });
    pwq.record_wait(1000);
    pwq.record_run(2000);
    pwq.record_run(3000);
    let on_pwq = segment.pwq_func(pwq.id(), func);
    on_pwq.on_queued();
    on_pwq.pending(2);
    on_pwq.pending(-1);
    on_pwq.inactive(1);
    on_pwq.running(1);
    let mut waited = [0; WaitPart::COUNT];
    waited[WaitPart::Runqueue as usize] = 11;
    on_pwq.on_started(&waited);
    on_pwq.on_completed(30, 20);
    segment.armed(func, 2, 999);
    let flush = segment.flush(&FlushRow {
        tid: 5,
        work: 9,
        wq: wq.id(),
        func,
        since: 155,
        ..FlushRow::default()
    });
    Made {
        segment,
        wq,
        pool,
        func,
        worker,
        pwq,
        on_pwq,
        waited,
        flush,
    }
}

#[test]
fn all_rows() {
    let made = make_all();
    let s = Reader::in_memory(&made.segment).snapshot().unwrap();
    check_head(&s);
    check_workqueues_and_pools(&s, &made);
    check_workers(&s, &made);
    check_pwqs(&s, &made);
    check_functions(&s);

    drop((made.flush, made.on_pwq));
    made.worker.finish(170);
    let s = Reader::in_memory(&made.segment).snapshot().unwrap();
    assert!(s.flushes.is_empty());
    assert_eq!(
        (s.workers[0].state, s.workers[0].work),
        (WorkerState::Busy, 0)
    );
    assert_eq!(s.workers[0].executed, 1);
}

fn check_head(s: &Snapshot) {
    assert_eq!(s.torn + s.hidden_rows + s.lost_no_ring, 0);
    assert_eq!(s.at, 160, "the last sign of life");
    assert_eq!(
        (s.meta.name.as_str(), s.meta.pid),
        ("demo", std::process::id())
    );
    assert_eq!(s.meta.cpus, [0, 3, 64]);
    assert_eq!(
        (s.meta.sensing.as_str(), s.meta.sensing_reason.as_str()),
        ("hints", "no /proc")
    );
    assert_eq!((s.meta.started_at, s.meta.ended_at), (100, None));
    assert!(s.meta.tracing && !s.meta.exe.is_empty());
}

fn check_workqueues_and_pools(s: &Snapshot, made: &Made) {
    let [row] = s.workqueues.as_slice() else {
        panic!()
    };
    assert_eq!(
        (row.id, row.name.as_str(), row.flags, row.max_active),
        (made.wq.id(), "my_events", 2, 8)
    );
    assert_eq!(row.counters[WqCounter::RefusedPending as usize], 3);
    let [row] = s.pools.as_slice() else { panic!() };
    assert_eq!(
        (row.number, row.cpu, row.nice, row.nice_granted),
        (6, Some(1), -20, false)
    );
    assert_eq!(
        (row.nr_running, row.nr_workers, row.nr_idle, row.nr_pending),
        (1, 2, 3, 4)
    );
    assert_eq!(
        (row.manager, row.last_progress, row.flags),
        (made.worker.id(), 140, 2)
    );
    assert_eq!(
        (row.max_workers, row.max_nr_running, row.cm_wakeups),
        (5, 6, 7)
    );
    assert_eq!(row.canary, canary());
}

fn check_workers(s: &Snapshot, made: &Made) {
    let [row] = s.workers.as_slice() else {
        panic!()
    };
    assert_eq!(
        (row.tid, row.number, row.state, row.since),
        (77, 3, WorkerState::Sleeping, 160)
    );
    assert_eq!(
        (row.work, row.func, row.wq, row.started_at),
        (9, made.func, made.wq.id(), 150)
    );
    assert_eq!(row.pwq, made.pwq.id());
    assert_eq!(row.full_name(), "kworker/1:3+events");
    let [row] = s.flushes.as_slice() else {
        panic!()
    };
    assert_eq!((row.tid, row.work, row.since), (5, 9, 155));
}

fn check_pwqs(s: &Snapshot, made: &Made) {
    let [row] = s.pwqs.as_slice() else { panic!() };
    assert_eq!((row.wq, row.pool), (made.wq.id(), made.pool.id()));
    assert_eq!((row.nr_active, row.refcnt, row.nr_inactive), (1, 2, 3));
    assert_eq!(row.held_since, 0x1234_5600);
    assert_eq!((row.nr_in_flight, row.max_in_flight), (4, 5));
    assert_eq!(row.counters[Counter::Queued as usize], 5);
    assert_eq!(row.counters[Counter::Panics as usize], 1);
    assert_eq!(
        (row.wait.count(), row.wait.max, row.wait.sum),
        (1, 1000, 1000)
    );
    assert_eq!((row.run.count(), row.run.max, row.run.sum), (2, 3000, 5000));
    let [row] = s.pwq_funcs.as_slice() else {
        panic!()
    };
    assert_eq!((row.pwq, row.func), (made.pwq.id(), made.func));
    assert_eq!((row.pending, row.inactive, row.running), (1, 1, 1));
    assert_eq!((row.queued, row.started, row.completed), (1, 1, 1));
    assert_eq!((row.run_ns, row.cpu_ns, row.run_max_ns), (30, 20, 30));
    assert_eq!(row.breakdown, made.waited);
}

fn check_functions(s: &Snapshot) {
    let [other, row] = s.functions.as_slice() else {
        panic!()
    };
    assert_eq!((other.id, other.name.as_str()), (FuncId::OTHER, "(other)"));
    assert_eq!(
        (row.name.as_str(), row.armed, row.next_expiry),
        ("flush_cache", 2, 999)
    );
}

#[test]
fn freed_slots_are_used_again_under_new_identities() {
    let segment = Segment::in_memory(&config(), 1);
    let first = segment.workqueue("one", 0, 1);
    first.add(WqCounter::Dropped, 9);
    let id = first.id();
    first.free();
    let reader = Reader::in_memory(&segment);
    assert!(reader.snapshot().unwrap().workqueues.is_empty());
    let second = segment.workqueue("two", 0, 1);
    assert!(second.id() > id);
    let rows = reader.snapshot().unwrap().workqueues;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].id, rows[0].name.as_str()), (second.id(), "two"));
    assert_eq!(rows[0].counters, [0; WqCounter::COUNT]);
}

#[test]
fn events_come_merged() {
    let segment = Segment::in_memory(&config(), 1);
    let mut emitters: Vec<_> = (0..3).map(|tid| segment.emitter(tid, "thread")).collect();
    for at in 0..300 {
        emitters[at as usize % 3].emit(&event(at, at));
    }
    let reader = Reader::in_memory(&segment);
    let mut cursor = reader.cursor(From::Oldest);
    for at in 0..300 {
        assert_eq!(cursor.next(u64::MAX), Next::Record(event(at, at)));
    }
    assert_eq!(cursor.next(u64::MAX), Next::Idle);
    assert_eq!((cursor.seen(), cursor.lost(), cursor.late()), (300, 0, 0));
    emitters[1].emit(&event(7, 1000));
    emitters.push(segment.emitter(9, "new"));
    emitters[3].emit(&event(400, 1001));
    assert_eq!(cursor.next(u64::MAX), Next::Record(event(7, 1000)));
    assert_eq!(cursor.late(), 1, "younger ones were given out before it");
    assert_eq!(cursor.next(u64::MAX), Next::Record(event(400, 1001)));
    segment.mark_ended(500);
    assert_eq!(cursor.next(u64::MAX), Next::End);
    assert_eq!(reader.liveness().unwrap(), Liveness::Ended);
}

#[test]
fn a_cursor_from_now_on_sees_nothing_older() {
    let segment = Segment::in_memory(&config(), 1);
    let mut emitter = segment.emitter(1, "thread");
    emitter.emit(&event(1, 1));
    let mut cursor = Reader::in_memory(&segment).cursor(From::Now);
    emitter.emit(&event(2, 2));
    assert_eq!(cursor.next(u64::MAX), Next::Record(event(2, 2)));
    assert_eq!((cursor.seen(), cursor.lost()), (1, 0));
}

#[test]
fn an_event_waits_for_older_ones() {
    let segment = Segment::in_memory(&config(), 1);
    let mut one = segment.emitter(1, "one");
    let _two = segment.emitter(2, "two");
    one.emit(&event(1_000_000_000, 1));
    let mut cursor = Reader::in_memory(&segment).cursor(From::Oldest);
    assert_eq!(cursor.next(1_000_000_001), Next::Idle);
    assert_eq!(cursor.next(1_019_000_000), Next::Idle);
    assert_eq!(
        cursor.next(1_020_000_000),
        Next::Record(event(1_000_000_000, 1))
    );
}

#[test]
fn what_was_overwritten_is_counted() {
    let config = SegmentConfig {
        ring_bytes: 64 * 16,
        ..config()
    };
    let segment = Segment::in_memory(&config, 1);
    let mut emitter = segment.emitter(1, "thread");
    for at in 0..100 {
        emitter.emit(&event(at, at));
    }
    let mut cursor = Reader::in_memory(&segment).cursor(From::Oldest);
    assert_eq!(cursor.next(u64::MAX), Next::Lost(84));
    for at in 84..100 {
        assert_eq!(cursor.next(u64::MAX), Next::Record(event(at, at)));
    }
    assert_eq!(cursor.next(u64::MAX), Next::Idle);
    assert_eq!(cursor.by_ring().collect::<Vec<_>>(), [(16, 84)]);
}

#[test]
fn what_was_lost_before_anybody_looked_is_told_from_what_a_reader_missed() {
    let config = SegmentConfig {
        ring_bytes: 64 * 16,
        ..config()
    };
    let segment = Segment::in_memory(&config, 1);
    let mut emitter = segment.emitter(1, "thread");
    let mut emit = |from, to| (from..to).for_each(|at| emitter.emit(&event(at, at)));
    emit(0, 100);
    let mut cursor = Reader::in_memory(&segment).cursor(From::Oldest);
    assert_eq!(cursor.next(u64::MAX), Next::Lost(84));
    assert_eq!((cursor.lost(), cursor.lost_before()), (84, 84));
    // It is never idle: its 16 events are at hand, and the ring goes round behind them.
    emit(100, 200);
    let mut next = cursor.next(u64::MAX);
    while let Next::Record(_) = next {
        next = cursor.next(u64::MAX);
    }
    assert_eq!(next, Next::Lost(84));
    assert_eq!((cursor.lost(), cursor.lost_before()), (168, 84));
    // A thread that came later has no history.
    let mut late = segment.emitter(2, "late");
    (200..300).for_each(|at| late.emit(&event(at, at)));
    while cursor.next(u64::MAX) != Next::Idle {}
    assert_eq!((cursor.lost(), cursor.lost_before()), (252, 84));
    assert_eq!((cursor.take_missed(), cursor.take_missed()), (168, 0));
}

#[test]
fn a_ring_goes_to_the_next_thread() {
    let segment = Segment::in_memory(&config(), 1);
    let mut first = segment.emitter(1, "first");
    first.emit(&event(1, 1));
    drop(first);
    let mut second = segment.emitter(2, "second");
    second.emit(&event(2, 2));
    let reader = Reader::in_memory(&segment);
    let s = reader.snapshot().unwrap();
    assert_eq!(s.rings.len(), 1);
    assert_eq!(
        (s.rings[0].tid, s.rings[0].generation, s.rings[0].written),
        (2, 1, 2)
    );
    let comms: Vec<_> = s.threads.iter().map(|t| (t.tid, t.comm.as_str())).collect();
    assert_eq!(
        comms,
        [(1, "first"), (2, "second")],
        "the first one's events are still there"
    );
    let mut cursor = reader.cursor(From::Oldest);
    assert_eq!(cursor.next(u64::MAX), Next::Record(event(1, 1)));
    assert_eq!(cursor.next(u64::MAX), Next::Record(event(2, 2)));
}

#[test]
fn a_spent_budget_loses_events_and_nothing_else() {
    let config = SegmentConfig {
        budget: 600 << 10,
        ..config()
    };
    let segment = Segment::in_memory(&config, 1);
    let mut emitters: Vec<_> = (0..4).map(|tid| segment.emitter(tid, "thread")).collect();
    for emitter in &mut emitters {
        emitter.emit(&event(1, 1));
    }
    let wqs: Vec<_> = (0..3000)
        .map(|i| segment.workqueue(&format!("wq{i}"), 0, 1))
        .collect();
    wqs[2999].add(WqCounter::Armed, 1);
    let s = Reader::in_memory(&segment).snapshot().unwrap();
    assert!(!s.rings.is_empty());
    assert_eq!(s.rings.len() as u64 + s.lost_no_ring, 4);
    assert!(s.hidden_rows > 0);
    assert_eq!(s.workqueues.len() as u64 + s.hidden_rows, 3000);
    // The first thread's ring serves another thread.
    emitters.remove(0);
    segment.emitter(9, "late").emit(&event(2, 2));
    let later = Reader::in_memory(&segment).snapshot().unwrap();
    assert_eq!(later.lost_no_ring, s.lost_no_ring);
    assert_eq!(later.rings[0].generation, 1);
}

#[test]
fn caps_hold() {
    let config = SegmentConfig {
        budget: 1 << 30,
        ..config()
    };
    let segment = Segment::in_memory(&config, 1);
    for i in 0..4095 {
        assert_ne!(segment.function(&format!("f{i}")), FuncId::OTHER);
    }
    assert_eq!(segment.function("one too many"), FuncId::OTHER);
    assert_eq!(segment.function("f0"), FuncId(2));
    let workers: Vec<_> = (0..8193)
        .map(|i| segment.worker(PoolId(1), i, "kworker", 1))
        .collect();
    workers[8192].execute(1, FuncId(2), (WqId(1), PwqId(1)), 5);
    let s = Reader::in_memory(&segment).snapshot().unwrap();
    assert_eq!(
        (s.functions.len(), s.workers.len(), s.hidden_rows),
        (4096, 8192, 1)
    );
}

#[test]
fn without_tracing_counters_still_count() {
    let config = SegmentConfig {
        tracing: false,
        ..config()
    };
    let segment = Segment::in_memory(&config, 1);
    let mut emitter = segment.emitter(1, "thread");
    assert!(!emitter.is_on());
    emitter.emit(&event(1, 1));
    let pwq = segment.pwq(WqId(1), PoolId(1));
    pwq.add(Counter::Queued, 1);
    let s = Reader::in_memory(&segment).snapshot().unwrap();
    assert!(s.rings.is_empty() && !s.meta.tracing);
    assert_eq!((s.lost_no_ring, s.pwqs[0].counters[0]), (0, 1));
}

#[test]
fn what_is_left_is_taken_up_to_one_moment_after_the_other() {
    let config = SegmentConfig {
        ring_bytes: 64 * 16,
        ..config()
    };
    let segment = Segment::in_memory(&config, 1);
    let mut emitter = segment.emitter(1, "thread");
    (0..20).for_each(|at| emitter.emit(&event(at, at)));
    segment.mark_ended(500);
    let mut events = UpTo::new(Reader::in_memory(&segment).cursor(From::Oldest));
    let mut taken = |at| {
        let mut works = Vec::new();
        let missed = events.each(at, |event| works.push(event.work));
        (works, missed)
    };
    // The first four were gone before anybody looked.
    assert_eq!(taken(6), (vec![4, 5, 6], 0));
    assert_eq!(taken(6), (vec![], 0));
    assert_eq!(taken(9), (vec![7, 8, 9], 0));
    assert_eq!(taken(u64::MAX), ((10..20).collect(), 0));
    assert_eq!(taken(u64::MAX), (vec![], 0));
}
