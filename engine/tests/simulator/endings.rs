//! How a simulation ends: stuck, without a pause, interrupted; and that it is the same every time.

use crate::script::{Script, burn, item, ms, sleep};
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use wq_engine::WqFlags;
use wq_engine::sim::{Draw, End, Pace, SimError, Step, WqRef, simulate};
use wq_trace::Event;

#[test]
fn an_item_that_flushes_itself_is_stuck() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[burn(2), Step::Flush(item(0)), burn(1)]);
    let other = script.work(&q, &[burn(1)]);
    script.queue_at(0, &[w, other]);
    let run = script.try_run().unwrap();
    assert_eq!(run.outcome.end, End::Stuck(vec!["kworker/0:0".into()]));
    // Everybody else went on.
    assert_eq!(run.spans("w1"), [(2, 3)]);
    let stuck = &run.outcome.items[0];
    assert_eq!((stuck.started, stuck.completed), (1, 0));
    assert_eq!(stuck.executions[0].finished_ns, None);
    assert_eq!(run.outcome.duration_ns, 3_000_000);
}

#[test]
fn items_that_flush_each_other_are_stuck_with_all_who_wait_for_them() {
    let mut script = Script::on(1);
    let q = script.bound();
    let [a, b] = [1, 0].map(|other| script.work(&q, &[burn(1), Step::Flush(item(other))]));
    script.queue_at(0, &[a, b]);
    script.steps_at(1, &[Step::FlushWq(q.clone())]);
    let run = script.try_run().unwrap();
    let End::Stuck(mut names) = run.outcome.end else {
        panic!("{:?}", run.outcome.end);
    };
    names.sort();
    assert_eq!(names, ["kworker/0:0", "kworker/0:1", "p1"]);
}

#[test]
fn who_waits_for_a_stuck_item_in_an_ordered_workqueue_is_named() {
    let mut script = Script::on(1);
    let q = script.wq(WqFlags::ORDERED, 0);
    // The classic: an item of an ordered workqueue waits for a later one of it.
    let [first, second] = [0, 1].map(|_| script.work(&q, &[Step::Flush(item(1))]));
    script.queue_at(0, &[first, second]);
    let run = script.try_run().unwrap();
    assert_eq!(run.outcome.end, End::Stuck(vec!["kworker/u4:0".into()]));
    assert_eq!(run.outcome.items[1].started, 0);
}

#[test]
fn a_producer_without_a_pause_or_a_count_is_refused() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[burn(1)]);
    script.queue_at(0, &[w]);
    script.0.producers[0].count = None;
    let refused =
        |script: &Script| matches!(script.try_run(), Err(SimError::NoPause(p)) if p == "p0");
    assert!(refused(&script));
    // A time limit does not help where time stands still.
    script.0.producers[0].duration = Some(Duration::from_secs(1));
    assert!(refused(&script));
    script.0.producers[0].pace = Pace::Every(ms(100));
    assert_eq!(script.run().outcome.items[0].completed, 10);
}

#[test]
fn an_unknown_system_workqueue_is_refused() {
    let mut script = Script::on(1);
    let w = script.work(&WqRef::System("evnets".into()), &[burn(1)]);
    script.queue_at(0, &[w]);
    let refused = |script: &Script, name| matches!(script.try_run(), Err(SimError::UnknownWorkqueue(n)) if n == name);
    assert!(refused(&script, "evnets"));
    let mut script = Script::on(1);
    script.steps_at(0, &[Step::FlushWq(WqRef::System("q0".into()))]);
    assert!(refused(&script, "q0"));
}

#[test]
fn it_stops_when_told() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[sleep(1), Step::Requeue]);
    script.queue_at(0, &[w]);
    let stop = AtomicBool::new(false);
    let mut seen = 0;
    let outcome = simulate(&script.0, &stop, &mut |_| {
        seen += 1;
        stop.store(seen > 1000, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(outcome.unwrap().end, End::Interrupted);
}

/// Every kind of draw, on two CPUs.
fn drawn(seed: u64) -> Vec<Event> {
    let mut script = Script::on(2);
    script.0.seed = seed;
    let q = script.wq(WqFlags::PERCPU, 2);
    let u = script.wq(WqFlags::UNBOUND, 0);
    let mean = Duration::from_millis(2);
    let body = [
        Step::Burn(Draw::Exp(mean)),
        Step::Sleep(Draw::Uniform(mean, 4 * mean)),
    ];
    let a = script.works(&q, 3, &body);
    let b = script.work(&u, &[Step::Burn(Draw::LogNormal(mean, 1.0)), Step::Yield]);
    script.queue_at(0, &[a, b]);
    script.0.producers[0].pace = Pace::Poisson(500.0);
    script.0.producers[0].count = Some(50);
    script.run().events
}

#[test]
fn one_seed_gives_one_course_of_events() {
    let first = drawn(7);
    assert!(first.len() > 150, "{}", first.len());
    assert_eq!(first, drawn(7));
    assert_ne!(first, drawn(8));
}

#[test]
fn the_seed_changes_draws_only() {
    let events = |seed| {
        let mut script = Script::on(2);
        script.0.seed = seed;
        let q = script.bound();
        let w = script.works(&q, 3, &[burn(1), sleep(2)]);
        script.queue_at(0, &[w, w, w]);
        script.run().events
    };
    assert_eq!(events(1), events(2));
}

#[test]
fn a_poisson_producer_keeps_its_rate() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.works(&q, 100, &[]);
    script.queue_at(0, &[w]);
    let producer = &mut script.0.producers[0];
    (producer.pace, producer.count) = (Pace::Poisson(1000.0), None);
    producer.duration = Some(Duration::from_secs(10));
    let started: u64 = script
        .run()
        .outcome
        .items
        .iter()
        .map(|item| item.started)
        .sum();
    // 10,000 expected, standard deviation 100; the seed is fixed.
    assert!((9_500..10_500).contains(&started), "{started}");
}
