//! The format, byte by byte. If a test here fails, files of older engines read wrong: raise the version in `layout.rs`
//! by its rule, and only then change what stands here.

use wq_trace::{
    Drop, Event, FlushTarget, From, FuncId, Hold, Next, PoolId, Reader, Segment, SegmentConfig,
    SensingInfo, Source, VERSION, Wake, Was, What, WorkerId, WqId,
};

/// The bytes of a segment.
fn bytes_of(segment: &Segment) -> Vec<u8> {
    let source = segment.source();
    let mut bytes = vec![0; source.len().unwrap() as usize];
    let mut done = 0;
    while done < bytes.len() {
        done += source.read_at(done as u64, &mut bytes[done..]).unwrap();
    }
    bytes
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at * 8..at * 8 + 8].try_into().unwrap())
}

fn config() -> SegmentConfig {
    SegmentConfig {
        name: "golden".into(),
        cpus: vec![1, 65],
        sensing: "tick".into(),
        ring_bytes: 64 * 64,
        ..SegmentConfig::default()
    }
}

#[test]
fn head() {
    let segment = Segment::tiny(&config(), 0x1122);
    segment.lost_no_ring(3);
    segment.heartbeat(0x3344);
    segment.set_sensing(&SensingInfo {
        mode: "hints".into(),
        reason: "because".into(),
        ..SensingInfo::default()
    });
    segment.mark_ended(0x5566);
    let bytes = bytes_of(&segment);
    assert_eq!(VERSION, (1, 2));
    assert_eq!(&bytes[..16], b"wqseg\r\n\x1a\x02\0\x01\0\0\0\0\0");
    let pid = std::process::id().into();
    let words: [(usize, u64); 17] = [
        (2, pid),
        (5, 2), // a simulator's clock
        (6, 0),
        (7, 1),
        (8, 0),
        (9, 0x1122),
        (11, 0x5566),
        (12, 1),
        (13, 3),
        (14, 0),
        (15, 0x3344),
        (16, 2), // two chunks: functions, sensing
        (17, 16),
        (18, 4), // the description of sensing was written twice
        (95, 2), // CPU 1
        (96, 2), // CPU 65
        (97, 0),
    ];
    for (at, value) in words {
        assert_eq!(word(&bytes, at), value, "word {at}");
    }
    let text = |at: usize, text: &str| {
        let text = [text.as_bytes(), b"\0"].concat();
        assert_eq!(
            &bytes[at * 8..at * 8 + text.len()],
            text,
            "text at word {at}"
        );
    };
    text(19, "hints");
    text(23, "because");
    text(55, "golden");
    // The directory: the functions' chunk with room for one slot, `(other)`.
    let directory = [128, 129, 130, 131].map(|at| word(&bytes, at));
    assert_eq!(directory, [(128 + 16 * 4) * 8, 16 * 8, 5, 16]);
    let slot = 192;
    assert_eq!([0, 1, 2, 3].map(|at| word(&bytes, slot + at)), [2, 1, 0, 0]);
    text(slot + 4, "(other)");
}

/// One of each event, and the words that differ from event to event: kind and small (word 1, low 16 bits), low (word 5,
/// high half), wide (word 6).
fn events() -> Vec<(What, u16, u32, u64)> {
    use What::*;
    let (flags, max_active) = (0xa, 0xb);
    vec![
        (
            QueueWork {
                req_cpu: 8192,
                cpu: -1,
            },
            1,
            8192,
            0xffff_ffff,
        ),
        (ActivateWork, 2, 0, 0),
        (ExecuteStart, 3, 0, 0),
        (ExecuteEnd, 4, 0, 0),
        (
            HoldWork {
                reason: Hold::Frozen,
            },
            0x405,
            0,
            0,
        ),
        (CancelWork { was: Was::Pending }, 0x306, 0, 0),
        (DisableWork { depth: 2 }, 7, 2, 0),
        (EnableWork { depth: 1 }, 8, 1, 0),
        (
            DropWork {
                reason: Drop::Shutdown,
            },
            0x209,
            0,
            0,
        ),
        (TimerArm { delay_us: 1 << 40 }, 10, 0, 1 << 40),
        (WorkerCreate { nr_workers: 3 }, 11, 3, 0),
        (WorkerDestroy { nr_workers: 4 }, 12, 4, 0),
        (
            WorkerWake {
                reason: Wake::Rescue,
            },
            0x60d,
            0,
            0,
        ),
        (WorkerIdle { nr_idle: 5 }, 14, 5, 0),
        (WorkerSleep { nr_running: 6 }, 15, 6, 0),
        (WorkerResume { nr_running: 7 }, 16, 7, 0),
        (ManagerStart, 17, 0, 0),
        (ManagerEnd, 18, 0, 0),
        (CpuIntensive { cpu_us: 10_000 }, 19, 0, 10_000),
        (Mayday, 20, 0, 0),
        (Rescue, 21, 0, 0),
        (
            FlushStart {
                target: FlushTarget::Work,
            },
            22,
            0,
            0,
        ),
        (
            FlushEnd {
                target: FlushTarget::Workqueue,
            },
            0x117,
            0,
            0,
        ),
        (Stall { seconds: 30 }, 24, 0, 30),
        (Panic, 25, 0, 0),
        (Alloc { flags, max_active }, 26, 0xa, 0xb),
        (Destroy { flags, max_active }, 27, 0xa, 0xb),
        (Freeze { flags, max_active }, 28, 0xa, 0xb),
        (Thaw { flags, max_active }, 29, 0xa, 0xb),
        (
            Attrs {
                nice: -20,
                strict: true,
                scope: 4,
                cpumask: 0xf0,
            },
            0xec1e,
            0x401,
            0xf0,
        ),
        (MaxActive { old: 1, new: 2 }, 31, 1, 2),
        (
            Deadlock {
                target: FlushTarget::Workqueue,
                waiter: 0x42,
                cycle: 3,
            },
            0x120,
            0x42,
            3,
        ),
    ]
}

fn event(what: What) -> Event {
    Event {
        at: 0x0102_0304_0506_0708,
        cpu: 0x0910,
        tid: 0x1112_1314,
        wq: WqId(0x1516_1718),
        pool: PoolId(0x1920_2122),
        worker: WorkerId(0x2324_2526),
        func: FuncId(0x2728_2930),
        from: FuncId(0x3132_3334),
        work: 0x3536_3738_3940_4142,
        what,
    }
}

#[test]
fn one_record_of_each_event() {
    let segment = Segment::tiny(&config(), 1);
    let mut emitter = segment.emitter(0x77, "thread");
    for (what, ..) in events() {
        emitter.emit(&event(what));
    }
    let bytes = bytes_of(&segment);
    // The second chunk is the ring: its head of eight words, then the records.
    let entry = [132, 133, 134, 135].map(|at| word(&bytes, at));
    assert_eq!((entry[1], entry[2], entry[3]), (64 + 64 * 64, 10, 8));
    let ring = entry[0] as usize / 8;
    let count = events().len() as u64;
    let head = [0, 1, 2, 3, 4].map(|at| word(&bytes, ring + at));
    assert_eq!(head, [count, count, 0, 0x77, 64]);
    for (index, (what, small, low, wide)) in events().into_iter().enumerate() {
        let record = &bytes[(ring + 8 + index * 8) * 8..][..64];
        let mut golden = Vec::new();
        golden.extend([8, 7, 6, 5, 4, 3, 2, 1]);
        golden.extend(small.to_le_bytes());
        golden.extend([0x10, 0x09, 0x14, 0x13, 0x12, 0x11]);
        golden.extend([0x18, 0x17, 0x16, 0x15, 0x22, 0x21, 0x20, 0x19]);
        golden.extend([0x26, 0x25, 0x24, 0x23, 0x30, 0x29, 0x28, 0x27]);
        golden.extend([0x42, 0x41, 0x40, 0x39, 0x38, 0x37, 0x36, 0x35]);
        golden.extend([0x34, 0x33, 0x32, 0x31]);
        golden.extend(low.to_le_bytes());
        golden.extend(wide.to_le_bytes());
        golden.extend([0; 8]);
        assert_eq!(record, golden, "{what:?}");
    }
    let mut cursor = Reader::in_memory(&segment).cursor(From::Oldest);
    for (what, ..) in events() {
        assert_eq!(cursor.next(u64::MAX), Next::Record(event(what)));
    }
}

#[test]
fn an_event_of_a_later_version_is_skipped_and_counted() {
    let segment = Segment::tiny(&config(), 1);
    let mut emitter = segment.emitter(0x77, "thread");
    emitter.emit(&event(What::Panic));
    emitter.emit(&event(What::Mayday));
    let mut bytes = bytes_of(&segment);
    let ring = word(&bytes, 132) as usize;
    bytes[ring + 64 + 8] = 200;
    let reader = Reader::from_source(bytes, std::path::Path::new("x")).unwrap();
    let mut cursor = reader.cursor(From::Oldest);
    assert_eq!(cursor.next(u64::MAX), Next::Record(event(What::Mayday)));
    assert_eq!((cursor.seen(), cursor.unknown(), cursor.lost()), (2, 1, 0));
}
