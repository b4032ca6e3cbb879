//! Who chooses how blocking is noticed: the flag, else the script, else the environment; and what the tools say of it.

use crate::place::{Place, finished, own_script, text_of};
use serde_json::Value;

/// Replays with these arguments and this environment; gives the tier that was in force, and what `wq-dump config` says.
fn replayed(script: &str, flag: Option<&str>, env: Option<&str>) -> (String, Option<Value>) {
    let place = Place::new();
    let script = match script {
        "" => own_script("small.toml"),
        text => place.script(text),
    };
    let mut args = vec!["run", &script, "--report", "json"];
    args.extend(flag.iter().flat_map(|mode| ["--sensing", mode]));
    let mut command = place.replay(&args);
    command.env_remove("WQ_SENSING").env("WQ_SELF_TEST", "0");
    command.envs(env.map(|mode| ("WQ_SENSING", mode)));
    let run = finished(&mut command);
    assert_eq!(run.code(), 0, "{run:?}");
    let tier = run.json()["sensing"].as_str().expect("a word").to_owned();
    let segment = text_of(&place.segment());
    let dump = place.tool("wq-dump", &["config", "-j", "--file", &segment]);
    let told = dump.map(|mut dump| finished(&mut dump).json()["sensing"].clone());
    if let Some(told) = &told {
        assert_eq!(told["mode"], tier.as_str(), "{told}");
        let reaction = &told["reaction"];
        assert_eq!(reaction["state"], "not_measured", "{told}");
        assert!(reaction["p50_ns"].is_null(), "{told}");
    }
    (tier, told)
}

const TICK: &str = r#"
    name = "by the script"
    cpus = 1
    [engine]
    sensing = "tick"
    [[work]]
    name = "w"
    workqueue = "events"
    [[producer]]
    name = "p"
    works = ["w"]
"#;

#[test]
fn the_flag_goes_before_the_script_and_the_script_before_the_environment() {
    for (script, flag, env, asked) in [
        ("", Some("hints"), None, "hints"),
        ("", None, Some("hints"), "hints"),
        (TICK, None, Some("hints"), "tick"),
        (TICK, Some("hints"), Some("canary"), "hints"),
        ("", Some("auto"), Some("hints"), "auto"),
        ("", None, None, "auto"),
    ] {
        let (tier, told) = replayed(script, flag, env);
        // What the system does not have falls to the next; hints always work.
        if asked == "hints" {
            assert_eq!(tier, "hints");
        }
        if let Some(told) = told {
            assert_eq!(told["asked"], asked, "{told}");
        }
    }
}

#[test]
fn a_canary_can_be_asked_for() {
    let canary = TICK.replace("\"tick\"", "\"canary\"");
    for (script, flag) in [("", Some("canary")), (&canary, None)] {
        let (tier, told) = replayed(script, flag, None);
        assert!(["canary", "tick", "hints"].contains(&&*tier), "{tier}");
        if let Some(told) = told {
            assert_eq!(told["asked"], "canary", "{told}");
            let reason = told["reason"].as_str().expect("a sentence");
            let fell = reason.starts_with("canary was asked for, but");
            assert_eq!(fell, tier != "canary", "{told}");
        }
    }
}
