//! The monitor with an engine of its own, without a terminal.

use crate::place::{Place, finished, own_script};

#[test]
fn a_replay_inside_it_ends_by_itself() {
    let place = Place::new();
    let script = own_script("small.toml");
    let args = ["--replay", &script, "--json", "-i", "0.1"];
    let Some(mut monitor) = place.tool("wq-monitor", &args) else {
        return;
    };
    let run = finished(&mut monitor);
    run.good();
    let lines = run.json_lines();
    let stamp = &lines.last().expect("rounds")["timestamp"];
    let last: Vec<_> = lines.iter().filter(|l| l["timestamp"] == *stamp).collect();
    for (name, completed) in [("left", 5), ("right", 3)] {
        let row = last.iter().find(|row| row["name"] == name);
        let row = row.expect("it is in the last round");
        for key in ["queued", "started", "completed"] {
            assert_eq!(row[key], completed, "{key}: {row}");
        }
        for key in ["pending", "inactive", "running"] {
            assert_eq!(row[key], 0, "{key}: {row}");
        }
    }
}

#[test]
fn a_wrong_script_is_refused_with_its_place() {
    let place = Place::new();
    let script = place.script("name = \"x\"\nsede = 1\n");
    let Some(mut monitor) = place.tool("wq-monitor", &["--replay", &script, "--json"]) else {
        return;
    };
    let run = finished(&mut monitor);
    let said = format!("{script}:2:1: unknown key `sede`");
    assert!(run.bad(2).contains(&said), "{run:?}");
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let place = Place::new();
    let Some(mut monitor) = place.tool("wq-monitor", &[]) else {
        return;
    };
    let run = finished(&mut monitor);
    let said = run.bad(2);
    assert!(
        said.contains("not a terminal") && said.contains("--json"),
        "{said}"
    );
}
