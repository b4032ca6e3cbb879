//! The parts of a wait: scripts in which an item waits for one reason only, and some in which reasons follow another.

use crate::script::{Run, Script, burn, item, ms, sleep, wait};
use wq_engine::WqFlags;
use wq_engine::sim::Step;
use wq_trace::{Breakdown, WaitPart};

/// Why the items of this function waited, in milliseconds, reasons that did not occur left out.
fn parts(run: &Run, name: &str) -> Vec<(WaitPart, u64)> {
    let snapshot = &run.outcome.snapshot;
    let func = snapshot
        .functions
        .iter()
        .find(|f| f.name == name)
        .unwrap()
        .id;
    let mut sum = Breakdown::default();
    for row in snapshot.pwq_funcs.iter().filter(|row| row.func == func) {
        for (sum, part) in sum.iter_mut().zip(row.breakdown) {
            *sum += part;
        }
    }
    let waited: u64 = run
        .outcome
        .items
        .iter()
        .filter(|item| item.name.split('#').next() == Some(name))
        .flat_map(|item| &item.executions)
        .map(|e| e.started_ns - e.queued_ns)
        .sum();
    assert_eq!(sum.iter().sum::<u64>(), waited, "the parts are the wait");
    let named = WaitPart::ALL
        .iter()
        .map(|&part| (part, sum[part as usize] / 1_000_000));
    named.filter(|(_, ms)| *ms > 0).collect()
}

#[test]
fn held_by_max_active() {
    let mut script = Script::on(1);
    let q = script.wq(WqFlags::PERCPU, 1);
    let [a, b] = [0, 1].map(|_| script.work(&q, &[burn(2), sleep(5)]));
    script.queue_at(0, &[a, b]);
    let run = script.run();
    assert_eq!(parts(&run, "w0"), []);
    assert_eq!(parts(&run, "w1"), [(WaitPart::InactiveMaxActive, 7)]);
}

#[test]
fn held_by_order() {
    let mut script = Script::on(2);
    let q = script.wq(WqFlags::ORDERED, 0);
    let [a, b, c] = [0; 3].map(|_| script.work(&q, &[burn(4)]));
    script.queue_at(0, &[a, b, c]);
    let run = script.run();
    assert_eq!(parts(&run, "w1"), [(WaitPart::InactiveOrdered, 4)]);
    assert_eq!(parts(&run, "w2"), [(WaitPart::InactiveOrdered, 8)]);
}

#[test]
fn its_own_earlier_run() {
    let mut script = Script::on(1);
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
    assert_eq!(parts(&run, "w0"), [(WaitPart::SelfRun, 8)]);
    assert_eq!(parts(&run, "w1"), [(WaitPart::SelfRun, 8)]);
}

#[test]
fn a_running_worker_of_the_pool() {
    let mut script = Script::on(1);
    let q = script.bound();
    let [a, b] = [0, 1].map(|_| script.work(&q, &[burn(6)]));
    script.queue_at(0, &[a]);
    script.queue_at(2, &[b]);
    let run = script.run();
    assert_eq!(parts(&run, "w1"), [(WaitPart::Concurrency, 4)]);
}

#[test]
fn a_woken_worker_that_has_no_cpu() {
    let mut script = Script::on(1);
    let normal = script.bound();
    let high = script.wq(WqFlags::PERCPU | WqFlags::HIGHPRI, 0);
    let unbound = script.wq(WqFlags::UNBOUND, 0);
    let h = script.work(&high, &[burn(5)]);
    let n = script.work(&normal, &[burn(2)]);
    let u = script.work(&unbound, &[burn(2)]);
    script.queue_at(0, &[h, n, u]);
    let run = script.run();
    assert_eq!(parts(&run, "w1"), [(WaitPart::Runqueue, 5)]);
    assert_eq!(parts(&run, "w2"), [(WaitPart::Runqueue, 7)]);
}

#[test]
fn reasons_that_follow_one_another() {
    let mut script = Script::on(1);
    let q = script.wq(WqFlags::PERCPU, 1);
    let other = script.bound();
    let high = script.wq(WqFlags::PERCPU | WqFlags::HIGHPRI, 0);
    let a = script.work(&q, &[burn(2), sleep(1)]);
    let blocker = script.work(&other, &[burn(4), sleep(2)]);
    let b = script.work(&q, &[burn(1)]);
    let h = script.work(&high, &[burn(3)]);
    script.queue_at(0, &[a, blocker, b]);
    script.queue_at(5, &[h]);
    let run = script.run();
    // a 0-2, asleep to 3, but the CPU is the blocker's from 2 to 6; then h's to 9, then a returns: b is held to 9.
    assert_eq!(run.spans("w0"), [(0, 9)]);
    assert_eq!(run.spans("w2"), [(9, 10)]);
    assert_eq!(parts(&run, "w1"), [(WaitPart::Concurrency, 2)]);
    assert_eq!(parts(&run, "w2"), [(WaitPart::InactiveMaxActive, 9)]);
}

#[test]
fn concurrency_ends_where_the_runner_sleeps() {
    let mut script = Script::on(1);
    let q = script.bound();
    let high = script.wq(WqFlags::PERCPU | WqFlags::HIGHPRI, 0);
    let a = script.work(&q, &[burn(4), sleep(20)]);
    let b = script.work(&q, &[burn(1)]);
    let h = script.work(&high, &[burn(6)]);
    script.queue_at(0, &[a]);
    script.queue_at(1, &[b]);
    script.queue_at(2, &[h]);
    let run = script.run();
    // 1-4 a runs; at 4 it sleeps, b's worker is woken, and h has the CPU to 10.
    let both = [(WaitPart::Concurrency, 3), (WaitPart::Runqueue, 6)];
    assert_eq!(parts(&run, "w1"), both);
    assert_eq!(parts(&run, "w2"), [(WaitPart::Runqueue, 2)]);
}

#[test]
fn the_timer_is_no_part_of_the_wait() {
    let mut script = Script::on(1);
    let q = script.bound();
    let w = script.work(&q, &[burn(1)]);
    script.steps_at(0, &[Step::QueueDelayed(item(w), ms(30))]);
    let run = script.run();
    assert_eq!(run.spans("w0"), [(30, 31)]);
    assert_eq!(parts(&run, "w0"), []);
}
