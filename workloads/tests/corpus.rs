//! The corpus of the fuzz target, as it is and with random changes: what a fuzzer would look for, without one.

#[path = "../fuzz/bodies.rs"]
mod bodies;

use proptest::prelude::*;
use proptest::sample::Index;
use std::path::Path;

/// The files of a folder of this package, by name.
fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("a file").path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), std::fs::read(&path).expect("bytes"))
        })
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

#[test]
fn scripts() {
    for (name, bytes) in files("fuzz/corpus/script") {
        assert_eq!(bodies::script(&bytes), name.starts_with("whole"), "{name}");
    }
}

#[test]
fn every_prefix_of_every_script() {
    for (_, bytes) in files("scripts") {
        for len in (0..bytes.len()).step_by(7) {
            bodies::script(&bytes[..len]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Pieces of scripts put together anyhow.
    #[test]
    fn scripts_of_pieces(pieces in prop::collection::vec((any::<Index>(), any::<Index>(), 1_usize..200), 1..8)) {
        let files = files("scripts");
        let mut text = Vec::new();
        for (file, at, len) in pieces {
            let bytes = &files[file.index(files.len())].1;
            let at = at.index(bytes.len());
            text.extend_from_slice(&bytes[at..(at + len).min(bytes.len())]);
        }
        bodies::script(&text);
    }

    #[test]
    fn scripts_with_changed_bytes(file in any::<Index>(), changes in prop::collection::vec((any::<Index>(), 0x20_u8..0x7f), 1..6)) {
        let files = files("scripts");
        let mut text = files[file.index(files.len())].1.clone();
        for (at, byte) in changes {
            let at = at.index(text.len());
            text[at] = byte;
        }
        bodies::script(&text);
    }
}
