//! `warnings`: of an engine that runs, of what one left behind, and of a recording.

mod common;
#[path = "../../engine/trace/schema/check.rs"]
mod schema;

use common::{Engine, Place};

/// An engine in trouble.
fn in_trouble(place: &Place) -> Engine {
    let mut engine = Engine::start(place, "demo");
    engine.work(5);
    engine.trouble();
    engine
}

#[test]
fn a_look_at_an_engine_in_trouble_tells_what_is_wrong() {
    let place = Place::new();
    let engine = in_trouble(&place);
    let file = engine.path.to_str().expect("UTF-8");
    let run = place.run(&["warnings", "--for", "600ms", "--file", file, "--json"]);
    let json = run.json();
    schema::check("warnings", &json);
    let warnings = json["warnings"].as_array().expect("a list");
    assert!(!warnings.is_empty(), "{json:#}");
    let text = place.run(&["warnings", "--for", "600ms", "--file", file]);
    let text = text.good();
    for warning in warnings {
        let lint = warning["lint"].as_str().expect("a name");
        assert!(text.contains(&format!("{lint} (")), "no {lint} in {text}");
    }
    assert!(text.contains("    to do      "), "{text}");
}

#[test]
fn what_is_off_is_not_told_and_nonsense_is_refused() {
    let place = Place::new();
    let _engine = in_trouble(&place);
    let quick = ["warnings", "--for", "10ms", "--engine", "demo", "--warn"];
    let run = place.run(&[&quick[..], &["all=off"]].concat());
    assert!(run.good().contains("no warnings in "), "{}", run.stdout());
    let run = place.run(&[&quick[..], &["stalled=off"]].concat());
    assert_eq!(run.0.status.code(), Some(2));
    assert!(run.stderr().contains("stalled-pool"), "{}", run.stderr());
}

#[test]
fn a_recording_is_looked_at_as_its_engine() {
    let place = Place::new();
    let engine = in_trouble(&place);
    let segment = engine.path.to_str().expect("UTF-8");
    let tape = place.path().join("t.wqrec");
    let tape = tape.to_str().expect("UTF-8");
    place
        .run(&["record", "--file", segment, "--for", "2500ms", "-o", tape])
        .good();
    let json = place.run(&["warnings", "--json", "--file", tape]).json();
    let told = ["warnings", "suspected"].map(|key| json[key].as_array().expect("a list").len());
    assert!(told.iter().sum::<usize>() > 0, "{json:#}");
}
