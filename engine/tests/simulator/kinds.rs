//! Kinds of workqueues beside each other: ordered, unbound, highpri, limited, CPU-bound.

use crate::script::{Script, burn, item, sleep};
use wq_engine::WqFlags;
use wq_engine::sim::{ItemRef, Pace, Step, WqRef};
use wq_trace::{Hold, What};

#[test]
fn an_ordered_workqueue_runs_one_item_at_a_time_in_queueing_order() {
    let mut script = Script::on(2);
    let q = script.wq(WqFlags::ORDERED, 0);
    let [a, b, c, d] =
        [3, 1, 2, 4].map(|n| script.work(&q, &[burn(n), sleep(2), Step::Queue(item(9)), burn(1)]));
    for _ in 4..9 {
        script.work(&q, &[burn(1)]);
    }
    // Chained work goes behind everything that waits.
    let last = script.work(&q, &[burn(1)]);
    assert_eq!(last, 9);
    // The producers count as being on CPU 0 and on CPU 1: the order is the system's, not a CPU's.
    script.queue_at(0, &[d, b]);
    script.queue_at(0, &[a]);
    script.queue_at(1, &[c]);
    let run = script.run();
    assert_eq!(run.spans("w3"), [(0, 7)]);
    assert_eq!(run.spans("w1"), [(7, 11)]);
    assert_eq!(run.spans("w0"), [(11, 17)]);
    assert_eq!(run.spans("w2"), [(17, 22)]);
    assert_eq!(run.spans("w9"), [(22, 23)]);
    let holds = |what: &What| {
        matches!(
            what,
            What::HoldWork {
                reason: Hold::Ordered
            }
        )
    };
    assert_eq!(run.times(holds), [0, 0, 1, 6]);
}

#[test]
fn unbound_items_use_every_cpu_and_start_without_regard_to_runners() {
    let mut script = Script::on(2);
    let q = script.wq(WqFlags::UNBOUND, 0);
    let works = [4, 6, 5, 1].map(|n| script.work(&q, &[burn(n)]));
    script.queue_at(0, &works);
    let run = script.run();
    // Two at a time; the third comes when the first has ended, and the fourth after the next to end.
    assert_eq!(run.spans("w0"), [(0, 4)]);
    assert_eq!(run.spans("w1"), [(0, 6)]);
    assert_eq!(run.spans("w2"), [(4, 9)]);
    assert_eq!(run.spans("w3"), [(6, 7)]);
}

#[test]
fn an_unbound_pool_is_shared_and_its_limit_is_the_workqueues() {
    let mut script = Script::on(4);
    let narrow = script.wq(WqFlags::UNBOUND, 1);
    let wide = script.wq(WqFlags::UNBOUND, 0);
    let [a, b] = [0, 1].map(|_| script.work(&narrow, &[burn(5)]));
    let [c, d] = [0, 1].map(|_| script.work(&wide, &[burn(5)]));
    script.queue_at(0, &[a, b, c, d]);
    let run = script.run();
    assert_eq!(run.spans("w0"), [(0, 5)]);
    assert_eq!(run.spans("w1"), [(5, 10)]);
    assert_eq!(run.spans("w2"), [(0, 5)]);
    assert_eq!(run.spans("w3"), [(0, 5)]);
    let pool = |name: &str| {
        let record = run.outcome.items.iter().find(|item| item.name == name);
        record.unwrap().executions[0].worker.clone()
    };
    for name in ["w0", "w1", "w2", "w3"] {
        assert!(pool(name).starts_with("kworker/u16:"), "{}", pool(name));
    }
}

#[test]
fn highpri_goes_first_and_preempts_nobody() {
    let mut script = Script::on(1);
    let normal = script.bound();
    let high = script.wq(WqFlags::PERCPU | WqFlags::HIGHPRI, 0);
    let [a, b] = [0, 1].map(|_| script.work(&normal, &[burn(5), sleep(1), burn(5)]));
    let c = script.work(&high, &[burn(3)]);
    script.queue_at(0, &[a, b]);
    script.queue_at(2, &[c]);
    let run = script.run();
    // c is woken at 2, and the CPU is free at 5. b's worker, woken at that same instant, stands behind it.
    assert_eq!(run.spans("w2"), [(5, 8)]);
    // Asleep from 13 to 14, and then behind a, which got the CPU at 13.
    assert_eq!(run.spans("w1"), [(8, 23)]);
    assert_eq!(run.spans("w0"), [(0, 18)]);
    assert!(
        run.outcome.items[2].executions[0]
            .worker
            .starts_with("kworker/0:0H")
    );
}

#[test]
fn a_normal_and_a_highpri_pool_do_not_count_each_others_workers() {
    let mut script = Script::on(1);
    let normal = script.bound();
    let high = script.wq(WqFlags::PERCPU | WqFlags::HIGHPRI, 0);
    let a = script.work(&normal, &[burn(5)]);
    let [b, c] = [0, 1].map(|_| script.work(&high, &[burn(5)]));
    script.queue_at(0, &[a, b, c]);
    let run = script.run();
    assert_eq!(run.spans("w1"), [(0, 5)]);
    // The highpri worker goes on to its next item at once: giving way, it is still the first to be picked.
    assert_eq!(run.spans("w2"), [(5, 10)]);
    assert_eq!(run.spans("w0"), [(10, 15)]);
}

#[test]
fn max_active_holds_items_back_for_each_cpu_alone() {
    let mut script = Script::on(2);
    let q = script.wq(WqFlags::PERCPU, 2);
    let works = [0; 5].map(|_| script.work(&q, &[sleep(10)]));
    script.queue_at(0, &works[..3]);
    script.queue_at(0, &works[3..]);
    let run = script.run();
    assert_eq!(run.spans("w0"), [(0, 10)]);
    assert_eq!(run.spans("w1"), [(0, 10)]);
    assert_eq!(run.spans("w2"), [(10, 20)]);
    // On the other CPU, where the second producer is, there is room for two more.
    assert_eq!(run.spans("w3"), [(0, 10)]);
    assert_eq!(run.spans("w4"), [(0, 10)]);
    let held = |what: &What| {
        matches!(
            what,
            What::HoldWork {
                reason: Hold::MaxActive
            }
        )
    };
    assert_eq!(run.times(held), [0]);
}

#[test]
fn cpu_intensive_items_do_not_keep_others_from_starting() {
    let starts = |flags| {
        let mut script = Script::on(1);
        let (hogs, others) = (script.wq(flags, 0), script.bound());
        let a = script.work(&hogs, &[burn(5)]);
        let b = script.work(&others, &[burn(5)]);
        let c = script.work(&others, &[burn(5)]);
        script.queue_at(0, &[a, b, c]);
        let run = script.run();
        let workers = [0, 1, 2].map(|i| run.outcome.items[i].executions[0].worker.clone());
        (workers, run.spans("w2"))
    };
    let (managed, end) = starts(WqFlags::PERCPU);
    assert_eq!(managed, ["kworker/0:0"; 3]);
    assert_eq!(end, [(10, 15)]);
    // Another worker is woken for b while a burns: b waits for the CPU, not for a.
    let (unmanaged, end) = starts(WqFlags::PERCPU | WqFlags::CPU_INTENSIVE);
    assert_eq!(unmanaged[..2], ["kworker/0:0", "kworker/0:1"]);
    assert_eq!(end, [(10, 15)]);
}

#[test]
fn system_workqueues_go_by_their_shown_names() {
    let mut script = Script::on(1);
    for name in ["events", "events_highpri", "events_long", "events_unbound"] {
        let wq = WqRef::System(name.into());
        script.work(&wq, &[burn(1)]);
    }
    script.queue_at(0, &[0, 1, 2, 3]);
    let run = script.run();
    let first = |i: usize| &run.outcome.items[i].executions[0].worker;
    assert_eq!(first(0), "kworker/0:0");
    assert_eq!(first(1), "kworker/0:0H");
    assert_eq!(first(2), "kworker/0:0");
    assert_eq!(first(3), "kworker/u4:0");
    assert_eq!(run.spans("w1"), [(0, 1)]);
    assert_eq!(run.outcome.items[3].workqueue, "events_unbound");
}

#[test]
fn instances_are_taken_in_turn() {
    let mut script = Script::on(1);
    let q = script.bound();
    let many = script.works(&q, 3, &[sleep(30)]);
    let one = script.work(&q, &[sleep(30)]);
    script.queue_at(0, &[many, one]);
    script.0.producers[0].pace = Pace::Every(crate::script::ms(10));
    script.0.producers[0].count = Some(6);
    let run = script.run();
    assert_eq!(run.queued("w0#0"), [0, 40]);
    assert_eq!(run.queued("w0#1"), [10, 50]);
    assert_eq!(run.queued("w0#2"), [20]);
    assert_eq!(run.queued("w1"), [30]);
}

#[test]
fn a_step_takes_instances_in_turn_or_the_one_it_names() {
    let mut script = Script::on(1);
    let q = script.bound();
    let many = script.works(&q, 3, &[sleep(1)]);
    let named = ItemRef {
        work: many,
        instance: Some(2),
    };
    let steps = [
        Step::Queue(item(many)),
        Step::Queue(item(many)),
        Step::Queue(named),
        crate::script::wait(5),
        Step::Queue(item(many)),
        Step::Queue(item(many)),
    ];
    script.steps_at(0, &steps);
    let run = script.run();
    assert_eq!(run.queued("w0#0"), [0, 5]);
    assert_eq!(run.queued("w0#1"), [0]);
    assert_eq!(run.queued("w0#2"), [0, 5]);
}

#[test]
fn a_producers_cpu_is_where_its_bound_items_run() {
    let mut script = Script::on(3);
    let q = script.bound();
    let works = [0; 4].map(|_| script.work(&q, &[burn(1)]));
    script.queue_at(0, &works[..1]);
    script.queue_at(0, &works[1..2]);
    script.queue_at(0, &works[2..3]);
    script.0.producers[2].cpu = Some(0);
    script.queue_at(0, &[]);
    script.steps_at(0, &[Step::QueueOn(2, item(works[3]))]);
    let run = script.run();
    let worker = |i: usize| run.outcome.items[i].executions[0].worker.as_str();
    assert_eq!(worker(0), "kworker/0:0");
    assert_eq!(worker(1), "kworker/1:0");
    assert_eq!(worker(2), "kworker/0:0");
    assert_eq!(worker(3), "kworker/2:0");
}
