//! Steps of bodies: timers, requeueing, locks, yielding, panicking.

use crate::script::{Script, burn, item, ms, sleep, wait};
use wq_engine::WqFlags;
use wq_engine::sim::Step;
use wq_trace::What;

#[test]
fn a_delayed_item_is_queued_when_its_timer_fires() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[burn(2)]);
    // While its timer is armed it is pending: the second call is refused, and moves nothing.
    let twice = [
        Step::QueueDelayed(item(w), ms(7)),
        Step::QueueDelayed(item(w), ms(1)),
    ];
    script.steps_at(1, &[&twice[..], &[Step::Queue(item(w))]].concat());
    let run = script.run();
    assert_eq!(run.queued("w0"), [8]);
    assert_eq!(run.spans("w0"), [(8, 10)]);
    let armed = |what: &What| matches!(what, What::TimerArm { delay_us: 7_000 });
    assert_eq!(run.times(armed), [1]);
}

#[test]
fn timers_of_one_instant_fire_in_the_order_of_arming() {
    let mut script = Script::on(1);
    let q = script.bound();
    let [a, b, c] = [0; 3].map(|_| script.work(&q, &[burn(1)]));
    script.steps_at(
        0,
        &[
            Step::QueueDelayed(item(b), ms(9)),
            wait(2),
            Step::QueueDelayed(item(a), ms(7)),
            wait(7),
            // An arrival at the very instant comes after the timers.
            Step::Queue(item(c)),
        ],
    );
    let run = script.run();
    assert_eq!(run.spans("w1"), [(9, 10)]);
    assert_eq!(run.spans("w0"), [(10, 11)]);
    assert_eq!(run.spans("w2"), [(11, 12)]);
}

#[test]
fn without_delay_no_timer_is_armed() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[burn(1)]);
    script.steps_at(3, &[Step::QueueDelayed(item(w), ms(0))]);
    let run = script.run();
    assert_eq!(run.spans("w0"), [(3, 4)]);
    assert_eq!(run.times(|what| matches!(what, What::TimerArm { .. })), []);
}

#[test]
fn an_item_requeues_itself_and_never_overlaps_itself() {
    let mut script = Script::on(2);
    // On an unbound workqueue others could run it at the same time, and must not.
    for flags in [WqFlags::PERCPU, WqFlags::UNBOUND] {
        let q = script.wq(flags, 0);
        let w = script.0.works.len();
        script.work(&q, &[Step::Requeue, sleep(4)]);
        script.steps_at(
            0,
            &[Step::Queue(item(w)), wait(10), Step::CancelSync(item(w))],
        );
    }
    let run = script.run();
    for name in ["w0", "w1"] {
        assert_eq!(run.spans(name), [(0, 4), (4, 8), (8, 12)]);
        assert_eq!(run.queued(name), [0, 0, 4]);
    }
}

#[test]
fn an_item_queued_elsewhere_while_it_runs_goes_behind_itself() {
    let mut script = Script::on(2);
    let q = script.bound();
    let w = script.work(&q, &[sleep(10)]);
    script.steps_at(
        0,
        &[
            Step::QueueOn(0, item(w)),
            wait(2),
            Step::QueueOn(1, item(w)),
            // It does not run any more: now the other CPU is as good as any.
            wait(28),
            Step::QueueOn(1, item(w)),
        ],
    );
    let run = script.run();
    assert_eq!(run.spans("w0"), [(0, 10), (10, 20), (30, 40)]);
    let executions = run.outcome.items[0].executions.iter();
    let pools: Vec<_> = executions.map(|e| e.worker[..9].to_owned()).collect();
    assert_eq!(pools, ["kworker/0", "kworker/0", "kworker/1"]);
}

#[test]
fn requeue_delayed_starts_its_pause_at_the_step() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[burn(2), Step::RequeueDelayed(ms(5)), burn(1)]);
    script.steps_at(0, &[Step::Queue(item(w)), wait(10), Step::Cancel(item(w))]);
    let run = script.run();
    // Queued at 2 + 5; the execution from 7 arms the timer at 9, which is cancelled at 10.
    assert_eq!(run.spans("w0"), [(0, 3), (7, 10)]);
    assert_eq!(run.queued("w0"), [0, 7]);
}

#[test]
fn a_work_function_queues_others() {
    let mut script = Script::on(2);
    let q = script.bound();
    let other = script.work(&q, &[burn(1)]);
    let there = script.work(&q, &[burn(1)]);
    let body = [
        burn(2),
        Step::Queue(item(other)),
        Step::QueueOn(1, item(there)),
        burn(2),
    ];
    let first = script.work(&q, &body);
    script.queue_at(0, &[first]);
    let run = script.run();
    assert_eq!(run.spans("w2"), [(0, 4)]);
    assert_eq!((run.queued("w0"), run.spans("w0")), (vec![2], vec![(4, 5)]));
    assert_eq!((run.queued("w1"), run.spans("w1")), (vec![2], vec![(2, 3)]));
    // The queueing worker's function is known to the event.
    let from = run
        .events
        .iter()
        .filter(|e| matches!(e.what, What::QueueWork { .. }));
    let from: Vec<_> = from.map(|e| e.from).collect();
    let executed = run
        .events
        .iter()
        .find(|e| e.what == What::ExecuteStart)
        .unwrap();
    assert_eq!(from[1..], [executed.func; 2]);
    assert_ne!(from[0], executed.func);
}

#[test]
fn a_lock_goes_to_who_waited_longest() {
    let mut script = Script::on(4);
    let lock = script.lock();
    let q = script.wq(WqFlags::UNBOUND, 0);
    let body = |n| [burn(n), Step::Lock(lock, ms(5)), burn(1)];
    let works = [1, 3, 2, 4].map(|n| script.work(&q, &body(n)));
    script.queue_at(0, &works);
    let run = script.run();
    assert_eq!(run.spans("w0"), [(0, 7)]);
    assert_eq!(run.spans("w2"), [(0, 12)]);
    assert_eq!(run.spans("w1"), [(0, 17)]);
    assert_eq!(run.spans("w3"), [(0, 22)]);
}

#[test]
fn who_waits_for_a_lock_lets_others_of_its_pool_run() {
    let mut script = Script::on(2);
    let lock = script.lock();
    let q = script.bound();
    let [a, b] = [0, 1].map(|_| script.work(&q, &[Step::Lock(lock, ms(8))]));
    let c = script.work(&q, &[burn(3)]);
    script.steps_at(
        0,
        &[
            Step::QueueOn(0, item(a)),
            wait(1),
            Step::QueueOn(1, item(b)),
            Step::QueueOn(1, item(c)),
        ],
    );
    let run = script.run();
    assert_eq!(run.spans("w0"), [(0, 8)]);
    assert_eq!(run.spans("w2"), [(1, 4)]);
    assert_eq!(run.spans("w1"), [(1, 16)]);
}

#[test]
fn yielding_lets_a_waiting_thread_go_first() {
    let highpri_starts = |middle: &[Step]| {
        let mut script = Script::on(1);
        let normal = script.bound();
        let high = script.wq(WqFlags::PERCPU | WqFlags::HIGHPRI, 0);
        let a = script.work(&normal, &[&[burn(2)], middle, &[burn(2)]].concat());
        let b = script.work(&high, &[burn(3)]);
        script.queue_at(0, &[a]);
        script.queue_at(1, &[b]);
        let run = script.run();
        (run.spans("w0"), run.spans("w1"))
    };
    assert_eq!(highpri_starts(&[]), (vec![(0, 4)], vec![(4, 7)]));
    assert_eq!(highpri_starts(&[Step::Yield]), (vec![(0, 7)], vec![(2, 5)]));
}

#[test]
fn yielding_alone_costs_nothing() {
    let mut script = Script::on(1);
    let q = script.bound();
    let a = script.work(&q, &[Step::Yield, burn(2), Step::Yield, Step::Yield]);
    let b = script.work(&q, &[burn(1)]);
    script.queue_at(0, &[a, b]);
    let run = script.run();
    // b has no thread yet: the pool's runner still counts.
    assert_eq!(run.spans("w0"), [(0, 2)]);
    assert_eq!(run.spans("w1"), [(2, 3)]);
}

#[test]
fn a_panic_ends_the_item_and_nothing_else() {
    let mut script = Script::on(1);
    let q = script.wq(WqFlags::PERCPU, 1);
    let a = script.work(&q, &[burn(2), Step::Panic, burn(50)]);
    let b = script.work(&q, &[burn(1)]);
    script.steps_at(
        0,
        &[
            Step::Queue(item(a)),
            Step::Queue(item(b)),
            wait(10),
            Step::Queue(item(a)),
        ],
    );
    let run = script.run();
    assert_eq!(run.spans("w0"), [(0, 2), (10, 12)]);
    assert_eq!(run.spans("w1"), [(2, 3)]);
    assert_eq!(run.times(|what| *what == What::Panic), [2, 12]);
    assert_eq!(run.outcome.items[0].completed, 2);
}
