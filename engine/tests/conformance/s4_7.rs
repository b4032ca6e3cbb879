//! Semantics 4.7: a work function that hogs its CPU leaves concurrency management.

use crate::script::{Run, Script, burn, item, sleep};
use crate::seen::counted;
use crate::support::snapshot;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wq_engine::sim::Step;
use wq_engine::{Engine, Sensing, Work, WqFlags};
use wq_trace::{Counter, WaitPart, Wake, What};

/// (when, CPU time in microseconds) of each time that somebody was found to be a hog.
fn hogs(run: &Run) -> Vec<(u64, u64)> {
    let found = run.events.iter().filter_map(|event| match event.what {
        What::CpuIntensive { cpu_us } => Some((event.at / 1_000_000, cpu_us)),
        _ => None,
    });
    found.collect()
}

/// When the events begin that a hog causes.
fn wakes(run: &Run) -> Vec<u64> {
    run.times(|what| *what == What::WorkerWake { reason: Wake::Hog })
}

/// What is found when an item with this body runs on a workqueue with these flags.
fn hogs_of(flags: WqFlags, body: &[Step]) -> Vec<(u64, u64)> {
    let mut script = Script::on(1);
    let q = script.wq(flags, 0);
    let w = script.work(&q, body);
    script.queue_at(0, &[w]);
    hogs(&script.run())
}

#[test]
fn s4_7_a_hog_is_found_exactly_at_the_threshold() {
    assert_eq!(hogs_of(WqFlags::PERCPU, &[burn(9)]), []);
    assert_eq!(hogs_of(WqFlags::PERCPU, &[burn(10)]), [(10, 10_000)]);
    assert_eq!(
        hogs_of(WqFlags::PERCPU, &[burn(7), burn(7)]),
        [(10, 10_000)]
    );
    let highpri = WqFlags::PERCPU | WqFlags::HIGHPRI;
    assert_eq!(hogs_of(highpri, &[burn(30)]), [(10, 10_000)]);
}

#[test]
fn s4_7_the_clock_restarts_at_every_wake_up_and_not_when_it_gives_way() {
    let sleepy = [burn(9), sleep(1), burn(9), sleep(1), burn(9)];
    assert_eq!(hogs_of(WqFlags::PERCPU, &sleepy), []);
    let late = [burn(9), sleep(1), burn(12)];
    assert_eq!(hogs_of(WqFlags::PERCPU, &late), [(20, 10_000)]);
    // Another thread runs for 4 ms in between.
    let mut script = Script::on(1);
    let (q, wide) = (script.bound(), script.wq(WqFlags::UNBOUND, 0));
    let w = script.work(&q, &[burn(6), Step::Yield, burn(6)]);
    let other = script.work(&wide, &[burn(4)]);
    script.queue_at(0, &[w, other]);
    let run = script.run();
    assert_eq!(run.spans("w1"), [(6, 10)]);
    assert_eq!(hogs(&run), [(14, 10_000)]);
}

#[test]
fn s4_7_at_most_once_per_execution() {
    let mut script = Script::on(1);
    let q = script.bound();
    let long = script.work(&q, &[burn(40), sleep(5), burn(40)]);
    script.queue_at(0, &[long]);
    script.queue_at(100, &[long]);
    let run = script.run();
    assert_eq!(hogs(&run), [(10, 10_000), (110, 10_000)]);
    assert_eq!(run.counter("q0", Counter::CpuIntensive), 2);
}

#[test]
fn s4_7_only_managed_workers_are_flagged() {
    for flags in [
        WqFlags::UNBOUND,
        WqFlags::ORDERED,
        WqFlags::BH,
        WqFlags::PERCPU | WqFlags::CPU_INTENSIVE,
    ] {
        assert_eq!(hogs_of(flags, &[burn(50)]), [], "{flags:?}");
    }
}

#[test]
fn s4_7_a_threshold_of_zero_is_off() {
    let mut script = Script::on(1);
    script.0.engine.cpu_intensive_thresh = Some(Duration::ZERO);
    let q = script.bound();
    let [a, b] = [0; 2].map(|_| script.work(&q, &[burn(50)]));
    script.queue_at(0, &[a, b]);
    let run = script.run();
    assert_eq!(hogs(&run), []);
    assert_eq!(run.parts("w1"), [(WaitPart::Concurrency, 50)]);
}

#[test]
fn s4_7_a_flagged_worker_leaves_nr_running_and_another_is_woken_for_it() {
    let mut script = Script::on(1);
    script.0.engine.cpu_intensive_thresh = Some(Duration::from_millis(20));
    let (q, other) = (script.bound(), script.bound());
    let a = script.work(&q, &[burn(50), sleep(10), burn(1)]);
    let b = script.work(&other, &[burn(5)]);
    script.queue_at(0, &[a, b]);
    let run = script.run();
    assert_eq!(hogs(&run), [(20, 20_000)]);
    assert_eq!(wakes(&run), [20]);
    // Woken at 20; the CPU, where nobody is preempted, is free at 50.
    assert_eq!(run.spans("w1"), [(50, 55)]);
    let parts = [(WaitPart::Concurrency, 20), (WaitPart::Runqueue, 30)];
    assert_eq!(run.parts("w1"), parts);
    // Charged to the hog. That it sleeps afterwards wakes nobody: it did not count any more.
    assert_eq!(run.counter("q0", Counter::CmWakeup), 1);
    assert_eq!(run.counter("q1", Counter::CmWakeup), 0);
    assert_eq!(run.counter("q1", Counter::CpuIntensive), 0);
}

#[test]
fn s4_7_nobody_is_woken_when_nothing_waits() {
    let mut script = Script::on(1);
    let q = script.bound();
    let a = script.work(&q, &[burn(20), Step::Queue(item(1)), burn(10)]);
    script.work(&q, &[burn(1)]);
    script.queue_at(0, &[a]);
    let run = script.run();
    assert_eq!(hogs(&run), [(10, 10_000)]);
    assert_eq!(wakes(&run), [0; 0]);
    assert_eq!(run.counter("q0", Counter::CmWakeup), 0);
    // What comes later finds nobody running, and a worker is woken for it at once.
    assert_eq!(run.spans("w1"), [(30, 31)]);
    assert_eq!(run.parts("w1"), [(WaitPart::Runqueue, 10)]);
}

#[test]
fn s4_7_reports_come_at_4_5_7_11_19_35_times() {
    let mut script = Script::on(1);
    let q = script.bound();
    let a = script.works(&q, 40, &[burn(10)]);
    script.queue_at(0, &[a; 40]);
    let run = script.run();
    let times = [4, 5, 7, 11, 19, 35];
    let texts = times.map(|n| {
        let text = format!(
            "workqueue: w0 hogged CPU for >10000us {n} times, consider switching to WQ_UNBOUND"
        );
        (n * 10, text)
    });
    let wanted: Vec<_> = texts
        .iter()
        .map(|(at, text)| (*at, text.as_str()))
        .collect();
    assert_eq!(run.reports(), wanted);
}

/// Spins until `done` is set; only a hang lets it end by itself.
fn spin_until(done: &AtomicBool) {
    let begun = Instant::now();
    while !done.load(Ordering::SeqCst) && begun.elapsed() < Duration::from_secs(60) {
        std::hint::spin_loop();
    }
}

/// One item spins until another of the same pool has run, which nobody but the hog detection lets it do.
#[test]
fn s4_7_on_threads_a_hog_lets_others_start() {
    for sensing in [Sensing::Tick, Sensing::Hints] {
        let engine = Engine::builder().name("hog").cpus([0]).sensing(sensing);
        let engine = engine.build().unwrap();
        let (hogs, others) = (
            engine.alloc_workqueue("hogs", WqFlags::PERCPU, 0).unwrap(),
            engine
                .alloc_workqueue("others", WqFlags::PERCPU, 0)
                .unwrap(),
        );
        let ran = Arc::new(AtomicBool::new(false));
        let hog = Work::named("hog", {
            let ran = ran.clone();
            move |_| spin_until(&ran)
        });
        let other = Work::named("other", {
            let ran = ran.clone();
            move |_| ran.store(true, Ordering::SeqCst)
        });
        // Both wait for the one that queues them, so that the other one waits when the hog begins.
        assert!(engine.system_wq().spawn({
            let (hog, other) = (hog.clone(), other.clone());
            let (hogs, others) = (hogs.clone(), others.clone());
            move || assert!(hogs.queue_work(&hog) && others.queue_work(&other))
        }));
        engine.system_wq().flush();
        other.flush();
        hog.flush();
        let seen = snapshot(&engine);
        assert_eq!(
            counted(&seen, "hogs", Counter::CpuIntensive),
            1,
            "{sensing}"
        );
        assert_eq!(counted(&seen, "hogs", Counter::CmWakeup), 1, "{sensing}");
        assert_eq!(
            counted(&seen, "others", Counter::CpuIntensive),
            0,
            "{sensing}"
        );
    }
}

#[test]
fn s4_7_on_threads_without_a_threshold_others_wait() {
    let engine = Engine::builder()
        .name("no-hog")
        .cpus([0])
        .sensing(Sensing::Hints)
        .cpu_intensive_thresh(Duration::ZERO)
        .build()
        .unwrap();
    let ran = Arc::new(AtomicBool::new(false));
    let seen = ran.clone();
    let hog = Work::named("hog", move |_| {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(100) {
            assert!(!seen.load(Ordering::SeqCst), "nobody else is started");
        }
    });
    assert!(engine.schedule_work(&hog));
    assert!(
        engine
            .system_wq()
            .spawn(move || ran.store(true, Ordering::SeqCst))
    );
    engine.system_wq().flush();
    let seen = snapshot(&engine);
    assert_eq!(counted(&seen, "events", Counter::Panics), 0);
    assert_eq!(counted(&seen, "events", Counter::CpuIntensive), 0);
}

/// Sleeps reset the clock: the item uses far more CPU time than the threshold in all, but never in one go.
#[test]
fn s4_7_on_threads_a_sleepy_item_is_no_hog() {
    let engine = Engine::builder()
        .name("sleepy")
        .cpus([0])
        .cpu_intensive_thresh(Duration::from_secs(1))
        .build()
        .unwrap();
    let work = Work::named("sleepy", |_| {
        for _ in 0..15 {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_millis(80) {
                std::hint::spin_loop();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    assert!(engine.schedule_work(&work));
    work.flush();
    let seen = snapshot(&engine);
    assert_eq!(counted(&seen, "events", Counter::CpuIntensive), 0);
}
