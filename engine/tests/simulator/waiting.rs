//! Flushing and cancelling, from producers and from work functions.

use crate::script::{Run, Script, burn, item, ms, sleep, wait};
use wq_engine::WqFlags;
use wq_engine::sim::{Step, WqRef};
use wq_trace::{FlushTarget, Was, What};

/// When waits for `target` began and ended.
fn waits(run: &Run, target: FlushTarget) -> (Vec<u64>, Vec<u64>) {
    (
        run.times(|what| *what == What::FlushStart { target }),
        run.times(|what| *what == What::FlushEnd { target }),
    )
}

fn cancelled(run: &Run) -> Vec<(u64, Was)> {
    let was = |what| match what {
        What::CancelWork { was } => Some(was),
        _ => None,
    };
    let cancels = run
        .events
        .iter()
        .filter_map(|e| Some((e.at / 1_000_000, was(e.what)?)));
    cancels.collect()
}

#[test]
fn flushing_an_item_waits_for_its_last_queueing() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[sleep(5)]);
    let marker = script.work(&q, &[]);
    script.steps_at(
        0,
        &[
            Step::Flush(item(w)),
            Step::Queue(item(w)),
            wait(2),
            // It runs, and is queued again: the flush is for the second execution.
            Step::Queue(item(w)),
            Step::Flush(item(w)),
            Step::Queue(item(marker)),
            Step::Flush(item(w)),
        ],
    );
    let run = script.run();
    assert_eq!(run.spans("w0"), [(0, 5), (5, 10)]);
    assert_eq!(run.queued("w1"), [10]);
    assert_eq!(waits(&run, FlushTarget::Work), (vec![2], vec![10]));
}

#[test]
fn flushing_a_running_item_waits_for_that_execution() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.works(&q, 2, &[sleep(5)]);
    let marker = script.work(&q, &[]);
    script.queue_at(0, &[w, w]);
    // All instances, one after the other.
    script.steps_at(1, &[Step::Flush(item(w)), Step::Queue(item(marker))]);
    let run = script.run();
    assert_eq!(run.queued("w1"), [5]);
}

#[test]
fn flushing_an_armed_item_queues_it_at_once() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[burn(3)]);
    script.steps_at(
        0,
        &[
            Step::QueueDelayed(item(w), ms(50)),
            wait(4),
            Step::Flush(item(w)),
        ],
    );
    let run = script.run();
    assert_eq!(run.queued("w0"), [4]);
    assert_eq!(run.spans("w0"), [(4, 7)]);
    assert_eq!(run.outcome.duration_ns, 7_000_000);
}

#[test]
fn an_item_that_flushes_another_of_its_pool_sleeps_meanwhile() {
    let mut script = Script::on(1);
    let q = script.bound();
    let target = script.work(&q, &[burn(4)]);
    let flusher = script.work(
        &q,
        &[
            burn(1),
            Step::Queue(item(target)),
            Step::Flush(item(target)),
            burn(1),
        ],
    );
    script.queue_at(0, &[flusher]);
    let run = script.run();
    assert_eq!(run.spans("w0"), [(1, 5)]);
    assert_eq!(run.spans("w1"), [(0, 6)]);
    assert_eq!(waits(&run, FlushTarget::Work), (vec![1], vec![5]));
}

#[test]
fn flushing_a_workqueue_waits_for_what_was_queued_before_only() {
    let mut script = Script::on(2);
    let q = script.wq(WqFlags::PERCPU, 1);
    let marker_q = script.bound();
    let early = [5, 3].map(|n| script.work(&q, &[sleep(n)]));
    let late = script.work(&q, &[sleep(20)]);
    let marker = script.work(&marker_q, &[]);
    // One runs, one is inactive (it has a colour too), one is on the other CPU.
    let elsewhere = script.work(&q, &[sleep(6)]);
    script.queue_at(0, &early);
    script.queue_at(0, &[elsewhere]);
    script.steps_at(
        1,
        &[Step::FlushWq(WqRef::Own(0)), Step::Queue(item(marker))],
    );
    script.queue_at(2, &[late]);
    let run = script.run();
    assert_eq!(run.spans("w1"), [(5, 8)]);
    assert_eq!(run.queued("w3"), [8]);
    // Producer 3 counts as being on CPU 1.
    assert_eq!(run.spans("w2"), [(6, 26)]);
    assert_eq!(waits(&run, FlushTarget::Workqueue), (vec![1], vec![8]));
}

#[test]
fn flushes_of_a_workqueue_end_in_order_and_an_empty_one_at_once() {
    let mut script = Script::on(1);
    let q = script.bound();
    let others = script.bound();
    // The later item ends first; its flusher waits for the earlier one all the same.
    let [long, short] = [9, 2].map(|n| script.work(&q, &[sleep(n)]));
    let [first, second] = [0; 2].map(|_| script.work(&others, &[]));
    let flush = |queue, marker| {
        [
            Step::Queue(item(queue)),
            Step::FlushWq(WqRef::Own(0)),
            Step::Queue(item(marker)),
        ]
    };
    script.steps_at(0, &flush(long, first));
    script.steps_at(1, &flush(short, second));
    script.steps_at(20, &[Step::FlushWq(WqRef::Own(0))]);
    let run = script.run();
    assert_eq!(run.spans("w1"), [(1, 3)]);
    assert_eq!(run.queued("w2"), [9]);
    assert_eq!(run.queued("w3"), [9]);
    assert_eq!(waits(&run, FlushTarget::Workqueue).0, [0, 1]);
}

#[test]
fn a_cancelled_item_does_not_run_and_its_flushers_go_on() {
    let mut script = Script::on(1);
    let q = script.wq(WqFlags::PERCPU, 2);
    let works = [0; 3].map(|_| script.work(&q, &[burn(10)]));
    let marker = script.work(&WqRef::System("events".into()), &[]);
    let timer = script.work(&q, &[burn(1)]);
    script.queue_at(0, &works);
    script.steps_at(1, &[Step::Flush(item(works[1])), Step::Queue(item(marker))]);
    script.steps_at(
        2,
        &[
            Step::QueueDelayed(item(timer), ms(5)),
            Step::Cancel(item(works[2])),
            Step::Cancel(item(works[1])),
            Step::Cancel(item(timer)),
            // It runs: not pending, so nothing is cancelled.
            Step::Cancel(item(works[0])),
            // Pending no more, it can be queued again.
            Step::Queue(item(works[2])),
        ],
    );
    let run = script.run();
    assert_eq!(run.spans("w0"), [(0, 10)]);
    assert_eq!(run.spans("w1"), []);
    assert_eq!(run.queued("w3"), [2]);
    assert_eq!(run.queued("w2"), [2]);
    assert_eq!(run.spans("w4"), []);
    let lists: Vec<_> = cancelled(&run)
        .into_iter()
        .filter(|c| c.1 != Was::Timer && c.1 != Was::Idle)
        .collect();
    assert_eq!(lists, [(2, Was::Inactive), (2, Was::Pending)]);
}

#[test]
fn cancelling_an_active_item_lets_a_held_one_go_on() {
    let mut script = Script::on(1);
    let q = script.wq(WqFlags::PERCPU, 2);
    let works = [0; 3].map(|_| script.work(&q, &[burn(10)]));
    script.queue_at(0, &works);
    script.steps_at(4, &[Step::Cancel(item(works[1]))]);
    let run = script.run();
    assert_eq!(run.spans("w1"), []);
    assert_eq!(run.spans("w2"), [(10, 20)]);
    // Activated at 4, not at 10.
    assert_eq!(run.times(|what| *what == What::ActivateWork), [0, 0, 4]);
}

#[test]
fn cancel_sync_refuses_the_item_until_its_run_is_over() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[burn(2), Step::Requeue, sleep(8), Step::Requeue]);
    let marker = script.work(&q, &[]);
    script.steps_at(
        0,
        &[
            Step::Queue(item(w)),
            wait(1),
            // Its own requeueing at 2 and at 10 is refused from here on.
            Step::CancelSync(item(w)),
            Step::Queue(item(marker)),
            wait(5),
            Step::Queue(item(w)),
            wait(5),
            Step::CancelSync(item(w)),
        ],
    );
    let run = script.run();
    assert_eq!(run.queued("w1"), [10]);
    assert_eq!(run.spans("w0"), [(0, 10), (15, 25)]);
    // Refused at 2, 10 and 25; queued at 17, and taken off its list at 20.
    assert_eq!(run.outcome.items[0].refused, 3);
    let queued = |what: &What| matches!(what, What::QueueWork { .. });
    assert_eq!(run.times(queued), [0, 10, 15, 17]);
    assert_eq!(cancelled(&run), [(1, Was::Idle), (20, Was::Pending)]);
    assert_eq!(run.outcome.duration_ns, 25_000_000);
}

#[test]
fn cancel_sync_of_an_idle_item_returns_at_once() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[burn(1)]);
    script.steps_at(
        3,
        &[
            Step::CancelSync(item(w)),
            Step::Queue(item(w)),
            Step::CancelSync(item(w)),
            Step::Queue(item(w)),
        ],
    );
    let run = script.run();
    assert_eq!(run.spans("w0"), [(3, 4)]);
}

#[test]
fn a_work_function_cancels_another_and_waits_for_it() {
    let mut script = Script::on(1);
    let q = script.bound();
    let target = script.work(&q, &[sleep(6), Step::Requeue]);
    let canceller = script.work(&q, &[burn(2), Step::CancelSync(item(target)), burn(1)]);
    script.queue_at(0, &[target, canceller]);
    let run = script.run();
    assert_eq!(run.spans("w0"), [(0, 6)]);
    assert_eq!(run.spans("w1"), [(0, 7)]);
}
