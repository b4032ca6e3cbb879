//! A recording gives back what was recorded; cut short anywhere, or with any bit turned over, it gives back less, and
//! says how much.

use proptest::prelude::*;
use std::path::Path;
use wq_trace::{
    Cursor, Event, From, FuncId, FunctionRow, Liveness, Meta, Next, OpenError, PoolId, PwqFuncRow,
    Reader, Recorder, RecordingDamage, RecordingEnd, RecordingSession, Segment, SegmentConfig,
    SensingInfo, Snapshot, ThreadRow, What, WorkerId, WqId,
};

/// Bytes of the file's head, and of a frame's.
const HEAD: usize = 16;
const FRAME_HEAD: usize = 24;

fn event(at: u64, tid: u32, work: u64, what: What) -> Event {
    Event {
        at,
        cpu: tid as u16 % 2,
        tid,
        wq: WqId(1),
        pool: PoolId(3),
        worker: WorkerId::NONE,
        func: FuncId(2),
        from: FuncId::NONE,
        work,
        what,
    }
}

/// A state at a time: its function was queued so often.
fn state(at: u64, queued: u64) -> Snapshot {
    Snapshot {
        at,
        meta: Meta {
            pid: 4700,
            name: "demo".into(),
            started_at: 5,
            cpus: vec![0, 1],
            tracing: true,
            ..Meta::default()
        },
        sensing: SensingInfo {
            mode: "tick".into(),
            ..SensingInfo::default()
        },
        functions: vec![FunctionRow {
            id: FuncId(2),
            name: format!("work_{}", queued.min(1)),
            ..FunctionRow::default()
        }],
        pwq_funcs: vec![PwqFuncRow {
            func: FuncId(2),
            queued,
            ..PwqFuncRow::default()
        }],
        threads: vec![ThreadRow {
            tid: 7,
            comm: "producer-0".into(),
        }],
        ..Snapshot::default()
    }
}

/// Something that is recorded.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Event(Event),
    Lost(u64),
    State(u64),
    Flush,
}

fn record(steps: &[Step], end: RecordingEnd) -> Vec<u8> {
    let mut recorder = Recorder::new(Vec::new()).unwrap();
    for step in steps {
        match step {
            Step::Event(event) => recorder.event(event),
            Step::Lost(n) => recorder.lost(*n, Some(0), Some(13)),
            Step::State(at) => recorder.snapshot(&state(*at, *at / 10)),
            Step::Flush => recorder.flush(),
        }
        .unwrap();
    }
    recorder.finish(end).unwrap()
}

fn open(bytes: &[u8]) -> Result<Reader, OpenError> {
    Reader::from_source(bytes.to_vec(), Path::new("x.wqrec"))
}

/// Events and losses in their order, and how it ended.
fn stream(reader: &Reader) -> (Vec<Next>, Next) {
    let mut cursor = reader.cursor(From::Oldest);
    let mut all = Vec::new();
    loop {
        match cursor.next(0) {
            next @ (Next::Record(_) | Next::Lost(_)) => all.push(next),
            end => return (all, end),
        }
    }
}

fn counted(cursor: &Cursor) -> u64 {
    cursor.seen() + cursor.lost()
}

/// Some events of two threads, a loss among them, and three states.
fn small() -> Vec<Step> {
    let mut steps = vec![Step::State(10)];
    for n in 0..12 {
        let what = match n % 3 {
            0 => What::QueueWork {
                req_cpu: 8192,
                cpu: 0,
            },
            1 => What::ExecuteStart,
            _ => What::ExecuteEnd,
        };
        steps.push(Step::Event(event(10 + n, 7 + n as u32 % 2, n, what)));
        match n {
            3 => steps.push(Step::Lost(5)),
            5 => steps.push(Step::State(20)),
            8 => steps.push(Step::Flush),
            _ => {}
        }
    }
    steps.push(Step::State(30));
    steps
}

/// Where the frames of a recording end, from the head on.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let mut ends = vec![HEAD];
    while let Some(frame) = bytes.get(ends[ends.len() - 1]..).filter(|f| !f.is_empty()) {
        let len = u32::from_le_bytes(frame[12..16].try_into().unwrap()) as usize;
        ends.push(ends[ends.len() - 1] + FRAME_HEAD + len);
    }
    ends
}

#[test]
fn what_was_recorded_comes_back() {
    let bytes = record(&small(), RecordingEnd::Stopped);
    let reader = open(&bytes).unwrap();
    let expected: Vec<Next> = small()
        .iter()
        .filter_map(|step| match step {
            Step::Event(event) => Some(Next::Record(*event)),
            Step::Lost(n) => Some(Next::Lost(*n)),
            Step::State(_) | Step::Flush => None,
        })
        .collect();
    assert_eq!(stream(&reader), (expected, Next::End));
    assert_eq!(reader.liveness().unwrap(), Liveness::Recorded);
    let recording = reader.recording().unwrap();
    assert_eq!(recording.damage(), RecordingDamage::default());
    assert_eq!(recording.end(), Some(RecordingEnd::Stopped));
    assert_eq!(recording.names().comm(7), "producer-0");
    let last = reader.snapshot().unwrap();
    assert_eq!(format!("{last:?}"), format!("{:?}", state(30, 3)));
    assert_eq!(reader.meta().unwrap().name, "demo");
}

#[test]
fn each_state_can_be_gone_back_to() {
    let steps: Vec<Step> = (1..=100).map(|n| Step::State(n * 10)).collect();
    let reader = open(&record(&steps, RecordingEnd::Ended)).unwrap();
    for (at, found) in [(0, 10), (10, 10), (19, 10), (555, 550), (5_000, 1000)] {
        let snapshot = reader.snapshot_at(at).unwrap();
        assert_eq!(
            (snapshot.at, snapshot.pwq_funcs[0].queued),
            (found, found / 10)
        );
    }
    assert_eq!(reader.liveness().unwrap(), Liveness::Ended);
    let latest = reader.latest(3).unwrap();
    let latest: Vec<_> = latest.iter().map(|state| state.at).collect();
    assert_eq!(latest, [980, 990, 1000]);
}

#[test]
fn an_engine_that_was_killed_is_told_apart() {
    let reader = open(&record(&small(), RecordingEnd::Gone)).unwrap();
    assert_eq!(stream(&reader).1, Next::WriterGone);
    assert_eq!(reader.liveness().unwrap(), Liveness::Dead);
}

#[test]
fn from_now_on_there_is_nothing() {
    let reader = open(&record(&small(), RecordingEnd::Ended)).unwrap();
    assert_eq!(reader.cursor(From::Now).next(0), Next::End);
}

/// Whatever is cut off, at most the frame in the middle of which that is goes with it.
#[test]
fn every_prefix_is_read_up_to_its_last_whole_frame() {
    let bytes = record(&small(), RecordingEnd::Ended);
    let (whole, _) = stream(&open(&bytes).unwrap());
    let ends = ends(&bytes);
    for len in 0..bytes.len() {
        let read = open(&bytes[..len]);
        if len < HEAD {
            assert!(read.is_err(), "{len} bytes");
            continue;
        }
        let reader = read.unwrap();
        let kept = ends.iter().filter(|&&end| end <= len).max().unwrap();
        let recording = reader.recording().unwrap();
        let damage = RecordingDamage {
            bytes: (len - kept) as u64,
            places: u64::from(len != *kept),
        };
        assert_eq!(recording.damage(), damage, "{len} bytes");
        assert_eq!(recording.end(), None);
        let (part, end) = stream(&reader);
        assert_eq!(end, Next::End);
        assert_eq!(part[..], whole[..part.len()], "{len} bytes");
        match reader.snapshot() {
            Ok(snapshot) => assert!([10, 20, 30].contains(&snapshot.at)),
            Err(error) => assert!(ends[1] > len, "{error} in {len} bytes"),
        }
    }
}

/// No bit can turn over unnoticed; and what a damaged frame held is counted where it stood.
#[test]
fn every_bit_is_watched_over() {
    let bytes = record(&small(), RecordingEnd::Ended);
    let (whole, _) = stream(&open(&bytes).unwrap());
    let all = |stream: &[Next]| -> u64 {
        let count = |next: &Next| match next {
            Next::Lost(n) => *n,
            _ => 1,
        };
        stream.iter().map(count).sum()
    };
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let Ok(reader) = open(&flipped) else {
            assert!(bit / 8 < HEAD, "bit {bit}");
            continue;
        };
        let damage = reader.recording().unwrap().damage();
        assert!(
            damage.bytes > 0 && damage.places == 1,
            "bit {bit}: {damage:?}"
        );
        let (part, _) = stream(&reader);
        assert_eq!(all(&part), all(&whole), "bit {bit}");
        // What is there stands before and behind one gap, unless the batch was not hit at all.
        let before = part.iter().zip(&whole).take_while(|(a, b)| a == b).count();
        let behind = part.iter().rev().zip(whole.iter().rev());
        let behind = behind.take_while(|(a, b)| a == b).count();
        assert!(before + behind + 1 >= part.len(), "bit {bit}: {part:?}");
        assert!([20, 30].contains(&reader.snapshot().unwrap().at));
    }
}

/// A piece of the file that is gone, or there twice, or anything else in between.
#[test]
fn what_is_missing_in_the_middle_is_counted() {
    let bytes = record(&small(), RecordingEnd::Ended);
    let ends = ends(&bytes);
    // The second batch: events 6 to 8.
    let (start, end) = (ends[3], ends[4]);
    let cut = [&bytes[..start], &bytes[end..]].concat();
    let reader = open(&cut).unwrap();
    let (part, _) = stream(&reader);
    let works: Vec<_> = part
        .iter()
        .map(|next| match next {
            Next::Record(event) => event.work as i64,
            Next::Lost(n) => -(*n as i64),
            _ => unreachable!("no end"),
        })
        .collect();
    assert_eq!(works, [0, 1, 2, 3, -5, 4, 5, -3, 9, 10, 11]);
    assert_eq!(
        reader.recording().unwrap().damage(),
        RecordingDamage::default()
    );
    let dirt = [&bytes[..start], &[0x1a; 1000], &bytes[start..]].concat();
    let reader = open(&dirt).unwrap();
    let damage = reader.recording().unwrap().damage();
    assert_eq!((damage.bytes, damage.places), (1000, 1));
    assert_eq!(stream(&reader), stream(&open(&bytes).unwrap()));
}

#[test]
fn a_later_minor_version_is_read_and_a_major_one_refused() {
    let mut bytes = record(&small(), RecordingEnd::Ended);
    let whole = stream(&open(&bytes).unwrap());
    let version = |bytes: &mut Vec<u8>, major: u8, minor: u8| {
        (bytes[8], bytes[10]) = (major, minor);
        let crc = checksum(&bytes[..12]);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    };
    version(&mut bytes, 1, 9);
    let unknown = frame(77, 1000, b"of a later version");
    let mut later = [&bytes[..HEAD], &unknown, &bytes[HEAD..]].concat();
    let reader = open(&later).unwrap();
    let recording = reader.recording().unwrap();
    assert_eq!(recording.version(), (1, 9));
    assert_eq!(recording.damage(), RecordingDamage::default());
    assert_eq!(stream(&reader), whole);
    version(&mut later, 2, 0);
    let error = open(&later).unwrap_err();
    assert!(matches!(
        error,
        OpenError::WrongVersion { found: (2, 0), .. }
    ));
    assert!(error.to_string().contains("2.0"), "{error}");
}

/// CRC-32C, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 * (crc & 1));
        }
    }
    !crc
}

fn frame(kind: u16, number: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x1a, b'w', b'q', 4];
    frame.extend_from_slice(&kind.to_le_bytes());
    frame.extend_from_slice(&[0; 2]);
    frame.extend_from_slice(&number.to_le_bytes());
    frame.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    frame.extend_from_slice(&checksum(payload).to_le_bytes());
    let crc = checksum(&frame);
    frame.extend_from_slice(&crc.to_le_bytes());
    frame.extend_from_slice(payload);
    frame
}

#[test]
fn a_ring_that_was_lapped_is_recorded_with_its_losses() {
    let config = SegmentConfig {
        ring_bytes: 64 * 4,
        ..SegmentConfig::default()
    };
    let segment = Segment::tiny(&config, 5);
    let mut emitter = segment.emitter(7, "producer-0");
    let mut emit = |works: std::ops::Range<u64>| {
        for n in works {
            emitter.emit(&event(n, 7, n, What::ExecuteStart));
        }
    };
    emit(0..3);
    let mut session = RecordingSession::new(Reader::in_memory(&segment), Vec::new()).unwrap();
    assert!(session.poll(u64::MAX).unwrap());
    emit(3..103);
    session.poll(u64::MAX).unwrap();
    segment.mark_ended(200);
    assert!(!session.poll(u64::MAX).unwrap());
    let reader = open(&session.finish().unwrap().out).unwrap();
    let mut cursor = reader.cursor(From::Oldest);
    while !matches!(cursor.next(0), Next::End) {}
    assert_eq!(counted(&cursor), 103);
    let rings: Vec<_> = cursor.by_ring().collect();
    assert_eq!(rings, [(cursor.seen(), cursor.lost())]);
    assert!(cursor.lost() >= 96, "{rings:?}");
    let losses = cursor.losses();
    assert_eq!(
        losses.iter().map(|loss| loss.lost).sum::<u64>(),
        cursor.lost()
    );
    assert!(
        losses
            .iter()
            .all(|loss| loss.ring == 0 && loss.until.is_some())
    );
    assert_eq!(reader.liveness().unwrap(), Liveness::Ended);
    let names = reader.recording().unwrap().names().clone();
    assert_eq!(names.comm(7), "producer-0");
}

/// What the first version wrote. A later one reads it just so, whatever it writes itself.
#[test]
fn the_first_versions_recording_is_read() {
    let bytes = include_bytes!("recordings/1.0.wqrec");
    let reader = open(bytes).unwrap();
    let recording = reader.recording().unwrap();
    assert_eq!(recording.version(), (1, 0));
    assert_eq!(recording.damage(), RecordingDamage::default());
    assert_eq!(recording.end(), Some(RecordingEnd::Stopped));
    let expected = open(&record(&small(), RecordingEnd::Stopped)).unwrap();
    assert_eq!(stream(&reader), stream(&expected));
    let snapshot = reader.snapshot().unwrap();
    assert_eq!(format!("{snapshot:?}"), format!("{:?}", state(30, 3)));
}

/// The frames of events and the end as they are written, byte for byte.
#[test]
fn the_stream_is_written_as_the_first_version_wrote_it() {
    let stream = small()
        .into_iter()
        .filter(|step| !matches!(step, Step::State(_)));
    let bytes = record(&stream.collect::<Vec<_>>(), RecordingEnd::Stopped);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, include_str!("recordings/stream-1.0.hex").trim_end());
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let whats = prop_oneof![
        Just(What::ExecuteStart),
        Just(What::ExecuteEnd),
        (any::<i32>(), any::<i32>()).prop_map(|(req_cpu, cpu)| What::QueueWork { req_cpu, cpu }),
        any::<u64>().prop_map(|delay_us| What::TimerArm { delay_us }),
        any::<u32>().prop_map(|nr_idle| What::WorkerIdle { nr_idle }),
    ];
    let events = (
        any::<u64>(),
        0..5_u32,
        any::<u64>(),
        any::<[u32; 4]>(),
        whats,
    );
    let event = events.prop_map(|(at, tid, work, ids, what)| {
        Step::Event(Event {
            wq: WqId(ids[0]),
            pool: PoolId(ids[1]),
            worker: WorkerId(ids[2]),
            from: FuncId(ids[3]),
            ..event(at, tid, work, what)
        })
    });
    let step = prop_oneof![
        20 => event,
        1 => (1..1_000_u64).prop_map(Step::Lost),
        1 => (1..1_000_u64).prop_map(Step::State),
        1 => Just(Step::Flush),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_stream_comes_back(steps in steps()) {
        let reader = open(&record(&steps, RecordingEnd::Ended)).unwrap();
        let expected: Vec<_> = steps.iter().filter_map(|step| match step {
            Step::Event(event) => Some(Next::Record(*event)),
            Step::Lost(n) => Some(Next::Lost(*n)),
            Step::State(_) | Step::Flush => None,
        }).collect();
        prop_assert_eq!(stream(&reader).0, expected);
        let last = steps.iter().rev().find_map(|step| match step {
            Step::State(at) => Some(*at),
            _ => None,
        });
        prop_assert_eq!(reader.snapshot().ok().map(|snapshot| snapshot.at), last);
    }

    /// Nothing that a file can hold makes its reader panic, hang, or give out more than the file has room for.
    #[test]
    fn whatever_is_changed(changes: Vec<(u16, u8)>, cut: u16) {
        let mut bytes = record(&small(), RecordingEnd::Ended);
        for (at, byte) in changes {
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        bytes.truncate(usize::from(cut).max(HEAD));
        if let Ok(reader) = open(&bytes) {
            prop_assert!(stream(&reader).0.len() <= bytes.len());
            prop_assert!(reader.recording().unwrap().damage().bytes <= bytes.len() as u64);
        }
    }

    /// A frame that is whole, and holds anything.
    #[test]
    fn whatever_a_frame_holds(kind in 0..6_u16, payloads: Vec<Vec<u8>>) {
        let mut bytes = record(&[], RecordingEnd::Ended)[..HEAD].to_vec();
        for (number, payload) in payloads.iter().enumerate() {
            bytes.extend(frame(kind, number as u32, payload));
        }
        let reader = open(&bytes).unwrap();
        let (all, _) = stream(&reader);
        prop_assert!(all.len() <= bytes.len());
        prop_assert_eq!(reader.recording().unwrap().damage(), RecordingDamage::default());
    }
}

/// A file that is huge and has next to nothing in it.
#[derive(Debug)]
struct Endless {
    start: Vec<u8>,
    fill: u8,
}

impl wq_trace::Source for Endless {
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> std::io::Result<usize> {
        bytes.fill(self.fill);
        let start = self.start.get(offset as usize..).unwrap_or_default();
        let count = start.len().min(bytes.len());
        bytes[..count].copy_from_slice(&start[..count]);
        Ok(bytes.len())
    }

    fn len(&self) -> std::io::Result<u64> {
        Ok(u64::MAX)
    }
}

#[test]
fn a_huge_file_is_given_up_in_time() {
    let start = record(&small(), RecordingEnd::Ended);
    let (whole, _) = stream(&open(&start).unwrap());
    for fill in [0, 0x1a] {
        let start = start.clone();
        let reader = Reader::from_source(Endless { start, fill }, Path::new("x")).unwrap();
        assert_eq!(reader.recording().unwrap().damage().places, 1);
        assert_eq!(stream(&reader).0, whole);
    }
    let mut greedy = start.clone();
    let mut head = frame(1, 99, &[]);
    head[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
    let crc = checksum(&head[..20]);
    head[20..24].copy_from_slice(&crc.to_le_bytes());
    greedy.extend(head);
    let reader = open(&greedy).unwrap();
    assert_eq!(
        reader.recording().unwrap().damage().bytes,
        FRAME_HEAD as u64
    );
}
