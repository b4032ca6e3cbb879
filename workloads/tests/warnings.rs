//! The scripts that show a warning: it comes, also when simulated, and names what it should.

use std::path::{Path, PathBuf};
use wq_replay::exec::{SimulateSettings, simulate};
use wq_replay::expect::{Measure, evaluate};
use wq_replay::report::Report;
use wq_replay::{Script, load};

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts")
}

fn simulated(script: &Script) -> Report {
    let report = simulate(script, SimulateSettings::default(), None);
    report.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn simulated_scripts_warn_as_they_expect() {
    let mut paths = vec![
        scripts().join("requeue-storm.toml"),
        scripts().join("max-active.toml"),
    ];
    let entries = std::fs::read_dir(scripts().join("warnings")).expect("the folder is there");
    paths.extend(entries.map(|entry| entry.expect("readable").path()));
    assert!(paths.len() >= 6, "{paths:?}");
    for path in paths {
        let script = load(&path).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(script.expects_warnings(), "{}", path.display());
        let report = simulated(&script);
        for outcome in evaluate(&script.expectations, &report, true) {
            let (name, warnings) = (path.display(), &report.warnings);
            assert!(
                outcome.ok,
                "{name}: {}: {} {warnings:#?}",
                outcome.text, outcome.seen
            );
        }
    }
}

/// What a script says of warnings, turned round, must not come out.
#[test]
fn an_expected_warning_that_does_not_come_fails() {
    let path = scripts().join("warnings/hog.toml");
    let text = std::fs::read_to_string(&path).expect("readable");
    let text = text.replace("\"cpu-hog\"", "\"stalled-pool\"").replace(
        "workqueue = \"events\"\nwarning",
        "workqueue = \"thumbnails\"\nwarning",
    );
    let script = wq_replay::parse(&text, &path, None).unwrap_or_else(|e| panic!("{e}"));
    let report = simulated(&script);
    let outcomes = evaluate(&script.expectations, &report, true);
    let [work, workqueue] = &*outcomes else {
        panic!("{outcomes:?}");
    };
    assert_eq!(
        (&*work.text, work.ok),
        ("render warning stalled-pool", false)
    );
    assert_eq!(
        (&*workqueue.text, workqueue.ok),
        ("thumbnails warning none", false)
    );
    for seen in [&work.seen, &workqueue.seen] {
        assert!(
            seen.starts_with("cpu-hog: `render` hogs its CPU: "),
            "{seen}"
        );
    }
}

#[test]
fn the_kernels_timelines_are_nothing_to_warn_of() {
    let entries = std::fs::read_dir(scripts()).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut seen = 0;
    for path in paths.filter(|path| path.to_string_lossy().contains("kernel-doc-")) {
        let mut script = load(&path).unwrap_or_else(|errors| panic!("{errors}"));
        // Somebody has to look.
        for expectation in &mut script.expectations {
            expectation.measure = Measure::Warning;
        }
        assert_eq!(simulated(&script).warnings, [], "{}", path.display());
        seen += 1;
    }
    assert_eq!(seen, 8);
}
