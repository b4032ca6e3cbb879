//! The corpus of the fuzz targets, as it is and with random changes: what a fuzzer would look for, without one.

#[path = "../fuzz/bodies.rs"]
mod bodies;

use proptest::prelude::*;
use proptest::sample::Index;
use std::path::PathBuf;
use std::sync::OnceLock;

fn folder(target: &str) -> PathBuf {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    corpus.join(target)
}

/// The files of a target, by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder(target)).expect("a corpus");
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), std::fs::read(&path).expect("bytes"))
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no corpus");
    files
}

#[test]
fn segments() {
    for (name, bytes) in corpus("segment") {
        let read = bodies::segment(&bytes);
        assert_eq!(read, name.starts_with("whole"), "{name}");
    }
}

#[test]
fn events() {
    for (_, bytes) in corpus("events") {
        bodies::events(&bytes);
    }
}

#[test]
fn recordings() {
    for (name, bytes) in corpus("recording") {
        let read = bodies::recording(&bytes);
        assert_eq!(read, !name.starts_with("headless"), "{name}");
    }
}

#[test]
fn queries() {
    for (name, bytes) in corpus("query") {
        let right = bodies::query(&bytes);
        assert_eq!(right, name.starts_with("right"), "{name}");
    }
}

/// Else what stands behind the checksums would never be reached.
#[test]
fn a_recording_that_is_right_is_not_changed_by_sealing() {
    let whole = bodies::recording_of_everything();
    assert_eq!(bodies::sealed(&whole), whole);
    let mut changed = whole.clone();
    *changed.last_mut().expect("bytes") ^= 1;
    assert_ne!(bodies::sealed(&changed), changed);
}

/// Run with `--ignored` after the format has changed: adds what this version writes.
#[test]
#[ignore = "writes into the corpus"]
fn write_the_seeds() {
    let (major, minor) = wq_trace::VERSION;
    let (whole, records) = bodies::segment_with_a_ring();
    let version = format!("{major}.{minor}");
    let write = |target: &str, name: &str, bytes: &[u8]| {
        std::fs::write(folder(target).join(name), bytes).expect("a file");
    };
    write("segment", &format!("whole-{version}"), &whole);
    write("segment", &format!("cut-{version}"), &whole[..records]);
    write(
        "events",
        &format!("four-kinds-{version}"),
        &whole[records..records + 64 * 8],
    );
    let (major, minor) = wq_trace::RECORDING_VERSION;
    let version = format!("{major}.{minor}");
    let whole = bodies::recording_of_everything();
    write("recording", &format!("whole-{version}"), &whole);
    write(
        "recording",
        &format!("cut-{version}"),
        &whole[..whole.len() * 2 / 3],
    );
    write("recording", &format!("headless-{version}"), &whole[16..]);
}

fn seed() -> &'static [u8] {
    static SEED: OnceLock<Vec<u8>> = OnceLock::new();
    SEED.get_or_init(|| bodies::segment_with_a_ring().0)
}

fn recorded() -> &'static [u8] {
    static RECORDED: OnceLock<Vec<u8>> = OnceLock::new();
    RECORDED.get_or_init(bodies::recording_of_everything)
}

/// A change that reaches further than a random byte: a word that is small, huge, or another word of the file.
fn word() -> impl Strategy<Value = (Index, u64)> {
    let value = prop_oneof![
        0_u64..64,
        any::<u64>(),
        Just(u64::MAX),
        (0_u64..1 << 16).prop_map(|n| n * 8),
    ];
    (any::<Index>(), value)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn segments_with_changed_words(changes in prop::collection::vec(word(), 1..12)) {
        let mut bytes = seed().to_vec();
        let words = bytes.len() / 8;
        for (at, value) in changes {
            let at = at.index(words) * 8;
            bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        bodies::segment(&bytes);
    }

    #[test]
    fn segments_with_parts_moved(from in any::<Index>(), to in any::<Index>(), len in 1_usize..4096) {
        let mut bytes = seed().to_vec();
        let len = len.min(bytes.len());
        let (from, to) = (from.index(bytes.len() - len + 1), to.index(bytes.len() - len + 1));
        bytes.copy_within(from..from + len, to);
        bodies::segment(&bytes);
    }

    #[test]
    fn recordings_with_changed_bytes(
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..12), cut in any::<Index>(),
    ) {
        let mut bytes = recorded().to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bodies::recording(&bytes);
        bytes.truncate(cut.index(bytes.len() + 1));
        bodies::recording(&bytes);
    }

    #[test]
    fn recordings_with_parts_moved(from in any::<Index>(), to in any::<Index>(), len in 1_usize..1024) {
        let mut bytes = recorded().to_vec();
        let len = len.min(bytes.len());
        let (from, to) = (from.index(bytes.len() - len + 1), to.index(bytes.len() - len + 1));
        bytes.copy_within(from..from + len, to);
        bodies::recording(&bytes);
    }

    #[test]
    fn queries_of_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        bodies::query(&bytes);
    }

    #[test]
    fn records_of_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64 * 8)) {
        bodies::events(&bytes);
    }

    /// Each kind of event with anything in its other fields.
    #[test]
    fn records_of_known_kinds(records in prop::collection::vec((any::<[u8; 64]>(), 0_u8..40), 1..9)) {
        let mut bytes = Vec::new();
        for (mut record, kind) in records {
            record[8] = kind;
            bytes.extend_from_slice(&record);
        }
        bodies::events(&bytes);
    }
}
