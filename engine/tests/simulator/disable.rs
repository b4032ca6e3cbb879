//! Steps that take pending items away: `mod_delayed`, `disable`, `enable`; and `queue_rcu`.

use crate::script::{Run, Script, burn, item, ms, sleep, wait};
use wq_engine::WqFlags;
use wq_engine::sim::{ItemRef, Step};
use wq_trace::{Was, What, WqCounter};

fn refused(run: &Run, counter: WqCounter) -> u64 {
    let rows = run.outcome.snapshot.workqueues.iter();
    rows.map(|wq| wq.counters[counter as usize]).sum()
}

/// What was told of disabling and enabling, each with the time and the depth after it.
fn depths(run: &Run) -> Vec<(u64, bool, u32)> {
    let told = run.events.iter().filter_map(|e| match e.what {
        What::DisableWork { depth } => Some((e.at / 1_000_000, false, depth)),
        What::EnableWork { depth } => Some((e.at / 1_000_000, true, depth)),
        _ => None,
    });
    told.collect()
}

fn cancelled(run: &Run) -> Vec<Was> {
    let was = run.events.iter().filter_map(|e| match e.what {
        What::CancelWork { was } => Some(was),
        _ => None,
    });
    was.collect()
}

/// An ordered workqueue with a work that is busy for 10 ms, and another one behind it.
fn behind_a_busy_one() -> (Script, usize, usize) {
    let mut script = Script::on(1);
    let q = script.wq(WqFlags::ORDERED, 0);
    let busy = script.work(&q, &[burn(10)]);
    let behind = script.work(&q, &[burn(1)]);
    (script, busy, behind)
}

#[test]
fn s2_3_mod_delayed_work_moves_a_timer_both_ways() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[burn(1)]);
    script.steps_at(
        0,
        &[
            Step::QueueDelayed(item(w), ms(5)),
            Step::ModDelayed(item(w), ms(20)),
            wait(30),
            Step::QueueDelayed(item(w), ms(50)),
            Step::ModDelayed(item(w), ms(2)),
        ],
    );
    let run = script.run();
    assert_eq!(run.queued("w0"), [20, 32]);
    assert_eq!(run.outcome.items[0].refused, 0);
    assert_eq!(run.times(|w| matches!(w, What::TimerArm { .. })).len(), 4);
}

#[test]
fn s2_3_mod_delayed_work_of_an_idle_item_queues_it() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[burn(1)]);
    script.steps_at(3, &[Step::ModDelayed(item(w), ms(4))]);
    let run = script.run();
    assert_eq!(run.spans("w0"), [(7, 8)]);
    assert_eq!(cancelled(&run), []);
}

#[test]
fn s2_3_mod_delayed_work_without_delay_queues_now_whatever_the_state() {
    let (mut script, busy, behind) = behind_a_busy_one();
    let last = script.work(&wq_engine::sim::WqRef::Own(0), &[burn(1)]);
    script.steps_at(
        0,
        &[
            Step::Queue(item(busy)),
            Step::Queue(item(behind)),
            Step::Queue(item(last)),
            wait(2),
            // From the inactive list to its end: behind the other one.
            Step::ModDelayed(item(behind), ms(0)),
            wait(2),
            Step::QueueDelayed(item(busy), ms(1000)),
            Step::ModDelayed(item(busy), ms(0)),
        ],
    );
    let run = script.run();
    assert_eq!(run.spans("w0"), [(0, 10), (12, 22)]);
    assert_eq!(run.spans("w1"), [(11, 12)]);
    assert_eq!(run.spans("w2"), [(10, 11)]);
    assert_eq!(cancelled(&run), [Was::Inactive, Was::Timer]);
}

#[test]
fn s2_3_mod_delayed_work_of_a_disabled_item_queues_nothing() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[burn(1)]);
    script.steps_at(
        0,
        &[
            Step::Disable(item(w)),
            Step::ModDelayed(item(w), ms(1)),
            Step::ModDelayed(item(w), ms(0)),
            Step::Enable(item(w)),
        ],
    );
    let run = script.run();
    assert_eq!(run.spans("w0"), []);
    assert_eq!(run.outcome.items[0].refused, 2);
    assert_eq!(refused(&run, WqCounter::RefusedDisabled), 2);
    assert_eq!(run.times(|w| matches!(w, What::TimerArm { .. })), []);
}

#[test]
fn s2_4_disable_work_takes_a_pending_item_from_wherever_it_is() {
    let (mut script, busy, behind) = behind_a_busy_one();
    let q = script.bound();
    let timed = script.work(&q, &[burn(1)]);
    script.steps_at(
        0,
        &[
            Step::QueueDelayed(item(timed), ms(1)),
            Step::Queue(item(busy)),
            Step::Queue(item(behind)),
            Step::Disable(item(behind)),
            Step::Disable(item(timed)),
        ],
    );
    let run = script.run();
    assert_eq!(run.spans("w0"), [(0, 10)]);
    assert_eq!((run.spans("w1"), run.spans("w2")), (vec![], vec![]));
    assert_eq!(cancelled(&run), [Was::Inactive, Was::Timer]);
    assert_eq!(depths(&run), [(0, false, 1), (0, false, 1)]);
}

#[test]
fn s2_4_disable_work_leaves_a_running_execution_alone() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[sleep(5), Step::Requeue]);
    script.steps_at(0, &[Step::Queue(item(w)), wait(1), Step::Disable(item(w))]);
    let run = script.run();
    assert_eq!(
        run.spans("w0"),
        [(0, 5)],
        "it ends, and cannot requeue itself"
    );
    assert_eq!(refused(&run, WqCounter::RefusedDisabled), 1);
}

#[test]
fn s2_4_every_queueing_is_refused_until_it_is_enabled_as_often() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.works(&q, 2, &[burn(1)]);
    let second = ItemRef {
        work: w,
        instance: Some(1),
    };
    let queue = [
        Step::Queue(second),
        Step::QueueOn(0, second),
        Step::QueueDelayed(second, ms(1)),
    ];
    let steps = [
        // Both instances, then the second one once more.
        &[Step::Disable(item(w)), Step::Disable(second)][..],
        &queue,
        &[Step::Enable(second), wait(1)],
        &queue,
        // Refused requests are lost: nothing is queued by enabling.
        &[Step::Enable(second), wait(1), Step::Queue(second)],
    ];
    script.steps_at(0, &steps.concat());
    let run = script.run();
    assert_eq!(run.spans("w0#0"), []);
    assert_eq!(run.queued("w0#1"), [2]);
    assert_eq!(refused(&run, WqCounter::RefusedDisabled), 6);
    let told = [
        (0, false, 1),
        (0, false, 1),
        (0, false, 2),
        (0, true, 1),
        (1, true, 0),
    ];
    assert_eq!(depths(&run), told);
}

#[test]
fn s2_4_enable_work_unbalanced_steals_a_pending_instance() {
    let (mut script, busy, behind) = behind_a_busy_one();
    script.steps_at(
        0,
        &[
            Step::Queue(item(busy)),
            Step::Queue(item(behind)),
            wait(1),
            Step::Enable(item(behind)),
            Step::Enable(item(busy)),
        ],
    );
    let run = script.run();
    assert_eq!(run.spans("w0"), [(0, 10)], "a running one goes on");
    assert_eq!(run.spans("w1"), []);
    assert_eq!(depths(&run), [(1, true, 0), (1, true, 0)]);
}

#[test]
fn a_flush_of_an_item_that_is_disabled_meanwhile_ends() {
    let (mut script, busy, behind) = behind_a_busy_one();
    let marker = script.work(&wq_engine::sim::WqRef::System("events".to_owned()), &[]);
    script.queue_at(0, &[busy, behind]);
    script.steps_at(1, &[Step::Flush(item(behind)), Step::Queue(item(marker))]);
    script.steps_at(4, &[Step::Disable(item(behind))]);
    let run = script.run();
    assert_eq!(run.queued("w2"), [4]);
}

#[test]
fn a_grace_period_ends_where_it_begins() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[burn(2)]);
    let rcu = Step::QueueRcu(item(w));
    script.steps_at(
        3,
        &[rcu.clone(), wait(1), rcu.clone(), Step::Flush(item(w)), rcu],
    );
    let run = script.run();
    assert_eq!(run.queued("w0"), [3, 4, 7]);
    assert_eq!(run.spans("w0"), [(3, 5), (5, 7), (7, 9)]);
}
