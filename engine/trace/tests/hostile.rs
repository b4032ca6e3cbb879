//! A segment cut short anywhere, with any bit turned over, or made up: reading it ends, in an error or in rows, never in
//! a panic, a hang or a flood.

use proptest::prelude::*;
use std::path::Path;
use wq_trace::{
    Counter, Event, FlushRow, From, FuncId, Next, OpenError, PoolId, PoolInfo, Reader,
    SENSING_NOTE_BYTES, SENSING_NOTES, Segment, SegmentConfig, SensingInfo, Source, What, WorkerId,
    WqId,
};

fn bytes_of(segment: &Segment) -> Vec<u8> {
    let source = segment.source();
    let mut bytes = vec![0; source.len().unwrap() as usize];
    let mut done = 0;
    while done < bytes.len() {
        done += source.read_at(done as u64, &mut bytes[done..]).unwrap();
    }
    bytes
}

/// Where the number of chunks stands, and the first entry of the directory: offset, length, kind, stride.
const COUNT: usize = 16 * 8;
const DIRECTORY: usize = 128 * 8;

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// Where the ring's entry of the directory stands.
fn ring_entry(bytes: &[u8]) -> usize {
    let mut entries = (0..16).map(|n| DIRECTORY + n * 32);
    entries
        .find(|&entry| word(bytes, entry + 16) == 10)
        .unwrap()
}

fn event(work: u64) -> Event {
    Event {
        at: work,
        cpu: 0,
        tid: 3,
        wq: WqId(1),
        pool: PoolId(1),
        worker: WorkerId::NONE,
        func: FuncId(1),
        from: FuncId::NONE,
        work,
        what: What::ExecuteStart,
    }
}

/// A whole segment, as small as it can be, with something of every kind.
fn small() -> Vec<u8> {
    let config = SegmentConfig {
        name: "small".into(),
        ring_bytes: 64 * 4,
        ..SegmentConfig::default()
    };
    let segment = Segment::tiny(&config, 5);
    segment.set_sensing(&SensingInfo {
        mode: "canary".into(),
        notes: vec!["CPU quota 50 %".into(); SENSING_NOTES],
        ..SensingInfo::default()
    });
    let wq = segment.workqueue("events", 2, 16);
    let pool = segment.pool(PoolInfo::default());
    wq.set_pools(&[PoolId::NONE, pool.id()], pool.id());
    let func = segment.function("f");
    let worker = segment.worker(pool.id(), 0, "kworker/0:0", 7);
    let pwq = segment.pwq(wq.id(), pool.id());
    worker.execute(1, func, (wq.id(), pwq.id()), 8);
    pwq.add(Counter::Queued, 1);
    pwq.record_wait(99);
    let on_pwq = segment.pwq_func(pwq.id(), func);
    on_pwq.on_queued();
    let flush = segment.flush(&FlushRow::default());
    let mut emitter = segment.emitter(3, "thread");
    for at in 0..6 {
        emitter.emit(&Event {
            at,
            cpu: 0,
            tid: 3,
            wq: wq.id(),
            pool: pool.id(),
            worker: WorkerId::NONE,
            func,
            from: FuncId::NONE,
            work: at,
            what: What::QueueWork {
                req_cpu: -1,
                cpu: 0,
            },
        });
    }
    let bytes = bytes_of(&segment);
    drop((flush, on_pwq, pwq, worker, emitter));
    bytes
}

/// What became of an attempt to read everything.
#[derive(Debug, PartialEq)]
enum Outcome {
    NotOpened,
    NotRead,
    Read,
}

/// Reads all there is; fails if it does not end, or if more comes out than was put in.
fn read_all(bytes: Vec<u8>) -> Outcome {
    let len = bytes.len();
    let reader = match Reader::from_source(bytes, Path::new("x")) {
        Ok(reader) => reader,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Outcome::NotOpened;
        }
    };
    let mut cursor = reader.cursor(From::Oldest);
    let mut records = 0;
    for _ in 0..100 {
        match cursor.next(u64::MAX) {
            Next::Record(_) => records += 1,
            Next::Lost(n) => assert!(n > 0),
            Next::Idle | Next::WriterGone | Next::End => break,
        }
    }
    assert!(records <= len / 64, "{records} records in {len} bytes");
    match reader.snapshot() {
        Ok(s) => {
            assert!(s.pwqs.len() + s.workers.len() + s.functions.len() < len / 64);
            assert!(s.workqueues.iter().all(|wq| wq.name.len() <= 63));
            assert!(s.sensing.notes.len() <= SENSING_NOTES);
            let fits = |note: &String| note.len() <= SENSING_NOTE_BYTES && !note.contains('\x1b');
            assert!(s.sensing.notes.iter().all(fits));
            Outcome::Read
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            Outcome::NotRead
        }
    }
}

#[test]
fn the_small_segment_is_whole() {
    let bytes = small();
    assert!(
        bytes.len() < 32 << 10,
        "{} bytes take too long to flip",
        bytes.len()
    );
    let reader = Reader::from_source(bytes, Path::new("x")).unwrap();
    let s = reader.snapshot().unwrap();
    let rows = [
        s.workqueues.len(),
        s.pools.len(),
        s.pwqs.len(),
        s.pwq_funcs.len(),
        s.workers.len(),
        s.threads.len(),
        s.flushes.len(),
        s.rings.len(),
    ];
    assert_eq!((rows, s.functions.len()), ([1; 8], 2));
    assert_eq!(s.sensing.notes.len(), SENSING_NOTES);
    assert_eq!(s.pwqs[0].wait.count(), 1);
    let mut cursor = reader.cursor(From::Oldest);
    assert_eq!(cursor.next(u64::MAX), Next::Lost(2));
}

#[test]
fn every_prefix() {
    let bytes = small();
    for len in 0..bytes.len() {
        assert_eq!(
            read_all(bytes[..len].to_vec()),
            Outcome::NotOpened,
            "first {len} bytes"
        );
    }
    assert_eq!(read_all(bytes), Outcome::Read);
}

/// Threads that share the bits.
const THREADS: usize = 4;

#[test]
fn every_bit() {
    let bytes = small();
    let flip_from = &|first: usize| {
        let mut flipped = bytes.clone();
        let bits = (first..bytes.len() * 8).step_by(THREADS);
        bits.filter(|bit| {
            flipped[bit / 8] ^= 1 << (bit % 8);
            let outcome = read_all(flipped.clone());
            flipped[bit / 8] ^= 1 << (bit % 8);
            outcome == Outcome::Read
        })
        .count()
    };
    let read: usize = std::thread::scope(|scope| {
        let threads = [0, 1, 2, 3].map(|first| scope.spawn(move || flip_from(first)));
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert!(read > bytes.len() * 4, "most bits are only values: {read}");
}

#[test]
fn other_files_are_told_apart() {
    let open = |bytes: Vec<u8>| Reader::from_source(bytes, Path::new("x")).unwrap_err();
    assert!(matches!(open(Vec::new()), OpenError::NotReady { .. }));
    assert!(matches!(
        open(b"# tracer: nop\n".to_vec()),
        OpenError::NotASegment { .. }
    ));
    assert!(matches!(
        open(vec![7; 100_000]),
        OpenError::NotASegment { .. }
    ));
    assert!(matches!(open(vec![0; 100_000]), OpenError::NotReady { .. }));
    let mut newer = small();
    newer[8 + 2] = 9;
    let error = open(newer);
    assert!(matches!(
        error,
        OpenError::WrongVersion {
            found: (9, 2),
            readable: 1,
            ..
        }
    ));
    assert!(error.to_string().contains("9.2"), "{error}");
    let mut unpublished = small();
    unpublished[8..16].fill(0);
    assert!(matches!(open(unpublished), OpenError::NotReady { .. }));
}

/// A file that is huge and full of nothing, or of ones: reading it must not take its size in memory.
#[derive(Debug)]
struct Endless {
    head: Vec<u8>,
    fill: u8,
}

impl Source for Endless {
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> std::io::Result<usize> {
        for (index, byte) in bytes.iter_mut().enumerate() {
            let at = offset as usize + index;
            *byte = self.head.get(at).copied().unwrap_or(self.fill);
        }
        Ok(bytes.len())
    }

    fn len(&self) -> std::io::Result<u64> {
        Ok(u64::MAX)
    }
}

#[test]
fn a_huge_file_is_refused_or_read_in_bounds() {
    let entry = DIRECTORY;
    for fill in [0, 0xff] {
        for len in [u64::MAX - 7, 1 << 40, 1 << 31] {
            let mut head = small();
            head[entry + 8..entry + 16].copy_from_slice(&len.to_le_bytes());
            let refused = Reader::from_source(Endless { head, fill }, Path::new("x"));
            assert!(refused.is_err(), "a table of {len} bytes");
        }
        let mut head = small();
        // Away from the other chunks.
        head[entry..entry + 16].copy_from_slice(&[(1_u64 << 20).to_le_bytes(); 2].concat());
        let reader = Reader::from_source(Endless { head, fill }, Path::new("x")).unwrap();
        let s = reader.snapshot().unwrap();
        assert!(s.functions.len() <= 2 * 4096);
    }
}

/// A younger engine may emit little that this version knows.
#[test]
fn the_end_comes_after_all_that_is_unknown() {
    let config = SegmentConfig {
        ring_bytes: 64 << 15,
        ..SegmentConfig::default()
    };
    let segment = Segment::tiny(&config, 5);
    let mut emitter = segment.emitter(3, "thread");
    let last = 20_000;
    for work in 1..=last {
        emitter.emit(&event(work));
    }
    segment.mark_ended(9);
    let mut bytes = bytes_of(&segment);
    let records = 64 * last as usize;
    let start = word(&bytes, ring_entry(&bytes)) as usize + 64;
    for record in bytes[start..][..records - 64].chunks_exact_mut(64) {
        record[8] = 0xee;
    }
    let reader = Reader::from_source(bytes, Path::new("x")).unwrap();
    let mut cursor = reader.cursor(From::Oldest);
    let mut all = std::iter::repeat_with(|| cursor.next(u64::MAX)).filter(|&n| n != Next::Idle);
    assert_eq!(all.next(), Some(Next::Record(event(last))));
    assert_eq!(all.next(), Some(Next::End));
    drop(all);
    assert_eq!((cursor.unknown(), cursor.lost()), (last - 1, 0));
}

/// An entry costs a file 32 bytes, and a reader the ring that it points at.
#[test]
fn entries_that_share_a_ring_are_refused() {
    let mut bytes = small();
    let ring = ring_entry(&bytes);
    let free = DIRECTORY + word(&bytes, COUNT) as usize * 32;
    bytes.copy_within(ring..ring + 32, free);
    bytes[COUNT] += 1;
    let error = Reader::from_source(bytes, Path::new("x")).unwrap_err();
    assert!(
        error.to_string().contains("two chunks at one place"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn many_bytes_at_once(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40)) {
        let mut bytes = small();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        read_all(bytes);
    }

    #[test]
    fn words_in_the_head_and_directory(changes in prop::collection::vec((0_usize..192, any::<u64>(), 0_u32..64), 1..6)) {
        let mut bytes = small();
        for (word, value, shift) in changes {
            // Small values reach further than random ones, which are mostly refused at once.
            let value = value >> shift;
            bytes[word * 8..word * 8 + 8].copy_from_slice(&value.to_le_bytes());
        }
        read_all(bytes);
    }
}
