//! A simulated script, exported: the same bytes each time.

#[path = "../../engine/trace/src/export/decode.rs"]
mod decode;

use std::path::Path;
use std::sync::atomic::AtomicBool;
use wq_engine::sim;
use wq_replay::load;
use wq_trace::Event;
use wq_trace::export::{Exporter, Format, Options, Summary};

/// The kernel's own example: of three items, two run at a time, and each sleeps.
const SCRIPT: &str = "scripts/kernel-doc-max-active-2.toml";

/// Simulates the script and exports its events.
fn export(format: Format) -> (Vec<u8>, Summary) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT);
    let script = load(path).unwrap_or_else(|errors| panic!("{errors}"));
    let mut events = Vec::new();
    let mut observer = |event: &Event| events.push(*event);
    let stop = AtomicBool::new(false);
    let outcome = sim::simulate(&script.program, &stop, &mut observer).expect("it ends");
    let options = Options {
        complete: true,
        counters: true,
        ..Options::default()
    };
    let mut snapshot = outcome.snapshot;
    // The process, unlike all else, is not the simulator's.
    (snapshot.meta.pid, snapshot.meta.exe) = (4711, "/usr/bin/simulated".to_owned());
    snapshot.meta.started_wall = 0;
    let mut out = Vec::new();
    let wanted = Box::new(|_: &Event, _: &_| true);
    let mut exporter =
        Exporter::new(format, &mut out, &snapshot, wanted, options).expect("it writes");
    for event in &events {
        exporter.event(event).expect("it writes");
    }
    let summary = exporter.finish(&snapshot).expect("it writes");
    (out, summary)
}

#[test]
fn the_simulators_events_as_ftrace_text() {
    let (out, summary) = export(Format::Ftrace);
    assert_eq!(summary.lost, 0);
    insta::assert_snapshot!(String::from_utf8(out).expect("text"));
}

#[test]
fn the_simulators_events_as_a_perfetto_trace() {
    let (out, summary) = export(Format::Perfetto);
    assert_eq!((summary.executions, summary.waits), (3, 3));
    assert_eq!(export(Format::Perfetto).0, out, "the same bytes each time");
    let file = decode::fields(&out).expect("packets");
    let packets: Vec<_> = file
        .iter()
        .map(|(_, packet)| decode::show(packet.bytes()))
        .collect();
    insta::assert_snapshot!(packets.join("\n"));
}
