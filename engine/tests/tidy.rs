//! The repository lints itself: layers, sizes, words that do not belong in finished code, and what may be unsafe.

#[path = "tidy/events.rs"]
mod events;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/scan.rs"]
mod scan;

use rules::{
    FILE_LINES, FUNCTION_LINES, IMPURE, LAYERS, LONG_FUNCTIONS, PACKAGES, PURE, PURE_BUT,
    TOP_LEVEL, UNSAFE_FILES,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository.
fn root() -> PathBuf {
    let engine = Path::new(env!("CARGO_MANIFEST_DIR"));
    engine
        .parent()
        .expect("the engine has a parent folder")
        .to_owned()
}

fn is_hidden_or_target(name: &str) -> bool {
    name.starts_with('.') || name == "target"
}

/// Every Rust file of ours: (path from the root, text).
fn sources() -> Vec<(String, String)> {
    let (mut sources, mut folders) = (Vec::new(), vec![root()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is readable") {
            let path = entry.expect("the entry is readable").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if is_hidden_or_target(&name) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).expect("sources are UTF-8");
                let relative = path.strip_prefix(root()).expect("below the root");
                sources.push((relative.to_string_lossy().into_owned(), text));
            }
        }
    }
    sources.sort();
    sources
}

/// Test code may look across layers.
fn is_test(path: &str) -> bool {
    path.split('/')
        .any(|part| matches!(part, "tests" | "tests.rs" | "benches" | "fixture.rs"))
}

/// What is wrong with one file by itself.
fn file_problems(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut problem = |line: usize, what: String| problems.push(format!("{path}:{line}: {what}"));
    if !text.starts_with("//!") {
        problem(
            1,
            "a file begins with a `//!` sentence that says what it holds".to_owned(),
        );
    }
    let lines = text.lines().count();
    if lines > FILE_LINES {
        problem(
            lines,
            format!("{lines} lines in a file, at most {FILE_LINES}"),
        );
    }
    // In two pieces, since this file is looked at too.
    for marker in [concat!("FIX", "ME"), concat!("XX", "X")] {
        for line in scan::lines_with(text, marker) {
            problem(line, format!("{marker} in finished code"));
        }
    }
    let code = scan::code_of(text);
    for word in ["todo", "unimplemented", "dbg"] {
        let call = format!("{word}!");
        for (index, _) in code
            .lines()
            .enumerate()
            .filter(|(_, line)| line.contains(&call))
        {
            problem(index + 1, format!("{call} in finished code"));
        }
    }
    if !UNSAFE_FILES.contains(&path) {
        for line in scan::lines_with(&code, "unsafe") {
            problem(
                line,
                "unsafe outside of the files that are named for it".to_owned(),
            );
        }
    }
    for function in long_functions(&code) {
        if LONG_FUNCTIONS.contains(&(path, &function.name)) {
            continue;
        }
        let what = format!(
            "{} lines in {}, at most {FUNCTION_LINES}",
            function.lines, function.name
        );
        problem(function.line, what);
    }
    problems
}

fn long_functions(code: &str) -> Vec<scan::Function> {
    let mut functions = scan::functions(code);
    functions.retain(|function| function.lines > FUNCTION_LINES);
    functions
}

/// The path of a module in its crate: `pool/tests/rig.rs` is `["pool", "tests", "rig"]`.
fn module_path(file: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if matches!(parts.last(), Some(&"mod" | &"lib" | &"main")) {
        parts.pop();
    }
    parts
}

/// What a file imports against the layers. `crate_root` is the text of its crate's `lib.rs`.
fn layer_problems(path: &str, text: &str, crate_root: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if is_test(path) {
        return problems;
    }
    let code = scan::without_tests(&scan::code_of(text));
    let reexports = scan::reexports(crate_root);
    for layer in LAYERS {
        let Some(file) = path
            .strip_prefix(layer.crate_at)
            .and_then(|p| p.strip_prefix('/'))
        else {
            continue;
        };
        let own = module_path(file);
        if own.first() != Some(&layer.module) {
            continue;
        }
        for (line, name) in scan::imports(&code, &own, &reexports) {
            if layer.never.contains(&name.as_str()) {
                problems.push(format!(
                    "{path}:{line}: {} never imports {name}",
                    layer.module
                ));
            }
        }
    }
    if PURE.iter().any(|folder| path.starts_with(folder)) {
        for word in IMPURE {
            if PURE_BUT.contains(&(path, word)) {
                continue;
            }
            for line in scan::lines_with(&code, word) {
                problems.push(format!(
                    "{path}:{line}: {word} in a part without threads and clocks"
                ));
            }
        }
    }
    problems
}

fn crate_root(path: &str) -> String {
    let at = path.find("/src/").map_or("", |at| &path[..at]);
    fs::read_to_string(root().join(at).join("src/lib.rs")).unwrap_or_default()
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn files_are_small_documented_and_finished() {
    let sources = sources();
    assert!(sources.len() > 50, "the sources are found");
    let problems = sources
        .iter()
        .flat_map(|(path, text)| file_problems(path, text));
    assert_none(&problems.collect::<Vec<_>>());
}

#[test]
fn no_import_points_back_along_the_datas_way() {
    let problems = sources()
        .iter()
        .flat_map(|(path, text)| layer_problems(path, text, &crate_root(path)))
        .collect::<Vec<_>>();
    assert_none(&problems);
}

#[test]
fn the_tables_name_what_exists() {
    let sources = sources();
    for file in UNSAFE_FILES {
        let text = sources
            .iter()
            .find(|(path, _)| path == file)
            .map(|(_, text)| text);
        let code = scan::code_of(text.unwrap_or_else(|| panic!("{file} is gone")));
        assert!(
            !scan::lines_with(&code, "unsafe").is_empty(),
            "{file} is safe by now"
        );
    }
    for (file, function) in LONG_FUNCTIONS {
        let text = sources.iter().find(|(path, _)| path == file);
        let code = scan::code_of(text.map_or("", |(_, text)| text));
        let long = long_functions(&code).iter().any(|f| f.name == *function);
        assert!(long, "{function} in {file} is short by now");
    }
    let exists = |crate_at: &str, module: &str| {
        let file = format!("{crate_at}/{module}.rs");
        let folder = format!("{crate_at}/{module}/");
        let there = |path: &String| *path == file || path.starts_with(&folder);
        sources.iter().any(|(path, _)| there(path))
    };
    for layer in LAYERS {
        for module in layer.never.iter().chain([&layer.module]) {
            assert!(
                exists(layer.crate_at, module),
                "{}/{module} is gone",
                layer.crate_at
            );
        }
    }
}

#[test]
fn the_top_level_is_bare() {
    let names = fs::read_dir(root()).expect("the root is readable");
    let names = names.map(|entry| entry.expect("the entry is readable").file_name());
    let names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    let strange =
        |name: &&String| !is_hidden_or_target(name) && !TOP_LEVEL.contains(&name.as_str());
    let strange: Vec<_> = names.iter().filter(strange).collect();
    assert!(strange.is_empty(), "the top level also holds {strange:?}");
}

/// The packages of ours under `[dependencies]` of a manifest.
fn our_dependencies(manifest: &str) -> Vec<&str> {
    let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split(['.', '=', ' ']).next());
    names
        .filter(|name| PACKAGES.iter().any(|package| package.1 == *name))
        .collect()
}

#[test]
fn packages_depend_on_each_other_one_way() {
    for (folder, name, allowed) in PACKAGES {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml"));
        let manifest = manifest.unwrap_or_else(|error| panic!("{folder}: {error}"));
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{folder} is {name}"
        );
        for dependency in our_dependencies(&manifest) {
            assert!(
                allowed.contains(&dependency),
                "{name} depends on {dependency}"
            );
        }
    }
}

#[test]
fn the_dump_tool_does_not_contain_the_engine() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = [
        "tree",
        "-p",
        "wq-dump",
        "-e",
        "normal",
        "--prefix",
        "none",
        "--offline",
    ];
    let tree = Command::new(cargo)
        .args(arguments)
        .current_dir(root())
        .output();
    let tree = match tree {
        Ok(tree) if tree.status.success() => String::from_utf8_lossy(&tree.stdout).into_owned(),
        Ok(tree) => {
            println!(
                "skipped: cargo tree: {}",
                String::from_utf8_lossy(&tree.stderr)
            );
            return;
        }
        Err(error) => {
            println!("skipped: no cargo: {error}");
            return;
        }
    };
    let has = |name: &str| {
        tree.lines()
            .any(|line| line.split(' ').next() == Some(name))
    };
    assert!(has("wq-trace"), "{tree}");
    assert!(!has("wq-engine") && !has("wq-replay"), "{tree}");
}

/// The variants of the enum that says what happened, in order.
fn variants_of_what(text: &str) -> Vec<String> {
    let code = scan::code_of(text);
    let body = code.split("pub enum What {").nth(1).expect("the enum");
    let body = body.split("\n}").next().expect("its end");
    let variant = |line: &str| {
        let name = line.strip_prefix("    ")?;
        let is_name = name.starts_with(|c: char| c.is_ascii_uppercase());
        is_name.then(|| name.trim_end_matches([',', '{', ' ']).to_owned())
    };
    body.lines().filter_map(variant).collect()
}

/// The events that a text makes, by variant. Comparing with one, or taking one apart, makes none; the engine does neither.
fn events_made(text: &str) -> Vec<String> {
    let code = scan::without_tests(&scan::code_of(text));
    // `deadlock::What` is another thing.
    let places = code.match_indices("What::");
    let own = places.filter(|(at, _)| !code[..*at].ends_with("::"));
    let name = |(at, what): (usize, &str)| -> String {
        let rest = code[at + what.len()..].chars();
        rest.take_while(char::is_ascii_alphanumeric).collect()
    };
    own.map(name).collect()
}

#[test]
fn each_event_is_made_in_one_place() {
    let sources = sources();
    let event = sources
        .iter()
        .find(|(path, _)| path == "engine/trace/src/event.rs");
    let variants = variants_of_what(&event.expect("it is there").1);
    let mut sorted = variants;
    sorted.sort();
    let mut known: Vec<&str> = events::MADE.iter().map(|(variant, _)| *variant).collect();
    known.sort_unstable();
    assert_eq!(sorted, known, "every event has its line");
    let mut made: Vec<(String, String)> = Vec::new();
    for (path, text) in &sources {
        let Some(file) = path.strip_prefix("engine/src/") else {
            continue;
        };
        // The search for deadlocks has an enum of the same name.
        if is_test(path) || file.starts_with("wq/deadlock/") {
            continue;
        }
        made.extend(
            events_made(text)
                .into_iter()
                .map(|event| (event, file.to_owned())),
        );
    }
    for (variant, files) in events::MADE {
        let mut places: Vec<&str> = made
            .iter()
            .filter(|(event, _)| event == variant)
            .map(|(_, file)| file.as_str())
            .collect();
        places.sort_unstable();
        assert_eq!(places, *files, "{variant}");
    }
}

/// The lints find what they are for, on small bad examples, and nothing else on good ones.
mod lints {
    use super::*;

    fn count(text: &str) -> usize {
        file_problems("engine/src/x.rs", text).len()
    }

    #[test]
    fn find_unfinished_and_undocumented_files() {
        assert_eq!(count("//! Fine.\nfn f() {}\n"), 0);
        assert_eq!(count("fn f() {}\n"), 1);
        assert_eq!(count("// no\n//! Late.\n"), 1);
        for macro_name in ["todo", "unimplemented", "dbg"] {
            assert_eq!(count(&format!("//! X.\nfn f() {{ {macro_name}!() }}\n")), 1);
            assert_eq!(count(&format!("//! X.\n// {macro_name}!()\n")), 0);
            assert_eq!(
                count(&format!("//! X.\nconst S: &str = \"{macro_name}!()\";\n")),
                0
            );
        }
        assert_eq!(count(concat!("//! X.\n// FIX", "ME later\n")), 1);
    }

    #[test]
    fn find_long_files_and_functions() {
        let file = |lines| format!("//! X.\n{}", "\n".repeat(lines - 1));
        assert_eq!(
            (count(&file(FILE_LINES)), count(&file(FILE_LINES + 1))),
            (0, 1)
        );
        let function = |lines| format!("//! X.\nfn f() {{{}}}\n", "\n".repeat(lines - 1));
        let counts = [FUNCTION_LINES, FUNCTION_LINES + 1].map(|lines| count(&function(lines)));
        assert_eq!(counts, [0, 1]);
        // A brace in a literal or comment ends nothing, and a nested function counts for its parent.
        let tricky =
            "//! X.\nfn f(a: [u8; 2]) -> u8 {\n'}'; \"}\"; r#\"}\"#; /* } */ // }\n".to_owned();
        assert_eq!(count(&format!("{tricky}{}}}\n", "\n".repeat(98))), 1);
        assert_eq!(count(&format!("{tricky}}}\n{}", "\n".repeat(98))), 0);
    }

    #[test]
    fn find_unsafe_code_where_it_is_not_named() {
        let text = "//! X.\nfn f() { unsafe { g() } }\n";
        assert_eq!(count(text), 1);
        assert_eq!(file_problems(UNSAFE_FILES[0], text), [""; 0]);
        assert_eq!(
            count("//! X, which is not unsafe.\n#![forbid(unsafe_code)]\n"),
            0
        );
    }

    const ROOT: &str = "pub use runtime::{Builder, Engine};\npub use attrs::WqFlags;\n";

    fn imports(path: &str, text: &str) -> usize {
        layer_problems(path, text, ROOT).len()
    }

    #[test]
    fn find_upward_imports_however_they_are_written() {
        for text in [
            "use crate::runtime::Pool;",
            "use crate::{attrs::WqFlags, runtime::{self, Pool}};",
            "use super::super::runtime;",
            "fn f() -> crate::runtime::Pool {}",
            "use crate::Engine;",
            "use crate::{WqFlags, Builder};",
        ] {
            assert_eq!(imports("engine/src/pool/admit.rs", text), 1, "{text}");
            assert_eq!(imports("engine/src/queue/admit.rs", text), 0, "{text}");
        }
        assert_eq!(imports("engine/src/pool/mod.rs", "use super::runtime;"), 1);
        assert_eq!(
            imports("engine/src/worker/mod.rs", "use crate::sim::Program;"),
            1
        );
        assert_eq!(
            imports("engine/src/sim/mod.rs", "use crate::runtime::Engine;"),
            1
        );
        assert_eq!(
            imports(
                "engine/trace/src/model/mod.rs",
                "use crate::segment::Segment;"
            ),
            1
        );
        let allowed = "use super::list::Runtime;\nuse crate::wq::Word; // crate::runtime\n";
        assert_eq!(imports("engine/src/pool/admit.rs", allowed), 0);
    }

    #[test]
    fn leave_test_code_alone() {
        let text = "#[cfg(test)]\nmod tests {\n use crate::runtime::Pool;\n}\n";
        assert_eq!(imports("engine/src/pool/admit.rs", text), 0);
        let after = format!("{text}use crate::runtime::Pool;\n");
        assert_eq!(imports("engine/src/pool/admit.rs", &after), 1);
        let declared = "#[cfg(test)]\nmod tests;\nuse crate::runtime::Pool;\n";
        assert_eq!(imports("engine/src/pool/admit.rs", declared), 1);
        assert_eq!(
            imports("engine/src/pool/tests/rig.rs", "use crate::runtime::Pool;"),
            0
        );
    }

    #[test]
    fn find_threads_clocks_locks_and_files_in_the_pure_centre() {
        for text in [
            "use std::time::Instant;",
            "fn f(m: &std::sync::Mutex<u8>) {}",
            "fn f() { std::thread::yield_now(); }",
        ] {
            assert_eq!(imports("engine/src/pool/admit.rs", text), 1, "{text}");
            assert_eq!(imports("engine/src/runtime/pool.rs", text), 0, "{text}");
        }
        assert_eq!(
            imports("engine/src/sim/mod.rs", "use std::time::Duration;"),
            0
        );
    }

    #[test]
    fn read_the_packages_of_a_manifest() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\nwq-trace.workspace = true\nlibc = \"1\"\n\
                        wq-engine = { path = \"..\" }\n[dev-dependencies]\nwq-replay.workspace = true\n";
        assert_eq!(our_dependencies(manifest), ["wq-trace", "wq-engine"]);
    }
}
