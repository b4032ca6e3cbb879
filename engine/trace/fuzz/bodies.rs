//! What the fuzz targets do with their input; `tests/corpus.rs` does the same with the corpus and its mutations.
#![allow(dead_code, reason = "each target uses one of them")]

use std::path::Path;
use std::sync::OnceLock;
use wq_trace::query::{Query, Scope, complete};
use wq_trace::{
    Event, From, FuncId, Limits, Model, Names, Next, PoolId, Reader, Recorder, RecordingEnd,
    Segment, SegmentConfig, Snapshot, Source, What, WorkerId, WqId, text,
};

/// A whole file: read as every tool reads it. Returns whether there was anything to be read.
pub fn segment(data: &[u8]) -> bool {
    let reader = match Reader::from_source(data.to_vec(), Path::new("x")) {
        Ok(reader) => reader,
        Err(error) => {
            is_fit_for_a_terminal(&error.to_string());
            return false;
        }
    };
    let snapshot = match reader.snapshot() {
        Ok(snapshot) => snapshot,
        Err(error) => {
            is_fit_for_a_terminal(&error.to_string());
            Snapshot::default()
        }
    };
    names_are_clean(&snapshot);
    let mut model = Model::new(Limits::default());
    model.apply_snapshot(&snapshot);
    print_events(
        &reader,
        &Names::new(&snapshot),
        data.len() / 64 + 1,
        &mut model,
    );
    true
}

/// A query: read, printed, read again, completed at every place. Returns whether it is one.
pub fn query(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    for cursor in 0..=text.chars().count().min(64) {
        assert!(complete(&text, cursor).from <= cursor);
    }
    match text.parse::<Query>() {
        Ok(query) => {
            let printed = query.to_string();
            let again = printed.parse::<Query>().expect("what was printed");
            assert_eq!(again.to_string(), printed);
            let model = Model::new(Limits::default());
            let row = wq_trace::model::Workqueue::default();
            let scope = Scope::new(&model);
            assert_eq!(query.matches(&scope, &row), again.matches(&scope, &row));
            true
        }
        Err(error) => {
            is_fit_for_a_terminal(&error.to_string());
            assert!((1..=text.chars().count() + 1).contains(&error.column));
            false
        }
    }
}

/// A recording: as it is, and with its checksums made right, so that what stands behind them is read. Returns whether
/// there was anything to be read as it is.
pub fn recording(data: &[u8]) -> bool {
    read_recording(&sealed(data));
    read_recording(data)
}

fn read_recording(data: &[u8]) -> bool {
    let reader = match Reader::from_source(data.to_vec(), Path::new("x")) {
        Ok(reader) => reader,
        Err(error) => {
            is_fit_for_a_terminal(&error.to_string());
            return false;
        }
    };
    let Some(recording) = reader.recording() else {
        // Bytes of the other format.
        return true;
    };
    assert!(recording.damage().bytes <= data.len() as u64);
    let mut model = Model::new(Limits::default());
    for snapshot in reader.latest(3).unwrap_or_default() {
        names_are_clean(&snapshot);
        model.apply_snapshot(&snapshot);
    }
    // No state is a state, too; a damaged one is an error.
    let _ = reader.snapshot_at(u64::MAX / 2);
    let _ = reader.snapshot();
    print_events(&reader, recording.names(), data.len(), &mut model);
    true
}

/// The bytes of a recording's head and of a frame's: `src/recording/frame.rs` has their layout.
const HEAD: usize = 16;
const FRAME_HEAD: usize = 24;

/// A recording whose checksums are right, and whose last frame is whole.
pub fn sealed(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    if bytes.len() < HEAD {
        return bytes;
    }
    seal(&mut bytes[..HEAD]);
    let mut rest = &mut bytes[HEAD..];
    while rest.len() >= FRAME_HEAD {
        let room = rest.len() - FRAME_HEAD;
        let len = u32::from_le_bytes(rest[12..16].try_into().expect("4 bytes")) as usize;
        let len = len.min(room);
        rest[12..16].copy_from_slice(&(len as u32).to_le_bytes());
        let of_payload = checksum(&rest[FRAME_HEAD..][..len]);
        rest[16..20].copy_from_slice(&of_payload.to_le_bytes());
        seal(&mut rest[..FRAME_HEAD]);
        rest = &mut rest[FRAME_HEAD + len..];
    }
    bytes
}

/// Puts the checksum of what stands before it into the last four bytes.
fn seal(head: &mut [u8]) {
    let (body, crc) = head.split_at_mut(head.len() - 4);
    crc.copy_from_slice(&checksum(body).to_le_bytes());
}

/// CRC-32C, a bit at a time.
fn checksum(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| (crc >> 1) ^ (0x82f6_3b78 * (crc & 1));
    let byte = |crc: u32, &byte: &u8| (0..8).fold(crc ^ u32::from(byte), bit);
    !bytes.iter().fold(!0, byte)
}

/// A recording with a frame of every kind: states, events, a loss, an end.
pub fn recording_of_everything() -> Vec<u8> {
    let (bytes, _) = segment_with_a_ring();
    let reader = Reader::from_source(bytes, Path::new("x")).expect("a segment");
    let mut snapshot = reader.snapshot().expect("a state");
    let mut recorder = Recorder::new(Vec::new()).expect("memory takes all");
    recorder.snapshot(&snapshot).expect("memory takes all");
    let mut cursor = reader.cursor(From::Oldest);
    while let next @ (Next::Record(_) | Next::Lost(_)) = cursor.next(u64::MAX) {
        match next {
            Next::Record(event) => recorder.event(&event),
            Next::Lost(n) => recorder.lost(n, Some(0), None),
            _ => continue,
        }
        .expect("memory takes all");
    }
    snapshot.at += 1_000_000;
    snapshot.pools[0].nr_running += 1;
    recorder.snapshot(&snapshot).expect("memory takes all");
    recorder
        .finish(RecordingEnd::Ended)
        .expect("memory takes all")
}

/// The records of a ring, in a segment that is whole apart from them.
pub fn events(data: &[u8]) {
    static WHOLE: OnceLock<(Vec<u8>, usize)> = OnceLock::new();
    let (whole, records) = WHOLE.get_or_init(segment_with_a_ring);
    let mut bytes = whole.clone();
    let room = bytes.len() - records;
    let data = &data[..data.len().min(room)];
    bytes[*records..][..data.len()].copy_from_slice(data);
    assert!(segment(&bytes), "nothing but records changed");
}

/// Prints all events; more than `most`, what the file has room for, is an error.
fn print_events(reader: &Reader, names: &Names, most: usize, model: &mut Model) {
    let mut cursor = reader.cursor(From::Oldest);
    let mut printed = 0;
    // Whoever is asked so often without an end does not come to one.
    for _ in 0..2 * most + 1000 {
        match cursor.next(u64::MAX) {
            Next::Record(event) => {
                printed += 1;
                model.apply_event(&event);
                is_fit_for_a_terminal(&text::line(&event, names));
                let fields = text::object(&event, names);
                assert!(fields.len() >= 5, "{fields:?}");
            }
            Next::Lost(n) => {
                assert!(n > 0);
                let told = cursor
                    .losses()
                    .iter()
                    .fold(0_u64, |sum, l| sum.saturating_add(l.lost));
                assert!(told >= n, "{told} of {n}");
            }
            Next::Idle | Next::WriterGone | Next::End => break,
        }
    }
    assert!(printed <= most, "{printed} events of at most {most}");
}

fn names_are_clean(snapshot: &Snapshot) {
    is_fit_for_a_terminal(&snapshot.meta.name);
    is_fit_for_a_terminal(&snapshot.meta.exe);
    is_fit_for_a_terminal(&snapshot.meta.sensing_reason);
    let workqueues = snapshot.workqueues.iter().map(|row| &row.name);
    let functions = snapshot.functions.iter().map(|row| &row.name);
    let workers = snapshot
        .workers
        .iter()
        .flat_map(|row| [&row.name, &row.desc]);
    let threads = snapshot.threads.iter().map(|row| &row.comm);
    for name in workqueues.chain(functions).chain(workers).chain(threads) {
        is_fit_for_a_terminal(name);
        assert!(name.len() <= 63, "{name:?}");
    }
}

fn is_fit_for_a_terminal(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

/// A segment with something of every kind, and where the records of its ring stand.
pub fn segment_with_a_ring() -> (Vec<u8>, usize) {
    let config = SegmentConfig {
        name: "seed".into(),
        ring_bytes: 64 * 8,
        sensing: "tick".into(),
        cpus: vec![0, 1],
        ..SegmentConfig::default()
    };
    let segment = Segment::tiny(&config, 5);
    let wq = segment.workqueue("events", 2, 16);
    let pool = segment.pool(wq_trace::PoolInfo::default());
    let func = segment.function("flush_cache");
    let worker = segment.worker(pool.id(), 0, "kworker/0:0", 7);
    let pwq = segment.pwq(wq.id(), pool.id());
    worker.execute(1, func, (wq.id(), pwq.id()), 8);
    let _flush = segment.flush(&wq_trace::FlushRow::default());
    let mut emitter = segment.emitter(3, "producer");
    let whats = [
        What::ActivateWork,
        What::ExecuteStart,
        What::ExecuteEnd,
        What::Panic,
    ];
    for at in 0..12 {
        emitter.emit(&Event {
            at,
            cpu: 0,
            tid: 3,
            wq: WqId(1),
            pool: PoolId(1),
            worker: WorkerId::NONE,
            func: FuncId(2),
            from: FuncId::NONE,
            work: at,
            what: whats[at as usize % whats.len()],
        });
    }
    let bytes = bytes_of(&segment);
    let records = ring_of(&bytes) + 64;
    (bytes, records)
}

fn bytes_of(segment: &Segment) -> Vec<u8> {
    let source = segment.source();
    let mut bytes = vec![0; source.len().expect("a length") as usize];
    let mut done = 0;
    while done < bytes.len() {
        done += source
            .read_at(done as u64, &mut bytes[done..])
            .expect("bytes");
    }
    bytes
}

/// Where the ring begins: its entry is the one of kind 10 in the directory, which stands behind the head.
fn ring_of(bytes: &[u8]) -> usize {
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    let mut entries = (0..16).map(|n| 128 * 8 + n * 32);
    let entry = entries.find(|&entry| word(entry + 16) == 10);
    word(entry.expect("a ring")) as usize
}
