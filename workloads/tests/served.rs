//! What the simulator or threads cannot do yet is refused by name, before anything starts.

use std::path::Path;
use wq_engine::sim::{Host, not_served};
use wq_replay::exec::{Replay, ReplaySettings, SimulateSettings, simulate};
use wq_replay::{Script, parse};

fn script(text: &str) -> Script {
    parse(text, Path::new("s.toml"), None).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A script that asks for every part that any host lacks, as far as they go together.
const MUCH: &str = r#"
topology = "1n1l1c2t"
[engine]
idle_timeout = "1s"
watchdog_thresh = "1s"
power_efficient = false
default_affinity_scope = "cache"
[[workqueue]]
name = "wide"
flags = ["unbound", "freezable", "mem_reclaim", "sysfs", "power_efficient"]
affinity = { scope = "cache" }
[[workqueue]]
name = "soft"
flags = ["bh"]
[[work]]
name = "w0"
workqueue = "wide"
[[work]]
name = "w1"
workqueue = "events_bh_highpri"
[[producer]]
name = "p0"
steps = ["mod_delayed w0 1ms", "queue_rcu w1", "disable w0", "enable w0", "freeze", "thaw", "drain wide",
         "set_max_active wide 2", "fail_create off", "cpu_down 1", "cpu_up 1"]
"#;

#[test]
fn a_refusal_names_all_that_is_missing() {
    let script = script(MUCH);
    let program = &script.program;
    let missing = not_served(program, Host::Simulator);
    if !missing.is_empty() {
        let refused = simulate(&script, SimulateSettings::default(), None);
        let message = refused.expect_err("is refused").to_string();
        let wanted = format!("the simulator cannot do this yet: {}", missing.join(", "));
        assert!(message.ends_with(&wanted), "{message}");
    }
    let missing = not_served(program, Host::Threads);
    if !missing.is_empty() {
        let refused = Replay::start(&script, ReplaySettings::default());
        assert_eq!(
            refused.expect_err("is refused").to_string(),
            format!(
                "this script cannot run on threads yet: {}",
                missing.join(", ")
            )
        );
    }
}
