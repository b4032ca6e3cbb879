//! Threads that write while others read: nothing torn, nothing uncounted.

use std::sync::atomic::{AtomicBool, Ordering};
use wq_trace::{
    Counter, Cursor, Event, From, FuncId, Next, PoolGauges, PoolId, PoolInfo, PwqId, Reader,
    Segment, SegmentConfig, What, WorkerId, WorkerState, WqId,
};

/// An event in which every field tells which one it is.
fn event(tid: u32, number: u64) -> Event {
    Event {
        at: number,
        cpu: number as u16,
        tid,
        wq: WqId(number as u32),
        pool: PoolId(number as u32 ^ 1),
        worker: WorkerId(number as u32 ^ 2),
        func: FuncId(number as u32 ^ 3),
        from: FuncId(number as u32 ^ 4),
        work: number,
        what: What::TimerArm {
            delay_us: number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        },
    }
}

fn file_config(dir: &tempfile::TempDir) -> SegmentConfig {
    SegmentConfig {
        name: "stress".into(),
        dir: Some(dir.path().into()),
        ring_bytes: 64 * 64,
        ..SegmentConfig::default()
    }
}

/// Reads until the segment is marked ended; checks every event against its own number.
fn drain(cursor: &mut Cursor) {
    let mut last = [0; 3];
    loop {
        match cursor.next(u64::MAX) {
            Next::Record(event_read) => {
                let Event { tid, work, .. } = event_read;
                assert_eq!(event_read, event(tid, work));
                assert!(
                    work > last[tid as usize],
                    "each thread's events come in their order"
                );
                last[tid as usize] = work;
            }
            Next::Lost(n) => assert!(n > 0),
            Next::Idle => std::thread::yield_now(),
            Next::End => return,
            Next::WriterGone => panic!("it ends in an orderly way"),
        }
    }
}

#[test]
fn every_event_is_read_or_counted_as_lost() {
    const EVENTS: u64 = 50_000;
    let dir = tempfile::tempdir().unwrap();
    let (segment, problem) = Segment::create(&file_config(&dir), 1);
    assert!(problem.is_none(), "{problem:?}");
    let readers = [
        Reader::open(segment.path().unwrap()).unwrap(),
        Reader::in_memory(&segment),
    ];
    std::thread::scope(|scope| {
        let reading = readers.map(|reader| {
            scope.spawn(move || {
                let mut cursor = reader.cursor(From::Oldest);
                drain(&mut cursor);
                let written: u64 = reader
                    .snapshot()
                    .unwrap()
                    .rings
                    .iter()
                    .map(|r| r.written)
                    .sum();
                assert_eq!(written, 3 * EVENTS);
                assert_eq!(cursor.seen() + cursor.lost(), written);
                assert_eq!((cursor.unknown(), cursor.damaged()), (0, 0));
            })
        });
        let writing = [0, 1, 2].map(|tid| {
            let mut emitter = segment.emitter(tid, "writer");
            scope.spawn(move || {
                for number in 1..=EVENTS {
                    emitter.emit(&event(tid, number));
                }
            })
        });
        for thread in writing {
            thread.join().unwrap();
        }
        segment.mark_ended(9);
        for thread in reading {
            thread.join().unwrap();
        }
    });
}

#[test]
fn rows_are_whole_and_counters_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let (segment, _) = Segment::create(&file_config(&dir), 1);
    let pool = segment.pool(PoolInfo::default());
    let worker = segment.worker(pool.id(), 0, "kworker/0:0", 1);
    let pwq = segment.pwq(WqId(1), pool.id());
    let on_pwq = segment.pwq_func(pwq.id(), FuncId(2));
    let stop = AtomicBool::new(false);
    let reader = Reader::open(segment.path().unwrap()).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                n = n.wrapping_add(1);
                pwq.add(Counter::Queued, 1);
                on_pwq.on_queued();
                pool.update(&PoolGauges {
                    nr_running: n,
                    nr_workers: n,
                    nr_idle: n,
                    nr_pending: n,
                    last_progress: n.into(),
                    ..PoolGauges::default()
                });
                pwq.add(Counter::Started, 1);
                on_pwq.on_started(&[0; wq_trace::WaitPart::COUNT]);
                worker.execute(n.into(), FuncId(n), (WqId(n), PwqId(n)), n.into());
                pwq.add(Counter::Completed, 1);
                on_pwq.on_completed(1, 1);
                worker.desc(if n.is_multiple_of(2) {
                    "even"
                } else {
                    "odd odd odd"
                });
            }
        });
        let mut whole = 0;
        for _ in 0..300 {
            let s = reader.snapshot().unwrap();
            let [p] = s.pools.as_slice() else { panic!() };
            let [w] = s.workers.as_slice() else { panic!() };
            if s.torn == 0 {
                whole += 1;
                assert_eq!([p.nr_running, p.nr_workers, p.nr_idle], [p.nr_pending; 3]);
                assert_eq!(p.last_progress, p.nr_pending.into());
            }
            if w.state == WorkerState::Running {
                assert_eq!((w.func.0, w.wq.0), (w.work as u32, w.work as u32));
                assert_eq!((w.since, w.started_at), (w.work, w.work));
            }
            assert!(
                ["", "even", "odd_odd_odd"].contains(&w.desc.as_str()),
                "{}",
                w.desc
            );
            let [queued, started, completed] = [0, 1, 2].map(|i| s.pwqs[0].counters[i]);
            assert!(completed <= started && started <= queued);
            let f = &s.pwq_funcs[0];
            assert!(f.completed <= f.started && f.started <= f.queued);
        }
        stop.store(true, Ordering::Relaxed);
        assert!(whole > 0, "no snapshot of 300 was whole");
    });
}

#[test]
fn slots_that_change_hands_are_never_mixed_up() {
    let segment = Segment::in_memory(&SegmentConfig::default(), 1);
    let stop = AtomicBool::new(false);
    let reader = Reader::in_memory(&segment);
    std::thread::scope(|scope| {
        for letter in ["a", "b"] {
            let (segment, stop) = (&segment, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let flags = letter.as_bytes()[0].into();
                    let wq = segment.workqueue(&letter.repeat(60), flags, flags);
                    wq.add(wq_trace::WqCounter::Armed, 1);
                }
            });
        }
        for _ in 0..300 {
            for row in reader.snapshot().unwrap().workqueues {
                assert_eq!(row.name.len(), 60);
                assert!(row.name.bytes().all(|byte| u32::from(byte) == row.flags));
                assert_eq!(row.max_active, row.flags);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn threads_that_come_and_go_share_rings() {
    let segment = Segment::in_memory(&SegmentConfig::default(), 1);
    std::thread::scope(|scope| {
        for tid in 0..4 {
            let segment = &segment;
            scope.spawn(move || {
                for number in 0..500 {
                    segment.emitter(tid, "short").emit(&event(tid, number));
                }
            });
        }
    });
    let s = Reader::in_memory(&segment).snapshot().unwrap();
    assert!(s.rings.len() <= 4, "{}", s.rings.len());
    assert_eq!(s.rings.iter().map(|ring| ring.written).sum::<u64>(), 2000);
    let threads: u32 = s.rings.iter().map(|ring| ring.generation + 1).sum();
    assert_eq!(threads, 2000);
    assert_eq!(s.threads.len(), 1024, "the last to go are remembered");
}
