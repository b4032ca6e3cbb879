//! What the segment tells of sensing, for every tool.

use super::support::{
    a_blocked_worker_is_replaced, allowed, alone, at_rest, child, is_child, normal_pool,
    on_one_cpu, said, snapshot, sums, until_a_canary_decides, with_canaries,
};
use wq_engine::{Engine, Sensing};
use wq_trace::Reaction;

#[test]
fn the_segment_tells_what_was_asked_for_and_what_canaries_did() {
    let _alone = alone();
    let Some(engine) = with_canaries(on_one_cpu("shown")) else {
        return;
    };
    let info = snapshot(&engine).sensing;
    assert_eq!((&*info.mode, &*info.asked), ("canary", "canary"));
    assert_eq!(info.reason, "asked for by the program");
    assert_eq!(info.reaction, Reaction::NotMeasured, "it was not to be");
    assert!(info.descriptors > 0);
    let none = sums(&engine);
    assert_eq!((none.pools, none.armings, none.decisions), (2, 0, 0));
    until_a_canary_decides(&engine, || a_blocked_worker_is_replaced(&engine));
    at_rest(&engine);
    let (sums, pool) = (sums(&engine), normal_pool(&engine));
    assert!(sums.armings > 0 && sums.decisions > 0, "{sums:?}");
    assert!(sums.false_decisions <= sums.decisions, "{sums:?}");
    assert_eq!(sums.armed, 0);
    assert_eq!(sums.armings, pool.canary.armings, "the only pool with work");
    assert!(pool.cm_wakeups >= pool.canary.decisions - pool.canary.false_decisions);
}

#[test]
fn each_way_of_sensing_is_told() {
    let _alone = alone();
    for asked in [Sensing::Tick, Sensing::Hints] {
        let engine = on_one_cpu("told").sensing(asked).build().unwrap();
        if asked == Sensing::Tick {
            a_blocked_worker_is_replaced(&engine);
        }
        let info = snapshot(&engine).sensing;
        let told = (&*info.mode, &*info.asked, &*info.reason);
        assert_eq!(
            told,
            (asked.word(), asked.word(), "asked for by the program")
        );
        assert_eq!(info.reaction, Reaction::NotMeasured);
        let sums = sums(&engine);
        assert_eq!((sums.armings, sums.decisions), (0, 0));
    }
}

const WORDS: &str = "shown::the_environment_is_asked_where_the_program_says_nothing";

#[test]
fn the_environment_is_asked_where_the_program_says_nothing() {
    if is_child(WORDS) {
        let engine = on_one_cpu("words").build().unwrap();
        let info = snapshot(&engine).sensing;
        println!("told={} of {}: {}", info.mode, info.asked, info.reason);
        return;
    }
    let _alone = alone();
    let with = |word: &str| {
        let mut child = child(WORDS);
        let said = said(&child.env("WQ_SENSING", word).output().unwrap());
        let told = said.lines().find_map(|line| line.split("told=").nth(1));
        told.expect("it says so").to_owned()
    };
    for word in ["tick", "hints"] {
        assert_eq!(
            with(word),
            format!("{word} of {word}: asked for by WQ_SENSING")
        );
    }
    let auto = with("auto");
    let canary = with("canary");
    match auto == "canary of auto: the best that works here" {
        true => assert_eq!(canary, "canary of canary: asked for by WQ_SENSING"),
        false => assert!(canary.contains("canary was asked for, but"), "{canary}"),
    }
    for no_word in ["", "Canary", "no-such-word"] {
        assert_eq!(with(no_word), auto, "{no_word:?}");
    }
}

const REACTION: &str = "shown::the_reaction_is_measured_unless_somebody_says_no";

#[test]
fn the_reaction_is_measured_unless_somebody_says_no() {
    if is_child(REACTION) {
        let builder = Engine::builder().name("reaction").cpus([allowed()[0]]);
        let Some(engine) = with_canaries(builder) else {
            return;
        };
        println!("reaction={}", snapshot(&engine).sensing.reaction.text());
        a_blocked_worker_is_replaced(&engine);
        return;
    }
    let _alone = alone();
    let default = said(&child(REACTION).output().unwrap());
    if default.contains("skipped: ") {
        print!("{default}");
        return;
    }
    // On a machine that has no time there may be no answer.
    let measured = default.contains(" p50, ") || default.contains("reaction=no answer\n");
    assert!(measured, "{default}");
    let off = child(REACTION).env("WQ_SELF_TEST", "0").output();
    let off = said(&off.unwrap());
    assert!(off.contains("reaction=not measured\n"), "{off}");
    let on = child(REACTION).env("WQ_SELF_TEST", "1").output();
    assert!(!said(&on.unwrap()).contains("reaction=not measured\n"));
}
