//! Creation that fails, rescuers, idle workers that leave, CPUs that leave and come back.

use super::script::{Run, Script, burn, item, sleep, wait};
use std::time::Duration;
use wq_engine::WqFlags;
use wq_engine::sim::{End, Step};
use wq_trace::{Counter, Event, What, WorkerState};

const RECLAIM: WqFlags = WqFlags::MEM_RECLAIM;

fn workers(run: &Run, name: &str) -> Vec<String> {
    let record = run.outcome.items.iter().find(|item| item.name == name);
    let executions = record.expect("the item exists").executions.iter();
    executions.map(|e| e.worker.clone()).collect()
}

fn counted(run: &Run, wq: &str, counter: Counter) -> u64 {
    let snapshot = &run.outcome.snapshot;
    let wq = snapshot.workqueues.iter().find(|row| row.name == wq);
    let id = wq.expect("the workqueue exists").id;
    let pwqs = snapshot.pwqs.iter().filter(|pwq| pwq.wq == id);
    pwqs.map(|pwq| pwq.counters[counter as usize]).sum()
}

fn events(run: &Run, of: impl Fn(&What) -> bool) -> Vec<&Event> {
    run.events.iter().filter(|e| of(&e.what)).collect()
}

/// One CPU, and an item that blocks the only worker's pool for the others.
#[test]
fn s4_8_an_item_of_a_reclaim_workqueue_is_rescued_and_others_wait_until_creation_works() {
    let mut script = Script::on(1);
    let reclaim = script.wq(RECLAIM, 0);
    let plain = script.bound();
    let rescued = script.works(&reclaim, 3, &[burn(1)]);
    let waits = script.work(&plain, &[burn(1)]);
    script.steps_at(0, &[Step::FailCreate(true)]);
    script.queue_at(1, &[waits, rescued, rescued, rescued]);
    script.steps_at(5000, &[Step::FailCreate(false)]);
    let run = script.run();
    // The manager starts at 1 ms; help is called for 10 ms later.
    assert_eq!(run.spans("w0#0"), [(11, 12)]);
    assert_eq!(run.spans("w0#1"), [(12, 13)]);
    assert_eq!(run.spans("w0#2"), [(13, 14)]);
    assert_eq!(workers(&run, "w0#0"), ["kworker/R-q0"]);
    // The end of the failing is noticed at once.
    assert_eq!(run.spans("w1"), [(5000, 5001)]);
    assert_eq!(workers(&run, "w1"), ["kworker/0:0"]);
    assert_eq!(run.times(|w| matches!(w, What::ManagerStart)), [1]);
    assert_eq!(run.times(|w| matches!(w, What::ManagerEnd)), [5000]);
    assert_eq!(run.times(|w| matches!(w, What::Mayday)), [11]);
    assert_eq!(run.times(|w| matches!(w, What::Rescue)), [11]);
    assert_eq!(counted(&run, "q0", Counter::Mayday), 1);
    assert_eq!(counted(&run, "q0", Counter::Rescued), 3);
    assert_eq!(counted(&run, "q1", Counter::Rescued), 0);
}

#[test]
fn s4_4_a_manager_tries_again_every_second() {
    let mut script = Script::on(1);
    let plain = script.bound();
    let work = script.work(&plain, &[burn(1)]);
    script.steps_at(0, &[Step::FailCreate(true)]);
    script.queue_at(1, &[work]);
    // Another item goes to the pool of the other priority, which has a manager of its own.
    let high = script.wq(WqFlags::HIGHPRI, 0);
    let later = script.work(&high, &[burn(1)]);
    script.queue_at(1500, &[later]);
    script.steps_at(2100, &[Step::FailCreate(false)]);
    let run = script.run();
    assert_eq!(run.times(|w| matches!(w, What::ManagerStart)), [1, 1500]);
    // Both at once, but there is one CPU, and highpri goes first.
    assert_eq!(run.times(|w| matches!(w, What::ManagerEnd)), [2100, 2101]);
    assert_eq!(run.spans("w1"), [(2100, 2101)]);
    assert_eq!(run.spans("w0"), [(2101, 2102)]);
}

#[test]
fn a_script_in_which_creation_fails_for_ever_stands_still() {
    let mut script = Script::on(1);
    let plain = script.bound();
    let work = script.work(&plain, &[burn(1)]);
    script.steps_at(0, &[Step::FailCreate(true)]);
    script.queue_at(1, &[work]);
    let run = script.try_run().unwrap();
    assert_eq!(run.outcome.end, End::Stuck(vec!["kworker/0:0".to_owned()]));
    assert_eq!(run.spans("w0"), []);
}

/// Guarantee 4: with creation failing for ever, every item of every MEM_RECLAIM workqueue is executed.
#[test]
fn s11_1_4_reclaim_workqueues_make_progress_without_new_workers() {
    let mut script = Script::on(2);
    let kinds = [
        RECLAIM,
        RECLAIM | WqFlags::HIGHPRI,
        RECLAIM | WqFlags::UNBOUND,
        RECLAIM | WqFlags::ORDERED,
        RECLAIM | WqFlags::CPU_INTENSIVE,
    ];
    script.steps_at(0, &[Step::FailCreate(true)]);
    let mut all = Vec::new();
    for flags in kinds {
        let wq = script.wq(flags, 0);
        all.push(script.works(&wq, 40, &[burn(1), sleep(2), burn(1)]));
    }
    for (index, work) in all.iter().enumerate() {
        for _ in 0..40 {
            script.steps_at(1 + index as u64, &[Step::Queue(item(*work))]);
        }
    }
    let run = script.try_run().unwrap();
    for record in &run.outcome.items {
        let queued = record.started;
        assert_eq!((queued, record.completed), (1, 1), "{}", record.name);
    }
    for (index, _) in kinds.iter().enumerate() {
        assert!(
            counted(&run, &format!("q{index}"), Counter::Rescued) > 0,
            "q{index}"
        );
    }
    // An ordered workqueue keeps its order, whoever executes its items.
    let ordered: Vec<_> = (0..40).map(|n| run.spans(&format!("w3#{n}"))[0]).collect();
    assert!(
        ordered.windows(2).all(|two| two[0].1 <= two[1].0),
        "{ordered:?}"
    );
}

#[test]
fn s4_8_4_a_rescuer_turns_to_the_other_cpu_after_17_items() {
    let mut script = Script::on(2);
    let wq = script.wq(RECLAIM, 0);
    let left = script.works(&wq, 30, &[burn(1)]);
    let right = script.works(&wq, 1, &[burn(1)]);
    script.steps_at(0, &[Step::FailCreate(true)]);
    let here: Vec<_> = (0..30).map(|_| Step::QueueOn(0, item(left))).collect();
    script.steps_at(1, &here);
    script.steps_at(2, &[Step::QueueOn(1, item(right))]);
    script.steps_at(100, &[Step::FailCreate(false)]);
    let run = script.run();
    assert_eq!(run.spans("w0#0"), [(11, 12)]);
    assert_eq!(run.spans("w0#16"), [(27, 28)]);
    assert_eq!(run.spans("w1"), [(28, 29)], "after more than 16");
    assert_eq!(run.spans("w0#17"), [(29, 30)]);
    assert_eq!(run.spans("w0#29"), [(41, 42)]);
    assert_eq!(run.times(|w| matches!(w, What::Rescue)), [11, 28, 29]);
    assert_eq!(counted(&run, "q0", Counter::Mayday), 2);
}

#[test]
fn s3_7_an_item_is_not_executed_twice_at_a_time_by_worker_and_rescuer() {
    let mut script = Script::on(1);
    let wq = script.wq(RECLAIM, 0);
    // It runs on a worker when it is queued again, behind an item that wants the rescuer.
    let long = script.work(&wq, &[sleep(50)]);
    let sleeps = script.works(&wq, 2, &[sleep(5)]);
    script.queue_at(0, &[long]);
    script.steps_at(
        1,
        &[
            Step::FailCreate(true),
            Step::Queue(item(sleeps)),
            Step::Queue(item(sleeps)),
            Step::Queue(item(long)),
        ],
    );
    let run = script.try_run().unwrap();
    let spans = run.spans("w0");
    assert_eq!(spans.len(), 2);
    assert!(spans[0].1 <= spans[1].0, "{spans:?}");
    assert_eq!(workers(&run, "w0"), ["kworker/0:0", "kworker/0:0"]);
    assert_eq!(workers(&run, "w1#0"), ["kworker/R-q0"]);
}

#[test]
fn the_time_until_a_rescuer_comes_is_shown_as_no_worker() {
    let mut script = Script::on(1);
    let wq = script.wq(RECLAIM, 0);
    let work = script.work(&wq, &[burn(1)]);
    script.steps_at(0, &[Step::FailCreate(true)]);
    script.queue_at(1, &[work]);
    let run = script.try_run().unwrap();
    let snapshot = &run.outcome.snapshot;
    let func = snapshot.functions.iter().find(|f| f.name == "w0").unwrap();
    let row = snapshot
        .pwq_funcs
        .iter()
        .find(|r| r.func == func.id)
        .unwrap();
    assert_eq!(
        row.breakdown[wq_trace::WaitPart::NoWorker as usize],
        10_000_000
    );
    assert_eq!(row.breakdown.iter().sum::<u64>(), 10_000_000);
    let rescuer = snapshot.workers.iter().find(|w| w.name == "kworker/R-q0");
    let rescuer = rescuer.expect("a rescuer has a row");
    assert_eq!(
        (rescuer.state, rescuer.pool),
        (WorkerState::Idle, wq_trace::PoolId::NONE)
    );
    assert_eq!(rescuer.executed, 1);
}

#[test]
fn s4_6_surplus_workers_leave_after_the_idle_timeout_and_numbers_are_used_again() {
    let mut script = Script::on(1);
    script.0.engine.idle_timeout = Some(Duration::from_millis(100));
    let wq = script.bound();
    let burst = script.works(&wq, 6, &[sleep(10)]);
    let again = script.works(&wq, 6, &[sleep(10)]);
    script.queue_at(0, &[burst, burst, burst, burst, burst, burst]);
    script.queue_at(1000, &[again, again, again, again, again, again]);
    let run = script.run();
    let pool = run.outcome.snapshot.pools.iter().find(|p| p.number == 2);
    let id = pool.expect("the pool of CPU 0").id;
    let here = |what: fn(&What) -> bool| -> Vec<u64> {
        let all = events(&run, what).into_iter().filter(|e| e.pool == id);
        all.map(|e| e.at / 1_000_000).collect()
    };
    // Six sleep at a time, so there are seven; two stay, and five of them go 100 ms after they went idle.
    assert_eq!(here(|w| matches!(w, What::WorkerDestroy { .. })), [110; 5]);
    let created = here(|w| matches!(w, What::WorkerCreate { .. }));
    assert_eq!(created, [0, 0, 0, 0, 0, 0, 0, 1000, 1000, 1000, 1000, 1000]);
    let names: std::collections::BTreeSet<_> = (0..6)
        .flat_map(|n| workers(&run, &format!("w1#{n}")))
        .collect();
    assert!(
        names.iter().all(|name| name.as_str() <= "kworker/0:6"),
        "{names:?}"
    );
    assert_eq!(
        run.outcome.duration_ns, 1_010_000_000,
        "idle timers keep nothing going"
    );
}

#[test]
fn s4_9_items_of_a_cpu_that_left_go_on_elsewhere() {
    let mut script = Script::on(2);
    let wq = script.bound();
    let long = script.work(&wq, &[burn(8)]);
    let behind = script.work(&wq, &[burn(5)]);
    let later = script.work(&wq, &[burn(5)]);
    script.steps_at(
        0,
        &[
            Step::QueueOn(1, item(long)),
            Step::QueueOn(1, item(behind)),
            wait(4),
            Step::CpuDown(1),
            Step::QueueOn(1, item(later)),
        ],
    );
    let run = script.run();
    // The pool is not managed any more, so another worker is woken. It gets the CPU that stays before the one that
    // moves, which has 4 ms of its burn left.
    assert_eq!(run.spans("w1"), [(4, 9)]);
    assert_eq!(run.spans("w0"), [(0, 13)]);
    assert_eq!(run.spans("w2"), [(13, 18)]);
    let starts = events(&run, |w| matches!(w, What::ExecuteStart));
    let cpus: Vec<_> = starts.iter().map(|e| e.cpu).collect();
    assert_eq!(cpus, [1, 0, 0]);
    let pool = run.outcome.snapshot.pools.iter().find(|p| p.number == 6);
    assert_eq!(
        pool.expect("it keeps its number").flags & 4,
        4,
        "disassociated"
    );
}

/// A burn that moves is still one burn; and no hog, since its worker counts nowhere until its next cycle.
#[test]
fn s4_9_a_burn_that_moves_goes_on_and_is_no_hog() {
    let mut script = Script::on(2);
    let wq = script.bound();
    let hog = script.work(&wq, &[burn(20)]);
    let first = script.work(&wq, &[burn(3)]);
    script.steps_at(
        0,
        &[
            Step::QueueOn(1, item(hog)),
            wait(5),
            Step::QueueOn(0, item(first)),
            wait(1),
            Step::CpuDown(1),
            wait(3),
            Step::CpuUp(1),
        ],
    );
    let run = script.run();
    // It has burnt 6 ms, waits behind the other for 2 ms, burns 1 ms, and goes home for the rest.
    assert_eq!(run.spans("w1"), [(5, 8)]);
    assert_eq!(run.spans("w0"), [(0, 22)]);
    assert_eq!(run.times(|w| matches!(w, What::CpuIntensive { .. })), []);
}

#[test]
fn s4_9_a_cpu_that_is_back_has_its_workers_again() {
    let mut script = Script::on(2);
    let wq = script.bound();
    let long = script.work(&wq, &[burn(20)]);
    let after = script.work(&wq, &[burn(5)]);
    let managed = script.works(&wq, 2, &[burn(5)]);
    script.steps_at(
        0,
        &[
            Step::QueueOn(1, item(long)),
            wait(5),
            Step::CpuDown(1),
            wait(5),
            Step::CpuUp(1),
            wait(20),
            Step::QueueOn(1, item(after)),
            wait(10),
            Step::QueueOn(1, item(managed)),
            Step::QueueOn(1, item(managed)),
        ],
    );
    let run = script.run();
    assert_eq!(run.spans("w0"), [(0, 20)]);
    assert_eq!(run.spans("w1"), [(30, 35)]);
    assert_eq!(run.spans("w2#0"), [(40, 45)]);
    assert_eq!(
        run.spans("w2#1"),
        [(45, 50)],
        "one at a time: managed again"
    );
    let ends = events(&run, |w| matches!(w, What::ExecuteEnd));
    let cpus: Vec<_> = ends.iter().map(|e| e.cpu).collect();
    assert_eq!(cpus, [1, 1, 1, 1], "every one ended at home");
}

#[test]
fn s4_9_unbound_items_avoid_a_cpu_that_left() {
    let mut script = Script::on(2);
    let wq = script.wq(WqFlags::UNBOUND, 0);
    let works = script.works(&wq, 4, &[burn(5)]);
    script.steps_at(0, &[Step::CpuDown(0)]);
    script.queue_at(1, &[works, works, works, works]);
    let run = script.run();
    let starts = events(&run, |w| matches!(w, What::ExecuteStart));
    assert!(starts.iter().all(|e| e.cpu == 1));
    assert_eq!(starts.len(), 4);
}

#[test]
fn the_last_cpu_stays() {
    let mut script = Script::on(2);
    let wq = script.bound();
    let work = script.work(&wq, &[burn(5)]);
    script.steps_at(0, &[Step::CpuDown(0), Step::CpuDown(1), Step::CpuDown(1)]);
    script.queue_at(1, &[work]);
    let run = script.run();
    assert_eq!(run.spans("w0"), [(1, 6)]);
}

/// The last item of the pwq of a CPU that left ends the first of two flushes: the second one goes on with the pwqs that
/// are left.
#[test]
fn s5_3_a_flush_goes_on_after_a_pwq_that_was_replaced_has_gone() {
    let mut script = Script::on(2);
    script.0.topology = Some("2n1l1c1t".to_owned());
    let wq = script.wq(WqFlags::UNBOUND, 0);
    let first = script.work(&wq, &[sleep(5)]);
    let second = script.work(&wq, &[sleep(20)]);
    script.steps_at(0, &[Step::QueueOn(1, item(first)), Step::CpuDown(1)]);
    script.steps_at(1, &[Step::FlushWq(wq.clone())]);
    script.steps_at(2, &[Step::Queue(item(second)), Step::FlushWq(wq)]);
    let run = script.run();
    let ends = run.times(|what| matches!(what, What::FlushEnd { .. }));
    assert_eq!(ends, [5, 22]);
}
