//! The READMEs name tests, files and folders as proofs: all of them exist.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

fn engine() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn root() -> &'static Path {
    engine().parent().expect("the engine has a parent folder")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let (mut sources, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is readable") {
            let path = entry.expect("the entry is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                sources.push(path);
            }
        }
    }
    sources
}

/// The functions of a file that are marked as tests, by themselves or in a macro.
fn tests_of(text: &str) -> Vec<&str> {
    let mut tests = Vec::new();
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        if line == "#[test]" {
            marked = true;
        } else if marked && let Some(rest) = line.strip_prefix("fn ") {
            tests.extend(rest.split('(').next());
            marked = false;
        }
    }
    tests
}

/// What stands between backticks in one line.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The rows of the table in this chapter, without its head.
fn rows<'a>(text: &'a str, chapter: &str) -> Vec<&'a str> {
    let (_, rest) = text
        .split_once(chapter)
        .unwrap_or_else(|| panic!("no chapter {chapter}"));
    let rest = rest
        .split_once("\n## ")
        .map_or(rest, |(chapter, _)| chapter);
    let rows = rest.lines().filter(|line| line.starts_with('|'));
    rows.skip(2).collect()
}

#[test]
fn every_guarantee_is_held_by_tests_that_exist() {
    let texts: Vec<String> = sources(engine()).iter().map(|path| read(path)).collect();
    let tests: HashSet<&str> = texts.iter().flat_map(|text| tests_of(text)).collect();
    let readme = read(&engine().join("README.md"));
    let rows = rows(&readme, "\n## Guarantees\n");
    assert_eq!(rows.len(), 8, "as many as there are");
    for (index, row) in rows.into_iter().enumerate() {
        let cells: Vec<&str> = row.split('|').collect();
        let (guarantee, named) = (cells[1].trim(), cells[2]);
        assert!(guarantee.starts_with(&format!("{}. ", index + 1)), "{row}");
        assert!(quoted(named).next().is_some(), "nothing holds: {guarantee}");
        for test in quoted(named) {
            assert!(tests.contains(test), "no test is called {test}");
        }
    }
}

/// A path of ours, without a pattern or a variable in it.
fn looks_like_a_path(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let ours = word.ends_with(".rs") || word.ends_with('/') || word.ends_with(".toml");
    word.contains('/') && ours && !word.starts_with('/') && word.chars().all(plain)
}

#[test]
fn the_readmes_name_files_that_exist() {
    let mut checked = 0;
    for folder in ["", "engine", "workloads", "wq-dump", "wq-monitor"] {
        let folder = root().join(folder);
        for line in read(&folder.join("README.md")).lines() {
            for word in quoted(line).filter(|word| looks_like_a_path(word)) {
                let places = ["", "src", "engine/src"].map(|at| folder.join(at).join(word));
                let exists =
                    root().join(word).exists() || places.iter().any(|place| place.exists());
                assert!(exists, "{}/README.md names {word}", folder.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 30, "only {checked} paths were seen");
}

#[test]
fn find_tests_and_quoted_words() {
    let text = "#[test]\nfn one() {}\n  #[test]\n  #[ignore]\n  fn two() {}\nfn three() {}\n";
    assert_eq!(tests_of(text), ["one", "two"]);
    assert_eq!(
        quoted("a `b` c `d/e.rs`").collect::<Vec<_>>(),
        ["b", "d/e.rs"]
    );
    assert!(looks_like_a_path("src/pool/") && looks_like_a_path("a/b.rs"));
    assert!(!looks_like_a_path("wq.queue(arc)") && !looks_like_a_path("/proc/self/"));
}
