//! Disabling and enabling.

use super::support::{Count, Held, NEVER, engine, listen, said, steps};
use std::time::Duration;
use wq_engine::{BUSY_RUNNING, DelayedWork, Work};
use wq_trace::{Was, What};

#[test]
fn s2_4_disable_work_refuses_every_queueing_until_enabled_as_often() {
    let engine = engine("disable");
    let ran = Count::default();
    let work = ran.work();
    assert!(engine.schedule_work(&work));
    work.flush();
    assert!(!work.disable(), "it was idle");
    assert!(!work.disable());
    for _ in 0..3 {
        assert!(!engine.schedule_work(&work));
    }
    assert!(!work.enable(), "one is left");
    assert!(!engine.schedule_work(&work));
    assert!(work.enable());
    assert_eq!(ran.get(), 1, "refused requests are lost");
    assert!(engine.schedule_work(&work));
    work.flush();
    let depths: Vec<What> = steps(&engine, "count")
        .into_iter()
        .filter(|what| matches!(what, What::DisableWork { .. } | What::EnableWork { .. }))
        .collect();
    let expected = [
        What::DisableWork { depth: 1 },
        What::DisableWork { depth: 2 },
        What::EnableWork { depth: 1 },
        What::EnableWork { depth: 0 },
    ];
    assert_eq!(depths, expected);
}

#[test]
fn s2_4_disable_work_cancels_a_pending_instance_and_leaves_a_running_one() {
    let engine = engine("disable-pending");
    let held = Held::on(engine.system_wq());
    assert!(engine.schedule_work(&held.work));
    assert!(held.work.disable(), "it was pending");
    assert_eq!(held.work.busy(), BUSY_RUNNING);
    held.let_go();
    held.work.flush();
    assert_eq!(held.work.busy(), 0);
    let cancelled = What::CancelWork { was: Was::Pending };
    assert!(steps(&engine, "held").contains(&cancelled));
    assert!(held.work.enable());
}

#[test]
fn s2_4_disable_work_sync_waits_for_the_execution() {
    let engine = engine("disable-sync");
    let held = Held::on(engine.system_wq());
    let waits = std::thread::spawn({
        let work = held.work.clone();
        move || (work.disable_sync(), work.busy())
    });
    let flushing = |what: &What| matches!(what, What::FlushStart { .. });
    super::support::until(|| steps(&engine, "held").iter().any(flushing));
    assert!(!engine.schedule_work(&held.work));
    held.let_go();
    assert_eq!(waits.join().unwrap(), (false, 0));
    assert!(!engine.schedule_work(&held.work), "it stays disabled");
    assert!(held.work.enable());
}

#[test]
fn s2_4_enable_work_unbalanced_steals_a_pending_instance() {
    let engine = engine("unbalanced");
    let held = Held::on(engine.system_wq());
    let ran = Count::default();
    let (work, later) = (ran.work(), ran.delayed());
    assert!(engine.schedule_work(&work));
    assert!(work.enable(), "the depth is 0");
    assert!(!work.pending());
    assert!(engine.schedule_delayed_work(&later, NEVER));
    assert!(later.enable());
    assert!(!later.pending());
    held.let_go();
    engine.system_wq().flush();
    assert_eq!(ran.get(), 0);
    assert!(engine.schedule_work(&work), "the depth stayed 0");
    work.flush();
    assert_eq!(said("work disable count underflowed"), 1);
}

#[test]
fn s2_4_disable_delayed_work_stops_the_timer() {
    let engine = engine("disable-delayed");
    let work = DelayedWork::named("disabled", |_| panic!("it is disabled"));
    assert!(engine.schedule_delayed_work(&work, NEVER));
    assert!(work.disable());
    assert!(work.expires().is_none() && !work.pending());
    for delay in [Duration::ZERO, NEVER] {
        assert!(!engine.schedule_delayed_work(&work, delay));
    }
    assert!(!work.disable_sync());
    assert!(!work.enable());
    assert!(work.enable());
    assert!(engine.schedule_delayed_work(&work, NEVER));
    assert!(work.cancel());
}

#[test]
fn s5_6_the_depth_stops_at_65535() {
    listen();
    let work = Work::named("deep", |_| {});
    for _ in 0..65_535 + 10 {
        assert!(!work.disable());
    }
    assert_eq!(said("work disable count overflowed"), 1);
    for _ in 0..65_534 {
        assert!(!work.enable());
    }
    assert!(work.enable(), "it was 65535");
}

/// A cancel that waits uses the depth and gives it back, at its ceiling too.
#[test]
fn s5_6_a_cancel_leaves_the_depth_as_it_was() {
    listen();
    let work = Work::named("deep", |_| {});
    assert!(!work.disable() && !work.cancel_sync() && !work.cancel());
    assert!(work.enable(), "it was 1");
    for _ in 0..65_535 {
        work.disable();
    }
    assert!(!work.cancel_sync());
    for _ in 0..65_534 {
        assert!(!work.enable());
    }
    assert!(work.enable());
}
