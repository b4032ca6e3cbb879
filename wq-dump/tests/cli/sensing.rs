//! What the commands say of sensing.

use crate::common::{Engine, Place};
use wq_trace::{Reaction, SensingInfo};

/// An engine of that tier, with something to say of each kind.
pub fn info(mode: &str) -> SensingInfo {
    SensingInfo {
        mode: mode.into(),
        reason: "the best that works here".into(),
        asked: "auto".into(),
        notes: vec!["CPU quota 50 %: nobody reacts while the group is throttled".into()],
        reaction: Reaction::NoAnswer,
        descriptors: 512,
    }
}

#[test]
fn a_tier_that_falls_is_shown_with_what_limits_it() {
    let place = Place::new();
    let engine = Engine::start(&place, "falls");
    let file = engine.path.to_str().expect("UTF-8");
    for mode in ["canary", "tick"] {
        engine.segment.set_sensing(&info(mode));
        let run = place.run(&["config", "--file", file]);
        let headline = format!("sensing {mode} (the best that works here)\n");
        assert!(run.good().contains(&headline), "{}", run.stdout());
        for line in [
            &format!("sensing={mode} (the best that works here)"),
            "asked=auto",
            "reaction=no answer",
            "descriptors=512",
            "armed=0 of 1 pools",
            "note=CPU quota 50 %: nobody reacts while the group is throttled",
        ] {
            let has = run.stdout().lines().any(|l| l == line);
            assert!(has, "{line}: {}", run.stdout());
        }
        let json = place.run(&["config", "-j", "--file", file]).json();
        assert_eq!(json["sensing"]["mode"], mode);
        assert_eq!(json["sensing"]["reaction"]["state"], "no_answer");
        // A tier of canaries has a table of them, whatever they did.
        let stats = place.run(&["stats", "--file", file]);
        assert_eq!(stats.good().contains("0 of 1"), mode == "canary");
    }
}

/// Whatever stands in the description of sensing: no command panics, and nothing steers the terminal.
#[test]
fn a_hostile_description_of_sensing_is_printed_clean() {
    let place = Place::new();
    let engine = Engine::start(&place, "demo");
    engine.segment.set_sensing(&info("canary"));
    let mut bytes = std::fs::read(&engine.path).expect("the segment");
    let mode = b"canary\0\0";
    // The head has it too, and first.
    let found = bytes.windows(8).rposition(|word| word == mode);
    let slot = found.expect("the description");
    for word in bytes[slot..slot + 212 * 8].chunks_exact_mut(8) {
        word.copy_from_slice(b"\x1b[2J\xff\n\x9b\x07");
    }
    for reaction in 0..5 {
        bytes[slot + 40 * 8] = reaction;
        bytes[slot + 40 * 8 + 1..slot + 41 * 8].fill(0);
        let path = place.path().join("hostile");
        std::fs::write(&path, &bytes).expect("a file");
        for command in ["config", "state", "stats", "events"] {
            for json in [false, true] {
                let mut args = vec![command, "--file", path.to_str().expect("UTF-8")];
                args.extend(json.then_some("-j"));
                let run = place.run(&args);
                let bad = |c: char| c != '\n' && c.is_control();
                assert!(!run.good().contains(bad), "{:?}", run.stdout());
                if command == "config" && !json {
                    assert!(run.stdout().contains("\nnote=_[2J"), "{}", run.stdout());
                }
            }
        }
    }
}
