//! What an engine says of sensing is what a reader reads: whole, again and again, cleaned, and unknown where it is not
//! said.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use wq_trace::{
    CanaryGauges, PoolGauges, PoolInfo, Reaction, Reader, SENSING_NOTE_BYTES, SENSING_NOTES,
    Segment, SegmentConfig, SensingInfo, Source,
};

fn segment() -> Segment {
    Segment::tiny(&SegmentConfig::default(), 5)
}

fn seen(segment: &Segment) -> SensingInfo {
    Reader::in_memory(segment).snapshot().unwrap().sensing
}

fn info() -> SensingInfo {
    SensingInfo {
        mode: "canary".into(),
        reason: "the best that works here".into(),
        asked: "auto".into(),
        notes: vec![
            "CPU quota 50 % (cpu.max 50000 100000): nobody reacts while the group is throttled"
                .into(),
            "only 512 descriptors: workers beyond that are left to the tick".into(),
        ],
        reaction: Reaction::Measured {
            p50_ns: 5_100,
            p99_ns: 9_800,
            rounds: 40,
        },
        descriptors: 512,
    }
}

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

fn put(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at * 8..at * 8 + 8].copy_from_slice(&value.to_le_bytes());
}

/// The directory's entry of a kind: the word at which it stands.
fn entry_of(bytes: &[u8], kind: u64) -> usize {
    let mut entries = (0..16).map(|index| 128 + index * 4);
    entries
        .find(|&entry| word(bytes, entry + 2) == kind)
        .unwrap()
}

fn read(bytes: Vec<u8>) -> wq_trace::Snapshot {
    let reader = Reader::from_source(bytes, Path::new("x")).unwrap();
    reader.snapshot().unwrap()
}

#[test]
fn it_comes_back_whole_and_may_change() {
    let segment = segment();
    assert_eq!(seen(&segment), SensingInfo::default());
    segment.set_sensing(&info());
    assert_eq!(seen(&segment), info());
    for reaction in [
        Reaction::NotMeasured,
        Reaction::NoAnswer,
        Reaction::Unknown,
        Reaction::Measured {
            p50_ns: u64::MAX,
            p99_ns: 0,
            rounds: u32::MAX,
        },
    ] {
        let fallen = SensingInfo {
            mode: "tick".into(),
            notes: vec!["pread of /proc failed".into()],
            reaction,
            ..info()
        };
        segment.set_sensing(&fallen);
        assert_eq!(seen(&segment), fallen);
    }
    let meta = Reader::in_memory(&segment).meta().unwrap();
    assert_eq!(meta.sensing, "tick");
}

#[test]
fn what_is_too_much_is_cut_and_what_is_not_plain_is_cleaned() {
    let segment = segment();
    segment.set_sensing(&SensingInfo {
        mode: "a mode with a name much longer than that".into(),
        reason: "r".repeat(999),
        asked: "\x1b[2J".into(),
        notes: (0..20)
            .map(|n| format!("{n}\n\u{202e}{}", "ü".repeat(200)))
            .collect(),
        ..info()
    });
    let seen = seen(&segment);
    assert_eq!(seen.mode, "a mode with a name much longer ");
    assert_eq!((seen.reason.len(), seen.asked.as_str()), (255, "_[2J"));
    assert_eq!(seen.notes.len(), SENSING_NOTES);
    for (n, note) in seen.notes.iter().enumerate() {
        assert!(note.starts_with(&format!("{n}__ü")), "{note}");
        assert!((SENSING_NOTE_BYTES - 1..=SENSING_NOTE_BYTES).contains(&note.len()));
    }
}

#[test]
fn a_pools_canary_is_shown() {
    let segment = segment();
    let pool = segment.pool(PoolInfo::default());
    let row = || Reader::in_memory(&segment).snapshot().unwrap().pools[0].canary;
    assert_eq!(row(), CanaryGauges::default());
    let canary = CanaryGauges {
        armed: true,
        armings: 1 << 40,
        decisions: 9,
        false_decisions: 10,
        unwatched: u32::MAX,
    };
    pool.update(&PoolGauges {
        canary,
        ..PoolGauges::default()
    });
    assert_eq!(row(), canary);
}

#[test]
fn it_stands_where_version_1_2_put_it() {
    let segment = segment();
    segment.set_sensing(&info());
    let pool = segment.pool(PoolInfo::default());
    pool.update(&PoolGauges {
        canary: CanaryGauges {
            armed: true,
            armings: 3,
            decisions: 4,
            false_decisions: 5,
            unwatched: 2,
        },
        ..PoolGauges::default()
    });
    let bytes = bytes_of(&segment);
    let entry = entry_of(&bytes, 12);
    assert_eq!(word(&bytes, entry + 3), 216);
    let slot = word(&bytes, entry) as usize / 8;
    let text = |at: usize, text: &str| {
        let text = [text.as_bytes(), b"\0"].concat();
        let at = (slot + at) * 8;
        assert_eq!(&bytes[at..at + text.len()], text);
    };
    text(2, "canary");
    text(6, "auto");
    text(10, "the best that works here");
    assert_eq!(
        [42, 43, 44, 45].map(|at| word(&bytes, slot + at)),
        [40 << 32 | 2, 5_100, 9_800, 512]
    );
    text(46, &info().notes[0]);
    text(46 + 21, &info().notes[1]);
    text(46 + 42, "");
    let pool = word(&bytes, entry_of(&bytes, 2)) as usize / 8;
    assert_eq!(
        [12, 13, 14, 15].map(|at| word(&bytes, pool + at)),
        [2 << 32 | 1, 3, 4, 5]
    );
}

/// A file of version 1.1 has nothing but what stands in the head.
#[test]
fn an_older_file_says_less() {
    let segment = segment();
    segment.set_sensing(&info());
    let mut bytes = bytes_of(&segment);
    let entry = entry_of(&bytes, 12);
    // A kind that is not known, as an older reader sees it.
    put(&mut bytes, entry + 2, 99);
    put(&mut bytes, 1, 1 << 16 | 1);
    let s = read(bytes);
    let expected = SensingInfo {
        mode: "canary".into(),
        reason: "the best that works here".into(),
        ..SensingInfo::default()
    };
    assert_eq!((s.sensing, s.meta.version), (expected, (1, 1)));
}

/// Its writer was killed in the middle: the head says what it can, and the row is counted as torn.
#[test]
fn a_torn_row_is_left_out() {
    let segment = segment();
    segment.set_sensing(&info());
    let mut bytes = bytes_of(&segment);
    let slot = word(&bytes, entry_of(&bytes, 12)) as usize / 8;
    let seq = word(&bytes, slot) + 1;
    put(&mut bytes, slot, seq);
    let s = read(bytes);
    assert_eq!((s.sensing.mode.as_str(), s.torn), ("canary", 1));
    assert!(s.sensing.notes.is_empty() && s.sensing.reaction == Reaction::Unknown);
}

#[test]
fn hostile_words_are_values_or_unknown() {
    let segment = segment();
    segment.set_sensing(&info());
    let mut bytes = bytes_of(&segment);
    let slot = word(&bytes, entry_of(&bytes, 12)) as usize / 8;
    for at in 2..214 {
        put(
            &mut bytes,
            slot + at,
            u64::from_le_bytes(*b"\x1b[2J\xff\x1b]0"),
        );
    }
    put(&mut bytes, slot + 42, 77);
    let sensing = read(bytes).sensing;
    assert_eq!(sensing.reaction, Reaction::Unknown);
    assert_eq!(sensing.notes.len(), SENSING_NOTES);
    let all = [sensing.mode, sensing.asked, sensing.reason];
    for text in all.iter().chain(&sensing.notes) {
        assert!(text.starts_with("_[2J") && !text.contains('\x1b'), "{text}");
        assert!(text.len() <= 256);
    }
}

/// A tier that falls while somebody looks: the reader sees one description or the other.
#[test]
fn a_description_is_never_seen_half_changed() {
    let segment = segment();
    let described = |n: usize| {
        let word = ["canary", "tick"][n % 2];
        SensingInfo {
            mode: word.into(),
            reason: word.into(),
            asked: word.into(),
            notes: vec![word.into(); 1 + n % 2 * (SENSING_NOTES - 1)],
            reaction: Reaction::NotMeasured,
            descriptors: n as u32 % 2,
        }
    };
    segment.set_sensing(&described(0));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut n = 0;
            while !done.load(Ordering::Relaxed) {
                n += 1;
                segment.set_sensing(&described(n));
                // Otherwise hardly a reading would find a moment of rest.
                std::thread::sleep(std::time::Duration::from_micros(50));
            }
            n
        });
        let reader = Reader::in_memory(&segment);
        let mut whole = 0;
        for _ in 0..500 {
            let s = reader.snapshot().unwrap();
            if s.torn == 0 {
                assert!(
                    [described(0), described(1)].contains(&s.sensing),
                    "{:?}",
                    s.sensing
                );
                assert_eq!(s.meta.sensing, s.sensing.mode);
                whole += 1;
            }
        }
        done.store(true, Ordering::Relaxed);
        assert!(writer.join().unwrap() > 0 && whole > 0);
    });
}
