//! What a tool warns of that watches an engine from outside: the right thing by its name, and nothing when all is well.

use crate::place::{PATIENCE, Place, Running};
use std::process::Stdio;
use std::time::{Duration, Instant};
use wq_trace::warn::{Settings, Subject, Warning, Warnings};
use wq_trace::{From, Limits, Model, Next, Reader};

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(250);
/// Between two readings of the events.
const READING: Duration = Duration::from_millis(10);

/// Watches the replay of a script until `enough`, or its end. Gives what was warned of.
fn watched(script: &str, enough: impl Fn(&[Warning], &Model) -> bool) -> (Warnings, Model) {
    let place = Place::new();
    let mut replay = Running::start(
        place
            .replay(&["run", script])
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    );
    let begun = Instant::now();
    let mut warnings = Warnings::new(Settings::default());
    let mut model = Model::new(Limits::default());
    let reader = crate::place::eventually("a segment", || {
        let mut files = std::fs::read_dir(place.runtime_dir()).ok()?;
        // What is being built has a name with a dot.
        let ready = |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "wqseg");
        let path = files.find_map(|file| file.ok().map(|f| f.path()).filter(ready))?;
        Reader::open(&path).ok()
    });
    let mut cursor = reader.cursor(From::Oldest);
    let mut next_look = Instant::now();
    loop {
        let over = replay.0.try_wait().expect("it is ours").is_some();
        let now = now();
        loop {
            match cursor.next(now) {
                Next::Record(event) => model.apply_event(&event),
                Next::Lost(n) => model.apply_lost(n),
                Next::Idle | Next::WriterGone | Next::End => break,
            }
        }
        if over || Instant::now() >= next_look {
            model.apply_snapshot(&reader.snapshot().expect("it can be read"));
            warnings.look(&model);
            next_look = Instant::now() + INTERVAL;
        }
        if over || enough(warnings.active(), &model) {
            return (warnings, model);
        }
        assert!(begun.elapsed() < PATIENCE, "{script} hangs");
        std::thread::sleep(READING);
    }
}

fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The names of the functions and workqueues that a warning is about or concerns.
fn named(warning: &Warning, model: &Model) -> Vec<String> {
    let subjects = warning.also.iter().chain([&warning.subject]);
    let name = |subject: &Subject| match *subject {
        Subject::Function(id) => Some(model.names().function(id).to_owned()),
        Subject::Workqueue(id) => Some(model.names().workqueue(id).to_owned()),
        _ => None,
    };
    subjects.filter_map(name).collect()
}

/// While the script runs this warning comes, which names this in its sentence and concerns this.
#[track_caller]
fn warns(script: &str, lint: &str, names: &[&str]) {
    let right = |warning: &Warning, model: &Model| {
        let concerned = named(warning, model);
        warning.lint == lint
            && names.iter().all(|name| {
                warning.sentence.contains(&format!("`{name}`"))
                    || concerned.iter().any(|it| it == name)
            })
    };
    let (warnings, model) = watched(script, |active, model| {
        active.iter().any(|warning| right(warning, model))
    });
    assert!(
        warnings.fired().iter().any(|it| right(it, &model)),
        "{script}: {:#?}",
        warnings.fired()
    );
}

#[test]
fn a_requeue_storm() {
    warns(
        "scripts/requeue-storm.toml",
        "self-requeue",
        &["storm", "storms"],
    );
}

#[test]
fn a_max_active_that_is_reached() {
    warns(
        "scripts/max-active.toml",
        "max-active",
        &["narrow", "fetch"],
    );
}

#[test]
fn a_hog() {
    warns(
        "scripts/warnings/hog.toml",
        "cpu-hog",
        &["render", "thumbnails"],
    );
}

#[test]
fn sleepers() {
    warns(
        "scripts/warnings/sleepers.toml",
        "sleeper-pileup",
        &["fetch"],
    );
}

#[test]
fn a_stall() {
    warns(
        "scripts/warnings/stall.toml",
        "stalled-pool",
        &["spin", "solver"],
    );
}

#[test]
fn an_ordered_bottleneck() {
    let names = ["journal", "commit"];
    warns(
        "scripts/warnings/ordered-bottleneck.toml",
        "ordered-bottleneck",
        &names,
    );
}

#[test]
fn a_rescuer() {
    warns("scripts/rescuer.toml", "rescuer", &["writeback"]);
}

#[test]
fn the_kernels_timelines_are_nothing_to_warn_of() {
    for name in ["cmwq", "max-active-2", "cpu-intensive", "one-at-a-time"] {
        for twin in ["", "-hints"] {
            let script = format!("scripts/kernel-doc-{name}{twin}.toml");
            let (warnings, model) = watched(&script, |_, _| false);
            assert!(model.at() > 0, "{script} was seen");
            assert_eq!(warnings.fired(), [], "{script}");
        }
    }
}
