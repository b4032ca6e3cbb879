//! Draining, from producers and from work functions.

use crate::script::{Run, Script, burn, item, ms, sleep, wait};
use wq_engine::WqFlags;
use wq_engine::sim::{End, Step, WqRef};
use wq_trace::{Counter, Drop, What};

fn dropped(run: &Run) -> Vec<u64> {
    let reason = Drop::Draining;
    run.times(|what| *what == What::DropWork { reason })
}

fn flushed(run: &Run) -> Vec<u64> {
    run.times(|what| matches!(what, What::FlushEnd { .. }))
}

#[test]
fn a_drain_lets_chained_items_in_and_no_others() {
    let mut script = Script::on(1);
    let (q, other) = (script.bound(), script.bound());
    let last = script.work(&q, &[sleep(3)]);
    let middle = script.work(&q, &[sleep(3), Step::Queue(item(last))]);
    let first = script.work(&q, &[sleep(4), Step::Queue(item(middle))]);
    let late = script.work(&q, &[burn(1)]);
    let foreign = script.work(&other, &[Step::Queue(item(late))]);
    let marker = script.work(&other, &[]);
    script.queue_at(0, &[first]);
    script.steps_at(
        1,
        &[
            Step::Drain(q),
            Step::Queue(item(marker)),
            Step::Queue(item(late)),
        ],
    );
    // From outside, and by an item of another workqueue.
    script.queue_at(2, &[late, foreign]);
    let run = script.run();
    assert_eq!(run.spans("w2"), [(0, 4)]);
    assert_eq!(run.spans("w1"), [(4, 7)]);
    assert_eq!(run.spans("w0"), [(7, 10)]);
    assert_eq!(dropped(&run), [2, 2]);
    assert_eq!(
        flushed(&run),
        [4, 7, 10],
        "a round for each link of the chain"
    );
    assert_eq!(run.queued("w5"), [10]);
    // Once it is over, everything is let in.
    assert_eq!(run.spans("w3"), [(10, 11)]);
}

#[test]
fn a_timer_that_fires_during_a_drain_is_dropped() {
    let mut script = Script::on(1);
    let q = script.bound();
    let delayed = script.work(&q, &[burn(1)]);
    let armer = script.work(&q, &[Step::QueueDelayed(item(delayed), ms(3)), sleep(8)]);
    script.queue_at(0, &[armer]);
    script.steps_at(
        1,
        &[
            Step::Drain(q),
            // Idle again, it can be queued.
            Step::Queue(item(delayed)),
        ],
    );
    let run = script.run();
    assert_eq!(dropped(&run), [3]);
    assert_eq!(run.spans("w0"), [(8, 9)]);
    assert_eq!(run.outcome.items[0].refused, 0, "the callers saw true");
}

#[test]
fn the_last_of_several_drains_opens_the_workqueue() {
    let mut script = Script::on(1);
    let q = script.wq(WqFlags::UNBOUND, 1);
    let late = script.work(&q, &[]);
    let [short, long] = [3, 5].map(|n| script.work(&q, &[sleep(n)]));
    script.queue_at(0, &[short, long]);
    script.steps_at(1, &[Step::Drain(q.clone())]);
    script.steps_at(2, &[Step::Drain(q)]);
    script.steps_at(
        3,
        &[Step::Queue(item(late)), wait(6), Step::Queue(item(late))],
    );
    let run = script.run();
    assert_eq!(dropped(&run), [3]);
    assert_eq!(flushed(&run), [8, 8]);
    assert_eq!(run.queued("w0"), [9]);
    let queued = run.outcome.snapshot.pwqs.iter();
    assert_eq!(
        queued
            .map(|pwq| pwq.counters[Counter::Queued as usize])
            .sum::<u64>(),
        3
    );
}

#[test]
fn a_work_function_drains_another_workqueue_and_sleeps_meanwhile() {
    let mut script = Script::on(1);
    let (q, drained) = (script.bound(), script.bound());
    let once = script.work(&drained, &[burn(2)]);
    let drainer = script.work(&q, &[Step::Drain(drained.clone()), burn(1)]);
    script.queue_at(0, &[once, drainer]);
    let run = script.run();
    assert_eq!(run.spans("w0"), [(0, 2)]);
    assert_eq!(run.spans("w1"), [(2, 3)]);
}

#[test]
fn a_work_function_that_drains_its_own_workqueue_is_stuck() {
    let mut script = Script::on(1);
    let q = script.bound();
    let own = script.work(&q, &[Step::Drain(WqRef::Own(0))]);
    script.queue_at(0, &[own]);
    let run = script.try_run().unwrap();
    assert_eq!(run.outcome.end, End::Stuck(vec!["kworker/0:0".into()]));
}
