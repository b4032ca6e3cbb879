//! What is concluded from the events alone is what the engine itself booked: the parts of the waits, in every script.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use wq_engine::sim::{self, Outcome};
use wq_replay::load;
use wq_trace::explain::{Explainer, WaitEnd};
use wq_trace::{Breakdown, Event, FuncId, Reader, WaitPart};

/// The scripts that are there for everybody.
fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut paths = Vec::new();
    for folder in [folder.join("waits"), folder] {
        let entries = std::fs::read_dir(folder).expect("the scripts");
        paths.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    paths.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    // Large, and nothing in it that the others do not have.
    paths.retain(|path| !path.ends_with("mixed.toml"));
    paths.sort();
    paths
}

/// Simulates a script; the events are explained as they come.
fn explained(path: &Path) -> (Outcome, HashMap<FuncId, Breakdown>) {
    let script = load(path).unwrap_or_else(|errors| panic!("{errors}"));
    let mut explainer = Explainer::new(true);
    let mut parts: HashMap<FuncId, Breakdown> = HashMap::new();
    let mut seen = HashSet::new();
    let mut observer = |event: &Event, segment: &wq_trace::Segment| {
        if seen.insert((event.pool, event.wq)) {
            explainer.know(&Reader::in_memory(segment).snapshot().expect("a snapshot"));
        }
        let Some(wait) = explainer.apply(event) else {
            return;
        };
        assert_eq!(
            wait.parts.iter().sum::<u64>(),
            wait.ns(),
            "the parts are the wait"
        );
        if wait.end == WaitEnd::Started {
            let sum = parts.entry(event.func).or_default();
            for (sum, part) in sum.iter_mut().zip(&wait.parts) {
                *sum += part;
            }
        }
    };
    let stop = AtomicBool::new(false);
    let outcome = sim::simulate_named(&script.program, &stop, &mut observer).expect("it ends");
    (outcome, parts)
}

#[test]
fn events_explain_waits_as_the_engine_does() {
    for path in scripts() {
        let (outcome, parts) = explained(&path);
        let mut booked: HashMap<FuncId, Breakdown> = HashMap::new();
        for row in &outcome.snapshot.pwq_funcs {
            let sum = booked.entry(row.func).or_default();
            for (sum, part) in sum.iter_mut().zip(&row.breakdown) {
                *sum += part;
            }
        }
        for (func, booked) in booked {
            let ours = parts.get(&func).copied().unwrap_or_default();
            for &part in WaitPart::ALL {
                let (ours, booked) = (ours[part as usize], booked[part as usize]);
                let name = path.display();
                // No event tells that a CPU leaves: what follows may be unknown, but never something else.
                if path.ends_with("hotplug.toml") && part != WaitPart::Unknown {
                    assert!(ours <= booked, "{name}: {func:?}, {}", part.name());
                } else if !path.ends_with("hotplug.toml") {
                    assert_eq!(ours, booked, "{name}: {func:?}, {}", part.name());
                }
            }
        }
    }
}
