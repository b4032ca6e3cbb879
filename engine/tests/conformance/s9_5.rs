//! Semantics 9.5: a pool with waiting items that starts none of them is reported.

use crate::script::{Run, Script, burn, sleep};
use std::time::Duration;
use wq_engine::WqFlags;
use wq_engine::sim::Step;
use wq_trace::What;

const S: u64 = 1000;

/// (when, for how long), in seconds, of every stall.
fn stalls(run: &Run) -> Vec<(u64, u64)> {
    let found = run.events.iter().filter_map(|event| match event.what {
        What::Stall { seconds } => Some((event.at / 1_000_000_000, seconds)),
        _ => None,
    });
    found.collect()
}

/// A program whose hogs keep everybody from starting.
fn script() -> Script {
    let mut script = Script::on(1);
    script.0.engine.cpu_intensive_thresh = Some(Duration::ZERO);
    script
}

#[test]
fn s9_5_a_stall_is_reported_once_per_threshold() {
    let mut script = script();
    let q = script.bound();
    let [a, b] = [100, 1].map(|n| script.work(&q, &[burn(n * S)]));
    script.queue_at(0, &[a]);
    script.queue_at(5 * S, &[b]);
    let run = script.run();
    // The last progress was b's arrival on the empty worklist.
    assert_eq!(stalls(&run), [(35, 30), (65, 60), (95, 90)]);
    let (at, text) = run.reports()[0];
    assert_eq!(at, 35 * S);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 30s!",
            "Showing busy workqueues and worker pools:",
            "workqueue q0: flags=0x100",
            "  pwq 2: cpus=0 node=0 flags=0x0 nice=0 active=2 refcnt=3",
            "    in-flight: 1001:w0 for 35s",
            "    pending: w1",
            "pool 2: cpus=0 node=0 flags=0x0 nice=0 hung=30s workers=2 idle: 1006",
        ]
    );
}

#[test]
fn s9_5_a_pool_that_keeps_starting_items_is_fine() {
    let mut script = script();
    let q = script.bound();
    let a = script.works(&q, 6, &[burn(29 * S)]);
    script.queue_at(0, &[a; 6]);
    assert_eq!(stalls(&script.run()), []);
}

#[test]
fn s9_5_progress_at_the_very_instant_counts() {
    let mut script = script();
    let q = script.bound();
    let a = script.works(&q, 3, &[burn(30 * S)]);
    script.queue_at(0, &[a; 3]);
    assert_eq!(stalls(&script.run()), []);
}

#[test]
fn s9_5_a_stuck_worker_with_an_empty_worklist_is_never_reported() {
    let mut script = script();
    let q = script.bound();
    let a = script.work(&q, &[sleep(500 * S)]);
    script.queue_at(0, &[a]);
    assert_eq!(stalls(&script.run()), []);
}

#[test]
fn s9_5_held_items_are_no_stall() {
    let mut script = script();
    let q = script.wq(WqFlags::PERCPU, 1);
    let [a, b] = [0; 2].map(|_| script.work(&q, &[sleep(100 * S)]));
    script.queue_at(0, &[a, b]);
    assert_eq!(stalls(&script.run()), []);
}

#[test]
fn s9_5_an_activation_onto_an_empty_worklist_is_progress() {
    let mut script = script();
    let (narrow, other) = (script.wq(WqFlags::PERCPU, 1), script.bound());
    let a = script.work(&narrow, &[sleep(10 * S), Step::Yield]);
    let b = script.work(&narrow, &[burn(S)]);
    let hog = script.work(&other, &[sleep(S), burn(60 * S)]);
    script.queue_at(0, &[a, b]);
    script.queue_at(0, &[hog]);
    let run = script.run();
    // a can return, and with it b becomes active, when the hog is done; then b starts at once.
    assert_eq!(run.spans("w1"), [(61 * S, 62 * S)]);
    assert_eq!(stalls(&run), []);
}

#[test]
fn s9_5_the_threshold_can_be_set_and_zero_is_off() {
    for (thresh, found) in [(2, vec![(2, 2), (4, 4), (6, 6)]), (0, vec![])] {
        let mut script = script();
        script.0.engine.watchdog_thresh = Some(Duration::from_secs(thresh));
        let q = script.bound();
        let [a, b] = [7, 1].map(|n| script.work(&q, &[burn(n * S)]));
        script.queue_at(0, &[a, b]);
        assert_eq!(stalls(&script.run()), found, "{thresh} s");
    }
}

#[test]
fn s9_5_unbound_and_bh_pools_are_watched_too() {
    let mut script = script();
    let wide = script.wq(WqFlags::UNBOUND, 0);
    let soft = script.wq(WqFlags::BH, 0);
    let [a, b] = [0; 2].map(|_| script.work(&soft, &[burn(50 * S)]));
    let c = script.work(&wide, &[burn(S)]);
    script.queue_at(0, &[a, b]);
    script.queue_at(S, &[c]);
    let run = script.run();
    // The BH worker gives way when its first item is over: c runs from 50 s on.
    assert_eq!(run.spans("w2"), [(50 * S, 51 * S)]);
    assert_eq!(stalls(&run), [(30, 30), (31, 30)]);
    let texts: Vec<_> = run
        .reports()
        .iter()
        .map(|(_, text)| text.lines().next().unwrap())
        .collect();
    assert_eq!(
        texts,
        [
            "BUG: workqueue lockup - pool cpus=0 node=0 flags=0x5 bh stuck for 30s!",
            "BUG: workqueue lockup - pool cpus=0 node=0 flags=0x4 nice=0 stuck for 30s!",
        ]
    );
}
