//! What a tool tells of a live engine's sensing, and what it did.

use crate::place::{Place, Running, eventually, finished, number};
use serde_json::Value;
use std::process::Stdio;

/// Items that sleep unannounced, with others behind them, until somebody ends it.
const SCRIPT: &str = r#"
name = "sleepers"
cpus = 1

[[work]]
name = "sleeps"
workqueue = "events"
body = ["burn 50us", "sleep 2ms", "requeue"]
instances = 4

[[producer]]
name = "starter"
works = ["sleeps"]
count = 4

[[producer]]
name = "goes_on"
works = ["sleeps"]
every = "100ms"
for = "10000s"
"#;

fn start(place: &Place, sensing: &str) -> Running {
    let script = place.script(SCRIPT);
    let mut replay = place.replay(&["run", &script, "--sensing", sensing]);
    Running::start(replay.env_remove("WQ_SELF_TEST").stdout(Stdio::null()))
}

/// What `wq-dump config` tells of sensing; none while there is no engine yet.
fn sensing(place: &Place, pid: &str) -> Option<Value> {
    let mut dump = place.tool("wq-dump", &["config", "--json", "--pid", pid])?;
    let run = finished(&mut dump);
    run.status
        .success()
        .then(|| run.json()["sensing"].clone())
        .filter(|sensing| !sensing["mode"].as_str().unwrap_or_default().is_empty())
}

#[test]
fn the_way_of_sensing_and_what_it_did_are_shown_while_the_engine_runs() {
    let place = Place::new();
    if place.tool("wq-dump", &[]).is_none() {
        return;
    }
    let replay = start(&place, "canary");
    let pid = replay.pid();
    let told = eventually("the engine is there", || sensing(&place, &pid));
    assert_eq!(told["asked"], "canary", "{told}");
    if told["mode"] != "canary" {
        eprintln!("skipped: {}", told["reason"]);
        return;
    }
    assert_eq!(told["reason"], "asked for by the program");
    let told = eventually("a canary has decided", || {
        let told = sensing(&place, &pid)?;
        (number(&told, "decisions") > 0).then_some(told)
    });
    assert!(number(&told, "armings") > 0, "{told}");
    assert!(number(&told, "false_decisions") <= number(&told, "decisions"));
    assert_eq!(number(&told, "pools"), 2);
    assert_eq!(number(&told, "unwatched"), 0);
    // On a machine that has no time there may be no answer.
    let state = told["reaction"]["state"].as_str();
    assert!(matches!(state, Some("measured" | "no_answer")), "{told}");
    let text = place.tool("wq-dump", &["config", "--pid", &pid]);
    let text = finished(&mut text.expect("it is there"));
    for line in [
        "sensing=canary (asked for by the program)\n",
        "asked=canary\n",
        "reaction=",
        "armings=",
        "decisions=",
        "false_decisions=",
    ] {
        assert!(text.good().contains(line), "{line}: {text:?}");
    }
    let stats = place.tool("wq-dump", &["stats", "--pid", &pid]);
    let stats = finished(&mut stats.expect("it is there"));
    assert!(
        stats
            .good()
            .contains("  armings  decided  false  unwatched\n"),
        "{stats:?}"
    );
}

#[test]
fn without_canaries_none_are_counted() {
    let place = Place::new();
    if place.tool("wq-dump", &[]).is_none() {
        return;
    }
    for word in ["tick", "hints"] {
        let replay = start(&place, word);
        let pid = replay.pid();
        let told = eventually("the engine is there", || sensing(&place, &pid));
        assert_eq!(
            (&told["mode"], &told["asked"]),
            (&word.into(), &word.into())
        );
        assert_eq!(told["reaction"]["state"], "not_measured", "{told}");
        for key in ["armed", "armings", "decisions", "false_decisions"] {
            assert_eq!(number(&told, key), 0, "{key}: {told}");
        }
    }
}
